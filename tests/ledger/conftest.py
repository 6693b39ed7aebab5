"""The ledgers of the contract's rows: each test that asks for `ledgers` runs on every database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.databases import KINDS, PostgresqlServer
from support.row_ledgers import Ledgers, PostgresqlCopies, SqliteCopies

from pos_app.ledger.secrets import LedgerSecrets


@pytest.fixture(scope="session")
def sqlite_ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledgers]:
    """Every test's books on SQLite."""
    folder = tmp_path_factory.mktemp("rows")
    made = Ledgers("sqlite", SqliteCopies(folder), LedgerSecrets.open(folder / "secrets"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgresql_ledgers(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer
) -> Iterator[Ledgers]:
    """Every test's books on PostgreSQL."""
    secrets = LedgerSecrets.open(tmp_path_factory.mktemp("rows") / "secrets")
    made = Ledgers("postgresql", PostgresqlCopies(postgresql_server), secrets)
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def ledgers(request: pytest.FixtureRequest) -> Ledgers:
    """Books on one database after the other; a database is only started for a test that asks for it."""
    found: Ledgers = request.getfixturevalue(f"{request.param}_ledgers")
    return found
