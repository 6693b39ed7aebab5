"""Contract 2.1 at the HTTP face, row by row: which customer is meant."""

from __future__ import annotations

import pytest
from support.http_counter import FORMATS, HttpCounter
from support.row_ledgers import Ledgers
from support.row_shops import (
    TOM,
    a_shop,
)


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        *((TOM, 800), ("mobile=919777785205", 800), ("mobile=%2B919777785205", 800), ("mobile=+919777785205", 800)),
        *(("mobile=%2B91%2097777-85205", 800), ("mobile=97777x5205", 802), ("mobile=nobody", 802)),
        *(("email=Tom.Sawyer%40EXAMPLE.org", 800), ("email=tom.example.org", 802), ("email=no%40example.org", 889)),
        *(("external_id=434547", 800), ("external_id=434548", 889), ("external_id=%20434547%20", 800)),
        *(("card_number=6002", 800), ("card_number=6001", 802), ("card_number=6003", 889)),
        *(("card_external_id=X2", 800), ("card_external_id=X1", 802), ("card_external_id=X3", 889)),
        *(("id=50001", 800), ("id=abc", 802), ("id=-1", 802), ("id=99999999999999999999", 802), ("id=50009", 889)),
        ("mobile=9000000001", 889),
        # One customer a call: a list of them is no number (1.1, "Batch").
        *(("mobile=9777785205,9000000002", 802), ("id=50001,50002", 802), ("external_id=434547,1", 889)),
        ("mobile=null&email=&id=50001", 800),
    ],
)
def test_2_1_identifiers(reader: HttpCounter, query: str, code: int, fmt: str) -> None:
    counter = reader.reading(fmt)
    told = counter.check(f"{query}&points=10")
    assert told.row == (200, 200, "true", 800) if code == 800 else (200, 500, "false", code)
    if code == 800:
        assert told.item["mobile"] == "919777785205"


@pytest.mark.parametrize("query", ["", "mobile=", "mobile=null&email=%20", f"{TOM}&id=50001", f"{TOM}&email=x"])
def test_2_1_exactly_one_identifier(reader: HttpCounter, query: str) -> None:
    assert reader.check(f"{query}&points=10").status == 400


@pytest.mark.parametrize("fmt", FORMATS)
def test_2_1_nobody_is_echoed_and_worth_nothing(reader: HttpCounter, fmt: str) -> None:
    counter = reader.reading(fmt)
    told = counter.check("mobile=9000000001&points=10")
    assert told.words.startswith("Points processing failed, Please try again later")
    assert (told.item["mobile"], told.item["email"], told.item["external_id"]) == ("9000000001", "", "")
    assert (str(told.item["points_redeem_value"]), told.item["is_redeemable"]) == ("0", "false")
