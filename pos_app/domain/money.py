"""What points are worth: exact decimals, rounded to the currency's minor unit, half up (contract 2.7)."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from pos_app.domain.points import POINTS_MAX, NotANumberError, Points

_NO_MINOR_UNIT: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THOUSANDTHS_MINOR_UNIT: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def minor_digits(currency: str) -> int:
    """Say how many decimals amounts of an ISO 4217 currency have."""
    if currency in _NO_MINOR_UNIT:
        return 0
    return 3 if currency in _THOUSANDTHS_MINOR_UNIT else 2


class Rounding(StrEnum):
    """How a program rounds points worked out from money (contract section 10)."""

    HALF_UP = "half_up"
    HALF_DOWN = "half_down"
    HALF_EVEN = "half_even"
    FLOOR = "floor"
    CEILING = "ceiling"


_MODES: Final = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_DOWN: ROUND_HALF_DOWN,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.FLOOR: ROUND_FLOOR,
    Rounding.CEILING: ROUND_CEILING,
}


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round an amount to its currency's minor unit, half up."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), ROUND_HALF_UP)


def worth_of(points: Points, ratio: Decimal, currency: str) -> Decimal:
    """What `points` are worth: points times the ratio, rounded to the currency (2.7)."""
    return round_money(points.decimal * ratio, currency)


def points_for(value: Decimal, ratio: Decimal, decimals: int, rounding: Rounding) -> Points:
    """How many points pay for `value`, rounded to the program's decimals by its own rounding (2.7).

    Raises:
        NotANumberError: more than `POINTS_MAX`; no such number of points can be asked for.
    """
    exact = value / ratio
    if exact > POINTS_MAX:
        raise NotANumberError
    return Points.of(exact.quantize(Decimal(1).scaleb(-decimals), _MODES[rounding]))
