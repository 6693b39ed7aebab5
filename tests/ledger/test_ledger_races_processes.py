"""Races between processes: eight tills at two servers over one database (reliability 5.1 F).

The suite plays a few rounds on each database. All of them, with a summary:

    .venv/bin/pytest -m slow tests/ledger/test_ledger_races_processes.py -s
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support.race_rounds import SERVERS, TILLS, Rounds, an_arena, play

FEW = Rounds(wallet=24, same_key=8, code=8, guesses=3)
ALL = Rounds(wallet=1000, same_key=250, code=250, guesses=100)

_WITHOUT_LOCKS = """
from pos_app.ledger.databases import postgresql, sqlite
from pos_app.ledger.databases.backend import WRITER
def begin(connection):
    if connection.get_execution_options().get(WRITER):
        connection.exec_driver_sql("BEGIN")
sqlite._begin = begin
postgresql.LOCKS_ROWS = False
"""
"""Run by each server process before anything else: rows are no longer locked, a writer no longer says so at once."""


@pytest.fixture
def database_url(ledger_url: str) -> str | None:
    """None: the server's own SQLite file."""
    return None if ledger_url.startswith("sqlite") else ledger_url


@pytest.mark.timeout(300)
def test_tills_that_meet_at_one_customer_all_get_a_right_answer(tmp_path: Path, database_url: str | None) -> None:
    with an_arena(tmp_path, database_url, FEW) as arena:
        play(arena, FEW)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_rounds_of_tills_that_meet_at_one_customer(tmp_path: Path, database_url: str | None) -> None:
    began = time.monotonic()
    seed = int(os.environ.get("RACE_SEED", "7"))
    with an_arena(tmp_path, database_url, ALL, seed=seed) as arena:
        play(arena, ALL)
        kind = "SQLite" if database_url is None else "PostgreSQL"
        print(f"\n{kind}, {SERVERS} server processes, {TILLS} till processes, seed {seed}:")
        for what, count in sorted(arena.seen.items()):
            print(f"  {what}: {count}")
        print(f"  verify: clean; {time.monotonic() - began:.0f} s")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_referee_sees_a_ledger_whose_locks_were_taken_out(tmp_path: Path, database_url: str | None) -> None:
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_LOCKS, encoding="utf-8")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])}
    rounds = Rounds(wallet=200, same_key=50, code=20, guesses=10)
    with an_arena(tmp_path, database_url, rounds, environment=environment) as arena:
        with pytest.raises(AssertionError) as seen:
            play(arena, rounds)
        print(f"\n{'SQLite' if database_url is None else 'PostgreSQL'} without its locks: {seen.value}")
