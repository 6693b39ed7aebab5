"""Worth and the way back, with the rounding of contract 2.7 and section 10."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import points

from pos_app.domain.money import Rounding, minor_digits, points_for, round_money, worth_of
from pos_app.domain.points import POINTS_MAX, NotANumberError, Points


@pytest.mark.parametrize(("currency", "digits"), [("INR", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("XXX", 2)])
def test_a_currency_has_its_minor_unit(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "INR", "1.01"),
        ("1.0049", "INR", "1.00"),
        ("0.5", "JPY", "1"),
        ("0.4", "JPY", "0"),
        ("1.0005", "KWD", "1.001"),
        ("-1.005", "INR", "-1.01"),
    ],
)
def test_money_is_rounded_half_up_to_its_minor_unit(amount: str, currency: str, rounded: str) -> None:
    answer = round_money(Decimal(amount), currency)
    assert answer == Decimal(rounded)
    assert answer.as_tuple().exponent == -minor_digits(currency)


def test_the_documented_worth_of_120_points_at_a_half() -> None:
    assert worth_of(points(120), Decimal("0.5"), "INR") == Decimal(60)


def test_a_ratio_of_ten_decimals_is_used_whole() -> None:
    assert worth_of(points(10**12), Decimal("0.0000000001"), "INR") == Decimal(100)
    assert worth_of(points("0.001"), Decimal("4.9999999999"), "INR") == Decimal("0.00")


@pytest.mark.parametrize(
    ("value", "decimals", "rounding", "count"),
    [
        ("2.5", 0, Rounding.HALF_UP, "3"),
        ("2.5", 0, Rounding.HALF_DOWN, "2"),
        ("2.5", 0, Rounding.HALF_EVEN, "2"),
        ("3.5", 0, Rounding.HALF_EVEN, "4"),
        ("2.9", 0, Rounding.FLOOR, "2"),
        ("2.1", 0, Rounding.CEILING, "3"),
        ("2.25", 1, Rounding.HALF_UP, "2.3"),
        ("2.0005", 3, Rounding.HALF_UP, "2.001"),
        ("2.0005", 3, Rounding.FLOOR, "2"),
    ],
)
def test_points_for_money_are_rounded_as_the_program_says(
    value: str, decimals: int, rounding: Rounding, count: str
) -> None:
    assert points_for(Decimal(value), Decimal(1), decimals, rounding) == points(count)


def test_points_for_money_go_by_the_ratio() -> None:
    assert points_for(Decimal(10), Decimal("0.3"), 2, Rounding.HALF_UP) == points("33.33")


def test_money_for_more_points_than_there_can_be_is_no_number_of_points() -> None:
    assert points_for(Decimal(POINTS_MAX), Decimal(1), 0, Rounding.HALF_UP) == Points.of(POINTS_MAX)
    with pytest.raises(NotANumberError):
        points_for(Decimal(POINTS_MAX + 1), Decimal(1), 3, Rounding.HALF_UP)
    with pytest.raises(NotANumberError):
        points_for(Decimal(10**39), Decimal("0.0000000001"), 3, Rounding.HALF_UP)


@given(
    st.integers(1, 10**9).map(lambda cents: Decimal(cents) / 100),
    st.integers(1, 10**6).map(lambda count: Decimal(count) / 1000),
    st.integers(0, 3),
    st.sampled_from(Rounding),
)
def test_rounding_moves_points_by_less_than_one_step(
    value: Decimal, ratio: Decimal, decimals: int, rounding: Rounding
) -> None:
    answer = points_for(value, ratio, decimals, rounding).decimal
    step = Decimal(1).scaleb(-decimals)
    assert abs(answer - value / ratio) < step
    assert answer % step == 0
    if rounding is Rounding.FLOOR:
        assert answer * ratio <= value
