"""How SQLite notes what changed, and in which order it is told.

It has one writer at a time, so rows become visible in the order of their numbers: a number is a place in the feed.
"""

# ruff: noqa: S608 - only names of our own tables stand in these statements

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from pos_app.ledger import schema
from pos_app.ledger.databases.watched import WATCHED, Watched

_NEWEST: Final = select(func.max(schema.change_feed.c.seq))


def feed_triggers() -> tuple[str, ...]:
    """Statements that make the database note changes; safe to repeat."""
    return tuple(statement for each in WATCHED for statement in _triggers(each))


def feed_place(connection: Connection) -> tuple[int, int]:
    """The place up to which the feed will not change any more."""
    return 0, connection.execute(_NEWEST).scalar_one() or 0


def feed_transaction() -> ColumnElement[Any]:
    """What a row noted in this transaction has as `txid`: numbers alone are enough here."""
    return literal_column("0")


def _triggers(watched: Watched) -> Iterator[str]:
    for act, row, event in (
        ("insert", "NEW", "INSERT"),
        ("update", "NEW", f"UPDATE OF {', '.join(watched.columns)}"),
        ("delete", "OLD", "DELETE"),
    ):
        conditions = [watched.only.format(row=row)] if watched.only else []
        if act == "insert":
            org = f"{row}.{watched.org}"
            conditions.append(f"NOT EXISTS (SELECT 1 FROM feed_muted WHERE feed_muted.org IN (0, {org}))")
        when = f" WHEN {' AND '.join(conditions)}" if conditions else ""
        yield f"DROP TRIGGER IF EXISTS feed_{watched.table}_{act}"
        yield (
            f"CREATE TRIGGER feed_{watched.table}_{act} AFTER {event} ON {watched.table}"
            f" FOR EACH ROW{when} BEGIN {_note(watched, row, 'look' if _is_gone(watched, act) else watched.op)} END"
        )


def _is_gone(watched: Watched, act: str) -> bool:
    """A deleted row of the type itself is gone; one it hangs on is only changed."""
    return act == "delete" and watched.table == watched.type


def _note(watched: Watched, row: str, op: str) -> str:
    into = "INSERT INTO change_feed (txid, org, type, id, op)"
    note = f"{into} VALUES (0, {row}.{watched.org}, '{watched.type}', {row}.{watched.id}, '{op}');"
    if watched.is_membership:
        note += (
            f" {into} SELECT 0, wallet.org, 'wallet', wallet.id, '{op}' FROM wallet"
            f" WHERE wallet.org = {row}.{watched.org} AND wallet.family_group_id = {row}.{watched.id};"
        )
    return note
