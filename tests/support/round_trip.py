"""A ledger moved through the import format: what it exports, and what must be the same on the other side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.databases import KINDS, PostgresqlServer

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.loading.exporter import export_ledger

NewUrl = Callable[[], str]


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """Makes as many new ledgers as are asked for, on each kind of database."""
    with ExitStack() as made:
        count = 0

        def another() -> str:
            nonlocal count
            count += 1
            if request.param == "sqlite":
                return f"sqlite:///{tmp_path / f'ledger-{count}.db'}"
            server: PostgresqlServer = request.getfixturevalue("postgresql_server")
            name = server.fresh()
            made.callback(server.drop, name)
            return server.url(name)

        yield another


def exported(book: Book, **options: Any) -> list[bytes]:
    """The lines of an export."""
    lines: list[bytes] = []
    assert export_ledger(book.store, lines.append, **options) == len(lines)
    return lines


def standing(book: Book) -> dict[str, list[tuple[Any, ...]]]:
    """What a ledger stands for, read from its tables and without the numbers rows happen to have."""
    wallet, lot, redemption, share, idem = (
        schema.wallet,
        schema.lot,
        schema.redemption,
        schema.share,
        schema.idem,
    )
    owner = (wallet.c.org, wallet.c.customer_id, wallet.c.family_group_id, wallet.c.program_id)
    worth = (wallet.c.state, wallet.c.lifetime_points, wallet.c.lifetime_purchases, wallet.c.promised_points)
    told = [redemption.c[name] for name in ("org", "redemption_id", "customer_id", "program_id", "family_group_id")]
    told += [redemption.c[name] for name in ("points", "reversed", "at", "bill_number", "key")]
    group = [schema.family_group.c[name] for name in ("org", "id", "external_id", "name", "name_key", "status")]
    till = [each for each in schema.till.c if each.name not in ("public_key", "enrolment_code", "disabled_from")]
    operator = [schema.operator.c[name] for name in ("org", "id", "name", "role", "stores", "pin_hash", "badge")]
    read = {
        "organisations": select(schema.organisation),
        "programs": select(schema.program),
        "tills": select(*till),
        "operators": select(*operator, schema.operator.c.is_active, schema.operator.c.must_change_pin),
        "customers": select(schema.customer),
        "identifiers": select(schema.identifier),
        "groups": select(*group),
        "members": select(schema.family_member),
        "lots": select(*owner, lot.c.rem, lot.c.awarded_on, lot.c.expires_on).join(lot).where(lot.c.rem > 0),
        "standings": select(*owner, *worth).where(wallet.c.lifetime_points + wallet.c.promised_points > 0),
        "redemptions": select(*told),
        "shares": select(
            redemption.c.redemption_id, *owner, share.c.points, share.c.reversed, share.c.day, share.c.expires_on
        )
        .join_from(share, redemption)
        .join(wallet),
        "keys": select(idem.c.org, idem.c.key, idem.c.customer_id).where(
            idem.c.state.in_(("REDEEMED", "HISTORY", "REVERSED"))
        ),
    }
    with book.store.read() as connection:
        return {name: sorted(map(_plain, connection.execute(each)), key=str) for name, each in read.items()}


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(bool(each) if isinstance(each, bool) else each for each in row)
