"""Redeeming: whose points, which rules only the ledger knows, and what a key remembers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.a_ledger import BookKit, a_kit, asking, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, PROGRAM, a_customer, a_program, a_small_ledger, a_till, an_organisation

from pos_app.domain.commands import Cancel
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind
from pos_app.domain.trouble import NotUnderstoodError
from pos_app.ledger import schema

OTHER = 50002
SILVER = 974
GROUP = 77


def _wallet(*lots: dict[str, Any], program_id: int = PROGRAM, **changes: Any) -> dict[str, Any]:
    return {"program_id": program_id, "lots": list(lots), **changes}


def _lot(points: int, expires_on: str | None, awarded_on: str | None = None) -> dict[str, Any]:
    return {"points": points, "expires_on": expires_on, "awarded_on": awarded_on}


def _other(**changes: Any) -> dict[str, Any]:
    return a_customer(**{"id": OTHER, "mobile": "919000000002", "email": None, "external_id": None, **changes})


def _group(**changes: Any) -> dict[str, Any]:
    members = [{"customer_id": CUSTOMER, "primary": True}, {"customer_id": OTHER}]
    return {"kind": "family_group", "organisation": 1, "id": GROUP, "name": "Sawyer", "members": members, **changes}


def _taken(kit: BookKit, points: int, key: str = "K1", **changes: Any) -> list[tuple[str, str]]:
    answer = kit.ledger.redeem(redeeming(CUSTOMER, points, key, **changes))
    assert answer.code == 800
    assert answer.extension is not None
    return [(str(share.points), str(share.expires_on)) for share in answer.extension.breakdown]


def test_a_number_that_may_mean_two_people_means_nobody(tmp_path: Path, ledger_url: str) -> None:
    lines = [*a_small_ledger(), _other(mobile="+4477009001"), _other(id=50003, mobile="+914477009001")]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        found = [
            kit.ledger.find_customer(CustomerRef(IdentifierKind.MOBILE, value))
            for value in ("4477009001", "+4477009001", "914477009001")
        ]
        assert [None if each is None else each.customer.customer_id for each in found] == [None, OTHER, 50003]


def test_points_that_never_expire_are_spent_last_and_equal_days_by_award(tmp_path: Path, ledger_url: str) -> None:
    lots = [
        _lot(10, None),
        _lot(20, "2027-05-01", "2026-02-01"),
        _lot(30, "2027-05-01", "2026-01-01"),
        _lot(40, "2026-12-31"),
    ]
    with a_kit(
        tmp_path, url=ledger_url, lines=[an_organisation(), a_program(), a_till(), a_customer(wallets=[_wallet(*lots)])]
    ) as kit:
        assert _taken(kit, 80) == [("40", "2026-12-31"), ("30", "2027-05-01"), ("10", "2027-05-01")]
        assert _taken(kit, 20, "K2") == [("10", "2027-05-01"), ("10", "None")]


def test_points_last_to_the_end_of_their_day_where_the_organisation_is(tmp_path: Path, ledger_url: str) -> None:
    clock = FakeClock(datetime.fromisoformat("2026-11-22T23:59:00+05:30"))
    lines = [an_organisation(), a_program(), a_till(), a_customer(wallets=[_wallet(_lot(50, "2026-11-22"))])]
    with a_kit(tmp_path, url=ledger_url, lines=lines, clock=clock) as kit:
        assert kit.ledger.check(asking(CUSTOMER, 50)).code == 800
        clock.advance(61)
        assert kit.ledger.check(asking(CUSTOMER, 50)).code == 818


def test_a_pool_of_members_is_drawn_soonest_first_and_reversed_to_each_of_them(tmp_path: Path, ledger_url: str) -> None:
    lines = [
        an_organisation(family_group_pooling="members"),
        a_program(family_groups_enabled=True, criteria={}),
        a_till(),
        a_customer(wallets=[_wallet(_lot(100, "2028-01-01"))]),
        _other(wallets=[_wallet(_lot(100, "2027-01-01"), _lot(50, "2028-01-01"))]),
        _group(),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        answer = kit.ledger.redeem(redeeming(CUSTOMER, 210, "K1", family_group=FamilyGroupRef(group_id=GROUP)))
        assert (answer.code, answer.is_group_redemption, answer.balance) == (800, True, Points.of(40))
        # The same day, no award date: the lower customer id goes first.
        assert kit.balance(CUSTOMER, PROGRAM) == Points(0)
        assert kit.balance(OTHER, PROGRAM) == Points.of(40)
        kit.ledger.cancel(Cancel(key="K1"))
        assert (kit.balance(CUSTOMER, PROGRAM), kit.balance(OTHER, PROGRAM)) == (Points.of(100), Points.of(150))
        assert kit.book.verify() == []


def test_a_paused_member_keeps_her_points_out_of_the_pool(tmp_path: Path, ledger_url: str) -> None:
    lines = [
        an_organisation(family_group_pooling="members"),
        a_program(family_groups_enabled=True, criteria={}),
        a_till(),
        a_customer(wallets=[_wallet(_lot(100, "2028-01-01"))]),
        _other(wallets=[_wallet(_lot(100, "2027-01-01"), state="PAUSED")]),
        _group(),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        asked = asking(CUSTOMER, 110, family_group=FamilyGroupRef(group_id=GROUP))
        assert kit.ledger.check(asked).code == 818


@pytest.mark.parametrize(
    ("ref", "code"),
    [
        (FamilyGroupRef(group_id=GROUP), 800),
        (FamilyGroupRef(external_id="FG-1"), 800),
        (FamilyGroupRef(primary_user_id=CUSTOMER), 800),
        (FamilyGroupRef(primary_user_id=OTHER), 1632),
        (FamilyGroupRef(group_id=GROUP, external_id="FG-2"), 1632),
        (FamilyGroupRef(group_id=GROUP, primary_user_id=CUSTOMER), 800),
        (FamilyGroupRef(use_default=True), 800),
        (FamilyGroupRef(group_id=4711), 1632),
    ],
)
def test_a_family_group_is_found_by_every_route_and_by_none_that_disagree(
    tmp_path: Path, ledger_url: str, ref: FamilyGroupRef, code: int
) -> None:
    lines = [
        an_organisation(),
        a_program(family_groups_enabled=True),
        a_till(),
        a_customer(default_family_group_id=GROUP),
        _other(),
        _group(external_id="FG-1", wallets=[_wallet(_lot(100, None))]),
        _group(id=78, external_id="FG-2", members=[{"customer_id": OTHER, "primary": True}, {"customer_id": CUSTOMER}]),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        if ref.primary_user_id == OTHER:
            ref = replace(ref, group_id=GROUP)
        assert kit.ledger.check(asking(CUSTOMER, 100, family_group=ref)).code == code


def test_a_blocked_member_is_told_apart_from_a_paused_wallet(tmp_path: Path, ledger_url: str) -> None:
    members = [{"customer_id": OTHER, "primary": True}]
    members.append({"customer_id": CUSTOMER, "permissions": ["block_points_redemption"]})  # type: ignore[dict-item]
    lines = [
        an_organisation(),
        a_program(family_groups_enabled=True),
        a_till(),
        a_customer(wallets=[_wallet(_lot(100, None), state="PAUSED")]),
        _other(),
        _group(members=members, wallets=[_wallet(_lot(100, None))]),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        paused = kit.ledger.check(asking(CUSTOMER, 100))
        blocked = kit.ledger.check(asking(CUSTOMER, 100, family_group=FamilyGroupRef(group_id=GROUP)))
        assert paused.extension is not None
        assert blocked.extension is not None
        assert (paused.code, paused.extension.reason) == (903, "wallet_paused")
        assert (blocked.code, blocked.extension.reason) == (903, "member_blocked")


def test_a_program_group_spends_across_programs_and_gives_back_across_them(tmp_path: Path, ledger_url: str) -> None:
    wallets = [_wallet(_lot(100, "2028-01-01")), _wallet(_lot(100, "2027-01-01"), program_id=SILVER)]
    lines = [
        an_organisation(program_group_redemption="enabled"),
        a_program(),
        a_program(id=SILVER, default=False, criteria={}),
        a_till(),
        a_customer(wallets=wallets),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        assert _taken(kit, 150, program_group=True) == [("100", "2027-01-01"), ("50", "2028-01-01")]
        assert kit.balance(CUSTOMER, SILVER) == Points(0)
        kit.ledger.cancel(Cancel(key="K1"))
        assert (kit.balance(CUSTOMER, SILVER), kit.balance(CUSTOMER, PROGRAM)) == (Points.of(100), Points.of(100))
        assert kit.book.verify() == []


def test_ceilings_count_redemptions_less_reversals(tmp_path: Path, ledger_url: str) -> None:
    criteria = {"ceilings": [{"period": "day", "points": 100}]}
    clock = FakeClock()
    with a_kit(
        tmp_path,
        url=ledger_url,
        lines=[an_organisation(), a_program(criteria=criteria), a_till(), a_customer()],
        clock=clock,
    ) as kit:
        _taken(kit, 60, "K1")
        over = kit.ledger.check(asking(CUSTOMER, 50))
        assert over.extension is not None
        assert (over.code, over.extension.nearest) == (819, (Points.of(40),))
        kit.ledger.cancel(Cancel(key="K1"))
        assert kit.ledger.check(asking(CUSTOMER, 100)).code == 800
        _taken(kit, 100, "K2")
        clock.advance(86400)
        assert kit.ledger.check(asking(CUSTOMER, 100)).code == 800


@pytest.mark.parametrize(
    ("offset", "code"),
    [
        (timedelta(minutes=5), 800),
        (timedelta(minutes=5, seconds=1), 859),
        (-timedelta(hours=72), 800),
        (-timedelta(hours=72, seconds=1), 859),
    ],
)
def test_the_time_of_a_till_is_taken_within_bounds(
    tmp_path: Path, ledger_url: str, offset: timedelta, code: int
) -> None:
    clock = FakeClock()
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger(), clock=clock) as kit:
        answer = kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1", redemption_time=clock.wall() + offset))
        assert answer.code == code


def test_a_time_without_a_zone_is_the_organisations(tmp_path: Path, ledger_url: str) -> None:
    clock = FakeClock(datetime.fromisoformat("2026-11-22T10:00:00+00:00"))
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger(), clock=clock) as kit:
        there = datetime.fromisoformat("2026-11-22T15:31:00")  # One minute ahead in Kolkata.
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1", redemption_time=there)).code == 800


def test_without_a_key_each_redemption_is_a_new_one(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger()) as kit:
        first = kit.ledger.redeem(redeeming(CUSTOMER, 100))
        second = kit.ledger.redeem(redeeming(CUSTOMER, 100))
        assert first.redemption_id != second.redemption_id
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(300)


def test_a_refused_unknown_customer_stays_refused_after_she_has_joined(tmp_path: Path, ledger_url: str) -> None:
    nobody = CustomerRef(IdentifierKind.MOBILE, "919000000002")
    command = redeeming(CUSTOMER, 100, "K1")
    command = replace(command, request=replace(command.request, customer=nobody))
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger()) as kit:
        assert kit.ledger.redeem(command).code == 816
    with a_kit(tmp_path, url=ledger_url, lines=[*a_small_ledger(), _other()]) as kit:
        again = kit.ledger.redeem(command)
        assert again.extension is not None
        assert (again.code, again.extension.replayed) == (816, True)
        named_differently = kit.ledger.redeem(redeeming(OTHER, 100, "K1"))
        assert named_differently.code == 903


def test_a_key_belongs_to_its_organisation(tmp_path: Path, ledger_url: str) -> None:
    second = [
        an_organisation(id=2, name="Other Stores"),
        a_program(organisation=2),
        a_till(organisation=2, login="other.1"),
        a_customer(organisation=2),
    ]
    by_kind = sorted(
        [*a_small_ledger(), *second],
        key=lambda line: ["organisation", "program", "till", "customer"].index(line["kind"]),
    )
    with a_kit(tmp_path, url=ledger_url, lines=by_kind) as kit:
        other = BookKit(kit.book, kit.sender, "other.1")
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 800
        answer = other.ledger.redeem(redeeming(CUSTOMER, 200, "K1"))
        assert answer.extension is not None
        assert (answer.code, answer.extension.replayed) == (800, False)


def test_another_tills_key_cannot_be_cancelled(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, url=ledger_url, lines=[*a_small_ledger()[:3], a_till(login="till.2"), a_customer()]) as kit:
        kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
        with pytest.raises(NotUnderstoodError):
            BookKit(kit.book, kit.sender, "till.2").ledger.cancel(Cancel(key="K1"))
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(400)


def test_what_the_till_is_paid_in_is_shown_beside_the_base_currency(tmp_path: Path, ledger_url: str) -> None:
    lines = [*a_small_ledger()[:2], a_till(currency="JPY", currency_rate="1.755"), a_customer()]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        answer = kit.ledger.check(asking(CUSTOMER, 100))
        assert (answer.worth, answer.local_worth) == (100, 176)


def test_the_tills_own_program_is_the_default_of_its_questions(tmp_path: Path, ledger_url: str) -> None:
    lines = [
        an_organisation(),
        a_program(),
        a_program(id=SILVER, default=False, criteria={}),
        a_till(program_id=SILVER),
        a_customer(wallets=[_wallet(_lot(70, None), program_id=SILVER)]),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        assert kit.ledger.check(asking(CUSTOMER, 70)).code == 800
        assert kit.ledger.check(asking(CUSTOMER, 70, program_id=PROGRAM)).code == 818


def test_redemptions_of_a_whole_organisation_can_be_stopped(tmp_path: Path, ledger_url: str) -> None:
    lines = [an_organisation(redemptions_enabled=False), *a_small_ledger()[1:]]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        answer = kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
        assert answer.extension is not None
        assert (answer.code, answer.extension.reason) == (827, "redemptions_off")


def test_an_answer_kept_under_a_key_names_nobody(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger()) as kit:
        kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
        with kit.book.store.read() as connection:
            (outcome,) = connection.execute(select(schema.idem.c.outcome)).scalars()
        assert "919777785205" not in outcome
        assert "tom.sawyer" not in outcome
        again = kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
        assert again.identity.mobile == "919777785205"


def test_a_ledger_without_the_extension_says_nothing_beyond_v1_1(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger(), extension=False) as kit:
        assert kit.ledger.check(asking(CUSTOMER, 100)).extension is None
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).extension is None
        assert kit.ledger.cancel(Cancel(key="K1")) is None
        assert not kit.ledger.capabilities().has_extension
