"""The database of a ledger: its connections, its transactions, and its tables when they are new."""

from __future__ import annotations

import queue
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult, Table, select, update
from sqlalchemy.exc import DBAPIError

from pos_app.ledger import schema
from pos_app.ledger.databases import upgrading
from pos_app.ledger.databases.backend import LOCKS_ROWS, WRITER, backend_for
from pos_app.ledger.databases.bulk import Bulk
from pos_app.ledger.errors import BadDatabaseUrlError, LedgerBusyError
from pos_app.ledger.figures import Figures, Happening
from pos_app.services.ports import Clock

TRIES_MAX: Final = 8
"""A transaction that lost against another one runs again, at most so often (reliability 4.5)."""

WAIT_S: Final = 5.0
"""How long a thread waits for a connection, in seconds: as long as a connection waits for another process."""

Made = TypeVar("Made")

_META: Final = schema.meta
_READ_META: Final = select(_META.c.name, _META.c.number)
_RAISE_RULES_VERSION: Final = update(_META).where(_META.c.name == "rules_version").values(number=_META.c.number + 1)


class LostRaceError(LedgerBusyError):
    """What was read is no longer so: the whole transaction must run again, and may do so at once."""


class Lane:
    """A few connections of one purpose, each opened when first needed and lent to one thread at a time.

    Threads come and go and may be the server's own, so no connection belongs to one. There are no more of them than
    the database is fast with: who finds none free waits once, and not again and again in the middle of the work.
    """

    def __init__(
        self, open_one: Callable[[], Connection], is_sound: Callable[[Connection], bool], count: int, wait_s: float
    ) -> None:
        self._open_one = open_one
        self._is_sound = is_sound
        self._wait_s = wait_s
        self._free: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        """None: one that is still to be opened."""
        self._is_closed = False
        for _ in range(count):
            self._free.put(None)

    def take(self) -> Connection:
        """Take a connection; it must be given back.

        Raises:
            LedgerBusyError: none became free in time, or the ledger is being closed.
            DBAPIError: a new one could not be opened.
        """
        try:
            kept = self._free.get(timeout=0 if self._is_closed else self._wait_s)
        except queue.Empty:
            raise LedgerBusyError from None
        if kept is not None:
            if self._is_sound(kept):
                return kept
            kept.close()  # The database hung up on it while nobody used it: nothing is lost yet.
        try:
            return self._open_one()
        except BaseException:
            self._free.put(None)
            raise

    def give_back(self, connection: Connection, *, is_sound: bool) -> None:
        """Give a connection back; one that failed is closed, and a fresh one takes its place when it is needed."""
        self._free.put(connection if is_sound else None)
        if not is_sound:
            connection.close()
        if self._is_closed:
            self.close()

    def close(self) -> None:
        """Close all connections; those that are lent are closed when they come back."""
        self._is_closed = True
        with suppress(queue.Empty):
            while True:
                kept = self._free.get_nowait()
                if kept is not None:
                    kept.close()


class Store:
    """One database, with a few connections for reading and for writing."""

    def __init__(self, url: str, clock: Clock, wait_s: float = WAIT_S, *, must_exist: bool = False) -> None:
        """Open the database; tables are made when they are missing, unless they `must_exist`.

        Raises:
            BadDatabaseUrlError: the URL cannot be used, or what is there is no ledger of this version.
            LedgerBusyError: somebody else holds the new database.
            OSError: the database's file cannot be made.
        """
        self._backend, parsed = backend_for(url)
        self._engine = self._backend.open_engine(parsed)
        self.bulk: Final = Bulk(self._backend)
        self.figures: Final = Figures()
        self._clock = clock
        self._readers = self._lane(self._backend.READERS, wait_s, writes=False)
        self._writers = self._lane(self._backend.WRITERS, wait_s, writes=True)
        try:
            self._make_tables(must_exist=must_exist)
        except DBAPIError as error:
            self.close()
            raise BadDatabaseUrlError(f"the database cannot be opened ({error.orig})") from error
        except BaseException:
            self.close()
            raise

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one moment of the database and changes nothing.

        Raises:
            LedgerBusyError: the database could not be read in time.
        """
        return self._reading()

    def glance(self) -> AbstractContextManager[Connection]:
        """A connection for one single SELECT, which sees one moment by itself: no transaction is begun or ended.

        Raises:
            LedgerBusyError: the database could not be read in time.
        """
        return self._lent(self._readers, self._backend.begin_glance)

    def read_aside(self) -> AbstractContextManager[Connection]:
        """`read` on a connection of its own: for long reads, which must not take one from those who answer tills.

        Raises:
            LedgerBusyError: the database could not be read in time.
        """
        return self._reading_aside()

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that writes. What it decides by it must lock first (see `locks`).

        It commits at the end of the block and rolls back when the block raises.

        Raises:
            LedgerBusyError: another writer held on for too long.
            LostRaceError: the database gave this transaction up for another one; `writing` runs it again by itself.
        """
        return self._writing()

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
                self.figures.count(Happening.DATABASE_RETRY, "write")
                self._clock.sleep(random.uniform(0, 0.005 * (attempt + 1)))  # noqa: S311 - only spreads the tries
        raise LedgerBusyError

    def number_on(self, connection: Connection, tables: Iterable[Table]) -> None:
        """New rows of these tables get numbers behind those that were written with their numbers (a restore)."""
        for table in tables:
            self._backend.number_on(connection, table)

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
        self._readers.close()
        self._writers.close()
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._lent(self._readers, self._backend.begin_reading) as connection:
            try:
                yield connection
            finally:
                connection.rollback()  # Ends it for SQLAlchemy, if any statement has gone its way,
                if not connection.invalidated:
                    connection.connection.rollback()  # and for the database.

    @contextmanager
    def _reading_aside(self) -> Iterator[Connection]:
        try:
            with closing(self._connect(writes=False)) as connection:
                self._backend.begin_reading(connection)
                yield connection
        except DBAPIError as error:
            if self._backend.is_lost_race(error) or self._backend.is_contention(error):
                raise LedgerBusyError from error
            raise

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._lent(self._writers) as connection, connection.begin():
            yield connection

    @contextmanager
    def _lent(self, lane: Lane, begin: Callable[[Connection], None] | None = None) -> Iterator[Connection]:
        connection, is_sound = None, True
        try:
            connection = self._taken(lane)
            if begin is not None:
                begin(connection)
            yield connection
        except DBAPIError as error:
            if self._backend.is_lost_race(error):
                raise LostRaceError from error
            if self._backend.is_contention(error):
                self.figures.count(Happening.DATABASE_BUSY, self._name_of(lane))
                raise LedgerBusyError from error
            is_sound = False
            raise
        except self._engine.dialect.loaded_dbapi.Error as error:  # What went past SQLAlchemy.
            is_sound = False
            raise DBAPIError(None, None, error, hide_parameters=True) from error
        finally:
            if connection is not None:
                lane.give_back(connection, is_sound=is_sound)

    def _taken(self, lane: Lane) -> Connection:
        try:
            return lane.take()
        except LedgerBusyError:
            self.figures.count(Happening.DATABASE_BUSY, self._name_of(lane))
            raise

    def _name_of(self, lane: Lane) -> str:
        return "write" if lane is self._writers else "read"

    def _lane(self, count: int, wait_s: float, *, writes: bool) -> Lane:
        return Lane(partial(self._connect, writes=writes), self._backend.is_sound, count, wait_s)

    def _connect(self, *, writes: bool) -> Connection:
        options = {WRITER: writes, LOCKS_ROWS: self._backend.LOCKS_ROWS}
        return self._engine.connect().execution_options(**options)

    def _make_tables(self, *, must_exist: bool) -> None:
        with self.read() as connection:
            is_current = upgrading.is_current(connection, must_exist=must_exist)
        if not is_current:
            with self.write() as connection:
                upgrading.make_or_upgrade(connection, self._backend)


def raise_rules_version(connection: Connection) -> None:
    """Tell every process that an organisation, a program or a till changed (see `rulebook`)."""
    connection.execute(_RAISE_RULES_VERSION)


def made_id(inserted: CursorResult[Any]) -> int:
    """The number the database gave to one inserted row."""
    key = inserted.inserted_primary_key
    if key is None:
        raise RuntimeError("the database did not say the new row's number")
    return int(key[0])
