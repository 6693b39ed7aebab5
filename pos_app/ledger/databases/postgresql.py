"""Everything PostgreSQL asks for, and the only module of the ledger that knows it.

The driver is psycopg 3. Reading transactions are REPEATABLE READ, READ ONLY: all their statements see one moment.

Writing transactions are READ COMMITTED and lock the rows they decide about before they read what they decide by
(`locks.hold`, which also says in which order). What is read behind a lock is then what the winner before us
committed. SERIALIZABLE would let all tills of one wallet judge at once and throw all but one away: with eight of them
most tries are spent on losing again, while a queue at the row gives each its turn. Two deadlocked transactions, and
two that insert the same key, are told apart by the database; the loser runs again from its start (`Store.writing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Engine, Table, create_engine, event, func, select, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pos_app.ledger.databases.postgresql_feed import feed_place as feed_place
from pos_app.ledger.databases.postgresql_feed import feed_transaction as feed_transaction
from pos_app.ledger.databases.postgresql_feed import feed_triggers as feed_triggers

READERS: Final = 6
"""The server reads side by side; more connections than its processors have work for would only wait there."""

WRITERS: Final = 8
"""Writers wait at single rows, so that one waiting customer leaves places for the others."""

LOCKS_ROWS: Final = True
LOCK_TIMEOUT_MS: Final = 3000
"""A customer who stays locked for longer is told so (521) while the till still listens."""

_CONNECT_TIMEOUT_S: Final = 5
_MAKING_TIMEOUT_MS: Final = 10 * 60 * 1000
_MAKING: Final = 0x504F494E5453
"""The number of the advisory lock under which tables are made or upgraded; any number does that nobody else uses."""

_LOCK_NOT_HAD: Final = "55P03"
_LOST: Final = frozenset({"40001", "40P01"})
"""Serialization failure; deadlock."""

_PREPARE: Final = "SELECT set_config('lock_timeout', %s, false), set_config('TimeZone', 'UTC', false)"


def open_engine(url: URL) -> Engine:
    """Make an engine over one database. Each connection is made, kept and closed by the store."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "application_name": "points-desk-ledger"},
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def file_of(_url: URL) -> None:
    """No file: a server keeps it."""


def begin_reading(connection: Connection) -> None:
    """See to it that the transaction the driver begins with the first statement sees one moment and changes nothing."""
    line: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    if line.autocommit:
        line.autocommit = False
    if not line.read_only:
        line.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        line.read_only = True


def begin_glance(connection: Connection) -> None:
    """See to it that a SELECT goes out alone: BEGIN and ROLLBACK around it would each be a journey of their own."""
    line: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    if not line.autocommit:
        line.autocommit = True


def hold_tables(connection: Connection) -> None:
    """Keep every other process from making or upgrading the tables until this transaction ends."""
    connection.execute(text(f"SET LOCAL lock_timeout = {_MAKING_TIMEOUT_MS}"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING})"))


def guards() -> tuple[str, ...]:
    """Statements that make the entries append-only in the database itself (reliability 4.5)."""
    return (
        "CREATE OR REPLACE FUNCTION entry_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'ledger entries are never changed'; END $$",
        *(
            f"CREATE OR REPLACE TRIGGER entry_no_{act.lower()} BEFORE {act} ON entry"
            " FOR EACH STATEMENT EXECUTE FUNCTION entry_is_never_changed()"
            for act in ("UPDATE", "DELETE", "TRUNCATE")
        ),
    )


def is_contention(error: DBAPIError) -> bool:
    """Say whether a row stayed locked for too long: nothing was done, and the same call may come again."""
    return _state_of(error) == _LOCK_NOT_HAD


def is_lost_race(error: DBAPIError) -> bool:
    """Say whether the database gave this transaction up for another one, so that it may run again at once."""
    return _state_of(error) in _LOST


def is_sound(connection: Connection) -> bool:
    """Say whether an idle connection still stands. A server that hung up, or said anything unasked, has sent something.

    It is seen without asking the server: a question for every transaction would cost as much as a short one.
    """
    line: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    if line.closed:
        return False
    with DefaultSelector() as waiting:
        waiting.register(line.fileno(), EVENT_READ)
        return not waiting.select(0)


def new_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Numbers from the table's own sequence; what is rolled back leaves a gap."""
    numbers = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count) ORDER BY 1")
    return connection.execute(numbers, {"name": table.name, "count": count}).scalars().all()


def number_on(connection: Connection, table: Table) -> None:
    """Let the table's sequence, if it has one, go on behind its highest number."""
    if (column := table.autoincrement_column) is not None:
        highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, highest, False)))


def take_stock(connection: Connection, tables: Iterable[Table]) -> None:
    """Plans made for empty tables read full ones from end to end; the server would notice only minutes later."""
    connection.execute(text("ANALYZE " + ", ".join(table.name for table in tables)))


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows by COPY."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    line: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    with line.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _state_of(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _prepare(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE, [str(LOCK_TIMEOUT_MS)])
    connection.commit()
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
