"""Numbers, money and times as the screen writes them (ux A.2): exact, in Latin digits, left to right when mirrored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication

from pos_app.domain.points import Points
from pos_app.ui import formats


@pytest.fixture
def locale() -> Iterator[type[QLocale]]:
    before = QLocale()
    yield QLocale
    QLocale.setDefault(before)


def test_money_never_passes_through_a_float(qapp: QApplication) -> None:
    assert formats.money_text(Decimal("90071992547409.93"), "INR") == "₹90,071,992,547,409.93"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [("250", "INR", "₹250.00"), ("1000", "JPY", "¥1,000"), ("1.5", "KWD", "KWD1.500"), ("12.5", "XXX", "12.50")],
)
def test_money_has_its_currencys_decimals(qapp: QApplication, amount: str, currency: str, shown: str) -> None:
    assert formats.money_text(Decimal(amount), currency).replace("\xa0", "") == shown


@pytest.mark.parametrize(
    ("points", "decimals", "shown"),
    [
        ("1240", 0, "1,240"),
        ("180", 2, "180.00"),
        ("12.5", 0, "12.5"),
        ("0.125", 2, "0.125"),
        ("1000000", 0, "1,000,000"),
    ],
)
def test_points_have_the_programs_decimals_and_never_lose_any(
    qapp: QApplication, points: str, decimals: int, shown: str
) -> None:
    assert formats.points_text(Points.of(points), decimals) == shown


def test_arabic_screens_use_latin_digits_and_keep_numbers_left_to_right(
    qapp: QApplication, locale: type[QLocale]
) -> None:
    locale.setDefault(QLocale("ar_EG"))
    assert set("1240") <= set(formats.points_text(Points.of(1240)))
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        assert formats.isolated("98.....5205") == "\u206698.....5205\u2069"
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    assert formats.isolated("98.....5205") == "98.....5205"


def test_indian_english_groups_in_its_own_way(qapp: QApplication, locale: type[QLocale]) -> None:
    locale.setDefault(QLocale("en_IN"))
    assert formats.points_text(Points.of(1234567)) == "12,34,567"


def test_times_are_the_tills_own_zones_unless_another_is_given() -> None:
    moment = datetime(2026, 11, 22, 10, 42, 7, tzinfo=UTC)
    assert formats.time_text(moment, UTC) == "10:42"
    assert formats.time_s_text(moment, UTC) == "10:42:07"
    assert formats.time_text(moment) == f"{moment.astimezone():%H:%M}"


def test_days_are_told_in_words(qapp: QApplication) -> None:
    assert formats.day_text(date(2026, 11, 30)) == "30 Nov"
    assert formats.day_words(date(2026, 11, 30)) == "30 November"


@pytest.mark.parametrize("name", ["ليلى ح.", "דנה כ."])
def test_a_name_that_runs_the_other_way_stays_in_one_piece_inside_a_sentence(qapp: QApplication, name: str) -> None:
    assert formats.isolated_words(name) == f"\u2068{name}\u2069"
    assert formats.isolated_words("Ada F.") == "Ada F."
    assert formats.isolated_words("") == ""
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        assert formats.isolated_words(name) == name
        assert formats.isolated_words("Ada F.") == "\u2068Ada F.\u2069"
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
