"""The counter's own flow: check, confirm, redeem; and what changed inputs mean for the verdict (ux B.1, B.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import RedemptionRequest, UnreadableAmount, ValidationType
from pos_app.services.covered import Covered
from pos_app.services.line import Line
from pos_app.services.ports import Clock
from pos_app.services.results import Checked, LineState, Source
from pos_app.services.till import TillView
from pos_app.services.validation import ValidationService
from pos_app.ui.asking_again import AskingAgain
from pos_app.ui.background import Background
from pos_app.ui.bill_presenter import BillPresenter
from pos_app.ui.board import Board
from pos_app.ui.checking_notice import CheckingNotice
from pos_app.ui.code_presenter import CodePresenter
from pos_app.ui.confirm_form import CALL, SKIP, TEXT
from pos_app.ui.entry_column import EntryColumn
from pos_app.ui.inputs_presenter import InputsPresenter
from pos_app.ui.offline_words import is_firm
from pos_app.ui.panel import PanelView
from pos_app.ui.proof_presenter import ProofPresenter
from pos_app.ui.proofs import seen_with
from pos_app.ui.question import NotYet
from pos_app.ui.redeem_presenter import Order, RedeemPresenter
from pos_app.ui.redemption_words import redemption_view
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import amount_view, check_view, idle_view, trouble_view
from pos_app.ui.wording import Note, note

LANE: Final = "check"
AGAIN_LANE: Final = "check again"
AGE_TICK_MS: Final = 30_000


class CounterPresenter(QObject):
    """Joins entry and panel to the shared validation service, and hands over to codes and redemptions.

    Signals:
        customer_asked: a check asks about this customer. arg: CustomerRef.
        settled: a check ended, whatever came of it (the header looks at the line then).
    """

    customer_asked = Signal(object)
    settled = Signal()

    def __init__(
        self,
        *,
        entry: EntryColumn,
        board: Board,
        inputs: InputsPresenter,
        bill: BillPresenter,
        codes: CodePresenter,
        proofs: ProofPresenter,
        redeem: RedeemPresenter,
        background: Background,
        validation: ValidationService,
        clock: Clock,
        line: Line,
        view: TillView,
        serving: Serving,
    ) -> None:
        super().__init__(entry)
        self._entry = entry
        self._board = board
        self._inputs = inputs
        self._bill = bill
        self._codes = codes
        self._proofs = proofs
        self._redeem = redeem
        self._background = background
        self._validation = validation
        self._clock = clock
        self._line = line
        self._till = view
        self._serving = serving
        self._checked: Checked | None = None
        self._notice = CheckingNotice(board)
        self._again = AskingAgain(self)
        self._again.due.connect(self._ask_again)
        self._ages = QTimer(self)
        self._ages.setInterval(AGE_TICK_MS)
        self._ages.timeout.connect(self._tick_age)
        entry.check_asked.connect(self.check)
        bill.changed.connect(self._show_checked)
        codes.sent.connect(self._show_newer)
        codes.confirmed.connect(self._show_confirmed)
        codes.refused.connect(self._show_newer)
        codes.failed.connect(self._show_trouble)
        redeem.proof_failed.connect(self._ask_proof_again)
        codes.supervisor_asked.connect(self.ask_supervisor)
        redeem.confirmed.connect(self._end_of_code)
        redeem.not_here.connect(self._show_looked)
        proofs.passed.connect(self._look_again)
        proofs.approved.connect(self._show_approved)
        entry.confirm.changed.connect(self._show_checked)

    # What is asked

    @Slot()
    def check(self) -> None:
        """Check what is entered (F5). Asked again without a change after an offline answer, it tries the line first."""
        was_offline = self._checked is not None and self._checked.source is Source.CACHE
        self._check(is_online_wanted=was_offline and not self._inputs.is_stale)

    def check_online(self) -> None:
        """Check what is entered, and find out first whether the line is back (Try online)."""
        self._check(is_online_wanted=True)

    def _check(self, *, is_online_wanted: bool) -> None:
        """While a redemption is out nothing else is asked."""
        if self._redeem.is_busy:
            return
        question = self._inputs.question()
        if isinstance(question, NotYet):
            self._inputs.show_missing(question)
            return
        if self._background.is_running(LANE) and self._inputs.is_waiting_for(question):
            return  # The answer is on its way: a second press must not send a second code.
        if isinstance(question.amount, UnreadableAmount):
            self._begin(question, is_waiting=False)
            self._board.show(amount_view(question, self._serving))
            self._entry.points.go()
            return
        in_doubt = self._redeem.in_doubt_for(question.customer, self._serving.customer_id_of(question.customer))
        if in_doubt is not None:
            self._redeem.show_row(in_doubt)
            return
        self._begin(question, is_waiting=True)
        self._send(question, is_online_wanted=is_online_wanted)

    @Slot()
    def redeem(self) -> None:
        """F8: redeem what was checked, confirmed where it has to be, and nothing else (checks C11 to C13)."""
        checked = self._checked
        if checked is None or self._redeem.owns_panel or not self._board.is_redeem_ready:
            return
        if not self._bill.is_ready_for(checked):
            return
        confirmation = self._codes.memory.confirmation_for(checked.request)
        customer = checked.request.customer
        order = Order(
            checked=checked,
            customer_id=self._serving.customer_id_of(customer),
            customer_label=self._serving.label_of(customer),
            bill_number=self._bill.number,
            code=confirmation.code or None if confirmation is not None else None,
            proofs=self._proofs.memory.for_question(checked.request),
        )
        if checked.source is Source.CACHE:
            self._redeem.redeem_here(order)
        else:
            self._redeem.redeem(order)

    @Slot()
    def confirm(self) -> None:
        """F7: open the dialog of the code that is out, or have one sent; before any yes, go to step 5.

        Without a line no code can be checked: there a pass is scanned.
        """
        checked = self._checked
        if checked is not None and is_firm(checked.offline) and not self._inputs.is_stale:
            self._proofs.scan()
            return
        if checked is None or self._inputs.is_stale or not (_is_yes(checked) or _wants_call(checked)):
            self._entry.confirm.go()
        elif self._entry.confirm.method == SKIP:
            self.ask_supervisor()
        elif self._codes.memory.is_out_for(checked.request) or self._entry.confirm.method == CALL:
            self._codes.open(checked)
        elif not self._redeem.owns_panel:
            self._codes.send(checked)
            self._board.show(replace(self._board.view, send_code=self.tr("Sending…")), is_quiet=True)

    @Slot()
    def ask_supervisor(self) -> None:
        """Ask a second person to let the confirmation be skipped, or for the shop's risk (ux B.5)."""
        if self._checked is not None and not self._inputs.is_stale and not self._redeem.owns_panel:
            self._proofs.ask_supervisor(self._checked)

    @Slot()
    def stop(self) -> None:
        """Esc: cancel a running check, otherwise go to the customer. Clears nothing that was typed."""
        if self._background.is_running(LANE):
            self._background.drop(LANE)
            self._forget_check()
            self._board.show(self._idle())
        else:
            self._entry.customer.go()

    @Slot()
    def start_afresh(self) -> None:
        """A new customer: drop the answer, the code and what still runs for the last one (Ctrl+N)."""
        is_unknown = self._redeem.is_busy
        self._codes.memory.redeemed = None
        self._forget_check()
        self._redeem.put_away()
        self._codes.forget()
        self._proofs.memory.forget()
        self._bill.clear()
        view = self._idle()
        self._board.show(replace(view, next_step=note(Note.CONFIRM_TO_NEW_CUSTOMER)) if is_unknown else view)

    def stop_timers(self) -> None:
        """The window closes."""
        self._notice.stop()
        self._again.stop()
        self._ages.stop()

    # A check under way

    def _begin(self, question: RedemptionRequest, *, is_waiting: bool) -> None:
        self._forget_check()
        self._redeem.put_away()
        self._inputs.begin(question, is_waiting=is_waiting)

    def _forget_check(self) -> None:
        self._background.drop(LANE)
        self._background.drop(AGAIN_LANE)
        self._notice.stop()
        self._again.stop()
        self._inputs.forget()
        self._checked = None

    def _send(self, question: RedemptionRequest, *, is_online_wanted: bool) -> None:
        sent = replace(question, issue_otp=self._sends_code(question))
        self._notice.start()
        self.customer_asked.emit(question.customer)
        look = self._proofs.looking(question)

        def work() -> Checked:
            if is_online_wanted:
                self._line.probe()  # Else the till, which believes it down, answers by itself at once.
            return look(self._validation.check(sent))

        self._background.run(
            work,
            on_done=self._show_answer,
            on_error=self._show_trouble,
            on_late=self._codes.memory.take_late,
            lane=LANE,
        )

    def _sends_code(self, question: RedemptionRequest) -> bool:
        """Say whether this check sends the code too."""
        is_wanted = self._entry.confirm.method == TEXT and not self._till.ask_before_code
        return is_wanted and self._codes.memory.goes_with(question)

    @Slot()
    def _look_again(self) -> None:
        """There is another proof: look at the answer with it."""
        checked = self._checked
        if checked is None or self._inputs.is_stale or self._redeem.is_busy:
            return
        look = self._proofs.looking(checked.request)
        self._background.run(lambda: look(checked), on_done=self._show_newer, on_error=self._show_trouble, lane=LANE)

    @Slot()
    def _ask_again(self) -> None:
        """Behind an answer that was worked out here; never with a code, which would be sent without being asked for."""
        checked = self._checked
        if checked is None or self._inputs.is_stale:
            return
        question = checked.request

        def work() -> Checked | None:
            return self._validation.check(question) if self._line.probe().state is LineState.ONLINE else None

        self._background.run(work, on_done=self._show_asked_again, on_error=self._not_asked_again, lane=AGAIN_LANE)

    # Answers

    def _show_asked_again(self, checked: Checked | None) -> None:
        if checked is None or checked.source is Source.CACHE:
            self._again.not_yet()
        elif not self._inputs.is_stale:
            self._keep(checked)
            self._show_checked()
        self.settled.emit()

    def _not_asked_again(self, _error: Exception) -> None:
        """The service is there but has no answer: what was worked out here stays."""
        self._again.not_yet()
        self.settled.emit()

    def _show_answer(self, checked: Checked) -> None:
        self._notice.stop()
        self._keep(checked)
        self._codes.memory.take(checked)
        self._show_checked()
        self.settled.emit()
        if checked.is_code_out or _wants_call(checked):
            self._codes.open(checked)

    @Slot()
    def _show_approved(self) -> None:
        """A second person agreed. What was refused for want of a proof is asked about once more, without one."""
        checked = self._checked
        self._codes.close()
        if checked is None:
            return
        if checked.source is Source.LEDGER and not checked.is_redeemable:
            self._entry.confirm.choose(SKIP)
            self.check()
        else:
            self._look_again()

    @Slot(object)
    def _show_looked(self, covered: Covered) -> None:
        """Nothing was redeemed here after all: the reason stands in the answer."""
        if self._checked is not None:
            self._show_newer(seen_with(self._checked, covered))

    @Slot(object)
    def _show_trouble(self, error: Exception) -> None:
        self._notice.stop()
        self._inputs.end()
        self._board.show(replace(trouble_view(error), is_about_inputs=True))
        self.settled.emit()

    @Slot(object)
    def _show_newer(self, checked: Checked) -> None:
        self._keep(checked)
        self._show_checked()

    @Slot(object)
    def _show_confirmed(self, checked: Checked) -> None:
        """The ledger found the code or the call right, and said yes again: that is what will be redeemed."""
        self._keep(checked)
        if checked.request.validation_type is ValidationType.MISSED_CALL:
            self._entry.confirm.choose(CALL)
        self._show_checked()

    def _keep(self, checked: Checked) -> None:
        question = replace(checked.request, issue_otp=False, validation_code=None)
        self._checked = replace(checked, request=question)
        self._inputs.end(question.validation_type)
        if checked.source is Source.CACHE:
            self._ages.start()
            self._again.begin(checked.trouble)
        else:
            self._ages.stop()
            self._again.stop()
        self._serving.organisation = checked.organisation
        is_call_off = Refusal.MISSED_CALL_OFF in checked.refusals  # 823 is surer than what was last told.
        self._entry.confirm.offer_call(checked.organisation.missed_call_enabled and not is_call_off)

    @Slot()
    def _show_checked(self) -> None:
        """Show the answer with all that was learnt since; a redemption on the panel is not overwritten."""
        checked = self._checked
        if checked is None or self._redeem.owns_panel:
            return
        memory = self._codes.memory
        is_code_out = memory.is_out_for(checked.request)
        self._board.show(
            check_view(
                checked,
                self._serving,
                now=self._clock.wall(),
                confirmation=memory.confirmation_for(checked.request),
                is_code_out=is_code_out,
                code_sent_at=memory.sent.sent_at if is_code_out and memory.sent is not None else None,
                over_bill=self._bill.over(checked),
                proofs=self._proofs.memory.for_question(checked.request),
                wants_skip=self._entry.confirm.method == SKIP,
            )
        )
        self._inputs.follow()

    @Slot(object)
    def _ask_proof_again(self, row: Redemption) -> None:
        """The code was not taken after all: ask for it again, under the same key (contract section 4)."""
        self._codes.memory.unconfirm()
        self._board.show(redemption_view(row, self._serving))
        if self._checked is not None and self._codes.memory.is_out_for(self._checked.request):
            self._codes.open(self._checked, message=self._board.view.title)

    @Slot(object)
    def _end_of_code(self, _row: Redemption) -> None:
        """Redeemed: the code is used up, and the answer to the check is history."""
        if self._checked is not None:
            self._codes.memory.redeemed = self._serving.settled(self._checked.request)
        self._codes.forget()
        self._proofs.memory.forget()
        self._forget_check()

    # The rest

    def fill_points(self, points: Points | str) -> None:
        """Enter an amount that fits, and check it."""
        self._entry.points.fill_points(str(points))
        self.check()

    @Slot()
    def _tick_age(self) -> None:
        if self._checked is not None and not self._inputs.is_stale:
            self._show_checked()

    def _idle(self) -> PanelView:
        return idle_view(len(self._serving.unanswered))


def _is_yes(checked: Checked) -> bool:
    return checked.is_redeemable and checked.source is Source.LEDGER


def _wants_call(checked: Checked) -> bool:
    """The missed call was looked for and is not there yet (822): the page with the number to ring helps."""
    return checked.source is Source.LEDGER and checked.refusals[:1] == (Refusal.NO_MISSED_CALL,)
