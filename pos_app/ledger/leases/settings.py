"""Settings `lease.*` and `late_settle.*` of the ledger's settings file (reliability 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pos_app.domain.points import NotANumberError, Points, TooFineError
from pos_app.ledger.rulebook import EPOCH_START

NAMES: Final = frozenset(
    {
        "lease.phi",
        "lease.cap",
        "lease.term_s",
        "lease.settle_window_s",
        "lease.strict",
        "late_settle.charge_available",
    }
)
TERM_MAX_S: Final = 7 * 24 * 3600
WINDOW_MAX_S: Final = 366 * 24 * 3600
NEVER: Final = EPOCH_START.replace(year=9999, month=12, day=31)
"""Until when a lease is held in strict mode."""


class BadLeaseSettingError(ValueError):
    """A setting of leases cannot be used; the message is a sentence without its full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """How much tills get, and for how long; the same for every organisation of a ledger."""

    phi: Decimal = Decimal("0.8")
    """`lease.phi`: the part of what is available that one lease may take."""
    cap: Points = Points(500_000)
    """`lease.cap`: the most points of one lease."""
    term_s: int = 8 * 3600
    """`lease.term_s`: how long a till may spend, in seconds."""
    settle_window_s: int = 72 * 3600
    """`lease.settle_window_s`: how much longer the ledger waits for what was spent, in seconds."""
    strict: bool = False
    """`lease.strict`: nothing is ever reclaimed by itself; an administrator writes a lost till's points off."""
    charge_available: bool = True
    """`late_settle.charge_available`: what comes after reclaiming is charged to free points before the store loses."""

    def settle_until(self, expires_at: datetime) -> datetime:
        """Until when the ledger holds what a lease that expires then has not settled."""
        return NEVER if self.strict else expires_at + timedelta(seconds=self.settle_window_s)

    @classmethod
    def read(cls, named: Mapping[str, Any]) -> LeaseSettings:
        """Read settings by their dotted names; others than `NAMES` are not looked at.

        Raises:
            BadLeaseSettingError: one of them cannot be used.
        """
        plain = cls()
        return cls(
            phi=_part("lease.phi", named.get("lease.phi", plain.phi)),
            cap=_points("lease.cap", named.get("lease.cap", plain.cap)),
            term_s=_seconds("lease.term_s", named.get("lease.term_s", plain.term_s), 60, TERM_MAX_S),
            settle_window_s=_seconds(
                "lease.settle_window_s", named.get("lease.settle_window_s", plain.settle_window_s), 0, WINDOW_MAX_S
            ),
            strict=_flag("lease.strict", named.get("lease.strict", plain.strict)),
            charge_available=_flag(
                "late_settle.charge_available", named.get("late_settle.charge_available", plain.charge_available)
            ),
        )


def _part(name: str, value: object) -> Decimal:
    try:
        # A number of TOML comes as a float; its shortest text is what the administrator wrote.
        part = Decimal(str(value)) if isinstance(value, int | float | str | Decimal) else None
    except InvalidOperation:
        part = None
    if part is None or isinstance(value, bool) or not part.is_finite() or not 0 < part <= 1:
        raise BadLeaseSettingError(f"{name} must be a number above 0 and at most 1, such as 0.8")
    return part


def _points(name: str, value: object) -> Points:
    if isinstance(value, Points):
        return value
    try:
        points = Points.of(value) if isinstance(value, int | str) else None
    except (NotANumberError, TooFineError):
        points = None
    if points is None or points.thousandths <= 0:
        raise BadLeaseSettingError(f"{name} must be a number of points above zero, as a whole number or as text")
    return points


def _seconds(name: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadLeaseSettingError(f"{name} must be a whole number of seconds from {least} to {most}")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadLeaseSettingError(f"{name} must be true or false")
    return value
