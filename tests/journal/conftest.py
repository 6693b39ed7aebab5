"""The journal on disk and the one in memory that other tests use: both keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.files import DATABASE_KEY
from support.memory_journal import MemoryJournal

from pos_app.journal import SqlJournal
from pos_app.services.offline_port import TillJournal


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "disk"])
def any_journal(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[TillJournal]:
    with ExitStack() as at_end:
        if request.param == "memory":
            yield MemoryJournal(clock)
        else:
            on_disk = SqlJournal.open(tmp_path / "journal.db", DATABASE_KEY, clock)
            at_end.callback(on_disk.close)
            yield on_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"
