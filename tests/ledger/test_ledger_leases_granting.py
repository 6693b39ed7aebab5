"""Granting leases: how much, of which lots, to whom, and why not (reliability 4.3, sync-api 6)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import update
from support.lease_kit import HOUR, OTHER_LOGIN, LeaseKit, a_lease_kit, group_of, lease_lines, pts
from support.ledger_server import CUSTOMER, MOBILE, PROGRAM, a_customer

from pos_app.domain.leases import GiveBack, NoLease
from pos_app.ledger import schema
from pos_app.ledger.care.till_care import TillAction, change_till
from pos_app.ledger.errors import ForbiddenError, TillStateError
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.wire.canonical import canonical_bytes
from pos_app.wire.leases import signed_part

FAMILY = 77
SISTER = 50002


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[LeaseKit]:
    with a_lease_kit(tmp_path, url=ledger_url) as made:
        yield made


# --- Size ------------------------------------------------------------------------------------------------------------


def test_a_lease_takes_four_fifths_of_what_is_available(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert lease.amount == pts(400)
    assert kit.reserved() == pts(400)
    assert kit.balance() == pts(500)


def test_a_lease_never_takes_more_than_its_cap(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(points=10_000)) as kit:
        assert kit.till().lease().amount == pts(500)


def test_a_lease_is_a_multiple_of_what_may_be_redeemed(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(points=199, program={"criteria": {"multiple_of": 50}})) as kit:
        assert kit.till().lease().amount == pts(150)


def test_a_lease_has_no_crumbs_the_program_does_not_show(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(points="33.337", program={"criteria": {}, "decimals": 1})) as kit:
        assert kit.till().lease().amount == pts("26.6")


def test_a_lease_takes_at_most_twice_the_most_of_one_redemption(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(program={"criteria": {"maximum": 60, "multiple_of": 10}})) as kit:
        assert kit.till().lease().amount == pts(120)


def test_a_lease_fits_under_every_ceiling_with_what_others_hold(tmp_path: Path) -> None:
    criteria = {"multiple_of": 10, "ceilings": [{"period": "calendar_month", "points": 150}]}
    with a_lease_kit(tmp_path, lease_lines(program={"criteria": criteria})) as kit:
        kit.till().redeem(30)
        assert kit.till().lease().amount == pts(120)
        assert kit.other.refusal() is NoLease.HELD_ELSEWHERE


def test_less_than_one_redemption_needs_is_not_set_aside(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(points=110, program={"criteria": {"minimum": 100}})) as kit:
        assert kit.till().refusal() is NoLease.NOTHING_AVAILABLE
        assert kit.reserved() == pts(0)


def test_a_wish_for_less_is_granted(kit: LeaseKit) -> None:
    assert kit.till().lease(wanted=95).amount == pts(90)


def test_the_settings_say_how_much_and_how_long(tmp_path: Path) -> None:
    settings = LeaseSettings.read(
        {"lease.phi": 0.5, "lease.cap": "200", "lease.term_s": 3600, "lease.settle_window_s": 7200}
    )
    with a_lease_kit(tmp_path, settings=settings) as kit:
        lease = kit.till().lease()
        assert lease.amount == pts(200)
        assert lease.term_s == 3600
        assert lease.expires_at == lease.granted_at + HOUR
        assert lease.settle_until == lease.expires_at + 2 * HOUR


# --- What a lease says -----------------------------------------------------------------------------------------------


def test_a_lease_says_what_the_till_must_know_and_the_ledger_signed_it(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    assert (lease.till, lease.till_epoch, lease.program_id) == ("till.014.3", 1, PROGRAM)
    assert lease.customer_ids == (CUSTOMER,)
    assert lease.granted_at == kit.clock.wall()
    assert lease.expires_at - lease.granted_at == timedelta(hours=8)
    assert lease.settle_until - lease.expires_at == timedelta(hours=72)
    key = Ed25519PublicKey.from_public_bytes(b64decode(kit.book.secrets.public_key))
    key.verify(b64decode(lease.signature), canonical_bytes(signed_part(lease)))


def test_lots_are_taken_in_the_order_of_spending_and_say_when_they_expire(tmp_path: Path) -> None:
    lots = [
        {"points": 100},
        {"points": 200, "expires_on": "2035-12-31"},
        {"points": 50, "expires_on": "2027-03-31"},
    ]
    wallet = {"program_id": PROGRAM, "lots": lots}
    with a_lease_kit(tmp_path, lease_lines(customer={"wallets": [wallet]})) as kit:
        lease = kit.till().lease()
        assert [each.points for each in lease.allocations] == [pts(50), pts(200), pts(30)]
        # The end of the day in the organisation's zone, India.
        assert [each.usable_until for each in lease.allocations] == [
            datetime(2027, 3, 31, 18, 30, tzinfo=UTC),
            datetime(2035, 12, 31, 18, 30, tzinfo=UTC),
            None,
        ]


def test_every_grant_shows_in_the_wallets_version(kit: LeaseKit) -> None:
    before = kit.version()
    kit.till().lease()
    assert kit.version() == before + 1


# --- Once ------------------------------------------------------------------------------------------------------------


def test_the_same_request_gets_the_same_lease_also_after_it_closed(kit: LeaseKit) -> None:
    request_id = kit.new_key()
    lease = kit.till().lease(request_id=request_id)
    assert kit.till().lease(request_id=request_id) == lease
    kit.till().close(lease)
    assert kit.till().lease(request_id=request_id) == lease
    assert kit.reserved() == pts(0)


def test_a_till_has_one_open_lease_of_an_owner(kit: LeaseKit) -> None:
    kit.till().lease()
    assert kit.till().refusal() is NoLease.ALREADY_OPEN


def test_another_till_gets_its_part_of_what_is_left(kit: LeaseKit) -> None:
    kit.till().lease()
    assert kit.other.lease().amount == pts(80)
    assert kit.reserved() == pts(480)


def test_what_others_hold_leaves_nothing_to_set_aside(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(points=30)) as kit:
        kit.till().lease()
        assert kit.other.refusal() is NoLease.HELD_ELSEWHERE


def test_renewing_closes_the_old_lease_and_measures_anew(kit: LeaseKit) -> None:
    old = kit.till().lease()
    new = kit.till().lease(give_back=[GiveBack(old.lease_id)])
    assert new.lease_id != old.lease_id
    assert new.amount == pts(400)
    assert kit.kept(old).state == "CLOSED"
    assert kit.reserved() == pts(400)


def test_what_was_spent_stays_held_when_a_lease_is_renewed(kit: LeaseKit) -> None:
    old = kit.till().lease()
    new = kit.till().lease(give_back=[GiveBack(old.lease_id, pts(150))])
    assert kit.kept(old).state == "CLOSING"
    assert kit.kept(old).held == 150_000
    assert new.amount == pts(280)


# --- Why not ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (lease_lines(program={"offline_redemption": False}), NoLease.OFFLINE_OFF),
        (lease_lines(program={"active": False}), NoLease.OFFLINE_OFF),
        (lease_lines(program={"redemption_enabled": False}), NoLease.REDEMPTIONS_OFF),
        (lease_lines(organisation={"redemptions_enabled": False}), NoLease.REDEMPTIONS_OFF),
        (lease_lines(points=9), NoLease.NOTHING_AVAILABLE),
        (lease_lines(customer={"wallets": []}), NoLease.NOTHING_AVAILABLE),
        (lease_lines(customer={"fraud_status": "CONFIRMED"}), NoLease.BLOCKED),
        (lease_lines(customer={"type": "NON_LOYALTY"}), NoLease.NOT_REGISTERED),
        (lease_lines(customer={"campaign_only": True}), NoLease.NOT_REGISTERED),
    ],
)
def test_there_is_no_lease_where_there_must_be_none(
    tmp_path: Path, lines: list[dict[str, object]], reason: NoLease
) -> None:
    with a_lease_kit(tmp_path, lines) as kit:
        assert kit.till().refusal() is reason
        assert kit.rows(schema.lease) == []


def test_nobody_gets_a_lease_of_a_customer_or_program_there_is_not(kit: LeaseKit) -> None:
    assert kit.till().refusal(1) is NoLease.NOT_REGISTERED
    assert kit.till().refusal(program_id=1) is NoLease.OFFLINE_OFF
    assert kit.till().refusal(group_of(1)) is NoLease.NOT_REGISTERED


def test_a_paused_wallet_is_left_alone(kit: LeaseKit) -> None:
    kit.change(schema.wallet, state="PAUSED")
    assert kit.till().refusal() is NoLease.WALLET_PAUSED


def test_who_is_reached_otherwise_since_less_than_a_day_gets_no_lease(kit: LeaseKit) -> None:
    kit.load([a_customer(mobile="919777785206")])
    assert kit.till().refusal() is NoLease.CONTACT_CHANGED
    kit.pass_time(timedelta(hours=23))
    assert kit.till().refusal() is NoLease.CONTACT_CHANGED
    kit.pass_time(timedelta(hours=1, seconds=1))
    assert kit.till().lease().amount == pts(400)


def test_another_name_is_no_other_contact(kit: LeaseKit) -> None:
    kit.load([a_customer(mobile=MOBILE, first_name="Thomas")])
    assert kit.till().lease().amount == pts(400)


def test_a_till_that_never_enrolled_gets_no_lease(kit: LeaseKit) -> None:
    side = kit.till()
    kit.change(schema.till, till_epoch=0)
    with kit.book.store.write() as connection:
        connection.execute(update(schema.meta).where(schema.meta.c.name == "rules_version").values(number=99))
    with pytest.raises(ForbiddenError, match="not_enrolled"):
        side.ask()


def test_a_till_of_an_earlier_enrolment_gets_no_lease(kit: LeaseKit) -> None:
    side = kit.till()
    side.till_epoch = 2
    with pytest.raises(ForbiddenError, match="stale_till_epoch"):
        side.ask()


@pytest.mark.parametrize("action", [TillAction.LOST, TillAction.DISABLE])
def test_a_till_out_of_service_gets_no_lease(kit: LeaseKit, action: TillAction) -> None:
    side = kit.till()
    change_till(kit.book.tools, side.login, action, who="test")
    with pytest.raises(TillStateError, match="till_"):
        side.ask()


# --- Family groups ---------------------------------------------------------------------------------------------------


def family_lines(pooling: str) -> list[dict[str, object]]:
    members = [{"customer_id": CUSTOMER, "primary": True}, {"customer_id": SISTER}]
    group: dict[str, object] = {
        "kind": "family_group",
        "organisation": 1,
        "id": FAMILY,
        "name": "Sawyer",
        "external_id": "F-77",
        "members": members,
    }
    if pooling == "wallet":
        lot = {"points": 300, "expires_on": "2035-12-31"}
        group["wallets"] = [{"program_id": PROGRAM, "lots": [lot]}]
    lines = lease_lines(
        points=100, program={"family_groups_enabled": True}, organisation={"family_group_pooling": pooling}
    )
    sister = a_customer(id=SISTER, mobile="919777785299", email="", external_id="", points=200)
    return [*lines, sister, group]


def test_a_family_groups_lease_takes_of_all_its_members(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, family_lines("members"), url=ledger_url) as kit:
        lease = kit.till().lease(group_of(FAMILY))
        assert lease.amount == pts(240)
        assert lease.customer_ids == (CUSTOMER, SISTER)
        assert (kit.reserved(CUSTOMER), kit.reserved(SISTER)) == (pts(100), pts(140))
        # A lease of her own composes with it: 60 of hers are left.
        assert kit.till().lease(SISTER).amount == pts(40)


def test_a_family_groups_lease_takes_of_its_own_wallet(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, family_lines("wallet"), url=ledger_url) as kit:
        assert kit.till().lease(group_of(FAMILY)).amount == pts(240)
        assert (kit.reserved(CUSTOMER), kit.reserved(SISTER)) == (pts(0), pts(0))


def test_a_blocked_member_may_not_spend_under_a_family_groups_lease(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, family_lines("wallet")) as kit:
        kit.load(
            [a_customer(id=SISTER, mobile="919777785299", email="", external_id="", points=200, fraud_status="FRAUD")]
        )
        assert kit.till().lease(group_of(FAMILY)).customer_ids == (CUSTOMER,)


def test_a_signature_does_not_cover_another_lease(kit: LeaseKit) -> None:
    first, second = kit.till().lease(), kit.other.lease()
    assert first.signature != second.signature
    assert b64encode(b64decode(first.signature)).decode() == first.signature
    assert second.till == OTHER_LOGIN
