"""Contract 10 at the HTTP face: when points expire, which are spent first, and who pays for groups of either kind.

Lots have sizes that tell them apart, so that `breakdown` of the extension shows what was taken from which.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.http_counter import CUSTOMER, HttpCounter, Told
from support.ledger_server import a_customer, a_program, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import GOLD, HOME, OLD, OTHER, SILVER, TOM, TOMS, Line, a_family, a_person


def lot(points: int, expires: str | None, awarded: str | None = None) -> dict[str, Any]:
    return {"points": points, "expires_on": expires, "awarded_on": awarded}


def wallet(program: int, *held: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"program_id": program, "lots": list(held), **more}


def one_program(*held: dict[str, Any], **organisation: Any) -> list[Line]:
    """Tom holds these lots of the one program."""
    customer = a_customer(wallets=[wallet(GOLD, *held)])
    return [an_organisation(**organisation), a_program(criteria={}), a_till(), customer]


def move_to(counter: HttpCounter, moment: str) -> None:
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    counter.clock.advance((then - counter.clock.wall()).total_seconds())


def taken(told: Told) -> list[tuple[str, str | None]]:
    """What was taken, in order: points, and when they would have expired."""
    assert told.code == 800
    assert told.extension is not None
    return [(each["points"], each["expires_on"]) for each in told.extension["breakdown"]]


# --- Expiry ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "last", "gone"),
    [
        ("Asia/Kolkata", "2026-11-22", "2026-11-22 18:29:59", "2026-11-22 18:30:00"),
        ("Pacific/Kiritimati", "2026-11-23", "2026-11-23 09:59:59", "2026-11-23 10:00:00"),
        ("Pacific/Pago_Pago", "2026-11-22", "2026-11-23 10:59:59", "2026-11-23 11:00:00"),
        ("America/New_York", "2027-03-14", "2027-03-15 03:59:59", "2027-03-15 04:00:00"),  # A day of 23 hours
        ("America/New_York", "2027-11-07", "2027-11-08 04:59:59", "2027-11-08 05:00:00"),  # A day of 25 hours
        ("Asia/Kathmandu", "2026-12-31", "2026-12-31 18:14:59", "2026-12-31 18:15:00"),  # A quarter of an hour off
    ],
)
def test_10_points_last_to_the_end_of_their_day(ledgers: Ledgers, zone: str, day: str, last: str, gone: str) -> None:
    with ledgers.counter(one_program(lot(7, day), lot(11, None), time_zone=zone)) as counter:
        move_to(counter, last)
        assert (counter.check(f"{TOM}&points=18").code, counter.balance()) == (800, "18")
        move_to(counter, gone)
        assert (counter.check(f"{TOM}&points=18").code, counter.balance()) == (818, "11")
        assert counter.redeem(points_redeemed="12").code == 818
        assert counter.redeem(points_redeemed="11").code == 800


def test_10_points_that_expired_before_the_import_count_for_nothing(ledgers: Ledgers) -> None:
    shop = ledgers.reader(one_program(lot(7, "2026-11-21"), lot(11, "2026-11-22")))
    assert (shop.check(f"{TOM}&points=11").code, shop.check(f"{TOM}&points=11.001").code) == (800, 818)
    reply = shop.send("GET", CUSTOMER, f"{TOM}&expiry_schedule=true")
    (customer,) = reply.json["response"]["customers"]["customer"]
    assert customer["expiry_schedule"]["schedule"] == [
        {"program_id": "973", "points": 11, "expiry_date": "2026-11-22"},
    ]


# --- Which are spent first ------------------------------------------------------------------------------------------


def test_10_soonest_to_expire_is_spent_first_and_what_never_expires_last(ledgers: Ledgers) -> None:
    held = (lot(3, None), lot(5, "2030-01-02"), lot(7, "2026-11-22"), lot(11, "2030-01-01"))
    with ledgers.counter(one_program(*held)) as counter:
        counter.with_extension = True
        told = counter.redeem(points_redeemed="25")
        assert taken(told) == [("7", "2026-11-22"), ("11", "2030-01-01"), ("5", "2030-01-02"), ("2", None)]
        assert counter.balance() == "1"


def test_10_of_one_day_the_earliest_awarded_is_spent_first_then_the_lower_number(ledgers: Ledgers) -> None:
    day = "2030-01-01"
    held = (lot(3, day, "2026-03-01"), lot(5, day, "2026-01-01"), lot(7, day, "2026-02-01"), lot(11, day, "2026-01-01"))
    with ledgers.counter(one_program(*held)) as counter:
        counter.with_extension = True
        assert [points for points, _ in taken(counter.redeem(points_redeemed="26"))] == ["5", "11", "7", "3"]


def test_10_what_is_left_of_a_lot_is_spent_before_the_next(ledgers: Ledgers) -> None:
    with ledgers.counter(one_program(lot(7, "2030-01-01"), lot(11, "2030-01-02"))) as counter:
        counter.with_extension = True
        assert taken(counter.redeem(points_redeemed="2.5")) == [("2.5", "2030-01-01")]
        assert taken(counter.redeem(points_redeemed="5")) == [("4.5", "2030-01-01"), ("0.5", "2030-01-02")]


# --- Groups of programs ---------------------------------------------------------------------------------------------


def two_programs(**silver: Any) -> list[Line]:
    """Programs that redeem for each other. The default one wants multiples of 5; the other one has rules too."""
    rules = {"minimum": 1000, "multiple_of": 1000, "ceilings": [{"period": "day", "points": 1}]}
    held = [
        wallet(GOLD, lot(11, "2030-01-02"), lot(13, None), lifetime_points=100),
        wallet(SILVER, lot(3, "2030-01-03"), lot(7, "2030-01-01"), lifetime_points=50, **silver),
        wallet(OLD, lot(1000, "2029-01-01")),
    ]
    ruling = {"multiple_of": 5, "lifetime_points_required": 150 if not silver else 100}
    return [
        an_organisation(program_group_redemption="enabled"),
        a_program(criteria=ruling, points_currency_ratio="2"),
        a_program(id=SILVER, name="Silver", default=False, criteria=rules, points_currency_ratio="0.25"),
        a_program(id=OLD, name="Old", default=False, active=False),
        a_till(),
        a_customer(wallets=held),
    ]


def test_10_a_group_of_programs_spends_soonest_to_expire_across_programs(ledgers: Ledgers) -> None:
    with ledgers.counter(two_programs()) as counter:
        counter.with_extension = True
        told = counter.redeem(points_redeemed="30", group_redemption=True)
        in_order = [("7", "2030-01-01"), ("11", "2030-01-02"), ("3", "2030-01-03"), ("9", None)]
        assert taken(told) == in_order
        assert told.item["balance"] == 4


def test_10_a_group_of_programs_has_the_rules_and_the_ratio_of_the_default_program(ledgers: Ledgers) -> None:
    shop = ledgers.reader(two_programs())
    for query in ("", f"&program_id={SILVER}"):
        told = shop.check(f"{TOM}&group_redemption=true&points=30{query}")
        assert (told.code, told.item["points_redeem_value"], told.item["points_currency_ratio"]) == (800, 60, "2")
        assert shop.check(f"{TOM}&group_redemption=true&points=31{query}").code == 807
        assert shop.check(f"{TOM}&group_redemption=true&points=35{query}").code == 818
    by_value = shop.check(f"{TOM}&group_redemption=true&currency_input=true&currency_value=60&program_id={SILVER}")
    assert (by_value.code, by_value.item["points"]) == (800, 30)


def test_10_a_group_of_programs_leaves_out_what_is_paused_or_inactive(ledgers: Ledgers) -> None:
    shop = ledgers.reader(two_programs(state="PAUSED"))
    assert shop.check(f"{TOM}&group_redemption=true&points=20").code == 800
    assert shop.check(f"{TOM}&group_redemption=true&points=25").code == 818


def test_10_a_group_of_programs_has_ceilings_over_all_of_them(ledgers: Ledgers) -> None:
    lines = two_programs()
    lines[1]["criteria"] = {"ceilings": [{"period": "day", "points": 20}]}
    with ledgers.counter(lines) as counter:
        assert counter.redeem(points_redeemed="15", group_redemption=True).code == 800
        assert counter.check(f"{TOM}&group_redemption=true&points=5").code == 800
        assert counter.check(f"{TOM}&group_redemption=true&points=5.001").code == 819


# --- Groups of people -----------------------------------------------------------------------------------------------

PAULA, INA = 50003, 50004
GROUP = f"user_group2_id={HOME}"


def a_home(*own: dict[str, Any], **changes: Any) -> list[Line]:
    """A family group of four with wallets `own`; the members hold 13, 7 and 11, and one paused 1000."""
    criteria = {"lifetime_points_required": 100, "ceilings": [{"period": "day", "points": 40}]}
    day = "2030-01-01"
    return [
        an_organisation(**changes.pop("organisation", {})),
        a_program(criteria=criteria, family_groups_enabled=True),
        a_till(),
        a_customer(wallets=[wallet(GOLD, lot(13, day, "2026-01-01"), lifetime_points=60)]),
        a_person(OTHER, 2, wallets=[wallet(GOLD, lot(7, day, "2026-01-01"), lifetime_points=60)]),
        a_person(PAULA, 3, wallets=[wallet(GOLD, lot(11, "2029-12-31"), lifetime_points=0)]),
        a_person(INA, 4, wallets=[wallet(GOLD, lot(1000, day), state="PAUSED", lifetime_points=5000)]),
        a_family(
            HOME,
            {"customer_id": TOMS},
            {"customer_id": OTHER, "primary": True},
            {"customer_id": PAULA},
            {"customer_id": INA},
            name="Sawyer",
            **{"wallets": list(own), **changes},
        ),
    ]


def test_10_a_family_group_has_a_wallet_of_its_own(ledgers: Ledgers) -> None:
    own = wallet(GOLD, lot(20, "2031-01-01"), lot(5, "2030-06-01"), lifetime_points=100)
    with ledgers.counter(a_home(own)) as counter:
        counter.with_extension = True
        assert counter.check(f"{TOM}&points=25&{GROUP}").code == 800
        assert counter.check(f"{TOM}&points=25.001&{GROUP}").code == 818
        told = counter.redeem(GROUP, points_redeemed="15")
        assert taken(told) == [("5", "2030-06-01"), ("10", "2031-01-01")]
        assert (told.item["balance"], told.item["user_id"]) == (10, "50001")
        assert "is_group_redemption" not in told.item
        assert (counter.balance(), counter.balance("mobile=9000000002")) == ("13", "7")


def test_10_the_criteria_of_a_family_group_look_at_its_own_figures(ledgers: Ledgers) -> None:
    poor = ledgers.reader(a_home(wallet(GOLD, lot(20, "2031-01-01"), lifetime_points=99)))
    assert poor.check(f"{TOM}&points=10&{GROUP}").code == 805
    assert ledgers.reader(a_home()).check(f"{TOM}&points=10&{GROUP}").code == 805


def test_10_the_ceilings_of_a_family_group_count_over_its_members(ledgers: Ledgers) -> None:
    with ledgers.counter(a_home(wallet(GOLD, lot(500, "2031-01-01"), lifetime_points=100))) as counter:
        assert counter.redeem(GROUP, points_redeemed="15").code == 800
        assert counter.redeem(GROUP, points_redeemed="15", mobile="9000000002").code == 800
        assert counter.redeem(GROUP, points_redeemed="10.001").code == 819
        assert counter.redeem(GROUP, points_redeemed="10").code == 800


POOLED = {"family_group_pooling": "members"}


def test_10_pooled_members_are_drawn_soonest_first_then_by_lower_customer(ledgers: Ledgers) -> None:
    with ledgers.counter(a_home(organisation=POOLED)) as counter:
        counter.with_extension = True
        assert counter.check(f"mobile=9000000003&points=31&{GROUP}").code == 800
        assert counter.check(f"mobile=9000000003&points=31.001&{GROUP}").code == 818
        told = counter.redeem(GROUP, points_redeemed="25", mobile="9000000003")
        # Paula's expire first; of the others' equal ones Tom's go first, whose number is lower.
        assert [points for points, _ in taken(told)] == ["11", "13", "1"]
        assert (told.item["is_group_redemption"], told.item["balance"]) == (True, 6)
        assert [counter.balance(each) for each in (TOM, "mobile=9000000002", "mobile=9000000003")] == ["0", "6", "0"]
        assert counter.balance("mobile=9000000004") == "1000"


def test_10_of_pooled_lots_of_one_day_the_earlier_award_goes_first(ledgers: Ledgers) -> None:
    lines = a_home(organisation=POOLED)
    lines[4]["wallets"][0]["lots"][0]["awarded_on"] = "2025-12-31"
    with ledgers.counter(lines) as counter:
        counter.with_extension = True
        told = counter.redeem(GROUP, points_redeemed="20")
        assert [points for points, _ in taken(told)] == ["11", "7", "2"]


def test_10_pooled_members_reach_the_criteria_together(ledgers: Ledgers) -> None:
    lines = a_home(organisation=POOLED)
    lines[1]["criteria"] = {"lifetime_points_required": 120, "balance_required": 31}
    assert ledgers.reader(lines).check(f"{TOM}&points=10&{GROUP}").code == 800
    lines[1]["criteria"] = {"lifetime_points_required": "120.001"}
    assert ledgers.reader(lines).check(f"{TOM}&points=10&{GROUP}").code == 805
    assert ledgers.reader(lines).check(f"{TOM}&points=10").code == 805


def test_10_a_member_who_left_keeps_her_points_out_of_the_pool(ledgers: Ledgers) -> None:
    lines = a_home(organisation=POOLED)
    lines[-1]["members"][2]["active"] = False
    shop = ledgers.reader(lines)
    assert shop.check(f"{TOM}&points=20&{GROUP}").code == 800
    assert shop.check(f"{TOM}&points=20.001&{GROUP}").code == 818
    assert shop.check(f"mobile=9000000003&points=5&{GROUP}").code == 1620


def test_10_without_a_group_named_a_member_spends_her_own(ledgers: Ledgers) -> None:
    lines = a_home(organisation=POOLED)
    lines[1]["criteria"] = {}
    shop = ledgers.reader(lines)
    assert shop.check(f"{TOM}&points=13").code == 800
    assert shop.check(f"{TOM}&points=14").code == 818
