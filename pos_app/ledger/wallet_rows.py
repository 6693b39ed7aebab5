"""A wallet as it is shown whole: balance, lots, days and months (sync-api 5 and 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, case, func, select

from pos_app.domain.ceilings import first_day
from pos_app.domain.points import ZERO, Points, total
from pos_app.ledger import schema
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_ENTRY: Final = schema.entry
_SHARE: Final = schema.share
_NEVER: Final = "9999-12-31"
_MONTHS: Final = 6
_Months = tuple[tuple[str, Points], ...]


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
    return show_wallets(connection, rules, [row], now)[0]


def show_wallets(
    connection: Connection,
    rules: OrganisationRules,
    rows: Sequence[Any],
    now: datetime,
    *,
    with_empty_lots: bool = True,
) -> list[ShownWallet]:
    """The same of many wallets of one organisation, in their order, by as many statements as of one."""
    today, ids = rules.day_of(now), [row.id for row in rows]
    lots = _lots(connection, ids, with_empty=with_empty_lots)
    days = _days(connection, rules, rows, today)
    months = _months(connection, rules, ids, today)
    return [
        _shown(row, lots.get(row.id, ()), today.isoformat(), tuple(days.get(row.id, ())), months.get(row.id, ()))
        for row in rows
    ]


def _shown(
    row: Any, lots: Sequence[ShownLot], today: str, days: tuple[tuple[date, Points], ...], months: _Months
) -> ShownWallet:
    counting = [lot for lot in lots if (lot.expires_on or _NEVER) >= today]
    return ShownWallet(
        row=row,
        balance=total(lot.remaining for lot in counting),
        reserved=total(lot.reserved for lot in counting),
        lots=tuple(lots),
        redeemed_days=days,
        months=months,
    )


def _lots(connection: Connection, wallet_ids: Sequence[int], *, with_empty: bool) -> dict[int, list[ShownLot]]:
    """The lots of each wallet, in the order of spending."""
    kept = select(_LOT).where(_LOT.c.wallet_id.in_(wallet_ids))
    found: dict[int, list[ShownLot]] = {}
    rows = connection.execute(kept if with_empty else kept.where(_LOT.c.rem > 0)).all()
    for lot in sorted(rows, key=lambda lot: (lot.expires_on or _NEVER, lot.awarded_on or "", lot.id)):
        found.setdefault(lot.wallet_id, []).append(
            ShownLot(
                lot_id=lot.id,
                remaining=Points(lot.rem),
                reserved=Points(lot.res),
                awarded_on=lot.awarded_on,
                expires_on=lot.expires_on,
            )
        )
    return found


def _days(
    connection: Connection, rules: OrganisationRules, rows: Sequence[Any], today: date
) -> dict[int, list[tuple[date, Points]]]:
    """Redeemed by day, of each wallet as far back as any ceiling of its program looks, whatever the tier."""
    starts = {program_id: _look_back(rules, program_id, today) for program_id in {row.program_id for row in rows}}
    asked = {row.id: start for row in rows if (start := starts[row.program_id]) is not None}
    if not asked:
        return {}
    statement = (
        select(_SHARE.c.wallet_id, _SHARE.c.day, func.sum(_SHARE.c.points - _SHARE.c.reversed))
        .where(_SHARE.c.wallet_id.in_(list(asked)), _SHARE.c.day >= min(asked.values()))
        .group_by(_SHARE.c.wallet_id, _SHARE.c.day)
        .order_by(_SHARE.c.wallet_id, _SHARE.c.day)
    )
    found: dict[int, list[tuple[date, Points]]] = {}
    for wallet_id, day, count in connection.execute(statement):
        if day >= asked[wallet_id]:
            found.setdefault(wallet_id, []).append((date.fromisoformat(day), Points(int(count))))
    return found


def _look_back(rules: OrganisationRules, program_id: int, today: date) -> str | None:
    """The first day that matters to a ceiling of this program; None: none does."""
    program = rules.programs.get(program_id)
    if program is None:
        return None
    every = (program.criteria, *program.tier_criteria.values())
    days = [first_day(ceiling, today) for criteria in every for ceiling in criteria.ceilings]
    return min(days).isoformat() if days else None


def _months(
    connection: Connection, rules: OrganisationRules, wallet_ids: Sequence[int], today: date
) -> dict[int, _Months]:
    """What all entries of each wallet up to the end of each month add up to."""
    ends = []
    year, month = today.year, today.month
    for _ in range(_MONTHS):
        end = datetime(year, month, 1, tzinfo=rules.zone)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        ends.append((f"{year}-{month:02d}", to_ms(end)))
    ends.reverse()
    names = [name for name, _ in ends]
    sums = [func.sum(case((_ENTRY.c.at < end, _ENTRY.c.delta), else_=0)) for _, end in ends]
    statement = select(_ENTRY.c.wallet_id, *sums).where(_ENTRY.c.wallet_id.in_(wallet_ids))
    found = dict.fromkeys(wallet_ids, tuple((name, ZERO) for name in names))
    for wallet_id, *held in connection.execute(statement.group_by(_ENTRY.c.wallet_id)):
        found[wallet_id] = tuple((name, Points(int(each))) for name, each in zip(names, held, strict=True))
    return found
