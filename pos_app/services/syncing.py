"""Keeps the till's cache current: a snapshot first, then changes, a page at a time (reliability 4.4, sync-api 5).

`tick` does one page of work when there is any and says whether to come again at once. So whoever drives it (a thread of
the window, a command on a terminal, a simulator) may stop between any two pages, and nothing is lost: each page was
committed with its place. It never raises for what a ledger sends or a disk refuses; it waits and tries again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pos_app.domain.feed import ChangesPage, Scope
from pos_app.domain.trouble import SlowDownError, SyncRefusedError, Trouble
from pos_app.services.feed_port import Applied, CacheState, FeedCache, SnapshotState, Stage
from pos_app.services.line import Line
from pos_app.services.ports import Clock
from pos_app.services.results import LineState
from pos_app.services.sync_port import SyncLedger

CHANGES_EVERY_S: Final = 30.0
SNAPSHOT_ROWS: Final = 1000
CHANGES_ROWS: Final = 500
WAIT_FIRST_S: Final = 5.0
WAIT_MOST_S: Final = 300.0
"""After trouble the till waits five seconds, then twice as long each time, at most five minutes."""

NEW_SNAPSHOT: Final = frozenset(("cursor_too_old", "epoch_changed", "scope_changed", "page_expired"))
"""Words of the ledger after which only a new snapshot helps (sync-api 1)."""

_log: Final = logging.getLogger(__name__)


class SyncStep(StrEnum):
    """What the sync is at."""

    IDLE = "idle"
    """Nothing was ever fetched, and nothing can be fetched now."""
    SNAPSHOT = "snapshot"
    INDEXING = "indexing"
    CATCHING_UP = "catching_up"
    CURRENT = "current"
    WAITING = "waiting"
    """Something went wrong; `trouble` says what, and it is tried again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """How far the sync is, for the window and the terminal.

    `rows_done` of `rows_total` count while a snapshot is taken; the total is the ledger's estimate. `left_s` None:
    cannot be told. `fresh_at`: when the ledger last said that there is nothing more.
    """

    step: SyncStep
    cache: CacheState
    rows_done: int = 0
    rows_total: int = 0
    rows_per_s: float = 0.0
    left_s: float | None = None
    skipped: int = 0
    fresh_at: datetime | None = None
    trouble: Trouble | None = None


class SyncService:
    """One till's sync. `tick` is for one thread; everything else may be called from any."""

    def __init__(
        self,
        ledger: SyncLedger,
        cache: FeedCache,
        line: Line,
        clock: Clock,
        *,
        scope: Scope = Scope.STORE,
        on_epoch: Callable[[int], None] | None = None,
    ) -> None:
        """`on_epoch` hears the ledger's epoch when it is first known and each time it is another one.

        It is called before the snapshot that follows is whole, and again after a crash: whoever offers settled rows
        anew (reliability 4.4) remembers for which epoch that was done.
        """
        self._ledger = ledger
        self._cache = cache
        self._line = line
        self._clock = clock
        self._scope = scope
        self._on_epoch = on_epoch
        self._lock = threading.Lock()
        self._epoch: int | None = None
        self._due_at = float("-inf")
        self._wait_s = WAIT_FIRST_S
        self._online_since: datetime | None = None
        self._trouble: Trouble | None = None
        self._wants_snapshot = False
        self._rate = _Rate(clock)

    def nudge(self) -> None:
        """Ask for changes at the next tick: an answer of this till moved points, or the ledger said there are some."""
        with self._lock:
            self._due_at = float("-inf")

    def start_anew(self) -> None:
        """Take a new snapshot at the next tick."""
        with self._lock:
            self._wants_snapshot = True
            self._due_at = float("-inf")

    def tick(self) -> bool:
        """Do one page of work if it is due; True: come again at once. Never raises Trouble."""
        if not self._is_due():
            return False
        try:
            comes_again = self._work()
        except Trouble as trouble:
            self._met(trouble)
            return False
        if comes_again is None:
            return False
        with self._lock:
            self._trouble, self._wait_s = None, WAIT_FIRST_S
        return comes_again

    def view(self) -> SyncView:
        """How far it is, now."""
        with self._lock:
            trouble = self._trouble
        state, snapshot = self._cache.feed_state(), self._cache.snapshot_state()
        fresh_at = None if state is None else state.fresh_at
        if snapshot is None:
            step = SyncStep.CURRENT if state is not None else SyncStep.IDLE
            skipped = 0 if state is None else state.skipped
            return SyncView(
                step=SyncStep.WAITING if trouble is not None else step,
                cache=self._cache.state,
                skipped=skipped,
                fresh_at=fresh_at,
                trouble=trouble,
            )
        rate = self._rate.per_s(snapshot)
        is_counting = snapshot.stage is Stage.ROWS and rate > 0
        return SyncView(
            step=SyncStep.WAITING if trouble is not None else _STEPS[snapshot.stage],
            cache=self._cache.state,
            rows_done=snapshot.rows_done,
            rows_total=max(snapshot.rows_total, snapshot.rows_done),
            rows_per_s=rate,
            left_s=max(snapshot.rows_total - snapshot.rows_done, 0) / rate if is_counting else None,
            skipped=snapshot.skipped,
            fresh_at=fresh_at,
            trouble=trouble,
        )

    # --- Within ----------------------------------------------------------------------------------------------------

    def _is_due(self) -> bool:
        """Whether to work now. A line that has just come back is reason enough (sync-api 5)."""
        line = self._line.view
        if line.state is LineState.OFFLINE:
            return False
        with self._lock:
            if line.state is LineState.ONLINE and line.since != self._online_since:
                self._online_since = line.since
                self._due_at = float("-inf")
            return self._clock.mono() >= self._due_at

    def _work(self) -> bool | None:
        """Do the next piece; None: it could not be done, and when to try again is settled."""
        if self._wants_snapshot:
            return self._begin_anew()
        snapshot = self._cache.snapshot_state()
        if snapshot is not None:
            return self._go_on(snapshot)
        state = self._cache.feed_state()
        if state is None or state.scope is not self._scope:
            return self._fetch_page(None)
        self._heard(state.epoch)
        asked_at = self._clock.wall()
        page = self._changes(state.cursor, state.epoch)
        if page is None:
            return True
        if page.schema != state.schema:  # The ledger tells more than it did: what is here lacks it.
            self._anew()
            return True
        applied = self._cache.put_changes(page, asked_at)
        if applied is None:
            return self._not_kept()
        self._count(applied, "changes")
        return True if page.has_more else self._rests()

    def _begin_anew(self) -> bool | None:
        self._cache.drop_snapshot()
        comes_again = self._fetch_page(None)
        with self._lock:
            self._wants_snapshot = self._cache.snapshot_state() is None
        return comes_again

    def _go_on(self, snapshot: SnapshotState) -> bool | None:
        if snapshot.scope is not self._scope:
            self._cache.drop_snapshot()
            return True
        if snapshot.stage is Stage.ROWS:
            return self._fetch_page(snapshot)
        if snapshot.stage is Stage.INDEX:
            self._cache.index_snapshot()
            if self._cache.snapshot_state() == snapshot and self._cache.state is CacheState.FULL:
                self._cache.drop_snapshot()
                return self._not_kept()
            return True
        return self._mend(snapshot)

    def _fetch_page(self, snapshot: SnapshotState | None) -> bool | None:
        """Fetch a page of a snapshot, the first one where there is none."""
        token = None if snapshot is None else snapshot.page
        if snapshot is None:
            self._rate = _Rate(self._clock)
        try:
            page = self._ledger.snapshot(self._scope, token, SNAPSHOT_ROWS)
        except SyncRefusedError as refused:
            if refused.reason not in NEW_SNAPSHOT or snapshot is None:
                raise
            _log.info("the snapshot begins anew: %s", refused.reason)
            self._cache.drop_snapshot()
            return True
        self._line.met(None)
        self._heard(page.epoch)
        if snapshot is not None and (page.epoch, page.as_of) != (snapshot.epoch, snapshot.cursor):
            self._cache.drop_snapshot()  # A restored ledger goes on with another story.
            return True
        applied = self._cache.put_snapshot_page(page)
        if applied is None:
            return self._not_kept()
        self._count(applied, "snapshot")
        self._rate.add(applied.rows)
        return True

    def _mend(self, snapshot: SnapshotState) -> bool | None:
        """Bring the snapshot up to now by what changed while it was taken, then use it."""
        asked_at = self._clock.wall()
        page = self._changes(snapshot.cursor, snapshot.epoch)
        if page is None:
            return True
        if self._cache.put_snapshot_changes(page) is None:
            return self._not_kept()
        if page.has_more:
            return True
        if not self._cache.finish_snapshot(asked_at):
            return self._not_kept()
        _log.info("the snapshot is whole: %d rows, %d left out", snapshot.rows_done, snapshot.skipped)
        return self._rests()

    def _changes(self, cursor: str, epoch: int) -> ChangesPage | None:
        """The changes after a cursor; None: a new snapshot is needed, and will be taken."""
        try:
            page = self._ledger.changes(cursor, CHANGES_ROWS)
        except SyncRefusedError as refused:
            if refused.reason not in NEW_SNAPSHOT:
                raise
            _log.info("a new snapshot is needed: %s", refused.reason)
            self._anew()
            return None
        self._line.met(None)
        self._heard(page.epoch)
        if page.epoch != epoch:
            self._anew()
            return None
        return page

    def _anew(self) -> None:
        self._cache.drop_snapshot()
        self.start_anew()

    def _heard(self, epoch: int) -> None:
        """Tell of an epoch that is news to this process."""
        if epoch == self._epoch:
            return
        self._epoch = epoch
        if self._on_epoch is not None:
            self._on_epoch(epoch)

    def _count(self, applied: Applied, what: str) -> None:
        if applied.skipped:
            _log.warning("%d of %d rows of a page of the %s were left out", applied.skipped, applied.rows, what)

    def _rests(self) -> bool:
        """All is current: come again in a while."""
        with self._lock:
            self._due_at = self._clock.mono() + CHANGES_EVERY_S
        return False

    def _not_kept(self) -> bool | None:
        """The cache took nothing: the till goes on without, and tries again later (reliability 4.8)."""
        self._wait(WAIT_MOST_S if self._cache.state is CacheState.FULL else self._wait_s)
        return None

    def _met(self, trouble: Trouble) -> None:
        self._line.met(trouble)
        with self._lock:
            self._trouble = trouble
        _log.info("the sync waits: %s", type(trouble).__name__)
        self._wait(max(trouble.retry_after_s, self._wait_s) if isinstance(trouble, SlowDownError) else self._wait_s)

    def _wait(self, seconds: float) -> None:
        with self._lock:
            self._due_at = self._clock.mono() + seconds
            self._wait_s = min(2 * self._wait_s, WAIT_MOST_S)


_STEPS: Final = {
    Stage.ROWS: SyncStep.SNAPSHOT,
    Stage.INDEX: SyncStep.INDEXING,
    Stage.CHANGES: SyncStep.CATCHING_UP,
    Stage.WHOLE: SyncStep.CATCHING_UP,
}


class _Rate:
    """Rows a second of the snapshot in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: float | None = None
        self._rows = 0

    def add(self, rows: int) -> None:
        """So many rows were kept."""
        if self._began is None:  # The first page tells when it began, not how quick it was.
            self._began = self._clock.mono()
        else:
            self._rows += rows

    def per_s(self, snapshot: SnapshotState) -> float:
        """Rows a second since it began; 0 while that cannot be told."""
        if self._began is None or snapshot.stage is not Stage.ROWS:
            return 0.0
        elapsed = self._clock.mono() - self._began
        return self._rows / elapsed if elapsed > 0 else 0.0
