"""Single parameters of the contract (1.4, 2.1 to 2.7): what a text means, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Final, TypeVar

from pos_app.domain.points import POINTS_MAX, THOUSANDTHS, ZERO, NotANumberError, Points, read_decimal
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    ID_MAX,
    NO_SUCH_PROGRAM,
    Amount,
    AskedPoints,
    AskedValue,
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    MemberSource,
    PrimaryKind,
    UnreadableAmount,
    ValidationType,
)
from pos_app.wire.formats import MalformedError, check_text, plain_number

_GROUP_ID: Final = "user_group2_id"
_GROUP_EXTERNAL_ID: Final = "user_group2_external_id"
_PRIMARY_ID: Final = "user_group2_primary_user_id"
_PRIMARY_TYPE: Final = "user_group2_primary_user_identifier_type"
_PRIMARY_VALUE: Final = "user_group2_primary_user_identifier_value"
_PRIMARY_SOURCE: Final = "user_group2_primary_user_source"
_PRIMARY_ACCOUNT: Final = "user_group2_primary_user_accountId"  # The odd spelling is the contract's (1.1).
_USE_DEFAULT: Final = "use_default_user_group2"
FAMILY_GROUP_NAMES: Final = frozenset(
    {
        _GROUP_ID,
        _GROUP_EXTERNAL_ID,
        _PRIMARY_ID,
        _PRIMARY_TYPE,
        _PRIMARY_VALUE,
        _PRIMARY_SOURCE,
        _PRIMARY_ACCOUNT,
        _USE_DEFAULT,
    }
)
_KINDS: Final = tuple((kind.value, kind) for kind in IdentifierKind)
_NO_CODES: Final = frozenset({"true", "false"})
"""Words that stand where a validation code would, and mean that there is none (2.6)."""

_Word = TypeVar("_Word", bound=StrEnum)


# --- Single parameters ----------------------------------------------------------------------------------------


def given(params: Mapping[str, str], name: str) -> str | None:
    """A parameter without the spaces around it; empty and the word `null` mean "not given" (1.4).

    A bare `+` before a mobile number was decoded to a space and goes with them (1.1).
    """
    value = params.get(name)
    if value is None:
        return None
    value = check_text(value, name).strip()  # In this order: some control characters count as spaces.
    return None if value in {"", "null"} else value


def boolean(params: Mapping[str, str], name: str) -> bool:
    """A boolean of 1.4; not given is false, the default of all of them."""
    value = given(params, name)
    if value is None:
        return False
    word = value.lower()
    if word in {"true", "1"}:
        return True
    if word in {"false", "0"}:
        return False
    raise MalformedError(name, "true or false", "another word")


def filled(params: Mapping[str, str]) -> tuple[CustomerRef, ...]:
    """Every identifier that is given, in the order in which the first wins on `redeem` (section 4)."""
    return tuple([CustomerRef(kind, value) for name, kind in _KINDS if (value := given(params, name)) is not None])


def only_customer(params: Mapping[str, str]) -> CustomerRef:
    """Exactly one identifier (2.1): guessing which customer pays is worse than refusing."""
    named = filled(params)
    if len(named) != 1:
        raise MalformedError("customer", "exactly one identifier", "none" if not named else f"{len(named)} of them")
    return named[0]


def asked_amount(params: Mapping[str, str]) -> Amount:
    """What is asked for, in points or by value (2.2, 2.7). Raises: MalformedError for a value that is missing."""
    if boolean(params, "currency_input"):
        value = given(params, "currency_value")
        if value is None:
            raise MalformedError("currency_value", "a value, since currency_input is true", "none")  # 2.7
        return _read_value(value)
    return read_points(given(params, "points"))


def _read_value(text: str) -> AskedValue | UnreadableAmount:
    """Money to be paid with points; what is no amount of money is 801 (2.7)."""
    try:
        value = read_decimal(text)
    except NotANumberError:
        value = Decimal(0)
    if not 0 < value <= POINTS_MAX:
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)
    return AskedValue(value)


def read_points(text: str | None) -> AskedPoints | UnreadableAmount:
    """Points as typed: 801 for what is no number above zero, 878 for more than three decimals (2.2)."""
    if text and text.isascii() and text.isdigit() and len(text) < len(str(POINTS_MAX)) and text.strip("0"):
        return AskedPoints(Points(int(text) * THOUSANDTHS))  # What tills nearly always send, read fast.
    try:
        number = read_decimal(text or "")
        shown = Points.of(number.quantize(Decimal("0.001"), ROUND_DOWN)) if abs(number) <= POINTS_MAX else ZERO
    except NotANumberError:
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE)
    if not 0 < number <= POINTS_MAX:
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, shown=shown)
    if shown.decimal != number:
        return UnreadableAmount(Refusal.POINTS_TOO_FINE, shown=shown)
    return AskedPoints(shown)


def write_amount(amount: Amount) -> dict[str, str]:
    """The amount as parameters. An amount refused for its shape is written so that it is refused again."""
    if isinstance(amount, AskedPoints):
        return {"points": str(amount.points)}
    if isinstance(amount, AskedValue):
        return {"currency_input": "true", "currency_value": plain_number(amount.value)}
    if amount.by_value:
        return {"currency_input": "true", "currency_value": "0"}
    if amount.refusal is Refusal.POINTS_TOO_FINE:
        return {"points": f"{amount.shown.decimal:.3f}1"}
    return {"points": str(amount.shown)}


def read_program_id(text: str | None) -> int | None:
    """A program id; what is no number names no program (1101), it is not malformed (2.3)."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= ID_MAX:
        return int(text)
    return NO_SUCH_PROGRAM


def read_code(text: str | None) -> str | None:
    """A validation code, without the words that stand for none (2.6)."""
    return None if text is None or text.lower() in _NO_CODES else text


def read_validation_type(text: str | None, skip_validation: bool) -> ValidationType | None:
    """Upper or lower case, nothing between; INVALID has a meaning beside `skip_validation` only (2.6)."""
    if text is None:
        return None
    found = _word(ValidationType, text.upper() if text.islower() else text, "validation_type")
    return None if found is ValidationType.INVALID and not skip_validation else found


def _word(words: type[_Word], text: str, name: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        raise MalformedError(name, f"one of {', '.join(words)}", "another word") from None


# --- Family groups (2.5) --------------------------------------------------------------------------------------


def read_family_group(params: Mapping[str, str]) -> FamilyGroupRef | None:
    """The family group a request names; None where source or account stand alone (2.5)."""
    kind, value = given(params, _PRIMARY_TYPE), given(params, _PRIMARY_VALUE)
    if (kind is None) != (value is None):
        raise MalformedError(_PRIMARY_TYPE, "a type and a value", "one of them")
    source, account = given(params, _PRIMARY_SOURCE), given(params, _PRIMARY_ACCOUNT)
    uses_default = boolean(params, _USE_DEFAULT)
    found = FamilyGroupRef(
        group_id=_number(params, _GROUP_ID),
        external_id=given(params, _GROUP_EXTERNAL_ID),
        primary_user_id=_number(params, _PRIMARY_ID),
        primary_kind=None if kind is None else _word(PrimaryKind, kind, _PRIMARY_TYPE),
        primary_value=value,
        source=MemberSource.INSTORE if source is None else _word(MemberSource, source, _PRIMARY_SOURCE),
        account_id=account,
    )
    if not found.is_explicit:
        return FamilyGroupRef(use_default=True) if uses_default else None
    if found.source is MemberSource.WECHAT and account is None:
        raise MalformedError(_PRIMARY_ACCOUNT, "the account of the WECHAT source", "none")
    return found


def _number(params: Mapping[str, str], name: str) -> int | None:
    text = given(params, name)
    if text is None:
        return None
    if re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) and abs(int(text)) <= ID_MAX:
        return int(text)
    raise MalformedError(name, "a whole number", "something else")


def write_family_group(group: FamilyGroupRef) -> dict[str, str]:
    """The parameters of the routes by which a family group is named, and no others (section 6)."""
    if group.use_default and not group.is_explicit:
        return {_USE_DEFAULT: "true"}
    # The source goes with the identifier route (ux B.3); elsewhere only when somebody chose one.
    says_source = group.primary_kind is not None or group.source is not MemberSource.INSTORE
    named = {
        _GROUP_ID: group.group_id,
        _GROUP_EXTERNAL_ID: group.external_id,
        _PRIMARY_ID: group.primary_user_id,
        _PRIMARY_TYPE: group.primary_kind,
        _PRIMARY_VALUE: group.primary_value,
        _PRIMARY_SOURCE: group.source.value if says_source else None,
        _PRIMARY_ACCOUNT: group.account_id,
    }
    return {name: str(value) for name, value in named.items() if value is not None}
