"""A redemption from the cashier's word to a sure end."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from support.builders import NOW, PROGRAM_ID, a_program, a_record, a_request, points
from support.fake_ledger import (
    OUR_LEDGER,
    ScriptedLedger,
    a_redeem_answer,
    a_wallet_view,
    an_extension,
)
from support.service_kit import ADA, Till, a_checked

from pos_app.domain.answers import Capabilities
from pos_app.domain.keys import is_key
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.refusals import PROOF_FAILURES, Refusal
from pos_app.domain.request import FamilyGroupRef
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    StorageError,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.services.ports import Waits
from pos_app.services.results import LineState, Source

SOMEBODY_MUST_ACT = [NotAcceptedError(), NotUnderstoodError(), NotSafeError(), WrongAddressError()]


def a_till(*answers: Any, **changes: Any) -> Till:
    """A till whose ledger gives these answers to the next redemptions."""
    return Till(ScriptedLedger(redeem=answers), **changes)


def states(till: Till) -> list[State]:
    return [state for _, state in till.journal.commits]


# --- Starting --------------------------------------------------------------------------------------------------------


def test_starting_keeps_what_was_checked_and_sends_nothing() -> None:
    till = a_till()
    row = till.start(120, bill_number="B-77", cashier=7)
    assert (row.state, row.points, row.worth, row.attempts) == (State.READY, points(120), Decimal(120), 0)
    assert (row.customer, row.customer_id, row.bill_number, row.cashier) == (ADA, 50001, "B-77", 7)
    assert is_key(row.key)
    assert till.journal.get(row.key) == row
    assert till.ledger.asked == []


def test_every_redemption_has_a_key_of_its_own() -> None:
    till = a_till()
    assert till.start().key != till.start().key


def test_keys_of_the_trainer_mode_are_told_apart() -> None:
    key = a_till(key_prefix="TR-").start().key
    assert key.startswith("TR-")
    assert not is_key(key)


@pytest.mark.parametrize("changes", [{"source": Source.CACHE}, {"is_redeemable": False}])
def test_only_the_ledgers_yes_starts_a_redemption(changes: dict[str, Any]) -> None:
    till = a_till()
    with pytest.raises(ValueError, match="yes"):
        till.redemptions.start(a_checked(**changes), customer_id=50001, customer_label="Ada F.")
    assert till.journal.commits == []


def test_a_full_disk_starts_nothing() -> None:
    till = a_till()
    till.journal.is_full = True
    with pytest.raises(StorageError):
        till.start()
    assert till.ledger.asked == []


# --- Sure answers ----------------------------------------------------------------------------------------------------


def test_a_yes_confirms_and_only_the_committed_row_says_so() -> None:
    till = a_till(a_redeem_answer(100, 400))
    heard: list[Redemption] = []
    row = till.redemptions.submit(till.start().key, "Q7XK2M", heard.append)
    assert (row.state, row.redemption_id, row.balance_after) == (State.CONFIRMED, "k4Wq7Z", points(400))
    assert states(till) == [State.READY, State.SENT, State.CONFIRMED]
    assert [each.state for each in heard] == [State.SENT, State.CONFIRMED]
    assert row == till.journal.get(row.key)
    assert till.line.view.state is LineState.ONLINE


def test_sent_is_committed_before_any_byte_leaves() -> None:
    till = a_till()
    till.ledger.says("redeem", lambda command: a_redeem_answer(redemption_id=till.journal.get(command.key).state))
    assert till.redemptions.submit(till.start().key).redemption_id == "SENT"


def test_the_request_carries_the_row_and_the_code_stays_in_memory() -> None:
    till = a_till(a_redeem_answer())
    row = till.redemptions.submit(till.start(bill_number="B-77").key, "Q7XK2M")
    (command,) = till.ledger.calls("redeem")
    assert (command.key, command.bill_number, command.request.validation_code) == (row.key, "B-77", "Q7XK2M")
    assert "Q7XK2M" not in repr(row)


def test_a_refusal_is_final_and_its_key_is_never_sent_again() -> None:
    till = a_till(a_redeem_answer(refusal=Refusal.BALANCE_TOO_LOW, code=818, message="Too few"))
    row = till.redemptions.submit(till.start().key)
    assert (row.state, row.refusal, row.code, row.message) == (State.REFUSED, Refusal.BALANCE_TOO_LOW, 818, "Too few")
    assert till.redemptions.submit(row.key) == row
    assert len(till.ledger.calls("redeem")) == 1


@pytest.mark.parametrize("refusal", sorted(PROOF_FAILURES))
def test_a_failed_proof_may_be_corrected_under_the_same_key(refusal: Refusal) -> None:
    till = a_till(a_redeem_answer(refusal=refusal, code=808), a_redeem_answer())
    first = till.redemptions.submit(till.start().key, "WRONGX")
    assert (first.state, first.refusal, first.next_try_at) == (State.READY, refusal, None)
    second = till.redemptions.submit(first.key, "Q7XK2M")
    assert (second.state, second.refusal) == (State.CONFIRMED, None)
    assert [command.key for command in till.ledger.calls("redeem")] == [first.key] * 2


def test_a_key_that_means_something_else_is_left_to_a_supervisor() -> None:
    answer = a_redeem_answer(refusal=Refusal.KEY_MISMATCH, code=903, extension=an_extension(reason="key_mismatch"))
    row = (till := a_till(answer)).redemptions.submit(till.start().key)
    assert (row.state, row.reason) == (State.PARKED, "key_mismatch")


def test_a_key_that_was_cancelled_before_ends_as_cancelled() -> None:
    till = a_till(a_redeem_answer(refusal=Refusal.KEY_CANCELLED, code=903))
    assert till.redemptions.submit(till.start().key).state is State.CANCELLED


def test_a_confirmed_redemption_teaches_the_cache_the_new_balance() -> None:
    till = a_till(a_redeem_answer(extension=an_extension(wallet=a_wallet_view(400, 350))), a_redeem_answer(50, 350))
    till.cache.keep_customer(a_record(), ADA, NOW)
    till.redemptions.submit(till.start().key)
    assert till.cache.find_customer(ADA).wallets[0].available == points(350)
    till.redemptions.submit(till.start(50).key)
    assert till.cache.find_customer(ADA).wallets[0].balance == points(350)


# --- No sure answer --------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_again_under_the_same_key_with_the_code() -> None:
    till = a_till(UnclearAnswerError(), a_redeem_answer())
    row = till.redemptions.submit(till.start().key, "Q7XK2M")
    assert row.state is State.CONFIRMED
    assert states(till) == [State.READY, State.SENT, State.UNKNOWN, State.SENT, State.CONFIRMED]
    assert {(each.key, each.request.validation_code) for each in till.ledger.calls("redeem")} == {(row.key, "Q7XK2M")}


def test_the_cashier_waits_for_repeats_at_once_and_after_1_2_and_4_seconds() -> None:
    moments: list[float] = []
    till = a_till()

    def lost(_command: object) -> None:
        moments.append(till.clock.mono())
        raise UnclearAnswerError

    till.ledger.says("redeem", *[lost] * 9)
    row = till.redemptions.submit(till.start().key)
    assert row.state is State.UNKNOWN
    assert row.next_try_at is not None
    assert [round(moment - moments[0], 3) for moment in moments] == [0, 0, 1, 3, 7]


def test_the_cashier_waits_no_longer_than_the_foreground_time() -> None:
    till = a_till(*[UnclearAnswerError()] * 9, waits=Waits(foreground_s=2.5))
    till.redemptions.submit(till.start().key)
    assert len(till.ledger.calls("redeem")) == 3


@pytest.mark.parametrize(
    "trouble", [LineDownError(), UnclearAnswerError(), ServiceTroubleError(), NotTheServiceError(), SlowDownError(99)]
)
def test_without_a_sure_answer_the_redemption_is_not_known(trouble: Exception) -> None:
    till = a_till(*[trouble] * 9)
    row = till.redemptions.submit(till.start().key)
    assert row.state is State.UNKNOWN
    assert till.journal.open_redemptions() == [row]


def test_a_service_that_asks_for_time_gets_it() -> None:
    till = a_till(SlowDownError(6), a_redeem_answer())
    started = till.clock.mono()
    assert till.redemptions.submit(till.start().key).state is State.CONFIRMED
    assert till.clock.mono() - started == pytest.approx(6)


def test_a_busy_customer_is_asked_about_again_after_1_2_and_4_seconds() -> None:
    busy = a_redeem_answer(refusal=Refusal.CUSTOMER_BUSY, code=521)
    till = a_till(busy, busy, busy, a_redeem_answer())
    started = till.clock.mono()
    assert till.redemptions.submit(till.start().key).state is State.CONFIRMED
    assert till.clock.mono() - started == pytest.approx(7)


def test_a_customer_who_stays_busy_leaves_the_redemption_ready() -> None:
    till = a_till(*[a_redeem_answer(refusal=Refusal.CUSTOMER_BUSY, code=521)] * 9)
    row = till.redemptions.submit(till.start().key)
    assert (row.state, row.refusal) == (State.READY, Refusal.CUSTOMER_BUSY)
    assert len(till.ledger.calls("redeem")) == 4


def test_a_busy_answer_to_a_second_copy_leaves_the_first_in_doubt() -> None:
    busy = a_redeem_answer(refusal=Refusal.CUSTOMER_BUSY, code=521)
    till = a_till(UnclearAnswerError(), *[busy] * 9)
    assert till.redemptions.submit(till.start().key).state is State.UNKNOWN


@pytest.mark.parametrize("trouble", SOMEBODY_MUST_ACT)
def test_what_the_service_does_not_take_is_told_and_nothing_was_done(trouble: Exception) -> None:
    till = a_till(trouble, a_redeem_answer())
    key = till.start().key
    with pytest.raises(type(trouble)):
        till.redemptions.submit(key)
    assert till.journal.get(key).state is State.READY
    assert till.redemptions.submit(key).state is State.CONFIRMED


@pytest.mark.parametrize("trouble", SOMEBODY_MUST_ACT)
def test_what_the_service_does_not_take_any_more_may_have_been_done_before(trouble: Exception) -> None:
    till = a_till(UnclearAnswerError(), trouble)
    key = till.start().key
    with pytest.raises(type(trouble)):
        till.redemptions.submit(key)
    row = till.journal.get(key)
    assert row.state is State.UNKNOWN
    assert row.next_try_at is not None


# --- A service that does not repeat keys -----------------------------------------------------------------------------


def a_foreign_till(*answers: Any, **settings: Any) -> Till:
    """A till at a service without the extension."""
    return Till(ScriptedLedger(redeem=answers, capabilities=[Capabilities()] * 9), **settings)


def test_an_unclear_redemption_is_never_sent_again_to_a_service_that_does_not_repeat_keys() -> None:
    till = a_foreign_till(UnclearAnswerError())
    row = till.redemptions.submit(till.start().key)
    assert row.state is State.PARKED
    assert states(till) == [State.READY, State.SENT, State.UNKNOWN, State.PARKED]
    till.drain_all(3)
    assert till.redemptions.submit(row.key).state is State.PARKED
    assert len(till.ledger.calls("redeem")) == 1


def test_the_setting_speaks_for_a_service_that_cannot() -> None:
    till = a_foreign_till(UnclearAnswerError(), a_redeem_answer(), has_idempotent_redeem=True)
    assert till.redemptions.submit(till.start().key).state is State.CONFIRMED


def test_our_ledger_speaks_for_itself_whatever_the_setting_says() -> None:
    careless = Capabilities(has_extension=True, idempotent_redeem=False)
    ledger = ScriptedLedger(redeem=[UnclearAnswerError()], capabilities=[careless])
    till = Till(ledger, has_idempotent_redeem=True)
    assert till.redemptions.submit(till.start().key).state is State.PARKED


def test_a_service_that_lost_its_extension_is_not_trusted_to_repeat_keys() -> None:
    first = a_till(a_redeem_answer(), has_idempotent_redeem=True)
    first.redemptions.submit(first.start().key)
    stripped = ScriptedLedger(redeem=[UnclearAnswerError()], capabilities=[Capabilities()])
    till = first.restarted(stripped)
    assert till.redemptions.submit(till.start().key).state is State.PARKED


def test_a_pulled_cable_needs_no_supervisor_at_a_service_that_does_not_repeat_keys() -> None:
    till = a_foreign_till(*[LineDownError()] * 5, a_redeem_answer())
    key = till.start().key
    with pytest.raises(LineDownError):
        till.redemptions.submit(key)
    assert till.journal.get(key).state is State.READY
    assert till.redemptions.submit(key).state is State.CONFIRMED


def test_a_row_found_sent_is_parked_at_a_service_that_does_not_repeat_keys() -> None:
    till = a_foreign_till()
    till.ledger.says("redeem", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        till.redemptions.submit(till.start().key)
    again = till.restarted()
    again.drain_all(2)
    (row,) = again.redemptions.open_redemptions()
    assert row.state is State.PARKED
    assert len(till.ledger.calls("redeem")) == 1


def test_while_the_service_cannot_be_asked_an_unclear_redemption_waits() -> None:
    ledger = ScriptedLedger(redeem=[UnclearAnswerError(), a_redeem_answer()], capabilities=[LineDownError()] * 4)
    till = Till(ledger)
    row = till.redemptions.submit(till.start().key)
    assert row.state is State.UNKNOWN
    assert len(ledger.calls("redeem")) == 1
    ledger.says("capabilities", OUR_LEDGER)
    till.drain_all(6)
    assert till.redemptions.get(row.key).state is State.CONFIRMED


# --- A disk that fails -----------------------------------------------------------------------------------------------


def test_nothing_is_sent_when_the_intention_cannot_be_written_down() -> None:
    till = a_till(a_redeem_answer())
    key = till.start().key
    till.journal.is_full = True
    with pytest.raises(StorageError):
        till.redemptions.submit(key)
    assert till.ledger.calls("redeem") == []


def test_an_answer_that_cannot_be_written_down_is_not_told_as_done() -> None:
    till = a_till()
    key = till.start().key

    def then_the_disk_is_full(_command: object) -> object:
        till.journal.is_full = True
        return a_redeem_answer()

    till.ledger.says("redeem", then_the_disk_is_full, a_redeem_answer())
    with pytest.raises(UnclearAnswerError):
        till.redemptions.submit(key)
    with pytest.raises(UnclearAnswerError):
        till.redemptions.submit(key)
    till.journal.is_full = False
    till.drain_all(2)
    assert till.redemptions.get(key).state is State.CONFIRMED


# --- Two clicks ------------------------------------------------------------------------------------------------------


def test_a_second_click_sends_nothing_and_sees_what_came_of_the_first() -> None:
    is_out, may_answer = threading.Event(), threading.Event()

    def slowly(_command: object) -> object:
        is_out.set()
        assert may_answer.wait(30)
        return a_redeem_answer()

    till = a_till(slowly)
    key = till.start().key
    ends: list[Redemption] = []
    clicks = [threading.Thread(target=lambda: ends.append(till.redemptions.submit(key))) for _ in range(2)]
    for click in clicks:
        click.start()
    assert is_out.wait(30)
    may_answer.set()
    for click in clicks:
        click.join(30)
    assert [end.state for end in ends] == [State.CONFIRMED] * 2
    assert len(till.ledger.calls("redeem")) == 1


def test_a_check_by_value_redeems_the_points_it_came_to() -> None:
    till = a_till(a_redeem_answer())
    checked = a_checked(60, request=a_request(worth="30", program_id=None), program=a_program())
    row = till.redemptions.start(checked, customer_id=None, customer_label="Ada F.")
    till.redemptions.submit(row.key)
    (command,) = till.ledger.calls("redeem")
    assert command.request.amount.points == points(60)
    assert command.request.program_id == PROGRAM_ID


def test_points_of_a_family_group_are_not_taken_for_the_customers_own() -> None:
    till = a_till(a_redeem_answer(100, 9000))
    till.cache.keep_customer(a_record(), ADA, NOW)
    checked = a_checked(request=a_request(family_group=FamilyGroupRef(group_id=77)))
    row = till.redemptions.start(checked, customer_id=50001, customer_label="Ada F.")
    assert till.redemptions.submit(row.key).balance_after == points(9000)
    assert till.cache.find_customer(ADA).wallets[0].balance == points(500)
