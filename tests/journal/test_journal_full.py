"""A disk that is full or fails: nothing new is begun, what was begun is finished, and a refusal leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.builders import a_redemption, points
from support.clock import FakeClock
from support.failing_disk import FailingDisk, a_failing_disk
from support.files import DATABASE_KEY, full_disk
from support.held_kit import a_key, a_lease, a_local, an_asked, an_operator, sealing

from pos_app.domain.leases import GiveBack, LeaseState
from pos_app.domain.redemption import State
from pos_app.domain.trouble import StorageError
from pos_app.journal import SqlJournal
from pos_app.journal.reserve import RESERVE_BYTES
from pos_app.services.offline_port import JournalState, PassUse

TESTS = Path(__file__).parent.parent


def open_at(path: Path) -> SqlJournal:
    return SqlJournal.open(path, DATABASE_KEY, FakeClock())


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    with a_failing_disk() as disk:
        yield disk


@pytest.fixture
def journal(path: Path, disk: FailingDisk) -> Iterator[SqlJournal]:
    """An enrolled till that holds two leases, has one redemption on its way and one to be settled."""
    opened = open_at(path)
    opened.begin_epoch(1)
    for number, lease_id in enumerate(("L1", "L2"), start=1):
        opened.ask_lease(an_asked(number))
        opened.answer_lease(an_asked(number).request_id, a_lease(lease_id))
    opened.add(a_redemption(key="A", state=State.SENT))
    opened.spend(a_local(50, number=1), sealing(a_local(50, number=1)))
    yield opened
    opened.close()


def a_spend(journal: SqlJournal, number: int = 2) -> None:
    row = a_local(7, number=number)
    journal.spend(row, sealing(row), PassUse("N", points(100)))


BEGINNINGS: list[Callable[[SqlJournal], object]] = [
    lambda journal: journal.add(a_redemption(key="B")),
    lambda journal: journal.add_closing(a_redemption(key="B"), [GiveBack("L2")]),
    lambda journal: journal.ask_lease(an_asked(3, renews="L2")),
    a_spend,
]
ENDINGS: list[Callable[[SqlJournal], object]] = [
    lambda journal: journal.put(a_redemption(key="A", state=State.CONFIRMED)),
    lambda journal: journal.mark_printed("A", a_redemption().created_at),
    lambda journal: journal.mark_lease("L1", LeaseState.CLOSING),
    lambda journal: journal.remember("name", "value"),
    lambda journal: journal.note("close_day", 7, "day", {}),
    lambda journal: journal.keep_operator(an_operator()),
    lambda journal: journal.seal_online(a_key(5), sealing(a_redemption(key=a_key(5)))),
    lambda journal: journal.begin_epoch(2),
    lambda journal: journal.mark_clock(a_redemption().created_at.replace(year=2030)),
]


def all_of(journal: SqlJournal) -> object:
    """Everything a journal tells."""
    links = {epoch: journal.sealed_from(epoch, 1, 99) for epoch in (1, 2)}
    return (
        [list(journal.recent(99)), list(journal.leases(with_closed=True)), list(journal.asked_leases()), links],
        [journal.chain_head(), journal.high_water(), list(journal.audit_rows()), journal.operator(12)],
        [journal.recall("name"), journal.pass_spent("N"), list(journal.given_back("B")), journal.offline_blocked()],
    )


@pytest.mark.parametrize("act", BEGINNINGS + ENDINGS[:6] + ENDINGS[7:])
def test_a_commit_that_failed_after_it_took_is_taken_back(
    journal: SqlJournal, disk: FailingDisk, act: Callable[[SqlJournal], object], path: Path
) -> None:
    """The cashier was told that nothing happened, so nothing may stand: neither row nor lease nor chain (P4)."""
    before = all_of(journal)
    disk.fails_late = True
    with pytest.raises(StorageError):
        act(journal)
    disk.fails_late = False
    assert disk.failed_late >= 1
    assert all_of(journal) == before
    journal.close()
    again = open_at(path)
    assert all_of(again) == before
    act(again)
    assert all_of(again) != before
    again.close()


@pytest.mark.parametrize("act", BEGINNINGS)
def test_nothing_new_is_begun_on_a_full_disk(
    journal: SqlJournal, disk: FailingDisk, act: Callable[[SqlJournal], object], path: Path
) -> None:
    before = all_of(journal)
    disk.refuses = lambda: True
    with pytest.raises(StorageError, match="full"):
        act(journal)
    assert all_of(journal) == before
    assert journal.health().state is JournalState.FULL
    assert "full" in journal.health().message
    assert (path.parent / "reserve").exists(), "the reserve is for what was begun"
    disk.refuses = lambda: False
    act(journal)
    assert journal.health().state is JournalState.OK


@pytest.mark.parametrize("act", [each for each in ENDINGS if each is not ENDINGS[6]])
def test_what_was_begun_is_finished_with_the_room_of_the_reserve(
    journal: SqlJournal, disk: FailingDisk, act: Callable[[SqlJournal], object], path: Path
) -> None:
    reserve = path.parent / "reserve"
    assert reserve.stat().st_size == RESERVE_BYTES
    assert reserve.stat().st_mode & 0o777 == 0o600
    before = all_of(journal)
    disk.refuses = reserve.exists
    act(journal)
    assert all_of(journal) != before
    assert disk.refused == 1
    assert not reserve.exists()
    assert journal.health().state is JournalState.FULL
    assert not journal.recover(), "with the reserve made again there is no room for a commit"
    assert journal.health().state is JournalState.FULL
    disk.refuses = lambda: False
    assert journal.recover()
    assert reserve.stat().st_size == RESERVE_BYTES
    assert journal.health().state is JournalState.OK


def test_without_room_for_the_reserve_nothing_new_is_begun(journal: SqlJournal, path: Path) -> None:
    (path.parent / "reserve").unlink()
    with full_disk(RESERVE_BYTES - 1):
        assert not journal.recover()
        with pytest.raises(StorageError, match="full"):
            journal.add(a_redemption(key="B"))
        journal.put(a_redemption(key="A", state=State.CONFIRMED))
        assert journal.health().state is JournalState.FULL
    assert journal.recover()
    journal.add(a_redemption(key="B"))
    assert journal.health().state is JournalState.OK


def test_the_mark_of_each_minute_finds_out_that_there_is_room_again(journal: SqlJournal, disk: FailingDisk) -> None:
    now = a_redemption().created_at
    disk.refuses = lambda: True
    with pytest.raises(StorageError):
        journal.remember("name", "value")
    with pytest.raises(StorageError):
        journal.mark_clock(now)
    assert journal.health().state is JournalState.FULL
    disk.refuses = lambda: False
    journal.mark_clock(now)
    assert journal.health().state is JournalState.OK


def test_a_full_disk_keeps_nothing_and_loses_nothing(path: Path) -> None:
    rows = [a_redemption(key=f"K{number:03}") for number in range(20)]
    journal = open_at(path)
    for row in rows:
        journal.add(row)
    refused = a_redemption(key="REFUSED", message="x" * 200_000)
    moved = replace(rows[0], state=State.SENT, message="x" * 200_000)
    with full_disk(path.stat().st_size + 20_000):
        with pytest.raises(StorageError):
            journal.add(refused)
        with pytest.raises(StorageError):
            journal.put(moved)
        with pytest.raises(StorageError):
            journal.remember("much", "x" * 200_000)
        assert list(journal.open_redemptions()) == rows
    journal.add(replace(refused, key="AFTER"))
    journal.close()
    again = open_at(path)
    assert [each.key for each in again.open_redemptions()] == [*(each.key for each in rows), "AFTER"]
    assert again.recall("much") is None
    again.close()


def test_a_till_on_a_disk_that_fills_up_loses_no_acknowledged_spend(path: Path) -> None:
    """A process of its own whose files cannot grow any more: it spends until that is refused, and then settles."""
    ran = subprocess.run(
        [sys.executable, "-m", "support.journal_writer", str(path), DATABASE_KEY, "fill", str(300_000)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    *told, refusal, settled, _state, _has_reserve = ran.stdout.split()
    assert refusal == "REFUSED"
    assert settled == told[0], "what was spent can still be settled"
    journal = open_at(path)
    rows = journal.recent(10_000)
    assert [each.key for each in reversed(rows)] == told
    assert journal.lease("L1").spent == points(len(told))
    assert [each.key for each in journal.sealed_from(1, 1, 10_000)] == told
    assert journal.get(told[0]).state is State.SETTLING
    assert journal.get(a_key(1)).seq == 1
    journal.close()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="only Linux gives a process a small disk of its own")
def test_a_till_on_a_truly_full_disk_settles_with_the_room_of_the_reserve(tmp_path: Path) -> None:
    """A process in a namespace of its own, on a disk of six megabytes of which the reserve takes four."""
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    small = f"mount -t tmpfs -o size=6m tmpfs {tmp_path}"
    if subprocess.run([*apart, small], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine gives no namespaces to its users")
    fill = f"head -c 1500000 /dev/zero > {tmp_path}/other; exec {sys.executable} -m support.journal_writer"
    ran = subprocess.run(
        [*apart, f"{small} && {fill} {tmp_path}/journal.db {DATABASE_KEY} fill 0"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    *told, refusal, settled, state, has_reserve = ran.stdout.split()
    assert refusal == "REFUSED"
    assert settled == told[0]
    assert (state, has_reserve) == ("full", "False")
