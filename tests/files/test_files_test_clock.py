"""POS_TEST_CLOCK: offsets, rate, reading again, and waits that go by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pos_app.files.clock import MovedByFile, SystemClock

NEAR = timedelta(seconds=5)
"""A busy machine may sleep between two readings."""


def put(file: Path, **told: object) -> None:
    """Replace the file whole, as the specification says."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


def test_without_a_file_the_time_is_the_machines(file: Path) -> None:
    clock = MovedByFile(file)
    assert abs(clock.wall() - datetime.now(UTC)) < NEAR
    assert abs(clock.mono() - SystemClock().mono()) < NEAR.total_seconds()


def test_both_hands_have_an_offset_of_their_own(file: Path) -> None:
    put(file, wall_offset=-86_400, mono_offset=7_200, rate=1)
    clock = MovedByFile(file)
    assert abs(clock.wall() - datetime.now(UTC) + timedelta(days=1)) < NEAR
    assert abs(clock.mono() - SystemClock().mono() - 7_200) < NEAR.total_seconds()


def test_a_replaced_file_is_read_again_and_one_that_cannot_be_read_changes_nothing(file: Path) -> None:
    put(file, wall_offset=3_600)
    clock = MovedByFile(file)
    assert clock.wall() - datetime.now(UTC) > timedelta(minutes=59)
    put(file, wall_offset=7_200)
    assert clock.wall() - datetime.now(UTC) > timedelta(minutes=119)
    for bad in ("no JSON", "[]", '{"wall_offset": "soon"}'):
        file.write_text(bad, encoding="utf-8")
        assert clock.wall() - datetime.now(UTC) > timedelta(minutes=119)
    file.unlink()
    assert clock.wall() - datetime.now(UTC) > timedelta(minutes=119)


def test_time_passes_at_its_rate_from_the_reading_on(file: Path) -> None:
    put(file, rate=1000)
    clock = MovedByFile(file)
    wall, mono, real = clock.wall(), clock.mono(), time.monotonic()
    while time.monotonic() - real < 0.05:
        pass
    passed = time.monotonic() - real
    assert clock.mono() - mono >= passed * 900
    assert (clock.wall() - wall).total_seconds() >= passed * 900


def test_a_wait_goes_by_the_file_and_sees_it_change(file: Path) -> None:
    put(file, rate=1)
    clock = MovedByFile(file)
    waits = threading.Thread(target=clock.sleep, args=(3600,), daemon=True)
    waits.start()
    for moved in range(1, 100):  # Again and again: the first may come before the wait has begun.
        put(file, mono_offset=moved * 7_200)
        waits.join(0.3)
        if not waits.is_alive():
            break
    assert not waits.is_alive()


def test_the_environment_moves_the_clock_of_a_process_but_not_of_a_packaged_one(file: Path) -> None:
    put(file, wall_offset=400 * 86_400)
    code = "import sys; sys.frozen = len(sys.argv) > 1\n"
    code += "from pos_app.files.clock import SystemClock; print(SystemClock().wall().isoformat())"
    environment = {**os.environ, "POS_TEST_CLOCK": str(file)}
    moments = []
    for arguments in ([], ["packaged"]):
        ended = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, env=environment, check=True, timeout=60
        )
        moments.append(datetime.fromisoformat(ended.stdout.decode().strip()) - datetime.now(UTC))
    assert moments[0] > timedelta(days=399)
    assert abs(moments[1]) < timedelta(days=1)
