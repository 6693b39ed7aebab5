"""What a ledger tells of family groups and of balances (contract 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pos_app.domain.answers import Identity
from pos_app.domain.points import ZERO, Points


class GroupStatus(StrEnum):
    """Only an ACTIVE family group may redeem; the form greys out the others (contract 6)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFound:
    """One line of a search: a family group and its primary member, None where she is not known any more."""

    group_id: int
    name: str = field(repr=False)
    external_id: str
    status: GroupStatus
    member_count: int
    """Active members."""
    primary: GroupMember | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """A person of a family group. `contributed` are points of hers that the family group may spend."""

    customer_id: int
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    identity: Identity = field(default_factory=Identity)
    is_primary: bool = False
    is_active: bool = True
    is_default: bool = False
    """Whether the family group is her own default one."""
    may_redeem: bool = True
    contributed: Points = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """Points of one program that expire at the end of one day."""

    points: Points
    expires_on: date
    program_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDetails:
    """A family group with all its members; `expiring` soonest first."""

    group_id: int
    name: str = field(repr=False)
    external_id: str
    status: GroupStatus
    members: tuple[GroupMember, ...]
    expiring: tuple[Expiring, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an owner of points has: `redeemable` counts now, `promised` not yet (contract 5).

    `program_id` None: summed over all programs. `owner_id` is a customer's or a family group's.
    """

    owner_id: int
    program_id: int | None
    redeemable: Points
    promised: Points
