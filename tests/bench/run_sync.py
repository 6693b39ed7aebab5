"""Measures the synced cache of a till at a million members, and prints the README's table.

.venv/bin/python tests/bench/run_sync.py            about ten minutes, a gigabyte and a half of disk
.venv/bin/python tests/bench/run_sync.py --quick    a hundred thousand members
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]


def main() -> int:
    """Fill the caches, run each measurement and print the table."""
    import bench_search
    import bench_start
    import bench_sync

    from pos_app.settings import Place

    sizes = [1_000, 10_000, 100_000] if "--quick" in sys.argv[1:] else [10_000, 100_000, 1_000_000]
    with tempfile.TemporaryDirectory() as place:
        empty = Path(place) / "empty"
        bench_start.a_till(empty)
        folders = {members: Path(place) / str(members) for members in {*sizes, 10_000}}
        took = {}
        for members, folder in sorted(folders.items()):
            bench_start.a_till(folder)
            (folder / "secrets").write_bytes(_secrets_of(empty))
            key = Place(data_dir=folder).secrets().database_key()
            took[members] = bench_sync.filled(folder, members, key)
        largest = max(sizes)
        took[largest]["mb_before"] = took[sorted(folders)[-2]]["mb"]
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
        print("| what | ours | floor | ratio | aim |")
        print("|---|---|---|---|---|", flush=True)
        _print(bench_search.rows({members: folders[members] for members in sizes}, key, 5_000))
        _print(bench_sync.rows(folders[10_000], folders[largest], largest, key, took[largest]))
        _print([bench_sync.start_row(empty, folders[largest], 15)])
    return 0


def _print(rows: list[tuple[str, str, str, str, str]]) -> None:
    """Each part as soon as it is measured: the whole takes its time."""
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def _secrets_of(folder: Path) -> bytes:
    """The secrets of a till, made where there are none: all measured tills have the same key."""
    from pos_app.settings import Place

    Place(data_dir=folder).secrets().database_key()
    return (folder / "secrets").read_bytes()


if __name__ == "__main__":
    raise SystemExit(main())
