"""The parameters of a command, in the contract's names, as the values the services take (reliability 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.wire.formats import MalformedError
from pos_app.wire.parameters import filled
from pos_app.wire.requests import read_check

OTHER_NAMES: Final = {
    "points_redeemed": "points",
    "transaction_number": "bill",
    "user_id": "id",
    "customer_id": "id",
}
"""Further names of the contract; both are understood. `id` itself names the line, so a customer's number needs one."""


class BadParameterError(Exception):
    """A parameter cannot be used. The message names it and what is expected, never what was found."""


def texts(given: Mapping[str, object]) -> dict[str, str]:
    """The parameters as the contract's texts; null is not given, true and false are words.

    Raises:
        BadParameterError: a list, an object or a number with a fraction: points are text.
    """
    found = {name: _text(name, value) for name, value in given.items() if value is not None}
    return {OTHER_NAMES.get(name, name): text for name, text in found.items()}


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    raise BadParameterError(f"{name}: expected a text, a whole number, true or false.")


def request_of(given: Mapping[str, object]) -> RedemptionRequest:
    """The question of `check` and `redeem`.

    Raises:
        BadParameterError: the contract calls it malformed.
    """
    try:
        return read_check(texts(given))
    except MalformedError as wrong:
        raise BadParameterError(f"{wrong.field}: expected {wrong.expected}.") from None


def customer_of(given: Mapping[str, object]) -> CustomerRef:
    """The one identifier a command names.

    Raises:
        BadParameterError: none, or several.
    """
    try:
        named = filled(texts(given))
    except MalformedError as wrong:
        raise BadParameterError(f"{wrong.field}: expected {wrong.expected}.") from None
    if len(named) != 1:
        raise BadParameterError("customer: expected exactly one identifier.")
    return named[0]


def text_of(given: Mapping[str, object], name: str) -> str:
    """A text that must be there.

    Raises:
        BadParameterError: it is not.
    """
    found = text_or_none(given, name)
    if found is None:
        raise BadParameterError(f"{name}: expected a text.")
    return found


def text_or_none(given: Mapping[str, object], name: str) -> str | None:
    """A text, None where it is not given.

    Raises:
        BadParameterError: it is something else.
    """
    found = given.get(name)
    if found is None or isinstance(found, str):
        return found
    raise BadParameterError(f"{name}: expected a text.")


def number_of(given: Mapping[str, object], name: str) -> int:
    """A whole number that must be there, also written as a text.

    Raises:
        BadParameterError: it is not.
    """
    found = number_or_none(given, name)
    if found is None:
        raise BadParameterError(f"{name}: expected a whole number.")
    return found


def number_or_none(given: Mapping[str, object], name: str) -> int | None:
    """A whole number of at most 18 digits, None where it is not given.

    Raises:
        BadParameterError: it is something else.
    """
    found = given.get(name)
    if found is None:
        return None
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise BadParameterError(f"{name}: expected a whole number.")


def flag_of(given: Mapping[str, object], name: str) -> bool:
    """True or false; not given is false.

    Raises:
        BadParameterError: it is something else.
    """
    found = given.get(name)
    if found is None or isinstance(found, bool):
        return bool(found)
    raise BadParameterError(f"{name}: expected true or false.")
