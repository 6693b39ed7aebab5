"""Contract 2.2 and 2.7 at the HTTP face, row by row: how many points, or what they shall be worth."""

from __future__ import annotations

import pytest
from support.http_counter import FORMATS, HttpCounter
from support.ledger_server import a_till
from support.row_ledgers import Ledgers
from support.row_shops import (
    SILVER,
    TOM,
    UNSET,
    a_shop,
)


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.mark.parametrize(
    ("asked", "code", "echo"),
    [
        *(("10", 800, 10), ("10.0", 800, 10), ("10.000", 800, 10), ("+10", 800, 10), ("%2B10", 800, 10)),
        *(("%2010%20", 800, 10), ("0010", 800, 10), ("10.125", 800, 10.125), ("10.1255", 878, 10.125)),
        *(("0", 801, 0), ("-10", 801, -10), ("", 801, 0), ("null", 801, 0), ("ten", 801, 0), ("1,000", 801, 0)),
        *(("1e1", 801, 0), ("0x10", 801, 0), ("NaN", 801, 0), ("Infinity", 801, 0), ("1_0", 801, 0), ("-", 801, 0)),
        *(("\u0661\u0660", 801, 0), ("0.0001", 878, 0), ("9" * 39, 801, 0), ("1" + "0" * 30, 801, 0)),
    ],
)
def test_2_2_points(reader: HttpCounter, asked: str, code: int, echo: float) -> None:
    query = f"{TOM}&program_id={SILVER}&points={asked}".encode().decode("latin-1")
    told = reader.check(query)
    assert (told.http, told.code, told.item["points"]) == (200, code, echo)


def test_2_2_missing_points_are_801(reader: HttpCounter) -> None:
    assert reader.check(TOM).row == (200, 500, "false", 801)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code", "points", "value"),
    [
        ("currency_input=true&currency_value=5", 800, "20", "5"),
        ("currency_input=true&currency_value=5&points=nonsense", 800, "20", "5"),
        ("currency_input=true&currency_value=5.02", 800, "20.1", "5.03"),
        ("currency_input=true&currency_value=1000", 818, "4000", "0"),
        ("currency_input=true&currency_value=0", 801, "0", "0"),
        ("currency_input=true&currency_value=-5", 801, "0", "0"),
        ("currency_input=true&currency_value=five", 801, "0", "0"),
        ("currency_input=true&currency_value=0.001", 801, "0", "0"),
        ("currency_value=5&points=8", 800, "8", "2"),
        ("currency_input=false&currency_value=nonsense&points=8", 800, "8", "2"),
    ],
)
def test_2_7_currency_input(reader: HttpCounter, fmt: str, query: str, code: int, points: str, value: str) -> None:
    counter = reader.reading(fmt)
    told = counter.check(f"{TOM}&program_id={SILVER}&{query}")
    assert told.code == code
    assert (str(told.item["points"]), str(told.item["points_redeem_value"])) == (points, value)
    assert told.item["input_type"] == ("currency" if "currency_input=true" in query else "points")
    assert told.item["points_currency_ratio"] == "0.25"


@pytest.mark.parametrize("value", ["", "&currency_value=", "&currency_value=null"])
def test_2_7_a_value_that_is_missing_is_malformed(reader: HttpCounter, value: str) -> None:
    assert reader.check(f"{TOM}&currency_input=true{value}").status == 400


def test_2_7_without_a_ratio_a_value_means_nothing_and_points_still_do(reader: HttpCounter) -> None:
    by_value = reader.check(f"{TOM}&program_id={UNSET}&currency_input=true&currency_value=5")
    by_points = reader.check(f"{TOM}&program_id={UNSET}&points=5")
    assert (by_value.code, by_value.item["points_currency_ratio"]) == (872, "0")
    assert (by_points.code, by_points.item["points_redeem_value"]) == (800, 0)


def test_2_7_the_till_is_paid_in_its_own_currency(ledgers: Ledgers) -> None:
    with ledgers.counter([*a_shop(), a_till(currency="USD", currency_rate="0.0125")]) as counter:
        item = counter.check(f"{TOM}&points=50").item
        assert (item["points_redeem_value"], item["points_redeem_local_value"]) == (50, 0.63)
