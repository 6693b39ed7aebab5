"""The calls of `/sync` that this ledger has (sync-api 3 and 8)."""

from __future__ import annotations

from collections.abc import Callable

import falcon

from pos_app.ledger.book import Book
from pos_app.ledger.http.call import CALL, Call
from pos_app.ledger.http.door import Door
from pos_app.ledger.tills import Till
from pos_app.wire.formats import Format, content_type
from pos_app.wire.sync import read_cancel, write_cancel_answer, write_capabilities


class SyncCall:
    """What all calls of `/sync` have in common."""

    def __init__(self, book: Book, door: Door) -> None:
        self._book = book
        self._door = door

    def _serve(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        answer: Callable[[Till, Call], bytes],
        *,
        in_any_state: bool = False,
    ) -> None:
        """Answer one request; `in_any_state`: also of a till that is disabled or marked lost."""
        call: Call = req.env[CALL]
        call.route = req.uri_template or "-"
        resp.content_type = content_type(Format.JSON)

        def work(till: Till) -> None:
            resp.data = answer(till, call)

        self._door.let_in(call, req.env.get("HTTP_AUTHORIZATION"), work, in_any_state=in_any_state)


class CapabilitiesCall(SyncCall):
    """`GET /sync/v1/capabilities`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say what this ledger can do, and what it knows of the till."""
        # In any state, so that the window of a till out of service can say what to do.
        self._serve(req, resp, lambda till, _: write_capabilities(self._book.capabilities(till)), in_any_state=True)


class CancelCall(SyncCall):
    """`POST /sync/v1/cancel`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """See to it that a redemption does not happen."""
        self._serve(req, resp, lambda till, call: write_cancel_answer(self._book.cancel(till, read_cancel(call.body))))
