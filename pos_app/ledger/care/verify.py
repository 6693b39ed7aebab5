"""Recomputes everything the ledger keeps in short from its entries, and lists what differs (reliability 4.3, 4.5).

I1     0 <= reserved <= remaining in every lot, and what is reserved is what open and closing leases hold of it.
I2     no wallet has less than nothing to spend.
I3     what a lease lent is settled, returned or held; its lots and its entries say the same.
I5     earned = remaining + charged - given back + expired, lot by lot and redemption by redemption; each redemption,
       its shares, its reversals and its key tell the same.
CHAIN  each wallet's chain of hashes is whole, and ends at the head in the wallet's row.
AUDIT  the chain of what administrators did is whole.

It reads in one transaction, so it sees one moment while others write, and goes through the ledger in slices of ids:
it needs as much memory for a million customers as for one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select

from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.verify_leases import LEASE_STEPS, held_by_lot
from pos_app.ledger.care.verify_redemptions import REDEMPTION_STEPS
from pos_app.ledger.entries import FIRST_HASH, LINE, EntryKind, chain_hash

_LOT: Final = schema.lot
_ENTRY: Final = schema.entry
_WALLET: Final = schema.wallet
_SLICE: Final = 500

_IN_SLICE: Final = {table: table.c.wallet_id.between(bindparam("first"), bindparam("last")) for table in (_LOT, _ENTRY)}
_LOTS: Final = select(_LOT).where(_IN_SLICE[_LOT]).order_by(_LOT.c.wallet_id, _LOT.c.id)
_ENTRIES: Final = select(_ENTRY).where(_IN_SLICE[_ENTRY]).order_by(_ENTRY.c.wallet_id, _ENTRY.c.id)
_WALLETS: Final = (
    select(_WALLET.c.id, _WALLET.c.head_hash)
    .where(_WALLET.c.id > bindparam("after"))
    .order_by(_WALLET.c.id)
    .limit(bindparam("most"))
)
_SIGNS: Final = {EntryKind.EARN: 1, EntryKind.REVERSAL: 1, EntryKind.REDEEM: -1, EntryKind.EXPIRE: -1}
"""Which way a kind of entry moves points; an adjustment may go both ways."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the entries say. `invariant` as above, `about` names the row."""

    invariant: str
    about: str
    detail: str

    def __str__(self) -> str:
        """A line for the administrator."""
        return f"{self.invariant} {self.about}: {self.detail}"


def differences(connection: Connection) -> list[Difference]:
    """Everything that differs; an empty list is a sound ledger."""
    return list(find_differences(connection))


def find_differences(
    connection: Connection, *, chains: bool = True, after_slice: Callable[[], None] | None = None
) -> Iterator[Difference]:
    """What differs, one after the other, in the transaction of `connection`.

    Args:
        connection: a reading transaction.
        chains: False leaves the hashes out, which take most of the time.
        after_slice: called now and then, so that whoever has other work may do it, or raise to end this.
    """
    rest = after_slice or _go_on
    yield from _check_wallets(connection, chains=chains, rest=rest)
    for step in (*LEASE_STEPS, *REDEMPTION_STEPS):
        for invariant, about, detail in step(connection, rest):
            yield Difference(invariant, about, detail)
    if chains:
        for about, detail in audit.faults(connection):
            yield Difference("AUDIT", about, detail)


def _go_on() -> None:
    """Nobody waits."""


# --- Wallets: lots, entries, chains --------------------------------------------------------------------------------


def _check_wallets(connection: Connection, *, chains: bool, rest: Callable[[], None]) -> Iterator[Difference]:
    seen = {_LOT: 0, _ENTRY: 0}
    for wallets in _slices(connection):
        bounds = {"first": wallets[0].id, "last": wallets[-1].id}
        lots = _by_wallet(connection.execute(_LOTS, bounds).all())
        entries = _by_wallet(connection.execute(_ENTRIES, bounds).all())
        held = held_by_lot(connection, **bounds)
        for wallet in wallets:
            own_lots, own_entries = lots.get(wallet.id, []), entries.get(wallet.id, [])
            seen[_LOT] += len(own_lots)
            seen[_ENTRY] += len(own_entries)
            yield from _check_lots(wallet.id, own_lots, own_entries, held)
            if chains:
                yield from _check_chain(wallet, own_entries)
        rest()
    for table, count in seen.items():
        kept = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if kept != count:
            yield Difference("I5", f"table {table.name}", f"{kept - count} rows belong to no wallet")


def _slices(connection: Connection) -> Iterator[Sequence[Any]]:
    after = 0
    while wallets := connection.execute(_WALLETS, {"after": after, "most": _SLICE}).all():
        yield wallets
        after = wallets[-1].id


def _by_wallet(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.wallet_id, []).append(row)
    return found


def _check_lots(
    wallet_id: int, lots: Sequence[Any], entries: Sequence[Any], held: Mapping[int, int]
) -> Iterator[Difference]:
    entered: dict[int, int] = defaultdict(int)
    for entry in entries:
        entered[entry.lot_id] += entry.delta
        sign = _SIGNS.get(entry.kind)
        if sign is not None and entry.delta * sign <= 0:
            yield Difference("I5", f"entry {entry.id}", f"{entry.kind} of {entry.delta} thousandths")
    for lot in lots:
        about = f"lot {lot.id}"
        if not 0 <= lot.res <= lot.rem:
            yield Difference("I1", about, f"{lot.res} thousandths reserved of {lot.rem}")
        if lot.res != held.get(lot.id, 0):
            yield Difference("I1", about, f"{lot.res} thousandths reserved, leases hold {held.get(lot.id, 0)}")
        told = entered.pop(lot.id, 0)
        if lot.rem != told:
            yield Difference("I5", about, f"{lot.rem} thousandths left, its entries add up to {told}")
    if sum(lot.rem - lot.res for lot in lots) < 0:
        yield Difference("I2", f"wallet {wallet_id}", "less than nothing to spend")
    for lot_id in entered:
        yield Difference("I5", f"wallet {wallet_id}", f"entries about lot {lot_id}, which is not its own")


def _check_chain(wallet: Any, entries: Sequence[Any]) -> Iterator[Difference]:
    about, head = f"wallet {wallet.id}", FIRST_HASH
    for row in entries:
        if row.prev_hash != head or row.hash != chain_hash(head, {name: row._mapping[name] for name in LINE}):
            yield Difference("CHAIN", about, f"entry {row.id} is not what was written")
        head = row.hash
    if head != wallet.head_hash:
        yield Difference("CHAIN", about, "its chain of entries was cut" if entries else "all its entries are gone")
