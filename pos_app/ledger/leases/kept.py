"""The rows of leases, and the few statements that move points in and out of them.

A lease is only moved behind the locks of the wallets its lots belong to (`hold_lease`): then nobody else settles, gives
back or reclaims it. Each statement is guarded and its row count is its proof; what it may not do the database refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.leases import LeaseState
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.rulebook import from_ms

HELD_STATES: Final = (LeaseState.OPEN.value, LeaseState.CLOSING.value)

_LEASE: Final = schema.lease
_ALLOC: Final = schema.lease_alloc
_LOT: Final = schema.lot
_WALLET: Final = schema.wallet

_BY_NAME: Final = select(_LEASE).where(_LEASE.c.lease_id == bindparam("name"))
_BY_REQUEST: Final = select(_LEASE).where(
    _LEASE.c.till == bindparam("login"), _LEASE.c.request_id == bindparam("request")
)
_ALLOCS: Final = select(_ALLOC).where(_ALLOC.c.lease == bindparam("number")).order_by(_ALLOC.c.place)
_WALLETS: Final = (
    select(_ALLOC.c.wallet_id)
    .join_from(_ALLOC, _LEASE, _LEASE.c.id == _ALLOC.c.lease)
    .where(_LEASE.c.lease_id.in_(bindparam("names", expanding=True)))
    .distinct()
)
_IS_ALLOC: Final = (_ALLOC.c.lease == bindparam("number"), _ALLOC.c.lot_id == bindparam("lot"))
_ALLOC_LESS: Final = (
    update(_ALLOC).where(*_IS_ALLOC, _ALLOC.c.held >= bindparam("less")).values(held=_ALLOC.c.held - bindparam("less"))
)
_RESERVE: Final = (
    update(_LOT)
    .where(_LOT.c.id == bindparam("lot"), _LOT.c.rem - _LOT.c.res >= bindparam("more"))
    .values(res=_LOT.c.res + bindparam("more"))
)
_UNRESERVE: Final = (
    update(_LOT)
    .where(_LOT.c.id == bindparam("lot"), _LOT.c.res >= bindparam("less"))
    .values(res=_LOT.c.res - bindparam("less"))
)
_SPEND: Final = (
    update(_LOT)
    .where(_LOT.c.id == bindparam("lot"), _LOT.c.res >= bindparam("less"))
    .values(res=_LOT.c.res - bindparam("less"), rem=_LOT.c.rem - bindparam("less"))
)
_IS_IT: Final = (_LEASE.c.id == bindparam("number"), _LEASE.c.held >= bindparam("less"))
_SETTLE: Final = (
    update(_LEASE)
    .where(*_IS_IT)
    .values(held=_LEASE.c.held - bindparam("less"), settled=_LEASE.c.settled + bindparam("less"))
)
_RETURN: Final = (
    update(_LEASE)
    .where(*_IS_IT)
    .values(
        held=_LEASE.c.held - bindparam("less"),
        returned=_LEASE.c.returned + bindparam("less"),
        state=bindparam("new_state"),
    )
)
_RAISE_VERSION: Final = (
    update(_WALLET).where(_WALLET.c.id.in_(bindparam("wallets", expanding=True))).values(version=_WALLET.c.version + 1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlloc:
    """What a lease got of one lot, and what it still holds of it."""

    lot_id: int
    wallet_id: int
    points: Points
    held: Points
    usable_until: datetime | None

    def is_usable_at(self, moment: datetime) -> bool:
        """Say whether its lot had not expired then."""
        return self.usable_until is None or moment < self.usable_until


@dataclass(frozen=True, slots=True)
class Part:
    """So many points out of one allocation."""

    alloc: KeptAlloc
    points: Points


def find_lease(connection: Connection, lease_id: str) -> Any | None:
    """A lease's row; None where there is none."""
    return connection.execute(_BY_NAME, {"name": lease_id}).one_or_none()


def find_request(connection: Connection, login: str, request_id: str) -> Any | None:
    """The lease a till got under a request id; None where it got none."""
    return connection.execute(_BY_REQUEST, {"login": login, "request": request_id}).one_or_none()


def allocs_of(connection: Connection, number: int) -> list[KeptAlloc]:
    """What a lease got of which lots, in the order of spending."""
    return [
        KeptAlloc(
            lot_id=row.lot_id,
            wallet_id=row.wallet_id,
            points=Points(row.points),
            held=Points(row.held),
            usable_until=None if row.usable_until is None else from_ms(row.usable_until),
        )
        for row in connection.execute(_ALLOCS, {"number": number})
    ]


def wallets_of(connection: Connection, lease_ids: Iterable[str]) -> set[int]:
    """The wallets some leases took their points from. They never change, so they may be asked for before any lock."""
    names = sorted(set(lease_ids))
    return set(connection.execute(_WALLETS, {"names": names}).scalars()) if names else set()


def hold_lease(connection: Connection, lease_id: str) -> Any | None:
    """Lock a lease's wallets and read it behind the locks; None where there is none."""
    hold_wallets(connection, wallets_of(connection, [lease_id]))
    return find_lease(connection, lease_id)


# --- Moving points ---------------------------------------------------------------------------------------------------


def reserve(connection: Connection, lot_id: int, points: Points) -> None:
    """Set points of a lot aside.

    Raises:
        LostRaceError: it no longer has that many that are free.
    """
    _do(connection, _RESERVE, {"lot": lot_id, "more": points.thousandths})


def take_reserved(connection: Connection, number: int, parts: Sequence[Part]) -> None:
    """Take points out of a lease and out of their lots: they are spent."""
    for part in parts:
        count = part.points.thousandths
        _do(connection, _ALLOC_LESS, {"number": number, "lot": part.alloc.lot_id, "less": count})
        _do(connection, _SPEND, {"lot": part.alloc.lot_id, "less": count})
        _do(connection, _SETTLE, {"number": number, "less": count})


def return_reserved(connection: Connection, number: int, parts: Sequence[Part], state: LeaseState) -> None:
    """Take points out of a lease; they are free in their lots again. The lease is in `state` then."""
    for part in parts:
        count = part.points.thousandths
        _do(connection, _ALLOC_LESS, {"number": number, "lot": part.alloc.lot_id, "less": count})
        _do(connection, _UNRESERVE, {"lot": part.alloc.lot_id, "less": count})
    returned = sum(part.points.thousandths for part in parts)
    _do(connection, _RETURN, {"number": number, "less": returned, "new_state": state.value})


def raise_versions(connection: Connection, wallet_ids: Iterable[int]) -> None:
    """Say that wallets look otherwise though no entry was written: what is held of them changed (sync-api 5)."""
    ids = sorted(set(wallet_ids))
    if ids:
        connection.execute(_RAISE_VERSION, {"wallets": ids})


def _do(connection: Connection, statement: Any, parameters: dict[str, object]) -> None:
    if connection.execute(statement, parameters).rowcount != 1:
        raise LostRaceError
