"""`isredeemable` requests a second on one process, against the same server doing one bare Core lookup."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import selectors
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import falcon
from sqlalchemy import bindparam, select

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.http import serving
from pos_app.ledger.importer import import_file

CUSTOMERS = 10_000
CONNECTIONS = 16
TURNS = 15
LOGIN, PASSWORD = "till.bench", "bench-only"


class Bare:
    """The floor: the same server, doing one bare Core lookup of the same row and nothing else."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._statement = (
            select(schema.customer.c.id, schema.customer.c.first_name, schema.wallet.c.id, schema.wallet.c.version)
            .join_from(
                schema.identifier,
                schema.customer,
                (schema.customer.c.org == schema.identifier.c.org)
                & (schema.customer.c.id == schema.identifier.c.customer_id),
            )
            .join(schema.wallet, schema.wallet.c.customer_id == schema.customer.c.id)
            .where(
                schema.identifier.c.org == 1,
                schema.identifier.c.kind == "mobile",
                schema.identifier.c.value == bindparam("mobile"),
                schema.wallet.c.org == 1,
                schema.wallet.c.program_id == 973,
            )
        )

    def on_get(self, _request: falcon.Request, response: falcon.Response, mobile: str) -> None:
        with self._book.store.read() as connection:
            found = connection.execute(self._statement, {"mobile": mobile}).one()
        response.data = json.dumps({"id": found[0], "name": found[1], "wallet": found[2]}).encode()


def load_with_bare(place: LedgerPlace, options: serving.ServeOptions, address: str, port: int) -> Any:
    """The product's own application, with the floor beside it; runs in the server's worker process."""
    app = _load(place, options, address, port)
    app.add_route("/bare/{mobile}", Bare(place.open()))
    return app


_load = serving._load


def serve(folder: str) -> None:
    """Serve until stopped, in this process."""
    serving._load = load_with_bare
    place = LedgerPlace(f"sqlite:///{folder}/ledger.db", None, Path(folder))
    serving.serve(place, serving.ServeOptions(port=0))


def rows(folder: Path, seconds: float) -> list[tuple[str, str, str, str, str]]:
    """The table's row."""
    book = LedgerPlace(f"sqlite:///{folder / 'ledger.db'}", None, folder).open()
    import_file(book, import_lines(), file_name="bench", keep_good=False, progress=None)
    book.close()
    process = subprocess.Popen([sys.executable, __file__, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        check = "/v1.1/points/isredeemable?mobile={mobile}&program_id=973&points=100&format=json"
        bare = "/bare/{mobile}"
        for path in (check, bare):
            load(port, path, seconds / 4)  # Warm: statements compiled, pages read.
        # Many short turns: whatever else the machine does meets both alike.
        turn = seconds * 3 / TURNS
        measured = [(load(port, check, turn), load(port, bare, turn)) for _ in range(TURNS)]
    finally:
        process.terminate()
        process.wait(15)
    ours = statistics.median(each[0][0] for each in measured)
    floor = statistics.median(each[1][0] for each in measured)
    p99 = statistics.median(each[0][1] for each in measured)
    what = f"isredeemable requests a second, one process (p99 {p99:.0f} ms)"
    return [(what, f"{ours:,.0f}/s", f"{floor:,.0f}/s", f"{ours / floor:.2f}", "at least 0.6")]


def import_lines() -> list[bytes]:
    """One organisation, one program, one till and the customers."""
    rows: list[dict[str, object]] = [
        {
            "kind": "organisation",
            "id": 1,
            "name": "Bench",
            "currency": "INR",
            "time_zone": "Asia/Kolkata",
            "country_code": "91",
        },
        {
            "kind": "program",
            "organisation": 1,
            "id": 973,
            "name": "Gold",
            "default": True,
            "points_currency_ratio": "1",
            "criteria": {"multiple_of": 10, "maximum": 400},
        },
        {"kind": "till", "organisation": 1, "login": LOGIN, "password": PASSWORD, "store": "001"},
    ]
    rows += [
        {
            "kind": "customer",
            "organisation": 1,
            "id": 1000 + n,
            "mobile": f"9198{n:08}",
            "first_name": "Ada",
            "wallets": [{"program_id": 973, "lots": [{"points": 500, "expires_on": "2035-12-31"}]}],
        }
        for n in range(CUSTOMERS)
    ]
    return [json.dumps(row).encode() + b"\n" for row in rows]


def load(port: int, path: str, seconds: float) -> tuple[float, float]:
    """Requests a second and the p99 in milliseconds, over a few connections kept busy by one thread."""
    chosen = random.Random(11)
    token = base64.b64encode(f"{LOGIN}:{hashlib.md5(PASSWORD.encode()).hexdigest()}".encode()).decode()
    tail = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {token}\r\n\r\n"
    waiting = selectors.DefaultSelector()
    sent: dict[socket.socket, float] = {}

    def ask(connection: socket.socket) -> None:
        sent[connection] = time.perf_counter()
        number = chosen.randrange(CUSTOMERS)
        connection.sendall(f"GET {path.format(mobile=f'9198{number:08}')}{tail}".encode())

    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(connection, selectors.EVENT_READ)
        ask(connection)
    took: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for ready, _mask in waiting.select(1):
            connection = ready.fileobj
            assert isinstance(connection, socket.socket)
            answer = connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer[:200].decode("latin-1"))
            took.append(time.perf_counter() - sent[connection])
            ask(connection)
    for connection in sent:
        connection.close()
    return len(took) / seconds, statistics.quantiles(took, n=100)[98] * 1000


if __name__ == "__main__":
    serve(sys.argv[1])
