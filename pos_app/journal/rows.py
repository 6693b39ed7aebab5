"""A redemption as a row of the journal, and back, exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pos_app.domain.points import Points
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    MemberSource,
    PrimaryKind,
    ValidationType,
)
from pos_app.files.columns import moment_or_none, moment_text, moment_text_or_none, points_number, points_or_none

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
    "lease_id",
    "seq",
    "reverses",
    "confirmed_epoch",
    "closed_by",
)
_POINTS = ("balance_after", "from_lease", "from_free", "store_loss")
_MOMENTS = ("changed_at", "next_try_at", "printed_at")


def row_of(redemption: Redemption) -> dict[str, Any]:
    """The columns of one redemption.

    Raises:
        ValueError: a moment without a time zone.
    """
    as_they_are = {name: getattr(redemption, name) for name in _AS_THEY_ARE}
    points = {name: points_number(getattr(redemption, name)) for name in _POINTS}
    moments = {name: moment_text_or_none(getattr(redemption, name)) for name in _MOMENTS}
    return (
        as_they_are
        | points
        | moments
        | {
            "state": redemption.state.value,
            "kind": redemption.kind.value,
            "customer_kind": redemption.customer.kind.value,
            "customer_value": redemption.customer.value,
            "points": redemption.points.thousandths,
            "worth": str(redemption.worth),
            "created_at": moment_text(redemption.created_at),
            "program_group": int(redemption.program_group),
            "family_group": _family_group_text(redemption.family_group),
            "skip_validation": int(redemption.skip_validation),
            "sent_by_itself": int(redemption.sent_by_itself),
            "validation_type": None if redemption.validation_type is None else redemption.validation_type.value,
            "refusal": None if redemption.refusal is None else redemption.refusal.value,
        }
    )


def redemption_of(row: Mapping[str, Any]) -> Redemption:
    """The redemption that stands in these columns."""
    created_at = moment_or_none(row["created_at"])
    assert created_at is not None, "the column is NOT NULL"  # noqa: S101 - a bug must be loud
    told: dict[str, Any] = {name: row[name] for name in _AS_THEY_ARE}
    told |= {name: points_or_none(row[name]) for name in _POINTS}
    told |= {name: moment_or_none(row[name]) for name in _MOMENTS}
    return Redemption(
        **told,
        state=State(row["state"]),
        kind=Kind(row["kind"]),
        customer=CustomerRef(IdentifierKind(row["customer_kind"]), row["customer_value"]),
        points=Points(row["points"]),
        worth=Decimal(row["worth"]),
        created_at=created_at,
        program_group=bool(row["program_group"]),
        family_group=_family_group(row["family_group"]),
        skip_validation=bool(row["skip_validation"]),
        sent_by_itself=bool(row["sent_by_itself"]),
        validation_type=None if row["validation_type"] is None else ValidationType(row["validation_type"]),
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
