"""How long the feed is kept: at least 90 days (sync-api 5, reliability 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, delete, func, insert, literal, select, tuple_

from pos_app.ledger import schema
from pos_app.ledger.databases.database import Store
from pos_app.ledger.feed.places import Place, settled_place
from pos_app.ledger.rulebook import from_ms, to_ms

KEPT: Final = timedelta(days=90)
"""A till that was away for longer takes a new snapshot."""

_MARK_EVERY: Final = timedelta(days=1)
_STEP: Final = 2000
_FEED: Final = schema.change_feed
_MARK: Final = schema.feed_mark


def mark_and_forget(store: Store, now: datetime, after_step: Callable[[], None]) -> int:
    """Mark once a day where the feed stands, and forget what lies before a mark that is old; returns how many rows.

    Raises:
        LedgerBusyError: the database was not had in time; the rest goes the next time.
    """
    store.writing(lambda connection: _mark(connection, now))
    begin = store.writing(lambda connection: _move_begin(connection, now))
    count = 0
    while went := store.writing(lambda connection: _forget_some(connection, begin)):
        count += went
        after_step()
    return count


def _mark(connection: Connection, now: datetime) -> None:
    newest = connection.execute(select(func.max(_MARK.c.at))).scalar_one()
    if newest is not None and now - from_ms(newest) < _MARK_EVERY:
        return
    # The first one says that nothing was forgotten yet.
    place = Place(0, 0) if newest is None else settled_place(connection)
    connection.execute(insert(_MARK), {"at": to_ms(now), "txid": place.txid, "seq": place.seq})


def _move_begin(connection: Connection, now: datetime) -> Place:
    """The feed begins at the newest mark that is old enough: first said, so that no till misses what goes then."""
    old = _MARK.c.at <= to_ms(now - KEPT)
    newest_old = connection.execute(select(_MARK).where(old).order_by(_MARK.c.at.desc()).limit(1)).one_or_none()
    if newest_old is None:
        return Place(0, 0)
    connection.execute(delete(_MARK).where(_MARK.c.at < newest_old.at))
    return Place(newest_old.txid, newest_old.seq)


def _forget_some(connection: Connection, begin: Place) -> int:
    place: Any = tuple_(_FEED.c.txid, _FEED.c.seq)
    before = place <= tuple_(*(literal(each, BigInteger) for each in begin))
    # The newest row stays, however old: its number must not be given again.
    newest = select(func.max(_FEED.c.seq)).scalar_subquery()
    old = select(_FEED.c.seq).where(before, _FEED.c.seq < newest).order_by(_FEED.c.txid, _FEED.c.seq).limit(_STEP)
    gone = connection.execute(old).scalars().all()
    if gone:
        connection.execute(delete(_FEED).where(_FEED.c.seq.in_(gone)))
    return len(gone)
