"""A customer's record as rows of the cache, and back, exactly. The way back is hot: it runs at each lookup."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from pos_app.cache.statements import CUSTOMER_WIDTH, LOOKED_UP_SLOTS
from pos_app.domain.facts import Customer, CustomerRecord, FamilyGroup, Lot, Member, Program, Wallet
from pos_app.domain.points import Points
from pos_app.files.columns import day_or_none, moment_text

Row = Sequence[Any]
_WALLET_AT: Final = 1 + CUSTOMER_WIDTH
"""Where the wallet's columns begin: its position in the record, then the wallet itself."""


def customer_tuple(record: CustomerRecord, named: str, as_of: datetime) -> tuple[Any, ...]:
    """The row of `customer`, as looked up with customer/get; `named` is JSON of other identifiers of hers."""
    customer = record.customer
    return (
        customer.customer_id,
        customer.mobile,
        customer.email,
        customer.external_id,
        list_text([[card, "", 1] for card in customer.cards]),
        customer.first_name,
        customer.last_name,
        customer.tier,
        int(customer.is_registered),
        int(customer.is_campaign_only),
        int(customer.is_blocked),
        customer.default_family_group_id,
        0,
        None,
        named,
        list_text([[each.group_id, each.is_default] for each in record.family_groups]),
        list_text([each.program_id for each in record.programs]),
        moment_text(as_of),
    )


def wallet_tuples(record: CustomerRecord) -> list[tuple[Any, ...]]:
    """The rows of `wallet`, in the record's order."""
    customer_id = record.customer.customer_id
    return [
        (
            customer_id,
            LOOKED_UP_SLOTS + position,
            wallet.program_id,
            *_figures(wallet),
            wallet.wallet_id,
            0,
            wallet.balance.thousandths - wallet.available.thousandths,
            "",
            None,
        )
        for position, wallet in enumerate(record.wallets)
    ]


def figures_tuple(customer_id: int, wallet: Wallet, version: int) -> tuple[Any, ...]:
    """What `PUT_FIGURES_LOOKED_UP` writes; `PUT_FIGURES` takes the version once more."""
    return (*_figures(wallet), version, customer_id, wallet.program_id)


def _figures(wallet: Wallet) -> tuple[Any, ...]:
    return (
        wallet.balance.thousandths,
        wallet.available.thousandths,
        wallet.lifetime_points.thousandths,
        str(wallet.lifetime_purchases),
        wallet.promised_points.thousandths,
        int(wallet.is_paused),
        _days_text(wallet.redeemed_days),
        list_text([_lot_list(lot) for lot in wallet.lots]),
    )


def family_group_tuple(group: FamilyGroup) -> tuple[Any, ...]:
    """The row of `family_group`; whether it is somebody's default stands with the customer."""
    members = [[each.customer_id, each.is_primary, each.may_redeem, each.is_active] for each in group.members]
    return (
        group.group_id,
        group.name,
        group.external_id,
        int(group.is_active),
        group.status,
        list_text(members),
        0,
        None,
    )


def record_of(
    rows: Sequence[Row],
    *,
    family_groups: Callable[[int, int | None, str | None], tuple[FamilyGroup, ...]],
    programs: Callable[[str | None], tuple[Program, ...]],
    fresh_at: str,
) -> CustomerRecord:
    """The record in the rows of one customer: the form found, her columns, those of one wallet (or nulls) in each.

    `family_groups` (customer, her default one, what stands with her; None: the feed tells) and `programs` fetch what
    stands apart. `fresh_at`: how new all rows of the feed are; empty where there is no feed.
    """
    (
        customer_id,
        mobile,
        email,
        external_id,
        cards,
        first_name,
        last_name,
        tier,
        is_registered,
        is_campaign_only,
        is_blocked,
        default_family_group_id,
        is_fed,
        _extra,
        _named,
        group_list,
        program_list,
        seen_at,
    ) = rows[0][1:_WALLET_AT]
    if is_fed:
        rows = [row for row in rows if row[_WALLET_AT] is not None and row[_WALLET_AT] > 0]
        as_of = max(fresh_at, seen_at or "")
    else:
        rows = [row for row in rows if row[_WALLET_AT] is not None and row[_WALLET_AT] < 0]
        as_of = seen_at
    return CustomerRecord(
        customer=Customer(
            customer_id=customer_id,
            mobile=mobile,
            email=email,
            external_id=external_id,
            cards=tuple(
                number for number, _external, is_active in parsed(cards) if is_active and (number or not is_fed)
            ),
            first_name=first_name,
            last_name=last_name,
            tier=tier,
            is_registered=bool(is_registered),
            is_campaign_only=bool(is_campaign_only),
            is_blocked=bool(is_blocked),
            default_family_group_id=default_family_group_id,
        ),
        wallets=tuple(wallet_of(row[_WALLET_AT:]) for row in _in_order(rows)),
        family_groups=family_groups(customer_id, default_family_group_id, None if is_fed else group_list),
        programs=programs(None if is_fed else program_list),
        as_of=datetime.fromisoformat(as_of) if as_of else None,
    )


def family_group_of(row: Row, is_default: bool) -> FamilyGroup:
    """The family group in a row."""
    group_id, name, external_id, is_active, status, members = row
    return FamilyGroup(
        group_id=group_id,
        name=name,
        external_id=external_id,
        is_active=bool(is_active),
        status=status,
        is_default=is_default,
        members=tuple(Member(*each) for each in parsed(members)),
    )


def _in_order(rows: Sequence[Row]) -> Sequence[Row]:
    return rows if len(rows) == 1 else sorted(rows, key=itemgetter(_WALLET_AT))


def wallet_of(row: Row) -> Wallet:
    """The wallet in a row."""
    (
        _slot,
        program_id,
        balance,
        available,
        lifetime_points,
        lifetime_purchases,
        promised_points,
        is_paused,
        redeemed_days,
        lots,
        wallet_id,
    ) = row
    return Wallet(
        program_id=program_id,
        balance=Points(balance),
        available=Points(available),
        lifetime_points=Points(lifetime_points),
        lifetime_purchases=Decimal(lifetime_purchases),
        promised_points=Points(promised_points),
        is_paused=bool(is_paused),
        redeemed_days=_days(redeemed_days),
        lots=tuple(
            Lot(
                points=Points(points),
                expires_on=day_or_none(expires_on),
                awarded_on=day_or_none(awarded_on),
                lot_id=lot_id,
                program_id=lot_program_id,
            )
            for points, expires_on, awarded_on, lot_id, lot_program_id in parsed(lots)
        ),
        wallet_id=wallet_id,
    )


def _lot_list(lot: Lot) -> list[int | str | None]:
    days = [None if day is None else day.isoformat() for day in (lot.expires_on, lot.awarded_on)]
    return [lot.points.thousandths, *days, lot.lot_id, lot.program_id]


def _days_text(days: tuple[tuple[date, Points], ...] | None) -> str | None:
    return None if days is None else list_text([[day.isoformat(), points.thousandths] for day, points in days])


def _days(text: str | None) -> tuple[tuple[date, Points], ...] | None:
    if text is None:
        return None
    return tuple((date.fromisoformat(day), Points(thousandths)) for day, thousandths in parsed(text))


def list_text(members: Sequence[Any]) -> str:
    """JSON of a list; most lists are empty, and an empty text is read without the parser."""
    return json.dumps(members, separators=(",", ":")) if members else ""


def parsed(text: str) -> list[Any]:
    """The list in a text of `list_text`."""
    return json.loads(text) if text else []
