"""Recomputes everything the ledger keeps in short from its entries, and lists what differs (reliability 4.5).

I1  0 <= reserved <= remaining in every lot, and nothing is reserved that no lease holds.
I2  what a lot has left is the sum of its entries.
I3  each wallet's chain of hashes is whole, and ends at the head in the wallet's row.
I5  what a redemption took, and what of it was given back, is what the entries say; and each key that says
    "redeemed" has its redemption.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from pos_app.ledger import schema
from pos_app.ledger.entries import FIRST_HASH, LINE, EntryKind, chain_hash
from pos_app.ledger.idempotency import REDEEMED, REVERSED

_LOT: Final = schema.lot
_ENTRY: Final = schema.entry
_WALLET: Final = schema.wallet
_REDEMPTION: Final = schema.redemption
_SHARE: Final = schema.share
_IDEM: Final = schema.idem
_BATCH: Final = 2000

_LOTS: Final = (
    select(_LOT.c.id, _LOT.c.rem, _LOT.c.res, func.coalesce(func.sum(_ENTRY.c.delta), 0))
    .join_from(_LOT, _ENTRY, _ENTRY.c.lot_id == _LOT.c.id, isouter=True)
    .group_by(_LOT.c.id)
)
_CHAINS: Final = (
    select(_WALLET.c.head_hash, _ENTRY)
    .join_from(_ENTRY, _WALLET, _ENTRY.c.wallet_id == _WALLET.c.id)
    .order_by(_ENTRY.c.wallet_id, _ENTRY.c.id)
)
_EMPTY_CHAINS: Final = select(_WALLET.c.id).where(
    _WALLET.c.head_hash != FIRST_HASH, ~select(_ENTRY.c.id).where(_ENTRY.c.wallet_id == _WALLET.c.id).exists()
)
_MOVED: Final = (
    select(
        _ENTRY.c.redemption_id,
        _WALLET.c.org,
        func.sum(-_ENTRY.c.delta).filter(_ENTRY.c.kind == EntryKind.REDEEM).label("taken"),
        func.sum(_ENTRY.c.delta).filter(_ENTRY.c.kind == EntryKind.REVERSAL).label("given"),
    )
    .join_from(_ENTRY, _WALLET, _ENTRY.c.wallet_id == _WALLET.c.id)
    .where(_ENTRY.c.redemption_id.is_not(None))
    .group_by(_WALLET.c.org, _ENTRY.c.redemption_id)
    .subquery()
)
_SHARED: Final = (
    select(
        _SHARE.c.redemption, func.sum(_SHARE.c.points).label("points"), func.sum(_SHARE.c.reversed).label("reversed")
    )
    .group_by(_SHARE.c.redemption)
    .subquery()
)
_REDEMPTIONS: Final = (
    select(
        _REDEMPTION.c.redemption_id,
        _REDEMPTION.c.points,
        _REDEMPTION.c.reversed,
        _REDEMPTION.c.is_history,
        func.coalesce(_MOVED.c.taken, 0),
        func.coalesce(_MOVED.c.given, 0),
        func.coalesce(_SHARED.c.points, 0),
        func.coalesce(_SHARED.c.reversed, 0),
    )
    .join_from(
        _REDEMPTION,
        _MOVED,
        (_MOVED.c.org == _REDEMPTION.c.org) & (_MOVED.c.redemption_id == _REDEMPTION.c.redemption_id),
        isouter=True,
    )
    .join(_SHARED, _SHARED.c.redemption == _REDEMPTION.c.id, isouter=True)
)
_KEYS_WITHOUT: Final = select(_IDEM.c.org, _IDEM.c.key).where(
    _IDEM.c.state.in_((REDEEMED, REVERSED)), _IDEM.c.redemption.is_(None)
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the entries say. `invariant` as in reliability 4.3, `about` names the row."""

    invariant: str
    about: str
    detail: str

    def __str__(self) -> str:
        """A line for the administrator."""
        return f"{self.invariant} {self.about}: {self.detail}"


def differences(connection: Connection) -> list[Difference]:
    """Everything that differs; an empty list is a sound ledger."""
    return [*_check_lots(connection), *_check_chains(connection), *_check_redemptions(connection)]


def _check_lots(connection: Connection) -> Iterator[Difference]:
    for lot_id, rem, res, entered in _stream(connection, _LOTS):
        if not 0 <= res <= rem:
            yield Difference("I1", f"lot {lot_id}", f"{res} thousandths reserved of {rem}")
        if res:
            yield Difference("I1", f"lot {lot_id}", f"{res} thousandths reserved under no lease")
        if rem != entered:
            yield Difference("I2", f"lot {lot_id}", f"{rem} thousandths left, its entries add up to {int(entered)}")


def _check_chains(connection: Connection) -> Iterator[Difference]:
    wallet_id, head, expected = None, FIRST_HASH, FIRST_HASH
    for row in _stream(connection, _CHAINS):
        if row.wallet_id != wallet_id:
            if head != expected:
                yield Difference("I3", f"wallet {wallet_id}", "its chain of entries was cut")
            wallet_id, head = row.wallet_id, FIRST_HASH
        expected = row.head_hash
        if row.prev_hash != head or row.hash != chain_hash(head, {name: row._mapping[name] for name in LINE}):
            yield Difference("I3", f"wallet {wallet_id}", f"entry {row.id} is not what was written")
        head = row.hash
    if head != expected:
        yield Difference("I3", f"wallet {wallet_id}", "its chain of entries was cut")
    for (lost,) in connection.execute(_EMPTY_CHAINS):
        yield Difference("I3", f"wallet {lost}", "all its entries are gone")


def _check_redemptions(connection: Connection) -> Iterator[Difference]:
    for redemption_id, points, given_back, is_history, taken, returned, shared, unshared in _stream(
        connection, _REDEMPTIONS
    ):
        about = f"redemption {redemption_id}"
        if not is_history and (points, given_back) != (int(taken), int(returned)):
            yield Difference(
                "I5", about, f"says {points} taken and {given_back} returned, entries say {taken} and {returned}"
            )
        if (points, given_back) != (int(shared), int(unshared)):
            yield Difference("I5", about, f"its shares add up to {shared} taken and {unshared} returned")
    for org, key in connection.execute(_KEYS_WITHOUT):
        yield Difference("I5", f"key {key}", f"says redeemed in organisation {org}, but there is no redemption")


def _stream(connection: Connection, statement: Any) -> Iterator[Any]:
    yield from connection.execute(statement, execution_options={"yield_per": _BATCH})
