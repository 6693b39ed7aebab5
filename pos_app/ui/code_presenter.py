"""Sends codes and has them confirmed, by the dialog and the validation service (ux B.5, contract 2.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from pos_app.domain.refusals import PROOF_FAILURES, Refusal
from pos_app.domain.request import RedemptionRequest, ValidationType
from pos_app.domain.trouble import LineDownError, Trouble
from pos_app.services.ports import Clock
from pos_app.services.results import Checked, Source
from pos_app.services.till import TillView
from pos_app.services.validation import ValidationService
from pos_app.ui.background import Background
from pos_app.ui.code_memory import CodeMemory
from pos_app.ui.formats import isolated_words, money_text, points_text
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import facts_of
from pos_app.ui.wording import Situation, Words, for_refusal, for_situation, for_trouble

if TYPE_CHECKING:
    from pos_app.ui.code_dialog import CodeDialog

LANE: Final = "code"


class CodePresenter(QObject):
    """Joins the code dialog to the validation service.

    Signals:
        sent: a code went out. arg: the answer to the check that sent it.
        confirmed: the customer's code or call was right. arg: the ledger's answer to it.
        refused: a check asked on the way was refused for another reason, or 876. arg: the answer.
        supervisor_asked: a second person is to stand for the code.
        failed: a code could not be asked for, outside the dialog. arg: the exception.
    """

    sent = Signal(object)
    confirmed = Signal(object)
    refused = Signal(object)
    failed = Signal(object)
    supervisor_asked = Signal()

    def __init__(
        self,
        window: QWidget,
        *,
        background: Background,
        validation: ValidationService,
        clock: Clock,
        view: TillView,
        serving: Serving,
        can_ask: bool = False,
    ) -> None:
        """`can_ask`: this till knows people who may stand for a code."""
        super().__init__(window)
        self._window = window
        self._background = background
        self._validation = validation
        self._clock = clock
        self._till = view
        self._serving = serving
        self._can_ask = can_ask
        self.memory = CodeMemory(clock, serving, view.code_validity_s, view.resend_waits_s)
        self._tried = ""
        self._checked: Checked | None = None
        self._dialog: CodeDialog | None = None

    def forget(self) -> None:
        """The code was used up, or another customer came: drop it, and what still asks about it."""
        self._background.drop(LANE)
        self.memory.forget()
        self._tried = ""
        self._checked = None
        if self._dialog is not None:
            self._dialog.reject()

    def close(self) -> None:
        """Something else stands for the code: the dialog goes, what is out stays."""
        if self._dialog is not None:
            self._dialog.reject()

    # What is asked

    def open(self, checked: Checked, *, message: str = "") -> None:
        """Open the dialog for an answer: for the code that is out, else for the missed call."""
        if self._dialog is not None:
            return
        from pos_app.ui.code_dialog import CodeDialog  # Slow to load: no till waits for it when it starts.

        self._checked = checked
        sent = self.memory.sent if self.memory.is_out_for(checked.request) else None
        starts_with_call = sent is None or checked.request.validation_type is ValidationType.MISSED_CALL
        dialog = CodeDialog(
            self._window,
            masked=self._serving.masked_of(checked.request.customer),
            points_text=self._points_text(checked),
            customer_name=isolated_words(self._serving.name_of(checked.request.customer)),
            expires_at=sent.expires_at if sent is not None else None,
            is_about=sent is None or sent.is_about,
            clock=self._clock,
            sendings=self.memory.sendings,
            has_missed_call=checked.organisation.missed_call_enabled,
            missed_call_number=checked.organisation.missed_call_number,
            starts_with_call=starts_with_call,
            has_supervisor=checked.organisation.skip_validation_allowed and self._can_ask,
        )
        dialog.code_entered.connect(self._try_code)
        dialog.resend_asked.connect(self._send_again)
        dialog.text_instead_asked.connect(self._send_again)
        dialog.call_check_asked.connect(self._try_call)
        dialog.supervisor_asked.connect(self.supervisor_asked)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()
        if message:
            dialog.show_wrong(message)

    def send(self, checked: Checked) -> None:
        """Have a code sent for what was checked; the dialog opens when it is out. A second press sends nothing."""
        if self._background.is_running(LANE):
            return
        self._checked = checked
        self._ask_for_code(checked.request)

    @Slot()
    def _send_again(self) -> None:
        if self._checked is not None:
            self._ask_for_code(self._checked.request)

    def _ask_for_code(self, asked: RedemptionRequest) -> None:
        question = replace(asked, issue_otp=True, validation_code=None, validation_type=ValidationType.SMS)
        self._background.run(
            lambda: self._validation.check(question),
            on_done=self._show_sending,
            on_error=self._show_trouble,
            on_late=self.memory.take_late,
            lane=LANE,
        )

    @Slot(str)
    def _try_code(self, code: str) -> None:
        if self._checked is None:
            return
        self._tried = code
        question = replace(
            self._checked.request, issue_otp=False, validation_code=code, validation_type=ValidationType.SMS
        )
        self._confirm_with(question)

    @Slot()
    def _try_call(self) -> None:
        if self._checked is None:
            return
        self._tried = ""
        question = replace(
            self._checked.request,
            issue_otp=False,
            validation_code=None,
            validation_type=ValidationType.MISSED_CALL,
        )
        self._confirm_with(question)

    def _confirm_with(self, question: RedemptionRequest) -> None:
        self._background.run(
            lambda: self._validation.check_code(question),
            on_done=self._show_tried,
            on_error=self._show_trouble,
            lane=LANE,
        )

    # Answers

    def _show_sending(self, checked: Checked) -> None:
        if checked.source is Source.CACHE:
            self._show_trouble(checked.trouble or LineDownError("no line"))
        elif not checked.is_code_out:
            self._show_not_sent(checked)
        else:
            self.memory.remember(checked)
            sent = self.memory.sent
            if self._dialog is None:
                self.sent.emit(checked)
                self.open(checked)
            elif sent is not None:
                self._dialog.set_expiry(sent.expires_at, is_about=sent.is_about)
                self._dialog.show_sent_again(sent.sent_at)

    def _show_not_sent(self, checked: Checked) -> None:
        if checked.is_code_missing and self._dialog is not None:
            words = for_situation(Situation.CODE_NOT_SENT, facts_of(checked, self._serving))
            if checked.reason:
                words = for_refusal(Refusal.CODE_NOT_SENT, facts_of(checked, self._serving), reason=checked.reason)
            self._dialog.show_trouble(_in_a_line(words))
            return
        self._leave(checked)

    def _show_tried(self, checked: Checked) -> None:
        if checked.is_redeemable:
            self.memory.confirm(checked, self._tried)
            if self._dialog is not None:
                self._dialog.accept_code()
            self.confirmed.emit(checked)
            return
        refusal = checked.refusals[0] if checked.refusals else Refusal.OTHER
        if refusal in PROOF_FAILURES and self._dialog is not None:
            self._dialog.show_wrong(self.wrong_text(checked, refusal))
            return
        self._leave(checked)

    def _leave(self, checked: Checked) -> None:
        """Something else stands against it: that is the panel's to say."""
        if self._dialog is not None:
            self._dialog.reject()
        self.refused.emit(checked)

    def _show_trouble(self, error: Exception) -> None:
        if self._dialog is None:
            self.failed.emit(error)
            return
        words = for_trouble(error) if isinstance(error, Trouble) else for_situation(Situation.CONFIG)
        self._dialog.show_trouble(_in_a_line(words))

    def wrong_text(self, checked: Checked, refusal: Refusal) -> str:
        """The line under the field: what is wrong, and how many tries are left (808)."""
        facts = facts_of(checked, self._serving)
        words = for_refusal(refusal, facts, reason=checked.reason)
        is_plain = refusal is Refusal.CODE_WRONG and words.headline == for_refusal(refusal).headline
        if not is_plain or not facts.tries_left:
            return _in_a_line(words)
        if facts.tries_left == 1:
            return self.tr("{headline}. 1 try left.").format(headline=words.headline)
        return self.tr("{headline}. {count} tries left.").format(headline=words.headline, count=facts.tries_left)

    def _points_text(self, checked: Checked) -> str:
        points = points_text(checked.points, checked.program.decimals if checked.program is not None else 0)
        if checked.worth is None:
            return self.tr("{points} points").format(points=points)
        worth = money_text(checked.worth, checked.organisation.currency)
        return self.tr("{points} points ({worth})").format(points=points, worth=worth)

    @Slot()
    def _closed(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.


def _in_a_line(words: Words) -> str:
    """Headline and fact as the sentences of one message."""
    return " ".join(
        part if part.endswith((".", "?")) else f"{part}." for part in (words.headline, words.reason) if part
    )
