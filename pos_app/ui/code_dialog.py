"""Asks for the customer's code, or for a missed call (ux B.5). It confirms; it never redeems.

The dialog knows no service: it emits what was asked and shows what it is told. The code is in its field and nowhere
else, and is dropped when the dialog closes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from pos_app.services.ports import Clock
from pos_app.ui.actions import ActionId, add_action
from pos_app.ui.code_field import CODE_MIN, SCAN_ENDS, ScanBurst
from pos_app.ui.code_pages import CallPage, CodePage
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.controls import Button
from pos_app.ui.formats import time_text
from pos_app.ui.till_dialog import TillDialog, column

TICK_MS: Final = 1000


class CodeDialog(TillDialog):
    """Confirms the customer by code or by missed call.

    Signals:
        code_entered: the cashier wants this code tried. arg: the cleaned code. Answer with `accept_code`,
            `show_wrong` or `show_trouble`.
        resend_asked: send the code again. Answer with `show_sent_again` or `show_trouble`.
        call_check_asked: look for the missed call. Answer with `accept_code`, `show_wrong` or `show_trouble`.
        supervisor_asked: somebody else stands for the code. The dialog stays until it is closed.
        text_instead_asked: from the missed call, before any code was sent: send one. Answer as to `resend_asked`.
    """

    code_entered = Signal(str)
    resend_asked = Signal()
    call_check_asked = Signal()
    text_instead_asked = Signal()
    supervisor_asked = Signal()

    def __init__(
        self,
        parent: QWidget | None,
        *,
        masked: str,
        points_text: str,
        customer_name: str,
        expires_at: datetime | None,
        is_about: bool,
        clock: Clock,
        sendings: Sendings,
        has_missed_call: bool = False,
        missed_call_number: str = "",
        starts_with_call: bool = False,
        has_supervisor: bool = False,
    ) -> None:
        """Show where the code went and what it is for.

        `masked` is the number it was sent to, `points_text` what will be redeemed ("250 points (Rs250.00)").
        `is_about` says that `expires_at` is a guess. `sendings` are those of the code that is out: tell them of each
        sending before `show_sent_again`. `starts_with_call` opens the missed call page: no code is out.
        """
        super().__init__(parent, "codeDialog", self.tr("Confirm with a code"))
        self._burst = ScanBurst(clock)
        self._is_code_out = not starts_with_call
        self._is_busy = False
        self._code = CodePage(clock, masked, sendings, has_missed_call=has_missed_call)
        self._call = CallPage(masked, customer_name, missed_call_number)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._code)
        self._pages.addWidget(self._call)
        column(self, 0).addWidget(self._pages)
        self._code.show_purpose(points_text, customer_name)
        self._code.countdown.to_say.connect(self.say)
        self._code.countdown.set_expiry(expires_at, is_about=is_about)
        self._connect(has_missed_call=has_missed_call)
        self._offer_supervisor(is_offered=has_supervisor)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.update_time)
        self._turn_to(self._call if starts_with_call else self._code)
        self._follow_text()

    def accept_code(self) -> None:
        """The code or the call was right: close."""
        self.set_busy(False)
        self.accept()

    def show_wrong(self, message: str) -> None:
        """The code did not match, or no call was found: say so, keep the text and select it."""
        self.set_busy(False)
        self._current.show_problem(message, "refused" if self._current is self._code else "caution")
        self.say(message, is_assertive=True)
        if self._current is self._code:
            self._code.field.setFocus()
            self._code.field.selectAll()

    def show_sent_again(self, at: datetime, message: str = "") -> None:
        """The code went out (again) at `at`; the countdown goes on as it was, since the same code may arrive."""
        self.set_busy(False)
        self._code.resend.sent()
        time = time_text(at)
        if not message and self._is_code_out:
            message = self.tr("Sent again {time}. The same code may arrive.").format(time=time)
        elif not message:
            message = self.tr("Sent {time}.").format(time=time)
        self._is_code_out = True
        self._turn_to(self._code)
        self._code.show_problem("", "")
        self._code.sent_note.setText(message)
        self.say(message)

    def show_trouble(self, message: str) -> None:
        """Something else went wrong: say so; what was typed stays."""
        self.set_busy(False)
        self._code.resend.not_sent()
        self._current.show_problem(message, "caution")
        self.say(message, is_assertive=True)

    def set_expiry(self, expires_at: datetime | None, *, is_about: bool) -> None:
        """A new code is out: count down to its end."""
        self._code.countdown.set_expiry(expires_at, is_about=is_about)

    def set_busy(self, is_busy: bool) -> None:
        """While an answer is awaited nothing can be asked twice; closing stays possible."""
        self._is_busy = is_busy
        self._code.set_busy(is_busy)
        self._call.set_busy(is_busy)
        self._follow_text()

    def update_time(self) -> None:
        """Show the time left now; a timer calls this every second while the dialog is open."""
        self._code.countdown.update_time()
        self._code.resend.update_time()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Put the cursor into the field and let the time run."""
        super().showEvent(event)
        self.update_time()
        self._timer.start()
        self._current.take_focus()

    def done(self, result: int) -> None:
        """However the dialog closes, the code is dropped."""
        self._timer.stop()
        self._code.field.forget()
        self._code.show_problem("", "")
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Watch for a scan while a button has the focus: its characters end up here."""
        if event.text() and event.text().isprintable():
            self._burst.feed()
        super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Keep the Enter of a scan from pressing the button that has the focus."""
        is_key = event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if is_key and event.key() in SCAN_ENDS and self._burst.take():  # type: ignore[attr-defined]
            self._refuse_scan()
            return True
        return super().eventFilter(watched, event)

    @property
    def _current(self) -> CodePage | CallPage:
        return self._code if self._pages.currentWidget() is self._code else self._call

    def _connect(self, *, has_missed_call: bool) -> None:
        self._code.field.textChanged.connect(self._follow_text)
        self._code.field.confirm_pressed.connect(self._confirm)
        self._code.field.scan_refused.connect(self._refuse_scan)
        self._code.confirm.clicked.connect(self._confirm)
        self._code.resend.asked.connect(self.resend_asked)
        self._code.call_instead.clicked.connect(self._swap)
        self._call.check.clicked.connect(self._check_call)
        self._call.text_instead.clicked.connect(self._swap)
        for page in (self._code, self._call):
            page.close_button.clicked.connect(self.reject)
        for button in self.findChildren(Button):
            button.installEventFilter(self)
        add_action(self, ActionId.RESEND, self._resend)
        add_action(self, ActionId.CALL_CHECK, self._check_call)
        if has_missed_call or not self._is_code_out:
            add_action(self, ActionId.SWAP_CONFIRMATION, self._swap)

    def _offer_supervisor(self, *, is_offered: bool) -> None:
        for page in (self._code, self._call):
            page.supervisor.setVisible(is_offered)
            page.supervisor.clicked.connect(self.supervisor_asked)
        if is_offered:
            add_action(self, ActionId.SUPERVISOR, self.supervisor_asked.emit)

    def _follow_text(self) -> None:
        self._code.confirm.setEnabled(len(self._code.field.code) >= CODE_MIN and not self._is_busy)

    def _confirm(self) -> None:
        if self._code.confirm.isEnabled():
            code = self._code.field.code
            self.set_busy(True)
            self._code.show_problem("", "")
            self.code_entered.emit(code)

    def _resend(self) -> None:
        if self._current is self._code and not self._is_busy:
            self._code.resend.ask()

    def _check_call(self) -> None:
        if self._current is self._call and not self._is_busy:
            self.set_busy(True)
            self._call.show_problem("", "")
            self.call_check_asked.emit()

    def _swap(self) -> None:
        """Change between code and call. Where no code is out yet, one has to be asked for first."""
        if self._is_busy:
            return
        if self._current is self._code:
            self._turn_to(self._call)
        elif self._is_code_out:
            self._turn_to(self._code)
        else:
            self.set_busy(True)
            self.text_instead_asked.emit()

    def _turn_to(self, page: CodePage | CallPage) -> None:
        self._pages.setCurrentWidget(page)
        self.set_title(self.tr("Confirm with a code") if page is self._code else self.tr("Confirm by missed call"))
        page.take_focus()

    def _refuse_scan(self) -> None:
        message = self.tr("That was a scan. Type the code the customer reads out.")
        self._current.show_problem(message, "caution")
        self.say(message, is_assertive=True)
