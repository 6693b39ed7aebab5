"""POS_FAILPOINT: what is read, at which pass it happens, and that a full disk is one for exactly one commit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.builders import a_redemption
from support.clock import FakeClock

from pos_app.domain.crash_points import POINTS, committing, reach
from pos_app.domain.trouble import StorageError
from pos_app.files import failpoints
from pos_app.files.failpoints import BadFailpointError, Failpoint, FailpointError, arm_from, read_failpoints
from pos_app.journal import SqlJournal

KEY = "5" * 64


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    """Whatever a test armed ends with it."""
    yield
    failpoints.disarm()


def test_the_points_are_those_of_the_table() -> None:
    assert {f"C{number}" for number in range(14)} | {"L1", "L2"} == POINTS


def test_several_points_are_read_with_their_pass() -> None:
    assert read_failpoints("C0:kill, C13:enospc:3,L1:raise:1") == (
        Failpoint("C0", "kill"),
        Failpoint("C13", "enospc", 3),
        Failpoint("L1", "raise", 1),
    )


@pytest.mark.parametrize(
    "text", ["C14:kill", "C1", "C1:die", "C1:kill:0", "C1:kill:x", "C1:kill:-1", "c1:kill", "C1:enospc", "L1:enospc"]
)
def test_what_is_no_failpoint_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(BadFailpointError, match=r"POS_FAILPOINT: .*(expected|enospc goes with)"):
        read_failpoints(text)


def test_nothing_happens_where_nothing_is_asked_for() -> None:
    arm_from({})
    for point in POINTS:
        reach(point)
        with committing(point):
            pass


def test_raise_happens_at_its_own_point_and_at_every_pass() -> None:
    arm_from({"POS_FAILPOINT": "C6:raise"})
    reach("C5")
    for _ in range(2):
        with pytest.raises(FailpointError):
            reach("C6")


def test_a_numbered_failpoint_happens_at_that_pass_only() -> None:
    arm_from({"POS_FAILPOINT": "C6:raise:2"})
    reach("C6")
    with pytest.raises(FailpointError):
        reach("C6")
    reach("C6")


def test_a_packaged_program_does_not_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    arm_from({"POS_FAILPOINT": "C6:raise"})
    reach("C6")


def test_kill_is_sigkill() -> None:
    code = "import os; from pos_app.files.failpoints import arm_from; arm_from(os.environ)\n"
    code += "from pos_app.domain.crash_points import reach; reach('C1'); print('first', flush=True); reach('C1')"
    environment = {**os.environ, "POS_FAILPOINT": "C1:kill:2"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False, timeout=60)
    assert ended.stdout == b"first\n"
    assert ended.returncode == -signal.SIGKILL


def test_a_commit_that_meets_a_full_disk_keeps_nothing_and_the_next_one_is_kept(tmp_path: Path) -> None:
    arm_from({"POS_FAILPOINT": "C0:enospc:1"})
    journal = SqlJournal.open(tmp_path / "journal.db", KEY, FakeClock())
    first, second = a_redemption(key="A" * 26), a_redemption(key="B" * 26)
    try:
        with pytest.raises(StorageError, match="full"), committing("C0"):
            journal.add(first)
        assert journal.open_redemptions() == []
        with committing("C0"):
            journal.add(second)
        assert [row.key for row in journal.open_redemptions()] == [second.key]
    finally:
        journal.close()


def test_a_full_disk_for_the_cache_is_none_for_the_journal(tmp_path: Path) -> None:
    arm_from({"POS_FAILPOINT": "C13:enospc"})
    journal = SqlJournal.open(tmp_path / "journal.db", KEY, FakeClock())
    try:
        with committing("C13"):
            journal.add(a_redemption())
        assert len(journal.open_redemptions()) == 1
    finally:
        journal.close()
