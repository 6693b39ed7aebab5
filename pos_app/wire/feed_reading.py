"""Reads the rows of the feed, member by member, where a till uses one (sync-api 5).

A member that cannot be read is `UnreadableAnswerError`, which names it and never says what stood there. Members not
known are left alone: a ledger of tomorrow may tell more.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from pos_app.domain.facts import (
    Ceiling,
    CeilingPeriod,
    Criteria,
    Customer,
    FamilyGroup,
    Lot,
    Member,
    Organisation,
    Pooling,
    Program,
    ProgramGroupRule,
    Wallet,
)
from pos_app.domain.feed import CardTold, OperatorTold, OrganisationTold, RiskLimits, WalletTold
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.money import Rounding
from pos_app.domain.points import ZERO, NotANumberError, Points, TooFineError, read_decimal
from pos_app.domain.request import ID_MAX
from pos_app.wire.feed_rows import ACTIVE, PAUSED, POINT_RULES, PURCHASES_RULE
from pos_app.wire.formats import UnreadableAnswerError
from pos_app.wire.reading import Tree

_Word = TypeVar("_Word", bound=StrEnum)


def read_organisation(organisation_id: int, row: Tree) -> OrganisationTold:
    """Read the row of an organisation.

    Raises:
        UnreadableAnswerError: a member is missing or no such thing; names it.
    """
    otp, lease, risk = _object(row, "otp"), _object(row, "lease"), _object(row, "risk")
    waits = _list(otp, "resend_waits_s", "otp")
    if not all(type(each) is int and each >= 0 for each in waits):
        raise _missing("otp.resend_waits_s", "whole seconds")
    return OrganisationTold(
        organisation=Organisation(
            organisation_id=organisation_id,
            name=_text(row, "name"),
            currency=_text(row, "currency"),
            time_zone=_text(row, "time_zone"),
            country_code=_text_or_empty(row, "country_code"),
            redemptions_enabled=_flag(row, "redemptions_enabled"),
            validation_required=_flag(row, "validation_required"),
            skip_validation_allowed=_flag(row, "skip_validation_allowed"),
            missed_call_enabled=_flag(row, "missed_call_enabled"),
            missed_call_number=_text_or_empty(row, "missed_call_number"),
            program_group_redemption=_word(ProgramGroupRule, row, "program_group_redemption"),
            family_group_pooling=_word(Pooling, row, "family_group_pooling"),
            reversal_enabled=_flag(row, "reversal_enabled"),
            otp_length=_whole(otp, "length", "otp"),
            otp_alphabet=_text(otp, "alphabet", "otp"),
            otp_validity_s=_whole(otp, "validity_s", "otp"),
        ),
        resend_waits_s=tuple(waits),
        lease_term_s=_whole(lease, "term_s", "lease"),
        settle_window_s=_whole(lease, "settle_window_s", "lease"),
        risk=RiskLimits(
            enabled=_flag(risk, "enabled", "risk"),
            per_redemption=_points(risk, "per_redemption", "risk"),
            per_customer_day=_points(risk, "per_customer_day", "risk"),
            per_till_outage=_points(risk, "per_till_outage", "risk"),
        ),
    )


def read_program(program_id: int, row: Tree) -> Program:
    """Read the row of a program: half the rules are none. Raises: as `read_organisation`."""
    ratio = _number_or_none(row, "points_currency_ratio")
    return Program(
        program_id=program_id,
        name=_text(row, "name"),
        is_default=_flag(row, "default"),
        is_active=_flag(row, "active"),
        ratio=ratio if ratio is not None and ratio > 0 else None,
        decimals=_whole(row, "decimals", most=3),
        rounding=_word(Rounding, row, "rounding"),
        redemption_enabled=_flag(row, "redemption_enabled"),
        family_groups_enabled=_flag(row, "family_groups_enabled"),
        offline_redemption=_flag(row, "offline_redemption"),
        criteria=_read_criteria(_object(row, "criteria"), "criteria"),
        tier_criteria={
            tier: _read_criteria(own, f"tier_criteria.{number}")
            for number, (tier, own) in enumerate(_object(row, "tier_criteria").items())
        },
    )


def _read_criteria(tree: object, at: str) -> Criteria:
    if not isinstance(tree, dict):
        raise _missing(at, "an object")
    rules = {name: _points_or_none(tree, name, at) or None for name in POINT_RULES}
    ceilings = [_read_ceiling(each, at) for each in _list(tree, "ceilings", at)] if tree.get("ceilings") else []
    return Criteria(
        **rules,
        lifetime_purchases_required=_number_or_none(tree, PURCHASES_RULE, at) or None,
        ceilings=tuple(each for each in ceilings if each.points),
    )


def _read_ceiling(tree: object, at: str) -> Ceiling:
    at = f"{at}.ceilings"
    if not isinstance(tree, dict):
        raise _missing(at, "objects")
    period = _word(CeilingPeriod, tree, "period", at)
    days = _whole(tree, "days", at) if period is CeilingPeriod.PAST_DAYS else 0
    return Ceiling(period, _points(tree, "points", at), days)


def read_operator(operator_id: int, row: Tree) -> OperatorTold:
    """Read the row of an operator. Raises: as `read_organisation`."""
    return OperatorTold(
        operator_id=operator_id,
        name=_text(row, "name"),
        role=_text(row, "role"),
        badge=_text_or_empty(row, "badge"),
        is_active=_flag(row, "active"),
        stores=_texts(row, "stores"),
    )


def read_customer(customer_id: int, row: Tree) -> Customer:
    """Read the row of a customer; `cards` are the numbers of those in use. Raises: as `read_organisation`."""
    tier = row.get("tier")
    return Customer(
        customer_id=customer_id,
        mobile=_text_or_empty(row, "mobile"),
        email=_text_or_empty(row, "email"),
        external_id=_text_or_empty(row, "external_id"),
        cards=tuple(each.number for each in read_cards(row) if each.number and each.is_active),
        first_name=_text_or_empty(row, "first_name"),
        last_name=_text_or_empty(row, "last_name"),
        tier=tier if isinstance(tier, str) and tier else None,
        is_registered=_text(row, "type") == "LOYALTY",
        is_campaign_only=_flag(row, "campaign_only"),
        is_blocked=_flag(row, "blocked"),
        default_family_group_id=_id_or_none(row, "default_family_group_id"),
    )


def read_cards(row: Tree) -> tuple[CardTold, ...]:
    """Read the cards in the row of a customer. Raises: as `read_organisation`."""
    return tuple(
        CardTold(
            number=_text_or_empty(each, "number", "cards"),
            external_id=_text_or_empty(each, "external_id", "cards"),
            is_active=_flag(each, "active", "cards"),
        )
        for each in _objects(row, "cards")
    )


def read_wallet(wallet_id: int, row: Tree) -> WalletTold:
    """Read the row of a wallet. Raises: as `read_organisation`."""
    balance, held = _points(row, "balance"), _points(row, "held_offline")
    program_id = _id(row, "program_id")
    wallet = Wallet(
        program_id=program_id,
        balance=balance,
        available=balance - held,
        lifetime_points=_points(row, "lifetime_points"),
        lifetime_purchases=_number_or_none(row, "lifetime_purchases") or Decimal(0),
        promised_points=_points(row, "promised_points"),
        is_paused=_text(row, "state") == PAUSED,
        redeemed_days=tuple(
            (_day(each, "on", "redeemed_days"), _points(each, "points", "redeemed_days"))
            for each in _objects(row, "redeemed_days")
        ),
        lots=tuple(
            Lot(
                points=_points(each, "points", "lots"),
                expires_on=_day_or_none(each, "expires_on", "lots"),
                awarded_on=_day_or_none(each, "awarded_on", "lots"),
                lot_id=_id(each, "lot_id", "lots"),
                program_id=program_id,
            )
            for each in _objects(row, "lots")
        ),
        wallet_id=wallet_id,
    )
    return WalletTold(
        owner=read_owner(row),
        version=_whole(row, "version"),
        wallet=wallet,
        held_offline=held,
        months=tuple(
            (_text(each, "month", "months"), _points(each, "points", "months")) for each in _objects(row, "months")
        ),
    )


def read_owner(row: Tree) -> Owner:
    """Read whose wallet it is, from its row. Raises: as `read_organisation`."""
    owner = _object(row, "owner")
    return Owner(_word(OwnerKind, owner, "kind", "owner"), _id(owner, "id", "owner"))


def read_family_group(group_id: int, row: Tree) -> FamilyGroup:
    """Read the row of a family group. Raises: as `read_organisation`."""
    status = _text(row, "status")
    return FamilyGroup(
        group_id=group_id,
        name=_text_or_empty(row, "name"),
        external_id=_text_or_empty(row, "external_id"),
        is_active=status == ACTIVE,
        status=status,
        members=tuple(
            Member(
                customer_id=_id(each, "customer_id", "members"),
                is_primary=_flag(each, "primary", "members"),
                may_redeem=_flag(each, "may_redeem", "members"),
                is_active=_flag(each, "active", "members"),
            )
            for each in _objects(row, "members")
        ),
    )


# --- Members. `at` is the object they stand in, for the message ------------------------------------------------------


def _missing(name: str, expected: str, at: str = "") -> UnreadableAnswerError:
    return UnreadableAnswerError(f"{at + '.' if at else ''}{name}: expected {expected}")


def _object(row: Tree, name: str) -> Tree:
    value = row.get(name)
    if not isinstance(value, dict):
        raise _missing(name, "an object")
    return value


def _list(row: Tree, name: str, at: str = "") -> list[Any]:
    value = row.get(name)
    if not isinstance(value, list):
        raise _missing(name, "a list", at)
    return value


def _objects(row: Tree, name: str) -> list[Tree]:
    found = _list(row, name)
    if not all(isinstance(each, dict) for each in found):
        raise _missing(name, "objects")
    return found


def _texts(row: Tree, name: str) -> tuple[str, ...]:
    found = _list(row, name)
    if not all(isinstance(each, str) for each in found):
        raise _missing(name, "texts")
    return tuple(found)


def _text(row: Tree, name: str, at: str = "") -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _missing(name, "text", at)
    return value


def _text_or_empty(row: Tree, name: str, at: str = "") -> str:
    return "" if row.get(name) is None else _text(row, name, at)


def _flag(row: Tree, name: str, at: str = "") -> bool:
    value = row.get(name)
    if not isinstance(value, bool):
        raise _missing(name, "true or false", at)
    return value


def _whole(row: Tree, name: str, at: str = "", *, most: int = ID_MAX) -> int:
    value = row.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise _missing(name, "a whole number", at)
    return value


def _id(row: Tree, name: str, at: str = "") -> int:
    value = row.get(name)
    if type(value) is not int or not 0 < value <= ID_MAX:
        raise _missing(name, "a number", at)
    return value


def _id_or_none(row: Tree, name: str) -> int | None:
    return None if row.get(name) is None else _id(row, name)


def _number_or_none(row: Tree, name: str, at: str = "") -> Decimal | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        _fail(name, at)
    try:
        return read_decimal(value)
    except NotANumberError:
        _fail(name, at)


def _points_or_none(row: Tree, name: str, at: str = "") -> Points | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        _fail(name, at)
    if value == "0":
        return ZERO
    try:
        return Points.of(value)
    except (NotANumberError, TooFineError):
        _fail(name, at)


def _points(row: Tree, name: str, at: str = "") -> Points:
    found = _points_or_none(row, name, at)
    if found is None:
        _fail(name, at)
    return found


def _fail(name: str, at: str) -> NoReturn:
    raise _missing(name, "a number as text", at)


def _day_or_none(row: Tree, name: str, at: str = "") -> date | None:
    value = row.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _missing(name, "a day", at) from None


def _day(row: Tree, name: str, at: str = "") -> date:
    found = _day_or_none(row, name, at)
    if found is None:
        raise _missing(name, "a day", at)
    return found


def _word(words: type[_Word], row: Tree, name: str, at: str = "") -> _Word:
    value = row.get(name)
    try:
        return words(str(value))
    except ValueError:
        raise _missing(name, "one of the words known", at) from None
