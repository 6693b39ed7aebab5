"""How identifiers are kept and compared: the cache's half of contract 2.1.

A mobile number is kept as its digits, without `+`, `00`, a trunk `0`, spaces and the like, and compared in every form
the digits allow. A telephone library would know more of countries, but costs more than the whole lookup; a number that
matches nobody here is simply asked of the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pos_app.domain.facts import Customer
from pos_app.domain.request import CustomerRef, IdentifierKind

_NO_DIGITS: Final = re.compile(r"[^0-9]+")
_SUBSCRIBER_DIGITS_MIN: Final = 6
"""What is left after a country code must still be a number: `9198...` of ten digits is national, not India's code."""


def kept_value(kind: IdentifierKind, value: str) -> str:
    """The form in which an identifier is kept; empty when there is nothing to keep."""
    match kind:
        case IdentifierKind.MOBILE:
            return _NO_DIGITS.sub("", value).lstrip("0")
        case IdentifierKind.EMAIL:
            return value.strip().casefold()
        case _:
            return value.strip()


def forms_of(customer: CustomerRef, country_code: str) -> tuple[str, ...]:
    """The kept forms that name the same customer, the surest first.

    `country_code` is the organisation's, digits or empty. A number with `+` or `00` already has one.
    """
    value = kept_value(customer.kind, customer.value)
    code = country_code.lstrip("+0")
    if customer.kind is not IdentifierKind.MOBILE or not value or not code:
        return (value,)
    written = customer.value.lstrip(" (")
    is_international = written.startswith(("+", "00"))
    is_trunk = written.startswith("0") and not is_international
    forms = [value]
    if not is_international:
        forms.append(code + value)
    if not is_trunk and value.startswith(code) and len(value) - len(code) >= _SUBSCRIBER_DIGITS_MIN:
        forms.append(value[len(code) :])
    return tuple(forms)


def identifiers_of(customer: Customer) -> Iterator[tuple[IdentifierKind, str]]:
    """The identifiers a customer carries herself, in their kept form."""
    carried = (
        (IdentifierKind.MOBILE, customer.mobile),
        (IdentifierKind.EMAIL, customer.email),
        (IdentifierKind.EXTERNAL_ID, customer.external_id),
        *((IdentifierKind.CARD_NUMBER, card) for card in customer.cards),
    )
    for kind, value in carried:
        kept = kept_value(kind, value)
        if kept:
            yield kind, kept
