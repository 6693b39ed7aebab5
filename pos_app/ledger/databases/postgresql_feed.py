"""How PostgreSQL notes what changed, and in which order it is told.

Transactions commit in another order than they take numbers: a reader that went by numbers alone would jump over a row
whose writer has not committed yet, and never come back. So each row keeps the number of its transaction, and is told
only when every transaction with a lower number has ended (reliability 4.4): the place in the feed is the transaction,
then the number. A long transaction, such as an import, holds the feed back until it ends, and nobody else.
"""

# ruff: noqa: S608 - only names of our own tables stand in these statements

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, literal_column, select

from pos_app.ledger.databases.watched import WATCHED, Watched

_THIS: Final = "pg_current_xact_id()::text::bigint"
_HORIZON: Final = select(literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger))


def feed_triggers() -> tuple[str, ...]:
    """Statements that make the database note changes; safe to repeat."""
    return tuple(statement for each in WATCHED for statement in _triggers(each))


def feed_place(connection: Connection) -> tuple[int, int]:
    """The place up to which the feed will not change any more, as this transaction sees it."""
    return connection.execute(_HORIZON).scalar_one(), 0


def feed_transaction() -> ColumnElement[Any]:
    """What a row noted in this transaction has as `txid`."""
    return literal_column(_THIS)


def _triggers(watched: Watched) -> Iterator[str]:
    """New rows are noted by the statement, since they may come by the million; changed ones one by one."""
    table, only = watched.table, f"{watched.only} AND " if watched.only else ""
    quiet = f"NOT EXISTS (SELECT 1 FROM feed_muted WHERE feed_muted.org IN (0, added.{watched.org}))"
    yield _function(f"feed_{table}_added", _notes(watched, f"added WHERE {only.format(row='added')}{quiet}"))
    yield (
        f"CREATE OR REPLACE TRIGGER feed_{table}_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS added"
        f" FOR EACH STATEMENT EXECUTE FUNCTION feed_{table}_added()"
    )
    for act, row, event in (
        ("update", "NEW", f"UPDATE OF {', '.join(watched.columns)}"),
        ("delete", "OLD", "DELETE"),
    ):
        op = "look" if act == "delete" and table == watched.type else watched.op
        when = f" WHEN ({watched.only.format(row=row)})" if watched.only else ""
        yield _function(f"feed_{table}_{act}d", _note_one(watched, row, op))
        yield (
            f"CREATE OR REPLACE TRIGGER feed_{table}_{act} AFTER {event} ON {table}"
            f" FOR EACH ROW{when} EXECUTE FUNCTION feed_{table}_{act}d()"
        )


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    )


_INTO: Final = "INSERT INTO change_feed (txid, org, type, id, op)"


def _notes(watched: Watched, added: str) -> str:
    """One statement for all rows that were added."""
    names = f"added.{watched.org}, '{watched.type}', added.{watched.id}, '{watched.op}'"
    if not watched.is_membership:
        return f"{_INTO} SELECT {_THIS}, {names} FROM {added};"
    groups = f"(SELECT DISTINCT added.{watched.org} AS org, added.{watched.id} AS id FROM {added}) AS found"
    return (
        f"{_INTO} SELECT {_THIS}, found.org, '{watched.type}', found.id, '{watched.op}' FROM {groups};"
        f" {_INTO} SELECT {_THIS}, wallet.org, 'wallet', wallet.id, '{watched.op}' FROM {groups}"
        " JOIN wallet ON wallet.org = found.org AND wallet.family_group_id = found.id;"
    )


def _note_one(watched: Watched, row: str, op: str) -> str:
    note = f"{_INTO} VALUES ({_THIS}, {row}.{watched.org}, '{watched.type}', {row}.{watched.id}, '{op}');"
    if watched.is_membership:
        note += (
            f" {_INTO} SELECT {_THIS}, wallet.org, 'wallet', wallet.id, '{op}' FROM wallet"
            f" WHERE wallet.org = {row}.{watched.org} AND wallet.family_group_id = {row}.{watched.id};"
        )
    return note
