"""The journal in `journal.db`: the door to its parts, each method one durable commit (reliability 4.1, 4.2, 4.8)."""

from __future__ import annotations

import logging
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, bindparam, select

from pos_app.domain.trouble import StorageError
from pos_app.files.columns import moment_or_none, moment_text
from pos_app.files.database import NewerFileError, UnreadableFileError, bring_up_to_date, open_encrypted
from pos_app.journal import salvage
from pos_app.journal.audit import Audit
from pos_app.journal.chain import Chain
from pos_app.journal.commit import MARK_KEY, Commit
from pos_app.journal.file import PRAGMAS, DiskFullError, JournalDamagedError, JournalFile, in_own_words
from pos_app.journal.leases import Leases
from pos_app.journal.operators import Operators
from pos_app.journal.redemptions import Redemptions
from pos_app.journal.reserve import RESERVE_NAME
from pos_app.journal.steps import STEPS
from pos_app.journal.tables import FACT, MARK
from pos_app.services.offline_port import JournalHealth, JournalState
from pos_app.services.ports import Clock

__all__ = ["DiskFullError", "JournalDamagedError", "SqlJournal"]

_FACT: Final = select(FACT.table.c.value).where(FACT.table.c.name == bindparam("of_name"))
_FULL: Final = "The disk of this till is full: what was begun is finished, nothing new is begun. Free some space."
_MISSING: Final = (
    "The journal of this till is missing: journal.db is not where it was. Redemptions that were not yet confirmed may"
    " be in it: bring it back, or enrol this till again. Until then nothing is redeemed here without a line."
)

_log = logging.getLogger(__name__)


class SqlJournal(Redemptions, Leases, Chain, Audit, Operators):
    """Implements `services.offline_port.TillJournal`."""

    @classmethod
    def open(
        cls, path: Path, key_hex: str, clock: Clock, worker: Executor | None = None, *, was_here: bool = False
    ) -> SqlJournal:
        """Open the journal, making it when there is none, check it whole and bring it to this program's version.

        One that a newer program wrote opens for reading only (`read_only_because`). One that cannot be read is set
        aside, and a new one begins with what could be saved of it (`health`). `was_here` says that this till had one
        before, as do a reserve or a cache beside it: then a new one is told as missing. `worker` is the one thread
        that owns the connection; one is made where none is given.

        Raises:
            StorageError: it cannot be opened at all (no right, disk full).
        """
        worker = worker or ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            return worker.submit(cls._opened, path, key_hex, clock, worker, was_here).result()
        except BaseException:
            worker.shutdown()
            raise

    @property
    def read_only_because(self) -> str | None:
        """Why nothing can be written here, in a sentence; None: it can."""
        return None if self._file.newer is None else str(self._file.newer)

    def close(self) -> None:
        """Close the file. What was committed is safe without it; may be called twice."""
        self._file.close()

    # --- Small facts and the clock ---------------------------------------------------------------------------------

    def remember(self, name: str, value: str) -> None:
        """Keep a small fact under a name, with the moment it was kept.

        Raises:
            StorageError: nothing was kept.
        """
        fact = {"name": name, "value": value, "kept_at": moment_text(self._file.wall())}

        def work(commit: Commit) -> None:
            if commit.find(FACT, fact) is None:
                commit.add(FACT, fact)
            else:
                commit.put(FACT, fact)

        self._file.commit(work)

    def recall(self, name: str) -> str | None:
        """Read such a fact back."""
        told: str | None = self._scalar(_FACT, {"of_name": name})
        return told

    def high_water(self) -> datetime | None:
        """The latest moment this till has seen, None on a new one; each commit raises it (4.3, Clocks)."""
        mark = self._file.read(lambda connection: MARK.get(connection, MARK_KEY))
        return None if mark is None else moment_or_none(mark["high_water"])

    def mark_clock(self, wall: datetime, *, rebase: bool = False) -> None:
        """Raise the mark; `rebase` sets it, also back, to a moment the ledger told.

        It comes every minute, so on a full disk it also looks whether there is room again.

        Raises:
            StorageError: nothing was kept.
        """
        if self._file.is_full:
            self.recover()
        if rebase:
            self._file.commit(_nothing, rebased_to=wall)
        else:
            self._file.commit(lambda commit: commit.saw(wall))

    # --- The file ---------------------------------------------------------------------------------------------------

    def health(self) -> JournalHealth:
        """How the file is, the most pressing first."""
        if self._file.newer is not None:
            return JournalHealth(JournalState.NEWER, message=str(self._file.newer))
        blocked = self.offline_blocked()
        damage = (
            salvage.read_report(self.recall(salvage.REPORT)) if blocked == JournalState.DAMAGED else JournalHealth()
        )
        if self._file.is_full:
            return JournalHealth(JournalState.FULL, damage.set_aside, damage.export, _FULL)
        if blocked == JournalState.MISSING:
            return JournalHealth(JournalState.MISSING, message=_MISSING)
        return damage

    def offline_blocked(self) -> str | None:
        """Why nothing may be spent without a line until this till is enrolled again (4.8); None: it may."""
        if self._file.newer is not None:
            return JournalState.NEWER
        mark = self._file.read(lambda connection: MARK.get(connection, MARK_KEY))
        return None if mark is None else mark["offline_blocked"]

    def recover(self) -> bool:
        """Look whether a full disk has room again; True: it has, and the reserve is whole."""
        if self._file.newer is not None or not self._file.run(self._file.make_reserve):
            return False
        try:
            self._file.commit(_nothing, begins=True)
        except StorageError:
            return False
        return True

    # --- Opening ----------------------------------------------------------------------------------------------------

    @classmethod
    def _opened(cls, path: Path, key_hex: str, clock: Clock, worker: Executor, was_here: bool) -> SqlJournal:
        """On the worker's thread: open, save what can be saved if it is damaged, and say what happened."""
        salvage.finish(path)
        is_new = not path.exists() or path.stat().st_size == 0
        is_missing = is_new and (was_here or any((path.parent / name).exists() for name in (RESERVE_NAME, "cache.db")))
        try:
            engine, newer = _open_whole(path, key_hex)
        except (UnreadableFileError, JournalDamagedError):
            _log.exception("the journal cannot be read: what can be read of it is saved")
            salvage.save(path, key_hex, clock.wall())
            engine, newer = _open_whole(path, key_hex)
        file = JournalFile(engine, path, clock, worker)
        file.newer = newer
        journal = cls(file)
        if newer is None:
            file.make_reserve()
            if is_missing:
                _log.error("the journal of this till is missing: a new one was made")
                file.commit_here(lambda commit: commit.mark(offline_blocked=JournalState.MISSING.value))
        return journal


def _open_whole(path: Path, key_hex: str) -> tuple[Engine, NewerFileError | None]:
    """Open the file, check every page of it, then run the steps it has not seen.

    Raises:
        UnreadableFileError, JournalDamagedError: it cannot be read, or not all of it.
        StorageError: it cannot be opened at all.
    """
    engine = open_encrypted(path, key_hex, pragmas=PRAGMAS)
    try:
        return engine, in_own_words(lambda: _check_and_step(engine, path))
    except BaseException:
        engine.dispose()
        raise


def _check_and_step(engine: Engine, path: Path) -> NewerFileError | None:
    with engine.connect() as connection:
        checked = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        connection.rollback()
        if list(checked) != ["ok"]:
            raise JournalDamagedError
        try:
            bring_up_to_date(connection, STEPS, path=path)
        except NewerFileError as error:
            _log.error("the journal is open for reading only: %s", error)
            return error
    return None


def _nothing(_commit: Commit) -> None:
    """A commit that only raises the mark."""
