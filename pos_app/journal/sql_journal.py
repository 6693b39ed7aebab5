"""The journal in `journal.db`: each method is one durable commit (reliability 4.1, 4.2, 4.8).

One connection, and one thread that owns it: callers of any thread hand it a closure and wait for its result, so two
commits are never mixed and no lock of SQLite is ever waited for. Each commit is synced to the disk (EXTRA), with a
rollback journal: WAL with fewer syncs would lose the last rows in a power cut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, exc

from pos_app.domain.redemption import Redemption
from pos_app.domain.trouble import StorageError
from pos_app.files.columns import moment_text
from pos_app.files.database import (
    NewerFileError,
    SoleConnection,
    UnreadableFileError,
    bring_up_to_date,
    is_damage,
    open_encrypted,
    storage_error,
)
from pos_app.journal import tables
from pos_app.journal.rows import redemption_of, row_of
from pos_app.services.ports import Clock

_PRAGMAS: Final = {"journal_mode": "TRUNCATE", "synchronous": "EXTRA", "foreign_keys": "ON"}

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class JournalDamagedError(StorageError):
    """The journal cannot be read. It is never deleted: it may hold redemptions nobody else knows of."""

    def __init__(self) -> None:
        super().__init__(
            "The journal of this till cannot be read: journal.db is damaged, or its key was changed. It was left as it"
            " is. Redeem nothing on this till and call support: redemptions that are not yet confirmed may be in it."
        )


class SqlJournal:
    """Implements `services.ports.Journal`."""

    def __init__(self, engine: Engine, clock: Clock, worker: ThreadPoolExecutor) -> None:
        """Use `open`."""
        self._engine = engine
        self._clock = clock
        self._worker = worker
        self._connection = SoleConnection(engine)  # Touched by the worker's thread only.
        self._newer: NewerFileError | None = None

    @classmethod
    def open(cls, path: Path, key_hex: str, clock: Clock) -> SqlJournal:
        """Open the journal, making it when there is none, check it whole and bring it to this program's version.

        A journal that a newer program wrote opens for reading only (`read_only_because`).

        Raises:
            JournalDamagedError: it cannot be read; it was left as it is.
            StorageError: it cannot be opened at all (no right, disk full).
        """
        worker = ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            try:
                engine = worker.submit(open_encrypted, path, key_hex, pragmas=_PRAGMAS).result()
            except UnreadableFileError:
                raise JournalDamagedError from None
            journal = cls(engine, clock, worker)
            journal._do(lambda connection: journal._start(connection, path))
        except BaseException:
            worker.shutdown()
            raise
        return journal

    @property
    def read_only_because(self) -> str | None:
        """Why nothing can be written here, in a sentence; None: it can."""
        return None if self._newer is None else str(self._newer)

    def add(self, redemption: Redemption) -> None:
        """Keep a new redemption.

        Raises:
            StorageError: nothing was kept.
            ValueError: a bug: the key is not new, or the row is not one a journal can hold.
        """
        row = row_of(redemption)

        def insert(connection: Connection) -> None:
            connection.execute(tables.ADD, row)

        self._write_row(row, insert)

    def put(self, redemption: Redemption) -> None:
        """Keep a redemption's next state.

        Raises:
            StorageError: nothing was kept; the former state still stands.
            KeyError: no such redemption was ever added.
            ValueError: a bug: a final redemption does not move, or the row is not one a journal can hold.
        """
        row = row_of(redemption)

        def change(connection: Connection) -> None:
            if connection.execute(tables.PUT, row | {"of_key": row["key"]}).rowcount == 0:
                raise KeyError(row["key"])

        self._write_row(row, change)

    def get(self, key: str) -> Redemption:
        """The committed row.

        Raises:
            KeyError: there is none.
            StorageError: the file cannot be read.
        """
        row = self._read(lambda connection: _row(connection, key))
        if row is None:
            raise KeyError(key)
        return redemption_of(row)

    def open_redemptions(self) -> Sequence[Redemption]:
        """All rows that are not final, oldest first."""
        rows = self._read(lambda connection: connection.execute(tables.OPEN_IN_ORDER).mappings().all())
        return [redemption_of(dict(row)) for row in rows]

    def recent(self, limit: int) -> Sequence[Redemption]:
        """The newest rows, newest first."""
        rows = self._read(lambda connection: connection.execute(tables.RECENT, {"limit": limit}).mappings().all())
        return [redemption_of(dict(row)) for row in rows]

    def remember(self, name: str, value: str) -> None:
        """Keep a small fact under a name, with the moment it was kept.

        Raises:
            StorageError: nothing was kept.
        """
        fact = {"name": name, "value": value, "kept_at": moment_text(self._clock.wall())}
        self._refuse_if_newer()

        def upsert(connection: Connection) -> None:
            with connection.begin():
                connection.execute(tables.REMEMBER, fact)

        self._do(upsert)

    def recall(self, name: str) -> str | None:
        """Read such a fact back."""
        return self._read(lambda connection: connection.execute(tables.RECALL, {"of_name": name}).scalar())

    def close(self) -> None:
        """Close the file. What was committed is safe without it; may be called twice."""
        try:
            self._worker.submit(self._connection.drop).result()
        except RuntimeError:  # Closed already.
            return
        self._worker.shutdown()
        self._engine.dispose()

    def _start(self, connection: Connection, path: Path) -> None:
        """Check every page of the file, then run the steps it has not seen."""
        checked = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        connection.rollback()
        if list(checked) != ["ok"]:
            raise JournalDamagedError
        try:
            bring_up_to_date(connection, tables.STEPS, path=path)
        except NewerFileError as error:
            _log.error("the journal is open for reading only: %s", error)
            self._newer = error

    def _write_row(self, row: dict[str, Any], write: Callable[[Connection], None]) -> None:
        """Commit a change of one redemption's row, or leave the row as it was."""
        self._refuse_if_newer()
        before: list[dict[str, Any] | None] = []

        def work(connection: Connection) -> None:
            with connection.begin():
                before.append(_row(connection, row["key"]))
                write(connection)

        try:
            self._do(work)
        except StorageError:
            if before:
                self._take_back(before[0], row)
            raise

    def _take_back(self, before: dict[str, Any] | None, row: dict[str, Any]) -> None:
        """A disk can fail after the commit but before its last sync: then the row stands, although it was refused.

        The cashier was told that nothing happened, so it must not stand (promise P4).
        """

        def restore(connection: Connection) -> None:
            with connection.begin():
                if _row(connection, row["key"]) != row:
                    return
                connection.execute(tables.REMOVE, {"of_key": row["key"]})
                if before is not None:
                    connection.execute(tables.ADD, before)

        try:
            self._do(restore)
        except StorageError:
            _log.critical("a commit failed, and the journal cannot be read to see that it left nothing")

    def _refuse_if_newer(self) -> None:
        if self._newer is not None:
            raise StorageError(str(self._newer))

    def _read(self, read: Callable[[Connection], _T]) -> _T:
        def work(connection: Connection) -> _T:
            with connection.begin():
                return read(connection)

        return self._do(work)

    def _do(self, work: Callable[[Connection], _T]) -> _T:
        """Run `work` on the worker's thread and wait for it.

        Raises:
            StorageError: whatever the disk did, or the journal is closed.
        """
        try:
            waiting = self._worker.submit(self._run, work)
        except RuntimeError:
            raise StorageError("The journal of this till is closed: start Points Desk again.") from None
        return waiting.result()

    def _run(self, work: Callable[[Connection], _T]) -> _T:
        """On the worker's thread: give `work` the connection, and say in our own words what went wrong."""
        try:
            return work(self._connection.use())
        except exc.IntegrityError as error:
            raise ValueError(f"the journal refuses this row: {error.orig}") from None
        except exc.DBAPIError as error:
            self._connection.drop()
            if is_damage(error):
                raise JournalDamagedError from error.orig
            raise storage_error(error) from error.orig


def _row(connection: Connection, key: str) -> dict[str, Any] | None:
    """One redemption's columns, None when the key is unknown."""
    found = connection.execute(tables.GET, {"of_key": key}).mappings().one_or_none()
    return None if found is None else dict(found)
