"""Whether an answer is the answer to this redemption (reliability 4.2, "What an answer means").

Our ledger repeats the key: nothing else counts. Another service cannot; there a yes must name the customer and the
points that were asked for and carry a redemption id, and a no must not name somebody else.
"""

from __future__ import annotations

from typing import Final

from pos_app.domain.answers import RedeemAnswer, ReverseAnswer
from pos_app.domain.commands import Redeem, Reverse
from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind

_TAIL: Final = 7
"""Two spellings of one mobile number (country code, trunk zero) differ in front; so many digits at the end agree."""


def is_answer_to(command: Redeem, answer: RedeemAnswer, *, must_echo: bool) -> bool:
    """Say whether a readable answer may be believed to belong to `command`."""
    if must_echo:
        return answer.extension is not None and answer.extension.key == command.key
    named = _named(command.request.customer, answer)
    if answer.refusal is not None:
        return named is not False
    return (
        answer.redemption_id is not None
        and isinstance(command.request.amount, AskedPoints)
        and answer.points == command.request.amount.points
        and named is True
    )


def is_reversal_of(command: Reverse, answer: ReverseAnswer, *, must_echo: bool) -> bool:
    """Say the same of a reversal. Without an echo a yes must name the redemption and have a number of its own."""
    if must_echo:
        return answer.extension is not None and answer.extension.key == command.key
    if answer.refusal is not None:
        return True
    is_amount = not isinstance(command.points, Points) or answer.asked == command.points
    return answer.redemption_id == command.redemption_id and answer.reversal_id is not None and is_amount


def _named(asked: CustomerRef, answer: RedeemAnswer) -> bool | None:
    """Say whether the answer names the customer who was asked for; None: it does not name her in that way."""
    match asked.kind:
        case IdentifierKind.MOBILE:
            return _same_number(asked.value, answer.identity.mobile)
        case IdentifierKind.EMAIL:
            told = answer.identity.email
            return told.strip().lower() == asked.value.strip().lower() if told else None
        case IdentifierKind.EXTERNAL_ID:
            told = answer.identity.external_id
            return told == asked.value if told else None
        case IdentifierKind.ID:
            return None if answer.customer_id is None else str(answer.customer_id) == asked.value.lstrip("0")
        case _:  # No answer tells a card's number: naming anybody has to do.
            identity = answer.identity
            is_somebody = answer.customer_id is not None or identity.mobile or identity.email or identity.external_id
            return True if is_somebody else None


def _same_number(asked: str, told: str) -> bool | None:
    """Compare two mobile numbers; a service may mask all but the last digits (ux W12)."""
    tail = ""
    for character in reversed(told):
        if character.isdigit():
            tail = character + tail
        elif character not in " -.()":
            break
    digits = "".join(each for each in asked if each.isdigit())
    if not tail:
        return None
    length = min(_TAIL, len(tail), len(digits))
    return tail[-length:] == digits[-length:]
