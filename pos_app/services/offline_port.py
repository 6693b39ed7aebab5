"""What working without a line needs of the journal (reliability 4.1 to 4.3, 4.7). `SqlJournal` keeps it all.

Each method is one durable commit, or none: StorageError means that nothing was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pos_app.domain.held import AskedLease, HeldLease, KeptOperator
from pos_app.domain.leases import GiveBack, Lease, LeaseState
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.settling import Spend
from pos_app.services.ports import Journal

Seal = Callable[[int, str], Spend]
"""Makes the row to be settled of its number in the chain and the hash before it, hashed and signed."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where the chain of one till epoch stands: the last number given, and its hash."""

    till_epoch: int
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the till's audit chain: how many rows, and the hash of the last (reliability 4.7)."""

    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class PassUse:
    """A pass that confirms a spend: what is spent under one nonce stays within `at_most` (sync-api 10)."""

    nonce: str = field(repr=False)
    at_most: Points


class JournalState(StrEnum):
    """How the journal's file is (reliability 5.2, `status`)."""

    OK = "ok"
    DAMAGED = "damaged"
    MISSING = "missing"
    FULL = "full"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """How the journal's file is; what was set aside and exported when it was damaged, as paths.

    DAMAGED and MISSING last until this till is enrolled again; until then nothing is spent without a line.
    """

    state: JournalState = JournalState.OK
    set_aside: str | None = None
    export: str | None = None
    message: str = ""
    """What a supervisor must know, in a sentence or two; empty when all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A decision, as the audit chain keeps it. Nothing in it is personal but an operator's number."""

    number: int
    at: datetime
    act: str
    who: int | None
    target: str
    detail: dict[str, object]
    prev_hash: str
    hash: str


class OfflineJournal(Protocol):
    """Leases, the settle chain, the clock's mark and the audit."""

    # --- Leases -----------------------------------------------------------------------------------------------------

    def ask_lease(self, asked: AskedLease) -> None:
        """Keep a request for a lease before it is first sent; with `renews` that lease becomes CLOSING, at once."""
        ...

    def asked_leases(self) -> Sequence[AskedLease]:
        """Requests that have no answer yet, oldest first."""
        ...

    def answer_lease(self, request_id: str, lease: Lease | None) -> None:
        """Keep what the ledger answered; None: it gave none. The request is answered, its lease OPEN."""
        ...

    def leases(self, *, with_closed: bool = False) -> Sequence[HeldLease]:
        """Leases that are OPEN or CLOSING, oldest first."""
        ...

    def lease(self, lease_id: str) -> HeldLease:
        """One lease. Raises KeyError when there is none."""
        ...

    def mark_lease(self, lease_id: str, state: LeaseState) -> None:
        """CLOSING: never spent again. CLOSED: the ledger was told. A lease never goes back.

        A closed one forgets how its customer can be found and is called.
        """
        ...

    # --- Redemptions ------------------------------------------------------------------------------------------------

    def add_closing(self, redemption: Redemption, given_back: Sequence[GiveBack]) -> None:
        """Keep a new redemption and make the leases it gives back CLOSING, in one commit (4.3, redeem while holding).

        The leases stand in the row's commit so that every copy sends the same ones: see `given_back`.
        """
        ...

    def given_back(self, key: str) -> Sequence[GiveBack]:
        """The leases that the redemption under this key gives back, as `add_closing` kept them."""
        ...

    def spend(self, redemption: Redemption, seal: Seal, pass_use: PassUse | None = None) -> Redemption:
        """Keep a redemption that is made here and now (LOCAL_DONE), in one commit (crash point C10).

        The row, its place in the chain, and for a lease `spent` raised. Returns it as it was committed. `seal` is
        called within the commit and must not call the journal.

        Raises:
            StorageError: nothing was spent.
            ValueError: the lease is not OPEN or has not so much left (I4), the pass has not, or spending is blocked
                (`offline_blocked`); nothing was spent.
        """
        ...

    def pass_spent(self, nonce: str) -> Points:
        """What was spent under a pass so far."""
        ...

    def sealed(self, key: str) -> Spend:
        """The row to be settled of a redemption that was made here, as it was sealed. KeyError: there is none."""
        ...

    def epoch_of(self, key: str) -> int:
        """The till epoch a sealed row belongs to: it is sent under that one. KeyError: there is none."""
        ...

    def sealed_from(self, till_epoch: int, seq: int, limit: int) -> Sequence[Spend]:
        """Sealed rows of an epoch from a number on, by number: what a `gap` asks for again."""
        ...

    def seal_online(self, key: str, seal: Seal) -> Spend:
        """Give a confirmed redemption a place in the chain, to offer it to a ledger that was restored (4.4).

        One that has a place keeps it. A row made here whose sealed row was lost with a damaged journal gets a new one.

        Raises:
            KeyError: no such redemption.
            ValueError: the journal is blocked: its chain may have lost its end (`offline_blocked`).
        """
        ...

    def chain_head(self) -> ChainHead:
        """Where the chain stands; number 0 and 64 zeros before the first row of an epoch."""
        ...

    def begin_epoch(self, till_epoch: int) -> None:
        """A new enrolment: the chain begins anew; rows of the old epoch keep their numbers and are still sent.

        A greater epoch also ends `offline_blocked`. The same again changes nothing.

        Raises:
            ValueError: it is an older epoch.
        """
        ...

    def confirmed_since(self, moment: datetime) -> Sequence[Redemption]:
        """CONFIRMED, SETTLED and SETTLED_SHORT rows changed since then, oldest first (4.4, a restored ledger)."""
        ...

    def ended_since(self, moment: datetime) -> Sequence[Redemption]:
        """What a restored ledger must hear of again: confirmed, settled and cancelled rows, oldest first (4.4).

        Those changed since `moment`, and the newest 1,000 whatever their date: a clock may have stood far behind.
        """
        ...

    def attention(self) -> Sequence[Redemption]:
        """Rows a supervisor must decide about, oldest first, without those that were decided (`closed_by`).

        PARKED, SETTLED_SHORT, REFUSED when the outbox sent it, and UNKNOWN that is no longer sent by itself.
        """
        ...

    def day_rows(self, since: datetime) -> Sequence[Redemption]:
        """All rows begun or changed since then, oldest first: the end-of-day report."""
        ...

    def mark_printed(self, key: str, at: datetime) -> Redemption:
        """Note that its receipt was printed. Raises KeyError when there is no such row."""
        ...

    def close_row(self, key: str, closed_by: str) -> Redemption:
        """Note what a supervisor decided of a row that needed attention. Raises KeyError."""
        ...

    def spent_today(self, customer_id: int, program_id: int, since: datetime) -> Points:
        """What this till redeemed of a customer since then by itself, settled or not (ceilings and risk caps)."""
        ...

    # --- The clock, the audit, the operators ------------------------------------------------------------------------

    def high_water(self) -> datetime | None:
        """The latest moment this till has seen, None on a new one; each commit raises it (4.3, Clocks)."""
        ...

    def mark_clock(self, wall: datetime, *, rebase: bool = False) -> None:
        """Raise the mark; `rebase` sets it, also back, to a moment the ledger told."""
        ...

    def note(self, act: str, who: int | None, target: str, detail: dict[str, object]) -> None:
        """Append a decision to the audit chain; never anything personal."""
        ...

    def audit_head(self) -> AuditHead:
        """The end of the audit chain."""
        ...

    def audit_rows(self, after: int = 0, limit: int = 1000) -> Sequence[AuditRow]:
        """Decisions after a number, by number."""
        ...

    def keep_operator(self, operator: KeptOperator) -> None:
        """Keep an operator who proved her PIN, in place of what was kept of her before."""
        ...

    def operator(self, operator_id: int) -> KeptOperator | None:
        """What is kept of an operator; None: she never proved her PIN here."""
        ...

    def take_pin_try(self, operator_id: int) -> KeptOperator | None:
        """Count a try before the PIN is compared, so that no kill undoes it; None: no try is left, or nothing is kept.

        The last try drops hash and token from the journal; the value returned still has them. A right PIN is kept
        again by `keep_operator`, which gives all tries back.
        """
        ...

    def forget_operator(self, operator_id: int) -> None:
        """Drop what is kept of an operator."""
        ...

    # --- The file ---------------------------------------------------------------------------------------------------

    def health(self) -> JournalHealth:
        """How the file is."""
        ...

    def offline_blocked(self) -> str | None:
        """Why nothing may be spent without a line until this till is enrolled again (4.8); None: it may."""
        ...

    def recover(self) -> bool:
        """Look whether a full disk has room again; True: it has, and the reserve is whole."""
        ...


class TillJournal(Journal, OfflineJournal, Protocol):
    """All that one journal keeps."""
