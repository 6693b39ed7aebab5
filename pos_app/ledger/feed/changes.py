"""What changed after a cursor (sync-api 5, reliability 4.4).

The feed only says that a row changed; the row itself is read when it is told, whole and as it is then. So a wallet
that moved ten times since a till asked last is told once, and nothing told is ever out of date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, or_, select, tuple_

from pos_app.domain.feed import ChangesPage, FeedItem, Scope
from pos_app.ledger import schema
from pos_app.ledger.errors import GoneError
from pos_app.ledger.feed.places import Place, Reader, Seals, check_reaches_back, scope_of, settled_place
from pos_app.ledger.feed.rows import Rows
from pos_app.ledger.feed.scope import Kept
from pos_app.ledger.feed.snapshot import FEED_SCHEMA
from pos_app.ledger.feed.telling import ALL, CUSTOMER, FAMILY_GROUP, LOOK, PUT, TYPES, WALLET
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools

LOOKED_THROUGH: Final = 4000
"""So many notes are looked through for one page: a till of one store is told little of what a whole chain does."""

_FEED: Final = schema.change_feed
_Named = tuple[str, int]


def read_changes(
    tools: Tools, seals: Seals, till: Till, cursor: str, limit: int, scope: Scope | None = None
) -> tuple[ChangesPage, tuple[Place, Scope]]:
    """One page of changes, and the place behind it with its scope. `scope` None: the one the cursor was given out for.

    Raises:
        GoneError: `cursor_too_old`, `epoch_changed` or `scope_changed`: the till takes a new snapshot.
        LedgerBusyError: the database could not be read in time.
    """
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        reader = Reader(till, scope or scope_of(cursor), moment.epoch)
        begin, settled = seals.read_cursor(reader, cursor), settled_place(connection)
        check_reaches_back(connection, begin, settled)
        notes = _notes(connection, reader, begin, settled)
        told, taken = _chosen(notes, _kept(connection, reader, notes), limit)
        has_more = taken < len(notes) or len(notes) == LOOKED_THROUGH
        end = Place(notes[taken - 1].txid, notes[taken - 1].seq) if has_more else settled
        page = ChangesPage(
            epoch=moment.epoch,
            schema=FEED_SCHEMA,
            server_time=moment.now,
            items=_items(Rows(connection, moment, tools.lease_settings), told),
            next_cursor=seals.write_cursor(reader, end),
            has_more=has_more,
        )
        return page, (end, reader.scope)


def has_changes(tools: Tools, till: Till, place: Place, scope: Scope) -> bool:
    """Say whether anything was noted after a place that this till keeps (sync-api 9, `changes_waiting`)."""
    with tools.store.read() as connection:
        reader = Reader(till, scope, 0)
        notes = _notes(connection, reader, place, settled_place(connection))
        if not notes or len(notes) == LOOKED_THROUGH:
            return bool(notes)
        kept = _kept(connection, reader, notes)
        return any(note.op != PUT or (note.type, note.id) in kept for note in notes)


def _notes(
    connection: Connection, reader: Reader, begin: Place, settled: Place, most: int = LOOKED_THROUGH
) -> Sequence[Any]:
    place = tuple_(_FEED.c.txid, _FEED.c.seq)
    mine: ColumnElement[bool] = _FEED.c.store.is_(None)
    if reader.scope is Scope.STORE:
        mine = or_(mine, _FEED.c.store == reader.till.store)
    statement = (
        select(_FEED.c.txid, _FEED.c.seq, _FEED.c.type, _FEED.c.id, _FEED.c.op)
        .where(_FEED.c.org == reader.till.organisation_id, mine)
        .where(place > _literal(begin), place <= _literal(settled))
        .order_by(_FEED.c.txid, _FEED.c.seq)
        .limit(most)
    )
    return connection.execute(statement).all()


def _literal(place: Place) -> ColumnElement[Any]:
    return tuple_(*(literal(each, BigInteger) for each in place))


def _kept(connection: Connection, reader: Reader, notes: Sequence[Any]) -> set[_Named]:
    """What of all that is noted this reader keeps."""
    ids: dict[str, set[int]] = {}
    for note in notes:
        ids.setdefault(note.type, set()).add(note.id)
    kept = Kept(connection, reader)
    ask = {CUSTOMER: kept.customers, WALLET: kept.wallets, FAMILY_GROUP: kept.family_groups}
    return {(kind, each) for kind, these in ids.items() for each in (ask[kind](these) if kind in ask else these)}


def _chosen(notes: Sequence[Any], kept: set[_Named], limit: int) -> tuple[dict[_Named, bool], int]:
    """What is told: each row once, and whether the till keeps it; and how many notes that covers.

    Raises:
        GoneError: so much came in at once that only a new snapshot will do.
    """
    told: dict[_Named, bool] = {}
    for count, note in enumerate(notes):
        if note.op == ALL:
            raise GoneError("cursor_too_old")
        named = (note.type, note.id)
        if named in told or not (named in kept or note.op == LOOK):
            continue
        if len(told) == limit:
            return told, count
        told[named] = named in kept
    return told, len(notes)


def _items(read: Rows, told: dict[_Named, bool]) -> list[FeedItem]:
    """Rows in the order of a snapshot, so that a wallet follows its owner; what is gone at the end."""
    items = []
    for kind in TYPES:
        items += read.read(kind, [number for (each, number), is_kept in told.items() if is_kept and each == kind])
    there = {(item.type, item.id) for item in items}
    return items + [FeedItem(*named, None) for named in told if named not in there]
