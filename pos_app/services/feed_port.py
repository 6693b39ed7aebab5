"""What the sync service needs of the till's cache: rows of the feed go in, a page with its cursor at a time.

A snapshot never touches what the till answers from: it is put together beside it, page by page, and takes its place in
one step when it is whole (reliability 4.4). Nothing here raises: a cache that cannot be written says so and is done
without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pos_app.domain.facts import CustomerRecord
from pos_app.domain.feed import ChangesPage, FeedItem, Scope, SnapshotPage
from pos_app.domain.request import CustomerRef


class CacheState(StrEnum):
    """How the cache is, for the window and the status of a till without one (reliability 4.8)."""

    OK = "ok"
    REBUILDING = "rebuilding"
    """A snapshot is being taken; until it is whole the till answers from what it had."""
    UNAVAILABLE = "unavailable"
    """The file cannot be opened: the till works without it."""
    FULL = "full"
    """The disk took no more: what is there is still read."""


class Stage(StrEnum):
    """How far a snapshot is. The cache in use is WHOLE."""

    ROWS = "rows"
    INDEX = "index"
    CHANGES = "changes"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """Where the cache in use stands in the feed. `fresh_at`: when the ledger last said that there is nothing more."""

    epoch: int
    schema: int
    scope: Scope
    cursor: str
    fresh_at: datetime | None
    skipped: int = 0
    """Rows that could not be read or are of a kind this program does not know, since the snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotState:
    """Where a snapshot that is being taken stands. `cursor` is its place in the feed."""

    epoch: int
    schema: int
    scope: Scope
    cursor: str
    stage: Stage
    page: str | None
    """The token of the next page, while `stage` is ROWS."""
    rows_done: int = 0
    rows_total: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a page."""

    rows: int
    skipped: int = 0


class FeedCache(Protocol):
    """The cache's half of the sync. Any thread may call it; one of them at a time syncs."""

    @property
    def state(self) -> CacheState:
        """How the cache is."""
        ...

    def feed_state(self) -> FeedState | None:
        """Where it stands in the feed; None: it was never filled by one, or had to be made anew."""
        ...

    def snapshot_state(self) -> SnapshotState | None:
        """Where the snapshot that is being taken stands, also after a restart; None: none is."""
        ...

    def put_snapshot_page(self, page: SnapshotPage) -> Applied | None:
        """Keep a page of a snapshot with the token of the next one, in one commit; the first page begins it anew.

        None: it was not kept (the disk is full), and the snapshot was given up.
        """
        ...

    def index_snapshot(self) -> bool:
        """Do a part of what searches need, a second at most; True: there is more to do."""
        ...

    def put_snapshot_changes(self, page: ChangesPage) -> Applied | None:
        """Mend the snapshot by what changed while it was taken. None: as `put_snapshot_page`."""
        ...

    def finish_snapshot(self, at: datetime) -> bool:
        """Put the whole snapshot in the place of the cache in use; False: it could not be done now.

        `at`: when the changes were asked for that said there is nothing more.
        """
        ...

    def drop_snapshot(self) -> None:
        """Give up the snapshot that is being taken, if any."""
        ...

    def put_changes(self, page: ChangesPage, at: datetime) -> Applied | None:
        """Keep a page of changes with its cursor, in one commit. `at`: when it was asked for. None: not kept."""
        ...

    def keep_rows(self, items: Sequence[FeedItem], named: CustomerRef | None, at: datetime) -> CustomerRecord | None:
        """Keep the rows of one customer, looked up at `at`, and return her record; None: they tell of no customer.

        The record is made of the rows also when nothing can be kept.
        """
        ...
