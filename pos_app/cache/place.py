"""The one row that says where a cache file stands in the feed, committed with every page."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection

from pos_app.cache import statements
from pos_app.cache.entries import PLACES
from pos_app.cache.feeding import run
from pos_app.domain.feed import ChangesPage, Scope, SnapshotPage
from pos_app.files.columns import moment_or_none
from pos_app.files.database import DriverConnection
from pos_app.services.feed_port import Applied, FeedState, SnapshotState, Stage


class Place(NamedTuple):
    """The columns of `feed`, in their order."""

    only: int
    epoch: int
    schema: int
    scope: str
    cursor: str
    fresh_at: str | None
    stage: str
    page: str | None
    rows_done: int
    rows_total: int
    skipped: int
    index_table: int
    index_id: int

    @property
    def is_whole(self) -> bool:
        """Whether a till may answer from this file."""
        return self.stage == Stage.WHOLE

    def feed_state(self) -> FeedState:
        """As the sync service reads it of the cache in use."""
        return FeedState(
            epoch=self.epoch,
            schema=self.schema,
            scope=Scope(self.scope),
            cursor=self.cursor,
            fresh_at=moment_or_none(self.fresh_at),
            skipped=self.skipped,
        )

    def snapshot_state(self) -> SnapshotState:
        """As the sync service reads it of a snapshot."""
        return SnapshotState(
            epoch=self.epoch,
            schema=self.schema,
            scope=Scope(self.scope),
            cursor=self.cursor,
            stage=Stage(self.stage),
            page=self.page,
            rows_done=self.rows_done,
            rows_total=self.rows_total,
            skipped=self.skipped,
        )

    def after_snapshot_page(self, page: SnapshotPage, applied: Applied) -> Place:
        """The place once a page was kept; a lead of `first_place` for the first one."""
        return self._replace(
            stage=Stage.ROWS if page.next_page is not None else Stage.INDEX,
            page=page.next_page,
            rows_done=self.rows_done + applied.rows,
            skipped=self.skipped + applied.skipped,
        )

    def after_indexing(self, last_id: int | None) -> Place:
        """The place once a part of the search's tables was filled; None: this table is done."""
        if last_id is not None:
            return self._replace(index_id=last_id)
        is_last = self.index_table + 1 == len(PLACES)
        return self._replace(
            index_table=self.index_table + 1, index_id=-1, stage=Stage.CHANGES if is_last else Stage.INDEX
        )

    def after_changes(self, page: ChangesPage, applied: Applied, fresh_at: str | None) -> Place:
        """The place once a page of changes was kept; `fresh_at` where there is nothing more."""
        return self._replace(
            cursor=page.next_cursor,
            schema=page.schema,
            fresh_at=fresh_at or self.fresh_at,
            skipped=self.skipped + applied.skipped,
        )

    def whole(self, fresh_at: str) -> Place:
        """The place of a snapshot that is whole and mended."""
        return self._replace(stage=Stage.WHOLE, page=None, fresh_at=fresh_at)


def first_place(page: SnapshotPage) -> Place:
    """Where a snapshot stands before its first page is kept."""
    total = sum(page.counts.get(name, 0) for name in ("customers", "wallets", "family_groups"))
    return Place(
        only=1,
        epoch=page.epoch,
        schema=page.schema,
        scope=page.scope.value,
        cursor=page.as_of,
        fresh_at=None,
        stage=Stage.ROWS,
        page=None,
        rows_done=0,
        rows_total=total,
        skipped=0,
        index_table=0,
        index_id=-1,
    )


def find_place(reader: DriverConnection) -> Place | None:
    """Where a file stands; None: no feed ever filled it."""
    row: Any = reader.execute(statements.FEED).fetchone()
    return None if row is None else Place(*row)


def put_place(connection: Connection, place: Place) -> None:
    """Write it, in the transaction of its page."""
    run(connection, statements.PUT_FEED, [tuple(place)])
