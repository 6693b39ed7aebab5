"""The door: every call but health proves who it is, and may not come too often (contract 2.8, step 1)."""

from __future__ import annotations

from pos_app.ledger.book import Book
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

    def admit(self, call: Call, authorization: str | None) -> Till:
        """The till that calls; from here on the log names it.

        Raises:
            NotAuthenticatedError: no login, or a wrong one.
            TooManyError: it asks more often than it may.
        """
        login = read_login(authorization)
        till = None if login is None else self._book.till(*login)
        if till is None:
            raise NotAuthenticatedError
        call.login = till.login
        if self._rate is not None:
            self._rate.take(till.login, call.started)
        return till
