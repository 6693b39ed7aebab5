"""A redemption as a row of the journal, and back, exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    MemberSource,
    PrimaryKind,
    ValidationType,
)
from pos_app.files.columns import moment_or_none, moment_text, points_or_none

_AS_THEY_ARE = (
    "key",
    "customer_id",
    "customer_label",
    "program_id",
    "bill_number",
    "cashier",
    "attempts",
    "redemption_id",
    "code",
    "reason",
    "message",
    "cancel_reason",
)


def row_of(redemption: Redemption) -> dict[str, Any]:
    """The columns of one redemption.

    Raises:
        ValueError: a moment without a time zone.
    """
    return {name: getattr(redemption, name) for name in _AS_THEY_ARE} | {
        "state": redemption.state.value,
        "customer_kind": redemption.customer.kind.value,
        "customer_value": redemption.customer.value,
        "points": redemption.points.thousandths,
        "worth": str(redemption.worth),
        "created_at": moment_text(redemption.created_at),
        "program_group": int(redemption.program_group),
        "family_group": _family_group_text(redemption.family_group),
        "skip_validation": int(redemption.skip_validation),
        "validation_type": None if redemption.validation_type is None else redemption.validation_type.value,
        "changed_at": None if redemption.changed_at is None else moment_text(redemption.changed_at),
        "next_try_at": None if redemption.next_try_at is None else moment_text(redemption.next_try_at),
        "balance_after": None if redemption.balance_after is None else redemption.balance_after.thousandths,
        "refusal": None if redemption.refusal is None else redemption.refusal.value,
    }


def redemption_of(row: Mapping[str, Any]) -> Redemption:
    """The redemption that stands in these columns."""
    created_at = moment_or_none(row["created_at"])
    assert created_at is not None, "the column is NOT NULL"  # noqa: S101 - a bug must be loud
    return Redemption(
        **{name: row[name] for name in _AS_THEY_ARE},
        state=State(row["state"]),
        customer=CustomerRef(IdentifierKind(row["customer_kind"]), row["customer_value"]),
        points=Points(row["points"]),
        worth=Decimal(row["worth"]),
        created_at=created_at,
        program_group=bool(row["program_group"]),
        family_group=_family_group(row["family_group"]),
        skip_validation=bool(row["skip_validation"]),
        validation_type=None if row["validation_type"] is None else ValidationType(row["validation_type"]),
        changed_at=moment_or_none(row["changed_at"]),
        next_try_at=moment_or_none(row["next_try_at"]),
        balance_after=points_or_none(row["balance_after"]),
        refusal=None if row["refusal"] is None else Refusal(row["refusal"]),
    )


def _family_group_text(ref: FamilyGroupRef | None) -> str | None:
    """How the request names a family group, as JSON of the routes that are set."""
    if ref is None:
        return None
    return json.dumps({name: value for name, value in asdict(ref).items() if value is not None})


def _family_group(text: str | None) -> FamilyGroupRef | None:
    if text is None:
        return None
    told = json.loads(text)
    kind = told.pop("primary_kind", None)
    return FamilyGroupRef(
        primary_kind=None if kind is None else PrimaryKind(kind), source=MemberSource(told.pop("source")), **told
    )
