"""How much one lease gets, and from which lots (reliability 4.3, "Size" and "Points expiry")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR

from pos_app.domain.ceilings import room_left
from pos_app.domain.facts import Criteria, Program
from pos_app.domain.points import THOUSANDTHS, ZERO, Points
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.rulebook import OrganisationRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What there is to lend: what is available, what others hold, and what was redeemed lately, day by day."""

    available: Points
    held: Points
    redeemed_days: Sequence[tuple[date, Points]]
    today: date


def size_of(
    settings: LeaseSettings, program: Program, criteria: Criteria, purse: Purse, wanted: Points | None = None
) -> Points:
    """`floor_mult(min(cap, phi x available))`, within twice the most of one redemption and the ceilings' room.

    What other leases of the wallet hold counts as redeemed under every ceiling: it may be, any moment. Less than one
    redemption needs is nothing: it would only keep the points from everybody.
    """
    bounds = [settings.cap, _part(settings, purse.available)]
    if criteria.maximum is not None:
        bounds.append(criteria.maximum + criteria.maximum)
    room = room_left(criteria.ceilings, purse.redeemed_days, purse.today)
    if room is not None:
        bounds.append(room - purse.held)
    if wanted is not None:
        bounds.append(wanted)
    size = _floored(min(bounds), criteria.multiple_of or _smallest(program))
    least = criteria.minimum or ZERO
    return size if size > ZERO and size >= least else ZERO


def _part(settings: LeaseSettings, available: Points) -> Points:
    part = available.thousandths * settings.phi
    return Points(int(part.to_integral_value(ROUND_FLOOR)))


def _smallest(program: Program) -> Points:
    """The smallest number of points a program shows: a lease has no crumbs nobody could type."""
    return Points(THOUSANDTHS // 10 ** min(program.decimals, 3))


def _floored(points: Points, step: Points) -> Points:
    if points <= ZERO:
        return ZERO
    return Points(points.thousandths - points.thousandths % step.thousandths)


def usable_until(rules: OrganisationRules, expires_on: str | None) -> datetime | None:
    """The moment a lot expires: the end of its day in the organisation's time zone; None: never."""
    if expires_on is None:
        return None
    try:
        day_after = date.fromisoformat(expires_on) + timedelta(days=1)
        return datetime(day_after.year, day_after.month, day_after.day, tzinfo=rules.zone).astimezone(UTC)
    except OverflowError:
        return None  # The last day there is.
