"""Rows that must not move while they are decided about (reliability 4.5).

On SQLite a writing transaction has the whole database to itself, so nothing is asked of it here. On PostgreSQL many
write at once, and whoever decides by what a row says locks the row first and reads afterwards.

Every transaction takes its locks in one order, so that two of them seldom wait for each other in a circle:

    set-up (`meta`) -> customer -> till, its chain -> operator -> wallets by id -> lease -> code, missed call -> key
    -> audit

and within each by id. A circle that arises all the same is found by the database, and its loser runs again from its
start (`Store.writing`); nobody outside hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, and_, select

from pos_app.ledger import schema
from pos_app.ledger.databases.backend import LOCKS_ROWS

_WALLET: Final = schema.wallet
_CUSTOMER: Final = schema.customer
_TILL: Final = schema.till
_META: Final = schema.meta


def hold(connection: Connection, table: Table, *which: ColumnElement[bool]) -> None:
    """Lock the rows that `which` names, in the order of their keys; what is read from now on cannot change.

    Raises:
        LedgerBusyError: as the transaction ends, when another one held on to a row for too long.
    """
    if not _locks_rows(connection):
        return
    keys = table.primary_key.columns
    # `key_share`: the lock an UPDATE takes; rows that only refer to these may still be written.
    connection.execute(select(*keys).where(and_(*which)).order_by(*keys).with_for_update(key_share=True))


def hold_wallets(connection: Connection, wallet_ids: Iterable[int]) -> None:
    """Lock wallets: nobody else moves their points, nor any row that hangs on them, until this transaction ends."""
    ids = sorted(set(wallet_ids)) if _locks_rows(connection) else []
    if ids:
        hold(connection, _WALLET, _WALLET.c.id.in_(ids))


def hold_customer(connection: Connection, org: int, customer_id: int) -> None:
    """Lock a customer: nobody else issues, counts or judges her codes until this transaction ends."""
    hold(connection, _CUSTOMER, _CUSTOMER.c.org == org, _CUSTOMER.c.id == customer_id)


def hold_till(connection: Connection, login: str) -> None:
    """Lock a till: its wrong codes are counted one by one."""
    hold(connection, _TILL, _TILL.c.login == login)


def hold_setup(connection: Connection) -> None:
    """Keep other administrators' writers out: imports, tills, programs, operators. Counters are not stopped by it."""
    hold(connection, _META, _META.c.name == "rules_version")


def _locks_rows(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(LOCKS_ROWS, False))
