"""Which points are spent first, and spending them (reliability 4.5: soonest to expire first)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from pos_app.domain.points import ZERO, Points
from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError

_LOT: Final = schema.lot
_WALLET: Final = schema.wallet
_NEVER: Final = "9999-12-31"

alive: Final = and_(_LOT.c.rem > 0, or_(_LOT.c.expires_on.is_(None), _LOT.c.expires_on >= bindparam("today")))
"""Lots that still count on `today`: points last to the end of their day (contract section 10)."""

_FIND: Final = (
    select(
        _LOT.c.id,
        _LOT.c.wallet_id,
        _WALLET.c.customer_id,
        _WALLET.c.program_id,
        _LOT.c.awarded_on,
        _LOT.c.expires_on,
        _LOT.c.rem,
        _LOT.c.res,
    )
    .join_from(_LOT, _WALLET)
    .where(_LOT.c.wallet_id.in_(bindparam("wallets", expanding=True)), alive)
)
_TAKE: Final = (
    update(_LOT)
    .where(_LOT.c.id == bindparam("lot"), _LOT.c.rem - _LOT.c.res >= bindparam("taken"))
    .values(rem=_LOT.c.rem - bindparam("taken"))
)
_PUT_BACK: Final = update(_LOT).where(_LOT.c.id == bindparam("lot")).values(rem=_LOT.c.rem + bindparam("given"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLot:
    """A lot as the ledger keeps it."""

    lot_id: int
    wallet_id: int
    customer_id: int | None
    program_id: int
    awarded_on: str | None
    expires_on: str | None
    remaining: Points
    reserved: Points

    @property
    def free(self) -> Points:
        """What is neither spent nor set aside."""
        return self.remaining - self.reserved

    @property
    def turn(self) -> tuple[str, str, int, int]:
        """Its place in the order of spending: expiry, award, lower customer id, id; never expiring comes last."""
        return (self.expires_on or _NEVER, self.awarded_on or "", self.customer_id or 0, self.lot_id)


@dataclass(frozen=True, slots=True)
class Draw:
    """So many points out of one lot."""

    lot: KeptLot
    points: Points


def find_lots(connection: Connection, wallet_ids: Iterable[int], today: date) -> list[KeptLot]:
    """The lots of some wallets that still count, in the order of spending."""
    ids = sorted(wallet_ids)
    if not ids:
        return []
    rows = connection.execute(_FIND, {"wallets": ids, "today": today.isoformat()})
    found = [
        KeptLot(
            lot_id=lot_id,
            wallet_id=wallet_id,
            customer_id=customer_id,
            program_id=program_id,
            awarded_on=awarded_on,
            expires_on=expires_on,
            remaining=Points(rem),
            reserved=Points(res),
        )
        for lot_id, wallet_id, customer_id, program_id, awarded_on, expires_on, rem, res in rows
    ]
    return sorted(found, key=lambda lot: lot.turn)


def plan(lots: Sequence[KeptLot], points: Points) -> list[Draw]:
    """Choose from which lots `points` are drawn; `lots` are in the order of spending.

    Raises:
        LostRaceError: they do not hold that much, though the judgement said so: somebody was faster.
    """
    draws, missing = [], points
    for lot in lots:
        taken = min(lot.free, missing)
        if taken > ZERO:
            draws.append(Draw(lot, taken))
            missing = missing - taken
        if not missing:
            return draws
    raise LostRaceError


def take(connection: Connection, draws: Iterable[Draw]) -> None:
    """Take the points out, each lot by one guarded statement whose row count is its proof.

    Raises:
        LostRaceError: a lot no longer holds what was planned.
    """
    for draw in draws:
        taken = connection.execute(_TAKE, {"lot": draw.lot.lot_id, "taken": draw.points.thousandths})
        if taken.rowcount != 1:
            raise LostRaceError


def put_back(connection: Connection, lot_id: int, points: Points) -> None:
    """Give points back to the lot they came from, with its own expiry."""
    connection.execute(_PUT_BACK, {"lot": lot_id, "given": points.thousandths})
