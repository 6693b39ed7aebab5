"""A wallet as it is shown whole: balance, lots, days and months (sync-api 5 and 13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, case, func, select

from pos_app.domain.facts import Criteria
from pos_app.domain.points import ZERO, Points, total
from pos_app.ledger import schema
from pos_app.ledger.facts import redeemed_days
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_ENTRY: Final = schema.entry
_NEVER: Final = "9999-12-31"
_MONTHS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLot:
    """A lot, whether it still counts or not."""

    lot_id: int
    remaining: Points
    reserved: Points
    awarded_on: str | None
    expires_on: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWallet:
    """A wallet. `row` is its row; `months` the balance at the end of each of the last six whole months."""

    row: Any
    balance: Points
    reserved: Points
    lots: tuple[ShownLot, ...]
    redeemed_days: tuple[tuple[date, Points], ...]
    months: tuple[tuple[str, Points], ...]


def show_wallet(connection: Connection, rules: OrganisationRules, row: Any, now: datetime) -> ShownWallet:
    """Everything about one wallet; `row` is its row of `wallet`, lots come in the order of spending."""
    today = rules.day_of(now)
    kept = connection.execute(select(_LOT).where(_LOT.c.wallet_id == row.id)).all()
    lots = tuple(
        ShownLot(
            lot_id=lot.id,
            remaining=Points(lot.rem),
            reserved=Points(lot.res),
            awarded_on=lot.awarded_on,
            expires_on=lot.expires_on,
        )
        for lot in sorted(kept, key=lambda lot: (lot.expires_on or _NEVER, lot.awarded_on or "", lot.id))
    )
    counting = [lot for lot in lots if (lot.expires_on or _NEVER) >= today.isoformat()]
    return ShownWallet(
        row=row,
        balance=total(lot.remaining for lot in counting),
        reserved=total(lot.reserved for lot in counting),
        lots=lots,
        redeemed_days=_days(connection, rules, row, today),
        months=_months(connection, rules, row.id, today),
    )


def _days(connection: Connection, rules: OrganisationRules, row: Any, today: date) -> tuple[tuple[date, Points], ...]:
    """Redeemed by day, as far back as any ceiling of the program looks, whatever the tier."""
    program = rules.programs.get(row.program_id)
    if program is None:
        return ()
    every = (program.criteria, *program.tier_criteria.values())
    ceilings = tuple(ceiling for criteria in every for ceiling in criteria.ceilings)
    return redeemed_days(connection, [row.id], Criteria(ceilings=ceilings), today)


def _months(
    connection: Connection, rules: OrganisationRules, wallet_id: int, today: date
) -> tuple[tuple[str, Points], ...]:
    """What all entries up to the end of each month add up to."""
    ends = []
    year, month = today.year, today.month
    for _ in range(_MONTHS):
        end = datetime(year, month, 1, tzinfo=rules.zone)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        ends.append((f"{year}-{month:02d}", to_ms(end)))
    ends.reverse()
    sums = [func.sum(case((_ENTRY.c.at < end, _ENTRY.c.delta), else_=0)) for _, end in ends]
    found = connection.execute(select(*sums).where(_ENTRY.c.wallet_id == wallet_id)).one()
    return tuple(
        (name, ZERO if held is None else Points(int(held))) for (name, _), held in zip(ends, found, strict=True)
    )
