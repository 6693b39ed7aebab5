"""`customer/get` (contract section 5): customer records <-> JSON and XML.

The lists inside (`points_summaries`, `expiry_schedule`) have fields of our own, since every published sample shows
them empty. A service that leaves them empty still tells one balance, that of the program the till belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pos_app.domain.facts import Customer, CustomerRecord, FamilyGroup, Lot, Member, Program, Wallet
from pos_app.domain.points import ZERO, total
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.wire.answers import boolean_text, item_status, response_of, status_tree, write_response
from pos_app.wire.codes import CUSTOMER_FOUND, Endpoint, code_for, message_for, refusal_for
from pos_app.wire.family_groups import ALLOWS, BLOCKS
from pos_app.wire.formats import Format, UnreadableAnswerError, parse_answer, plain_number
from pos_app.wire.reading import (
    Tree,
    day_or_none,
    flag,
    id_or_none,
    list_of,
    number,
    number_or_none,
    object_or_none,
    points,
    points_or_none,
    text,
    text_or_none,
    whole,
)
from pos_app.wire.requests import CustomerQuery

BLOCKED_STATUSES: Final = frozenset({"MARKED", "CONFIRMED", "RECONFIRMED", "FRAUD"})
"""Fraud statuses that block redemption; everything else does not (section 5)."""

_ACTIVE: Final = "ACTIVE"
_NOBODY: Final = frozenset(
    {
        Refusal.CUSTOMER_UNKNOWN,
        Refusal.IDENTIFIER_MALFORMED,
        Refusal.CUSTOMER_MISMATCH,
        Refusal.NOT_REGISTERED,
        Refusal.NEVER_ENROLLED,
    }
)
"""What `customer/get` may say of somebody whom this till cannot serve."""


# --- Writing --------------------------------------------------------------------------------------------------


def write_customers(
    found: Sequence[tuple[CustomerRef, CustomerRecord | None]], query: CustomerQuery, fmt: Format
) -> bytes:
    """Write the answer: status 200 when all were found, 201 when some, 500 when none.

    The figures at the top of a customer are those of `query.program_id`, else of the default program among her
    programs, else of all her wallets together. Lists are there when they were asked for.
    """
    known = sum(record is not None for _, record in found)
    code = 200 if known == len(found) and found else 201 if known else 500
    customers = [_nobody(ref) if record is None else _customer_tree(record, query) for ref, record in found]
    return write_response({"status": status_tree(code), "customers": {"customer": customers}}, fmt)


def _nobody(ref: CustomerRef) -> dict[str, Any]:
    """Nobody has this identifier: it is echoed, the other ones are empty."""
    echoed = {
        kind.value: ref.value if ref.kind is kind else ""
        for kind in (IdentifierKind.MOBILE, IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID)
    }
    code = code_for(Endpoint.CUSTOMER_GET, Refusal.CUSTOMER_UNKNOWN)
    message = message_for(Endpoint.CUSTOMER_GET, Refusal.CUSTOMER_UNKNOWN)
    return {**echoed, "item_status": item_status(False, str(code), message)}


def _customer_tree(record: CustomerRecord, query: CustomerQuery) -> dict[str, Any]:
    customer = record.customer
    tree: dict[str, Any] = {
        "firstname": customer.first_name,
        "lastname": customer.last_name,
        "mobile": customer.mobile,
        "email": customer.email,
        "external_id": customer.external_id,
    }
    if query.with_user_id:
        tree["user_id"] = str(customer.customer_id)
    tree |= {
        "type": "LOYALTY" if customer.is_registered and not customer.is_campaign_only else "NON_LOYALTY",
        **_top_figures(record, query.program_id),
        "current_slab": customer.tier,
        "fraud_details": {
            "status": customer.fraud_status or ("MARKED" if customer.is_blocked else "NONE"),
            "marked_by": "",
            "modified_on": "",
            "reason": "",
        },
    }
    if query.with_family_groups:
        tree["user_groups2"] = [_family_group_tree(group, customer) for group in record.family_groups]
    if query.with_points_summary:
        tree["points_summaries"] = {"points_summary": _summaries(record)}
    if query.with_expiry_schedule:
        tree["expiry_schedule"] = {"schedule": _schedule(record)}
    if query.with_programs:
        tree["programs_list"] = {"program": [_program_tree(program) for program in record.programs]}
    tree["item_status"] = item_status(True, str(CUSTOMER_FOUND), message_for(Endpoint.CUSTOMER_GET, None))
    return tree


def _top_figures(record: CustomerRecord, program_id: int | None) -> dict[str, Any]:
    """`loyalty_points` and the lifetime figures, of one program where it is known which."""
    default = next((program.program_id for program in record.programs if program.is_default), None)
    chosen = default if program_id is None else program_id
    wallets = [wallet for wallet in record.wallets if chosen is None or wallet.program_id == chosen]
    return {
        "loyalty_points": total(wallet.balance for wallet in wallets).decimal,
        "lifetime_points": total(wallet.lifetime_points for wallet in wallets).decimal,
        "lifetime_purchases": sum((wallet.lifetime_purchases for wallet in wallets), Decimal(0)),
    }


def _summaries(record: CustomerRecord) -> list[dict[str, Any]]:
    """One row for each program she has a wallet in, whether `mlp` asks for every program or not (section 5)."""
    programs = {program.program_id: program for program in record.programs}
    rows = []
    for wallet in record.wallets:
        program = programs.get(wallet.program_id) or Program(program_id=wallet.program_id, name="")
        rows.append(
            {
                "program_id": str(wallet.program_id),
                "program_name": program.name,
                "loyalty_points": wallet.balance.decimal,
                "lifetime_points": wallet.lifetime_points.decimal,
                "promised_points": wallet.promised_points.decimal,
                "points_currency_ratio": _ratio_text(program.ratio),
                "is_default": boolean_text(program.is_default),
            }
        )
    return rows


def _schedule(record: CustomerRecord) -> list[dict[str, Any]]:
    """Points that will expire, soonest first; those that never do have no place in a schedule."""
    expiring = [
        (lot.expires_on, wallet.program_id, lot.points)
        for wallet in record.wallets
        for lot in wallet.lots
        if lot.expires_on is not None
    ]
    return [
        {"program_id": str(program_id), "points": each.decimal, "expiry_date": day.isoformat()}
        for day, program_id, each in sorted(expiring)
    ]


def _program_tree(program: Program) -> dict[str, Any]:
    return {
        "programId": str(program.program_id),
        "programName": program.name,
        "programDescription": "",
        "isDefault": boolean_text(program.is_default),
        "pointsToCurrencyRatio": _ratio_text(program.ratio),
    }


def _ratio_text(ratio: Decimal | None) -> str:
    return "0" if ratio is None else plain_number(ratio)


def _family_group_tree(group: FamilyGroup, customer: Customer) -> dict[str, Any]:
    member = group.member(customer.customer_id)
    return {
        "id": group.group_id,
        "externalId": group.external_id,
        "groupName": group.name,
        "groupStatus": group.status or (_ACTIVE if group.is_active else "INACTIVE"),
        "defaultGroup": group.is_default,
        "primaryMember": member is not None and member.is_primary,
        "permissions": [ALLOWS if member is None or member.may_redeem else BLOCKS],
    }


# --- Reading --------------------------------------------------------------------------------------------------


def read_customer(body: bytes, *, program_id: int | None = None) -> CustomerRecord | None:
    """Read the first customer of an answer; None: nobody has the identifier (1012, 816 and their like).

    `program_id` is the program the figures at the top belong to, used where no summaries are told.

    Raises:
        UnreadableAnswerError: no customer answer, a refusal that is not "nobody", or a customer without an id.
    """
    item = _first_customer(parse_answer(body))
    status = object_or_none(item, "item_status")
    if status is None:
        raise UnreadableAnswerError("item_status: expected an object")
    code = whole(status, "code")
    if code != CUSTOMER_FOUND:
        if refusal_for(Endpoint.CUSTOMER_GET, code) in _NOBODY:
            return None
        raise UnreadableAnswerError(f"item_status: refused with {code}")
    customer_id = id_or_none(item, "user_id") or id_or_none(item, "id")
    if customer_id is None:
        raise UnreadableAnswerError("user_id: expected an id")
    family_groups = tuple(_read_family_group(each, customer_id) for each in _objects(item, "user_groups2"))
    programs = _read_programs(item)
    return CustomerRecord(
        customer=_read_customer(item, customer_id, family_groups),
        wallets=_read_wallets(item, programs, program_id),
        family_groups=family_groups,
        programs=programs,
    )


def _first_customer(tree: Tree) -> Tree:
    """Under `response` or without it, in a list or bare (section 5)."""
    customers = object_or_none(response_of(tree), "customers") or {}
    found = list_of(customers, "customer")
    if not found or not isinstance(found[0], dict):
        raise UnreadableAnswerError("customers.customer: expected a customer")
    return found[0]


def _objects(tree: Tree, name: str, *singulars: str) -> list[Tree]:
    """The objects of a list in any of its shapes; what is no object is passed over."""
    singular = singulars[0] if singulars else "user_group2"
    return [each for each in list_of(tree, name, singular) if isinstance(each, dict)]


def _read_customer(item: Tree, customer_id: int, family_groups: Sequence[FamilyGroup]) -> Customer:
    kind = text(item, "type").strip().upper()
    fraud = object_or_none(item, "fraud_details") or {}
    return Customer(
        customer_id=customer_id,
        mobile=text(item, "mobile"),
        email=text(item, "email"),
        external_id=text(item, "external_id"),
        first_name=text(item, "firstname"),
        last_name=text(item, "lastname"),
        tier=text_or_none(item, "current_slab"),
        is_registered=kind in {"", "LOYALTY"},
        is_blocked=text(fraud, "status").strip().upper() in BLOCKED_STATUSES,
        default_family_group_id=next((group.group_id for group in family_groups if group.is_default), None),
    )


def _read_family_group(row: Tree, customer_id: int) -> FamilyGroup:
    permissions = {str(each).strip().lower() for each in list_of(row, "permissions", "permission")}
    return FamilyGroup(
        group_id=whole(row, "id"),
        name=text(row, "groupName"),
        external_id=text(row, "externalId"),
        is_active=text(row, "groupStatus").strip().upper() in {"", _ACTIVE},
        is_default=bool(flag(row, "defaultGroup")),
        members=(
            Member(customer_id, is_primary=bool(flag(row, "primaryMember")), may_redeem=BLOCKS not in permissions),
        ),
    )


def _read_programs(item: Tree) -> tuple[Program, ...]:
    """Every program told of, in the list or in a summary; their rules are not known from here."""
    programs: dict[int, Program] = {}
    for row in _objects(item, "programs_list", "program"):
        program_id = id_or_none(row, "programId")
        if program_id is not None:
            programs[program_id] = _told_program(
                program_id, text(row, "programName"), flag(row, "isDefault"), row, "pointsToCurrencyRatio"
            )
    for row in _objects(item, "points_summaries", "points_summary"):
        program_id = id_or_none(row, "program_id")
        if program_id is not None and program_id not in programs:
            programs[program_id] = _told_program(
                program_id, text(row, "program_name"), flag(row, "is_default"), row, "points_currency_ratio"
            )
    return tuple(programs.values())


def _told_program(program_id: int, name: str, is_default: bool | None, row: Tree, ratio_name: str) -> Program:
    ratio = number_or_none(row, ratio_name)
    return Program(
        program_id=program_id,
        name=name,
        is_default=bool(is_default),
        ratio=ratio if ratio is not None and ratio > 0 else None,
        are_rules_known=False,
    )


def _read_wallets(item: Tree, programs: Sequence[Program], program_id: int | None) -> tuple[Wallet, ...]:
    """One wallet a summary; without any, one of the figures at the top for the program they belong to."""
    lots: dict[int, list[Lot]] = {}
    for row in _objects(item, "expiry_schedule", "schedule"):
        lot_program = id_or_none(row, "program_id")
        if lot_program is not None:
            lots.setdefault(lot_program, []).append(
                Lot(points=points(row, "points"), expires_on=_expiry(row), program_id=lot_program)
            )
    purchases = number(item, "lifetime_purchases")
    rows = [(id_or_none(row, "program_id"), row) for row in _objects(item, "points_summaries", "points_summary")]
    if not rows:
        default = next((program.program_id for program in programs if program.is_default), None)
        rows = [(default if program_id is None else program_id, item)]
    return tuple(_wallet(owner, row, purchases, lots.get(owner, [])) for owner, row in rows if owner is not None)


def _expiry(row: Tree) -> date | None:
    return day_or_none(row, "expiry_date")


def _wallet(program_id: int, row: Tree, purchases: Decimal, lots: Sequence[Lot]) -> Wallet:
    balance = points(row, "loyalty_points")
    return Wallet(
        program_id=program_id,
        balance=balance,
        available=balance,
        lifetime_points=points(row, "lifetime_points"),
        lifetime_purchases=purchases,
        promised_points=points_or_none(row, "promised_points") or ZERO,
        redeemed_days=None,
        lots=tuple(lots),
    )
