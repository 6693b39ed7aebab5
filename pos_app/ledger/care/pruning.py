"""Forgets what no rule reads any more: old codes, their sendings and wrong tries, and calls nobody may use.

What must be kept is never touched: entries, redemptions, keys and their first answers, audit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, delete, select

from pos_app.ledger import calls, schema
from pos_app.ledger.databases.database import Store
from pos_app.ledger.rulebook import to_ms

CODES_KEPT: Final = timedelta(days=31)
"""Straight failures are counted over 30 days (reliability 4.6); nothing looks further back at codes."""

_SENDS_KEPT: Final = timedelta(days=2)
"""Sendings are counted by the organisation's day, which may be a day behind or ahead of UTC's."""

_CALLS_KEPT: Final = timedelta(days=1)
"""A call serves within the validity of a code, which is minutes."""

_STEP: Final = 500


def prune(store: Store, now: datetime, after_step: Callable[[], None]) -> int:
    """Forget what is old; returns how many rows went.

    Raises:
        LedgerBusyError: the database was not had in time; the rest goes the next time.
    """
    old = to_ms(now - CODES_KEPT)
    count = store.writing(lambda connection: calls.prune(connection, now - _CALLS_KEPT))
    count += _prune_table(store, schema.otp, schema.otp.c.expires_at, old, after_step)
    count += _prune_table(store, schema.code_try, schema.code_try.c.at, old, after_step)
    day = (now - _SENDS_KEPT).date().isoformat()
    return count + _prune_table(store, schema.code_send, schema.code_send.c.day, day, after_step)


def _prune_table(
    store: Store, table: Table, column: Column[Any], before: object, after_step: Callable[[], None]
) -> int:
    """Numbers rise with time, so the old rows are the first ones: no step ever looks at more than `_STEP` rows."""
    count = 0
    while went := store.writing(lambda connection: _step(connection, table, column, before)):
        count += went
        after_step()
        if went < _STEP - 1:
            break
    return count


def _step(connection: Connection, table: Table, column: Column[Any], before: object) -> int:
    first = connection.execute(select(table.c.id, column).order_by(table.c.id).limit(_STEP)).all()
    # The newest row stays, however old: its number must not be given again.
    ids = [number for number, value in first[:-1] if value < before]
    if ids:
        connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)
