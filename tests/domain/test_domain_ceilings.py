"""Which days a ceiling counts, and what room it leaves."""

from __future__ import annotations

from datetime import date

import pytest
from support.builders import TODAY, a_ceiling, points

from pos_app.domain.ceilings import first_day, room_left
from pos_app.domain.facts import CeilingPeriod
from pos_app.domain.points import ZERO

MONDAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("period", "days", "today", "first"),
    [
        (CeilingPeriod.DAY, 0, TODAY, TODAY),
        (CeilingPeriod.CALENDAR_WEEK, 0, TODAY, MONDAY),
        (CeilingPeriod.CALENDAR_WEEK, 0, MONDAY, MONDAY),
        (CeilingPeriod.CALENDAR_WEEK, 0, date(2027, 1, 2), date(2026, 12, 28)),
        (CeilingPeriod.CALENDAR_MONTH, 0, TODAY, date(2026, 11, 1)),
        (CeilingPeriod.CALENDAR_MONTH, 0, date(2026, 11, 1), date(2026, 11, 1)),
        (CeilingPeriod.PAST_DAYS, 1, TODAY, TODAY),
        (CeilingPeriod.PAST_DAYS, 30, TODAY, date(2026, 10, 24)),
        (CeilingPeriod.PAST_DAYS, 0, TODAY, TODAY),
        (CeilingPeriod.PAST_DAYS, 10**9, TODAY, date.min),
    ],
)
def test_the_first_day_that_counts(period: CeilingPeriod, days: int, today: date, first: date) -> None:
    assert first_day(a_ceiling(1, period, days), today) == first


def test_without_ceilings_there_is_no_bound() -> None:
    assert room_left((), ((TODAY, points(5)),), TODAY) is None
    assert room_left((a_ceiling(0),), ((TODAY, points(5)),), TODAY) is None


def test_the_tightest_ceiling_decides() -> None:
    history = ((MONDAY, points(30)), (TODAY, points(5)))
    both = (a_ceiling(20), a_ceiling(40, CeilingPeriod.CALENDAR_WEEK))
    assert room_left(both, history, TODAY) == points(5)
    assert room_left(reversed(both), history, TODAY) == points(5)


def test_a_ceiling_that_was_passed_leaves_no_room_rather_than_less_than_none() -> None:
    assert room_left((a_ceiling(20),), ((TODAY, points(25)),), TODAY) == ZERO


def test_reversals_on_a_later_day_make_room_again() -> None:
    history = ((MONDAY, points(30)), (TODAY, points(-10)))
    assert room_left((a_ceiling(40, CeilingPeriod.CALENDAR_WEEK),), history, TODAY) == points(20)


def test_days_ahead_of_a_slow_clock_count() -> None:
    assert room_left((a_ceiling(20),), ((date(2026, 11, 23), points(15)),), TODAY) == points(5)
