"""The part of `verify` about leases: each, its lots and its entries tell the same (I1 and I3 of reliability 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from pos_app.ledger import schema
from pos_app.ledger.care.verify_redemptions import Found
from pos_app.ledger.entries import EntryKind

HELD_STATES: Final = frozenset({"OPEN", "CLOSING"})
_SLICE: Final = 500
_LEASE: Final = schema.lease
_ALLOC: Final = schema.lease_alloc
_ENTRY: Final = schema.entry

_HELD: Final = (
    select(_ALLOC.c.lot_id, func.sum(_ALLOC.c.held))
    .join_from(_ALLOC, _LEASE, _LEASE.c.id == _ALLOC.c.lease)
    .where(
        _ALLOC.c.wallet_id.between(bindparam("first"), bindparam("last")),
        _ALLOC.c.held > 0,
        _LEASE.c.state.in_(sorted(HELD_STATES)),
    )
    .group_by(_ALLOC.c.lot_id)
)
_SLICES: Final = select(_LEASE).where(_LEASE.c.id > bindparam("after")).order_by(_LEASE.c.id).limit(bindparam("most"))
_ALLOCS: Final = (
    select(_ALLOC.c.lease, func.sum(_ALLOC.c.points), func.sum(_ALLOC.c.held))
    .where(_ALLOC.c.lease.between(bindparam("first"), bindparam("last")))
    .group_by(_ALLOC.c.lease)
)
_CHARGED: Final = (
    select(_ENTRY.c.lease_id, func.sum(_ENTRY.c.delta))
    .where(_ENTRY.c.lease_id.in_(bindparam("names", expanding=True)), _ENTRY.c.kind == EntryKind.REDEEM.value)
    .group_by(_ENTRY.c.lease_id)
)
_OF_NONE: Final = (
    select(_ENTRY.c.id, _ENTRY.c.lease_id)
    .where(
        _ENTRY.c.lease_id.is_not(None),
        ~select(_LEASE.c.id).where(_LEASE.c.lease_id == _ENTRY.c.lease_id).exists(),
    )
    .order_by(_ENTRY.c.id)
)


def held_by_lot(connection: Connection, *, first: int, last: int) -> dict[int, int]:
    """What open and closing leases hold of each lot of the wallets between two numbers, in thousandths."""
    return {lot_id: int(held) for lot_id, held in connection.execute(_HELD, {"first": first, "last": last})}


def check_leases(connection: Connection, rest: Callable[[], None]) -> Iterator[Found]:
    """Each lease against its lots and its entries."""
    after = 0
    while rows := connection.execute(_SLICES, {"after": after, "most": _SLICE}).all():
        after = rows[-1].id
        bounds = {"first": rows[0].id, "last": rows[-1].id}
        lots = {number: (int(got), int(held)) for number, got, held in connection.execute(_ALLOCS, bounds)}
        names = {"names": [row.lease_id for row in rows]}
        charged = {lease_id: -int(delta) for lease_id, delta in connection.execute(_CHARGED, names)}
        for row in rows:
            about = f"lease {row.lease_id}"
            if row.settled + row.returned + row.held != row.amount:
                yield "I3", about, f"{row.settled} settled, {row.returned} returned, {row.held} held of {row.amount}"
            if lots.get(row.id, (0, 0)) != (row.amount, row.held):
                got, held = lots.get(row.id, (0, 0))
                yield "I3", about, f"{row.amount} lent and {row.held} held, its lots say {got} and {held}"
            if charged.get(row.lease_id, 0) != row.settled:
                yield "I3", about, f"{row.settled} settled, its entries add up to {charged.get(row.lease_id, 0)}"
            if row.held and row.state not in HELD_STATES:
                yield "I3", about, f"it is {row.state} and holds {row.held}"
        rest()


def check_stray_leases(connection: Connection, rest: Callable[[], None]) -> Iterator[Found]:
    """Entries that name a lease there is not."""
    for entry_id, lease_id in connection.execute(_OF_NONE, execution_options={"yield_per": 2000}):
        yield "I3", f"entry {entry_id}", f"is under lease {lease_id}, which is not there"
    rest()


LEASE_STEPS: Final = (check_leases, check_stray_leases)
"""Each yields what differs in the transaction it is given."""
