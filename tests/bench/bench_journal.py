"""A spend without a line, kept by the journal, against one raw synced commit of a row as long in an encrypted file."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from sqlcipher3 import dbapi2
from support.clock import FakeClock
from support.held_kit import a_lease, a_local, an_asked, sealing

from pos_app.journal import SqlJournal

KEY = "5a" * 32
_ROW_BYTES = 700
"""About what a redemption and its sealed row take together."""


def rows(folder: Path, commits: int) -> list[tuple[str, str, str, str, str]]:
    """The table's row: each commit of ours is followed by a raw one, so that both meet the same disk."""
    journal = SqlJournal.open(folder / "journal.db", KEY, FakeClock())
    journal.begin_epoch(1)
    journal.ask_lease(an_asked())
    journal.answer_lease(an_asked().request_id, a_lease(amount=commits))
    raw = dbapi2.connect(str(folder / "raw.db"), isolation_level=None)
    for pragma in (f"key=\"x'{KEY}'\"", "journal_mode=TRUNCATE", "synchronous=EXTRA"):
        raw.execute(f"PRAGMA {pragma}").fetchall()
    raw.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, row TEXT)")
    ours: list[float] = []
    floor: list[float] = []
    for number in range(1, commits + 1):
        row = a_local(1, number=number)
        seal = sealing(row)
        began = time.perf_counter()
        journal.spend(row, seal)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        raw.execute("INSERT INTO kept (row) VALUES (?)", ("x" * _ROW_BYTES,))
        floor.append(time.perf_counter() - began)
    journal.close()
    raw.close()
    middle, least = statistics.median(ours), statistics.median(floor)
    worst = statistics.quantiles(ours, n=100)[98]
    return [
        (
            "a spend without a line, kept for good (p50)",
            f"{middle * 1000:.2f} ms ({1 / middle:.0f}/s, p99 {worst * 1000:.1f} ms)",
            f"{least * 1000:.2f} ms, one raw synced commit",
            f"{middle / least:.1f}x",
            "3x",
        )
    ]
