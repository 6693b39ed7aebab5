"""What the outbox sends again by itself, and when it stops."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from support.builders import a_redemption
from support.fake_ledger import LossyLedger, ScriptedLedger, SmallLedger, a_redeem_answer
from support.service_kit import Till

from pos_app.domain.answers import CancelAnswer, CancelOutcome
from pos_app.domain.commands import CancelReason
from pos_app.domain.redemption import State
from pos_app.domain.refusals import Refusal
from pos_app.domain.trouble import LineDownError, SlowDownError, StorageError, UnclearAnswerError
from pos_app.services.ports import Waits
from pos_app.services.repeating import Backoff

LOST = UnclearAnswerError()


def a_till_in_doubt(*answers: object) -> tuple[Till, str]:
    """A till with a redemption that the cashier waited for in vain; `answers` come to the outbox."""
    till = Till(ScriptedLedger(redeem=[LOST] * 5))
    key = till.start().key
    assert till.redemptions.submit(key, "Q7XK2M").state is State.UNKNOWN
    till.ledger.says("redeem", *answers)
    return till, key


def test_an_unclear_redemption_goes_again_when_it_is_due_under_its_key_without_a_code() -> None:
    till, key = a_till_in_doubt(a_redeem_answer())
    till.clock.advance(61)
    (changed,) = till.redemptions.drain()
    assert (changed.key, changed.state) == (key, State.CONFIRMED)
    last = till.ledger.calls("redeem")[-1]
    assert (last.key, last.request.validation_code) == (key, None)


def test_nothing_is_sent_before_it_is_due() -> None:
    till, key = a_till_in_doubt()
    due_at = till.redemptions.get(key).next_try_at
    assert due_at is not None
    assert due_at > till.clock.wall()
    assert till.redemptions.drain() == []


def test_a_new_copy_without_its_code_brings_the_dialog_back_under_the_same_key() -> None:
    till, key = a_till_in_doubt(a_redeem_answer(refusal=Refusal.PROOF_MISSING, code=824), a_redeem_answer())
    till.clock.advance(61)
    (changed,) = till.redemptions.drain()
    assert (changed.state, changed.refusal) == (State.READY, Refusal.PROOF_MISSING)
    till.clock.advance(3600)
    assert till.redemptions.drain() == []
    assert till.redemptions.submit(key, "Q7XK2M").state is State.CONFIRMED


def test_after_24_hours_nobody_is_charged_without_a_persons_word() -> None:
    till, key = a_till_in_doubt(a_redeem_answer())
    till.clock.advance(timedelta(hours=24).total_seconds())
    (changed,) = till.redemptions.drain()
    assert (changed.state, changed.next_try_at) == (State.UNKNOWN, None)
    till.clock.advance(3600)
    assert till.redemptions.drain() == []
    assert till.redemptions.submit(key).state is State.CONFIRMED


def test_a_line_that_is_down_is_not_tried_for_every_row() -> None:
    till = Till(LossyLedger(SmallLedger()))
    for number in range(3):
        till.journal.add(
            a_redemption(key=f"KEY{number}", state=State.UNKNOWN, attempts=1, next_try_at=till.clock.wall())
        )
    till.ledger.is_cut = True
    till.redemptions.drain()
    assert till.ledger.asked == []  # It could not even be asked what it can do.
    till.ledger.is_cut = False
    till.clock.advance(61)
    assert [row.state for row in till.redemptions.drain()] == [State.CONFIRMED] * 3


def test_one_bad_row_does_not_stop_the_others() -> None:
    till = Till(
        ScriptedLedger(redeem=[a_redeem_answer(refusal=Refusal.KEY_MISMATCH, code=903), LOST, a_redeem_answer()])
    )
    for number in range(3):
        till.journal.add(
            a_redemption(key=f"KEY{number}", state=State.UNKNOWN, attempts=1, next_try_at=till.clock.wall())
        )
    assert [row.state for row in till.redemptions.drain()] == [State.PARKED, State.UNKNOWN, State.CONFIRMED]


def test_a_batch_has_a_bound() -> None:
    till = Till(SmallLedger(10_000))
    for number in range(25):
        till.journal.add(a_redemption(10, key=f"KEY{number:02}", state=State.UNKNOWN, next_try_at=till.clock.wall()))
    assert [len(till.redemptions.drain()) for _ in range(3)] == [20, 5, 0]


def test_a_drain_that_meets_another_one_leaves_it_alone() -> None:
    is_out, may_answer = threading.Event(), threading.Event()

    def slowly(_command: object) -> object:
        is_out.set()
        assert may_answer.wait(30)
        return a_redeem_answer()

    till, _ = a_till_in_doubt(slowly)
    till.clock.advance(61)
    first = threading.Thread(target=till.redemptions.drain)
    first.start()
    assert is_out.wait(30)
    assert till.redemptions.drain() == ()
    may_answer.set()
    first.join(30)
    assert till.redemptions.open_redemptions() == []


def test_the_outbox_steps_aside_for_a_cashier_who_waits() -> None:
    till = Till(ScriptedLedger())
    drained: list[object] = []

    def meanwhile(_command: object) -> object:
        drained.extend(till.redemptions.drain())
        return a_redeem_answer()

    till.ledger.says("redeem", meanwhile)
    till.journal.add(a_redemption(key="WAITING", state=State.UNKNOWN, attempts=1, next_try_at=till.clock.wall()))
    assert till.redemptions.submit(till.start().key).state is State.CONFIRMED
    assert drained == []
    assert till.redemptions.get("WAITING").state is State.UNKNOWN


def test_a_full_disk_stops_the_outbox_and_sends_nothing() -> None:
    till, _ = a_till_in_doubt()
    till.clock.advance(61)
    till.journal.is_full = True
    with pytest.raises(StorageError):
        till.redemptions.drain()
    assert len(till.ledger.calls("redeem")) == 5


# --- After a restart -------------------------------------------------------------------------------------------------


def test_a_start_that_finds_a_redemption_on_its_way_takes_it_as_not_known_and_sends_nothing() -> None:
    till = Till(ScriptedLedger())
    till.journal.add(a_redemption(key="SENT", state=State.SENT, attempts=1))
    (row,) = till.redemptions.resume()
    assert (row.state, row.next_try_at) == (State.UNKNOWN, till.clock.wall())
    assert till.ledger.asked == []


def test_what_the_till_had_no_time_to_send_is_sent_after_the_restart() -> None:
    till = Till(SmallLedger())
    key = till.start().key
    assert till.redemptions.drain() == []
    again = till.restarted()
    (changed,) = again.redemptions.drain()
    assert (changed.key, changed.state) == (key, State.CONFIRMED)


def test_what_the_cashier_was_told_was_not_done_is_given_up_at_a_restart() -> None:
    """She may redeem anew under another key: sent later, the old one would be a second charge."""
    refused = a_redeem_answer(refusal=Refusal.CODE_WRONG, code=808)
    cancelled = CancelAnswer(key="", outcome=CancelOutcome.CANCELLED)
    till = Till(ScriptedLedger(redeem=[refused], cancel=[cancelled]))
    key = till.start().key
    till.redemptions.submit(key, "WRONGX")
    again = till.restarted()
    again.drain_all(2)
    assert again.redemptions.get(key).state is State.CANCELLED
    assert again.redemptions.submit(key).state is State.CANCELLED
    assert len(till.ledger.calls("redeem")) == 1


def test_a_redemption_sent_by_itself_that_meets_a_lost_login_stays_in_the_outbox() -> None:
    from pos_app.domain.trouble import NotAcceptedError

    till = Till(ScriptedLedger(redeem=[NotAcceptedError(), a_redeem_answer()]))
    key = till.start().key
    again = till.restarted()
    again.redemptions.drain()
    assert again.redemptions.get(key).state is State.READY
    again.clock.advance(61)
    again.redemptions.drain()
    assert again.redemptions.get(key).state is State.CONFIRMED


def test_a_cancel_found_at_the_start_is_told_to_the_ledger() -> None:
    ledger = SmallLedger()
    till = Till(LossyLedger(ledger, ["reply", *["line"] * 5]))
    key = till.start().key
    till.redemptions.submit(key)
    assert till.redemptions.give_up(key, CancelReason.OTHER).state is State.CANCELLING
    again = till.restarted()
    again.clock.advance(61)
    again.redemptions.drain()
    assert again.redemptions.get(key).state is State.REVERSED
    assert ledger.charges == {}


# --- Waiting ---------------------------------------------------------------------------------------------------------


def test_waits_double_to_a_cap_with_full_jitter_and_begin_anew_after_a_sure_answer() -> None:
    till = Till(SmallLedger())
    backoff = Backoff(till.clock, Waits(base_s=1, cap_s=60), lambda count: b"\x80" + bytes(count - 1))
    now = till.clock.wall()
    waits = [(backoff.next_try("KEY", None) - now).total_seconds() for _ in range(9)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    backoff.forget("KEY")
    assert (backoff.next_try("KEY", LineDownError()) - now).total_seconds() == 0.5


def test_the_outbox_waits_as_long_as_the_service_asked() -> None:
    till = Till(SmallLedger())
    backoff = Backoff(till.clock, Waits(), bytes)
    assert backoff.next_try("KEY", SlowDownError(120)) - till.clock.wall() == timedelta(seconds=120)
