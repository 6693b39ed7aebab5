"""Everything SQLite asks for, and the only module of the ledger that knows it.

The driver is `sqlcipher3` opened without a key: a plain file, and a current SQLite without the WAL-reset fault
(reliability 1, baselines). One writer at a time: a transaction that will write says so at once (`BEGIN IMMEDIATE`),
because reading first and writing later lets two tills spend the same points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import BigInteger, Engine, Table, create_engine, event, func, select
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2

from pos_app.files.folders import make_private_file
from pos_app.ledger.databases.backend import WRITER
from pos_app.ledger.databases.sqlite_feed import feed_place as feed_place
from pos_app.ledger.databases.sqlite_feed import feed_transaction as feed_transaction
from pos_app.ledger.databases.sqlite_feed import feed_triggers as feed_triggers
from pos_app.ledger.errors import BadDatabaseUrlError

READERS: Final = 2
"""Its reads are short calls that give the interpreter's lock away: more readers would mostly hand it to each other."""

WRITERS: Final = 1
"""It has one writer at a time anyway; who waits here is woken, and need not look again and again."""

LOCKS_ROWS: Final = False
BUSY_TIMEOUT_MS: Final = 5000
_CACHE_KIB: Final = 8192
_MMAP_BYTES: Final = 256 * 1024 * 1024
_MANY: Final = 16
"""From so many rows on it pays to write a statement for them."""

_BUSY_CODES: Final = frozenset({dbapi2.SQLITE_BUSY, dbapi2.SQLITE_LOCKED})


@compiles(BigInteger, "sqlite")
def _whole_number(_type: BigInteger, _compiler: object, **_options: object) -> str:
    """Only a column called exactly INTEGER is numbered by the database; it holds 64 bits all the same."""
    return "INTEGER"


def open_engine(url: URL) -> Engine:
    """Make an engine over one database file. Each connection is made, kept and closed by the store.

    Raises:
        BadDatabaseUrlError: no file is named; a database in memory cannot be shared between threads.
        OSError: the file cannot be made.
    """
    if not url.database or url.database == ":memory:":
        raise BadDatabaseUrlError("an SQLite ledger needs a file: sqlite:///FILE")
    if not Path(url.database).exists():
        make_private_file(Path(url.database))  # The files SQLite makes beside it take its mode.
    plain = URL.create("sqlite", database=url.database)
    engine = create_engine(
        plain, module=dbapi2, poolclass=NullPool, connect_args={"check_same_thread": False}, pool_reset_on_return=None
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def file_of(url: URL) -> Path | None:
    """The file the database is."""
    return Path(url.database) if url.database else None


def begin_reading(connection: Connection) -> None:
    """Begin a transaction that sees one moment: that of its first SELECT."""
    connection.connection.cursor().execute("BEGIN")


def begin_glance(_connection: Connection) -> None:
    """A SELECT alone is a transaction of its own here: nothing is to be done."""


def hold_tables(_connection: Connection) -> None:
    """A transaction that writes has kept every other writer out since it began."""


def guards() -> tuple[str, ...]:
    """Statements that make the entries append-only in the database itself (reliability 4.5)."""
    return tuple(
        f"CREATE TRIGGER IF NOT EXISTS entry_no_{act.lower()} BEFORE {act} ON entry "
        "BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END"
        for act in ("UPDATE", "DELETE")
    )


def is_contention(error: DBAPIError) -> bool:
    """Say whether the transaction only met another writer for too long: the same call may come again."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _BUSY_CODES
    return isinstance(error.orig, dbapi2.OperationalError) and "is locked" in str(error.orig)


def new_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Numbers as the database itself would give them: a writer has the whole database to itself."""
    first = connection.execute(select(func.coalesce(func.max(table.c.id), 0) + 1)).scalar_one()
    return range(first, first + count)


def number_on(_connection: Connection, _table: Table) -> None:
    """Nothing to do: the next number is always one more than the highest."""


def take_stock(_connection: Connection, _tables: Iterable[Table]) -> None:
    """Nothing: every statement of the ledger has its index, whatever the tables hold."""


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows by one statement that stays prepared.

    The driver takes eight times as long for a None or a truth as for a number. Most columns of many rows are such and
    the same in all of them: these stand in the statement. Texts never do, for they may be people's.
    """
    columns = list(zip(*rows, strict=True))
    fixed = {
        name: "NULL" if column[0] is None else str(int(column[0]))
        for name, column in zip(names, columns, strict=True)
        if (column[0] is None or type(column[0]) in (bool, int)) and column.count(column[0]) == len(rows) >= _MANY
    }
    varying = [column for name, column in zip(names, columns, strict=True) if name not in fixed]
    values = ", ".join(fixed.get(name, "?") for name in names)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - our own tables' names
    with closing(connection.connection.cursor()) as cursor:
        cursor.executemany(statement, list(zip(*varying, strict=True)) or [()] * len(rows))


def is_lost_race(_error: DBAPIError) -> bool:
    """Say whether the database gave a transaction up for another one: it never does, writers wait for each other."""
    return False


def is_sound(_connection: Connection) -> bool:
    """Say whether an idle connection still stands: a file does not hang up."""
    return True


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # The driver opens no transactions of its own: `_begin` does.
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    # WAL only where the WAL-reset fault is mended (3.51.3 and later, 3.52.0 was withdrawn; reliability 1).
    version = dbapi2.sqlite_version_info
    is_mended = version >= (3, 51, 3) and version[:2] != (3, 52)
    cursor.execute(f"PRAGMA journal_mode = {'WAL' if is_mended else 'TRUNCATE'}")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    cursor.execute(f"PRAGMA mmap_size = {_MMAP_BYTES}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITER, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # For reading, `begin_reading` has begun it.
