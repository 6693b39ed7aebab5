"""Points are exact to a thousandth, and a number is read only when it is plainly one (contract 1.4, 2.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_app.domain.points import POINTS_MAX, ZERO, NotANumberError, Points, TooFineError, read_decimal, total

whole = st.integers(-(10**15), 10**15).map(Points)


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [
        ("10", 10_000),
        ("+10", 10_000),
        (" 10 ", 10_000),
        ("10.0", 10_000),
        ("10.", 10_000),
        (".5", 500),
        ("-2.125", -2125),
        ("0.0010000", 1),
        ("000012", 12_000),
        ("1000000000000", 10**15),
        ("-0", 0),
    ],
)
def test_plain_numbers_are_read(text: str, thousandths: int) -> None:
    assert Points.of(text) == Points(thousandths)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-",
        "ten",
        "1,000",
        "1 000",
        "1e3",
        "1E3",
        "0x10",
        "١٢",
        "NaN",
        "Infinity",
        "1_000",
        "--1",
        "1.2.3",
    ],
)
def test_anything_else_is_not_a_number(text: str) -> None:
    with pytest.raises(NotANumberError):
        Points.of(text)


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_a_decimal_that_is_no_number_is_not_points(number: Decimal) -> None:
    with pytest.raises(NotANumberError):
        Points.of(number)


@pytest.mark.parametrize("truth", [True, False])
def test_a_truth_value_is_not_points(truth: bool) -> None:
    with pytest.raises(NotANumberError):
        Points.of(truth)


@pytest.mark.parametrize("count", [POINTS_MAX + 1, -POINTS_MAX - 1, Decimal("1e999999")])
def test_absurdly_many_points_are_not_points(count: int | Decimal) -> None:
    with pytest.raises(NotANumberError):
        Points.of(count)


def test_a_text_of_more_than_forty_characters_is_not_read() -> None:
    assert read_decimal("0" * 39 + "1") == 1
    with pytest.raises(NotANumberError):
        read_decimal("0" * 40 + "1")


@pytest.mark.parametrize(
    "count",
    ["0.0001", "1.2345", "100000000000.00000000000000000000001", Decimal("1e-999999"), Decimal("0.0005")],
)
def test_a_fourth_decimal_is_too_fine_however_far_out_it_stands(count: str | Decimal) -> None:
    with pytest.raises(TooFineError):
        Points.of(count)


def test_trouble_in_reading_names_no_number() -> None:
    with pytest.raises(NotANumberError) as caught:
        Points.of("919812345678x")
    assert "9198" not in str(caught.value)


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (Points(0), "0"),
        (Points(120_000), "120"),
        (Points(12_500), "12.5"),
        (Points(1), "0.001"),
        (Points(-500), "-0.5"),
        (Points(-120_000), "-120"),
        (Points(10**15), "1000000000000"),
        (Points(100_010), "100.01"),
    ],
)
def test_points_are_written_plainly(points: Points, text: str) -> None:
    assert str(points) == text


@given(whole)
def test_what_is_written_is_read_back(points: Points) -> None:
    assert Points.of(str(points)) == points
    assert Points.of(points.decimal) == points
    assert points.decimal * 1000 == points.thousandths


@given(whole, whole)
def test_adding_and_taking_away_are_exact(one: Points, other: Points) -> None:
    assert one + other - other == one
    assert (one + other).decimal == one.decimal + other.decimal
    assert (one < other) == (one.decimal < other.decimal)


@given(st.lists(whole, max_size=8))
def test_a_total_is_the_sum(amounts: list[Points]) -> None:
    assert total(amounts).thousandths == sum(each.thousandths for each in amounts)


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_multiples_are_exact(count: int, step: int) -> None:
    assert Points(count).is_multiple_of(Points(step)) == ((Decimal(count) / 1000) % (Decimal(step) / 1000) == 0)


def test_everything_is_a_multiple_of_no_step() -> None:
    assert Points(7).is_multiple_of(ZERO)


def test_only_zero_points_are_falsy() -> None:
    assert not ZERO
    assert Points(1)
    assert Points(-1)
