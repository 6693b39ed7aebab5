"""The server is killed at random moments under load: what was confirmed is there, and no key counts twice.

The suite kills a few times on each database (reliability 5.1 D). All rounds, with a summary:

    .venv/bin/pytest -m slow tests/ledger/test_ledger_kills.py -s
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select
from support.databases import PostgresqlServer, a_server
from support.ledger_server import PROGRAM, LedgerServer, a_customer, a_program, a_till, an_organisation, running_ledger
from support.loading_tills import Confirmed, LoadingTills, loading_tills

from pos_app.ledger import schema
from pos_app.ledger.book import Book

FIRST = 70_001
PEOPLE = 12
TILLS = 4
POINTS = 2_000_000
UNDER_LOAD_S = (0.02, 0.4)
WAIT_S = 60.0

Row = tuple[str, str | None, int]


def _lines() -> list[dict[str, object]]:
    wallets = [{"program_id": PROGRAM, "lots": [{"points": POINTS}]}]
    people = [
        a_customer(id=FIRST + number, mobile=f"9170{number:08}", email=None, external_id=None, wallets=wallets)
        for number in range(PEOPLE)
    ]
    tills = [a_till(login=f"till.{number}") for number in range(TILLS)]
    return [an_organisation(), a_program(), *tills, *people]


@dataclass
class Ground:
    """A served ledger, the tills that load it, and the database server behind it, if there is one."""

    server: LedgerServer
    tills: LoadingTills
    database: PostgresqlServer | None
    random: random.Random

    def kill_under_load(self, *, with_database: bool) -> None:
        """Wait until something was confirmed, then for a random moment, then end everything of the server at once."""
        self._wait_for_more()
        time.sleep(self.random.uniform(*UNDER_LOAD_S))  # Not a wait for anything: the moment must be any moment.
        if with_database and self.database is not None:
            self.database.stop(signal.SIGQUIT)
        self.server.crash()

    def check(self, confirmed: list[Confirmed]) -> None:
        """Open the ledger as it was left, before anybody else does."""
        book = self.server.place.open()
        try:
            _check(book, confirmed)
        finally:
            book.close()

    def _wait_for_more(self) -> None:
        known, give_up_at = self._size(), time.monotonic() + WAIT_S
        while self._size() == known:
            assert time.monotonic() < give_up_at, f"nothing is confirmed any more: {self.server.log()[-2000:]}"
            time.sleep(0.005)

    def _size(self) -> int:
        return sum(each.stat().st_size for each in self.tills.files)


@contextmanager
def _ground(folder: Path, kind: str, seed: int) -> Iterator[Ground]:
    if kind == "sqlite":
        with _loaded(folder, None, None, seed) as ground:
            yield ground
        return
    with a_server(is_durable=True) as database, _loaded(folder, database, database.new("ledger"), seed) as ground:
        yield ground


@contextmanager
def _loaded(folder: Path, database: PostgresqlServer | None, url: str | None, seed: int) -> Iterator[Ground]:
    logins = [f"till.{number}" for number in range(TILLS)]
    with (
        running_ledger(folder / "ledger", _lines(), database_url=url) as server,
        loading_tills(server.url, logins, FIRST, PEOPLE, folder) as tills,
    ):
        yield Ground(server, tills, database, random.Random(seed))


def _check(book: Book, confirmed: list[Confirmed]) -> None:
    """What was confirmed before is in the ledger, each key at most once, and the ledger is sound."""
    assert book.verify() == []
    with book.store.read() as connection:
        states = {row.key: row for row in connection.execute(select(schema.idem))}
        redemptions = {row.key: row for row in connection.execute(select(schema.redemption))}
        twice = select(schema.redemption.c.key).group_by(schema.redemption.c.key).having(func.count() > 1)
        assert connection.execute(twice).all() == []
        entered = {
            key: int(sum_)
            for key, sum_ in connection.execute(
                select(schema.entry.c.key, func.sum(schema.entry.c.delta))
                .where(schema.entry.c.key.is_not(None))
                .group_by(schema.entry.c.key)
            )
        }
    for each in confirmed:
        assert each.code == 800, each
        assert each.key in states, f"{each} was confirmed, and its key is gone"
        kept = redemptions[each.key]
        assert (kept.redemption_id, kept.customer_id) == (each.redemption_id, each.customer), each
        assert kept.points == each.points * 1000, each
        if each.cancel is not None:
            assert (each.cancel, states[each.key].state, entered[each.key]) == ("reversed", "REVERSED", 0), each
        else:
            assert entered[each.key] in (-each.points * 1000, 0), each  # 0: its cancel was done, and not yet told.


def _run(ground: Ground, rounds: int, every: int) -> list[Confirmed]:
    """Kill and restart; the database server goes down too in each `every`th round."""
    for number in range(rounds):
        with_database = ground.database is not None and number % every == every - 1
        ground.kill_under_load(with_database=with_database)
        confirmed = ground.tills.confirmed()
        if with_database and ground.database is not None:
            ground.database.start()
        ground.check(confirmed)
        ground.server.start()
    ground.tills.stop()  # Each of them gets the sure answer it still waits for.
    confirmed = ground.tills.confirmed()
    ground.check(confirmed)
    return confirmed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_confirmed_survives_kills_under_load(tmp_path: Path, kind: str) -> None:
    with _ground(tmp_path, kind, seed=3) as ground:
        confirmed = _run(ground, rounds=6, every=3)
        assert len(confirmed) >= 6


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_hundred_kills_under_load(tmp_path: Path, kind: str) -> None:
    began, seed, rounds, every = time.monotonic(), int(os.environ.get("KILL_SEED", "5")), 200, 10
    with _ground(tmp_path, kind, seed) as ground:
        confirmed = _run(ground, rounds, every)
        print(f"\n{kind}: {rounds} kills under load of {TILLS} tills, seed {seed}:")
        if kind == "postgresql":
            print(f"  of these with the database server: {rounds // every}")
        print(f"  redemptions confirmed: {len(confirmed)}, all of them in the ledger, each once")
        print(f"  of these sent again without a sure answer: {sum(1 for each in confirmed if each.unclear)}")
        print(f"  cancels confirmed: {sum(1 for each in confirmed if each.cancel)}")
        print(f"  verify after each restart: clean; {time.monotonic() - began:.0f} s")
