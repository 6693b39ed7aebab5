"""The top line: which till, who serves, the line, the last sync, what waits; and the banner of trainer mode."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from pos_app.ui.controls import Elided, text_label
from pos_app.ui.handles import named
from pos_app.ui.marks import Mark
from pos_app.ui.theme import GAP_PX, tokens

MARK_PX = 18


class Header(QFrame):
    """Shows the state of the till. Every part says the same in its accessible name (ux B.13)."""

    def __init__(self, *, store: str, till: str, operator: str, operator_role: str, theme: str) -> None:
        super().__init__()
        named(self, "header")
        self._colours = tokens(theme)
        self._place = named(Elided(""), "statusPlace")
        self._operator = named(Elided(operator), "statusOperator")
        self._mark = Mark("offline", self._colours["quiet"], MARK_PX)
        self._connection = text_label("statusConnection", wraps=False)
        self._sync = text_label("statusSync", wraps=False)
        self._outbox = text_label("statusOutbox", wraps=False)
        self._storage = text_label("statusStorage", "hint", wraps=False)
        self._storage.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_PX * 2, GAP_PX, GAP_PX * 2, GAP_PX)
        layout.setSpacing(GAP_PX * 2)
        layout.addWidget(self._place, 3)
        layout.addWidget(self._operator, 3)
        layout.addStretch(1)
        line = QHBoxLayout()
        line.setSpacing(GAP_PX // 2)
        line.addWidget(self._mark)
        line.addWidget(self._connection)
        layout.addLayout(line)
        for label in (self._sync, self._outbox, self._storage):
            layout.addWidget(label)
        self.show_operator(operator, operator_role)
        self.show_place(store, till)
        self.show_line("unknown", self.tr("Starting"), self.tr("Connection: starting"), "")
        self.show_sync(self.tr("Not synced yet"), self.tr("Last sync: none yet"), "")
        self.show_outbox(0, 0)

    def show_place(self, store: str, till: str) -> None:
        """Show where this till stands; what is not known is left out."""
        if store and till:
            self._place.show_text(self.tr("Store {store}, {till}").format(store=store, till=till))
        else:
            self._place.show_text(store or till or self.tr("This till"))

    def show_operator(self, operator: str, role: str) -> None:
        """Show who works here; nobody where the name is empty."""
        if operator and role:
            self._operator.show_text(self.tr("{operator} ({role})").format(operator=operator, role=role))
            name = self.tr("Signed in: {operator}, {role}").format(operator=operator, role=role)
        elif operator:
            self._operator.show_text(operator)
            name = self.tr("Signed in: {operator}").format(operator=operator)
        else:
            self._operator.show_text(self.tr("Nobody signed in"))
            name = self.tr("Nobody signed in")
        self._operator.setAccessibleName(name)

    def show_line(self, state: str, word: str, name: str, description: str) -> None:
        """Show the line. `state` is a `LineState`; the shape is full only when there is a line."""
        tone = {"online": "ok", "offline": "caution"}.get(state, "quiet")
        self._mark.show_shape("online" if state == "online" else "offline", self._colours[tone])
        self._tell(self._connection, word, name, description)

    def show_sync(self, text: str, name: str, description: str) -> None:
        """Show when rules were last fetched."""
        self._tell(self._sync, text, name, description)

    def show_outbox(self, waiting: int, needing_attention: int) -> None:
        """Show how many redemptions have no sure answer yet."""
        name = self.tr("Outbox: {waiting} waiting, {attention} needs attention").format(
            waiting=waiting, attention=needing_attention
        )
        self._tell(self._outbox, self.tr("Outbox {count}").format(count=waiting + needing_attention), name, "")

    def show_storage(self, text: str, description: str) -> None:
        """Say where the till's secrets lie when there is no keyring."""
        self._tell(self._storage, text, text, description)
        self._storage.show()

    def _tell(self, label: QLabel, text: str, name: str, description: str) -> None:
        label.setText(text)
        label.setAccessibleName(name)
        label.setAccessibleDescription(description)
        label.setToolTip(description)


class TrainingBanner(QFrame):
    """The coloured bar of trainer mode: nothing here touches real points (ux B.9)."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        named(self, "trainingBanner", self.tr("Training mode on"), self.tr("Practice only"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_PX * 2, GAP_PX, GAP_PX * 2, GAP_PX)
        layout.setSpacing(GAP_PX)
        layout.addWidget(Mark("training", tokens(theme)["on_training"], MARK_PX))
        text = text_label("trainingText", wraps=False)
        text.setText(self.tr("TRAINING: practice only. Nothing here touches real points."))
        layout.addWidget(text)
        layout.addStretch(1)


def training_parts(is_training: bool, theme: str) -> list[QWidget]:
    """What stands above the header in trainer mode, and nothing on a live till."""
    return [TrainingBanner(theme)] if is_training else []
