"""How much may still be redeemed under ceilings over time (contract section 10, import format)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pos_app.domain.facts import Ceiling, CeilingPeriod
from pos_app.domain.points import ZERO, Points


def first_day(ceiling: Ceiling, today: date) -> date:
    """The first day a ceiling counts: weeks begin on Monday, N past days are today and the N-1 before."""
    match ceiling.period:
        case CeilingPeriod.DAY:
            back = 0
        case CeilingPeriod.CALENDAR_WEEK:
            back = today.weekday()
        case CeilingPeriod.CALENDAR_MONTH:
            back = today.day - 1
        case _:  # PAST_DAYS
            back = max(ceiling.days - 1, 0)
    return date.fromordinal(max(today.toordinal() - back, 1))


def room_left(ceilings: Iterable[Ceiling], redeemed_days: Iterable[tuple[date, Points]], today: date) -> Points | None:
    """The most that may still be redeemed under all `ceilings`; None when there is no such rule.

    It is never negative. A ceiling of zero is no rule. Days after `today` count: the clock of a till may lag, and
    too strict is the safer fault.
    """
    room: int | None = None
    for ceiling in ceilings:
        limit = ceiling.points.thousandths
        if limit == 0:
            continue
        start = first_day(ceiling, today)
        left = limit - sum(points.thousandths for day, points in redeemed_days if day >= start)
        room = left if room is None else min(room, left)
    if room is None:
        return None
    return Points(room) if room > 0 else ZERO
