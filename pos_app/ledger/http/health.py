"""Is the ledger there, is it able to work? Without a login, and without a word about anybody (sync-api 12)."""

from __future__ import annotations

import falcon

from pos_app.ledger.book import Book
from pos_app.ledger.http.call import CALL

OK = b'{"status": "ok"}'
NO_DATABASE = b'{"status": "database"}'


class Healthz:
    """The line probe of the tills: answers without touching the database."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say that the process answers."""
        req.env[CALL].route = "/healthz"
        resp.data = OK


class Readyz:
    """For load balancers: says whether the database can be read."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say 200, or 503 when the database does not answer."""
        req.env[CALL].route = "/readyz"
        if self._book.is_ready():
            resp.data = OK
        else:
            resp.status = falcon.HTTP_503
            resp.data = NO_DATABASE
