"""Hides what names a person before it is shown; never left to the service (ux W12).

A.1: the last four of a mobile number or card, the first letter and the domain of an e-mail address.
"""

from __future__ import annotations

from typing import Final

from pos_app.domain.request import IdentifierKind

DOTS: Final = "....."
_MOBILE_HEAD_FROM: Final = 9
"""Shorter numbers show no head: two and four of seven digits would hide nothing worth hiding."""
_TAIL_FROM: Final = 7


def mask_mobile(mobile: str) -> str:
    """`98.....5205`: two digits, five dots whatever the length, four digits; short numbers show less or nothing."""
    digits = [char for char in mobile if char.isalnum()]
    if len(digits) < _TAIL_FROM:
        return DOTS if digits else ""
    head = "".join(digits[:2]) if len(digits) >= _MOBILE_HEAD_FROM else ""
    return f"{head}{DOTS}{''.join(digits[-4:])}"


def mask_email(email: str) -> str:
    """`t...@example.com`: the first letter and the domain; a text that is no address shows nothing but dots."""
    local, at, domain = email.strip().rpartition("@")
    if not at:
        return DOTS if email.strip() else ""
    return f"{local[:1]}...@{domain}"


def mask_card(number: str) -> str:
    """`...4411`: the last four of a card or of any other number that names a person; short ones show nothing."""
    trimmed = number.strip()
    if len(trimmed) < _TAIL_FROM:
        return DOTS if trimmed else ""
    return f"...{trimmed[-4:]}"


def mask(kind: IdentifierKind | str, value: str) -> str:
    """Mask an identifier by its kind; a kind that is not known is masked as a card."""
    if kind == IdentifierKind.MOBILE:
        return mask_mobile(value)
    if kind == IdentifierKind.EMAIL:
        return mask_email(value)
    return mask_card(value)


def short_name(first: str, last: str) -> str:
    """`Tom S.`: enough for the cashier to greet her by, not enough to find her by. Empty when no name is known."""
    first, last = first.strip(), last.strip()
    if not last:
        return first
    initial = f"{last[0]}."
    return f"{first} {initial}" if first else initial
