"""A shop for journeys: a real ledger process, a proxy on the line to it, and tills that go through the proxy."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from support.fault_proxy import FaultProxy
from support.ledger_server import LOGIN, PASSWORD, LedgerServer, Row, basic, running_ledger
from support.till_process import TillProcess, driven_till, eventually

from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.files.clock import SystemClock
from pos_app.journal import SqlJournal
from pos_app.ledger import schema

QUICK = {
    "retry.connect_s": 1.0,
    "retry.read_s": 2.0,
    "retry.foreground_s": 0.0,
    "retry.base_s": 0.1,
    "retry.cap_s": 0.3,
}
"""Waiting times of a till in a hurry."""

CLI_WAIT_S = 60.0


@dataclass(frozen=True)
class Ran:
    """A command of the command line that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object it printed."""
        return json.loads(self.out)


def pos_app(*arguments: object, stdin: str = "", environment: Mapping[str, str] | None = None) -> Ran:
    """Run `pos-app` as a process of its own, warnings being errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pos_app", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=CLI_WAIT_S,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **(environment or {})},
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    query: Mapping[str, object] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request as a client of another maker sends it, with the login of the test's till."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        target = f"{path}?{urlencode(query)}" if query else path
        connection.request(method, target, body=body, headers={"Authorization": basic(), **(headers or {})})
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, told, response.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Charge:
    """A redemption as the ledger keeps it, and what its entries add up to."""

    key: str
    points: Points
    reversed: Points
    moved: Points
    """What all entries under it took, less what they gave back."""


@dataclass
class Shop:
    """One ledger, one line, and the folders of its tills."""

    folder: Path
    ledger: LedgerServer
    proxy: FaultProxy
    password_file: Path
    settings: Mapping[str, object] = field(default_factory=dict)

    # --- Tills -------------------------------------------------------------------------------------------------------

    def till_folder(self, name: str = "till") -> Path:
        """The data folder of a till, with its settings in it."""
        folder = self.folder / name
        if not folder.exists():
            folder.mkdir(mode=0o700)
            settings = {
                "ledger.url": self.proxy.url,
                "ledger.login": LOGIN,
                "ledger.password_file": str(self.password_file),
                **self.settings,
            }
            lines = [f"{setting} = {json.dumps(value)}" for setting, value in settings.items()]
            (folder / "settings.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    @contextmanager
    def till(self, name: str = "till") -> Iterator[TillProcess]:
        """A till with its window open."""
        with driven_till(self.till_folder(name)) as opened:
            yield opened

    # --- The ledger --------------------------------------------------------------------------------------------------

    def code(self, number: int = -1) -> str:
        """The code in the customer's messages, the newest unless another is asked for."""
        messages = eventually("a code in the spool", self.ledger.messages)
        return str(messages[number]["code"])

    def charges(self) -> list[Charge]:
        """Every redemption the ledger keeps."""
        redemption, entry = schema.redemption, schema.entry
        query = (
            select(redemption.c.key, redemption.c.points, redemption.c.reversed, func.sum(-entry.c.delta))
            .join_from(redemption, entry, entry.c.redemption_id == redemption.c.redemption_id)
            .group_by(redemption.c.id)
            .order_by(redemption.c.id)
        )
        book = self.ledger.place.open()
        try:
            with book.store.read() as connection:
                rows = connection.execute(query).all()
        finally:
            book.close()
        return [
            Charge(key or "", Points(points), Points(back), Points(int(moved))) for key, points, back, moved in rows
        ]

    def differences(self) -> list[str]:
        """What `ledger verify` finds."""
        book = self.ledger.place.open()
        try:
            return [str(each) for each in book.verify()]
        finally:
            book.close()

    def balance(self, mobile: str) -> str:
        """What a customer's wallet holds, as v1.1 tells it."""
        reply = call(self.ledger.port, "GET", "/v1.1/customer/get", {"mobile": mobile, "format": "json"})
        return str(reply.json["response"]["customers"]["customer"][0]["loyalty_points"])


def journal_rows(folder: Path) -> list[Redemption]:
    """The rows of a till's journal, oldest first. Only for a till that has ended: the journal is one process's."""
    key = json.loads((folder / "secrets").read_text(encoding="utf-8"))["database_key"]
    journal = SqlJournal.open(folder / "journal.db", key, SystemClock())
    try:
        return list(reversed(journal.recent(100)))
    finally:
        journal.close()


@contextmanager
def a_shop(
    folder: Path, lines: Iterable[Row] | None = None, *, ledger_settings: str | None = None, **settings: object
) -> Iterator[Shop]:
    """A shop whose tills are in a hurry; `settings` are further settings of its tills, `__` for the dot.

    `ledger_settings` is the text of the ledger's settings file.
    """
    password_file = folder / "password"
    password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    given = {name.replace("__", "."): value for name, value in settings.items()}
    with (
        running_ledger(folder / "ledger", lines, settings=ledger_settings) as ledger,
        FaultProxy(("127.0.0.1", ledger.port)) as proxy,
    ):
        yield Shop(folder, ledger, proxy, password_file, {**QUICK, **given})
