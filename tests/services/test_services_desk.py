"""Giving back, the conflict desk and the end of the day (reliability 4.2, 4.7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.builders import a_redemption, points
from support.lease_kit import OTHER_LOGIN, lease_lines
from support.ledger_server import LOGIN
from support.offline_till import OfflineTill, Shop, an_offline_shop
from support.people_kit import an_operator

from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason, SignIn
from pos_app.domain.redemption import Kind, State
from pos_app.domain.refusals import Refusal
from pos_app.ledger.local import LocalLedger
from pos_app.services.decisions import CHOICES, Decision, NotThisDecisionError, Why, conflict_of
from pos_app.services.reports import DayNotClearError

SUPERVISOR = 12
SINCE = timedelta(hours=200)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    *others, customer = lease_lines()
    with an_offline_shop(tmp_path, [*others, an_operator(SUPERVISOR, "supervisor", pin="4821"), customer]) as made:
        yield made


def an_approval(shop: Shop, purpose: ApprovalPurpose = ApprovalPurpose.REVERSE) -> Approval:
    signed_in = LocalLedger(shop.kit.book, LOGIN).sync.sign_in(SignIn(operator_id=SUPERVISOR, pin="4821"))
    return Approval(token=signed_in.token, purpose=purpose, reason=ApprovalReason.NO_PHONE)


# --- Giving back -----------------------------------------------------------------------------------------------------


def test_a_redemption_is_given_back_under_a_key_of_its_own(shop: Shop) -> None:
    till = shop.till()
    row = till.redeem(200)
    reversal = till.services.reversals.start(row.redemption_id or "", points=points(50), of=row)
    assert (reversal.kind, reversal.state, reversal.reverses) == (Kind.REVERSE, State.READY, row.redemption_id)
    after = till.services.reversals.submit(reversal.key, approval=an_approval(shop))
    assert (after.state, after.from_free) == (State.CONFIRMED, points(50))
    assert after.redemption_id not in {None, row.redemption_id}
    assert shop.kit.balance() == points(350)


def test_a_lost_answer_to_a_reversal_gives_back_once(shop: Shop) -> None:
    till = shop.till()
    row = till.redeem(200)
    reversal = till.services.reversals.start(row.redemption_id or "", of=row)
    till.cable.loses = ["reverse"] * 5
    assert till.services.reversals.submit(reversal.key, approval=an_approval(shop)).state is State.UNKNOWN
    again = till.restarted()
    again.services.redemptions.drain(at_once=True)
    assert again.journal.get(reversal.key).state is State.CONFIRMED
    assert shop.kit.balance() == points(500)


def test_a_reversal_without_a_supervisor_waits_for_one_under_its_key(shop: Shop) -> None:
    till = shop.till()
    row = till.redeem(200)
    reversal = till.services.reversals.start(row.redemption_id or "", of=row)
    waiting = till.services.reversals.submit(reversal.key)
    assert (waiting.state, waiting.refusal, waiting.reason) == (
        State.READY,
        Refusal.PROOF_MISSING,
        "approval_missing",
    )
    assert till.services.reversals.submit(reversal.key, approval=an_approval(shop)).state is State.CONFIRMED


def test_more_than_was_redeemed_is_refused_for_good(shop: Shop) -> None:
    till = shop.till()
    row = till.redeem(200)
    reversal = till.services.reversals.start(row.redemption_id or "", points=points(300), of=row)
    refused = till.services.reversals.submit(reversal.key, approval=an_approval(shop))
    assert (refused.state, refused.refusal, refused.reason) == (
        State.REFUSED,
        Refusal.CANNOT_UNDO,
        "more_than_left",
    )


# --- The conflict desk -----------------------------------------------------------------------------------------------


def a_short_till(shop: Shop) -> tuple[OfflineTill, str]:
    """A till whose redemption of 400 points was covered by 200 only: its lease had been reclaimed."""
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    row = till.spend(400).row
    assert row is not None
    shop.kit.pass_time(timedelta(hours=81))
    assert shop.till(OTHER_LOGIN).redeem(300).state is State.CONFIRMED
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    return till, row.key


def test_what_the_store_lost_is_shown_with_what_is_owed_and_accepted_by_name(shop: Shop) -> None:
    till, key = a_short_till(shop)
    (conflict,) = till.services.decisions.conflicts()
    assert (conflict.why, conflict.owed) == (Why.SHORT, points(200))
    before = till.journal.audit_head().count
    after = till.services.decisions.decide(key, Decision.ACCEPT, operator=SUPERVISOR)
    assert (after.state, after.closed_by) == (State.SETTLED_SHORT, f"accepted:{SUPERVISOR}")
    assert till.services.decisions.conflicts() == ()
    assert till.journal.audit_head().count == before + 1


def test_what_settling_took_can_be_given_back(shop: Shop) -> None:
    till, key = a_short_till(shop)
    till.services.decisions.decide(key, Decision.REVERSE, operator=SUPERVISOR, approval=an_approval(shop))
    assert shop.kit.balance() == points(200)


def test_a_row_that_left_off_after_a_day_is_tried_again_or_cancelled(shop: Shop) -> None:
    till = shop.till()
    till.cable.loses = ["redeem"] * 9
    key = till.redeem(100).key
    till.cable.loses = []
    shop.clock.advance(86_400)
    till.services.redemptions.drain()
    (conflict,) = till.services.decisions.conflicts()
    assert conflict.why is Why.NOT_ANSWERED
    assert till.services.decisions.decide(key, Decision.TRY_AGAIN, operator=SUPERVISOR).state is State.CONFIRMED
    assert shop.kit.balance() == points(400)


def parked(till: OfflineTill, **changes: object) -> str:
    row = a_redemption(100, state=State.PARKED, customer=till.asking(100).customer, attempts=1, **changes)
    till.journal.add(row)
    return row.key


def test_a_parked_row_went_through_with_the_number_the_service_tells(shop: Shop) -> None:
    till = shop.till()
    key = parked(till)
    with pytest.raises(NotThisDecisionError):
        till.services.decisions.decide(key, Decision.WENT_THROUGH, operator=SUPERVISOR, redemption_id=" ")
    after = till.services.decisions.decide(key, Decision.WENT_THROUGH, operator=SUPERVISOR, redemption_id="k4Wq7Z")
    assert (after.state, after.redemption_id) == (State.CONFIRMED, "k4Wq7Z")


def test_a_parked_row_that_did_not_happen_goes_again_under_its_key(shop: Shop) -> None:
    till = shop.till()
    key = parked(till)
    assert till.services.decisions.decide(key, Decision.DID_NOT, operator=SUPERVISOR).state is State.CONFIRMED
    assert shop.kit.balance() == points(400)


def test_a_parked_row_left_open_stays_on_the_list(shop: Shop) -> None:
    till = shop.till()
    key = parked(till)
    till.services.decisions.decide(key, Decision.LEAVE_OPEN, operator=SUPERVISOR)
    assert [each.row.key for each in till.services.decisions.conflicts()] == [key]
    assert till.services.decisions.decide(key, Decision.CANCEL, operator=SUPERVISOR).state is State.CANCELLED


def test_a_decision_that_does_not_fit_changes_nothing(shop: Shop) -> None:
    till = shop.till()
    key = parked(till)
    with pytest.raises(NotThisDecisionError):
        till.services.decisions.decide(key, Decision.ACCEPT, operator=SUPERVISOR)
    assert till.journal.get(key).state is State.PARKED
    assert till.journal.audit_head().count == 0


@pytest.mark.parametrize(("why", "kind"), CHOICES)
def test_whatever_needs_attention_can_be_left_open_and_something_else(why: Why, kind: Kind) -> None:
    assert Decision.LEAVE_OPEN in CHOICES[why, kind]
    assert len(CHOICES[why, kind]) > 1


def test_a_refusal_when_it_was_sent_by_itself_owes_all_of_it() -> None:
    row = a_redemption(70, state=State.REFUSED, sent_by_itself=True)
    assert (conflict_of(row).why, conflict_of(row).owed) == (Why.REFUSED_WHEN_SENT, points(70))


# --- The end of the day ----------------------------------------------------------------------------------------------


def test_the_day_counts_what_was_made_given_back_and_lost(shop: Shop) -> None:
    till, _ = a_short_till(shop)
    row = till.redeem(0 + 10)
    assert row.state is State.REFUSED
    report = till.services.reports.report(shop.clock.wall() - SINCE)
    assert (report.made.count, report.made.points) == (1, points(400))
    assert (report.offline.count, report.online.count, report.refused.count) == (1, 0, 1)
    assert (report.store_loss.count, report.store_loss.points) == (1, points(200))
    assert dict(report.by_cashier) == {7: report.made}
    assert not report.is_clear


def test_a_day_with_something_open_is_closed_by_a_supervisor_in_spite_of_it_only(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    till.spend(100)
    since = shop.clock.wall() - SINCE
    with pytest.raises(DayNotClearError) as warned:
        till.services.reports.close_day(since, operator=SUPERVISOR)
    assert [row.state for row in warned.value.report.open_rows] == [State.LOCAL_DONE]
    assert till.services.reports.closed_at() is None
    till.services.reports.close_day(since, operator=SUPERVISOR, in_spite=True)
    assert till.services.reports.closed_at() == shop.clock.wall()
    assert till.journal.open_redemptions() != []


def test_a_clear_day_is_closed(shop: Shop) -> None:
    till = shop.till()
    assert till.redeem(100).state is State.CONFIRMED
    report = till.services.reports.close_day(shop.clock.wall() - SINCE, operator=SUPERVISOR)
    assert (report.is_clear, report.online.points) == (True, points(100))
