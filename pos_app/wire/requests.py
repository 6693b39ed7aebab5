"""Requests of the contract: parameters and bodies <-> commands of the domain.

A refusable fault of a value (points of -5, a program called "abc") becomes a domain value that the rules refuse with
its own code. What cannot be understood at all is `MalformedError`, 400. Writers leave `format` to their caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pos_app.domain.commands import Redeem, SendCode
from pos_app.domain.keys import PRACTICE_PREFIX
from pos_app.domain.points import Points
from pos_app.domain.request import (
    Amount,
    AskedPoints,
    CustomerRef,
    IdentifierKind,
    RedemptionRequest,
)
from pos_app.wire.formats import (
    Format,
    MalformedError,
    content_type,
    dump_json,
    dump_xml,
    kind_of,
    parse_body,
    plain_number,
)
from pos_app.wire.parameters import (
    FAMILY_GROUP_NAMES,
    asked_amount,
    boolean,
    filled,
    given,
    only_customer,
    read_code,
    read_family_group,
    read_points,
    read_program_id,
    read_validation_type,
    write_amount,
    write_family_group,
)

BATCH_MAX: Final = 50
"""So many customers may be asked for in one `customer/get`."""

_USER_ID: Final = "user_id"


# --- isredeemable (section 2) ---------------------------------------------------------------------------------


def read_check(params: Mapping[str, str]) -> RedemptionRequest:
    """Read `isredeemable` (section 2); unknown parameters are ignored (1.1).

    Raises:
        MalformedError: section 2 calls it malformed.
    """
    return _request(
        params,
        customer=only_customer(params),
        amount=asked_amount(params),
        issue_otp=boolean(params, "issue_otp"),
        validation_code=read_code(given(params, "validation_code")),
    )


def write_check(request: RedemptionRequest) -> dict[str, str]:
    """Parameters of `isredeemable`. What is not given, or false, is left out."""
    params = {request.customer.kind.value: request.customer.value}
    params |= write_amount(request.amount)
    if request.program_group:
        params["group_redemption"] = "true"
    if request.issue_otp:
        params["issue_otp"] = "true"
    if request.validation_code is not None:
        params["validation_code"] = request.validation_code
    return params | _write_shared(request)


def _request(
    params: Mapping[str, str],
    *,
    customer: CustomerRef,
    amount: Amount,
    issue_otp: bool,
    validation_code: str | None,
) -> RedemptionRequest:
    """What a check and a redemption have in common."""
    family_group = None if FAMILY_GROUP_NAMES.isdisjoint(params) else read_family_group(params)
    program_group = boolean(params, "group_redemption")
    if program_group and family_group is not None:
        raise MalformedError("group_redemption", "no user group beside it", "one")  # 2.4
    skip_validation = boolean(params, "skip_validation")
    return RedemptionRequest(
        customer=customer,
        amount=amount,
        program_id=read_program_id(given(params, "program_id")),
        program_group=program_group,
        family_group=family_group,
        issue_otp=issue_otp,
        validation_code=validation_code,
        skip_validation=skip_validation,
        validation_type=read_validation_type(given(params, "validation_type"), skip_validation),
    )


def _write_shared(request: RedemptionRequest) -> dict[str, str]:
    """The parameters that a check and a redemption both carry in the query."""
    params = {}
    if request.program_id is not None:
        params["program_id"] = str(request.program_id)
    if request.skip_validation:
        params["skip_validation"] = "true"
    if request.validation_type is not None:
        params["validation_type"] = request.validation_type.value
    if request.family_group is not None:
        params |= write_family_group(request.family_group)
    return params


# --- validationcode (section 3) -------------------------------------------------------------------------------


def read_send_code(params: Mapping[str, str]) -> SendCode:
    """Read `validationcode` (section 3); `user_id` is another word for `id` there.

    Raises:
        MalformedError: no identifier, or several.
    """
    user_id = given(params, _USER_ID)
    if user_id is not None:
        if given(params, IdentifierKind.ID) not in {None, user_id}:
            raise MalformedError(_USER_ID, "the same as id", "another")
        params = {**params, IdentifierKind.ID: user_id}
    points = given(params, "points")
    asked = None if points is None else read_points(points)
    return SendCode(customer=only_customer(params), points=asked.points if isinstance(asked, AskedPoints) else asked)


def write_send_code(command: SendCode) -> dict[str, str]:
    """Parameters of `validationcode`."""
    params = {command.customer.kind.value: command.customer.value}
    if isinstance(command.points, Points):
        params["points"] = str(command.points)
    elif command.points is not None:
        params |= write_amount(command.points)
    return params


# --- redeem (section 4) ---------------------------------------------------------------------------------------


def read_redeem(query: Mapping[str, str], body: bytes, content_type: str | None) -> Redeem:
    """Read `redeem` (section 4). Whatever may stand in the query may stand in the body; the query wins.

    A `redemption_time` without an offset is naive: it is in the organisation's time zone (1.1), which only the
    ledger knows. `cashier` travels in the extension header and is not set here.

    Raises:
        MalformedError: section 4 calls it malformed, a key of the trainer mode among it.
    """
    item = _redeem_item(parse_body(body, content_type))
    members = {name: _member_text(item, name) or "" for name in _REDEEM_MEMBERS if name in item}
    params = {**members, **{name: value for name, value in query.items() if given(query, name) is not None}}
    customers = _named_customers(item.get("customer"))
    key = given(members, "external_reference_number")
    if key is not None and key.upper().startswith(PRACTICE_PREFIX):
        raise MalformedError("external_reference_number", "a key of a real redemption", "one of the trainer mode")
    return Redeem(
        request=_request(
            params,
            customer=customers[0],
            amount=read_points(given(members, "points_redeemed")),
            issue_otp=False,
            validation_code=read_code(given(members, "validation_code")),
        ),
        key=key,
        bill_number=given(members, "transaction_number"),
        also_named=customers[1:],
        redemption_time=_redemption_time(given(members, "redemption_time")),
        till_id=given(members, "till_id"),
        notes=given(members, "notes"),
    )


def write_redeem(command: Redeem, fmt: Format = Format.JSON) -> tuple[dict[str, str], bytes, str]:
    """Query, body and content type of `redeem`.

    Raises:
        ValueError: the amount is no number of points; a till redeems what a check worked out.
    """
    request = command.request
    if not isinstance(request.amount, AskedPoints):
        raise ValueError("a redemption is of points")
    item: dict[str, Any] = {
        "points_redeemed": str(request.amount.points),
        "customer": {ref.kind.value: _identifier_value(ref) for ref in (request.customer, *command.also_named)},
    }
    optional = {
        "transaction_number": command.bill_number,
        "external_reference_number": command.key,
        "validation_code": request.validation_code,
        "redemption_time": None if command.redemption_time is None else _write_local(command.redemption_time),
        "till_id": command.till_id,
        "notes": command.notes,
        "group_redemption": "true" if request.program_group else None,
    }
    item |= {name: value for name, value in optional.items() if value is not None}
    if fmt is Format.XML:
        return _write_shared(request), dump_xml("root", {"redeem": item}), content_type(fmt)
    return _write_shared(request), dump_json({"root": {"redeem": [item]}}), content_type(fmt)


_REDEEM_MEMBERS: Final = (
    "points_redeemed",
    "transaction_number",
    "external_reference_number",
    "validation_code",
    "redemption_time",
    "till_id",
    "notes",
    "group_redemption",
    "program_id",
    "skip_validation",
    "validation_type",
    *sorted(FAMILY_GROUP_NAMES),
)
"""What is read of a body's item beside `customer`; everything else, `custom_fields` too, is ignored."""


def _redeem_item(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one redemption of a body: in an array of one, or bare."""
    item = tree.get("redeem")
    if isinstance(item, list):
        if len(item) != 1:
            raise MalformedError("redeem", "one redemption", f"{len(item)} of them")
        item = item[0]
    if not isinstance(item, dict):
        raise MalformedError("redeem", "an object", kind_of(item))
    return item


def _member_text(item: Mapping[str, Any], name: str) -> str | None:
    """A member as the text a parameter would be; numbers and booleans count as well as text."""
    value = item.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return plain_number(Decimal(value))
    if name == "points_redeemed" or not value:
        return None  # No number: 801. And an empty list is what some clients write for "nothing".
    raise MalformedError("redeem", "text, numbers and booleans in its members", kind_of(value))


def _named_customers(customer: object) -> tuple[CustomerRef, ...]:
    """The filled identifiers of a body, in the order in which the first wins (section 4)."""
    if not isinstance(customer, dict):
        raise MalformedError("customer", "an object", kind_of(customer))
    texts = {kind.value: _member_text(customer, kind) or "" for kind in IdentifierKind}
    named = filled(texts)
    if not named:
        raise MalformedError("customer", "an identifier", "none")
    return named


def _identifier_value(ref: CustomerRef) -> str | int:
    return int(ref.value) if ref.kind is IdentifierKind.ID and ref.is_well_formed else ref.value


def _redemption_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?", text, re.ASCII):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise MalformedError("redemption_time", "YYYY-MM-DD HH:MM:SS", "something else")


def _write_local(moment: datetime) -> str:
    """Naive moments are the organisation's; others say their offset."""
    return moment.isoformat(sep=" ", timespec="seconds")


# --- customer/get (section 5) ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerQuery:
    """What `customer/get` asks for (section 5). All `refs` are of one kind."""

    refs: tuple[CustomerRef, ...]
    program_id: int | None = None
    with_user_id: bool = False
    with_all_programs: bool = False
    with_points_summary: bool = False
    with_expiry_schedule: bool = False
    with_family_groups: bool = False
    with_programs: bool = False


def read_customer_get(params: Mapping[str, str]) -> CustomerQuery:
    """Read `customer/get`; the identifier may list several values, comma separated.

    Raises:
        MalformedError: no identifier, several kinds, or more than `BATCH_MAX` values.
    """
    listed = only_customer(params)
    values = [value for value in (each.strip() for each in listed.value.split(",")) if value]
    if not 0 < len(values) <= BATCH_MAX:
        raise MalformedError(listed.kind, f"1 to {BATCH_MAX} values", "none" if not values else "more")
    return CustomerQuery(
        refs=tuple(CustomerRef(listed.kind, value) for value in values),
        program_id=read_program_id(given(params, "program_id")),
        with_user_id=boolean(params, _USER_ID),
        with_all_programs=boolean(params, "mlp"),
        with_points_summary=boolean(params, "points_summary"),
        with_expiry_schedule=boolean(params, "expiry_schedule"),
        with_family_groups=boolean(params, "user_group"),
        with_programs=boolean(params, "program_summary"),
    )


def write_customer_get(ref: CustomerRef) -> dict[str, str]:
    """Parameters of `customer/get`, with everything a till uses (section 5)."""
    flags = (_USER_ID, "mlp", "points_summary", "expiry_schedule", "user_group", "program_summary")
    return {ref.kind.value: ref.value, **dict.fromkeys(flags, "true")}
