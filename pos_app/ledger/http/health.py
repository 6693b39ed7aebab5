"""Is the ledger there, can it work, and how is it doing? Without a word about anybody (sync-api 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import falcon

from pos_app.ledger.book import Book
from pos_app.ledger.http.admin_login import let_administrator_in
from pos_app.ledger.http.at_work import AtWork
from pos_app.ledger.http.call import CALL
from pos_app.ledger.secrets import LedgerSecrets

if TYPE_CHECKING:
    from pos_app.ledger.http.metrics import Metrics

OK = b'{"status": "ok"}'
NO_DATABASE = b'{"status": "database"}'
STOPPING = b'{"status": "stopping"}'


class Healthz:
    """The line probe of the tills: answers without touching the database."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say that the process answers."""
        req.env[CALL].route = "/healthz"
        resp.data = OK


class Readyz:
    """For load balancers: says whether requests should come here."""

    def __init__(self, book: Book, at_work: AtWork) -> None:
        self._book = book
        self._at_work = at_work

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say 200, or 503 while the ledger stops or when the database does not answer."""
        req.env[CALL].route = "/readyz"
        if self._at_work.is_stopping:
            resp.status, resp.data = falcon.HTTP_503, STOPPING
        elif self._book.is_ready():
            resp.data = OK
        else:
            resp.status, resp.data = falcon.HTTP_503, NO_DATABASE


class MetricsCall:
    """Figures for Prometheus, with the administrator's login."""

    def __init__(self, secrets: LedgerSecrets, metrics: Metrics) -> None:
        self._secrets = secrets
        self._metrics = metrics

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Write the figures of all processes."""
        req.env[CALL].route = "/metrics"
        let_administrator_in(self._secrets, req.env.get("HTTP_AUTHORIZATION"))
        resp.data, resp.content_type = self._metrics.text(), self._metrics.content_type
