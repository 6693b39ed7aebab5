"""Programs with their rules, and the organisation's switches, as JSON, and back, exactly.

They are few and always read whole, so a column each would only be more to keep in step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pos_app.domain.facts import Ceiling, CeilingPeriod, Criteria, Organisation, Pooling, Program, ProgramGroupRule
from pos_app.domain.money import Rounding
from pos_app.domain.points import Points
from pos_app.files.columns import points_or_none

_PLAIN = (
    "program_id",
    "name",
    "is_default",
    "is_active",
    "decimals",
    "redemption_enabled",
    "family_groups_enabled",
    "offline_redemption",
    "are_rules_known",
)
_POINTS_RULES = ("minimum", "maximum", "multiple_of", "balance_required", "lifetime_points_required")


def program_text(program: Program) -> str:
    """A program with its rules."""
    return json.dumps(
        {name: getattr(program, name) for name in _PLAIN}
        | {
            "ratio": _decimal_text(program.ratio),
            "rounding": program.rounding.value,
            "criteria": _criteria_members(program.criteria),
            "tier_criteria": {tier: _criteria_members(each) for tier, each in program.tier_criteria.items()},
        }
    )


def program_of(text: str) -> Program:
    """The program in a text of `program_text`."""
    told = json.loads(text)
    return Program(
        **{name: told[name] for name in _PLAIN},
        ratio=_decimal(told["ratio"]),
        rounding=Rounding(told["rounding"]),
        criteria=_criteria(told["criteria"]),
        tier_criteria={tier: _criteria(each) for tier, each in told["tier_criteria"].items()},
    )


def organisation_text(organisation: Organisation) -> str:
    """The organisation's switches; all are texts, whole numbers or yes and no."""
    return json.dumps(asdict(organisation))


def organisation_of(text: str) -> Organisation:
    """The organisation in a text of `organisation_text`."""
    told = json.loads(text)
    return Organisation(
        program_group_redemption=ProgramGroupRule(told.pop("program_group_redemption")),
        family_group_pooling=Pooling(told.pop("family_group_pooling")),
        **told,
    )


def _criteria_members(criteria: Criteria) -> dict[str, Any]:
    rules = {name: getattr(criteria, name) for name in _POINTS_RULES}
    return {name: None if rule is None else rule.thousandths for name, rule in rules.items()} | {
        "lifetime_purchases_required": _decimal_text(criteria.lifetime_purchases_required),
        "ceilings": [[each.period.value, each.points.thousandths, each.days] for each in criteria.ceilings],
    }


def _criteria(told: Mapping[str, Any]) -> Criteria:
    return Criteria(
        **{name: points_or_none(told[name]) for name in _POINTS_RULES},
        lifetime_purchases_required=_decimal(told["lifetime_purchases_required"]),
        ceilings=tuple(Ceiling(CeilingPeriod(period), Points(count), days) for period, count, days in told["ceilings"]),
    )


def _decimal_text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
