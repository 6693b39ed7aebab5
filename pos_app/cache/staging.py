"""A snapshot on its way: a cache file of its own beside the one in use, which it replaces when it is whole.

So no row of before can survive in it, a till answers from the old rows meanwhile, memory stays flat, and a snapshot
that was cut off goes on at the page it had reached. Customers and wallets come in the order of their ids and are
appended; the tables of the search are filled at the end, sorted in parts, because a million rows put one by one into
places all over a file would cost several times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from pos_app.cache import statements
from pos_app.cache.feeding import append_page, index_people, put_page, read_page, run
from pos_app.cache.file import CacheFile
from pos_app.cache.place import Place, find_place, first_place, put_place
from pos_app.domain.feed import ChangesPage, SnapshotPage
from pos_app.files.columns import moment_text
from pos_app.files.database import DriverConnection
from pos_app.services.feed_port import Applied, CacheState, SnapshotState, Stage
from pos_app.services.ports import Clock

WRITER_KIB: Final = 65_536
INDEXED_AT_ONCE: Final = 30_000
"""Customers whose entries are sorted and written together: many for each page of the file, few for the memory."""


class Staging:
    """One snapshot that is being taken."""

    def __init__(self, path: Path, key_hex: str, clock: Clock) -> None:
        """Open the file, making it when there is none."""
        self.path = path
        self._place: Place | None = None
        self._file = CacheFile(path, key_hex, clock, on_open=self._load, writer_kib=WRITER_KIB)

    @property
    def place(self) -> Place | None:
        """Where it stands; None: it has not begun."""
        return self._place

    @property
    def is_full(self) -> bool:
        """Whether the disk took no more."""
        return self._file.state is CacheState.FULL

    def state(self) -> SnapshotState | None:
        """Where it stands, for the sync service."""
        return None if self._place is None else self._place.snapshot_state()

    def put_page(self, page: SnapshotPage) -> Applied | None:
        """Keep the next page with its token, in one commit. None: it was not kept."""
        read = read_page(page.items)
        place = (self._place or first_place(page)).after_snapshot_page(page, read.applied)
        return read.applied if self._write(place, lambda connection: append_page(connection, read)) else None

    def index(self) -> bool:
        """Fill a part of the tables of the search; True: there is more to do."""
        place = self._place
        if place is None or place.stage != Stage.INDEX:
            return False
        reached: list[Place] = []

        def work(connection: Connection) -> None:
            last_id = index_people(connection, place.index_table, place.index_id, INDEXED_AT_ONCE)
            reached.append(place.after_indexing(last_id))
            put_place(connection, reached[-1])

        if not self._file.write(work):
            return False
        self._place = reached[-1]
        return self._place.stage == Stage.INDEX

    def put_changes(self, page: ChangesPage) -> Applied | None:
        """Keep a page of changes with its cursor, in one commit. None: it was not kept."""
        if self._place is None:
            return None
        read = read_page(page.items)
        place = self._place.after_changes(page, read.applied, None)
        return read.applied if self._write(place, lambda connection: put_page(connection, read, anew=True)) else None

    def make_whole(self, seen: Sequence[tuple[Any, ...]], at: datetime) -> bool:
        """Say that it is whole; `seen` are moments and customers, who was looked up on this till. Then `close` it."""
        if self._place is None or self._place.stage not in {Stage.CHANGES, Stage.WHOLE}:
            return False
        return self._write(
            self._place.whole(moment_text(at)), lambda connection: run(connection, statements.SEEN, seen)
        )

    def close(self) -> None:
        """Close the file; it stays."""
        self._file.close()

    def delete(self) -> None:
        """Give it up."""
        self._file.delete()

    def _write(self, place: Place, work: Callable[[Connection], None]) -> bool:
        def both(connection: Connection) -> None:
            work(connection)
            put_place(connection, place)

        is_kept = self._file.write(both)
        if is_kept:
            self._place = place
        return is_kept

    def _load(self, reader: DriverConnection) -> None:
        self._place = find_place(reader)
