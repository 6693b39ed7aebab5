"""Who the customer is and what she has, masked (ux B.2)."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from pos_app.ui.card_place import ROW_PX
from pos_app.ui.card_view import CardView
from pos_app.ui.controls import Button, Elided, text_label
from pos_app.ui.handles import named, set_state
from pos_app.ui.marks import mark_icon
from pos_app.ui.program_model import ProgramModel
from pos_app.ui.theme import CONTROL_PX, GAP_PX, tokens

MARK_PX = 16


class CustomerCard(QFrame):
    """Shows one customer.

    Signals:
        reveal_asked: show or hide the identifiers.
    """

    reveal_asked = Signal()

    def __init__(self, theme: str) -> None:
        super().__init__()
        named(self, "customerCard", self.tr("Customer"))
        self._view: CardView | None = None
        self._is_open = False
        self._name = named(Elided(), "customerName")
        self._name.setProperty("role", "name")
        self._family = named(Elided(), "customerFamily")
        self._family.setProperty("role", "hint")
        self._identifiers = named(Elided(), "customerIdentifiers")
        self.reveal = named(Button(self.tr("Show 10 s")), "revealButton", self.tr("Show identifiers for 10 seconds"))
        self.table = named(QTableView(), "programTable", self.tr("Points by program"))
        self._model = ProgramModel(
            self, mark_icon("otp_failed", tokens(theme)["caution"], MARK_PX, self.devicePixelRatioF())
        )
        self._chosen = text_label("cardChosen", "hint", wraps=False)
        self._chosen.setText(self.tr("* chosen program"))
        self._age = text_label("cardAge", "hint", wraps=False)
        self._foot = QWidget()
        if self.layoutDirection() is Qt.LayoutDirection.LeftToRight:  # Else an Arabic name would stand at the far edge.
            for label in (self._name, self._family):
                label.setAlignment(
                    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
                )
        self._lay_out()
        self._dress_table()
        self.reveal.clicked.connect(self.reveal_asked)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GAP_PX)
        top.addWidget(self._name, 1)
        top.addWidget(self._family, 1)
        top.addWidget(self.reveal)
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(self._chosen)
        foot.addStretch(1)
        foot.addWidget(self._age)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_PX * 2, GAP_PX, GAP_PX, GAP_PX)
        layout.setSpacing(GAP_PX // 2)
        layout.addLayout(top)
        layout.addWidget(self._identifiers)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._foot)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """On a low screen the verdict needs the height: first the table goes, then the identifiers; the name stays."""
        super().resizeEvent(event)
        line = self.fontMetrics().height()
        self._identifiers.setVisible(self.height() >= CONTROL_PX + 2 * line)
        for part in (self.table, self._foot):
            part.setVisible(self.height() >= CONTROL_PX + 6 * line)

    def _dress_table(self) -> None:
        self.table.setModel(self._model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(max(ROW_PX, self.fontMetrics().height() + 10))
        across = self.table.horizontalHeader()
        across.setHighlightSections(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        across.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_customer(self, view: CardView) -> None:
        """Show somebody. Another somebody is masked, whatever was shown of the one before."""
        self._view = view
        self._is_open = False
        self.setAccessibleName(view.spoken)
        self._name.show_text(view.name)
        self._family.show_text(view.family)
        self._family.setVisible(bool(view.family))
        self._model.show_lines(view.lines)
        self._chosen.setVisible(any(line.is_chosen for line in view.lines))
        self.show_reveal(0)
        self.show_age(view.age, is_ageing=view.is_ageing)

    def show_reveal(self, seconds_left: int) -> None:
        """Show the identifiers for so many seconds more; 0 hides them."""
        if self._view is None:
            return
        self._is_open = seconds_left > 0
        self._identifiers.show_text(self._view.open_identifiers if self._is_open else self._view.identifiers)
        self.reveal.setText(
            self.tr("Hide ({seconds} s)").format(seconds=seconds_left) if self._is_open else self.tr("Show 10 s")
        )
        self.reveal.setAccessibleName(
            self.tr("Hide identifiers") if self._is_open else self.tr("Show identifiers for 10 seconds")
        )

    def show_age(self, text: str, *, is_ageing: bool) -> None:
        """How old the balance is."""
        self._age.setText(text)
        set_state(self._age, "caution" if is_ageing else "")

    def forget(self) -> None:
        """Nothing of the customer stays in the widgets."""
        self._view = None
        self._model.show_lines(())
        for label in (self._name, self._family, self._identifiers):
            label.show_text("")
        self.setAccessibleName(self.tr("Customer"))
