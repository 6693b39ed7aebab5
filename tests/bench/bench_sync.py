"""The cache fed by the feed: a snapshot against raw inserts, a delta on a small and a large one, the till's start.

As a script it does one piece of it in a process of its own, so that its memory can be told: `fill` or `raw`.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench_members import NOW, changes, snapshot_pages
from sqlcipher3 import dbapi2
from support.clock import FakeClock

from pos_app.cache import SqlCache
from pos_app.cache.entries import PLACES, person_of
from pos_app.cache.feeding import read_page
from pos_app.cache.file import PAGE
from pos_app.cache.staging import WRITER_KIB
from pos_app.cache.statements import FEED_CUSTOMER, FEED_WALLET
from pos_app.wire.feed import read_changes, write_changes

CHANGES = 1_000
Row = tuple[str, str, str, str, str]


def filled(folder: Path, members: int, key: str) -> dict[str, float]:
    """Fill a cache by a snapshot, in a process of its own; returns seconds and megabytes."""
    return _apart("fill", folder, members, key)


def rows(small: Path, large: Path, members: int, key: str, took: dict[str, float]) -> list[Row]:
    """The table's rows; `small` and `large` hold caches of 10,000 and of `members` members, filled before."""
    raw = _apart("raw", large.parent / "raw", members, key)
    ours, floor = 2 * members / took["total_s"], 2 * members / raw["total_s"]
    deltas = [_delta(folder, count, key) for folder, count in ((small, 10_000), (large, members))]
    name = f"{members:,} members"
    return [
        (f"snapshot, {name}", f"{ours:,.0f} rows/s", f"{floor:,.0f} rows/s", f"{ours / floor:.2f}", "at least 0.5"),
        (
            f"snapshot, {name}: peak memory",
            f"{took['mb']:.0f} MB",
            f"{took['mb_before']:.0f} MB at a tenth",
            "",
            "flat",
        ),
        (
            f"{CHANGES:,} changes, {name}",
            f"{deltas[1]:.0f} ms",
            f"{deltas[0]:.0f} ms at 10,000",
            f"{deltas[1] / deltas[0]:.2f}",
            "at most 1.5",
        ),
    ]


def start_row(empty: Path, large: Path, runs: int) -> Row:
    """A till's start until it can look a customer up, with an empty cache and with a large one."""
    from bench_start import _OURS, one_start

    took: dict[Path, list[float]] = {empty: [], large: []}
    for run in range(runs + 2):
        for folder, found in took.items():
            measured, _memory = one_start(_OURS, "ready", str(folder))
            if run >= 2:
                found.append(measured)
    mine, floor = (statistics.median(took[folder]) for folder in (large, empty))
    return (
        "till's start with it against an empty cache",
        f"{mine:.0f} ms",
        f"{floor:.0f} ms",
        f"{mine / floor:.2f}",
        "at most 1.1",
    )


def _delta(folder: Path, members: int, key: str) -> float:
    """Milliseconds for a delta as it arrives, read and written; the median of nine."""
    cache = SqlCache.open(folder / "cache.db", key, FakeClock())
    took = []
    for version in range(2, 11):
        bodies = [write_changes(page) for page in changes(members, CHANGES, version)]
        began = time.perf_counter()
        for body in bodies:
            assert cache.put_changes(read_changes(body), NOW) is not None
        took.append((time.perf_counter() - began) * 1000)
    cache.close()
    return statistics.median(took)


def _apart(what: str, folder: Path, members: int, key: str) -> dict[str, float]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, what, str(folder), str(members), key]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=paths).stdout
    return {name: float(number) for name, number in json.loads(told).items()}


def _fill(folder: Path, members: int, key: str) -> dict[str, float]:
    """A snapshot through the cache; making the rows is not counted."""
    cache = SqlCache.open(folder / "cache.db", key, FakeClock())
    total = 0.0
    for page in snapshot_pages(members):
        began = time.perf_counter()
        assert cache.put_snapshot_page(page) is not None
        total += time.perf_counter() - began
    began = time.perf_counter()
    while cache.index_snapshot():
        pass
    for page in changes(members, 1, 1):
        assert cache.put_snapshot_changes(page) is not None
    assert cache.finish_snapshot(NOW)
    total += time.perf_counter() - began
    cache.close()
    return {"total_s": total, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}


def _raw(folder: Path, members: int, key: str) -> dict[str, float]:
    """The same rows, ready made, by the driver's executemany into the same tables, a transaction a page."""
    SqlCache.open(folder / "cache.db", key, FakeClock()).close()
    driver = dbapi2.connect(str(folder / "cache.db"), isolation_level=None)
    pragmas = {"key": f"\"x'{key}'\"", **PAGE, "journal_mode": "WAL", "synchronous": "NORMAL"}
    for name, value in {**pragmas, "cache_size": -WRITER_KIB}.items():
        driver.execute(f"PRAGMA {name} = {value}").fetchall()
    total = 0.0
    for page in snapshot_pages(members):
        read = read_page(page.items)
        customers = [row for row in read.customers.values() if row is not None]
        people = [person_of(row) for row in customers]
        batches = [(FEED_CUSTOMER, customers), (FEED_WALLET, [row for row in read.wallets.values() if row is not None])]
        for place in PLACES:
            batches.append((place.put, [(*key, each.customer_id) for each in people for key in place.keys_of(each)]))
        began = time.perf_counter()
        driver.execute("BEGIN IMMEDIATE")
        for statement, batch in batches:
            driver.executemany(statement, batch)
        driver.execute("COMMIT")
        total += time.perf_counter() - began
    driver.close()
    return {"total_s": total, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}


if __name__ == "__main__":
    _what, _folder, _members, _key = sys.argv[1:]
    _work = {"fill": _fill, "raw": _raw}[_what]
    print(json.dumps(_work(Path(_folder), int(_members), _key)))
