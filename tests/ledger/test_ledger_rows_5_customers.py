"""Contract 5 at the HTTP face, row by row: looking a customer up."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from support.http_counter import CUSTOMER, FORMATS, HttpCounter
from support.row_ledgers import Ledgers
from support.row_shops import MARKED, TOM, a_moving_shop, a_person


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found


ALL = "user_id=true&mlp=true&points_summary=true&expiry_schedule=true&user_group=true&program_summary=true"


def test_5_everything_a_till_asks_for(counter: HttpCounter) -> None:
    reply = counter.send("GET", CUSTOMER, f"{TOM}&format=json&{ALL}")
    (customer,) = reply.json["response"]["customers"]["customer"]
    assert reply.json["response"]["status"] == {"success": "true", "code": 200, "message": "Success"}
    named = ("firstname", "lastname", "mobile", "email", "external_id", "user_id", "type", "current_slab")
    assert [customer[name] for name in named] == [
        *("Tom", "Sawyer", "919777785205", "tom.sawyer@example.org", "434547", "50001", "LOYALTY", "Gold Plus")
    ]
    assert (customer["loyalty_points"], customer["item_status"]["code"]) == (500, "1000")
    assert customer["fraud_details"]["status"] == "NONE"
    assert [(each["id"], each["groupName"]) for each in customer["user_groups2"]] == [(77, "Sawyer")]
    assert customer["points_summaries"]["points_summary"][1] == {
        "program_id": "974",
        "program_name": "Silver",
        "loyalty_points": 40.125,
        "lifetime_points": 0,
        "promised_points": 0,
        "points_currency_ratio": "0.25",
        "is_default": "false",
    }
    assert customer["expiry_schedule"]["schedule"] == [
        {"program_id": "973", "points": 500, "expiry_date": "2035-12-31"},
        {"program_id": "974", "points": 40.125, "expiry_date": "2035-12-31"},
    ]
    assert customer["programs_list"]["program"][0] == {
        "programId": "973",
        "programName": "Gold Rewards",
        "programDescription": "",
        "isDefault": "true",
        "pointsToCurrencyRatio": "1",
    }


def test_5_lists_come_only_when_they_were_asked_for(counter: HttpCounter) -> None:
    (customer,) = counter.send("GET", CUSTOMER, TOM).json["response"]["customers"]["customer"]
    asked = ("user_id", "user_groups2", "points_summaries", "expiry_schedule", "programs_list")
    assert [name for name in asked if name in customer] == []


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "row", "codes"),
    [
        (TOM, (200, 200, "true"), ["1000"]),
        ("id=50001,50002", (200, 200, "true"), ["1000", "1000"]),
        ("mobile=9777785205,%209000000009,9000000002", (200, 201, "true"), ["1000", "1012", "1000"]),
        ("mobile=9000000009", (200, 500, "false"), ["1012"]),
        ("mobile=abc", (200, 500, "false"), ["1012"]),
        ("email=a@example.org,b@example.org", (200, 500, "false"), ["1012", "1012"]),
        ("mobile=9000000005", (200, 200, "true"), ["1000"]),
    ],
)
def test_5_one_or_several_are_found_or_not(
    counter: HttpCounter, fmt: str, query: str, row: tuple[int, int, str], codes: list[str]
) -> None:
    reply = counter.send("GET", CUSTOMER, f"{query}&format={fmt}")
    if fmt == "json":
        status = reply.json["response"]["status"]
        found = [each["item_status"]["code"] for each in reply.json["response"]["customers"]["customer"]]
    else:
        tree = ElementTree.fromstring(reply.body)
        status = {each.tag: str(each.text) for each in tree.iterfind("status/*")}
        found = [each.findtext("item_status/code") for each in tree.iterfind("customers/customer")]
    assert (reply.status, int(status["code"]), status["success"]) == row
    assert found == codes


@pytest.mark.parametrize("query", ["", f"{TOM}&id=50001", "mobile=,", "id=" + ",".join(["1"] * 51), f"{TOM}&mlp=maybe"])
def test_5_who_is_asked_for_must_be_clear(counter: HttpCounter, query: str) -> None:
    assert counter.send("GET", CUSTOMER, query).status == 400


def test_5_four_fraud_statuses_block_in_whatever_case_they_were_imported(counter: HttpCounter) -> None:
    (customer,) = counter.send("GET", CUSTOMER, "mobile=9000000005").json["response"]["customers"]["customer"]
    assert customer["fraud_details"]["status"] == "Confirmed"
    assert counter.check("mobile=9000000005&points=10").code == 809


@pytest.mark.parametrize(
    ("status", "blocks"),
    [
        *((each, True) for each in ("MARKED", "CONFIRMED", "RECONFIRMED", "FRAUD", "fraud", "Reconfirmed")),
        *((each, False) for each in ("NONE", "NOT_FRAUD", "INTERNAL", "NORMAL", "OUTLIER", "INVALID")),
    ],
)
def test_5_which_fraud_statuses_block_a_redemption(ledgers: Ledgers, status: str, blocks: bool) -> None:
    lines = [line for line in a_moving_shop() if line.get("id") != MARKED]
    shop = ledgers.reader([*lines, a_person(MARKED, 5, fraud_status=status)])
    assert shop.check("mobile=9000000005&points=10").code == (809 if blocks else 800)
    assert shop.send_code("mobile=9000000005").code == (809 if blocks else 200)
    assert not blocks or shop.redeem(mobile="9000000005").code == 3045


def test_5_the_figures_at_the_top_are_those_of_the_program_asked_for(counter: HttpCounter) -> None:
    found = [
        counter.send("GET", CUSTOMER, f"{TOM}{query}").json["response"]["customers"]["customer"][0]["loyalty_points"]
        for query in ("", "&program_id=973", "&program_id=974")
    ]
    assert found == [500, 500, 40.125]


@pytest.mark.parametrize(
    ("who", "kind"), [(TOM, "LOYALTY"), ("mobile=9000000003", "NON_LOYALTY"), ("mobile=9000000004", "NON_LOYALTY")]
)
def test_5_the_type_says_who_has_joined(counter: HttpCounter, who: str, kind: str) -> None:
    (customer,) = counter.send("GET", CUSTOMER, who).json["response"]["customers"]["customer"]
    assert customer["type"] == kind


def test_5_whoever_has_no_group_has_an_empty_list(counter: HttpCounter) -> None:
    (customer,) = counter.send("GET", CUSTOMER, "id=50005&user_group=true").json["response"]["customers"]["customer"]
    assert customer["user_groups2"] == []


def test_5_a_customer_in_xml(counter: HttpCounter) -> None:
    reply = counter.send("GET", CUSTOMER, f"{TOM}&format=xml&user_id=true&points_summary=true")
    (customer,) = ElementTree.fromstring(reply.body).iterfind("customers/customer")
    named = ("firstname", "mobile", "user_id", "loyalty_points", "current_slab", "item_status/code")
    assert [customer.findtext(name) for name in named] == ["Tom", "919777785205", "50001", "500", "Gold Plus", "1000"]
    summaries = customer.findall("points_summaries/points_summary")
    assert [(each.findtext("program_id"), each.findtext("loyalty_points")) for each in summaries] == [
        ("973", "500"),
        ("974", "40.125"),
    ]
