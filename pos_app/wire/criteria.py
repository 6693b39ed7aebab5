"""The rules of a program, for a till that does not sync (sync-api 11)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, TypeVar

from pos_app.domain.facts import Ceiling, CeilingPeriod, Criteria, Program
from pos_app.domain.money import Rounding
from pos_app.domain.refusals import Refusal
from pos_app.wire.answers import boolean_text, item_status, response_of, status_tree, write_response
from pos_app.wire.codes import Endpoint, code_for, message_for
from pos_app.wire.formats import (
    Format,
    UnreadableAnswerError,
    parse_answer,
    plain_number,
)
from pos_app.wire.reading import (
    Tree,
    flag,
    id_or_none,
    list_of,
    number_or_none,
    object_or_none,
    points,
    points_or_none,
    text,
    text_or_none,
    whole,
    whole_or_none,
)

_Word = TypeVar("_Word", bound=StrEnum)


def write_program(program: Program | None, fmt: Format) -> bytes:
    """Write `program/criteria`: names as in the import format, numbers as text. None is the refusal 1101."""
    if program is None:
        code = code_for(Endpoint.CRITERIA, Refusal.PROGRAM_UNKNOWN)
        refused = item_status(False, code, message_for(Endpoint.CRITERIA, Refusal.PROGRAM_UNKNOWN))
        return write_response({"status": status_tree(500), "program": {"item_status": refused}}, fmt)
    tree = {
        "program_id": str(program.program_id),
        "program_name": program.name,
        "points_currency_ratio": None if program.ratio is None else plain_number(program.ratio),
        "decimals": str(program.decimals),
        "rounding": program.rounding.value,
        "redemption_enabled": boolean_text(program.redemption_enabled),
        "criteria": _criteria_tree(program.criteria),
        "tier_criteria": {tier: _criteria_tree(own) for tier, own in program.tier_criteria.items()},
        # Beside the fixed members: without them a till could not judge family groups and program groups.
        "default": boolean_text(program.is_default),
        "active": boolean_text(program.is_active),
        "family_groups_enabled": boolean_text(program.family_groups_enabled),
        "offline_redemption": boolean_text(program.offline_redemption),
        "item_status": item_status(True, code=800, message=message_for(Endpoint.CRITERIA, None)),
    }
    return write_response({"status": status_tree(200), "program": tree}, fmt)


_POINT_RULES: Final = ("minimum", "maximum", "multiple_of", "balance_required", "lifetime_points_required")
_PURCHASES_RULE: Final = "lifetime_purchases_required"


def _criteria_tree(criteria: Criteria) -> dict[str, Any]:
    """The rules there are; none and zero mean that there is none (section 10)."""
    tree: dict[str, Any] = {name: str(limit) for name in _POINT_RULES if (limit := getattr(criteria, name))}
    if criteria.lifetime_purchases_required:
        tree[_PURCHASES_RULE] = plain_number(criteria.lifetime_purchases_required)
    if criteria.ceilings:
        tree["ceilings"] = [_ceiling_tree(ceiling) for ceiling in criteria.ceilings]
    return tree


def _ceiling_tree(ceiling: Ceiling) -> dict[str, Any]:
    tree = {"period": ceiling.period.value, "points": str(ceiling.points)}
    if ceiling.period is CeilingPeriod.PAST_DAYS:
        tree["days"] = str(ceiling.days)
    return tree


def read_program(body: bytes) -> Program | None:
    """Read `program/criteria`; None: the service knows no such program, or refuses to tell.

    Raises:
        UnreadableAnswerError: it is no such answer, or a rule in it cannot be read: half the rules are none.
    """
    response = response_of(parse_answer(body))
    tree = object_or_none(response, "program")
    if tree is None:
        raise UnreadableAnswerError("program: expected an object")
    status = object_or_none(tree, "item_status")
    if status is not None and whole(status, "code") != 800:
        return None
    program_id = id_or_none(tree, "program_id")
    if program_id is None:
        raise UnreadableAnswerError("program_id: expected an id")
    ratio = number_or_none(tree, "points_currency_ratio")
    return Program(
        program_id=program_id,
        name=text(tree, "program_name"),
        is_default=bool(flag(tree, "default")),
        is_active=flag(tree, "active") is not False,
        ratio=ratio if ratio is not None and ratio > 0 else None,
        decimals=_decimals(tree),
        rounding=_word(Rounding, tree, "rounding", Rounding.HALF_UP),
        redemption_enabled=flag(tree, "redemption_enabled") is not False,
        family_groups_enabled=bool(flag(tree, "family_groups_enabled")),
        offline_redemption=bool(flag(tree, "offline_redemption")),
        criteria=_read_criteria(object_or_none(tree, "criteria") or {}),
        tier_criteria={
            tier: _read_criteria(own if isinstance(own, dict) else {})
            for tier, own in (object_or_none(tree, "tier_criteria") or {}).items()
        },
    )


def _decimals(tree: Tree) -> int:
    decimals = whole_or_none(tree, "decimals") or 0
    if not 0 <= decimals <= 3:
        raise UnreadableAnswerError("decimals: expected 0 to 3")
    return decimals


def _word(words: type[_Word], tree: Tree, name: str, default: _Word) -> _Word:
    found = text_or_none(tree, name)
    if found is None:
        return default
    try:
        return words(found)
    except ValueError:
        raise UnreadableAnswerError(f"{name}: expected one of {', '.join(words)}") from None


def _read_criteria(tree: Tree) -> Criteria:
    ceilings = [_read_ceiling(each) for each in list_of(tree, "ceilings", "ceiling")]
    rules = {name: points_or_none(tree, name) or None for name in _POINT_RULES}
    return Criteria(
        **rules,
        lifetime_purchases_required=number_or_none(tree, _PURCHASES_RULE) or None,
        ceilings=tuple(ceiling for ceiling in ceilings if ceiling.points),
    )


def _read_ceiling(tree: object) -> Ceiling:
    if not isinstance(tree, dict) or text_or_none(tree, "period") is None:
        raise UnreadableAnswerError("ceilings: expected a period")
    period = _word(CeilingPeriod, tree, "period", CeilingPeriod.DAY)
    days = whole_or_none(tree, "days") or 0
    return Ceiling(period, points(tree, "points"), days)
