"""What a kind of database must bring along. Each has one module in this room, named like its URLs begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, cast

from sqlalchemy import ColumnElement, Connection, Engine, Table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from pos_app.ledger.errors import BadDatabaseUrlError

WRITER: Final = "ledger_writer"
"""The execution option of a connection whose transactions write."""

LOCKS_ROWS: Final = "ledger_locks_rows"
"""The execution option of a connection to a database whose rows must be locked (see `locks`)."""


class Backend(Protocol):
    """The differences between databases; a module with these names."""

    READERS: int
    """How many threads of one process may read at a time."""

    WRITERS: int
    """How many threads of one process may be in a writing transaction at a time."""

    LOCKS_ROWS: bool
    """Whether rows must be locked before they are judged; False where a writer has the whole database to itself."""

    def open_engine(self, url: URL) -> Engine:
        """Make an engine whose writers exclude each other as far as they must.

        Raises:
            BadDatabaseUrlError: the URL lacks something.
        """
        ...

    def file_of(self, url: URL) -> Path | None:
        """The file the database is; None where it is none."""
        ...

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same moment, past SQLAlchemy, whose way is longer."""
        ...

    def begin_glance(self, connection: Connection) -> None:
        """See to it that a single SELECT neither begins a transaction nor waits for one."""
        ...

    def hold_tables(self, connection: Connection) -> None:
        """Keep every other process from making or upgrading the tables until this writing transaction ends."""
        ...

    def guards(self) -> tuple[str, ...]:
        """Statements that make the entries append-only, run once the tables exist; safe to repeat."""
        ...

    def feed_triggers(self) -> tuple[str, ...]:
        """Statements that make the database note what tills must be told (see `watched`); safe to repeat."""
        ...

    def feed_place(self, connection: Connection) -> tuple[int, int]:
        """The transaction and the number up to which the change feed will not change any more."""
        ...

    def feed_transaction(self) -> ColumnElement[Any]:
        """What a row of the change feed written in this transaction has as `txid`."""
        ...

    def is_contention(self, error: DBAPIError) -> bool:
        """Say whether a transaction only waited too long for another one: the same call may come again."""
        ...

    def is_lost_race(self, error: DBAPIError) -> bool:
        """Say whether the database gave a transaction up for another one, so that it may run again at once."""
        ...

    def is_sound(self, connection: Connection) -> bool:
        """Say whether an idle connection still leads to the database, without asking the database."""
        ...

    def new_ids(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        """So many numbers for new rows of a table numbered by the database, rising; nobody else gets them."""
        ...

    def number_on(self, connection: Connection, table: Table) -> None:
        """See to it that new rows are numbered behind those a restore brought with their numbers."""
        ...

    def take_stock(self, connection: Connection, tables: Iterable[Table]) -> None:
        """Let the database learn how much is in tables that were filled at once, if its plans depend on it."""
        ...

    def insert_rows(
        self, connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert many rows with these columns in the database's fastest way. Drivers' errors pass through."""
        ...


def backend_for(text: str) -> tuple[Backend, URL]:
    """Find the backend of a database URL.

    Raises:
        BadDatabaseUrlError: no URL, or a database this version does not have.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise BadDatabaseUrlError("the database must be given as a URL, KIND:///FILE") from error
    name = url.get_backend_name()
    try:
        module = import_module(f"pos_app.ledger.databases.{name}")
    except ModuleNotFoundError as error:
        raise BadDatabaseUrlError(f"this version of the ledger cannot use {name}") from error
    if not hasattr(module, "open_engine"):
        raise BadDatabaseUrlError(f"this version of the ledger cannot use {name}")
    return cast(Backend, module), url


def database_file(url: URL) -> Path | None:
    """The file a database is; None when a server keeps it, or no version of the ledger knows it."""
    try:
        backend, _ = backend_for(url.render_as_string(hide_password=False))
    except BadDatabaseUrlError:
        return None
    return backend.file_of(url)


def backend_of(connection: Connection) -> Backend:
    """The backend of a database that is open."""
    return cast(Backend, import_module(f"pos_app.ledger.databases.{connection.dialect.name}"))
