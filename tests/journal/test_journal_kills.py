"""A till that is killed at any moment: what it said is kept, and lease, row and chain are one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from support.clock import FakeClock
from support.files import DATABASE_KEY
from support.held_kit import a_key

from pos_app.domain.points import Points, total
from pos_app.domain.redemption import State
from pos_app.journal import SqlJournal
from pos_app.services.offline_port import JournalState

TESTS = Path(__file__).parent.parent


def open_at(path: Path) -> SqlJournal:
    return SqlJournal.open(path, DATABASE_KEY, FakeClock())


@contextmanager
def a_writer(path: Path, what: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process that writes until it is killed, and what it says."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "support.journal_writer", str(path), DATABASE_KEY, what],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert writer.stdout is not None
    try:
        yield writer, writer.stdout
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def told_until_killed(path: Path, what: str, count: int) -> list[str]:
    """The keys it acknowledged; it is killed once it has said so many."""
    with a_writer(path, what) as (writer, output):
        told = [output.readline().strip() for _ in range(count)]
        writer.kill()
        told += [line.strip() for line in output.read().split("\n") if len(line.strip()) == len(told[0])]
    return told


def test_what_was_acknowledged_survives_a_kill_at_any_moment(path: Path) -> None:
    told = told_until_killed(path, "adds", 50)
    journal = open_at(path)
    kept = [each.key for each in journal.open_redemptions()]
    journal.close()
    assert kept[: len(told)] == told
    assert len(kept) - len(told) <= 1, "one more may have been committed but not yet told"


@pytest.mark.parametrize("count", [1, 7, 23])
def test_row_lease_and_chain_are_one_whenever_the_till_is_killed(path: Path, count: int) -> None:
    told: list[str] = []
    for _round in range(3):
        told = told_until_killed(path, "spends", count)
        journal = open_at(path)
        assert journal.health().state is JournalState.OK
        rows = list(reversed(journal.recent(10_000)))
        keys = [row.key for row in rows]
        assert keys == [a_key(number) for number in range(1, len(keys) + 1)]
        assert told == keys[keys.index(told[0]) :][: len(told)]
        assert len(keys) - 1 <= keys.index(told[-1]) + 1, "one more may have been committed but not yet told"
        assert journal.lease("L1").spent == total(row.points for row in rows) == Points(1000 * len(rows))
        assert [each.key for each in journal.sealed_from(1, 1, 10_000)] == keys
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert all(row.state in {State.LOCAL_DONE, State.SETTLING} for row in rows)
        journal.close()
