"""Where a till stands in the feed: cursors and tokens of pages, as text that only this ledger can have written.

A place is (transaction, number); rows are told in that order, and only up to the place that will not change any more
(`Backend.feed_place`). On SQLite the transaction is always 0.

Whoever edits a cursor only gets a new snapshot: its seal is wrong. So does a till whose ledger lost its pepper.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from pos_app.domain.feed import Scope
from pos_app.ledger import schema
from pos_app.ledger.databases.backend import backend_of
from pos_app.ledger.errors import GoneError
from pos_app.ledger.rulebook import from_ms, to_ms
from pos_app.ledger.tills import Till

TOKEN_KEPT: Final = timedelta(hours=1)
"""A snapshot that stands still for longer begins again (sync-api 5)."""

_SEAL_BYTES: Final = 12
_MARK_BYTES: Final = 6
_SCOPES: Final = (Scope.STORE, Scope.ALL)
_MARK: Final = schema.feed_mark
_OLDEST_MARK: Final = select(_MARK.c.txid, _MARK.c.seq).order_by(_MARK.c.at).limit(1)


class Place(NamedTuple):
    """A place in the feed: behind this number of this transaction."""

    txid: int
    seq: int


class Counts(NamedTuple):
    """How many rows a snapshot has."""

    customers: int
    wallets: int
    family_groups: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a till of one organisation and store keeps rows of one scope, at one epoch of the ledger."""

    till: Till
    scope: Scope
    epoch: int

    @property
    def mark(self) -> bytes:
        """Organisation and store, short: a till that moves to another store keeps other customers."""
        whose = f"{self.till.organisation_id}\n{self.till.store if self.scope is Scope.STORE else ''}"
        return hashlib.sha256(whose.encode("utf-8")).digest()[:_MARK_BYTES]


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where the next page of a snapshot begins. `last`: the key of the last row of that stage."""

    as_of: Place
    counts: Counts
    stage: int
    last: tuple[int, int]


_HEAD: Final = Struct(f">BBI{_MARK_BYTES}s")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a cursor or a token is packed: its kind, then scope, epoch and mark of the reader, then its own numbers."""

    kind: int
    numbers: Struct


_CURSOR: Final = _Form(1, Struct(">QQ"))
_PAGE: Final = _Form(2, Struct(">QQQIIIBQQ"))


class Seals:
    """Writes cursors and tokens, and reads its own."""

    def __init__(self, pepper: bytes) -> None:
        self._key = hmac.digest(pepper, b"pos-app feed", "sha256")

    def write_cursor(self, reader: Reader, place: Place) -> str:
        """A cursor: this reader has been told everything up to this place."""
        return self._sealed(_CURSOR, reader, *place)

    def read_cursor(self, reader: Reader, text: str) -> Place:
        """Read a cursor.

        Raises:
            GoneError: `epoch_changed`, `scope_changed`, or `cursor_too_old` where it is none of this ledger's.
        """
        return Place(*self._opened(_CURSOR, reader, text, "cursor_too_old"))

    def write_token(self, reader: Reader, token: PageToken, now: datetime) -> str:
        """A token for the next page of a snapshot."""
        until = to_ms(now + TOKEN_KEPT)
        return self._sealed(_PAGE, reader, until, *token.as_of, *token.counts, token.stage, *token.last)

    def read_token(self, reader: Reader, text: str, now: datetime) -> PageToken:
        """Read a token.

        Raises:
            GoneError: `epoch_changed`, `scope_changed`, or `page_expired` where it is too old, or none.
        """
        until, txid, seq, customers, wallets, groups, stage, *last = self._opened(_PAGE, reader, text, "page_expired")
        if not now <= from_ms(until) <= now + TOKEN_KEPT:
            raise GoneError("page_expired")
        return PageToken(Place(txid, seq), Counts(customers, wallets, groups), stage, (last[0], last[1]))

    def _sealed(self, form: _Form, reader: Reader, *numbers: int) -> str:
        said = _HEAD.pack(form.kind, _SCOPES.index(reader.scope), reader.epoch, reader.mark)
        said += form.numbers.pack(*numbers)
        return urlsafe_b64encode(said + self._seal(said)).decode("ascii").rstrip("=")

    def _opened(self, form: _Form, reader: Reader, text: str, reason: str) -> tuple[int, ...]:
        raw = _decoded(text)
        said, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
        if not hmac.compare_digest(self._seal(said), seal) or len(said) != _HEAD.size + form.numbers.size:
            raise GoneError(reason)
        kind, scope, epoch, mark = _HEAD.unpack(said[: _HEAD.size])
        if kind != form.kind:
            raise GoneError(reason)
        if epoch != reader.epoch:
            raise GoneError("epoch_changed")
        if (scope, mark) != (_SCOPES.index(reader.scope), reader.mark):
            raise GoneError("scope_changed")
        return form.numbers.unpack(said[_HEAD.size :])

    def _seal(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")[:_SEAL_BYTES]


def scope_of(text: str) -> Scope:
    """The scope a cursor was given out for, so that a till need not say it again; its seal is not looked at."""
    raw = _decoded(text)
    return _SCOPES[raw[1]] if len(raw) > 1 and raw[1] < len(_SCOPES) else Scope.STORE


def _decoded(text: str) -> bytes:
    """The bytes of a cursor or token; none where it is no such text."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def settled_place(connection: Connection) -> Place:
    """The place up to which the feed will not change any more, as this transaction sees it."""
    return Place(*backend_of(connection).feed_place(connection))


def check_reaches_back(connection: Connection, cursor: Place, settled: Place) -> None:
    """Make sure that everything after a cursor is still there.

    Raises:
        GoneError: `cursor_too_old`: it was forgotten; or the database went back behind what the till has seen.
    """
    oldest = connection.execute(_OLDEST_MARK).one_or_none()
    if cursor > settled or (oldest is not None and cursor < Place(oldest.txid, oldest.seq)):
        raise GoneError("cursor_too_old")
