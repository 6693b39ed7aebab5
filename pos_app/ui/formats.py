"""Numbers, money, times and names of days as the screen writes them (ux A.2).

Money is a `Decimal` in the program's currency, formatted by Babel, never by way of a float; digits are Latin
everywhere, one policy for all. Babel is loaded with the first number that is shown, after the first paint.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Final
from unicodedata import bidirectional

from PySide6.QtCore import QLocale
from PySide6.QtGui import QGuiApplication

from pos_app.domain.money import minor_digits
from pos_app.domain.points import Points

NO_CURRENCY: Final = "XXX"
"""ISO 4217 for "no currency": what is known of an organisation that has not told its own."""

_LEFT_TO_RIGHT: Final = "\u2066"
_BY_ITS_FIRST_LETTER: Final = "\u2068"
_END_OF_ISOLATE: Final = "\u2069"


def locale_name() -> str:
    """The locale of the screen as Babel names it; English where it is not known."""
    return _known_locale(QLocale().name())


def points_text(points: Points, decimals: int = 0) -> str:
    """Points with the program's decimals, and more only where rounding would say something untrue."""
    number = points.decimal
    exponent = number.as_tuple().exponent
    needed = max(decimals, -exponent if isinstance(exponent, int) else 0)
    return isolated(_decimal_text(number, needed, locale_name()))


def count_text(count: int) -> str:
    """A count of things, grouped as the screen's language does: `12,300`."""
    return isolated(_decimal_text(Decimal(count), 0, locale_name()))


def money_text(amount: Decimal, currency: str) -> str:
    """An amount with its currency; only the number while the currency is not known."""
    if currency == NO_CURRENCY:
        return isolated(_decimal_text(amount, minor_digits(currency), locale_name()))
    from babel.numbers import format_currency  # Slow to load: see above.

    return isolated(str(format_currency(amount, currency, locale=locale_name())))


def time_text(moment: datetime, zone: tzinfo | None = None) -> str:
    """`10:42`, in the till's own zone unless another is given (house decision 13)."""
    return f"{moment.astimezone(zone):%H:%M}"


def time_s_text(moment: datetime, zone: tzinfo | None = None) -> str:
    """`10:42:07`."""
    return f"{moment.astimezone(zone):%H:%M:%S}"


def day_text(day: date) -> str:
    """`30 Nov`."""
    return f"{day.day} {QLocale().monthName(day.month, QLocale.FormatType.ShortFormat)}"


def day_words(day: date) -> str:
    """`30 November`, for a screen reader."""
    return f"{day.day} {QLocale().monthName(day.month, QLocale.FormatType.LongFormat)}"


def isolated_words(text: str) -> str:
    """Keep a name that runs the other way than the screen in one piece inside a sentence; else `text` itself."""
    runs_left = any(bidirectional(char) in ("R", "AL") for char in text)
    is_mirrored = QGuiApplication.isRightToLeft()
    return f"{_BY_ITS_FIRST_LETTER}{text}{_END_OF_ISOLATE}" if text and runs_left != is_mirrored else text


def isolated(text: str) -> str:
    """Keep identifiers, codes, numbers and money left to right inside a mirrored screen; else `text` itself."""
    if text and QGuiApplication.isRightToLeft():
        return f"{_LEFT_TO_RIGHT}{text}{_END_OF_ISOLATE}"
    return text


@cache
def _known_locale(name: str) -> str:
    from babel.core import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(name))
    except (UnknownLocaleError, ValueError):
        return "en_US"


def _decimal_text(number: Decimal, decimals: int, locale: str) -> str:
    from babel.numbers import format_decimal

    pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
    if locale.endswith("_IN"):
        pattern = pattern.replace("#,##0", "#,##,##0")
    return str(format_decimal(number, format=pattern, locale=locale))
