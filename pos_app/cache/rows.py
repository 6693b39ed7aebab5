"""A customer's record as rows of the cache, and back, exactly. The way back is hot: it runs at each lookup."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeVar

from pos_app.cache.tables import CUSTOMER_WIDTH
from pos_app.domain.facts import Customer, CustomerRecord, FamilyGroup, Lot, Member, Program, Wallet
from pos_app.domain.points import Points
from pos_app.files.columns import day_or_none, moment_text

Row = Sequence[Any]
_T = TypeVar("_T")
_WALLET_AT = 1 + CUSTOMER_WIDTH
"""Where the wallet's columns begin: its position in the record, then the wallet itself."""


def customer_row(record: CustomerRecord, as_of: datetime) -> dict[str, Any]:
    """The row of `customer`."""
    customer = record.customer
    return {
        "customer_id": customer.customer_id,
        "mobile": customer.mobile,
        "email": customer.email,
        "external_id": customer.external_id,
        "cards": _list_text(customer.cards),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "tier": customer.tier,
        "is_registered": int(customer.is_registered),
        "is_campaign_only": int(customer.is_campaign_only),
        "is_blocked": int(customer.is_blocked),
        "default_family_group_id": customer.default_family_group_id,
        "family_groups": _list_text([[each.group_id, each.is_default] for each in record.family_groups]),
        "programs": _list_text([each.program_id for each in record.programs]),
        "as_of": moment_text(as_of),
    }


def wallet_rows(record: CustomerRecord) -> list[dict[str, Any]]:
    """The rows of `wallet`, in the record's order."""
    return [
        {
            "customer_id": record.customer.customer_id,
            "position": position,
            "program_id": wallet.program_id,
            "balance": wallet.balance.thousandths,
            "available": wallet.available.thousandths,
            "lifetime_points": wallet.lifetime_points.thousandths,
            "lifetime_purchases": str(wallet.lifetime_purchases),
            "promised_points": wallet.promised_points.thousandths,
            "is_paused": int(wallet.is_paused),
            "redeemed_days": _days_text(wallet.redeemed_days),
            "lots": _list_text([_lot_list(lot) for lot in wallet.lots]),
            "wallet_id": wallet.wallet_id,
        }
        for position, wallet in enumerate(record.wallets)
    ]


def family_group_row(group: FamilyGroup) -> dict[str, Any]:
    """The row of `family_group`; whether it is somebody's default stands with the customer."""
    members = [[each.customer_id, each.is_primary, each.may_redeem, each.is_active] for each in group.members]
    return {
        "group_id": group.group_id,
        "name": group.name,
        "external_id": group.external_id,
        "is_active": int(group.is_active),
        "members": _list_text(members),
    }


def record_of(
    rows: Sequence[Row],
    family_group: Callable[[int, bool], FamilyGroup | None],
    program: Callable[[int], Program | None],
) -> CustomerRecord:
    """The record in the rows of one customer: the form found, her columns, those of one wallet (or nulls) in each.

    `family_group` (id, whether it is her default) and `program` fetch what stands apart.
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
        family_groups,
        programs,
        as_of,
    ) = rows[0][1:_WALLET_AT]
    return CustomerRecord(
        customer=Customer(
            customer_id=customer_id,
            mobile=mobile,
            email=email,
            external_id=external_id,
            cards=tuple(_list(cards)),
            first_name=first_name,
            last_name=last_name,
            tier=tier,
            is_registered=bool(is_registered),
            is_campaign_only=bool(is_campaign_only),
            is_blocked=bool(is_blocked),
            default_family_group_id=default_family_group_id,
        ),
        wallets=tuple(_wallet(row[_WALLET_AT:]) for row in _in_order(rows) if row[_WALLET_AT] is not None),
        family_groups=_known(family_group(*each) for each in _list(family_groups)),
        programs=_known(program(each) for each in _list(programs)),
        as_of=datetime.fromisoformat(as_of),
    )


def family_group_of(row: Row, is_default: bool) -> FamilyGroup:
    """The family group in a row."""
    group_id, name, external_id, is_active, members = row
    return FamilyGroup(
        group_id=group_id,
        name=name,
        external_id=external_id,
        is_active=bool(is_active),
        is_default=is_default,
        members=tuple(Member(*each) for each in _list(members)),
    )


def _in_order(rows: Sequence[Row]) -> Sequence[Row]:
    return rows if len(rows) == 1 else sorted(rows, key=itemgetter(_WALLET_AT))


def _wallet(row: Row) -> Wallet:
    (
        _position,
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
            for points, expires_on, awarded_on, lot_id, lot_program_id in _list(lots)
        ),
        wallet_id=wallet_id,
    )


def _lot_list(lot: Lot) -> list[int | str | None]:
    days = [None if day is None else day.isoformat() for day in (lot.expires_on, lot.awarded_on)]
    return [lot.points.thousandths, *days, lot.lot_id, lot.program_id]


def _days_text(days: tuple[tuple[date, Points], ...] | None) -> str | None:
    return None if days is None else _list_text([[day.isoformat(), points.thousandths] for day, points in days])


def _days(text: str | None) -> tuple[tuple[date, Points], ...] | None:
    if text is None:
        return None
    return tuple((date.fromisoformat(day), Points(thousandths)) for day, thousandths in _list(text))


def _list_text(members: Sequence[Any]) -> str:
    """JSON of a list; most lists are empty, and an empty text is read without the parser."""
    return json.dumps(members, separators=(",", ":")) if members else ""


def _list(text: str) -> list[Any]:
    return json.loads(text) if text else []


def _known(found: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(each for each in found if each is not None)
