"""The reserve: four megabytes that are given up when the disk is full, so that settling can finish (reliability 4.8).

While it is gone nothing new is begun; it is made again as soon as there is room.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pos_app.files.folders import FILE_MODE

RESERVE_BYTES: Final = 4 * 1024 * 1024
RESERVE_NAME: Final = "reserve"

_BLOCK_BYTES: Final = 64 * 1024


class Reserve:
    """The file `reserve` beside the journal."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RESERVE_NAME

    @property
    def is_whole(self) -> bool:
        """Whether it is there, at its full size."""
        try:
            return self._path.stat().st_size >= RESERVE_BYTES
        except OSError:
            return False

    def make(self) -> bool:
        """Make it, if it is not there; False: the disk has no room for it."""
        if self.is_whole:
            return True
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
            try:
                self._fill(handle)
            finally:
                os.close(handle)
        except OSError:
            self.give_up()
            return False
        return True

    def give_up(self) -> bool:
        """Delete it; False: there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    @staticmethod
    def _fill(handle: int) -> None:
        """Take the room for good: zeros that nobody wrote would be a hole on some disks."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, RESERVE_BYTES)
            return
        for _ in range(RESERVE_BYTES // _BLOCK_BYTES):
            os.write(handle, os.urandom(_BLOCK_BYTES))
        os.fsync(handle)
