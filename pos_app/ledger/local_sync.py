"""The extension's calls of a ledger in this process: training and tests, no network (sync-api 3 to 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pos_app.domain.answers import Capabilities, SignedIn
from pos_app.domain.commands import ChangePin, Enrol, SignIn
from pos_app.domain.feed import ChangesPage, CustomerRows, Heartbeat, HeartbeatAnswer, Scope, SnapshotPage
from pos_app.domain.leases import Freed, GiveBack, LeaseRequest, LeaseResult, Owner
from pos_app.domain.request import CustomerRef
from pos_app.domain.settling import SettleAnswer, Spend
from pos_app.domain.trouble import NotAcceptedError, SlowDownError, SyncRefusedError, WrongAddressError
from pos_app.ledger.book import Book
from pos_app.ledger.errors import ConflictError, ForbiddenError, GoneError, LedgerBusyError, TillStateError
from pos_app.ledger.staff import enrolment, operators
from pos_app.ledger.tills import Till
from pos_app.wire.settling import ReceivedSpend
from pos_app.wire.sync import read_sync_refusal, write_sync_error


class LocalSyncLedger:
    """Implements `services.sync_port.SyncLedger` over a `Book`, as the till of one login."""

    def __init__(self, book: Book, login: str) -> None:
        self._book = book
        self._login = login

    def enrol(self, command: Enrol) -> Capabilities:
        """Make this till's key known."""
        with self._as_till(in_any_state=True) as till:
            return self._book.capabilities(enrolment.enrol(self._book.tools, till, command))

    def sign_in(self, command: SignIn) -> SignedIn:
        """Prove an operator's PIN."""
        with self._as_till() as till:
            return operators.sign_in(self._book.tools, till, command)

    def change_pin(self, command: ChangePin) -> None:
        """Change an operator's PIN."""
        with self._as_till() as till:
            operators.change_pin(self._book.tools, till, command)

    def snapshot(self, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        """One page of all rows."""
        with self._as_till() as till:
            return self._book.snapshot(till, scope, page, limit)

    def changes(self, cursor: str, limit: int = 500) -> ChangesPage:
        """What changed after a cursor."""
        with self._as_till() as till:
            return self._book.changes(till, cursor, limit)

    def customer_rows(self, customer: CustomerRef) -> CustomerRows | None:
        """The feed's rows of one customer; None: nobody has this identifier."""
        with self._as_till() as till:
            return self._book.customer_rows(till, customer)

    def regulars(self) -> Sequence[tuple[Owner, int]]:
        """Owners with a program that this store sees often."""
        with self._as_till() as till:
            return self._book.regulars(till)

    def lease(self, till_epoch: int, requests: Sequence[LeaseRequest]) -> Sequence[LeaseResult]:
        """Ask for leases, answered in the same order."""
        with self._as_till() as till:
            return self._book.lease(till, till_epoch, requests)

    def close_leases(self, till_epoch: int, given_back: Sequence[GiveBack]) -> Sequence[Freed]:
        """Give leases back."""
        with self._as_till() as till:
            return self._book.close_leases(till, till_epoch, given_back)

    def settle(self, till_epoch: int, spends: Sequence[Spend]) -> SettleAnswer:
        """Tell of redemptions made without a line."""
        with self._as_till(in_any_state=True) as till:
            return self._book.settle(till, till_epoch, tuple(map(ReceivedSpend.of, spends)))

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        """Say how this till is, and hear what the ledger wants of it."""
        with self._as_till() as till:
            return self._book.heartbeat(till, beat)

    @contextmanager
    def _as_till(self, *, in_any_state: bool = False) -> Iterator[Till]:
        """The till that calls; what the ledger fails with is said in the words of the port.

        `in_any_state`: also while head office took it out of service.
        """
        if not self._book.has_extension:
            raise WrongAddressError("the service has no sync extension")
        try:
            till = self._book.find_till(self._login, in_any_state=True)
            if till is None:
                raise NotAcceptedError("this ledger has no such till")
            if till.is_blocked and not in_any_state:
                raise TillStateError(f"till_{till.state.lower()}")
            yield till
        except ForbiddenError as error:
            raise _refused(403, error.reason, error.more) from error
        except ConflictError as error:
            raise _refused(409, error.reason, error.more) from error
        except GoneError as error:
            raise _refused(410, error.reason, {}) from error
        except LedgerBusyError as error:
            raise SlowDownError from error


def _refused(status: int, reason: str, more: dict[str, object]) -> SyncRefusedError:
    """The ledger's no, with what goes beside it in the types a till reads."""
    told = read_sync_refusal(write_sync_error(status, reason, "", more=more))
    return SyncRefusedError(reason, None if told is None else told[1])
