"""The cache's statements, built once as constant text: both ways are hot, and Core would treble a lookup.

Rows go in as tuples in the order of their table's columns.
"""

# ruff: noqa: S608 - only names of our own tables stand in these statements

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Table

from pos_app.cache import tables

LOOKED_UP_SLOTS: Final = -1_000_000
"""Slots of wallets that were only looked up begin here and stay below zero; those of the feed are the wallets' ids."""


def _put(table: Table, *, stays: Iterable[str] = (), only_if: str = "") -> str:
    """Insert a row, or write it over the one with its key but for the columns that stay as they are."""
    columns = [column.name for column in table.columns]
    key = [column.name for column in table.primary_key]
    change = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in {*key, *stays})
    on_conflict = f"DO UPDATE SET {change} {only_if}" if change else "DO NOTHING"
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(key)}) {on_conflict}"
    )


# --- Written -------------------------------------------------------------------------------------------------------

PUT_CUSTOMER: Final = _put(tables.CUSTOMER)
FEED_CUSTOMER: Final = _put(tables.CUSTOMER, stays=("named", "seen_at"))
PUT_IDENTIFIER: Final = _put(tables.IDENTIFIER)
PUT_TAIL: Final = _put(tables.TAIL)
PUT_NAME: Final = _put(tables.NAME)
PUT_WALLET: Final = _put(tables.WALLET)
FEED_WALLET: Final = _put(tables.WALLET, stays=("wallet_id",), only_if="WHERE excluded.version >= wallet.version")
"""An older version than the kept one is ignored (sync-api 5). The id is the slot: it stays, and its index untouched."""
PUT_FAMILY_GROUP: Final = _put(tables.FAMILY_GROUP)
PUT_MEMBER: Final = _put(tables.MEMBER)
PUT_PROGRAM: Final = _put(tables.PROGRAM)
PUT_ORGANISATION: Final = _put(tables.ORGANISATION)
PUT_OPERATOR: Final = _put(tables.OPERATOR)
PUT_FEED: Final = _put(tables.FEED)

DROP_CUSTOMER: Final = "DELETE FROM customer WHERE customer_id = ?"
DROP_IDENTIFIER: Final = "DELETE FROM identifier WHERE kind = ? AND value = ? AND customer_id = ?"
DROP_TAIL: Final = "DELETE FROM tail WHERE digits = ? AND customer_id = ?"
DROP_NAME: Final = "DELETE FROM name WHERE words = ? AND customer_id = ?"
DROP_WALLETS_OF: Final = "DELETE FROM wallet WHERE owner = ?"
DROP_LOOKED_UP_WALLETS_OF: Final = "DELETE FROM wallet WHERE owner = ? AND slot < 0"
DROP_WALLET: Final = "DELETE FROM wallet WHERE wallet_id = ?"
DROP_FAMILY_GROUP: Final = "DELETE FROM family_group WHERE group_id = ?"
DROP_MEMBER: Final = "DELETE FROM member WHERE customer_id = ? AND group_id = ?"
DROP_PROGRAM: Final = "DELETE FROM program WHERE program_id = ?"
DROP_OPERATOR: Final = "DELETE FROM operator WHERE operator_id = ?"

_FIGURES: Final = (
    "UPDATE wallet SET balance = ?, available = ?, lifetime_points = ?, lifetime_purchases = ?, promised_points = ?,"
    " is_paused = ?, redeemed_days = ?, lots = ?, version = max(version, ?) WHERE owner = ? AND program_id = ?"
)
PUT_FIGURES: Final = f"{_FIGURES} AND version <= ?"
"""What an answer told of a wallet, unless a newer version is kept."""
PUT_FIGURES_LOOKED_UP: Final = _FIGURES
"""What a lookup told of it: newer than all, though it names no version."""
PUT_NAMED: Final = "UPDATE customer SET named = ? WHERE customer_id = ?"
SEEN: Final = "UPDATE customer SET seen_at = ? WHERE customer_id = ?"
SEEN_ALL: Final = (
    "SELECT seen_at, customer_id FROM customer WHERE seen_at IS NOT NULL AND customer_id > ? ORDER BY 2 LIMIT ?"
)
NEWEST: Final = "SELECT max(seen_at) FROM customer WHERE seen_at IS NOT NULL"
NOT_SEEN_SINCE: Final = (
    "SELECT customer_id FROM customer WHERE seen_at IS NOT NULL AND seen_at < ?"
    " AND (is_fed = 0 OR NOT EXISTS (SELECT 1 FROM feed))"
)

# --- Read ----------------------------------------------------------------------------------------------------------

KNOWN_PEOPLE: Final = (
    "SELECT c.customer_id, mobile, email, external_id, cards, first_name, last_name, named, is_fed"
    " FROM json_each(?) AS asked JOIN customer AS c ON c.customer_id = asked.value"
)
"""What of some customers stands in the tables of the search; given their ids as JSON."""
PEOPLE_FROM: Final = (
    "SELECT customer_id, mobile, email, external_id, cards, first_name, last_name, named, is_fed"
    " FROM customer WHERE customer_id > ? ORDER BY customer_id LIMIT ?"
)
LAST_CUSTOMER: Final = "SELECT max(customer_id) FROM customer"
MEMBERS_OF: Final = "SELECT members FROM family_group WHERE group_id = ?"

CUSTOMER_WIDTH: Final = len(tables.CUSTOMER.columns)
_WALLET_COLUMNS: Final = (
    "slot",
    "program_id",
    "balance",
    "available",
    "lifetime_points",
    "lifetime_purchases",
    "promised_points",
    "is_paused",
    "redeemed_days",
    "lots",
    "wallet_id",
)
"""What a record is made of; `rows.wallet_of` reads them in this order."""
_RECORD: Final = ", ".join(
    (
        *(f"c.{column.name}" for column in tables.CUSTOMER.columns),
        *(f"w.{name}" for name in _WALLET_COLUMNS),
    )
)
_OF_CUSTOMER: Final = "customer AS c LEFT JOIN wallet AS w ON w.owner = c.customer_id"
_BY_IDENTIFIER: Final = (
    f"SELECT i.value, {_RECORD} FROM identifier AS i JOIN customer AS c ON c.customer_id = i.customer_id"
    " LEFT JOIN wallet AS w ON w.owner = c.customer_id WHERE i.kind = ?"
)
FIND_BY_IDENTIFIER: Final = {
    1: f"{_BY_IDENTIFIER} AND i.value = ?",
    2: f"{_BY_IDENTIFIER} AND i.value IN (?, ?)",
    3: f"{_BY_IDENTIFIER} AND i.value IN (?, ?, ?)",
}
"""By how many forms of the identifier are given."""
FIND_BY_ID: Final = f"SELECT c.customer_id, {_RECORD} FROM {_OF_CUSTOMER} WHERE c.customer_id = ?"
FIND_IDENTIFIER: Final = "SELECT customer_id FROM identifier WHERE kind = ? AND value = ?"
FIND_FAMILY_GROUP: Final = (
    "SELECT group_id, name, external_id, is_active, status, members FROM family_group WHERE group_id = ?"
)
FAMILY_GROUPS_OF: Final = "SELECT group_id FROM member WHERE customer_id = ? AND is_active ORDER BY group_id"
FED_GROUP_BY: Final = {
    "group_id": "SELECT group_id FROM family_group WHERE is_fed AND group_id = ?",
    "external_id": "SELECT group_id FROM family_group WHERE is_fed AND external_id = ?",
    "primary": "SELECT group_id FROM member WHERE customer_id = ? AND is_primary",
}
"""Routes to a family group (contract 2.5), as the feed told of them."""
IS_FED: Final = "SELECT is_fed FROM customer WHERE customer_id = ?"
WALLETS_OF: Final = f"SELECT {', '.join(_WALLET_COLUMNS)} FROM wallet WHERE owner = ? AND slot > 0 ORDER BY slot"
PROGRAMS: Final = "SELECT row FROM program"
ORGANISATIONS: Final = "SELECT row, told FROM organisation"
OPERATORS: Final = "SELECT operator_id, told FROM operator ORDER BY operator_id"
FEED: Final = f"SELECT {', '.join(column.name for column in tables.FEED.columns)} FROM feed"

# --- Searched ------------------------------------------------------------------------------------------------------

HITS: Final = (
    "SELECT c.customer_id, first_name, last_name, mobile, email, external_id, cards, seen_at"
    " FROM json_each(?) AS found JOIN customer AS c ON c.customer_id = found.value"
)
IDENTIFIERS_FROM: Final = (
    "SELECT value, customer_id FROM identifier WHERE kind = ? AND value >= ? AND value < ? ORDER BY value LIMIT ?"
)
TAILS_FROM: Final = "SELECT digits, customer_id FROM tail WHERE digits >= ? AND digits < ? ORDER BY digits LIMIT ?"
NAMES_FROM: Final = "SELECT words, customer_id FROM name WHERE words >= ? AND words < ? ORDER BY words LIMIT ?"
NAMES_WITH: Final = (
    "SELECT words, customer_id FROM (SELECT words, customer_id FROM name WHERE words >= ? AND words < ?"
    " ORDER BY words LIMIT ?) WHERE {conditions} LIMIT ?"
)
"""Of so many keys from a place on, those that hold other words too."""
NAMES_BEYOND: Final = "SELECT 1 FROM name WHERE words >= ? AND words < ? ORDER BY words LIMIT 1 OFFSET ?"
IDENTIFIER_AT: Final = "SELECT value FROM identifier WHERE kind = ? AND value >= ? ORDER BY value LIMIT 1"
TAIL_AT: Final = "SELECT digits FROM tail WHERE digits >= ? ORDER BY digits LIMIT 1"
NAME_AT: Final = "SELECT words FROM name WHERE words >= ? ORDER BY words LIMIT 1"
"""The next key from a place on: how the second step of a search finds out which letters there are."""
