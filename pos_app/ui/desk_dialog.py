"""The outbox and the conflict desk in one list (ux B.6): what waits, what needs a supervisor, and her choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from pos_app.services.decisions import Decision
from pos_app.ui.controls import Field, text_label
from pos_app.ui.desk_words import decision_text
from pos_app.ui.handles import named
from pos_app.ui.theme import CONTROL_PX, GAP_PX
from pos_app.ui.till_dialog import TillDialog, column, dialog_button, message_label, row_of_widgets, show_message

WIDTH: Final = 960
HEIGHT: Final = 560


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLine:
    """One row as the desk shows it: its cells in words, its detail, and what may be decided now."""

    key: str
    cells: tuple[str, ...]
    detail: str
    choices: tuple[Decision, ...] = ()
    needs_attention: bool = False


class DeskDialog(TillDialog):
    """Shows lines; asks for decisions. It decides nothing.

    Signals:
        decided: args: key, Decision, redemption number (empty but for "It went through").
        send_asked: send at once what may be sent.
        day_asked: the end-of-day report.
    """

    decided = Signal(str, object, str)
    send_asked = Signal()
    day_asked = Signal()

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "deskDialog", self.tr("Outbox"))
        self._lines: tuple[DeskLine, ...] = ()
        self._is_busy = False
        self._summary = text_label("deskSummary", "heading", wraps=False)
        self._send = dialog_button(self.tr("Send now"), "deskSend")
        self._day = dialog_button(self.tr("End of day…"), "deskDay")
        self._close = dialog_button(self.tr("Close"), "deskClose")
        self._table = self._made_table()
        self._detail = text_label("deskDetail")
        self._number = named(Field(), "deskNumber", self.tr("Redemption number"))
        self._number.setMinimumHeight(CONTROL_PX)
        self._number.setPlaceholderText(self.tr("Redemption number the service tells"))
        self._buttons = {each: dialog_button(decision_text(each), f"desk_{each.value}") for each in Decision}
        self._message = message_label("deskMessage")
        self._lay_out()
        self._table.itemSelectionChanged.connect(self._show_chosen)
        self._number.textChanged.connect(self._follow)
        self._send.clicked.connect(self.send_asked)
        self._day.clicked.connect(self.day_asked)
        self._close.clicked.connect(self.reject)
        for choice, button in self._buttons.items():
            button.clicked.connect(partial(self._decide, choice))

    def show_lines(self, summary: str, lines: Sequence[DeskLine]) -> None:
        """Show the list anew; the chosen row stays chosen while it is there."""
        chosen = self.chosen_key
        self._summary.setText(summary)
        self._lines = tuple(lines)
        self._table.setRowCount(len(self._lines))
        for number, line in enumerate(self._lines):
            for place, text in enumerate(line.cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self._table.setItem(number, place, item)
        keys = [line.key for line in self._lines]
        wanted = keys.index(chosen) if chosen in keys else 0
        if self._lines:
            self._table.selectRow(wanted)
        self._show_chosen()

    def show_message(self, text: str, state: str = "ok") -> None:
        """Say what came of a decision or of sending."""
        self.set_busy(False)
        show_message(self._message, text, state)
        self.say(text, is_assertive=state == "refused")

    def set_busy(self, is_busy: bool) -> None:
        """While something is carried out nothing else is asked."""
        self._is_busy = is_busy
        if is_busy:
            show_message(self._message, self.tr("Working…"), "waiting")
        self._send.setEnabled(not is_busy)
        self._follow()

    @property
    def chosen_key(self) -> str | None:
        """The key of the chosen row."""
        line = self._chosen
        return None if line is None else line.key

    @property
    def _chosen(self) -> DeskLine | None:
        row = self._table.currentRow()
        return self._lines[row] if 0 <= row < len(self._lines) else None

    # What is chosen

    def _show_chosen(self) -> None:
        line = self._chosen
        self._detail.setText("" if line is None else line.detail)
        choices = () if line is None else line.choices
        for choice, button in self._buttons.items():
            button.setVisible(choice in choices)
        self._number.setVisible(Decision.WENT_THROUGH in choices)
        self._number.setText("")
        self._follow()

    def _decide(self, choice: Decision, _is_checked: bool = False) -> None:
        line = self._chosen
        if line is None or self._is_busy:
            return
        self.decided.emit(line.key, choice, self._number.text().strip() if choice is Decision.WENT_THROUGH else "")

    def _follow(self) -> None:
        for choice, button in self._buttons.items():
            has_number = choice is not Decision.WENT_THROUGH or bool(self._number.text().strip())
            button.setEnabled(not self._is_busy and has_number)

    # How it looks

    def _made_table(self) -> QTableWidget:
        titles = (
            self.tr("Age"),
            self.tr("Customer"),
            self.tr("Points"),
            self.tr("State"),
            self.tr("Why"),
            self.tr("Operator"),
        )
        table = named(QTableWidget(0, len(titles)), "deskTable", self.tr("Redemptions that wait"))
        table.setHorizontalHeaderLabels(list(titles))
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.verticalHeader().setDefaultSectionSize(CONTROL_PX)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        return table

    def _lay_out(self) -> None:
        layout = column(self, 2 * GAP_PX, WIDTH - 4 * GAP_PX)
        layout.addLayout(row_of_widgets(self._summary, None, self._send, self._day, self._close))
        layout.addWidget(self._table, 1)
        layout.addWidget(self._detail)
        layout.addWidget(self._number)
        layout.addLayout(row_of_widgets(*self._buttons.values(), None))
        layout.addWidget(self._message)
        self._show_chosen()
        self.resize(WIDTH, HEIGHT)
