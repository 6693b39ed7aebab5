"""Measures Points Desk against the floors of its own parts, in one run, and prints the README's table.

.venv/bin/python tests/bench/run.py            about two minutes
.venv/bin/python tests/bench/run.py --quick    fewer runs, wider spread
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]


def main() -> int:
    """Run each measurement and print the table."""
    import bench_check
    import bench_server
    import bench_start

    is_quick = "--quick" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in ("server", "check", "start"):
            (place / name).mkdir()
        rows = bench_check.rows(place / "check", 2_000 if is_quick else 10_000)
        rows += bench_server.rows(place / "server", 1.0 if is_quick else 4.0)
        rows += bench_start.rows(place / "start", 5 if is_quick else 15)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, medians\n")
    print("| what | ours | floor | ratio | aim |")
    print("|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
