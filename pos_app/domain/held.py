"""What a till keeps of a lease it holds (reliability 4.1, 4.3): enough to redeem without line and without cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pos_app.domain.leases import Lease, LeaseState, Owner
from pos_app.domain.points import ZERO, Points
from pos_app.domain.request import CustomerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLease:
    """A request for a lease that was committed before it was first sent; a retry keeps its id and its moment.

    `boot` names the run of the machine's monotonic clock that `asked_mono` belongs to; after a restart only the wall
    clock is left (reliability 4.3, Clocks).
    """

    request_id: str
    owner: Owner
    program_id: int
    customer_id: int
    customer_label: str = field(repr=False)
    identifiers: tuple[CustomerRef, ...] = field(default=(), repr=False)
    """How she can be found while the cache is gone."""
    asked_wall: datetime
    asked_mono: float
    boot: str
    renews: str | None = None
    """The lease that is given back with this request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLease:
    """A lease this till got, and what it spent of it. OPEN may be spent, CLOSING is being given back."""

    lease: Lease
    asked: AskedLease
    state: LeaseState = LeaseState.OPEN
    spent: Points = ZERO

    @property
    def left(self) -> Points:
        """What may still be spent, expiry of its lots apart; zero once it is no longer open."""
        return self.lease.amount - self.spent if self.state is LeaseState.OPEN else ZERO


PIN_TRIES_MAX: Final = 5
"""Wrong PINs in a row without a line; then that operator needs the line (sync-api 4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOperator:
    """What a till keeps of an operator who proved her PIN here, so that she can sign in without a line (sync-api 4.2).

    `pin_hash` is this till's own Argon2id hash, `token` the ledger's last word for her. Both are None once the tries
    are used up.
    """

    operator_id: int
    name: str = field(repr=False)
    role: str
    pin_hash: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    proved_at: datetime
    not_after: datetime
    tries_left: int = PIN_TRIES_MAX
