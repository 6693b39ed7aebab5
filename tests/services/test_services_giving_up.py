"""What becomes of a redemption the cashier gives up."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from support.builders import NOW, a_record, points
from support.fake_ledger import ScriptedLedger, SmallLedger, a_redeem_answer, a_wallet_view
from support.service_kit import ADA, Till

from pos_app.domain.answers import CancelAnswer, CancelOutcome, Capabilities
from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason, Cancel, CancelReason
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotUnderstoodError,
    StorageError,
    UnclearAnswerError,
    WrongAddressError,
)

LEFT = CancelReason.CUSTOMER_LEFT
LOST = UnclearAnswerError()


def a_till_in_doubt(*cancels: Any, **changes: Any) -> tuple[Till, str]:
    """A till with one redemption that got no sure answer; `cancels` are the answers to its cancel."""
    till = Till(ScriptedLedger(redeem=[LOST] * 9, cancel=cancels), **changes)
    key = till.start(cashier=7).key
    assert till.redemptions.submit(key).state is State.UNKNOWN
    return till, key


def the_word(outcome: CancelOutcome, **changes: Any) -> CancelAnswer:
    return CancelAnswer(key="", outcome=outcome, **changes)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (CancelOutcome.CANCELLED, State.CANCELLED),
        (CancelOutcome.REVERSED, State.REVERSED),
        (CancelOutcome.REFUSED, State.REFUSED),
    ],
)
def test_the_ledgers_word_on_the_cancel_decides(outcome: CancelOutcome, state: State) -> None:
    till, key = a_till_in_doubt(the_word(outcome))
    heard: list[Redemption] = []
    row = till.redemptions.give_up(key, LEFT, heard.append)
    assert row.state is state
    assert [each.state for each in heard] == [State.CANCELLING, state]
    assert till.ledger.calls("cancel") == [Cancel(key=key, reason=LEFT, cashier=7)]


def test_cancelling_is_committed_before_the_ledger_hears_of_it() -> None:
    till, key = a_till_in_doubt()

    def look(command: Cancel) -> CancelAnswer:
        return the_word(CancelOutcome.CANCELLED, redemption_id=till.journal.get(command.key).state)

    till.ledger.says("cancel", look)
    assert till.redemptions.give_up(key, LEFT).redemption_id == "CANCELLING"


@pytest.mark.parametrize("trouble", [LineDownError(), LOST, NotAcceptedError()])
def test_a_cancel_without_an_answer_goes_on_for_ever(trouble: Exception) -> None:
    till, key = a_till_in_doubt(*[trouble] * 5)
    assert till.redemptions.give_up(key, LEFT).state is State.CANCELLING
    for _ in range(4):
        till.clock.advance(30 * 3600)
        till.redemptions.drain()
    assert till.redemptions.get(key).state is State.CANCELLING
    till.ledger.says("cancel", the_word(CancelOutcome.CANCELLED))
    till.clock.advance(61)
    (changed,) = till.redemptions.drain()
    assert changed.state is State.CANCELLED


@pytest.mark.parametrize("trouble", [NotUnderstoodError(), WrongAddressError()])
def test_a_cancel_the_ledger_has_no_sense_for_is_left_to_a_supervisor(trouble: Exception) -> None:
    till, key = a_till_in_doubt(trouble)
    assert till.redemptions.give_up(key, LEFT).state is State.PARKED


def test_what_is_being_cancelled_is_not_redeemed_any_more() -> None:
    till, key = a_till_in_doubt(LOST, LOST)
    till.redemptions.give_up(key, LEFT)
    sent = len(till.ledger.calls("redeem"))
    assert till.redemptions.submit(key, "Q7XK2M").state is State.CANCELLING
    assert len(till.ledger.calls("redeem")) == sent


def test_what_was_never_sent_is_cancelled_without_asking_anybody() -> None:
    till = Till(ScriptedLedger())
    key = till.start().key
    assert till.redemptions.give_up(key, LEFT).state is State.CANCELLED
    assert till.ledger.asked == []


def test_what_was_refused_is_not_given_up() -> None:
    till = Till(ScriptedLedger(redeem=[a_redeem_answer(refusal=Refusal.BALANCE_TOO_LOW, code=818)]))
    key = till.start().key
    till.redemptions.submit(key)
    assert till.redemptions.give_up(key, LEFT).state is State.REFUSED


def a_confirmed_till(**changes: Any) -> tuple[Till, str]:
    till = Till(ScriptedLedger(redeem=[a_redeem_answer()], cancel=[the_word(CancelOutcome.REVERSED)], **changes))
    key = till.start().key
    assert till.redemptions.submit(key).state is State.CONFIRMED
    return till, key


def test_what_was_confirmed_is_cancelled_by_the_cashier_before_its_receipt() -> None:
    till, key = a_confirmed_till()
    assert till.redemptions.give_up(key, LEFT).state is State.REVERSED


def test_what_was_confirmed_is_cancelled_by_a_supervisor_after_its_receipt() -> None:
    till, key = a_confirmed_till()
    till.journal.put(replace(till.journal.get(key), printed_at=NOW))
    assert till.redemptions.give_up(key, LEFT).state is State.CONFIRMED
    assert till.ledger.calls("cancel") == []
    approval = Approval(token="PT1.A.B", purpose=ApprovalPurpose.CANCEL, reason=ApprovalReason.NO_PHONE)
    assert till.redemptions.give_up(key, LEFT, approval=approval).state is State.REVERSED
    assert till.ledger.calls("cancel")[0].approval == approval


def test_what_was_confirmed_by_a_service_that_cannot_cancel_stays() -> None:
    till, key = a_confirmed_till(capabilities=[Capabilities()] * 9)
    assert till.redemptions.give_up(key, LEFT).state is State.CONFIRMED


def test_points_that_came_back_are_known_to_the_cache() -> None:
    till, key = a_till_in_doubt(the_word(CancelOutcome.REVERSED, wallet=a_wallet_view(480)))
    till.cache.keep_customer(a_record(), ADA, NOW)
    till.redemptions.give_up(key, LEFT)
    assert till.cache.find_customer(ADA).wallets[0].balance == points(480)


def test_a_give_up_that_cannot_be_written_down_is_not_sent() -> None:
    till, key = a_till_in_doubt(the_word(CancelOutcome.CANCELLED))
    till.journal.is_full = True
    with pytest.raises(StorageError):
        till.redemptions.give_up(key, LEFT)
    assert till.ledger.calls("cancel") == []
    till.journal.is_full = False
    assert till.redemptions.give_up(key, LEFT).state is State.CANCELLED


# --- A service without this call -------------------------------------------------------------------------------------


def test_what_may_have_been_done_needs_a_supervisor_where_nothing_can_be_cancelled() -> None:
    till = Till(ScriptedLedger(redeem=[LOST], capabilities=[Capabilities()], cancel=[None]))
    key = till.start().key
    assert till.redemptions.submit(key).state is State.PARKED
    assert till.redemptions.give_up(key, LEFT).state is State.PARKED


def test_a_wrong_code_given_up_needs_no_supervisor_where_nothing_can_be_cancelled() -> None:
    wrong = a_redeem_answer(refusal=Refusal.CODE_WRONG, code=808)
    till = Till(ScriptedLedger(redeem=[wrong], capabilities=[Capabilities()], cancel=[None]))
    key = till.start().key
    till.redemptions.submit(key, "WRONGX")
    assert till.redemptions.give_up(key, LEFT).state is State.CANCELLED


# --- Two threads -----------------------------------------------------------------------------------------------------


class HeldLedger(SmallLedger):
    """Keeps the first redemption waiting until the test lets it go."""

    def __init__(self, *, loses_answer: bool) -> None:
        super().__init__()
        self.is_out = threading.Event()
        self.may_answer = threading.Event()
        self._loses_answer = loses_answer

    def redeem(self, command: Any) -> Any:
        answer = super().redeem(command)
        self.is_out.set()
        assert self.may_answer.wait(30)
        if self._loses_answer:
            raise UnclearAnswerError("the answer is lost")
        return answer


@pytest.mark.parametrize("loses_answer", [False, True])
def test_a_give_up_waits_for_the_request_that_is_out_and_then_cancels_it(loses_answer: bool) -> None:
    ledger = HeldLedger(loses_answer=loses_answer)
    till = Till(ledger)
    key = till.start().key
    ends: list[Redemption] = []
    submit = threading.Thread(target=lambda: ends.append(till.redemptions.submit(key)))
    give_up = threading.Thread(target=lambda: ends.append(till.redemptions.give_up(key, LEFT)))
    submit.start()
    assert ledger.is_out.wait(30)
    give_up.start()
    assert till.journal.get(key).state is State.SENT
    ledger.may_answer.set()
    submit.join(30)
    give_up.join(30)
    assert till.journal.get(key).state is State.REVERSED
    assert len(ends) == 2
    assert ledger.balance == points(500)


def test_a_submit_that_waits_between_two_tries_hears_of_the_give_up() -> None:
    waiting, went_on = threading.Event(), threading.Event()
    ledger = ScriptedLedger(redeem=[LOST] * 9, cancel=[the_word(CancelOutcome.CANCELLED)])
    till = Till(ledger)
    sleep = till.clock.sleep

    def really_wait(seconds: float) -> None:
        waiting.set()
        assert went_on.wait(30)
        sleep(seconds)

    till.clock.sleep = really_wait
    key = till.start().key
    ends: list[Redemption] = []
    submit = threading.Thread(target=lambda: ends.append(till.redemptions.submit(key)))
    submit.start()
    assert waiting.wait(30)
    row = till.redemptions.give_up(key, LEFT)
    went_on.set()
    submit.join(30)
    assert row.state is State.CANCELLED
    assert ends == [row]
    assert len(ledger.calls("redeem")) == 2


def test_a_first_copy_that_waits_for_the_road_is_not_sent_once_it_was_given_up() -> None:
    ledger = HeldLedger(loses_answer=False)
    till = Till(ledger)
    other, key = till.start().key, till.start().key
    threads = [threading.Thread(target=till.redemptions.submit, args=(other,))]
    threads[0].start()
    assert ledger.is_out.wait(30)
    ends: list[Redemption] = []
    for act in (lambda: till.redemptions.submit(key), lambda: till.redemptions.give_up(key, LEFT)):
        threads.append(threading.Thread(target=lambda act=act: ends.append(act())))
        threads[-1].start()
    while not till.redemptions._turns.is_given_up(key):
        assert threads[-1].is_alive()
    ledger.may_answer.set()
    for thread in threads:
        thread.join(30)
    assert [row.state for row in ends] == [State.CANCELLED] * 2
    assert list(ledger.charges) == [other]
    assert [state for row_key, state in till.journal.commits if row_key == key] == [
        State.READY,
        State.CANCELLING,
        State.CANCELLED,
    ]
