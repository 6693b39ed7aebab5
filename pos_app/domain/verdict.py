"""The answer of the rules: every reason against, what the points are worth, and what would pass."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from pos_app.domain.points import ZERO, Points
from pos_app.domain.refusals import Refusal


class Purpose(Enum):
    """A check moves nothing; a redemption also needs the proof the organisation demands (contract section 4)."""

    CHECK = "check"
    REDEEM = "redeem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """May she? `refusals` are all that apply, in the order of 2.8; none of them means yes.

    `worth` is in the base currency, None while the ratio is unknown. `points_after` is what the paying wallet
    keeps, None on a no. `nearest` are at most two amounts near the asked one that pass every rule, the lower
    first, given for BELOW_LEAST, ABOVE_MOST, NOT_A_MULTIPLE, BALANCE_TOO_LOW and CEILING_REACHED.
    """

    refusals: tuple[Refusal, ...] = ()
    points: Points = ZERO
    worth: Decimal | None = None
    ratio: Decimal | None = None
    points_after: Points | None = None
    nearest: tuple[Points, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Say whether nothing stands against it."""
        return not self.refusals
