"""The line under the amount: what it is worth, and the rules that are known (ux B.1). No rule known: none shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.facts import Program
from pos_app.domain.money import points_for, worth_of
from pos_app.domain.request import Amount, AskedPoints, AskedValue
from pos_app.ui.formats import money_text, points_text

CONTEXT: Final = "rules"


def rule_line(program: Program | None, amount: Amount | None, *, currency: str, tier: str | None = None) -> str:
    """`= ₹250.00. Multiples of 10, most 200.` or as much as is known. Local arithmetic: the answer decides (W8)."""
    if program is None:
        return ""
    parts = [part for part in (_worth(program, amount, currency), _rules(program, tier)) if part]
    return " ".join(parts)


def _worth(program: Program, amount: Amount | None, currency: str) -> str:
    if program.ratio is None or program.ratio <= Decimal(0):
        return ""
    if isinstance(amount, AskedPoints):
        return _translated("= {worth}.").format(
            worth=money_text(worth_of(amount.points, program.ratio, currency), currency)
        )
    if isinstance(amount, AskedValue):
        points = points_for(amount.value, program.ratio, program.decimals, program.rounding)
        return _translated("= {points} points.").format(points=points_text(points, program.decimals))
    return ""


def _rules(program: Program, tier: str | None) -> str:
    if not program.are_rules_known:
        return ""
    rules = program.criteria_for(tier)
    shown = (
        (rules.multiple_of, "multiples of {points}"),
        (rules.minimum, "least {points}"),
        (rules.maximum, "most {points}"),
    )
    told = [
        _translated(sentence).format(points=points_text(points, program.decimals))
        for points, sentence in shown
        if points
    ]
    if not told:
        return ""
    line = _translated(", ").join(told)
    return _translated("{rules}.").format(rules=line[0].upper() + line[1:])


def _translated(sentence: str) -> str:
    return QCoreApplication.translate(CONTEXT, sentence)
