"""`isredeemable` requests a second on one process, against the same server doing one bare Core lookup."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import falcon
from bench_load import Ask, Taken, get, load
from bench_place import PROGRAM, Filled, Servers, mobile
from sqlalchemy import bindparam, select

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.http import serving

CUSTOMERS = 10_000
TURNS = 15


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


def load_with_bare(place: LedgerPlace, *rest: Any) -> Any:
    """The product's own application, with the floor beside it; runs in the server's worker process."""
    app = _load(place, *rest)
    app.add_route("/bare/{mobile}", Bare(place.open()))
    return app


_load = serving._load


def serve(url: str, secrets_folder: str) -> None:
    """Serve until stopped, in this process."""
    serving._load = load_with_bare
    serving.serve(LedgerPlace(url, Path(secrets_folder), Path(secrets_folder).parent), serving.ServeOptions(port=0))


def rows(folder: Path, seconds: float) -> list[tuple[str, str, str, str, str]]:
    """The table's row."""
    filled = Filled(f"sqlite:///{folder / 'ledger.db'}", folder, CUSTOMERS)
    filled.fill()
    with filled.served() as servers:
        taken, floor = against_bare(filled, servers, seconds)
    what = f"isredeemable requests a second, one process (p99 {taken.quantile_ms(99):.0f} ms)"
    ratio = taken.a_second / floor.a_second
    return [(what, f"{taken.a_second:,.0f}/s", f"{floor.a_second:,.0f}/s", f"{ratio:.2f}", "at least 0.7")]


def against_bare(filled: Filled, servers: Servers, seconds: float) -> tuple[Taken, Taken]:
    """Check and bare lookup in many short turns: whatever else the machine does meets both alike."""
    check, bare = checks(filled.customers), _bare_lookups(filled.customers)
    for ask in (check, bare):
        load(servers.ports, ask, seconds / 4, wanted=b"{")  # Warm: statements compiled, pages read.
    turn = seconds * 3 / TURNS
    turns = [
        (load(servers.ports, check, turn), load(servers.ports, bare, turn, wanted=b'"wallet"')) for _ in range(TURNS)
    ]
    return middle([each[0] for each in turns]), middle([each[1] for each in turns])


def middle(turns: list[Taken]) -> Taken:
    """The turn with the median rate."""
    return sorted(turns, key=lambda taken: taken.a_second)[len(turns) // 2]


def checks(customers: int) -> Ask:
    """Checks of customers drawn at random."""
    chosen = random.Random(11)
    path = f"/v1.1/points/isredeemable?mobile={{}}&program_id={PROGRAM}&points=100&format=json"
    return lambda: get(path.format(mobile(chosen.randrange(customers))))


def _bare_lookups(customers: int) -> Ask:
    chosen = random.Random(11)
    return lambda: get(f"/bare/{mobile(chosen.randrange(customers))}")


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
