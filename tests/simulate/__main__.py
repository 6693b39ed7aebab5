"""`python -m tests.simulate`: schedules of a whole shop, drawn from seeds, against the product's own modules."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simulate.coverage import MINIMUMS, shortfalls
from simulate.mutants import MUTANTS
from simulate.playing import Played
from simulate.running import Total, find_mutant, run, shrunk, stage


def main() -> int:
    """Run as asked on the command line; 0: no promise was broken and enough was covered."""
    asked = _asked()
    if asked.mutant is not None:
        return _mutants(asked.mutant, asked.schedules)
    if asked.seed is not None and asked.schedules == 1:
        return _replay(asked.seed, asked.mode, asked.skip)
    return _many(asked.seed or 0, asked.schedules, asked.processes, asked.minutes)


def _asked() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    reader.add_argument("--schedules", type=int, default=1, help="how many seeds to play, from --seed on")
    reader.add_argument("--seed", type=int, default=None, help="the first seed; alone it is played and printed")
    reader.add_argument("--processes", type=int, default=2)
    reader.add_argument("--minutes", type=float, default=float("inf"), help="stop soon after so many")
    reader.add_argument("--mode", choices=("safety", "liveness"), default=None, help="else the seed decides")
    reader.add_argument("--skip", default="", help="numbers of events to leave out, with commas")
    reader.add_argument("--mutant", choices=("all", *MUTANTS), default=None, help="find this fault instead")
    return reader.parse_args()


def _many(first: int, schedules: int, processes: int, minutes: float) -> int:
    began = told = time.monotonic()

    def tell(total: Total) -> bool:
        nonlocal told
        now = time.monotonic()
        if now - told >= 60:
            told = now
            print(f"{total.schedules:,} schedules in {now - began:.0f} s, {len(total.broken)} broken", flush=True)
        return now - began < minutes * 60

    total = run(range(first, first + schedules), processes=processes, tell=tell)
    took = time.monotonic() - began
    print(
        f"{total.schedules:,} schedules from seed {first} on, in {took:.0f} s on {processes} processes; git {git_id()}"
    )
    for name in sorted(total.counts):
        least = MINIMUMS.get(name)
        print(f"  {name:34} {total.counts[name]:>12,}" + (f"   (per 100,000 at least {least:,})" if least else ""))
    missing = shortfalls(total.counts, total.schedules)
    for line in missing:
        print(f"TOO FEW  {line}")
    for played in total.broken:
        print(f"BROKEN   seed {played.seed}: {played.broken}")
    if total.broken:
        print("\nThe first of them, with as few events as it takes:\n")
        _print(shrunk(total.broken[0]))
    else:
        print("No promise was broken: 0 overdrawn, 0 lost, 0 doubled, 0 phantom, 0 stuck after the heal.")
    return 1 if missing or total.broken else 0


def _replay(seed: int, mode: str | None, skip: str) -> int:
    with stage() as made:
        played = made.play(seed, mode, frozenset(int(each) for each in skip.split(",") if each))
    _print(played)
    return 1 if played.broken else 0


def _mutants(name: str, most: int) -> int:
    missed = 0
    with stage() as made:
        for each in MUTANTS if name == "all" else [name]:
            played, count = find_mutant(made, each, range(most))
            if played is None:
                missed += 1
                print(f"{MUTANTS[each].number:2} {each:30} NOT FOUND in {count:,} schedules", flush=True)
            else:
                found = f"found in {count:,} schedules, seed {played.seed}: {played.broken}"
                print(f"{MUTANTS[each].number:2} {each:30} {found}", flush=True)
    return 1 if missed else 0


def _print(played: Played) -> None:
    print("\n".join(played.log))
    if played.broken:
        left_out = ",".join(str(each) for each in sorted(played.skipped))
        again = f"python -m tests.simulate --seed {played.seed} --mode {played.mode}"
        print(f"\n{played.trace}\nBROKEN  {played.broken}")
        print(f"git {git_id()}; again: {again}" + (f" --skip {left_out}" if left_out else ""))


def git_id() -> str:
    """The commit this was run on, and whether files differ from it."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    here = Path(__file__).resolve().parent
    told = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=here)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
