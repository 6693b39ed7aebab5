"""What a till asks of a ledger that offers the extension (sync-api 3 to 9). `gateway` and a `Book` in process offer it.

Every call here is safe to repeat: by key, by request id, or because it states a fact. All raise the troubles of
`Ledger.redeem`; and SyncRefusedError with the ledger's word where it surely said no.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pos_app.domain.answers import Capabilities, SignedIn
from pos_app.domain.commands import ChangePin, Enrol, SignIn
from pos_app.domain.feed import ChangesPage, CustomerRows, Heartbeat, HeartbeatAnswer, Scope, SnapshotPage
from pos_app.domain.leases import Freed, GiveBack, LeaseRequest, LeaseResult, Owner
from pos_app.domain.request import CustomerRef
from pos_app.domain.settling import SettleAnswer, Spend
from pos_app.services.ports import Ledger


class SyncLedger(Protocol):
    """The extension's calls."""

    def enrol(self, command: Enrol) -> Capabilities:
        """Make this till's key known (sync-api 4.1); the answer has the new till epoch.

        Raises:
            SyncRefusedError: `enrolment_code_needed`, `enrolment_code_wrong`, `till_disabled`.
        """
        ...

    def sign_in(self, command: SignIn) -> SignedIn:
        """Prove an operator's PIN (sync-api 4.2).

        Raises:
            SyncRefusedError: `pin_wrong` (`tries_left`), `operator_locked` (`until`), `operator_unknown`.
        """
        ...

    def change_pin(self, command: ChangePin) -> None:
        """Change an operator's PIN (sync-api 4.2)."""
        ...

    def snapshot(self, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        """One page of all rows (sync-api 5).

        Raises:
            SyncRefusedError: `page_expired`: begin again.
        """
        ...

    def changes(self, cursor: str, limit: int = 500) -> ChangesPage:
        """What changed after a cursor (sync-api 5).

        Raises:
            SyncRefusedError: `cursor_too_old`, `epoch_changed`, `scope_changed`: take a new snapshot.
        """
        ...

    def customer_rows(self, customer: CustomerRef) -> CustomerRows | None:
        """The feed's rows of one customer; None: nobody has this identifier (sync-api 5)."""
        ...

    def regulars(self) -> Sequence[tuple[Owner, int]]:
        """Owners with a program that this store sees often (sync-api 6)."""
        ...

    def lease(self, till_epoch: int, requests: Sequence[LeaseRequest]) -> Sequence[LeaseResult]:
        """Ask for leases, at most 100, answered in the same order (sync-api 6).

        Raises:
            SyncRefusedError: `not_enrolled`, `stale_till_epoch`, `till_frozen`, `till_lost`, `till_disabled`.
        """
        ...

    def close_leases(self, till_epoch: int, given_back: Sequence[GiveBack]) -> Sequence[Freed]:
        """Give leases back (sync-api 6)."""
        ...

    def settle(self, till_epoch: int, spends: Sequence[Spend]) -> SettleAnswer:
        """Tell of redemptions made without a line, at most 100, by `seq` (sync-api 7).

        Raises:
            SyncRefusedError: `gap` (`next_seq`): send from there.
        """
        ...

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        """Say how this till is, and hear what the ledger wants of it (sync-api 9)."""
        ...


class SyncingLedger(Ledger, Protocol):
    """A ledger with the extension's calls beside it; a service without the extension refuses them."""

    @property
    def sync(self) -> SyncLedger:
        """The extension's calls."""
        ...
