"""The end-of-day report: read it, print it or keep it as a file, and close the day (issue: the conflict desk)."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTextBrowser, QWidget

from pos_app.ui.handles import named
from pos_app.ui.theme import GAP_PX
from pos_app.ui.till_dialog import TillDialog, column, dialog_button, message_label, row_of_widgets, show_message

WIDTH: Final = 640
HEIGHT: Final = 620


class DayDialog(TillDialog):
    """Shows a report.

    Signals:
        print_asked, save_asked: the report on paper, or as a file.
        close_asked: close the day. arg: in spite of what is open.
    """

    print_asked = Signal()
    save_asked = Signal()
    close_asked = Signal(bool)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "dayDialog", self.tr("End of day"))
        self._is_clear = False
        self._page = named(QTextBrowser(), "dayReport", self.tr("End-of-day report"))
        self._page.setOpenLinks(False)
        self._message = message_label("dayMessage")
        self._print = dialog_button(self.tr("Print…"), "dayPrint")
        self._save = dialog_button(self.tr("Save as a file…"), "daySave")
        self._close_day = dialog_button(self.tr("Close the day"), "dayClose", role="primary")
        self._leave = dialog_button(self.tr("Close"), "dayLeave")
        layout = column(self, 2 * GAP_PX, WIDTH - 4 * GAP_PX)
        layout.addWidget(self._page, 1)
        layout.addWidget(self._message)
        layout.addLayout(row_of_widgets(self._print, self._save, None, self._leave, self._close_day))
        self.resize(WIDTH, HEIGHT)
        self._print.clicked.connect(self.print_asked)
        self._save.clicked.connect(self.save_asked)
        self._close_day.clicked.connect(lambda: self.close_asked.emit(not self._is_clear))
        self._leave.clicked.connect(self.reject)

    @property
    def html(self) -> str:
        """The report as it is shown."""
        return self._page.toHtml()

    def show_report(self, html: str, *, is_clear: bool) -> None:
        """Show a report; while something is open, closing says so on its button."""
        self._is_clear = is_clear
        self._page.setHtml(html)
        self._close_day.setText(self.tr("Close the day") if is_clear else self.tr("Close the day all the same"))
        if not is_clear:
            self.show_message(
                self.tr("Something is still open. A supervisor may close the day all the same."), "caution"
            )

    def show_message(self, text: str, state: str = "ok") -> None:
        """Say what came of printing, saving or closing."""
        show_message(self._message, text, state)
        self.say(text, is_assertive=state == "refused")

    def show_closed(self, text: str) -> None:
        """The day is closed."""
        self._close_day.setEnabled(False)
        self.show_message(text)
