"""Runs many schedules over a few processes, sums up what they covered, and shrinks the first that breaks a promise."""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from simulate.mutants import MUTANTS
from simulate.playing import Played, Stage

_CHUNK = 50
_ENOUGH = 10
_MEMORY = Path("/dev/shm")


@dataclass
class Total:
    """What a run came to."""

    schedules: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[Played] = field(default_factory=list)

    def add(self, other: Total) -> None:
        """Take in what another process did."""
        self.schedules += other.schedules
        self.counts += other.counts
        self.broken += other.broken


@contextmanager
def _memory() -> Iterator[Path]:
    """A folder in memory, swept away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="points-desk-simulate-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage in memory."""
    with _memory() as folder, Stage(folder) as made:
        yield made


def run(seeds: range, *, processes: int = 2, tell: Callable[[Total], bool] | None = None) -> Total:
    """Play the schedules of all seeds; stops soon after the tenth that breaks a promise, or when `tell` says no."""
    total = Total()
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    spawning = multiprocessing.get_context("spawn")
    with _memory() as folder, spawning.Pool(processes, initializer=_begin, initargs=(folder,)) as pool:
        for done in pool.imap(_play_all, chunks):
            total.add(done)
            goes_on = tell is None or tell(total)
            if len(total.broken) >= _ENOUGH or not goes_on:
                break
    return total


def find_mutant(made: Stage, name: str, seeds: Iterable[int]) -> tuple[Played | None, int]:
    """Play mutated schedules until one breaks a promise that the same seed keeps without it; how many it took."""
    made.open_all()
    count = 0
    for count, seed in enumerate(seeds, start=1):
        with MUTANTS[name].applied():
            played = made.play(seed)
        if played.broken and not made.play(seed).broken:
            return played, count
    return None, count


def shrunk(played: Played) -> Played:
    """The same failure with as few events as leaving out one after the other leads to."""
    promise = played.broken.partition(":")[0]
    with stage() as made:
        for number in reversed(range(played.events)):
            if number in played.skipped:
                continue
            shorter = made.play(played.seed, played.mode, played.skipped | {number})
            if shorter.broken.partition(":")[0] == promise:
                played = shorter
    return played


# --- In the processes ------------------------------------------------------------------------------------------------

_stage: Stage | None = None


def _begin(folder: Path) -> None:
    """Each process has a stage of its own for as long as it lives."""
    global _stage
    own = folder / str(os.getpid())
    own.mkdir()
    _stage = Stage(own).__enter__()
    gc.collect()
    gc.freeze()


def _play_all(seeds: range) -> Total:
    assert _stage is not None
    total = Total()
    for seed in seeds:
        played = _stage.play(seed)
        total.schedules += 1
        total.counts += played.counts
        if played.broken:
            total.broken.append(played)
    return total
