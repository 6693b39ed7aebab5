"""The journal's file: one connection, one thread that owns it, commits that are whole or not at all (reliability 4.1).

Callers of any thread hand the thread a closure and wait for its result, so two commits are never mixed and no lock of
SQLite is ever waited for. Each commit is synced to the disk (EXTRA), with a rollback journal: WAL with fewer syncs
would lose the last rows in a power cut.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, exc

from pos_app.domain.trouble import StorageError
from pos_app.files.database import NewerFileError, SoleConnection, is_damage, is_out_of_room, storage_error
from pos_app.journal.commit import Commit
from pos_app.journal.reserve import Reserve
from pos_app.services.ports import Clock

PRAGMAS: Final = {"journal_mode": "TRUNCATE", "synchronous": "EXTRA", "foreign_keys": "ON"}

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class JournalDamagedError(StorageError):
    """The journal cannot be read. It is never deleted: it may hold redemptions nobody else knows of."""

    def __init__(self) -> None:
        super().__init__(
            "The journal of this till cannot be read any more: journal.db is damaged. Redeem nothing on this till,"
            " start Points Desk again so that it saves what can be read, and call support."
        )


class DiskFullError(StorageError):
    """The disk does not take what is written."""


class JournalFile:
    """Runs reads and commits on the one thread. `is_full` says that the last commit found no room."""

    def __init__(self, engine: Engine, path: Path, clock: Clock, worker: Executor) -> None:
        self.path: Final = path
        self.newer: NewerFileError | None = None
        self.is_full = False
        self._engine = engine
        self._clock = clock
        self._worker = worker
        self._connection = SoleConnection(engine)  # Touched by the worker's thread only.
        self._reserve = Reserve(path.parent)

    def read(self, read: Callable[[Connection], _T]) -> _T:
        """Run a read and return what it found.

        Raises:
            StorageError: the file cannot be read.
        """

        def work() -> _T:
            transaction = self._connection.use().begin()
            try:
                return read(transaction.connection)
            finally:
                transaction.rollback()  # A read has nothing to commit, so a full disk cannot fail it.

        return self.run(lambda: self._told(work))

    def commit(self, work: Callable[[Commit], _T], *, begins: bool = False, rebased_to: datetime | None = None) -> _T:
        """Make one durable commit of what `work` writes, or none.

        `begins`: it begins something new, which is refused on a full disk; anything else may use up the reserve.
        `rebased_to` sets the clock's mark, also back.

        Raises:
            StorageError: nothing was kept.
            ValueError: a bug: the row is not one a journal can hold; nothing was kept.
        """
        return self.run(lambda: self.commit_here(work, begins=begins, rebased_to=rebased_to))

    def commit_here(
        self, work: Callable[[Commit], _T], *, begins: bool = False, rebased_to: datetime | None = None
    ) -> _T:
        """The same, on the worker's thread."""
        if self.newer is not None:
            raise StorageError(str(self.newer))
        if begins and not self.make_reserve():
            raise DiskFullError("The disk of this till is full: nothing was kept. Free some space, then try again.")
        try:
            return self._once(work, rebased_to)
        except DiskFullError:
            if begins or not self._reserve.give_up():
                raise
            _log.warning("the disk is full: the reserve was given up")
            return self._once(work, rebased_to)

    def wall(self) -> datetime:
        """What the till's clock shows."""
        return self._clock.wall()

    def make_reserve(self) -> bool:
        """Make the reserve where it is missing; False: there is no room. On the worker's thread."""
        if self._reserve.make():
            return True
        self.is_full = True
        return False

    def run(self, work: Callable[[], _T]) -> _T:
        """Run `work` on the worker's thread and wait for it.

        Raises:
            StorageError: the journal is closed.
        """
        try:
            waiting = self._worker.submit(work)
        except RuntimeError:
            raise StorageError("The journal of this till is closed: start Points Desk again.") from None
        return waiting.result()

    def close(self) -> None:
        """Close the file. What was committed is safe without it; may be called twice."""
        try:
            self._worker.submit(self._connection.drop).result()
        except RuntimeError:  # Closed already.
            return
        self._worker.shutdown()
        self._engine.dispose()

    def _once(self, work: Callable[[Commit], _T], rebased_to: datetime | None) -> _T:
        """One try. A commit that failed and stands all the same is taken back before anybody else writes."""
        commits: list[Commit] = []

        def attempt() -> _T:
            connection = self._connection.use()
            with connection.begin():
                commit = Commit(connection)
                commits.append(commit)
                result = work(commit)
                commit.end(self._clock.wall(), rebased=rebased_to)
            return result

        try:
            result = self._told(attempt)
        except StorageError as error:
            self.is_full = isinstance(error, DiskFullError)
            if commits:
                self._take_back(commits[0])
            raise
        self.is_full = not self._reserve.is_whole
        return result

    def _take_back(self, commit: Commit) -> None:
        def restore() -> None:
            transaction = self._connection.use().begin()
            try:
                if commit.take_back(transaction.connection):
                    transaction.commit()
            finally:
                if transaction.is_active:
                    transaction.rollback()

        try:
            try:
                self._told(restore)
            except DiskFullError:
                self._reserve.give_up()
                self._told(restore)
        except StorageError:
            _log.critical("a commit failed, and the journal cannot be read to see that it left nothing")

    def _told(self, work: Callable[[], _T]) -> _T:
        """Run `work`. After trouble the next use gets a fresh connection, which has forgotten the failed commit."""
        try:
            return in_own_words(work)
        except StorageError:
            self._connection.drop()
            raise


def in_own_words(work: Callable[[], _T]) -> _T:
    """Run `work` and say in our own words what went wrong.

    Raises:
        JournalDamagedError, DiskFullError, StorageError: as their names say.
        ValueError: a bug: the row is not one a journal can hold.
    """
    try:
        return work()
    except exc.IntegrityError as error:
        raise ValueError(f"the journal refuses this row: {error.orig}") from None
    except exc.DBAPIError as error:
        if is_damage(error):
            raise JournalDamagedError from error.orig
        told = storage_error(error)
        raise (DiskFullError(str(told)) if is_out_of_room(error) else told) from error.orig
