"""The database of a ledger: its connections, its transactions, and its tables when they are new."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult, select, update
from sqlalchemy.exc import DBAPIError

from pos_app.ledger import schema
from pos_app.ledger.backend import WRITER, backend_for
from pos_app.ledger.errors import BadDatabaseUrlError, LedgerBusyError
from pos_app.services.ports import Clock

TRIES_MAX: Final = 8
"""A transaction that lost against another one runs again, at most so often (reliability 4.5)."""

Made = TypeVar("Made")

_META: Final = schema.meta
_READ_META: Final = select(_META.c.name, _META.c.number)
_RAISE_RULES_VERSION: Final = update(_META).where(_META.c.name == "rules_version").values(number=_META.c.number + 1)


class LostRaceError(Exception):
    """What was read is no longer so: the whole transaction must run again."""


class Store:
    """One database. Each thread keeps a connection for reading and one for writing; both are opened when first used."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Open the database; tables are made when they are missing.

        Raises:
            BadDatabaseUrlError: the URL cannot be used, or what is there is no ledger of this version.
            LedgerBusyError: somebody else holds the new database.
            OSError: the database's file cannot be made.
        """
        self._backend, parsed = backend_for(url)
        self._engine = self._backend.open_engine(parsed)
        self._clock = clock
        self._here = threading.local()
        self._opened: list[tuple[threading.Thread, Connection]] = []
        self._opened_lock = threading.Lock()
        try:
            self._make_tables()
        except DBAPIError as error:
            self.close()
            raise BadDatabaseUrlError(f"the database cannot be opened ({error.orig})") from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and changes nothing.

        Raises:
            LedgerBusyError: the database could not be read in time.
        """
        try:
            connection = self._connection("reader")
            with connection.begin():
                yield connection
        except DBAPIError as error:
            if self._backend.is_contention(error):
                raise LedgerBusyError from error
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; it has the database's word that nobody else writes the same.

        It commits at the end of the block and rolls back when the block raises.

        Raises:
            LedgerBusyError: another writer held on for too long.
        """
        try:
            connection = self._connection("writer")
            with connection.begin():
                yield connection
        except DBAPIError as error:
            if self._backend.is_contention(error):
                raise LedgerBusyError from error
            raise

    def writing(self, work: Callable[[Connection], Made]) -> Made:
        """Run `work` in a writing transaction, again from its start when it lost a race.

        Raises:
            LedgerBusyError: it lost too often, or the database was not had in time.
        """
        for attempt in range(TRIES_MAX):
            try:
                with self.write() as connection:
                    return work(connection)
            except LostRaceError:
                self._clock.sleep(random.uniform(0, 0.005 * (attempt + 1)))  # noqa: S311 - only spreads the tries
        raise LedgerBusyError

    def is_answering(self) -> bool:
        """Say whether the database can be read now."""
        try:
            with self.read() as connection:
                connection.execute(_READ_META)
        except (DBAPIError, LedgerBusyError):
            return False
        return True

    def close(self) -> None:
        """Close every connection. Nothing may be asked afterwards."""
        with self._opened_lock:
            for _, connection in self._opened:
                connection.close()
            self._opened.clear()
            self._here = threading.local()
        self._engine.dispose()

    def _connection(self, purpose: str) -> Connection:
        kept: Connection | None = getattr(self._here, purpose, None)
        if kept is None or kept.closed:
            kept = self._engine.connect().execution_options(**{WRITER: purpose == "writer"})
            setattr(self._here, purpose, kept)
            with self._opened_lock:
                self._close_orphans()
                self._opened.append((threading.current_thread(), kept))
        return kept

    def _close_orphans(self) -> None:
        """Close the connections of threads that have ended, so that a long-lived process does not collect them."""
        alive = []
        for thread, connection in self._opened:
            if thread.is_alive():
                alive.append((thread, connection))
            else:
                connection.close()
        self._opened = alive

    def _make_tables(self) -> None:
        with self.write() as connection:
            schema.metadata.create_all(connection)
            for statement in self._backend.guards():
                connection.exec_driver_sql(statement)
            known = {row.name: row.number for row in connection.execute(_READ_META)}
            if known.get("schema", schema.SCHEMA) != schema.SCHEMA:
                raise BadDatabaseUrlError("this database belongs to another version of the ledger")
            fresh = {"schema": schema.SCHEMA, "epoch": 1, "rules_version": 1}
            missing = [{"name": name, "number": number} for name, number in fresh.items() if name not in known]
            if missing:
                connection.execute(_META.insert(), missing)


def raise_rules_version(connection: Connection) -> None:
    """Tell every process that an organisation, a program or a till changed (see `rulebook`)."""
    connection.execute(_RAISE_RULES_VERSION)


def made_id(inserted: CursorResult[Any]) -> int:
    """The number the database gave to one inserted row."""
    key = inserted.inserted_primary_key
    if key is None:
        raise RuntimeError("the database did not say the new row's number")
    return int(key[0])
