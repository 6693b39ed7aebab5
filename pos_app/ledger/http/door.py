"""The door: every call but health proves who it is, and may not come too often (contract 2.8, step 1)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from pos_app.ledger.book import Book
from pos_app.ledger.errors import TillChangedError
from pos_app.ledger.http.call import Call
from pos_app.ledger.http.login import read_login
from pos_app.ledger.http.rate import RateLimit
from pos_app.ledger.http.troubles import NotAuthenticatedError
from pos_app.ledger.tills import Till


class Door:
    """Lets tills in."""

    def __init__(self, book: Book, rate: RateLimit | None) -> None:
        self._book = book
        self._rate = rate

    def let_in(
        self, call: Call, authorization: str | None, work: Callable[[Till], None], *, in_any_state: bool = False
    ) -> None:
        """Do `work` for the till that calls; from here on the log names it.

        `in_any_state`: also for a till that is disabled or marked lost.

        Raises:
            NotAuthenticatedError: no login, or a wrong one.
            TillStateError: the till is disabled or marked lost.
            TooManyError: it asks more often than it may.
            Exception: whatever `work` raises.
        """
        till = self._admit(call, authorization, in_any_state)
        with suppress(TillChangedError):
            return work(till)
        # Her entry has just changed, and nothing was done yet.
        return work(self._admit(call, authorization, in_any_state))

    def _admit(self, call: Call, authorization: str | None, in_any_state: bool) -> Till:
        login = read_login(authorization)
        till = None if login is None else self._book.till(*login, in_any_state=in_any_state)
        if till is None:
            raise NotAuthenticatedError
        call.login = till.login
        if self._rate is not None:
            self._rate.take(till.login, call.started)
        return till
