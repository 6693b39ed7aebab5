"""Giving leases back, redeeming online while holding one, and the end of leases (reliability 4.3, sync-api 2, 6, 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from support.lease_kit import HOUR, LeaseKit, a_lease_kit, lease_lines, pts
from support.ledger_server import PROGRAM

from pos_app.domain.answers import CheckAnswer
from pos_app.domain.leases import Freed, GiveBack, Lease
from pos_app.domain.refusals import Refusal
from pos_app.ledger import schema
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.ledger.errors import CareRefusedError, ForbiddenError, TillStateError, UnknownIdError
from pos_app.ledger.leases.reclaiming import write_off
from pos_app.ledger.leases.revoking import revoke_lease, revoke_till
from pos_app.ledger.leases.settings import NEVER, BadLeaseSettingError, LeaseSettings


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[LeaseKit]:
    with a_lease_kit(tmp_path, url=ledger_url) as made:
        yield made


def back(lease: Lease, spent: int = 0) -> GiveBack:
    return GiveBack(lease.lease_id, pts(spent))


# --- Closing ---------------------------------------------------------------------------------------------------------


def test_closing_an_unspent_lease_frees_all_of_it(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert kit.till().close(lease) == Freed(lease.lease_id, pts(400), pts(0))
    assert kit.kept(lease).state == "CLOSED"
    assert kit.reserved() == pts(0)


def test_what_was_spent_and_not_settled_stays_held(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert kit.till().close(lease, 50) == Freed(lease.lease_id, pts(350), pts(50))
    assert kit.kept(lease).state == "CLOSING"


def test_closing_again_frees_nothing_more_whatever_is_said(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    kit.till().close(lease, 50)
    assert kit.till().close(lease, 0) == Freed(lease.lease_id, pts(0), pts(50))
    assert kit.till().close(lease, 400) == Freed(lease.lease_id, pts(0), pts(50))


def test_settled_points_count_towards_what_was_spent(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    side.settle(side.spend(30, lease))
    assert side.close(lease, 50) == Freed(lease.lease_id, pts(350), pts(20))


def test_a_closing_lease_ends_when_its_last_row_is_settled(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    row = side.spend(50, lease)
    side.close(lease, 50)
    side.settle(row)
    assert kit.kept(lease).state == "CLOSED"
    assert (kit.balance(), kit.reserved()) == (pts(450), pts(0))


def test_a_lease_of_another_till_or_of_none_frees_nothing(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert kit.other.close(lease) == Freed(lease.lease_id, pts(0), pts(0))
    assert kit.other.close("L-NOBODYS") == Freed("L-NOBODYS", pts(0), pts(0))
    assert kit.reserved() == pts(400)


def test_a_till_may_say_that_it_spent_more_than_it_got(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert kit.till().close(lease, 9999) == Freed(lease.lease_id, pts(0), pts(400))


def test_closing_shows_in_the_wallets_version(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    before = kit.version()
    kit.till().close(lease)
    assert kit.version() > before


def test_a_frozen_till_may_close_but_a_lost_one_may_not(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    change_till(kit.book.tools, side.login, TillAction.LOST, who="test")
    with pytest.raises(TillStateError, match="till_lost"):
        side.close(lease)


# --- Online while holding --------------------------------------------------------------------------------------------


def test_a_lease_stands_in_the_way_of_its_own_customer_unless_it_is_given_back(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    refused = side.check(200)
    assert refused.refusal is Refusal.BALANCE_TOO_LOW
    assert refused.extension is not None
    assert refused.extension.reason == "held_offline"
    assert side.check(200, [back(lease)]).is_redeemable


def test_a_check_counts_a_given_back_lease_as_free_and_changes_nothing(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    answer = side.check(200, [back(lease, 50)])
    assert wallet(answer) == (pts(500), pts(450), pts(50))
    assert kit.kept(lease).state == "OPEN"
    assert kit.reserved() == pts(400)
    assert side.check(460, [back(lease, 50)]).refusal is Refusal.BALANCE_TOO_LOW


def wallet(answer: CheckAnswer) -> tuple[object, object, object]:
    assert answer.extension is not None
    assert answer.extension.wallet is not None
    seen = answer.extension.wallet
    return seen.balance, seen.available, seen.held_offline


def test_a_redemption_frees_the_lease_in_its_own_transaction(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    answer = side.redeem(120, [back(lease, 50)])
    assert answer.code == 800
    assert answer.extension is not None
    assert answer.extension.wallet is not None
    assert answer.extension.wallet.balance == pts(380)
    assert answer.extension.wallet.available == pts(330)
    assert answer.extension.wallet.held_offline == pts(50)
    assert kit.kept(lease).state == "CLOSING"


def test_repeating_the_redemption_frees_nothing_more(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    key = kit.new_key()
    first = side.redeem(120, [back(lease, 50)], key=key)
    again = side.redeem(120, [back(lease, 50)], key=key)
    assert again.extension is not None
    assert again.extension.replayed
    assert again.redemption_id == first.redemption_id
    assert kit.kept(lease).held == 50_000


def test_a_refused_redemption_has_freed_the_lease_all_the_same(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    assert side.redeem(600, [back(lease)]).refusal is Refusal.BALANCE_TOO_LOW
    assert kit.kept(lease).state == "CLOSED"


def test_a_lease_of_another_till_is_not_freed_by_a_redemption(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert kit.other.redeem(200, [back(lease)]).refusal is Refusal.BALANCE_TOO_LOW
    assert kit.kept(lease).state == "OPEN"


# --- Who holds it ----------------------------------------------------------------------------------------------------


def test_an_answer_names_the_largest_hold_of_another_till(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    kit.other.lease()
    seen = kit.other.check(10).extension
    assert seen is not None
    assert seen.wallet is not None
    assert (seen.wallet.held_store, seen.wallet.held_until) == ("014", lease.settle_until)
    assert seen.wallet.held_offline == pts(480)


def test_nobody_is_named_for_a_tills_own_hold(kit: LeaseKit) -> None:
    kit.till().lease()
    seen = kit.till().check(10).extension
    assert seen is not None
    assert seen.wallet is not None
    assert (seen.wallet.held_store, seen.wallet.held_until) == (None, None)


@pytest.mark.parametrize("act", ["check", "redeem"])
def test_a_refusal_for_a_hold_asks_the_holder_to_give_back(kit: LeaseKit, act: str) -> None:
    lease = kit.till().lease()
    assert kit.till().beat().give_back_wanted == ()
    getattr(kit.other, act)(200)
    assert kit.till().beat().give_back_wanted == (lease.lease_id,)
    kit.till().close(lease)
    assert kit.till().beat().give_back_wanted == ()
    assert kit.other.redeem(200).code == 800


def test_a_refusal_for_lack_of_points_asks_nobody(kit: LeaseKit) -> None:
    kit.till().lease()
    answer = kit.other.check(600)
    assert answer.extension is not None
    assert answer.extension.reason is None
    assert kit.till().beat().give_back_wanted == ()


# --- Reclaiming ------------------------------------------------------------------------------------------------------


def test_a_lease_is_held_beyond_its_term_and_reclaimed_after_the_window(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    kit.pass_time(79 * HOUR)
    assert kit.reserved() == pts(400)
    before = kit.version()
    kit.pass_time(1 * HOUR)
    assert kit.kept(lease).state == "RECLAIMED"
    assert kit.reserved() == pts(0)
    assert kit.version() > before


def test_what_a_closing_lease_still_holds_is_reclaimed_too(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    kit.till().close(lease, 50)
    kit.pass_time(80 * HOUR)
    assert kit.kept(lease).state == "RECLAIMED"
    assert kit.reserved() == pts(0)


def test_in_strict_mode_nothing_is_reclaimed_until_somebody_writes_it_off(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, url=ledger_url, settings=LeaseSettings(strict=True)) as kit:
        lease = kit.till().lease()
        assert lease.settle_until == NEVER
        with pytest.raises(CareRefusedError, match="runs until"):
            write_off(kit.book.tools, lease.lease_id, who="test")
        kit.pass_time(5000 * HOUR)
        assert kit.reserved() == pts(400)
        assert write_off(kit.book.tools, lease.lease_id, who="test") == 400_000
        assert kit.kept(lease).state == "RECLAIMED"
        assert kit.acts()[-1] == "lease.write_off"
        with pytest.raises(CareRefusedError, match="holds nothing"):
            write_off(kit.book.tools, lease.lease_id, who="test")
        with pytest.raises(UnknownIdError):
            write_off(kit.book.tools, "L-NOBODYS", who="test")


def test_a_ledger_that_became_strict_reclaims_no_earlier_lease(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path) as kit:
        kit.till().lease()
    with a_lease_kit(tmp_path, [], settings=LeaseSettings(strict=True), start=datetime(2027, 1, 1, tzinfo=UTC)) as kit:
        kit.jobs.run(at_once=True)
        assert kit.reserved() == pts(400)


# --- Revoking and lost tills -----------------------------------------------------------------------------------------


def test_a_revoked_lease_is_told_with_the_heartbeat_and_held_until_it_is_given_back(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    revoke_lease(kit.book.tools, lease.lease_id, who="test")
    assert kit.till().beat().revoked == (lease.lease_id,)
    assert kit.reserved() == pts(400)
    kit.till().close(lease)
    assert kit.till().beat().revoked == ()
    with pytest.raises(CareRefusedError, match="nothing is spent"):
        revoke_lease(kit.book.tools, lease.lease_id, who="test")
    with pytest.raises(UnknownIdError):
        revoke_lease(kit.book.tools, "L-NOBODYS", who="test")


def test_all_leases_of_a_till_are_revoked_at_once(kit: LeaseKit) -> None:
    mine = kit.till().lease()
    kit.other.lease()
    assert revoke_till(kit.book.tools, kit.till().login, who="test") == 1
    assert revoke_till(kit.book.tools, kit.till().login, who="test") == 0
    assert kit.till().beat().revoked == (mine.lease_id,)
    assert kit.other.beat().revoked == ()


def test_a_lost_tills_leases_stay_held_until_they_are_reclaimed(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    change_till(kit.book.tools, side.login, TillAction.LOST, who="test")
    assert side.beat().till_state == "LOST"
    assert side.beat().revoked == (lease.lease_id,)
    kit.pass_time(79 * HOUR)
    assert kit.reserved() == pts(400)
    kit.pass_time(1 * HOUR)
    assert kit.reserved() == pts(0)


def test_enrolling_again_closes_nothing_by_itself(kit: LeaseKit) -> None:
    side = kit.till()
    old = side.lease()
    code = give_enrolment_code(kit.book.tools, side.login, who="test")
    side.enrol_anew(code)
    assert side.till_epoch == 2
    assert kit.kept(old).state == "OPEN"
    new = side.lease()
    assert (new.till_epoch, new.amount) == (2, pts(80))
    assert side.close(old) == Freed(old.lease_id, pts(400), pts(0))


# --- Expiry ----------------------------------------------------------------------------------------------------------


def short_lived(**program: object) -> list[dict[str, object]]:
    """100 points that last until the end of the first day, 400 that stay."""
    lots = [{"points": 100, "expires_on": "2026-11-22"}, {"points": 400, "expires_on": "2035-12-31"}]
    return lease_lines(customer={"wallets": [{"program_id": PROGRAM, "lots": lots}]}, program=program)


def test_points_under_a_lease_do_not_expire_until_it_closes_and_then_at_once(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, short_lived(), url=ledger_url) as kit:
        lease = kit.till().lease()
        kit.pass_time(24 * HOUR)
        assert kit.balance() == pts(500)
        assert wallet(kit.till().check(10))[0] == pts(400)  # Nobody can spend them online any more.
        kit.till().close(lease)
        assert kit.balance() == pts(400)
        expired = kit.rows(schema.entry, schema.entry.c.kind == "EXPIRE")
        assert [row.delta for row in expired] == [-100_000]


def test_points_that_passed_under_a_reclaimed_lease_expire_at_once(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, short_lived()) as kit:
        kit.till().lease()
        kit.pass_time(80 * HOUR)
        assert kit.balance() == pts(400)


def test_a_spend_before_the_lot_expired_is_honoured_however_late_it_is_told(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, short_lived(), url=ledger_url) as kit:
        side = kit.till()
        row = side.spend(100, side.lease())
        kit.pass_time(48 * HOUR)
        settled = side.settle_one(row)
        assert (settled.from_lease, settled.from_free, settled.store_loss) == (pts(100), pts(0), pts(0))
        assert [share.expires_on for share in settled.breakdown] == [datetime(2026, 11, 22, tzinfo=UTC).date()]
        assert kit.balance() == pts(400)


def test_a_spend_after_the_lot_expired_takes_later_points(tmp_path: Path, ledger_url: str) -> None:
    """The till spends lot by lot by its clock; what it may still spend was never freed by closing."""
    with a_lease_kit(tmp_path, short_lived(), url=ledger_url, settings=LeaseSettings(term_s=2 * 86400)) as kit:
        side = kit.till()
        lease = side.lease()
        assert [each.points for each in lease.allocations] == [pts(100), pts(300)]
        kit.pass_time(24 * HOUR)
        row = side.spend(300, lease)
        # 300 points are unsettled. They may be any of the lease's, so the passed lot stays held as well.
        assert side.close(lease, 300) == Freed(lease.lease_id, pts(0), pts(400))
        settled = side.settle_one(row)
        assert (settled.from_lease, settled.store_loss) == (pts(300), pts(0))
        assert kit.kept(lease).state == "CLOSED"
        assert (kit.balance(), kit.reserved()) == (pts(100), pts(0))


# --- Heartbeats and settings -----------------------------------------------------------------------------------------


def test_a_heartbeat_is_noted_and_its_audit_countersigned(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    answer = side.beat(outbox_count=3, audit_head="b" * 64, audit_count=12, leases={lease.lease_id: pts(70)})
    assert answer.server_time == kit.clock.wall()
    assert (answer.epoch, answer.redemptions_enabled, answer.till_state) == (1, True, "ACTIVE")
    assert answer.countersigned is not None
    assert (answer.countersigned.head, answer.countersigned.count) == ("b" * 64, 12)
    (seen,) = kit.rows(schema.till_seen, schema.till_seen.c.login == side.login)
    assert (seen.outbox_count, seen.version) == (3, "1.4.0")
    assert kit.kept(lease).spent_told == 70_000


def test_an_audit_that_was_cut_is_reported_once(kit: LeaseKit) -> None:
    side = kit.till()
    side.beat(audit_head="b" * 64, audit_count=12)
    side.beat(audit_head="c" * 64, audit_count=13)
    assert "till.audit_cut" not in kit.acts()
    side.beat(audit_head="b" * 64, audit_count=12)
    side.beat(audit_head="d" * 64, audit_count=13)
    assert kit.acts().count("till.audit_cut") == 1


def test_another_end_of_the_same_length_is_a_cut_too(kit: LeaseKit) -> None:
    side = kit.till()
    side.beat(audit_head="b" * 64, audit_count=12)
    side.beat(audit_head="c" * 64, audit_count=12)
    assert kit.acts().count("till.audit_cut") == 1


def test_a_new_enrolment_begins_a_new_audit(kit: LeaseKit) -> None:
    side = kit.till()
    side.beat(audit_count=12)
    side.enrol_anew(give_enrolment_code(kit.book.tools, side.login, who="test"))
    side.beat(audit_count=1)
    assert "till.audit_cut" not in kit.acts()


def test_a_heartbeat_of_an_earlier_enrolment_is_refused(kit: LeaseKit) -> None:
    with pytest.raises(ForbiddenError, match="stale_till_epoch"):
        kit.till().beat(till_epoch=7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lease.phi", 0),
        ("lease.phi", 1.1),
        ("lease.phi", "much"),
        ("lease.phi", True),
        ("lease.cap", 0),
        ("lease.cap", 1.5),
        ("lease.cap", "many"),
        ("lease.term_s", 59),
        ("lease.term_s", "8h"),
        ("lease.settle_window_s", -1),
        ("lease.strict", 1),
        ("late_settle.charge_available", "yes"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(BadLeaseSettingError, match=name):
        LeaseSettings.read({name: value})


def test_the_longest_term_is_a_week() -> None:
    assert LeaseSettings.read({"lease.term_s": 7 * 86400}).term_s == int(timedelta(days=7).total_seconds())
    with pytest.raises(BadLeaseSettingError, match="604800"):
        LeaseSettings.read({"lease.term_s": 7 * 86400 + 1})


def test_verify_tells_of_a_lease_whose_lots_or_entries_say_otherwise(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    side.settle(side.spend(100, lease))
    kit.change(schema.lease_alloc, held=0)
    (lot,) = kit.rows(schema.lot)
    told = kit.differences()
    assert f"I1 lot {lot.id}: 300000 thousandths reserved, leases hold 0" in told
    assert f"I3 lease {lease.lease_id}: 400000 lent and 300000 held, its lots say 400000 and 0" in told
    kit.change(schema.lease_alloc, held=300_000)
    kit.change(schema.lease, settled=50_000, returned=50_000)
    assert kit.differences() == [f"I3 lease {lease.lease_id}: 50000 settled, its entries add up to 100000"]
    kit.change(schema.lease, settled=100_000, returned=0)


def test_the_database_itself_refuses_a_lease_that_lends_more_than_it_got(kit: LeaseKit) -> None:
    kit.till().lease()
    for values in ({"held": 1}, {"settled": 1}, {"returned": -1}, {"state": "CLOSED"}):
        with pytest.raises(IntegrityError):
            kit.change(schema.lease, **values)
