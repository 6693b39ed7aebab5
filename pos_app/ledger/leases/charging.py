"""Charging one row that a till settles: the lease first, then free points, then the store (sync-api 7).

    from_lease = min(points, what that lease holds of lots that had not expired when it was spent)
    from_free  = min(rest, what is available)
    store_loss = the rest

No wallet goes below zero, whatever the till says, and no row that is well signed is refused: the goods are gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from pos_app.domain.answers import Share
from pos_app.domain.ceilings import room_left
from pos_app.domain.leases import LeaseState
from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.settling import Settled, SettleOutcome, Spend, SpendKind
from pos_app.ledger import schema
from pos_app.ledger.code_rows import LETTERS_AND_DIGITS
from pos_app.ledger.databases.database import made_id
from pos_app.ledger.entries import Entry, EntryKind, append
from pos_app.ledger.facts import redeemed_days
from pos_app.ledger.leases.closing import end_when_settled
from pos_app.ledger.leases.holds import view_of
from pos_app.ledger.leases.kept import HELD_STATES, Part, allocs_of, take_reserved
from pos_app.ledger.leases.proofs import Confirmed
from pos_app.ledger.lots import Draw, find_lots, plan, take
from pos_app.ledger.people import Person
from pos_app.ledger.rulebook import from_day, from_ms, to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

OVER_CEILING: Final = "over_ceiling"
_ID_LENGTH: Final = 10
_LOT: Final = schema.lot
_REDEMPTION: Final = schema.redemption


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row to be charged, and everything known about it behind the locks."""

    till: Till
    spend: Spend
    moment: Moment
    person: Person
    wallet_ids: Sequence[int]
    """Whose free points pay, in no order."""
    lease: Any | None
    """The row's own lease, if this till has it."""
    effective_at: datetime
    confirmed: Confirmed
    is_late: bool

    @property
    def day(self) -> date:
        """The organisation's day on which it was spent."""
        return self.moment.rules.day_of(self.effective_at)


@dataclass(frozen=True, slots=True)
class _Taken:
    """Points taken from one lot."""

    wallet_id: int
    lot_id: int
    points: Points
    expires_on: str | None
    lease_id: str | None


def effective_time(spend: Spend, lease: Any | None, now: datetime) -> datetime:
    """When a row counts as spent: within the term of its lease, never later than now without one (sync-api 7)."""
    if spend.kind is SpendKind.LEASE and lease is not None:
        return max(from_ms(lease.granted_at), min(spend.at, from_ms(lease.expires_at)))
    return min(spend.at, now)


def charge(tools: Tools, connection: Connection, row: Row) -> tuple[Settled, int]:
    """Charge a row and write everything about it down; returns its result, and the number of its redemption."""
    spend = row.spend
    before = _redeemed_before(connection, row)
    from_lease = _from_lease(connection, row)
    rest = spend.points - total(each.points for each in from_lease)
    from_free = _from_free(tools, connection, row, rest)
    taken = [*from_lease, *from_free]
    paid = total(each.points for each in taken)
    redemption_id = _redemption_id(connection, row)
    number = _keep_redemption(connection, row, redemption_id, taken)
    reason = OVER_CEILING if _is_over_ceiling(row, before, paid) else None
    append(connection, [_entry(row, each, redemption_id, reason) for each in taken])
    if spend.points > paid:
        _keep_loss(connection, row, spend.points - paid)
    if row.lease is not None:
        end_when_settled(connection, row.moment, row.lease.lease_id)
    return (
        Settled(
            seq=spend.seq,
            key=spend.key,
            outcome=SettleOutcome.SETTLED if paid == spend.points else SettleOutcome.SETTLED_SHORT,
            redemption_id=redemption_id,
            from_lease=total(each.points for each in from_lease),
            from_free=total(each.points for each in from_free),
            store_loss=spend.points - paid,
            is_late=row.is_late,
            wallet=view_of(connection, row.moment, row.till, row.wallet_ids),
            breakdown=tuple(
                Share(
                    wallet_id=each.wallet_id,
                    lot_id=each.lot_id,
                    points=each.points,
                    expires_on=from_day(each.expires_on),
                )
                for each in taken
            ),
        ),
        number,
    )


# --- Where the points come from --------------------------------------------------------------------------------------


def _from_lease(connection: Connection, row: Row) -> list[_Taken]:
    """What the row's own lease pays, in the order of spending; it never pays what was not set aside under it."""
    lease = row.lease
    if lease is None or lease.state not in HELD_STATES or row.spend.kind is not SpendKind.LEASE:
        return []
    parts, missing = [], row.spend.points
    for alloc in allocs_of(connection, lease.id):
        points = min(alloc.held, missing) if alloc.is_usable_at(row.effective_at) else ZERO
        if points:
            parts.append(Part(alloc, points))
            missing = missing - points
    take_reserved(connection, lease.id, parts)
    days = _expiry_of(connection, [part.alloc.lot_id for part in parts])
    return [
        _Taken(part.alloc.wallet_id, part.alloc.lot_id, part.points, days[part.alloc.lot_id], lease.lease_id)
        for part in parts
    ]


def _expiry_of(connection: Connection, lot_ids: Sequence[int]) -> dict[int, str | None]:
    if not lot_ids:
        return {}
    found = connection.execute(select(_LOT.c.id, _LOT.c.expires_on).where(_LOT.c.id.in_(lot_ids)))
    return {row.id: row.expires_on for row in found}


def _from_free(tools: Tools, connection: Connection, row: Row, rest: Points) -> list[_Taken]:
    """What free points of the owner pay. Points that were there when it was spent count, if they are still there."""
    if not rest or (row.is_late and not tools.lease_settings.charge_available):
        return []
    lots = find_lots(connection, row.wallet_ids, row.day)
    free = min(rest, total(lot.free for lot in lots))
    draws: list[Draw] = plan(lots, free) if free else []
    take(connection, draws)
    return [_Taken(draw.lot.wallet_id, draw.lot.lot_id, draw.points, draw.lot.expires_on, None) for draw in draws]


def _redeemed_before(connection: Connection, row: Row) -> Sequence[tuple[date, Points]]:
    program = row.moment.rules.programs.get(row.spend.program_id)
    if program is None:
        return ()
    criteria = program.criteria_for(row.person.customer.tier)
    return redeemed_days(connection, row.wallet_ids, criteria, row.day)


def _is_over_ceiling(row: Row, before: Sequence[tuple[date, Points]], paid: Points) -> bool:
    """Two tills without a line can pass a ceiling together; it is charged all the same (reliability 4.3)."""
    program = row.moment.rules.programs.get(row.spend.program_id)
    if program is None:
        return False
    room = room_left(program.criteria_for(row.person.customer.tier).ceilings, before, row.day)
    return room is not None and paid > room


# --- Writing it down -------------------------------------------------------------------------------------------------


def _redemption_id(connection: Connection, row: Row) -> str:
    """The number on the customer's receipt; another one only if that is some other redemption's here."""
    wished = row.spend.redemption_id
    taken = connection.execute(
        select(_REDEMPTION.c.id).where(
            _REDEMPTION.c.org == row.till.organisation_id, _REDEMPTION.c.redemption_id == wished
        )
    ).first()
    return wished if taken is None else "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(_ID_LENGTH))


def _keep_redemption(connection: Connection, row: Row, redemption_id: str, taken: Sequence[_Taken]) -> int:
    spend, confirmed = row.spend, row.confirmed
    group = spend.owner.owner_id if spend.owner.kind == "family_group" else None
    kept = connection.execute(
        _REDEMPTION.insert(),
        {
            "org": row.till.organisation_id,
            "redemption_id": redemption_id,
            "customer_id": spend.customer_id,
            "program_id": spend.program_id,
            "family_group_id": group,
            "points": spend.points.thousandths,
            "at": to_ms(row.effective_at),
            "key": spend.key,
            "bill_number": spend.transaction_number,
            "till": row.till.login,
            "cashier": spend.cashier,
            "said_at": to_ms(spend.at),
            "proof": confirmed.word,
            "supervisor": confirmed.supervisor,
            "approval": confirmed.record,
        },
    )
    number = made_id(kept)
    if taken:
        connection.execute(
            schema.share.insert(),
            [
                {
                    "redemption": number,
                    "wallet_id": each.wallet_id,
                    "lot_id": each.lot_id,
                    "day": row.day.isoformat(),
                    "points": each.points.thousandths,
                    "expires_on": each.expires_on,
                }
                for each in taken
            ],
        )
    return number


def _entry(row: Row, taken: _Taken, redemption_id: str, reason: str | None) -> Entry:
    return Entry(
        at=to_ms(row.moment.now),
        kind=EntryKind.REDEEM,
        wallet_id=taken.wallet_id,
        lot_id=taken.lot_id,
        delta=-taken.points.thousandths,
        redemption_id=redemption_id,
        key=row.spend.key,
        lease_id=taken.lease_id,
        cashier=row.spend.cashier,
        till=row.till.login,
        supervisor=row.confirmed.supervisor,
        reason=reason,
    )


def _keep_loss(connection: Connection, row: Row, points: Points) -> None:
    connection.execute(
        schema.loss.insert(),
        {
            "org": row.till.organisation_id,
            "store": row.till.store,
            "till": row.till.login,
            "key": row.spend.key,
            "points": points.thousandths,
            "at": to_ms(row.moment.now),
            "why": _why_lost(row),
        },
    )


def _why_lost(row: Row) -> str:
    """Why no wallet could pay all of it, in a word for the report."""
    match row.spend.kind:
        case SpendKind.RISK:
            return "risk"
        case SpendKind.ONLINE:
            return "ledger_restored"
    if row.lease is None:
        return "lease_unknown"
    return "lease_reclaimed" if row.lease.state == LeaseState.RECLAIMED else "beyond_lease"


def late(row: Row) -> Row:
    """The row as a late one: its lease was reclaimed before it came (reliability 4.3, "Late settle")."""
    is_reclaimed = row.lease is not None and row.lease.state == LeaseState.RECLAIMED
    return replace(row, is_late=True) if is_reclaimed else row
