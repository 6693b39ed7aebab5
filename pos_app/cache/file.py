"""`cache.db` as a file: opened, checked, and made anew when it cannot be used (reliability 4.1, 4.8).

Nothing in it is worth stopping a till for: what fails is logged, and the caller goes on without it. Two connections,
each behind a lock of its own: in WAL a lookup does not wait while a page of changes is written.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, exc

from pos_app.cache.tables import METADATA, VERSION
from pos_app.domain.trouble import StorageError
from pos_app.files.database import (
    DriverConnection,
    DriverError,
    SoleConnection,
    UnreadableFileError,
    connect_encrypted,
    is_damage,
    is_out_of_room,
    open_encrypted,
    storage_error,
    version_of,
)
from pos_app.services.feed_port import CacheState
from pos_app.services.ports import Clock

WRITER_KIB: Final = 8192
"""Pages the writing connection keeps in memory."""

OPEN_AGAIN_S: Final = 30.0
"""A file that could not be opened is tried again so often, when somebody wants it."""

PAGE: Final[dict[str, str | int]] = {"cipher_page_size": 2048}
"""What opens the file, beside its key. Rows are short and wanted one by one: a small page is deciphered sooner."""

_WRITER: Final[dict[str, str | int]] = {
    **PAGE,
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "wal_autocheckpoint": 8000,
}
_READER: Final[dict[str, str | int]] = {**PAGE, "query_only": "ON", "cache_size": -32768}
_BESIDE: Final = ("", "-wal", "-shm")

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class OtherVersionError(StorageError):
    """The file was made by another version of the program; a till makes it anew, a reader leaves it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} was made by another version of Points Desk: open its window once.")


@dataclass(frozen=True, slots=True)
class _Opened:
    """The connections of one opening; the next opening has others, so nobody closes the wrong ones."""

    reader: DriverConnection
    engine: Engine | None
    writer: SoleConnection | None

    def close(self) -> None:
        self.reader.close()
        if self.writer is not None:
            self.writer.drop()
        if self.engine is not None:
            self.engine.dispose()


class CacheFile:
    """Reads and writes one cache file. Any thread may call it."""

    def __init__(
        self,
        path: Path,
        key_hex: str,
        clock: Clock,
        *,
        on_open: Callable[[DriverConnection], None],
        read_only: bool = False,
        writer_kib: int = WRITER_KIB,
    ) -> None:
        """Open the file. `on_open` is given the reading connection, now and each time another file was opened.

        A file that cannot be opened is logged, tried again later, and done without until then.

        Raises:
            StorageError: with `read_only`: there is none, or it cannot be read.
        """
        self._path = path
        self._key_hex = key_hex
        self._clock = clock
        self._read_only = read_only
        self._on_open = on_open
        self._pragmas = {**_WRITER, "cache_size": -writer_kib}
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._is_closed = False
        self._open_at = float("-inf")
        self._state = CacheState.OK
        self._opened: _Opened | None = self._open_or_replace() if read_only else self._open_if_possible()

    @property
    def state(self) -> CacheState:
        """How the file is."""
        return self._state

    def read(self, work: Callable[[DriverConnection], _T]) -> _T | None:
        """Give `work` the reading connection; None when the file cannot be read."""
        self._open_again()
        with self._read_lock:
            opened = self._opened
            if opened is None:
                return None
            try:
                return work(opened.reader)
            except DriverError as error:
                _log.warning("the cache could not be read: %s", error)
                failure = error
        self._after(failure, opened)
        return None

    def write(self, work: Callable[[Connection], None]) -> bool:
        """Give `work` the writing connection in one transaction; False when nothing was kept."""
        self._open_again()
        with self._write_lock:
            opened = self._opened
            if opened is None or opened.writer is None:
                return False
            try:
                connection = opened.writer.use()
                with connection.begin():
                    work(connection)
                self._state = CacheState.OK
                return True
            except (exc.DBAPIError, DriverError) as error:
                _log.warning("the cache could not be written: %s", getattr(error, "orig", error))
                opened.writer.drop()
                failure = error
        if is_out_of_room(failure):
            self._state = CacheState.FULL
        self._after(failure, opened)
        return False

    def close(self) -> None:
        """Close the file; may be called twice. Later reads find nothing, later writes keep nothing."""
        with self._write_lock, self._read_lock:
            self._is_closed = True
            opened, self._opened = self._opened, None
            if opened is not None:
                opened.close()

    def delete(self) -> None:
        """Close the file and remove it."""
        self.close()
        try:
            self._move_away(None)
        except StorageError as error:
            _log.warning("a file of the cache could not be removed: %s", error)

    def replace_by(self, other: Path) -> bool:
        """Put another cache file, which nobody has open, in the place of this one, and go on with it.

        A crash in between leaves the other file where it is: it is whole, so whoever opens the cache next finds it.
        False: it could not be moved (another program holds the file), and the old one stays.
        """
        with self._write_lock, self._read_lock:
            opened, self._opened = self._opened, None
            if opened is not None:
                opened.close()
            try:
                move_file(other, self._path)
            except OSError as error:
                _log.warning("the new cache could not be put in its place: %s", error)
                self._opened = self._open_if_possible()
                return False
            self._opened = self._open_if_possible()
            return True

    def _open_again(self) -> None:
        """Try a file that could not be opened, now and then."""
        if self._opened is not None or self._is_closed or self._read_only or self._clock.mono() < self._open_at:
            return
        with self._write_lock, self._read_lock:
            if self._opened is None and not self._is_closed:
                self._opened = self._open_if_possible()

    def _after(self, failure: Exception, opened: _Opened) -> None:
        """Make a damaged file anew while the till runs, once for all threads that met the damage."""
        if self._read_only or not is_damage(failure):
            return
        with self._write_lock, self._read_lock:
            if self._opened is not opened:
                return
            opened.close()
            self._opened = None
            try:
                self._set_aside()
            except StorageError as error:
                _log.error("the cache is damaged and cannot be made anew: %s", error)
            else:
                self._opened = self._open_if_possible()

    def _open_if_possible(self) -> _Opened | None:
        """The file, made anew where it cannot be used; None when not even that can be done."""
        try:
            opened = self._open_or_replace()
        except StorageError as error:
            _log.error("the till goes on without its cache: %s", error)
            self._state = CacheState.FULL if "full" in str(error) else CacheState.UNAVAILABLE
            self._open_at = self._clock.mono() + OPEN_AGAIN_S
            return None
        self._state = CacheState.OK
        return opened

    def _open_or_replace(self) -> _Opened:
        try:
            return self._open()
        except OtherVersionError:
            if self._read_only:
                raise
            _log.info("the cache is of another version and is made anew")
            self._move_away(None)
        except UnreadableFileError:
            if self._read_only:
                raise
            self._set_aside()
        return self._open()

    def _open(self) -> _Opened:
        if self._read_only:
            return _Opened(self._open_reader(), None, None)
        engine = open_encrypted(self._path, self._key_hex, pragmas=self._pragmas)
        try:
            writer = SoleConnection(engine)
            _make_tables(writer.use())
            return _Opened(self._open_reader(), engine, writer)
        except exc.DBAPIError as error:
            engine.dispose()
            raise (UnreadableFileError(self._path) if is_damage(error) else storage_error(error)) from error.orig
        except StorageError:
            engine.dispose()
            raise

    def _open_reader(self) -> DriverConnection:
        reader = connect_encrypted(self._path, self._key_hex, pragmas=_READER, read_only=self._read_only)
        try:
            if reader.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                raise OtherVersionError(self._path)
            self._on_open(reader)
        except DriverError as error:
            reader.close()
            raise (UnreadableFileError(self._path) if is_damage(error) else storage_error(error)) from error
        except StorageError:
            reader.close()
            raise
        return reader

    def _set_aside(self) -> None:
        """Keep the damaged file for support, the newest only: each is as large as the cache was."""
        stem = f"{self._path.stem}.bad-"
        for older in self._path.parent.glob(f"{stem}*"):
            older.unlink(missing_ok=True)
        self._move_away(self._path.with_name(f"{stem}{self._clock.wall():%Y%m%dT%H%M%SZ}"))
        _log.error("the cache cannot be read; it was set aside and is made anew")

    def _move_away(self, target: Path | None) -> None:
        """Rename the file and what SQLite keeps beside it, or delete them when there is no target.

        Raises:
            StorageError: another program holds the file (Windows), or the folder may not be written.
        """
        try:
            for ending in _BESIDE:
                source = _beside(self._path, ending)
                if target is None:
                    source.unlink(missing_ok=True)
                elif source.exists():
                    source.replace(_beside(target, ending))
        except OSError as error:
            raise StorageError("This till's cache is held by another program: close it and start again.") from error


def move_file(source: Path, target: Path) -> None:
    """Put a closed cache file in the place of another closed one.

    The old one's log goes first: beside the new file it would be read as the new one's.

    Raises:
        OSError: it cannot be moved.
    """
    for ending in ("-wal", "-shm"):
        _beside(target, ending).unlink(missing_ok=True)
        left = _beside(source, ending)
        if left.exists():
            left.replace(_beside(target, ending))
    source.replace(target)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _make_tables(connection: Connection) -> None:
    """Fill a file that was just made; one that has a version is left as it is."""
    if version_of(connection) == 0:
        with connection.begin():
            METADATA.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
