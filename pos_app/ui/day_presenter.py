"""Shows the end-of-day report, puts it on paper or into a file, and closes the day (reliability 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.roles import Act
from pos_app.services.reports import DayNotClearError, DayReport
from pos_app.services.till import TillServices
from pos_app.ui.background import Background
from pos_app.ui.day_words import report_html
from pos_app.ui.people_presenter import PeoplePresenter
from pos_app.ui.people_words import refusal_text

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

    from pos_app.ui.day_dialog import DayDialog

LANE: Final = "day"
FIRST_DAY: Final = timedelta(hours=24)
"""A till that never closed a day reports the last 24 hours."""


@dataclass(frozen=True, slots=True)
class _Read:
    report: DayReport
    people: dict[int, str]


class DayPresenter(QObject):
    """Joins the report's dialog to its service, a printer, and a file."""

    def __init__(
        self, window: QWidget, *, background: Background, services: TillServices, people: PeoplePresenter, place: str
    ) -> None:
        super().__init__(window)
        self._window = window
        self._background = background
        self._services = services
        self._people = people
        self._place = place
        self._dialog: DayDialog | None = None
        self._shown: _Read | None = None

    @Slot()
    def open(self) -> None:
        """Make the report and show it."""
        if self._dialog is not None:
            return
        from pos_app.ui.day_dialog import DayDialog

        above = [each for each in self._window.findChildren(QDialog) if each.isVisible()]
        dialog = DayDialog(above[-1] if above else self._window)
        dialog.print_asked.connect(self._print)
        dialog.save_asked.connect(self._save)
        dialog.close_asked.connect(self._close_day)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        self._background.run(self._read, on_done=self._show, on_error=self._failed, lane=LANE)
        dialog.open()

    def _read(self) -> _Read:
        reports = self._services.reports
        return _Read(
            reports.report(self._since()), {each.operator_id: each.name for each in self._services.colleagues()}
        )

    def _since(self) -> datetime:
        closed_at = self._services.reports.closed_at()
        return closed_at if closed_at is not None else self._services.clock.wall() - FIRST_DAY

    def _show(self, read: _Read) -> None:
        self._shown = read
        if self._dialog is not None:
            html = report_html(read.report, self._place, read.people)
            self._dialog.show_report(html, is_clear=read.report.is_clear)

    # --- Paper and file --------------------------------------------------------------------------------------------

    @Slot()
    def _print(self) -> None:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        if self._dialog is None:
            return
        printer = QPrinter()
        if QPrintDialog(printer, self._dialog).exec() == QDialog.DialogCode.Accepted:
            self._put_on(printer)
            self._dialog.show_message(self.tr("Sent to the printer."))

    @Slot()
    def _save(self) -> None:
        if self._dialog is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self._dialog, self.tr("Save the report"), "end-of-day.pdf", self.tr("PDF (*.pdf)")
        )
        if name:
            self.save_as(Path(name))

    def save_as(self, file: Path) -> None:
        """Write the report as a PDF; says in the dialog what came of it."""
        from PySide6.QtPrintSupport import QPrinter

        if self._dialog is None:
            return
        printer = QPrinter()
        printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        printer.setOutputFileName(str(file))
        try:
            file.touch()
            self._put_on(printer)
        except OSError as error:
            self._dialog.show_message(
                self.tr("{file} cannot be written: {why}.").format(file=file.name, why=error.strerror), "refused"
            )
            return
        self._dialog.show_message(self.tr("Saved as {file}.").format(file=file.name))

    def _put_on(self, printer: QPrinter) -> None:
        if self._shown is not None:
            page = QTextDocument()
            page.setHtml(report_html(self._shown.report, self._place, self._shown.people))
            page.print_(printer)

    # --- Closing the day -------------------------------------------------------------------------------------------

    @Slot(bool)
    def _close_day(self, in_spite: bool) -> None:
        """A supervisor closes the day; a cashier asks one for it."""
        current = self._people.current
        if current is not None and current.may(Act.CLOSE_DAY):
            self._close(None, current.operator_id, in_spite=in_spite)
            return
        self._people.approve(
            ApprovalPurpose.RISK,
            lambda approval, operator: self._close(approval, operator, in_spite=in_spite),
            self.tr("Close the day."),
        )

    def _close(self, _approval: Approval | None, operator: int, *, in_spite: bool) -> None:
        reports = self._services.reports
        self._background.run(
            lambda: reports.close_day(self._since(), operator=operator, in_spite=in_spite),
            on_done=self._day_closed,
            on_error=self._failed,
            lane=LANE,
        )

    def _day_closed(self, report: DayReport) -> None:
        if self._dialog is not None and self._shown is not None:
            self._show(_Read(report, self._shown.people))
            self._dialog.show_closed(self.tr("The day is closed."))

    def _failed(self, error: Exception) -> None:
        if self._dialog is None:
            return
        if isinstance(error, DayNotClearError):  # Something came since the report was made.
            self._show(_Read(error.report, self._shown.people if self._shown is not None else {}))
            return
        self._dialog.show_message(refusal_text(error), "refused")

    @Slot()
    def _closed(self) -> None:
        dialog, self._dialog = self._dialog, None
        self._shown = None
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.
