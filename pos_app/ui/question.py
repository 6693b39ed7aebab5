"""Reads the entry column into the question of contract section 2, or says what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.money import minor_digits
from pos_app.domain.points import NotANumberError, Points, TooFineError, read_decimal
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    Amount,
    AskedPoints,
    AskedValue,
    CustomerRef,
    IdentifierKind,
    RedemptionRequest,
    UnreadableAmount,
    ValidationType,
)
from pos_app.ui.confirm_form import CALL
from pos_app.ui.entry_column import EntryColumn
from pos_app.ui.proofs import is_pass

CONTEXT: Final = "question"


@dataclass(frozen=True, slots=True)
class NotYet:
    """There is no question yet: `place` is "customer" or "amount", `sentence` says what to type there."""

    place: str
    sentence: str


def customer_of(entry: EntryColumn) -> CustomerRef | None:
    """Who was typed; None: nobody."""
    value = entry.customer.value
    return CustomerRef(IdentifierKind(entry.customer.kind), value) if value else None


def question_of(entry: EntryColumn, *, currency: str, whole_values_only: bool) -> RedemptionRequest | NotYet:
    """The question as it stands, without code and without asking for one.

    An amount of the wrong shape is part of the question (it is refused, 801 or 878); a value finer than the currency
    is told beside its field (check C28).
    """
    customer = customer_of(entry)
    if customer is None:
        return NotYet("customer", QCoreApplication.translate(CONTEXT, "Scan or type the customer first."))
    if is_pass(customer.value):
        sentence = QCoreApplication.translate(CONTEXT, "That is a pass. Press Enter in this field to use it.")
        return NotYet("customer", sentence)
    amount = _amount(entry, 0 if whole_values_only else minor_digits(currency))
    if isinstance(amount, NotYet):
        return amount
    return RedemptionRequest(
        customer=customer,
        amount=amount,
        program_id=entry.programs.program_id,
        program_group=entry.programs.is_program_group,
        family_group=entry.programs.family_group,
        validation_type=ValidationType.MISSED_CALL if entry.confirm.method == CALL else ValidationType.SMS,
    )


def is_same_purse(one: RedemptionRequest, other: RedemptionRequest) -> bool:
    """Say whether two questions are about the same points of the same customer: a code serves only there (2.6)."""
    return _purse(one) == _purse(other)


def _purse(question: RedemptionRequest) -> tuple[object, ...]:
    return (question.customer, question.program_id, question.program_group, question.family_group)


def with_points(question: RedemptionRequest, points: Points) -> RedemptionRequest:
    """The same question about a number of points."""
    return replace(question, amount=AskedPoints(points))


def _amount(entry: EntryColumn, decimals_max: int) -> Amount | NotYet:
    text = entry.points.text
    return _value(text, decimals_max) if entry.points.is_by_value else _points(text)


def _points(text: str) -> Amount:
    try:
        points = Points.of(text)
    except TooFineError:
        return UnreadableAmount(Refusal.POINTS_TOO_FINE)
    except NotANumberError:
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE)
    if points <= Points(0):
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, shown=points)
    return AskedPoints(points)


def _value(text: str, decimals_max: int) -> Amount | NotYet:
    try:
        value = read_decimal(text)
    except NotANumberError:
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)
    if value <= Decimal(0):
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals_max:
        return NotYet("amount", _too_fine(decimals_max))
    return AskedValue(value)


def _too_fine(decimals_max: int) -> str:
    if decimals_max == 0:
        return QCoreApplication.translate(CONTEXT, "Use a whole amount here, without decimals.")
    return QCoreApplication.translate(CONTEXT, "This currency has {count} decimals. Use no more.").format(
        count=decimals_max
    )
