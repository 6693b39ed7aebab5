"""Loosely typed values of answers, read strictly: 1.4 lets a number be text and a boolean be either.

Every function takes an object of an answer and the name of a member. What cannot be read as what it should be is
`UnreadableAnswerError`, which names the member and never says what stood there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from pos_app.domain.points import NotANumberError, Points, read_decimal
from pos_app.domain.request import ID_MAX
from pos_app.wire.formats import MalformedError, UnreadableAnswerError, plain_number
from pos_app.wire.moments import read_moment

Tree = Mapping[str, Any]

_NUMBER_MAX: Final = Decimal(10) ** 15


def _missing(name: str, expected: str) -> UnreadableAnswerError:
    return UnreadableAnswerError(f"{name}: expected {expected}")


def object_or_none(tree: Tree, name: str) -> Tree | None:
    """An object; a list of exactly one object counts as that object."""
    value = tree.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def list_of(tree: Tree, name: str, singular: str | None = None) -> list[Any]:
    """A list in any of its shapes: a list, one bare item, an enclosing object with a `singular`, or nothing."""
    value = tree.get(name)
    if singular is not None and isinstance(value, dict) and singular in value:
        value = value[singular]
    if value is None or value in ("", {}):
        return []
    return value if isinstance(value, list) else [value]


def text_or_none(tree: Tree, name: str) -> str | None:
    """A text; numbers count as their text; empty, null and absent are None."""
    value = tree.get(name)
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return plain_number(Decimal(value))


def text(tree: Tree, name: str) -> str:
    """A text, empty when unknown."""
    return text_or_none(tree, name) or ""


def flag(tree: Tree, name: str) -> bool | None:
    """A boolean or its text; None where there is neither."""
    value = tree.get(name)
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(text(tree, name).strip().lower())


def number_or_none(tree: Tree, name: str) -> Decimal | None:
    """A number or its text; None where there is nothing.

    Raises:
        UnreadableAnswerError: something stands there that is no number, or an absurdly large one.
    """
    value = tree.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, str):
            number = read_decimal(value)
        elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            number = Decimal(value)
        else:
            raise _missing(name, "a number")
    except NotANumberError:
        raise _missing(name, "a number") from None
    if abs(number) > _NUMBER_MAX:
        raise _missing(name, "a smaller number")
    return number


def number(tree: Tree, name: str) -> Decimal:
    """A number, 0 where there is nothing. Raises: as `number_or_none`."""
    found = number_or_none(tree, name)
    return Decimal(0) if found is None else found


def points_or_none(tree: Tree, name: str) -> Points | None:
    """Points; what is finer than a thousandth is cut off, downwards, so that nothing is promised too much.

    Raises:
        UnreadableAnswerError: as `number_or_none`.
    """
    found = number_or_none(tree, name)
    if found is None:
        return None
    try:
        return Points.of(found.quantize(Decimal("0.001"), ROUND_FLOOR))
    except NotANumberError:
        raise _missing(name, "fewer points") from None


def points(tree: Tree, name: str) -> Points:
    """Points, 0 where there is nothing. Raises: as `points_or_none`."""
    return points_or_none(tree, name) or Points(0)


def whole_or_none(tree: Tree, name: str) -> int | None:
    """A whole number or its text, such as an id or a code; None where there is nothing.

    Raises:
        UnreadableAnswerError: something else stands there.
    """
    found = number_or_none(tree, name)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise _missing(name, "a whole number")
    return int(found)


def whole(tree: Tree, name: str) -> int:
    """A whole number that must be there. Raises: UnreadableAnswerError."""
    found = whole_or_none(tree, name)
    if found is None:
        raise _missing(name, "a whole number")
    return found


def id_or_none(tree: Tree, name: str) -> int | None:
    """An id: digits, as text or number. None for anything else, since texts of other services may be no number."""
    digits = text(tree, name).strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= 19 and 0 < int(digits) <= ID_MAX:
        return int(digits)
    return None


def moment_or_none(tree: Tree, name: str) -> datetime | None:
    """A moment in UTC; None where there is nothing. Raises: UnreadableAnswerError."""
    found = text_or_none(tree, name)
    if found is None:
        return None
    try:
        return read_moment(found)
    except MalformedError:
        raise _missing(name, "a moment") from None


def moment(tree: Tree, name: str) -> datetime:
    """A moment that must be there. Raises: UnreadableAnswerError."""
    found = moment_or_none(tree, name)
    if found is None:
        raise _missing(name, "a moment")
    return found


def day_or_none(tree: Tree, name: str) -> date | None:
    """A day, `YYYY-MM-DD`, a time after it is ignored; None where there is nothing. Raises: UnreadableAnswerError."""
    found = text_or_none(tree, name)
    if found is None:
        return None
    try:
        return date.fromisoformat(found.strip()[:10])
    except ValueError:
        raise _missing(name, "a day") from None


def find_object(tree: object, name: str) -> Tree | None:
    """The first object called `name` at any depth (2.9): nearest the top, in the order in which they stand."""
    level = [tree]
    while level:
        deeper: list[object] = []
        for each in level:
            if isinstance(each, dict):
                found = object_or_none(each, name)
                if found is not None:
                    return found
                deeper.extend(each.values())
            elif isinstance(each, list):
                deeper.extend(each)
        level = deeper
    return None
