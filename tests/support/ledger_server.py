"""A real ledger for tests: its data loaded through the import, its HTTP face in a process of its own over loopback.

`running_ledger(folder, lines)` gives a `LedgerServer`; the fixture `ledger_server` does it with `a_small_ledger()`.
Both can be imported: `from support.ledger_server import ledger_server, running_ledger`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.loading.importer import import_file

ORGANISATION = 1
PROGRAM = 973
LOGIN = "till.014.3"
PASSWORD = "s3cret"
CUSTOMER = 50001
MOBILE = "919777785205"
EMAIL = "tom.sawyer@example.org"
EXTERNAL_ID = "434547"

START_S = 30.0
STOP_S = 15.0

_SERVE = """
import json, sys
from pathlib import Path
from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.http.serving import serve_ledger
url, secrets, folder, options = sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])
for name in ("config", "tls_cert", "tls_key"):
    options[name] = options.get(name) and Path(options[name])
sys.exit(serve_ledger(LedgerPlace(url, Path(secrets), folder), **options))
"""
"""What the child process runs; any warning there is an error."""

Row = Mapping[str, Any]


def an_organisation(**changes: Any) -> dict[str, Any]:
    """An import line; members may be changed or added."""
    plain = {"id": ORGANISATION, "name": "Kalpana Stores", "currency": "INR", "time_zone": "Asia/Kolkata"}
    return {"kind": "organisation", **plain, "country_code": "91", **changes}


def a_program(**changes: Any) -> dict[str, Any]:
    """An import line: one point is worth one rupee, in steps of ten."""
    plain = {"organisation": ORGANISATION, "id": PROGRAM, "name": "Gold Rewards", "default": True}
    return {"kind": "program", **plain, "points_currency_ratio": "1", "criteria": {"multiple_of": 10}, **changes}


def a_till(**changes: Any) -> dict[str, Any]:
    """An import line."""
    plain = {"organisation": ORGANISATION, "login": LOGIN, "password": PASSWORD, "store": "014", "name": "Till 3"}
    return {"kind": "till", **plain, **changes}


def a_customer(*, points: int | str = 500, **changes: Any) -> dict[str, Any]:
    """An import line: a customer with one lot of points that last until the end of 2035."""
    plain = {"organisation": ORGANISATION, "id": CUSTOMER, "mobile": MOBILE, "email": EMAIL}
    wallet = {"program_id": PROGRAM, "lots": [{"points": points, "expires_on": "2035-12-31"}]}
    person = {"external_id": EXTERNAL_ID, "first_name": "Tom", "last_name": "Sawyer", "wallets": [wallet]}
    return {"kind": "customer", **plain, **person, **changes}


def a_small_ledger() -> list[dict[str, Any]]:
    """One organisation, program 973, one till and one customer with 500 points."""
    return [an_organisation(), a_program(), a_till(), a_customer()]


def digest(password: str = PASSWORD) -> str:
    """What travels instead of a password (contract 1.2)."""
    return hashlib.md5(password.encode("utf-8")).hexdigest()


def basic(login: str = LOGIN, password: str = PASSWORD) -> str:
    """An `Authorization` header."""
    return "Basic " + base64.b64encode(f"{login}:{digest(password)}".encode()).decode("ascii")


@dataclass
class LedgerServer:
    """A ledger on disk and, while it runs, its server process. `port` stays the same over restarts."""

    folder: Path
    port: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    database_url: str | None = None
    """Another database than the SQLite file in the folder."""
    secrets_folder: Path | None = None
    """Where another server over the same database keeps its secrets."""
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address tills use."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.db"

    @property
    def spool(self) -> Path:
        """Where codes go unless another sender was named."""
        return self.folder / "spool"

    @property
    def place(self) -> LedgerPlace:
        """The ledger on disk, to be opened beside the server, or served in another way."""
        url = self.database_url or f"sqlite:///{self.database}"
        beside = self.folder / "secrets" if self.database_url else None
        return LedgerPlace(url, self.secrets_folder or beside, self.folder)

    def another(self, folder: Path) -> LedgerServer:
        """A further server over the same database, with a port and a log of its own, and the same spool."""
        folder.mkdir(parents=True, exist_ok=True)
        return replace(
            self,
            folder=folder,
            port=0,
            options={"code_sender": f"spool:{self.spool}", **self.options},
            database_url=self.place.url,
            secrets_folder=self.place.secrets,
            process=None,
        )

    def load(self, lines: Iterable[Row]) -> None:
        """Import lines; the server may be running."""
        book = self.place.open()
        try:
            encoded = [json.dumps(line).encode("utf-8") + b"\n" for line in lines]
            import_file(book, encoded, file_name="test data", keep_good=False, progress=None)
        finally:
            book.close()

    def messages(self) -> list[dict[str, Any]]:
        """The codes that were sent, oldest first."""
        return [json.loads(each.read_text(encoding="utf-8")) for each in sorted(self.spool.glob("*.json"))]

    def log(self) -> str:
        """Everything the server wrote on standard error, over all its starts."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start the server and wait until it says that it listens."""
        options = {"port": self.port, "code_sender": f"spool:{self.spool}", **self.options}
        arguments = [self.place.url, str(self.place.secrets), str(self.folder), json.dumps(options)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", _SERVE, *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        assert self.process.stdout is not None
        guard = threading.Timer(START_S, self.process.kill)
        guard.start()
        try:
            line = self.process.stdout.readline()
        finally:
            guard.cancel()
        if not line.startswith("Listening on "):
            self.kill()
            raise AssertionError(f"the ledger did not start: {self.log()}")
        self.scheme = line.removeprefix("Listening on ").partition(":")[0]
        self.port = int(line.rpartition(":")[2])

    def stop(self) -> int:
        """Stop the server as an administrator would; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGKILL)

    def crash(self) -> None:
        """End all its processes by SIGKILL at the same moment."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # The session is ours: see `start_new_session`.
            self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same port."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(how)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # The session is ours: see `start_new_session`.
            code = self.process.wait(STOP_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code


@contextmanager
def running_ledger(
    folder: Path,
    lines: Iterable[Row] | None = None,
    *,
    settings: str | None = None,
    options: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    database_url: str | None = None,
) -> Iterator[LedgerServer]:
    """A ledger with these import lines (`a_small_ledger` when None), served until the block ends.

    `settings` is the text of a settings file (TOML); `options` are further arguments of `serve_ledger`, paths as text;
    `environment` is added to the server's; `database_url` is the address of an empty database other than a new SQLite
    file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = dict(options or {})
    if settings is not None:
        given["config"] = str(folder / "ledger.toml")
        (folder / "ledger.toml").write_text(settings, encoding="utf-8")
    server = LedgerServer(folder, options=given, environment=environment or {}, database_url=database_url)
    server.load(a_small_ledger() if lines is None else lines)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def ledger_server(tmp_path: Path) -> Iterator[LedgerServer]:
    """A small ledger with a server of its own."""
    with running_ledger(tmp_path / "ledger") as server:
        yield server
