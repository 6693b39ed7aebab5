"""Private folders, the lock on them, whole replacements, and the machine's clock."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest
from support.files import full_disk

from pos_app.domain.trouble import StorageError
from pos_app.files.clock import SystemClock
from pos_app.files.folders import make_private_folder, replace_file
from pos_app.files.lock import DataFolderInUseError, DataFolderLock

HOLDER = """
import sys, pathlib
from pos_app.files.lock import DataFolderLock
with DataFolderLock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_folder_is_its_owners_alone_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path / "one" / "two")
    make_private_folder(tmp_path / "one" / "two")
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "one" / "two").stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_replaced_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    replace_file(file, b"old")
    with full_disk(100), pytest.raises(OSError, match="large"):
        replace_file(file, b"x" * 1000)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
    replace_file(file, b"new")
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_second_lock_on_a_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with DataFolderLock(tmp_path / "till"):
        with pytest.raises(DataFolderInUseError, match="Another Points Desk window uses this folder"):
            DataFolderLock(tmp_path / "till").take()
        with DataFolderLock(tmp_path / "other"):
            pass
    with DataFolderLock(tmp_path / "till"):
        pass


def test_another_process_holds_the_lock_until_it_dies_however_it_dies(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    lock = DataFolderLock(tmp_path)
    with pytest.raises(DataFolderInUseError):
        lock.take()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    lock.take()
    lock.give_back()
    lock.give_back()


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="data folder"):
        DataFolderLock(tmp_path / "file" / "till").take()


def test_the_clock_tells_utc_and_runs_forward() -> None:
    clock = SystemClock()
    wall, mono = clock.wall(), clock.mono()
    assert wall.tzinfo is UTC
    clock.sleep(0.002)
    clock.sleep(-1)
    assert clock.mono() - mono >= 0.002
    assert clock.wall() >= wall
