"""What all v2 calls share: their errors; and the small ones, balances and programs (contract 5, 6, 8). JSON only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from pos_app.domain.facts import Program
from pos_app.domain.family_groups import Balance
from pos_app.wire.formats import MalformedError, dump_json

FIELD_MISSING: Final = 403
"""In v2 this is a code of the answer; its HTTP status is 400 like that of every other one (section 6)."""

V2_MESSAGES: Final[Mapping[int, str]] = {
    400: "Input is invalid, please check the request",
    FIELD_MISSING: "A required field is missing",
    895: "No loyalty program is configured",
    1101: "Program id is invalid",
    1619: "Group id is invalid",
    1620: "User does not belong to the group",
    1632: "Group id, external id or primary user is not valid",
    1635: "No group parameter is given",
    8015: "Customer not found",
    8069: "Customer was merged into another",
    91015: "Search text is longer than 50 characters",
}
"""Clients decide on codes, never on texts."""


class FieldMissingError(MalformedError):
    """A field that a v2 call cannot do without is not there; its name may be told, it is not personal."""

    def __init__(self, field: str) -> None:
        super().__init__(field, "a value", "none")


def write_v2_error(code: int, message: str | None = None, beside: Mapping[str, Any] | None = None) -> bytes:
    """The error of a v2 call; `beside` are further members of the body (sync-api 2)."""
    told = V2_MESSAGES[code] if message is None else message
    return dump_json({"errors": [{"status": False, "code": code, "message": told}], **(beside or {})})


def write_balance(balance: Balance, entity_type: str) -> bytes:
    """What an owner has. Promised points are all of delayed accrual: this ledger has no other kind."""
    tree: dict[str, Any] = {"entityId": balance.owner_id, "entityType": entity_type}
    if balance.program_id is not None:
        tree["programId"] = balance.program_id
    tree |= {
        "totalPoints": (balance.redeemable + balance.promised).decimal,
        "mainPoints": balance.redeemable.decimal,
        "promisedPoints": balance.promised.decimal,
        "promisedPointsBreakup": {
            "delayedAccrualPoints": balance.promised.decimal,
            "externalTriggerBasedPoints": Decimal(0),
        },
        "warnings": [],
    }
    return dump_json(tree)


def write_programs(programs: Iterable[Program]) -> bytes:
    """The programs of an organisation. A ratio that is not set up is 0, as in `customer/get`."""
    return dump_json(
        [
            {
                "programId": each.program_id,
                "programName": each.name,
                "programDescription": "",
                "pointsToCurrencyRatio": Decimal(0) if each.ratio is None else each.ratio,
                "tierBased": bool(each.tier_criteria),
                "membershipPeriodValue": 0,
            }
            for each in programs
        ]
    )
