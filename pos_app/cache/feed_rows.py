"""Rows of the feed as tuples of the cache's tables, checked on the way: a million of them pass through.

`wire.feed_reading` makes domain values of a row; that would cost a snapshot three times as much as writing it. Here
only types and numbers are looked at. Whatever is wrong with a row raises one of `BAD_ROW`; the caller skips and
counts it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

from pos_app.domain.facts import Program
from pos_app.domain.points import Points, read_decimal
from pos_app.domain.request import ID_MAX
from pos_app.wire.formats import UnreadableAnswerError

Row = Mapping[str, Any]

BAD_ROW: Final = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, UnreadableAnswerError)
"""What a row that is not what it should be makes of itself here."""

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_CUSTOMER_MEMBERS: Final = frozenset(
    (
        "mobile",
        "email",
        "external_id",
        "cards",
        "first_name",
        "last_name",
        "type",
        "campaign_only",
        "tier",
        "blocked",
        "default_family_group_id",
    )
)
_WALLET_MEMBERS: Final = frozenset(
    (
        "owner",
        "program_id",
        "version",
        "state",
        "balance",
        "held_offline",
        "lifetime_points",
        "lifetime_purchases",
        "promised_points",
        "lots",
        "redeemed_days",
        "months",
    )
)
_FAMILY_GROUP_MEMBERS: Final = frozenset(("external_id", "name", "status", "members"))
_PLAIN_DIGITS_MOST: Final = 12
_FLAG: Final = {True: 1, False: 0}


def customer_tuple(customer_id: int, row: Row, seen_at: str | None = None) -> tuple[Any, ...]:
    """The row of `customer`."""
    mobile, email, external_id = row["mobile"] or "", row["email"] or "", row["external_id"] or ""
    first_name, last_name, tier = row["first_name"] or "", row["last_name"] or "", row["tier"] or ""
    _be_text(mobile + email + external_id + first_name + last_name + tier)
    cards = row["cards"]
    return (
        customer_id,
        mobile,
        email,
        external_id,
        _dump([[_text(c["number"]), _text(c["external_id"]), _FLAG[c["active"]]] for c in cards]) if cards else "",
        first_name,
        last_name,
        tier or None,
        1 if row["type"] == "LOYALTY" else 0,
        _FLAG[row["campaign_only"]],
        _FLAG[row["blocked"]],
        _id_or_none(row["default_family_group_id"]),
        1,
        _extra(row, _CUSTOMER_MEMBERS),
        "",
        "",
        "",
        seen_at,
    )


def wallet_tuple(wallet_id: int, row: Row) -> tuple[Any, ...]:
    """The row of `wallet`."""
    balance, held = _thousandths(row["balance"]), _thousandths(row["held_offline"])
    program_id = _id(row["program_id"])
    days = ",".join([f"[{_day(each['on'])},{_thousandths(each['points'])}]" for each in row["redeemed_days"]])
    return (
        owner_number(row["owner"]["kind"], _id(row["owner"]["id"])),
        wallet_id,
        program_id,
        balance,
        balance - held,
        _thousandths(row["lifetime_points"]),
        _money(row["lifetime_purchases"]),
        _thousandths(row["promised_points"]),
        1 if row["state"] == "PAUSED" else 0,
        f"[{days}]" if days else "",
        _lots(row["lots"], program_id),
        wallet_id,
        _whole(row["version"]),
        held,
        _months(row["months"]),
        _extra(row, _WALLET_MEMBERS),
    )


# These lists hold whole numbers and days that were looked at, so their JSON is put together here: the library's encoder
# takes ten times as long for so little, twice for each of a million rows.


def _lots(lots: list[Row], program_id: int) -> str:
    told = ",".join(
        [
            f"[{_thousandths(lot['points'])},{_day(lot['expires_on'])},{_day(lot['awarded_on'])},"
            f"{_id(lot['lot_id'])},{program_id}]"
            for lot in lots
        ]
    )
    return f"[{told}]" if told else ""


def _months(months: list[Row]) -> str:
    told = ",".join([f"[{_month(each['month'])},{_thousandths(each['points'])}]" for each in months])
    return f"[{told}]" if told else ""


@lru_cache(maxsize=4096)
def _day(value: str | None) -> str:
    """A day as JSON: few different ones, so each is looked at once."""
    return "null" if value is None else f'"{date.fromisoformat(value).isoformat()}"'


@lru_cache(maxsize=256)
def _month(value: str) -> str:
    return f'"{date.fromisoformat(value + "-01").isoformat()[:7]}"'


def owner_number(kind: str, owner_id: int) -> int:
    """Whose wallet, in one column: a customer's id, or a family group's bitwise inverted.

    Raises:
        ValueError: a kind that is not known.
    """
    if kind == "customer":
        return owner_id
    if kind == "family_group":
        return ~owner_id
    raise ValueError


def family_group_tuple(group_id: int, row: Row) -> tuple[Any, ...]:
    """The row of `family_group`."""
    members = [
        [
            _id(each["customer_id"]),
            bool(_FLAG[each["primary"]]),
            bool(_FLAG[each["may_redeem"]]),
            bool(_FLAG[each["active"]]),
        ]
        for each in row["members"]
    ]
    status = _text(row["status"])
    return (
        group_id,
        _text(row["name"]),
        _text(row["external_id"]),
        1 if status == "ACTIVE" else 0,
        status,
        _dump(members) if members else "",
        1,
        _extra(row, _FAMILY_GROUP_MEMBERS),
    )


def told(row: Row) -> str:
    """The whole row as it came, for what is few: members of tomorrow are kept with the others."""
    return _dump(dict(row))


def programs_of_note(programs: Mapping[int, Program]) -> tuple[Program, ...]:
    """The programs a customer's record tells of where the feed tells of all: those in use, the default first."""
    active = [each for each in programs.values() if each.is_active]
    return tuple(sorted(active, key=lambda each: (not each.is_default, each.name, each.program_id)))


def _extra(row: Row, known: frozenset[str]) -> str | None:
    """Members that this program does not know (reliability 4.4): kept for one that does."""
    if len(row) == len(known):
        return None
    rest = {name: value for name, value in row.items() if name not in known}
    return _dump(rest) if rest else None


def _text(value: object) -> str:
    if value is None:
        return ""
    if type(value) is not str:
        raise TypeError
    _be_text(value)
    return value


def _be_text(value: str) -> None:
    """Half a character would fail the whole page when it is written; and so would what is no text.

    Raises:
        ValueError, AttributeError: it is no such text.
    """
    if not value.isascii():
        value.encode()


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value <= ID_MAX:
        raise ValueError
    return value


def _id(value: object) -> int:
    if type(value) is not int or not 0 < value <= ID_MAX:
        raise ValueError
    return value


def _id_or_none(value: object) -> int | None:
    return None if value is None else _id(value)


def _thousandths(value: str) -> int:
    """Points as text (sync-api 1). Nearly all are whole numbers, which need no decimals."""
    if len(value) <= _PLAIN_DIGITS_MOST and value.isdecimal():
        return int(value) * 1000
    return Points.of(value).thousandths


def _money(value: str | None) -> str:
    if value is None:
        return "0"
    return value if len(value) <= _PLAIN_DIGITS_MOST and value.isdecimal() else str(read_decimal(value))
