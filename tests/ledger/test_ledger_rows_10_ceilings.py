"""Contract 10 at the HTTP face: ceilings over time, by the days of the organisation's time zone.

The clock of these tests starts on Sunday, 22 November 2026, 10:00 UTC, which is 15:30 in Kolkata.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from support.http_counter import HttpCounter
from support.ledger_server import a_customer, a_program, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import GOLD, KEY, OTHER_KEY, SILVER, TOM, Line, lots


def shop_under(*ceilings: dict[str, Any], history: tuple[Line, ...] = (), **organisation: Any) -> list[Line]:
    """One program under these ceilings; Tom has 500 points."""
    return [
        an_organisation(**organisation),
        a_program(criteria={"ceilings": list(ceilings)}),
        a_till(),
        a_customer(wallets=[lots(500)]),
        *history,
    ]


@contextmanager
def till_under(ledgers: Ledgers, *ceilings: dict[str, Any], **more: Any) -> Iterator[HttpCounter]:
    with ledgers.counter(shop_under(*ceilings, **more)) as counter:
        yield counter


def move_to(counter: HttpCounter, moment: str) -> None:
    """Let time pass until a moment, written in UTC."""
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    counter.clock.advance((then - counter.clock.wall()).total_seconds())


def room(counter: HttpCounter) -> tuple[int, int]:
    """What a check says of 30 and of 30.001 points."""
    return counter.check(f"{TOM}&points=30").code, counter.check(f"{TOM}&points=30.001").code


def redeem(counter: HttpCounter, points: int | str) -> None:
    assert counter.redeem(points_redeemed=str(points)).code == 800


def past(days: int, points: int) -> dict[str, Any]:
    return {"period": "past_days", "days": days, "points": points}


DAY = {"period": "day", "points": 50}
WEEK = {"period": "calendar_week", "points": 50}
MONTH = {"period": "calendar_month", "points": 50}


@pytest.mark.parametrize(
    ("ceiling", "still", "free"),
    [
        # Sunday ends at 18:30 UTC in Kolkata.
        (DAY, "2026-11-22 18:29:59", "2026-11-22 18:30:00"),
        # So does the week, which began on Monday the 16th.
        (WEEK, "2026-11-22 18:29:59", "2026-11-22 18:30:00"),
        (MONTH, "2026-11-30 18:29:59", "2026-11-30 18:30:00"),
        (past(1, 50), "2026-11-22 18:29:59", "2026-11-22 18:30:00"),
        (past(2, 50), "2026-11-23 18:29:59", "2026-11-23 18:30:00"),
        (past(30, 50), "2026-12-21 18:29:59", "2026-12-21 18:30:00"),
    ],
    ids=["day", "calendar_week", "calendar_month", "past_day", "past_2_days", "past_30_days"],
)
def test_10_a_ceiling_counts_until_its_period_ends(
    ledgers: Ledgers, ceiling: dict[str, Any], still: str, free: str
) -> None:
    with till_under(ledgers, ceiling) as counter:
        redeem(counter, 20)
        assert room(counter) == (800, 819)
        move_to(counter, still)
        assert room(counter) == (800, 819)
        assert counter.redeem(points_redeemed="30.001").code == 819
        move_to(counter, free)
        assert room(counter) == (800, 800)
        assert counter.redeem(points_redeemed="50").code == 800
        assert counter.check(f"{TOM}&points=0.001").code == 819


def test_10_a_week_runs_from_monday_to_sunday(ledgers: Ledgers) -> None:
    with till_under(ledgers, WEEK) as counter:
        move_to(counter, "2026-11-22 18:30:00")  # Monday the 23rd begins.
        redeem(counter, 20)
        for moment in ("2026-11-25 12:00:00", "2026-11-29 18:29:59"):  # Wednesday, the end of Sunday.
            move_to(counter, moment)
            assert room(counter) == (800, 819)
        move_to(counter, "2026-11-29 18:30:00")
        assert room(counter) == (800, 800)


def test_10_a_month_begins_on_its_first_day(ledgers: Ledgers) -> None:
    with till_under(ledgers, MONTH) as counter:
        move_to(counter, "2026-11-30 18:30:00")  # The first of December begins.
        redeem(counter, 20)
        move_to(counter, "2026-12-31 18:29:59")
        assert room(counter) == (800, 819)
        move_to(counter, "2026-12-31 18:30:00")
        assert room(counter) == (800, 800)


def test_10_past_days_are_today_and_the_days_before(ledgers: Ledgers) -> None:
    with till_under(ledgers, past(3, 50)) as counter:
        for day in (22, 23, 24):
            move_to(counter, f"2026-11-{day} 12:00:00")
            redeem(counter, 10)
        assert counter.check(f"{TOM}&points=20").code == 800
        assert counter.check(f"{TOM}&points=20.001").code == 819
        move_to(counter, "2026-11-25 12:00:00")  # The 22nd no longer counts.
        assert room(counter) == (800, 819)


def test_10_the_narrowest_of_several_ceilings_counts(ledgers: Ledgers) -> None:
    ceilings = (DAY, {**WEEK, "points": 60}, {**MONTH, "points": 70}, past(2, 1000))
    with till_under(ledgers, *ceilings) as counter:
        move_to(counter, "2026-11-22 18:30:00")
        redeem(counter, 50)
        move_to(counter, "2026-11-23 18:30:00")
        assert counter.check(f"{TOM}&points=10").code == 800
        assert counter.check(f"{TOM}&points=10.001").code == 819  # 60 in a week.
        redeem(counter, 10)
        move_to(counter, "2026-11-29 18:30:00")
        assert counter.check(f"{TOM}&points=10").code == 800
        assert counter.check(f"{TOM}&points=10.001").code == 819  # 70 in a month.


@pytest.mark.parametrize("nothing", [0, None])
def test_10_a_ceiling_of_nothing_is_no_rule(ledgers: Ledgers, nothing: object) -> None:
    shop = ledgers.reader(shop_under({"period": "day", "points": nothing}))
    assert shop.check(f"{TOM}&points=500").code == 800


def test_10_points_given_back_leave_room_again(ledgers: Ledgers) -> None:
    with till_under(ledgers, DAY) as counter:
        assert counter.redeem(points_redeemed="50", external_reference_number=KEY).code == 800
        assert counter.redeem(points_redeemed="10", external_reference_number=OTHER_KEY).code == 819
        assert counter.cancel(KEY).json["outcome"] == "reversed"
        assert room(counter) == (800, 800)


def test_10_a_refused_redemption_takes_no_room(ledgers: Ledgers) -> None:
    with till_under(ledgers, DAY) as counter:
        assert counter.redeem(points_redeemed="51").code == 819
        assert counter.redeem(points_redeemed="50").code == 800


def test_10_imported_redemptions_count_less_what_was_reversed(ledgers: Ledgers) -> None:
    plain = {"kind": "redemption", "organisation": 1, "customer_id": 50001, "program_id": GOLD}
    history = (
        {**plain, "redemption_id": "old-1", "points": 40, "reversed_points": 20, "at": "2026-11-22T08:00:00+05:30"},
        {**plain, "redemption_id": "old-2", "points": 500, "at": "2026-11-21T23:59:59+05:30"},
    )
    assert room(ledgers.reader(shop_under(DAY, history=history))) == (800, 819)


def test_10_each_program_counts_for_itself(ledgers: Ledgers) -> None:
    lines = [*shop_under(DAY), a_program(id=SILVER, default=False, criteria={"ceilings": [DAY]})]
    customer = a_customer(wallets=[lots(500), lots(500, SILVER)])
    with ledgers.counter([each for each in lines if each["kind"] != "customer"] + [customer]) as counter:
        redeem(counter, 50)
        assert counter.check(f"{TOM}&points=0.001").code == 819
        assert counter.check(f"{TOM}&points=50&program_id={SILVER}").code == 800


@pytest.mark.parametrize(
    ("zone", "still", "free"),
    [
        ("Pacific/Kiritimati", "2026-11-23 09:59:59", "2026-11-23 10:00:00"),  # 14 hours before UTC
        ("Pacific/Pago_Pago", "2026-11-22 10:59:59", "2026-11-22 11:00:00"),  # 11 hours after it
        ("UTC", "2026-11-22 23:59:59", "2026-11-23 00:00:00"),
    ],
)
def test_10_days_are_those_of_the_organisation(ledgers: Ledgers, zone: str, still: str, free: str) -> None:
    with till_under(ledgers, DAY, time_zone=zone) as counter:
        redeem(counter, 20)
        move_to(counter, still)
        assert room(counter) == (800, 819)
        move_to(counter, free)
        assert room(counter) == (800, 800)


def test_10_a_day_on_which_the_clocks_go_forward_has_23_hours(ledgers: Ledgers) -> None:
    with till_under(ledgers, DAY, time_zone="America/New_York") as counter:
        move_to(counter, "2027-03-14 05:00:00")  # Midnight, five hours after UTC's.
        redeem(counter, 20)
        move_to(counter, "2027-03-15 03:59:59")
        assert room(counter) == (800, 819)
        move_to(counter, "2027-03-15 04:00:00")  # The next midnight is four hours after UTC's.
        assert room(counter) == (800, 800)


def test_10_a_day_on_which_the_clocks_go_back_has_25_hours(ledgers: Ledgers) -> None:
    with till_under(ledgers, DAY, time_zone="America/New_York") as counter:
        move_to(counter, "2027-11-07 04:00:00")
        redeem(counter, 20)
        move_to(counter, "2027-11-08 04:59:59")
        assert room(counter) == (800, 819)
        move_to(counter, "2027-11-08 05:00:00")
        assert room(counter) == (800, 800)
