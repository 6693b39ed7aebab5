"""The cache's tables and statements, built once. A file of another version is made anew, so there are no steps.

Lots and redeemed days stand in their wallet as JSON: they are only ever read and replaced with it, and a table of
their own would cost a lookup as much again.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

VERSION: Final = 1
"""Of the file. A program that changes a table, or the meaning of a column, counts it up."""

METADATA: Final = MetaData()

CUSTOMER: Final = Table(
    "customer",
    METADATA,
    Column("customer_id", Integer, primary_key=True),
    Column("mobile", Text, nullable=False),  # As the ledger writes it; `identifier` has the form for comparing.
    Column("email", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("cards", Text, nullable=False),  # JSON list
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("tier", Text),
    Column("is_registered", Integer, nullable=False),
    Column("is_campaign_only", Integer, nullable=False),
    Column("is_blocked", Integer, nullable=False),
    Column("default_family_group_id", Integer),
    Column("family_groups", Text, nullable=False),  # JSON: [[family group id, is it her default], ...]
    Column("programs", Text, nullable=False),  # JSON: ids of the programs her record told of
    Column("as_of", Text, nullable=False, index=True),
)
IDENTIFIER: Final = Table(
    "identifier",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("customer_id", ForeignKey("customer.customer_id", ondelete="CASCADE"), nullable=False),
    Index("identifier_customer", "customer_id", "kind"),
    sqlite_with_rowid=False,
)
WALLET: Final = Table(
    "wallet",
    METADATA,
    Column("customer_id", ForeignKey("customer.customer_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("program_id", Integer, nullable=False),
    Column("balance", Integer, nullable=False),  # thousandths, as all points
    Column("available", Integer, nullable=False),
    Column("lifetime_points", Integer, nullable=False),
    Column("lifetime_purchases", Text, nullable=False),  # a decimal, exactly
    Column("promised_points", Integer, nullable=False),
    Column("is_paused", Integer, nullable=False),
    Column("redeemed_days", Text),  # JSON: [[day, thousandths], ...]; null: unknown
    Column("lots", Text, nullable=False),  # JSON: [[thousandths, expires on, awarded on, lot id, program id], ...]
    Column("wallet_id", Integer),
    sqlite_with_rowid=False,
)
FAMILY_GROUP: Final = Table(
    "family_group",
    METADATA,
    Column("group_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("is_active", Integer, nullable=False),
    Column("members", Text, nullable=False),  # JSON: [[customer id, primary, may redeem, active], ...]
)
PROGRAM: Final = Table(
    "program", METADATA, Column("program_id", Integer, primary_key=True), Column("row", Text, nullable=False)
)
ORGANISATION: Final = Table(
    "organisation", METADATA, Column("only", Integer, primary_key=True), Column("row", Text, nullable=False)
)


def _put(table: Table) -> Insert:
    """Insert a row or replace the one with its key, without deleting it: what hangs on it would go too."""
    statement = upsert(table).values({column.name: bindparam(column.name) for column in table.columns})
    key = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=rest)


PUT_CUSTOMER: Final = _put(CUSTOMER)
PUT_IDENTIFIER: Final = _put(IDENTIFIER)
PUT_FAMILY_GROUP: Final = _put(FAMILY_GROUP)
PUT_PROGRAM: Final = _put(PROGRAM)
PUT_ORGANISATION: Final = _put(ORGANISATION)
ADD_WALLET: Final = insert(WALLET)
DROP_IDENTIFIERS: Final = delete(IDENTIFIER).where(
    IDENTIFIER.c.customer_id == bindparam("of_customer"), IDENTIFIER.c.kind == bindparam("of_kind")
)
DROP_WALLETS: Final = delete(WALLET).where(WALLET.c.customer_id == bindparam("of_customer"))
FORGET_BEFORE: Final = delete(CUSTOMER).where(CUSTOMER.c.as_of < bindparam("moment"))
NEWEST: Final = select(func.max(CUSTOMER.c.as_of))

_CUSTOMER_COLUMNS: Final = ", ".join(f"c.{column.name}" for column in CUSTOMER.columns)
_WALLET_COLUMNS: Final = ", ".join(f"w.{column.name}" for column in WALLET.columns if column.name != "customer_id")

# What is read is read by the driver's own connection, as constant text: Core would treble a lookup.
_RECORD: Final = f"{_CUSTOMER_COLUMNS}, {_WALLET_COLUMNS} FROM"
_WALLETS: Final = "LEFT JOIN wallet AS w ON w.customer_id = c.customer_id"
_BY_IDENTIFIER: Final = (
    f"SELECT i.value, {_RECORD} identifier AS i JOIN customer AS c ON c.customer_id = i.customer_id {_WALLETS}"
    " WHERE i.kind = ?"
)
FIND_BY_IDENTIFIER: Final = {
    1: f"{_BY_IDENTIFIER} AND i.value = ?",
    2: f"{_BY_IDENTIFIER} AND i.value IN (?, ?)",
    3: f"{_BY_IDENTIFIER} AND i.value IN (?, ?, ?)",
}
"""By how many forms of the identifier are given."""
FIND_BY_ID: Final = f"SELECT c.customer_id, {_RECORD} customer AS c {_WALLETS} WHERE c.customer_id = ?"
FIND_FAMILY_GROUP: Final = "SELECT * FROM family_group WHERE group_id = ?"
PROGRAMS: Final = "SELECT row FROM program"
ORGANISATIONS: Final = "SELECT row FROM organisation"
CUSTOMER_WIDTH: Final = len(CUSTOMER.columns)
