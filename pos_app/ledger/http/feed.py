"""Snapshot, changes, one customer and the regulars over HTTP (sync-api 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import falcon

from pos_app.domain.feed import ChangesPage, SnapshotPage
from pos_app.ledger.errors import NobodyError
from pos_app.ledger.http.call import Call
from pos_app.ledger.http.sync import SyncCall
from pos_app.ledger.tills import Till
from pos_app.wire.faults import BODY_MAX_BYTES
from pos_app.wire.feed import (
    CHANGES_LIMIT,
    SNAPSHOT_LIMIT,
    read_cursor,
    read_customer_asked,
    read_limit,
    read_scope,
    write_changes,
    write_customer_rows,
    write_regulars,
    write_snapshot,
)
from pos_app.wire.parameters import given

_Page = TypeVar("_Page", SnapshotPage, ChangesPage)
_OUT_MAX: Final = BODY_MAX_BYTES
"""No answer is larger (sync-api 1): a page that would be is told as a smaller one."""


class SnapshotCall(SyncCall):
    """`GET /sync/v1/snapshot`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """One page of all rows this till keeps."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        scope, token = read_scope(given(call.params(), "scope")), given(call.params(), "page")
        page = None if token is None else read_cursor(token, "page")
        limit = read_limit(given(call.params(), "limit"), SNAPSHOT_LIMIT)
        return _within_bounds(limit, lambda limit: self._book.snapshot(till, scope, page, limit), write_snapshot)


class ChangesCall(SyncCall):
    """`GET /sync/v1/changes`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """What changed after a cursor."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        cursor, named = read_cursor(given(call.params(), "cursor"), "cursor"), given(call.params(), "scope")
        scope = None if named is None else read_scope(named)
        limit = read_limit(given(call.params(), "limit"), CHANGES_LIMIT)
        return _within_bounds(limit, lambda limit: self._book.changes(till, cursor, limit, scope), write_changes)


class CustomerCall(SyncCall):
    """`POST /sync/v1/customer`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The rows of one customer."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        rows = self._book.customer_rows(till, read_customer_asked(call.body))
        if rows is None:
            raise NobodyError
        return write_customer_rows(rows)


class RegularsCall(SyncCall):
    """`GET /sync/v1/regulars`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Whom this store sees often."""
        self._serve(req, resp, lambda till, _: write_regulars(self._book.regulars(till)))


def _within_bounds(limit: int, page_of: Callable[[int], _Page], write: Callable[[_Page], bytes]) -> bytes:
    """A page of at most `limit` rows, or of as many as there is room for."""
    while True:
        page = page_of(limit)
        body = write(page)
        if len(body) <= _OUT_MAX or len(page.items) <= 1:
            return body
        limit = len(page.items) // 2
