"""Measures the ledger against its floors, in one run, and prints the README's table.

.venv/bin/python tests/bench/run_ledger.py            about twenty minutes: it imports a million customers twice
.venv/bin/python tests/bench/run_ledger.py --quick    a tenth of everything
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

warnings.simplefilter("ignore")  # Of a package that looks for a folder of the session where there is none.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from bench_import import against_executemany  # noqa: E402 - the path is set above
from bench_load import Taken, load  # noqa: E402
from bench_place import Filled, PostgreSQL  # noqa: E402
from bench_redeem import against_driver, redemptions  # noqa: E402
from bench_server import against_bare, checks, middle  # noqa: E402

TURNS = 5
Row = tuple[str, str, str, str, str]


class Bench:
    """One run: where it works, how long each measurement takes, and what it found."""

    def __init__(self, folder: Path, *, is_quick: bool) -> None:
        self.folder = folder
        self.seconds = 1.0 if is_quick else 8.0
        self.redemptions = 200 if is_quick else 2_000
        self.requests = 10_000 if is_quick else 100_000
        self.sizes = (1_000, 10_000, 100_000) if is_quick else (1_000, 10_000, 1_000_000)
        self.server = PostgreSQL(self._made("postgresql"))

    def _made(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        return made

    def filled(self, kind: str, customers: int) -> Filled:
        """A ledger of so many customers."""
        folder = self._made(f"{kind}-{customers}")
        url = f"sqlite:///{folder / 'ledger.db'}" if kind == "SQLite" else self.server.new(folder.name)
        filled = Filled(url, folder, customers)
        filled.fill()
        say(f"{kind}, {customers:,} customers: imported in {filled.import_s:.1f} s")
        return filled

    def empty(self, kind: str) -> str:
        """The address of a new database."""
        folder = self._made(f"{kind}-empty")
        return f"sqlite:///{folder / 'ledger.db'}" if kind == "SQLite" else self.server.new(folder.name)

    def measure(self, kind: str) -> Iterator[Row]:
        """All rows of one kind of database."""
        small, middling, large = (self.filled(kind, size) for size in self.sizes)
        ours, raw = against_executemany(large, self.empty(kind))
        what = f"{kind}: import of {large.customers:,}, customers a second, against raw executemany of the same rows"
        yield row(what, ours, raw, "at least 0.5")
        with middling.served() as servers:
            taken, floor = against_bare(middling, servers, self.seconds)
            what = f"{kind}: check, one process ({times(taken)}), against the same server doing one bare lookup"
            yield row(what, taken.a_second, floor.a_second, "at least 0.7")
        yield from self._at_processes(kind, middling)
        if kind == "PostgreSQL":
            yield from self._against_driver(middling)
        yield from self._at_sizes(kind, small, large)
        yield self._memory(kind, middling)

    def _at_processes(self, kind: str, filled: Filled) -> Iterator[Row]:
        for processes in (1, 2):
            with filled.served(processes) as servers:
                for name, ask in (("check", checks(filled.customers)), ("redeem", redemptions(filled.customers))):
                    load(servers.ports, ask, self.seconds / 4)
                    taken = middle([load(servers.ports, ask, self.seconds / TURNS) for _ in range(TURNS)])
                    what = f"{kind}: {name} at {processes} process{'es' if processes > 1 else ''} ({times(taken)})"
                    yield (what, f"{taken.a_second:,.0f}/s", "", "", "")

    def _against_driver(self, filled: Filled) -> Iterator[Row]:
        with filled.served() as servers:
            load(servers.ports, redemptions(filled.customers), self.seconds / 4)
            served = load(servers.ports, redemptions(filled.customers), self.seconds)
        name = filled.folder.name
        ours, raw = against_driver(filled, lambda: self.server.new(f"{name}-copy", like=name), self.redemptions)
        yield row(
            "PostgreSQL: redeem in process, one thread, against the driver sending the same SQL", ours, raw, "0.6"
        )
        what = "PostgreSQL: redeem over HTTP, one process, against that same loop"
        yield row(what, served.a_second, raw, "at least 0.6")
        what = "PostgreSQL: redeem over HTTP, one process, against pgbench's TPC-B-like script, 8 clients"
        yield row(what, served.a_second, self._tpc_b(), "")

    def _tpc_b(self) -> float:
        address = self.server.new("tpcb")
        tool = str(self.server.tools / "pgbench")
        subprocess.run([tool, "-i", "-q", "-s", "10", address], check=True, capture_output=True)
        script = [tool, "-c", "8", "-j", "2", "-T", str(int(self.seconds) or 1), address]
        told = subprocess.run(script, check=True, capture_output=True, text=True).stdout
        found = re.search(r"tps = ([\d.]+)", told)
        assert found is not None
        return float(found[1])

    def _at_sizes(self, kind: str, small: Filled, large: Filled) -> Iterator[Row]:
        asks: list[tuple[str, Callable[[int], Callable[[], bytes]]]] = [("check", checks), ("redeem", redemptions)]
        with small.served() as few, large.served() as many:
            for name, ask in asks:
                for filled, servers in ((small, few), (large, many)):
                    load(servers.ports, ask(filled.customers), self.seconds / 2)
                turns = [
                    (
                        load(many.ports, ask(large.customers), self.seconds / TURNS),
                        load(few.ports, ask(small.customers), self.seconds / TURNS),
                    )
                    for _ in range(TURNS)
                ]
                at_large = sorted(each[0].quantile_ms(99) for each in turns)[TURNS // 2]
                at_small = sorted(each[1].quantile_ms(99) for each in turns)[TURNS // 2]
                what = f"{kind}: p99 of {name} at {large.customers:,} customers, against {small.customers:,}"
                yield (what, f"{at_large:.1f} ms", f"{at_small:.1f} ms", f"{at_large / at_small:.2f}", "at most 1.3")

    def _memory(self, kind: str, filled: Filled) -> Row:
        """Nine checks to one redemption, the first tenth apart: a server that has just started still grows."""
        tenth = self.requests // 10
        with filled.served() as servers:

            def ask(tenths: int) -> float:
                load(servers.ports, checks(filled.customers), 3600, most=tenths * tenth * 9 // 10)
                load(servers.ports, redemptions(filled.customers), 3600, most=tenths * tenth // 10)
                return servers.resident_mb()

            early, late = ask(1), ask(9)
        what = f"{kind}: the server's own memory after {self.requests:,} requests, against after {tenth:,}"
        return (what, f"{late:.1f} MB", f"{early:.1f} MB", f"{late / early:.2f}", "no growth")


def times(taken: Taken) -> str:
    """Its median and slowest hundredth."""
    return f"p50 {taken.quantile_ms(50):.1f} ms, p99 {taken.quantile_ms(99):.1f} ms"


def row(what: str, ours: float, floor: float, aim: str) -> Row:
    """A row of two rates."""
    return (what, f"{ours:,.0f}/s", f"{floor:,.0f}/s", f"{ours / floor:.2f}", aim)


def say(text: str) -> None:
    """Tell the one who waits."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def a_bench(*, is_quick: bool) -> Iterator[Bench]:
    """A bench in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), is_quick=is_quick)
        try:
            yield bench
        finally:
            bench.server.close()


def main() -> int:
    """Run each measurement and print the table."""
    kinds = [each for each in sys.argv[1:] if not each.startswith("-")] or ["SQLite", "PostgreSQL"]
    with a_bench(is_quick="--quick" in sys.argv[1:]) as bench:
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, medians\n")
        print("| what | ours | floor | ratio | aim |\n|---|---|---|---|---|")
        for kind in kinds:
            for each in bench.measure(kind):
                print("| " + " | ".join(each) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
