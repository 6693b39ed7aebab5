"""Settling: every row is charged as far as anything goes, repeated as it was, and never refused for its price.

reliability 4.3, sync-api 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.a_ledger import redeeming
from support.lease_kit import HOUR, OTHER_LOGIN, LeaseKit, a_lease_kit, group_of, lease_lines, pts
from support.ledger_server import CUSTOMER, PROGRAM, a_customer

from pos_app.domain.commands import Reverse
from pos_app.domain.leases import Lease, Owner, OwnerKind
from pos_app.domain.settling import Settled, SettleOutcome, SpendKind
from pos_app.ledger import schema
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.ledger.errors import ConflictError, ForbiddenError
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.wire.settling import ReceivedSpend, hash_of


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[LeaseKit]:
    with a_lease_kit(tmp_path, url=ledger_url) as made:
        yield made


def sources(settled: Settled) -> tuple[object, object, object]:
    return settled.from_lease, settled.from_free, settled.store_loss


# --- The charge ------------------------------------------------------------------------------------------------------


def test_a_row_is_paid_by_its_lease(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    row = side.spend(120, lease)
    settled = side.settle_one(row)
    assert settled.outcome is SettleOutcome.SETTLED
    assert sources(settled) == (pts(120), pts(0), pts(0))
    assert (settled.redemption_id, settled.is_late, settled.is_replayed) == (row.redemption_id, False, False)
    assert settled.wallet is not None
    assert (settled.wallet.balance, settled.wallet.held_offline) == (pts(380), pts(280))
    assert [each.points for each in settled.breakdown] == [pts(120)]
    assert (kit.balance(), kit.reserved()) == (pts(380), pts(280))
    assert kit.kept(lease).settled == 120_000


def test_what_the_lease_cannot_pay_free_points_pay_and_the_rest_the_store_loses(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(700, side.lease())
    settled = side.settle_one(row)
    assert settled.outcome is SettleOutcome.SETTLED_SHORT
    assert sources(settled) == (pts(400), pts(100), pts(200))
    assert (kit.balance(), kit.reserved()) == (pts(0), pts(0))
    assert kit.losses() == [(side.login, pts(200), "beyond_lease")]


def test_points_another_till_holds_are_never_taken(kit: LeaseKit) -> None:
    side = kit.till()
    mine, theirs = side.lease(), kit.other.lease()
    settled = side.settle_one(side.spend(500, mine))
    assert sources(settled) == (pts(400), pts(20), pts(80))
    assert kit.kept(theirs).held == 80_000
    assert sources(kit.other.settle_one(kit.other.spend(80, theirs))) == (pts(80), pts(0), pts(0))


def test_a_row_at_the_shops_risk_is_paid_by_free_points_only(kit: LeaseKit) -> None:
    kit.other.lease()
    settled = kit.till().settle_one(kit.till().spend(150))
    assert sources(settled) == (pts(0), pts(100), pts(50))
    assert kit.losses() == [(kit.till().login, pts(50), "risk")]


@pytest.mark.parametrize("whose", ["nobodys", "another tills", "another customers", "another programs"])
def test_a_lease_that_is_not_the_rows_own_pays_nothing(kit: LeaseKit, whose: str) -> None:
    kit.load([a_customer(id=50002, mobile="919777785299", email="", external_id="", points=50)])
    side = kit.till()
    if whose == "another tills":
        row = side.spend(10, kit.other.lease())
    elif whose == "another customers":
        row = side.spend(10, side.lease(50002), owner=Owner(OwnerKind.CUSTOMER, CUSTOMER), customer_id=CUSTOMER)
    elif whose == "another programs":
        row = side.spend(10, side.lease(), program_id=PROGRAM + 1)
    else:
        row = side.spend(10, side.lease(), lease_id="L-NOBODYS")
    settled = side.settle_one(row)
    assert settled.from_lease == pts(0)
    assert settled.from_free + settled.store_loss == pts(10)


def test_a_family_groups_row_is_paid_by_its_members(tmp_path: Path, ledger_url: str) -> None:
    sister = a_customer(id=50002, mobile="919777785299", email="", external_id="", points=200)
    members = [{"customer_id": CUSTOMER, "primary": True}, {"customer_id": 50002}]
    group = {"kind": "family_group", "organisation": 1, "id": 77, "name": "Sawyer", "members": members}
    lines = lease_lines(
        points=100, program={"family_groups_enabled": True}, organisation={"family_group_pooling": "members"}
    )
    with a_lease_kit(tmp_path, [*lines, sister, group], url=ledger_url) as kit:
        side = kit.till()
        row = side.spend(230, side.lease(group_of(77)))
        settled = side.settle_one(row)
        assert sources(settled) == (pts(230), pts(0), pts(0))
        assert [each.points for each in settled.breakdown] == [pts(100), pts(130)]
        assert (kit.balance(CUSTOMER), kit.balance(50002)) == (pts(0), pts(70))


def test_every_row_is_a_transaction_and_a_result_of_its_own(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    good, bad, last = side.spend(10, lease), side.spend(20, lease), side.spend(30, lease)
    answer = side.settle(good, replace(bad, signature=good.signature), last)
    assert [each.outcome for each in answer.results] == ["settled", "refused", "settled"]
    assert answer.results[1].reason == "bad_signature"
    assert answer.next_seq == 4
    assert kit.balance() == pts(460)


def test_a_ceiling_that_two_tills_pass_together_is_charged_and_marked(tmp_path: Path, ledger_url: str) -> None:
    criteria = {"multiple_of": 10, "ceilings": [{"period": "day", "points": 100}]}
    with a_lease_kit(tmp_path, lease_lines(program={"criteria": criteria}), url=ledger_url) as kit:
        side = kit.till()
        row = side.spend(100, side.lease())
        over = kit.other.spend(60)
        assert sources(side.settle_one(row)) == (pts(100), pts(0), pts(0))
        assert sources(kit.other.settle_one(over)) == (pts(0), pts(60), pts(0))
        reasons = {entry.key: entry.reason for entry in kit.rows(schema.entry, schema.entry.c.kind == "REDEEM")}
        assert reasons == {row.key: None, over.key: "over_ceiling"}


def test_the_time_of_a_row_is_kept_within_its_lease(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    early = side.spend(10, lease, at=lease.granted_at - 100 * HOUR)
    late = side.spend(10, lease, at=lease.expires_at + 100 * HOUR)
    side.settle(early, late)
    at = {row.key: row.at for row in kit.rows(schema.redemption)}
    assert at[late.key] - at[early.key] == lease.term_s * 1000


def test_a_row_without_a_lease_was_not_spent_in_the_future(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(10, at=kit.clock.wall() + 1000 * HOUR)
    side.settle(row)
    (kept,) = kit.rows(schema.redemption)
    (grant,) = kit.rows(schema.idem)
    assert kept.at == grant.created_at


# --- Once ------------------------------------------------------------------------------------------------------------


def test_the_same_row_again_gets_the_same_answer(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(700, side.lease())
    first = side.settle_one(row)
    again = side.settle_one(row)
    assert again == replace(first, is_replayed=True)
    assert kit.balance() == pts(0)
    assert len(kit.losses()) == 1


def test_a_refused_row_again_gets_the_same_answer(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(10, customer_id=1, owner=Owner(OwnerKind.CUSTOMER, 1))
    first = side.settle_one(row)
    assert (first.outcome, first.reason) == (SettleOutcome.REFUSED, "unknown_customer")
    assert side.settle_one(row) == replace(first, is_replayed=True)


def test_a_key_that_is_known_replays_under_another_number(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    row = side.spend(10, lease)
    first = side.settle_one(row)
    again = side.settle_one(side.spend(10, lease, key=row.key, redemption_id=row.redemption_id))
    assert again.is_replayed
    assert sources(again) == sources(first)
    assert again.redemption_id == first.redemption_id
    assert kit.balance() == pts(490)


def test_a_key_that_means_something_else_is_refused(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    row = side.spend(10, lease)
    side.settle(row)
    other = side.settle_one(side.spend(20, lease, key=row.key))
    assert (other.outcome, other.reason) == (SettleOutcome.REFUSED, "key_mismatch")
    assert kit.balance() == pts(490)


def test_a_key_that_was_refused_or_cancelled_online_is_not_charged(kit: LeaseKit) -> None:
    side = kit.till()
    key = kit.new_key()
    assert side.redeem(9990, key=key).refusal is not None
    assert side.settle_one(side.spend(10, key=key)).reason == "key_mismatch"


def test_a_settled_key_replays_over_v1_1(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(120, side.lease())
    side.settle(row)
    command = redeeming(CUSTOMER, 120, row.key, program_id=PROGRAM, bill_number=row.transaction_number)
    answer = kit.book.redeem(side.till, command)
    assert answer.code == 800
    assert answer.redemption_id == row.redemption_id
    assert answer.extension is not None
    assert answer.extension.replayed
    assert kit.balance() == pts(380)


def test_a_settled_redemption_can_be_reversed_as_far_as_it_was_paid(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, lease_lines(organisation={"reversal_enabled": True}), url=ledger_url) as kit:
        side = kit.till()
        row = side.spend(700, side.lease())
        side.settle(row)
        kit.change(schema.till, till_epoch=0)  # Who never enrolled may reverse by the organisation's word alone.
        with kit.book.store.write() as connection:
            connection.exec_driver_sql("UPDATE meta SET number = number + 1 WHERE name = 'rules_version'")
        answer = kit.book.reverse(side.till, Reverse(redemption_id=row.redemption_id))
        assert answer.refusal is None
        assert answer.available == pts(500)
        assert kit.balance() == pts(500)


def test_a_receipts_number_that_is_taken_gets_another_one(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    first = side.spend(10, lease)
    second = side.spend(10, lease, redemption_id=first.redemption_id)
    one, other = side.settle(first, second).results
    assert one.redemption_id == first.redemption_id
    assert other.redemption_id not in (None, first.redemption_id)


# --- The chain -------------------------------------------------------------------------------------------------------


def test_a_row_beyond_the_expected_number_is_a_gap(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    first, second = side.spend(10, lease), side.spend(10, lease)
    with pytest.raises(ConflictError, match="gap") as gap:
        side.settle(second)
    assert gap.value.more == {"next_seq": 1}
    assert kit.balance() == pts(500)
    assert side.settle(first, second).next_seq == 3


def test_rows_before_a_gap_are_settled(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    first, _, third = side.spend(10, lease), side.spend(10, lease), side.spend(10, lease)
    answer = side.settle(first, third)
    assert [each.seq for each in answer.results] == [1]
    assert answer.next_seq == 2


def test_the_same_number_with_another_hash_is_a_fork_that_freezes_the_till(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    clone = side.copied()
    side.settle(side.spend(10, lease))
    settled = clone.settle_one(clone.spend(20, lease))
    assert settled.outcome is SettleOutcome.SETTLED
    assert settled.is_late
    assert sources(settled) == (pts(20), pts(0), pts(0))
    assert side.till.state == "FROZEN"
    assert kit.acts().count("till.fork") == 1
    with pytest.raises(ForbiddenError, match="till_frozen"):
        side.ask()


def test_a_row_that_does_not_follow_the_last_one_is_a_fork(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    clone = side.copied()
    clone.spend(20, lease)
    side.settle(side.spend(10, lease))
    settled = clone.settle_one(clone.spend(20, lease))
    assert settled.is_late
    assert side.till.state == "FROZEN"


def test_both_copies_of_a_forked_till_get_their_rows_settled(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    clone = side.copied()
    mine = [side.spend(100, lease) for _ in range(3)]
    theirs = [clone.spend(50, lease) for _ in range(4)]
    side.settle(*mine)
    results = clone.settle(*theirs).results
    assert [each.is_late for each in results] == [True] * 4
    assert sum(each.from_lease.thousandths for each in results) == 100_000
    assert side.settle(*mine).results[0].is_replayed
    last = side.settle_one(side.spend(10, lease, seq=5))
    assert last.is_late
    assert kit.balance().thousandths + 300_000 + 200_000 + 10_000 == 510_000


def test_a_frozen_till_comes_back_by_enrolling_again(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    clone = side.copied()
    side.settle(side.spend(10, lease))
    clone.settle(clone.spend(20, lease))
    side.enrol_anew(give_enrolment_code(kit.book.tools, side.login, who="test"))
    assert side.till.state == "ACTIVE"
    row = side.spend(10, side.lease())
    assert row.seq == 1
    assert not side.settle_one(row).is_late


def test_rows_of_an_earlier_enrolment_are_settled_late_and_freeze_nobody(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    old = side.copied()
    row = old.spend(30, lease)
    side.enrol_anew(give_enrolment_code(kit.book.tools, side.login, who="test"))
    settled = side.settle(row, till_epoch=1).results[0]
    assert settled.is_late
    assert sources(settled) == (pts(30), pts(0), pts(0))
    fork = replace(old, seq=0, head="0" * 64).spend(40, lease)
    assert side.settle(fork, till_epoch=1).results[0].is_late
    assert side.till.state == "ACTIVE"


def test_an_enrolment_nobody_knows_settles_nothing(kit: LeaseKit) -> None:
    side = kit.till()
    with pytest.raises(ForbiddenError, match="stale_till_epoch"):
        side.settle(side.spend(10), till_epoch=9)


@pytest.mark.parametrize("action", [TillAction.LOST, TillAction.DISABLE])
def test_rows_of_a_till_out_of_service_are_settled_late_and_reported(kit: LeaseKit, action: TillAction) -> None:
    side = kit.till()
    row = side.spend(120, side.lease())
    change_till(kit.book.tools, side.login, action, who="test")
    settled = side.settle_one(row)
    assert settled.is_late
    assert sources(settled) == (pts(120), pts(0), pts(0))
    assert "settle.report" in kit.acts()


# --- What cannot be taken --------------------------------------------------------------------------------------------


def test_a_row_of_another_tills_key_is_refused(kit: LeaseKit) -> None:
    side = kit.till()
    row = kit.other.signed(side.row(10, side.lease()))
    assert side.settle_one(row).reason == "bad_signature"
    assert kit.balance() == pts(500)


def test_a_row_that_was_changed_after_it_was_signed_is_refused(kit: LeaseKit) -> None:
    side = kit.till()
    row = replace(side.spend(10, side.lease()), points=pts(20))
    assert side.settle_one(row).reason == "bad_row"


def test_a_row_that_cannot_be_read_is_refused_alone(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    side.spend(10, lease)
    unreadable = ReceivedSpend(seq=1, key="", spend=None, made_hash="")
    good = side.spend(20, lease)
    answer = kit.book.settle(side.till, 1, [unreadable, good])
    assert [each.outcome for each in answer.results] == ["refused", "settled"]
    assert side.till.state == "ACTIVE"


def test_unsigned_rows_neither_freeze_a_till_nor_take_its_numbers(kit: LeaseKit) -> None:
    """Whoever has only the password cannot stand in the way of the till that has the key."""
    side = kit.till()
    lease = side.lease()
    forged = replace(side.row(10, lease), signature="AAAA")
    forged = replace(forged, hash=hash_of(forged))
    assert side.settle_one(forged).reason == "bad_signature"
    first = side.spend(10, lease)
    assert side.settle_one(first).outcome is SettleOutcome.SETTLED
    again = replace(side.row(30, lease, seq=1), signature="AAAA")
    assert side.settle_one(replace(again, hash=hash_of(again))).reason == "bad_signature"
    assert side.settle_one(side.spend(20, lease)).outcome is SettleOutcome.SETTLED
    assert side.till.state == "ACTIVE"


def test_a_customers_row_that_names_another_customer_is_refused(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(10, side.lease(), customer_id=50002)
    assert side.settle_one(row).reason == "bad_row"


# --- Late ------------------------------------------------------------------------------------------------------------


def test_what_comes_after_reclaiming_is_charged_to_free_points_and_flagged(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(300, side.lease())
    kit.pass_time(80 * HOUR)
    assert kit.other.redeem(350).code == 800
    settled = side.settle_one(row)
    assert settled.is_late
    assert sources(settled) == (pts(0), pts(150), pts(150))
    assert kit.losses() == [(side.login, pts(150), "lease_reclaimed")]
    assert "settle.report" in kit.acts()


def test_the_organisation_may_let_the_store_bear_what_comes_late(tmp_path: Path) -> None:
    settings = LeaseSettings.read({"late_settle.charge_available": False})
    with a_lease_kit(tmp_path, settings=settings) as kit:
        side = kit.till()
        row = side.spend(300, side.lease())
        kit.pass_time(80 * HOUR)
        assert sources(side.settle_one(row)) == (pts(0), pts(0), pts(300))
        assert kit.balance() == pts(500)


def test_an_honest_till_that_reports_in_time_costs_the_store_nothing(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    rows = [side.spend(100, lease) for _ in range(4)]
    kit.other.redeem(100)
    kit.pass_time(79 * HOUR)
    results = side.settle(*rows).results
    assert [each.store_loss for each in results] == [pts(0)] * 4
    assert kit.losses() == []


# --- After a restore -------------------------------------------------------------------------------------------------


def online(kit: LeaseKit, key: str, points: int, **changes: object) -> object:
    plain = {"kind": SpendKind.ONLINE, "key": key, "confirmed_epoch": 1, "redemption_id": "RESTORED01"}
    return kit.till().spend(points, **(plain | changes))


def raise_epoch(kit: LeaseKit) -> None:
    """What a restore does."""
    with kit.book.store.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET number = number + 1 WHERE name IN ('epoch', 'rules_version')")


def test_a_redemption_a_restore_lost_is_charged_again_under_its_number(kit: LeaseKit) -> None:
    raise_epoch(kit)
    row = online(kit, kit.new_key(), 120)
    settled = kit.till().settle_one(row)  # type: ignore[arg-type]
    assert sources(settled) == (pts(0), pts(120), pts(0))
    assert settled.redemption_id == "RESTORED01"


def test_what_a_restored_wallet_cannot_pay_the_store_loses(kit: LeaseKit) -> None:
    raise_epoch(kit)
    settled = kit.till().settle_one(online(kit, kit.new_key(), 600))  # type: ignore[arg-type]
    assert sources(settled) == (pts(0), pts(500), pts(100))
    assert kit.losses() == [(kit.till().login, pts(100), "ledger_restored")]


def test_a_redemption_the_restored_ledger_knows_replays(kit: LeaseKit) -> None:
    key = kit.new_key()
    kept = kit.till().redeem(120, key=key)
    raise_epoch(kit)
    row = online(kit, key, 120, redemption_id=kept.redemption_id)
    settled = kit.till().settle_one(row)  # type: ignore[arg-type]
    assert settled.is_replayed
    assert settled.redemption_id == kept.redemption_id
    assert kit.balance() == pts(380)


def test_no_redemption_is_offered_again_to_a_ledger_that_was_not_restored(kit: LeaseKit) -> None:
    settled = kit.till().settle_one(online(kit, kit.new_key(), 120))  # type: ignore[arg-type]
    assert (settled.outcome, settled.reason) == (SettleOutcome.REFUSED, "bad_row")
    assert kit.balance() == pts(500)


def test_a_lease_a_restore_lost_pays_nothing_but_free_points_do(kit: LeaseKit) -> None:
    side = kit.till()
    lease: Lease = replace(side.lease(), lease_id="L-LOST")
    settled = side.settle_one(side.spend(90, lease))
    assert sources(settled) == (pts(0), pts(90), pts(0))
    assert side.login != OTHER_LOGIN
    assert kit.clock.wall() - lease.granted_at == timedelta(0)
