"""One process owns a data folder: a second window says so and ends (house 6)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

from pos_app.domain.trouble import StorageError
from pos_app.files.folders import FILE_MODE, make_private_folder

LOCK_NAME: Final = "lock"


class DataFolderInUseError(Exception):
    """Another process owns this data folder."""

    def __init__(self) -> None:
        super().__init__(
            "Another Points Desk window uses this folder: go on in that window, or close it and start again."
        )


class DataFolderLock:
    """The right to write in a data folder. The system takes it back when the process ends, however it ends.

    A context manager; the file stays, empty, since deleting it would let two processes lock two files of one name.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock at once, or say that it is taken; the folder is made if there is none.

        Raises:
            DataFolderInUseError: another process, or another lock object of this one, has it.
            StorageError: the folder cannot be made or written.
        """
        try:
            make_private_folder(self._path.parent)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise StorageError(
                "This till may not write in its data folder: ask whoever set it up to give it the folder."
            ) from error
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            raise DataFolderInUseError from None
        self._handle = handle

    def give_back(self) -> None:
        """Let another process have the folder. Harmless when the lock was never taken."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __enter__(self) -> DataFolderLock:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        """Lock the first byte; raises OSError at once when another handle has it."""
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        """Lock the whole file; raises OSError at once when another handle has it."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
