"""Leases: a till's bounded right to spend a wallet's points without a line (reliability 4.3, sync-api 6).

The ledger sets points aside, the till spends of them and settles later. Whatever the till does, the ledger takes no
more than what it set aside; so a wallet cannot be overdrawn, and no clock is needed to be sure of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pos_app.domain.points import ZERO, Points, total


class OwnerKind(StrEnum):
    """Whose wallet it is (sync-api 5)."""

    CUSTOMER = "customer"
    FAMILY_GROUP = "family_group"


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """A customer or a family group, by its number."""

    kind: OwnerKind
    owner_id: int


class LeaseState(StrEnum):
    """Where a lease stands. RECLAIMED is the ledger's alone."""

    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    RECLAIMED = "RECLAIMED"


class NoLease(StrEnum):
    """Why the ledger gives none (sync-api 6). None of them is an error."""

    OFFLINE_OFF = "offline_off"
    REDEMPTIONS_OFF = "redemptions_off"
    NOTHING_AVAILABLE = "nothing_available"
    WALLET_PAUSED = "wallet_paused"
    BLOCKED = "blocked"
    CONTACT_CHANGED = "contact_changed"
    NOT_REGISTERED = "not_registered"
    HELD_ELSEWHERE = "held_elsewhere"
    ALREADY_OPEN = "already_open"


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a lease may take from one lot, in the order of spending; `usable_until` is when the lot expires."""

    wallet_id: int
    lot_id: int
    points: Points
    usable_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as the ledger signed it (sync-api 6)."""

    lease_id: str
    till: str
    till_epoch: int
    owner: Owner
    customer_ids: tuple[int, ...]
    program_id: int
    amount: Points
    allocations: tuple[Allocation, ...]
    granted_at: datetime
    expires_at: datetime
    term_s: int
    settle_until: datetime
    signature: str = field(repr=False)

    def usable_at(self, moment: datetime) -> Points:
        """The points of its lots that have not expired at `moment`: what could be spent if nothing was spent yet."""
        return total(
            each.points for each in self.allocations if each.usable_until is None or moment < each.usable_until
        )


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A lease that is given back, and all that was ever spent of it (sync-api 6)."""

    lease_id: str
    final_spent: Points = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRequest:
    """A wish for a lease. The same `request_id` gets the same lease, also after it closed."""

    request_id: str
    owner: Owner
    program_id: int
    wanted: Points | None = None
    give_back: tuple[GiveBack, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseResult:
    """The answer to one request: a lease, or why there is none."""

    request_id: str
    lease: Lease | None = None
    reason: NoLease | None = None


@dataclass(frozen=True, slots=True)
class Freed:
    """What giving a lease back freed, and what stays held until its spends arrive (sync-api 6)."""

    lease_id: str
    freed: Points
    still_held: Points
