"""Contract 4 at the HTTP face, row by row: the body of a redemption and what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.http_counter import FORMATS, HttpCounter
from support.row_ledgers import Ledgers
from support.row_shops import (
    KEY,
    a_moving_shop,
)


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found


ITEM = {"points_redeemed": "10", "customer": {"mobile": "9777785205"}}
XML_ITEM = "<points_redeemed>10</points_redeemed><customer><mobile>9777785205</mobile></customer>"


@pytest.mark.parametrize(
    ("body", "http"),
    [
        *(({"root": {"redeem": [ITEM]}}, 200), ({"root": {"redeem": ITEM}}, 200), ({"redeem": [ITEM]}, 200)),
        *(({"root": {"redeem": [ITEM, ITEM]}}, 400), ({"root": {"redeem": []}}, 400), ({"root": {}}, 400)),
        *(({}, 400), ([ITEM], 400), ({"root": {"redeem": "10"}}, 400), ({"root": {"redeem": [[ITEM]]}}, 400)),
        *((b"", 400), (b"{", 400), (b"redeem=10", 400), (b'"x"', 400)),
        (f"<root><redeem>{XML_ITEM}</redeem></root>".encode(), 200),
        (f"<root><redeem>{XML_ITEM}</redeem><redeem>{XML_ITEM}</redeem></root>".encode(), 400),
        (f"<root><redeem><element>{XML_ITEM}</element></redeem></root>".encode(), 200),
        (f"<root><redeem><element>{XML_ITEM}</element><element>{XML_ITEM}</element></redeem></root>".encode(), 400),
        (b"<root></root>", 400),
    ],
)
@pytest.mark.parametrize("fmt", FORMATS)
def test_4_one_redemption_in_an_array_or_bare(counter: HttpCounter, body: object, http: int, fmt: str) -> None:
    told = counter.reading(fmt).redeem_body(body)
    assert told.http == http
    assert counter.balance() == ("490" if http == 200 else "500")


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        *((10, 800), ("10", 800), ("10.000", 800), (" 10 ", 800), ("+10", 800), (10.0, 800), (None, 801), ("", 801)),
        *((0, 801), (-10, 801), ("ten", 801), ("1e1", 801), (True, 801), ([], 801), ("10.1255", 878), (10.1255, 878)),
        *((11, 807), (510, 818)),
    ],
)
def test_4_points_redeemed(counter: HttpCounter, asked: object, code: int, fmt: str) -> None:
    told = counter.reading(fmt).redeem(points_redeemed=asked)
    assert told.row == ((200, 200, "true", 800) if code == 800 else (200, 500, "false", code))


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("customer", "code"),
    [
        *(({"mobile": "9777785205", "email": "", "external_id": "", "card_number": None}, 800), ({"id": 50001}, 800)),
        *(({"email": "tom.sawyer@example.org"}, 800), ({"external_id": "434547"}, 800), ({"card_number": "6001"}, 800)),
        *(({"card_external_id": "X1"}, 800), ({"mobile": 9777785205}, 800), ({"mobile": "null", "id": "50001"}, 800)),
        # Two filled ones of one customer; then one of nobody, who is not someone else; then of someone else.
        ({"mobile": "9777785205", "email": "tom.sawyer@example.org", "id": "50001"}, 800),
        ({"mobile": "9777785205", "external_id": "nobody's"}, 800),
        *(({"mobile": "9777785205", "id": 50002}, 904), ({"id": 50001, "mobile": "9000000002"}, 904)),
        ({"mobile": "9000000009", "id": "50001"}, 816),
        *(({"mobile": "9000000009"}, 816), ({"mobile": "abc"}, 802), ({"email": "nobody"}, 802), ({"id": "x"}, 802)),
        *(({"mobile": "9000000003"}, 881), ({"mobile": "9000000004"}, 686), ({"mobile": "9000000005"}, 3045)),
    ],
)
def test_4_the_first_filled_identifier_wins(
    counter: HttpCounter, customer: dict[str, object], code: int, fmt: str
) -> None:
    told = counter.reading(fmt).redeem(customer=customer)
    assert told.row == ((200, 200, "true", 800) if code == 800 else (200, 500, "false", code))


@pytest.mark.parametrize("customer", [None, {}, "9777785205", {"mobile": ""}, {"phone": "9777785205"}, [], 5])
def test_4_a_redemption_of_nobody_is_malformed(counter: HttpCounter, customer: object) -> None:
    assert counter.redeem(customer=customer).http == 400


@pytest.mark.parametrize("fmt", FORMATS)
def test_4_a_failure_keeps_the_shape(counter: HttpCounter, fmt: str) -> None:
    item = dict(counter.reading(fmt).redeem(points_redeemed="11").item)
    status = item.pop("item_status")
    assert (status["success"], int(status["code"])) == ("false", 807)
    effects = item.pop("side_effects")
    assert effects in ({"effect": []}, "")
    assert {name: "" if value is None else str(value) for name, value in item.items()} == {
        "mobile": "919777785205",
        "email": "tom.sawyer@example.org",
        "external_id": "434547",
        "user_id": "",
        "points_redeemed": "11",
        "redemption_purpose": "",
        "redeemed_value": "0",
        "redeemed_local_value": "0",
        "balance": "500",
    }


@pytest.mark.parametrize("fmt", FORMATS)
def test_4_a_success_in_both_formats(counter: HttpCounter, fmt: str) -> None:
    told = counter.reading(fmt).redeem(transaction_number="B-77", external_reference_number=KEY)
    item = dict(told.item)
    assert (told.row, told.words) == ((200, 200, "true", 800), "Points Redeemed")
    effect = item["side_effects"]["effect"]
    (effect,) = effect if isinstance(effect, list) else [effect]
    assert {name: str(value) for name, value in effect.items()} == {
        "id": str(effect["id"]),
        "case_value": "false",
        "num_points": "10",
        "currency_value": "10",
        "validation_code": "",
        "points_redemption_summary_id": str(effect["id"]),
        "redeemed_on_bill_number": "B-77",
        "redeemed_on_bill_id": "-1",
        "type": "points",
    }
    assert (item["user_id"], item["points_redeemed"], str(item["balance"])) == ("50001", "10", "490")
    assert "is_group_redemption" not in item


@pytest.mark.parametrize(
    ("time", "code"),
    [
        *((None, 800), ("", 800), ("null", 800), ("2026-11-22 15:30:00", 800), ("2026-11-22T10:00:00Z", 800)),
        *(("2026-11-22 15:35:00", 800), ("2026-11-22 15:35:01", 859), ("2026-11-22T10:05:00+00:00", 800)),
        *(("2026-11-19 15:30:00", 800), ("2026-11-19 15:29:59", 859), ("0001-01-01 00:00:00", 859)),
        *(("9999-12-31 23:59:59", 859), ("2026-11-22T15:30:00.1234567+05:30", 800)),
    ],
)
def test_4_the_time_of_a_redemption_lies_in_a_window(counter: HttpCounter, time: str | None, code: int) -> None:
    assert counter.redeem(redemption_time=time).code == code


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01 00:00:00", "22.11.2026", "1763805600", {"a": 1}])
def test_4_a_time_that_is_none_is_malformed(counter: HttpCounter, time: object) -> None:
    assert counter.redeem(redemption_time=time).http == 400


def test_4_other_members_and_custom_fields_are_taken_or_ignored(counter: HttpCounter) -> None:
    told = counter.redeem(
        till_id="t-1",
        notes="",
        colour="red",
        custom_fields={"field": [{"name": "a", "value": "b"}, {"name": "c", "value": None}]},
    )
    assert told.code == 800
