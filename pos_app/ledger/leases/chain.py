"""The chain of rows a till settles in one enrolment, and every answer it got (sync-api 7).

The ledger keeps the last number and hash. The same row again gets the same answer; the same number with another hash,
or a row that does not follow the last one, is a fork: the till was cloned, or its files were put back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.settling import Settled, SettleOutcome
from pos_app.ledger import schema
from pos_app.ledger.databases.locks import hold
from pos_app.ledger.rulebook import to_ms
from pos_app.wire.canonical import canonical_json
from pos_app.wire.settling import ReceivedSpend, read_settled_tree, settled_tree

_KEY: Final = schema.till_key
_SETTLED: Final = schema.settled
_IS_KEY: Final = (_KEY.c.login == bindparam("name"), _KEY.c.till_epoch == bindparam("enrolment"))
_READ_KEY: Final = select(_KEY).where(*_IS_KEY)
_MOVE: Final = update(_KEY).where(*_IS_KEY).values(last_seq=bindparam("seq"), last_hash=bindparam("head"))
_AT: Final = select(_SETTLED).where(
    _SETTLED.c.till == bindparam("name"),
    _SETTLED.c.till_epoch == bindparam("enrolment"),
    _SETTLED.c.seq == bindparam("number"),
)


class Place(StrEnum):
    """Where a row stands in the chain."""

    NEXT = "next"
    """It follows the last one."""
    INSTEAD = "instead"
    """Only rows that were refused had its number: this is the one that counts."""
    FORK = "fork"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Chain:
    """One enrolment of a till, locked: nobody else settles its rows until this transaction ends."""

    login: str
    till_epoch: int
    public_key: str
    last_seq: int
    last_hash: str
    """Empty: the last row could not be read, so nothing can be said of what follows it."""

    @property
    def next_seq(self) -> int:
        """The number that is expected next."""
        return self.last_seq + 1


def find_chain(connection: Connection, login: str, till_epoch: int) -> Chain | None:
    """The chain of an enrolment; None where this ledger knows of none."""
    row = connection.execute(_READ_KEY, {"name": login, "enrolment": till_epoch}).one_or_none()
    return None if row is None else Chain(login, till_epoch, row.public_key, row.last_seq, row.last_hash)


def hold_chain(connection: Connection, login: str, till_epoch: int) -> Chain | None:
    """Lock a chain and read it behind the lock."""
    hold(connection, _KEY, _KEY.c.login == login, _KEY.c.till_epoch == till_epoch)
    return find_chain(connection, login, till_epoch)


def first_answer(connection: Connection, chain: Chain, row: ReceivedSpend) -> Settled | None:
    """The answer this very row got before; None when it is new."""
    for kept in _rows_at(connection, chain, row.seq):
        if kept.hash == hash_in(row):
            return replace(read_settled_tree(json.loads(kept.outcome)), is_replayed=True)
    return None


def place_of(connection: Connection, chain: Chain, row: ReceivedSpend) -> Place:
    """Where a row that is new stands in its chain."""
    if row.seq > chain.next_seq:
        return Place.GAP
    if row.seq == chain.next_seq:
        spend = row.spend
        follows = spend is None or not chain.last_hash or spend.prev_hash == chain.last_hash
        return Place.NEXT if follows else Place.FORK
    is_taken = any(kept.is_taken for kept in _rows_at(connection, chain, row.seq))
    return Place.FORK if is_taken else Place.INSTEAD


def keep_answer(
    connection: Connection, chain: Chain, row: ReceivedSpend, place: Place, settled: Settled, now: datetime
) -> None:
    """Keep the answer under the row's number and hash, and move the end of the chain where this row is its new end."""
    connection.execute(
        _SETTLED.insert(),
        {
            "till": chain.login,
            "till_epoch": chain.till_epoch,
            "seq": row.seq,
            "hash": hash_in(row),
            "key": row.key,
            "is_taken": settled.outcome is not SettleOutcome.REFUSED,
            "at": to_ms(now),
            "outcome": canonical_json(settled_tree(settled)),
        },
    )
    if row.seq == chain.next_seq or (place is Place.INSTEAD and row.seq == chain.last_seq):
        head = "" if row.spend is None else row.spend.hash
        moved = {"name": chain.login, "enrolment": chain.till_epoch, "seq": row.seq, "head": head}
        connection.execute(_MOVE, moved)


def hash_in(row: ReceivedSpend) -> str:
    """The hash a row is remembered by: the one it says; of one that could not be read, none."""
    return "" if row.spend is None else row.spend.hash


def _rows_at(connection: Connection, chain: Chain, seq: int) -> list[Any]:
    named = {"name": chain.login, "enrolment": chain.till_epoch, "number": seq}
    return list(connection.execute(_AT, named))
