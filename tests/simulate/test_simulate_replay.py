"""One seed decides everything: playing it again, elsewhere, gives the same log byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from simulate.running import stage

TOP = Path(__file__).resolve().parent.parent.parent
SEEDS = range(20, 26)


def log_of(seed: int, hash_seed: str) -> bytes:
    """The event log of a schedule, played in a process of its own."""
    played = subprocess.run(
        [sys.executable, "-m", "tests.simulate", "--seed", str(seed)],
        capture_output=True,
        check=False,
        cwd=TOP,
        timeout=100,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    return played.stdout + played.stderr


def test_a_seed_gives_the_same_log_in_every_process() -> None:
    assert log_of(21, "1") == log_of(21, "2")


def test_a_seed_gives_the_same_log_whatever_was_played_before() -> None:
    with stage() as made:
        first = [made.play(seed).log for seed in SEEDS]
    with stage() as made:
        second = [made.play(seed).log for seed in reversed(SEEDS)]

    assert first == list(reversed(second))


def test_seeds_differ() -> None:
    with stage() as made:
        assert made.play(1).log != made.play(2).log


@pytest.mark.parametrize("mode", ["safety", "liveness"])
def test_the_mode_may_be_asked_for(mode: str) -> None:
    with stage() as made:
        played = made.play(1, mode)

    assert played.mode == mode
    assert any("all faults stop" in line for line in played.log) is (mode == "liveness")
