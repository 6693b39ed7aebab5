"""A ledger in this process behind the port that the services know: training and tests, no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeVar

from pos_app.domain.answers import CancelAnswer, Capabilities, CheckAnswer, CodeAnswer, RedeemAnswer, ReverseAnswer
from pos_app.domain.commands import Cancel, Redeem, Reverse, SendCode
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.domain.trouble import NotAcceptedError, NotUnderstoodError, SlowDownError
from pos_app.ledger.book import Book
from pos_app.ledger.errors import LedgerBusyError, UnknownKeyError
from pos_app.ledger.local_sync import LocalSyncLedger
from pos_app.ledger.tills import Till

_Answer = TypeVar("_Answer", CheckAnswer, CodeAnswer, RedeemAnswer, ReverseAnswer)


class LocalLedger:
    """Implements `services.ports.Ledger` over a `Book`, as the till of one login; `sync` has the extension's calls.

    Same answers as through HTTP.
    """

    def __init__(self, book: Book, login: str) -> None:
        self._book = book
        self._login = login
        self.sync: Final = LocalSyncLedger(book, login)

    def is_up(self) -> bool:
        """Say whether the database answers."""
        return self._book.is_ready()

    def capabilities(self) -> Capabilities:
        """What the ledger can do."""
        with _told_as_trouble():
            return self._book.capabilities(self._till(in_any_state=True))

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """Look a customer up."""
        with _told_as_trouble():
            return self._book.find_customers(self._till(), [customer])[0]

    def program(self, program_id: int) -> Program | None:
        """A program with its rules."""
        with _told_as_trouble():
            return self._book.program(self._till(), program_id)

    def organisation(self) -> Organisation:
        """The organisation's switches."""
        with _told_as_trouble():
            return self._book.organisation(self._till())

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        """Ask whether points may be redeemed."""
        with _told_as_trouble():
            return self._seen(self._book.check(self._till(), request))

    def send_code(self, command: SendCode) -> CodeAnswer:
        """Send the customer a code."""
        with _told_as_trouble():
            return self._seen(self._book.send_code(self._till(), command))

    def redeem(self, command: Redeem) -> RedeemAnswer:
        """Redeem under the command's key."""
        with _told_as_trouble():
            return self._seen(self._book.redeem(self._till(), command))

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        """Make sure that a redemption does not stand; None from a ledger without the extension."""
        if not self._book.has_extension:
            return None
        with _told_as_trouble():
            return self._book.cancel(self._till(), command)

    def reverse(self, command: Reverse) -> ReverseAnswer:
        """Give points of a redemption back."""
        with _told_as_trouble():
            return self._seen(self._book.reverse(self._till(), command))

    def _till(self, *, in_any_state: bool = False) -> Till:
        """The till that calls; only what it can do is told one that is out of service."""
        till = self._book.find_till(self._login, in_any_state=in_any_state)
        if till is None:
            raise NotAcceptedError("this ledger has no such till")
        return till

    def _seen(self, answer: _Answer) -> _Answer:
        """An answer as it looks from outside: without the extension where the ledger offers none."""
        return answer if self._book.has_extension else replace(answer, extension=None)


@contextmanager
def _told_as_trouble() -> Iterator[None]:
    """Say the ledger's failures in the words of the port."""
    try:
        yield
    except LedgerBusyError as error:
        raise SlowDownError from error
    except UnknownKeyError as error:
        raise NotUnderstoodError("the ledger knows this key from another till") from error
