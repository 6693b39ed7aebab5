"""Exact points: a whole number of thousandths, never a float (contract 1.4, house decision 1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

THOUSANDTHS: Final = 1000
POINTS_MAX: Final = 10**12
"""More points than this in one question is a slip of the finger or an attack, never a redemption."""

_THOUSANDTH: Final = Decimal("0.001")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


class NotANumberError(ValueError):
    """The text is no plain decimal number, or an absurdly large one."""


class TooFineError(ValueError):
    """The number has more than three decimals that matter (code 878)."""


def read_decimal(text: str) -> Decimal:
    """Read a plain decimal: a sign and spaces around are fine, separators and exponents are not (2.2).

    Raises:
        NotANumberError: anything else, and numbers of more than forty characters.
    """
    trimmed = text.strip()
    if len(trimmed) > 40 or not _NUMBER.fullmatch(trimmed):
        raise NotANumberError
    return Decimal(trimmed)


@dataclass(frozen=True, order=True, slots=True)
class Points:
    """A number of points, exact to a thousandth. May be negative as a difference, never as a request."""

    thousandths: int

    @classmethod
    def of(cls, count: int | str | Decimal) -> Points:
        """Make points of a whole number, a decimal or its text.

        Raises:
            NotANumberError: not a finite plain number, or beyond `POINTS_MAX`.
            TooFineError: more than three decimals.
        """
        if isinstance(count, bool):
            raise NotANumberError
        if isinstance(count, int):
            number = Decimal(count)
        elif isinstance(count, str):
            number = read_decimal(count)
        else:
            number = count
        if not number.is_finite() or abs(number) > POINTS_MAX:
            raise NotANumberError
        exact = number.quantize(_THOUSANDTH)
        if exact != number:  # Comparing decimals never rounds, unlike multiplying them.
            raise TooFineError
        return cls(int(exact.scaleb(3)))

    @property
    def decimal(self) -> Decimal:
        """The same number as an exact decimal without needless zeros."""
        whole, rest = divmod(abs(self.thousandths), THOUSANDTHS)
        sign = "-" if self.thousandths < 0 else ""
        return Decimal(f"{sign}{whole}.{rest:03d}".rstrip("0").rstrip("."))

    def is_multiple_of(self, step: Points) -> bool:
        """Say whether this is an exact multiple of `step`; a step of zero is no rule (section 10)."""
        return step.thousandths == 0 or self.thousandths % step.thousandths == 0

    def __add__(self, other: Points) -> Points:
        return Points(self.thousandths + other.thousandths)

    def __sub__(self, other: Points) -> Points:
        return Points(self.thousandths - other.thousandths)

    def __bool__(self) -> bool:
        return self.thousandths != 0

    def __str__(self) -> str:
        """Plain text as our own JSON carries it: `120`, `12.5` (sync-api 1)."""
        count = self.thousandths
        return f"{self.decimal:f}" if count % THOUSANDTHS else str(count // THOUSANDTHS)


ZERO: Final = Points(0)


def total(amounts: Iterable[Points]) -> Points:
    """Add up any number of points."""
    return Points(sum(each.thousandths for each in amounts))
