"""The extension's calls behind the practice line's switch: off, nothing arrives and nothing comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pos_app.domain.answers import Capabilities, SignedIn
from pos_app.domain.commands import ChangePin, Enrol, SignIn
from pos_app.domain.feed import ChangesPage, CustomerRows, Heartbeat, HeartbeatAnswer, Scope, SnapshotPage
from pos_app.domain.leases import Freed, GiveBack, LeaseRequest, LeaseResult, Owner
from pos_app.domain.request import CustomerRef
from pos_app.domain.settling import SettleAnswer, Spend
from pos_app.services.sync_port import SyncLedger

Answer = TypeVar("Answer")


class Through(Protocol):
    """Asks a ledger behind a line that may be switched off: then it raises LineDownError."""

    def __call__(self, ask: Callable[[], Answer], /) -> Answer:
        """The answer."""
        ...


class SwitchedSync:
    """A `SyncLedger` in front of another one."""

    def __init__(self, sync: SyncLedger, through: Through, on_found: Callable[[str], None]) -> None:
        """`on_found` hears the mobile number of each customer who was looked up."""
        self._sync = sync
        self._through = through
        self._on_found = on_found

    def enrol(self, command: Enrol) -> Capabilities:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.enrol(command))

    def sign_in(self, command: SignIn) -> SignedIn:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.sign_in(command))

    def change_pin(self, command: ChangePin) -> None:
        """As the ledger behind the line."""
        self._through(lambda: self._sync.change_pin(command))

    def snapshot(self, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.snapshot(scope, page, limit))

    def changes(self, cursor: str, limit: int = 500) -> ChangesPage:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.changes(cursor, limit))

    def customer_rows(self, customer: CustomerRef) -> CustomerRows | None:
        """As the ledger behind the line."""
        rows = self._through(lambda: self._sync.customer_rows(customer))
        if isinstance(rows, CustomerRows):
            told = next((each.row for each in rows.items if each.type == "customer"), None) or {}
            self._on_found(str(told.get("mobile") or ""))
        return rows

    def regulars(self) -> Sequence[tuple[Owner, int]]:
        """As the ledger behind the line."""
        return self._through(self._sync.regulars)

    def lease(self, till_epoch: int, requests: Sequence[LeaseRequest]) -> Sequence[LeaseResult]:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.lease(till_epoch, requests))

    def close_leases(self, till_epoch: int, given_back: Sequence[GiveBack]) -> Sequence[Freed]:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.close_leases(till_epoch, given_back))

    def settle(self, till_epoch: int, spends: Sequence[Spend]) -> SettleAnswer:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.settle(till_epoch, spends))

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        """As the ledger behind the line."""
        return self._through(lambda: self._sync.heartbeat(beat))
