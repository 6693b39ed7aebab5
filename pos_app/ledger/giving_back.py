"""Giving redeemed points back: each lot gets what it gave, with its own expiry (contract 7, reliability 4.5).

Points go back in the opposite order of spending, as if fewer had been asked for in the first place. Points whose day
has passed meanwhile are given to nobody: they return to their lot and leave it again as expired, two entries of one
moment, so that the chain tells the whole of it and earned = remaining + charged - given back + expired.

An imported redemption knows the days its points expired, but no lots here: each of its shares gets one, once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.points import ZERO, Points, total
from pos_app.ledger import schema
from pos_app.ledger.code_rows import LETTERS_AND_DIGITS
from pos_app.ledger.databases.database import LostRaceError, made_id
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.entries import Entry, EntryKind, append
from pos_app.ledger.lots import put_back
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tools import Moment

_REDEMPTION: Final = schema.redemption
_SHARE: Final = schema.share
_REVERSAL: Final = schema.reversal
_ID_LENGTH: Final = 10
_IS_IT: Final = _REDEMPTION.c.id == bindparam("number")
_OF_IT: Final = _SHARE.c.redemption == bindparam("number")
_WALLETS: Final = select(_SHARE.c.wallet_id).where(_OF_IT).distinct()
_READ: Final = select(_REDEMPTION).where(_IS_IT)
_READ_SHARES: Final = select(_SHARE).where(_OF_IT).order_by(_SHARE.c.id.desc())
_LAST_REVERSAL: Final = (
    select(_REVERSAL.c.reversal_id)
    .where(_REVERSAL.c.redemption == bindparam("number"))
    .order_by(_REVERSAL.c.id.desc())
    .limit(1)
)
_RETURN_SHARE: Final = (
    update(_SHARE)
    .where(_SHARE.c.id == bindparam("share"), _SHARE.c.points - _SHARE.c.reversed >= bindparam("given"))
    .values(reversed=_SHARE.c.reversed + bindparam("given"), lot_id=bindparam("lot"))
)
_RETURN_REDEMPTION: Final = (
    update(_REDEMPTION)
    .where(_IS_IT, _REDEMPTION.c.points - _REDEMPTION.c.reversed >= bindparam("given"))
    .values(reversed=_REDEMPTION.c.reversed + bindparam("given"))
)


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A redemption as it stands now; nobody else moves its points before this transaction ends."""

    row: Any
    shares: tuple[Any, ...]
    """The last drawn first."""

    @property
    def left(self) -> Points:
        """What has not been given back yet."""
        return Points(sum(share.points - share.reversed for share in self.shares))

    @property
    def wallet_ids(self) -> set[int]:
        """The wallets it drew from."""
        return {share.wallet_id for share in self.shares}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """By whom points are given back, and under which key."""

    till: str
    key: str | None = None
    cashier: int | None = None
    supervisor: int | None = None
    approval: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What went back: `available` points count again, `expired` ones had passed their day."""

    reversal_id: str
    available: Points
    expired: Points


@dataclass(frozen=True, slots=True)
class _Part:
    """Points of one share that go back to one lot."""

    share: Any
    lot_id: int
    points: Points
    is_expired: bool


def hold_redeemed(connection: Connection, number: int) -> Redeemed:
    """Lock the wallets of a redemption, and read it behind the locks. `number` is the id of its row."""
    hold_wallets(connection, connection.execute(_WALLETS, {"number": number}).scalars())
    row = connection.execute(_READ, {"number": number}).one()
    return Redeemed(row, tuple(connection.execute(_READ_SHARES, {"number": number})))


def last_reversal_id(connection: Connection, redeemed: Redeemed) -> str | None:
    """The newest reversal of a redemption; None where nothing was given back."""
    found: str | None = connection.execute(_LAST_REVERSAL, {"number": redeemed.row.id}).scalar_one_or_none()
    return found


def give_back(connection: Connection, moment: Moment, redeemed: Redeemed, points: Points, given: Given) -> Returned:
    """Give `points` back, more than none and at most what is left.

    Raises:
        LostRaceError: somebody else gave some of them back.
    """
    parts = list(_parts(connection, redeemed, points, moment.rules.day_of(moment.now)))
    for part in parts:
        count = part.points.thousandths
        _do(connection, _RETURN_SHARE, {"share": part.share.id, "given": count, "lot": part.lot_id})
        if not part.is_expired:
            put_back(connection, part.lot_id, part.points)
    _do(connection, _RETURN_REDEMPTION, {"number": redeemed.row.id, "given": points.thousandths})
    append(connection, [entry for part in parts for entry in _entries(moment, redeemed, part, given)])
    return _keep(connection, moment, redeemed, points, parts, given)


def _parts(connection: Connection, redeemed: Redeemed, points: Points, today: date) -> Iterable[_Part]:
    missing = points
    for share in redeemed.shares:
        count = min(Points(share.points - share.reversed), missing)
        if count > ZERO:
            missing = missing - count
            lot_id = _lot_for(connection, share) if share.lot_id is None else share.lot_id
            is_expired = share.expires_on is not None and share.expires_on < today.isoformat()
            yield _Part(share, lot_id, count, is_expired)
    if missing:
        raise LostRaceError


def _lot_for(connection: Connection, share: Any) -> int:
    """A lot for points that were spent before this ledger kept the wallet."""
    row = {"wallet_id": share.wallet_id, "expires_on": share.expires_on, "rem": 0}
    return made_id(connection.execute(schema.lot.insert(), row))


def _entries(moment: Moment, redeemed: Redeemed, part: _Part, given: Given) -> Iterable[Entry]:
    moves = [(EntryKind.REVERSAL, part.points.thousandths)]
    if part.is_expired:
        moves.append((EntryKind.EXPIRE, -part.points.thousandths))
    for kind, delta in moves:
        yield Entry(
            at=to_ms(moment.now),
            kind=kind,
            wallet_id=part.share.wallet_id,
            lot_id=part.lot_id,
            delta=delta,
            redemption_id=redeemed.row.redemption_id,
            key=given.key,
            cashier=given.cashier,
            till=given.till,
            supervisor=given.supervisor,
            reason=given.reason,
        )


def _keep(
    connection: Connection, moment: Moment, redeemed: Redeemed, points: Points, parts: Sequence[_Part], given: Given
) -> Returned:
    expired = total(part.points for part in parts if part.is_expired)
    reversal_id = "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(_ID_LENGTH))
    connection.execute(
        _REVERSAL.insert(),
        {
            "org": redeemed.row.org,
            "reversal_id": reversal_id,
            "redemption": redeemed.row.id,
            "points": points.thousandths,
            "expired": expired.thousandths,
            "at": to_ms(moment.now),
            "key": given.key,
            "till": given.till,
            "cashier": given.cashier,
            "supervisor": given.supervisor,
            "approval": given.approval,
        },
    )
    return Returned(reversal_id=reversal_id, available=points - expired, expired=expired)


def _do(connection: Connection, statement: Any, parameters: dict[str, object]) -> None:
    if connection.execute(statement, parameters).rowcount != 1:
        raise LostRaceError
