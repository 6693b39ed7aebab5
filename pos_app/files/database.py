"""Opens SQLite databases, encrypted or plain. The only importer of the driver (reliability 4.1).

The driver is SQLCipher's: without a key it is a plain, current SQLite, and the interpreter's own may have the WAL
fault of versions before 3.51.3 (reliability 1). A raw key of 64 hexadecimal digits costs nothing to use; a passphrase
would cost a tenth of a second a connection.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2 as DRIVER  # noqa: N812 - the module is handed to SQLAlchemy as a value

from pos_app.domain.trouble import StorageError
from pos_app.files import failpoints
from pos_app.files.folders import make_private_file

BUSY_S: Final = 10.0
"""How long a connection waits for another one's write before it gives up, in seconds."""

KEY_DIGITS: Final = 64
_KEY: Final = re.compile(f"[0-9a-fA-F]{{{KEY_DIGITS}}}")
_DAMAGE: Final = ("not a database", "malformed", "file is encrypted", "hmac")
_WAL_FIXED_IN: Final = (3, 51, 3)
_READ_ANYTHING: Final = "SELECT count(*) FROM sqlite_master"
"""The first read shows whether the key is right."""

DriverError: Final = DRIVER.Error
"""Whatever the driver's own connection raises."""


class DriverConnection(Protocol):
    """The driver's own connection, as far as we use it."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run a statement and return its cursor."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class UnreadableFileError(StorageError):
    """The key does not open this database, or the file is damaged: the two cannot be told apart."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} cannot be read: it is damaged, or the key kept on this till is not its key")


class NewerFileError(StorageError):
    """A newer program has written this database; this one must not write to it."""

    def __init__(self, path_name: str, found: int, known: int) -> None:
        super().__init__(
            f"{path_name} was written by a newer Points Desk (version {found} of the file, this program knows {known}):"
            " install the newer program"
        )
        self.found = found


def open_encrypted(
    path: Path,
    key_hex: str,
    *,
    pragmas: Mapping[str, str | int],
    begin: str | None = "BEGIN IMMEDIATE",
    read_only: bool = False,
) -> Engine:
    """Open an encrypted database, making an empty one that only its owner can read when there is none.

    The engine has one connection, which any one thread at a time may use; whoever shares it brings a lock.
    `begin` opens each transaction: IMMEDIATE, so that what is read in it cannot change before the write. With None
    SQLite is in autocommit, right for single SELECTs.

    Raises:
        UnreadableFileError: the key does not open the file, or it is damaged.
        StorageError: the file cannot be opened or made at all.
        ValueError: the key is not 64 hexadecimal digits.
    """
    if pragmas.get("journal_mode") == "WAL":
        _refuse_faulty_wal(DRIVER.sqlite_version_info)
    encrypted = _encrypted(key_hex, pragmas)
    _prepare(path, read_only)
    engine = _engine(lambda: _connect(path, encrypted, read_only), begin, path.name)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(_READ_ANYTHING)
    except exc.DBAPIError as error:
        engine.dispose()
        raise (UnreadableFileError(path) if is_damage(error) else storage_error(error)) from None
    return engine


def connect_encrypted(
    path: Path, key_hex: str, *, pragmas: Mapping[str, str | int], read_only: bool = False
) -> DriverConnection:
    """Open a database that is there as `open_encrypted` does, and return the driver's own connection, in autocommit.

    For the one hottest SELECT: an engine's way through costs twice what the SELECT itself does.

    Raises:
        UnreadableFileError, StorageError, ValueError: as `open_encrypted`.
    """
    encrypted = _encrypted(key_hex, pragmas)
    _prepare(path, read_only)
    try:
        connection: DriverConnection = _connect(path, encrypted, read_only)
        connection.execute(_READ_ANYTHING).fetchall()
    except DRIVER.Error as error:
        raise (UnreadableFileError(path) if is_damage(error) else storage_error(error)) from None
    return connection


def connect_plain(
    path: Path | str, *, pragmas: Mapping[str, str | int] | None = None, read_only: bool = False, busy_s: float = BUSY_S
) -> DriverConnection:
    """Open a database without a key and return the driver's connection, in autocommit: the caller says BEGIN.

    Any thread may use it, one at a time. `path` may be ":memory:".

    Raises:
        DriverError: as the driver does.
    """
    connection: DriverConnection = _connect(path, pragmas or {}, read_only, busy_s)
    return connection


def is_damage(error: Exception) -> bool:
    """Say whether a driver's failure, bare or wrapped, means that the file itself is unreadable."""
    text = _text_of(error)
    return any(sign in text for sign in _DAMAGE)


def is_out_of_room(error: Exception) -> bool:
    """Say whether a driver's failure, bare or wrapped, means that the disk took no more: it is full, or it fails."""
    text = _text_of(error)
    return "disk is full" in text or "disk i/o error" in text


def storage_error(error: Exception) -> StorageError:
    """Say in a sentence why a file could not be written. What was to be written is not in it."""
    text = _text_of(error)
    if "disk is full" in text:
        return StorageError("The disk of this till is full: nothing was kept. Free some space, then try again.")
    if "readonly" in text or "unable to open" in text:
        return StorageError("This till may not write its own files: ask whoever set it up to give it the folder.")
    if "locked" in text:
        return StorageError("Another program holds this till's files: nothing was kept. Close it, then try again.")
    if is_damage(error):
        return StorageError("This till's file is damaged: nothing was kept. Call support and change nothing.")
    return StorageError("The disk of this till does not take what is written: nothing was kept. Check the disk.")


class SoleConnection:
    """The one connection of an engine, kept open. After trouble it is dropped, and the next use gets a fresh one.

    A fresh connection forgets the pages of a failed commit and rolls back what is left of it on disk. One thread at a
    time: the owner sees to that.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def use(self) -> Connection:
        """The connection, opened again when it was dropped.

        Raises:
            sqlalchemy.exc.DBAPIError: it does not open.
        """
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def drop(self) -> None:
        """Close it for good or until the next use."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def version_of(connection: Connection) -> int:
    """The file's version (`user_version`); 0 is a file just made. The connection is in no transaction after it."""
    found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.rollback()
    return int(found)


Step = Sequence[str | Callable[[Connection], None]]
"""One version of a file: statements, and functions for what SQL alone cannot do, in their order."""


def bring_up_to_date(connection: Connection, steps: Sequence[Step], *, path: Path) -> None:
    """Run the steps this file has not seen, forward only, each in a transaction of its own.

    Step n takes a file from version n to n + 1. A file that holds something is copied first, beside itself, as
    `<name>.before-<version>`: the old program can still read that copy (reliability 4.4).

    Raises:
        NewerFileError: the file has more steps behind it than we know; nothing was changed.
        StorageError: there is no room for the copy; nothing was changed.
    """
    found = version_of(connection)
    if found > len(steps):
        raise NewerFileError(path.name, found, len(steps))
    if 0 < found < len(steps):
        copy = path.with_name(f"{path.name}.before-{len(steps)}")
        try:
            make_private_file(copy)
            shutil.copyfile(path, copy)
        except OSError as error:
            copy.unlink(missing_ok=True)
            raise StorageError(
                f"{path.name} must be copied before this version of Points Desk can use it, and the disk of this till"
                " does not take the copy: free some space, then start again."
            ) from error
    for version, step in enumerate(steps[found:], start=found + 1):
        with connection.begin():
            for statement in step:
                if callable(statement):
                    statement(connection)
                else:
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")


def _text_of(error: Exception) -> str:
    return str(error.orig if isinstance(error, exc.DBAPIError) else error).lower()


def _encrypted(key_hex: str, pragmas: Mapping[str, str | int]) -> dict[str, str | int]:
    """The pragmas in their order: the key first. The library would report a wrong key on standard error, too."""
    if not _KEY.fullmatch(key_hex):
        raise ValueError(f"a database key is {KEY_DIGITS} hexadecimal digits")
    return {"cipher_log_level": "NONE", "key": f"\"x'{key_hex}'\"", **pragmas}


def _prepare(path: Path, read_only: bool) -> None:
    """Make the file private before SQLite makes it public.

    Raises:
        StorageError: the folder does not take it, or there is nothing to read.
    """
    try:
        if not read_only:
            make_private_file(path)
        elif not path.exists():
            raise StorageError(f"There is no {path.name} in this folder yet: open Points Desk here once.")
    except OSError as error:
        raise StorageError(
            "This till may not write its own files: ask whoever set it up to give it the folder."
        ) from error


def _connect(path: Path | str, pragmas: Mapping[str, str | int], read_only: bool, busy_s: float = BUSY_S) -> Any:
    """Connect and say the pragmas in their order: the key must come before anything reads the file."""
    name = f"{Path(path).absolute().as_uri()}?mode=ro" if read_only else str(path)
    connection = DRIVER.connect(name, uri=read_only, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        for pragma, setting in pragmas.items():
            connection.execute(f"PRAGMA {pragma} = {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(connect: Any, begin: str | None, file_name: str) -> Engine:
    """Make an engine of one connection. Without the `begin` event every row would be a commit of its own."""
    engine = create_engine(
        "sqlite://",
        module=DRIVER,
        creator=connect,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # What people are called must not end in an exception's text.
    )
    if begin is not None:

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    @event.listens_for(engine, "commit")
    def fail_as_a_full_disk(_connection: Connection) -> None:
        if failpoints.is_full(file_name):  # A test's doing, see `failpoints`.
            full = DRIVER.OperationalError("database or disk is full")
            raise exc.OperationalError("COMMIT", None, full)

    return engine


def _refuse_faulty_wal(version: tuple[int, ...]) -> None:
    """Refuse WAL on a SQLite that can lose a database in it with two connections (reliability 1)."""
    if version < _WAL_FIXED_IN:
        raise StorageError(
            f"SQLite {'.'.join(map(str, version))} of this installation can damage files: install Points Desk anew."
        )
