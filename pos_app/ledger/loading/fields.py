"""Reads the fields of one import line, and says exactly what is wrong with one that cannot be read.

People's data are never echoed: of those fields a fault tells the kind of what was found, not the value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from pos_app.domain.points import POINTS_MAX, THOUSANDTHS, NotANumberError, Points, TooFineError, read_decimal
from pos_app.wire.formats import MalformedError, check_text

ID_MAX: Final = 2**63 - 1
HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
A_HASH: Final = "the hash an export wrote: 64 hexadecimal digits"
_SHOWN_MAX: Final = 40
_EXACT_MAX: Final = 100_000
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""With halves of surrogate pairs, which are no text."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class FaultyLineError(Exception):
    """One line cannot be taken: which field, what was found there, and what was expected."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        super().__init__(f"{field}: found {found}, expected {expected}")
        self.field = field
        self.found = found
        self.expected = expected


class Fields:
    """The members of one JSON object, each read once; `done` refuses those nobody asked for.

    Reading takes each member out of the object. Most of an import's time is spent here: what is absent, and where
    something is, must cost next to nothing.
    """

    __slots__ = ("_left", "_number", "_outer", "_own")

    def __init__(
        self, document: dict[str, Any], outer: Fields | None = None, own: str = "", number: int | None = None
    ) -> None:
        self._left = document
        self._outer = outer
        self._own = own
        self._number = number

    @property
    def unread(self) -> dict[str, Any]:
        """What nobody has read yet."""
        return self._left

    def path(self, name: str) -> str:
        """A field as faults name it: `wallets[0].lots[1].points`."""
        if self._outer is None:
            return name
        here = self._outer.path(self._own if self._number is None else f"{self._own}[{self._number}]")
        return f"{here}.{name}"

    def done(self) -> None:
        """Every field was read.

        Raises:
            FaultyLineError: there is one this kind does not have: a typing mistake must not lose data silently.
        """
        for name in self._left:
            raise FaultyLineError(self.path(str(name)[:_SHOWN_MAX]), "an unknown field", "only the fields of this kind")

    def has(self, name: str) -> bool:
        """Say whether the field is there and not null."""
        return self._left.get(name) is not None

    def text(
        self, name: str, *, required: bool = False, default: str = "", personal: bool = False, longest: int = 500
    ) -> str:
        """A text without spaces around it."""
        value = self._left.pop(name, None)
        if value is None:
            if required:
                self._refuse_missing(name)
            return default
        if not isinstance(value, str) or len(value) > longest or (required and not value.strip()):
            self.refuse(name, value, f"a text of 1 to {longest} characters", personal=personal)
        if not value.isprintable() and _CONTROL.search(value):  # Asked first because it is quick and nearly always so.
            self.refuse(name, "", "a text without control characters", personal=True)
        return str(value).strip()

    def exact(self, name: str) -> str | None:
        """A text as it stands, spaces and all: what tills sent, and compare by."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > _EXACT_MAX:
            self.refuse(name, value, f"a text of at most {_EXACT_MAX} characters", personal=True)
        try:
            return check_text(str(value), name)
        except MalformedError:
            self.refuse(name, "", "a text without control characters", personal=True)
            return None

    def secret(self, name: str, *, shape: re.Pattern[str], expected: str) -> str | None:
        """A hash an export wrote."""
        value = self._left.pop(name, None)
        if value is not None and (not isinstance(value, str) or not shape.fullmatch(value)):
            self.refuse(name, value, expected, personal=True)
        return None if value is None else str(value)

    def choice(self, name: str, options: Collection[str], *, default: str | None = None) -> str:
        """One of some words; required where there is no default."""
        value = self._left.pop(name, None)
        if value is None:
            if default is None:
                self._refuse_missing(name)
            return str(default)
        if value not in options:
            self.refuse(name, value, "one of " + ", ".join(options))
        return str(value)

    def integer(
        self, name: str, *, required: bool = False, low: int = 0, high: int = ID_MAX, default: int | None = None
    ) -> int | None:
        """A whole number within bounds."""
        value = self._left.pop(name, None)
        if value is None:
            if required:
                self._refuse_missing(name)
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(name, value, f"a whole number from {low} to {high}")
        return int(value)

    def number(self, name: str, *, low: int = 0, high: int = ID_MAX, default: int) -> int:
        """A whole number that has a default."""
        value = self.integer(name, low=low, high=high, default=default)
        return default if value is None else value

    def id(self, name: str) -> int:
        """A required id."""
        value = self.integer(name, required=True, low=1)
        if value is None:
            self.refuse(name, None, "an id")
        return int(value or 0)

    def boolean(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._left.pop(name, None)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, value, "true or false")
        return bool(value)

    def points(self, name: str, *, required: bool = False, low: int = 0) -> Points | None:
        """Points of at most three decimals, as number or text; `low` is in thousandths."""
        value = self._left.pop(name, None)
        if value is None:
            if required:
                self._refuse_missing(name)
            return None
        if type(value) is int and 0 < value <= POINTS_MAX:
            return Points(value * THOUSANDTHS)  # What nearly every file holds; the long way is for everything else.
        try:
            points = Points.of(value if isinstance(value, int | str | Decimal) else "")
        except (NotANumberError, TooFineError):
            points = Points(-1)
        if points.thousandths < low:
            self.refuse(name, value, f"points of at most three decimals, {'more than' if low else 'not below'} zero")
        return points

    def decimal(self, name: str, *, most: int | None = None, above_zero: bool = False) -> Decimal | None:
        """A decimal number that is not negative, as number or text."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        try:
            number = read_decimal(text if isinstance(value, int | str | Decimal) else "")
        except NotANumberError:  # What true and false read as, too.
            number = Decimal(-1)
        bound = "" if most is None else f" and at most {most}"
        if number < 0 or (most is not None and number > most) or (above_zero and not number):
            self.refuse(name, value, f"a number {'above' if above_zero else 'not below'} zero{bound}")
        return number

    def day(self, name: str) -> str | None:
        """A day, `YYYY-MM-DD`."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not is_day(value):
            self.refuse(name, value, "a day, YYYY-MM-DD")
        return str(value)

    def moment(self, name: str) -> datetime:
        """A required moment, ISO 8601 with its offset."""
        value = self._left.pop(name, None)
        if value is None:
            self._refuse_missing(name)
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.refuse(name, value, "a moment with its offset, such as 2026-11-22T10:00:00+05:30")
            raise AssertionError
        return moment

    def words(self, name: str, options: Collection[str] | None = None) -> tuple[str, ...]:
        """A list of texts, of some options where they are given."""
        found = []
        for number, value in enumerate(self._list(name)):
            is_fit = isinstance(value, str) and value and (options is None or value in options)
            if not is_fit:
                expected = "a text" if options is None else "one of " + ", ".join(options)
                self.refuse(f"{name}[{number}]", value, expected)
            found.append(str(value))
        return tuple(found)

    def objects(self, name: str, *, required: bool = False) -> list[Fields]:
        """A list of objects; each must be read and `done`."""
        values = self._list(name, required=required)
        if not values:
            return []
        for number, value in enumerate(values):
            if not isinstance(value, dict):
                self.refuse(f"{name}[{number}]", value, "an object")
        return [Fields(value, self, name, number) for number, value in enumerate(values)]

    def inner(self, name: str) -> Fields | None:
        """An object inside, None where there is none."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(name, value, "an object")
        return Fields(value, self, name)

    def by_name(self, name: str) -> Iterator[tuple[str, Fields]]:
        """An object from names to objects."""
        value = self._left.pop(name, None)
        if value is None:
            return
        if not isinstance(value, dict):
            self.refuse(name, value, "an object")
        for key, each in value.items():
            if not isinstance(each, dict):
                self.refuse(f"{name}.{key}", each, "an object")
            yield key, Fields(each, self, f"{name}.{key}")

    def refuse(self, name: str, value: object, expected: str, *, personal: bool = False) -> None:
        """Refuse the line for this field.

        Raises:
            FaultyLineError: always.
        """
        raise FaultyLineError(self.path(name), _kind(value) if personal else _shown(value), expected)

    def _list(self, name: str, *, required: bool = False) -> list[Any]:
        value = self._left.pop(name, None)
        if value is None:
            if required:
                self._refuse_missing(name)
            return []
        if not isinstance(value, list):
            self.refuse(name, value, "a list")
        return list(value)

    def _refuse_missing(self, name: str) -> None:
        raise FaultyLineError(self.path(name), "nothing", "a value: this field is required")


@lru_cache(maxsize=4096)  # Lots share few days.
def is_day(text: str) -> bool:
    """Say whether a text is a day of the calendar, YYYY-MM-DD."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _kind(value: object) -> str:
    """What sort of thing was found, for values that belong to people."""
    match value:
        case str():
            return f"a text of {len(value)} characters"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case None:
            return "nothing"
        case _:
            return "a list or an object"


def _shown(value: object) -> str:
    """What was found, for values that say nothing about a person."""
    if isinstance(value, str):
        return f'"{value[:_SHOWN_MAX]}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_SHOWN_MAX] if isinstance(value, int | Decimal) else _kind(value)
