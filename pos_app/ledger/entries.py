"""The ledger's entries: immutable lines, chained per wallet (reliability 4.5).

`hash` = SHA-256 over the previous entry's hash and the canonical JSON of the line. The head of each chain is in the
wallet's row, which every movement writes anyway; one chain over all wallets would make each wait for every other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError
from pos_app.wire.canonical import canonical_json

__all__ = [
    "FIRST_HASH",
    "LINE",
    "ROW",
    "Entry",
    "EntryKind",
    "Imprint",
    "append",
    "canonical_json",
    "chain_hash",
    "chained",
]

FIRST_HASH: Final = "0" * 64
_WALLET: Final = schema.wallet
_READ_HEAD: Final = select(_WALLET.c.version, _WALLET.c.head_hash).where(_WALLET.c.id == bindparam("wallet"))
_MOVE_HEAD: Final = (
    update(_WALLET)
    .where(_WALLET.c.id == bindparam("wallet"), _WALLET.c.version == bindparam("known"))
    .values(version=_WALLET.c.version + 1, head_hash=bindparam("head"))
)


class EntryKind(StrEnum):
    """What moved the points."""

    EARN = "EARN"
    REDEEM = "REDEEM"
    REVERSAL = "REVERSAL"
    ADJUST = "ADJUST"
    EXPIRE = "EXPIRE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line before it is chained. `delta` is in thousandths, negative where points leave the lot."""

    at: int
    kind: EntryKind
    wallet_id: int
    lot_id: int
    delta: int
    redemption_id: str | None = None
    key: str | None = None
    lease_id: str | None = None
    cashier: int | None = None
    till: str | None = None
    supervisor: int | None = None
    reason: str | None = None

    @property
    def line(self) -> dict[str, object]:
        """The entry as it is written and hashed."""
        return {name: getattr(self, name) for name in LINE}


LINE: Final = tuple(each.name for each in fields(Entry))
"""The columns an entry's hash covers."""

ROW: Final = (*LINE, "prev_hash", "hash")
"""The columns of an entry but its number, which the database gives."""

_VARYING: Final = ("delta", "lot_id", "wallet_id")
"""In the order canonical JSON has them."""


def chain_hash(prev_hash: str, line: Mapping[str, object]) -> str:
    """The hash of an entry's line behind another one."""
    return hashlib.sha256(prev_hash.encode("ascii") + canonical_json(line).encode("utf-8")).hexdigest()


def chained(head: str, entries: Iterable[Entry]) -> tuple[list[dict[str, object]], str]:
    """Rows ready to insert for entries of one wallet behind `head`, and the new head."""
    rows: list[dict[str, object]] = []
    for entry in entries:
        line = entry.line
        behind = chain_hash(head, line)
        rows.append({**line, "prev_hash": head, "hash": behind})
        head = behind
    return rows, head


class Imprint:
    """Entries that differ only in wallet, lot and points, made by the hundred thousand: as `chained` makes them."""

    def __init__(self, entry: Entry) -> None:
        line = entry.line | dict.fromkeys(_VARYING, "%d")
        self._text: Final = canonical_json(line).replace('"%d"', "%d")
        values = list(entry.line.values())
        self._before, self._after = tuple(map(_plain, values[:2])), tuple(map(_plain, values[5:]))

    def rows(self, wallet_id: int, lots: Iterable[tuple[int, int]], head: str) -> tuple[list[tuple[Any, ...]], str]:
        """Rows of the columns of `ROW` for lots (number, points) of one wallet behind `head`, and the new head."""
        rows = []
        for lot_id, delta in lots:
            line = self._text % (delta, lot_id, wallet_id)
            behind = hashlib.sha256((head + line).encode("utf-8")).hexdigest()
            rows.append((*self._before, wallet_id, lot_id, delta, *self._after, head, behind))
            head = behind
        return rows, head


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value  # A member of an enum is slow to write.


def append(connection: Connection, entries: Iterable[Entry]) -> dict[int, int]:
    """Append entries to the chains of their wallets; returns each wallet's new version. Wallets go in order of id.

    Raises:
        LostRaceError: a wallet moved since it was read.
    """
    by_wallet: dict[int, list[Entry]] = {}
    for entry in entries:
        by_wallet.setdefault(entry.wallet_id, []).append(entry)
    versions = {}
    for wallet_id in sorted(by_wallet):
        version, head = connection.execute(_READ_HEAD, {"wallet": wallet_id}).one()
        rows, new_head = chained(head, by_wallet[wallet_id])
        moved = connection.execute(_MOVE_HEAD, {"wallet": wallet_id, "known": version, "head": new_head})
        if moved.rowcount != 1:
            raise LostRaceError
        connection.execute(schema.entry.insert(), rows)
        versions[wallet_id] = version + 1
    return versions
