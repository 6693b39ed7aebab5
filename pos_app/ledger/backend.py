"""What a kind of database must bring along. Each has one module in this room, named like its URLs begin."""

from __future__ import annotations

from importlib import import_module
from typing import Final, Protocol, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from pos_app.ledger.errors import BadDatabaseUrlError

WRITER: Final = "ledger_writer"
"""The execution option of a connection whose transactions write."""


class Backend(Protocol):
    """The differences between databases; a module with these names."""

    READERS: int
    """How many threads of one process may read at a time."""

    WRITERS: int
    """How many threads of one process may be in a writing transaction at a time."""

    def open_engine(self, url: URL) -> Engine:
        """Make an engine whose writers exclude each other as far as they must.

        Raises:
            BadDatabaseUrlError: the URL lacks something.
        """
        ...

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same moment, past SQLAlchemy, whose way is longer."""
        ...

    def guards(self) -> tuple[str, ...]:
        """Statements that make the entries append-only, run once the tables exist; safe to repeat."""
        ...

    def is_contention(self, error: DBAPIError) -> bool:
        """Say whether a transaction only lost against another one, so that it may be tried again."""
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
        module = import_module(f"pos_app.ledger.{name}")
    except ModuleNotFoundError as error:
        raise BadDatabaseUrlError(f"this version of the ledger cannot use {name}") from error
    if not hasattr(module, "open_engine"):
        raise BadDatabaseUrlError(f"this version of the ledger cannot use {name}")
    return cast(Backend, module), url
