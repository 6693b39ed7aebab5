"""Contract 2.9, 3 and 4 at the HTTP face: whole answers, member by member and type by type, typed from its pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from support.http_counter import CHECK, CODE, FORMATS, REDEEM, HttpCounter
from support.row_ledgers import Ledgers
from support.row_shops import OTHERS, a_shop, adas_shop
from support.wsgi import Reply, wsgi_call


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(adas_shop()) as found:
        yield found


ADA = "mobile=07700900123"
SUCCESS = {"success": "true", "code": 200, "message": "Success"}
FAILED = {"success": "false", "code": 500, "message": "All requests have failed due to errors"}
WHO = {"mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001"}
RATED = {"input_type": "points", "points_currency_ratio": "0.5"}


def exactly(found: object) -> object:
    """Values with their types and members in their order: 60 is not "60", nor is true "true"."""
    if isinstance(found, dict):
        return [(name, exactly(value)) for name, value in found.items()]
    if isinstance(found, list):
        return [exactly(value) for value in found]
    return type(found).__name__, found


def as_json(reply: Reply) -> object:
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    return exactly(reply.json)


def as_xml(reply: Reply) -> str:
    assert reply.headers["content-type"] == "application/xml; charset=utf-8"
    assert reply.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    return ElementTree.canonicalize(reply.body.decode(), strip_text=True)


def xml(text: str) -> str:
    return ElementTree.canonicalize(text, strip_text=True)


# --- isredeemable ---------------------------------------------------------------------------------------------------

CAN_BE = {
    "response": {
        "status": SUCCESS,
        "points": {
            "redeemable": {
                **WHO,
                "points": 120,
                "is_redeemable": "true",
                "points_redeem_value": 60,
                "points_redeem_local_value": 60,
                **RATED,
                "item_status": {"success": "true", "code": 800, "message": "Points can be redeemed"},
            }
        },
    }
}
CAN_BE_XML = """
<response>
  <status><success>true</success><code>200</code><message>Success</message></status>
  <points><redeemable>
    <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id>
    <points>120</points><is_redeemable>true</is_redeemable>
    <points_redeem_value>60</points_redeem_value><points_redeem_local_value>60</points_redeem_local_value>
    <input_type>points</input_type><points_currency_ratio>0.5</points_currency_ratio>
    <item_status><success>true</success><code>800</code><message>Points can be redeemed</message></item_status>
  </redeemable></points>
</response>"""
REFUSED = {
    "response": {
        "status": FAILED,
        "points": {
            "redeemable": {
                **WHO,
                "points": 125,
                "is_redeemable": "false",
                "points_redeem_value": 0,
                "points_redeem_local_value": 0,
                **RATED,
                "item_status": {"success": "false", "code": 807, "message": "Points must be a multiple of 10"},
            }
        },
    }
}
REFUSED_XML = """
<response>
  <status><success>false</success><code>500</code><message>All requests have failed due to errors</message></status>
  <points><redeemable>
    <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id>
    <points>125</points><is_redeemable>false</is_redeemable>
    <points_redeem_value>0</points_redeem_value><points_redeem_local_value>0</points_redeem_local_value>
    <input_type>points</input_type><points_currency_ratio>0.5</points_currency_ratio>
    <item_status><success>false</success><code>807</code>
      <message>Points must be a multiple of 10</message></item_status>
  </redeemable></points>
</response>"""


def test_2_9_success_in_json(counter: HttpCounter) -> None:
    assert as_json(counter.send("GET", CHECK, f"{ADA}&points=120")) == exactly(CAN_BE)


def test_2_9_success_in_xml(counter: HttpCounter) -> None:
    assert as_xml(counter.send("GET", CHECK, f"{ADA}&points=120&format=xml")) == xml(CAN_BE_XML)


def test_2_9_refusal_in_json(counter: HttpCounter) -> None:
    assert as_json(counter.send("GET", CHECK, f"{ADA}&points=125")) == exactly(REFUSED)


def test_2_9_refusal_in_xml(counter: HttpCounter) -> None:
    assert as_xml(counter.send("GET", CHECK, f"{ADA}&points=125&format=xml")) == xml(REFUSED_XML)


def test_2_9_redeemable_but_the_code_could_not_be_sent(counter: HttpCounter) -> None:
    counter.sender.is_broken = True
    item = CAN_BE["response"]["points"]["redeemable"]  # type: ignore[index]
    warning = {"success": "true", "code": 876, "message": "Points Redeemable but OTP Generation failed"}
    expected = {"response": {"status": SUCCESS, "points": {"redeemable": {**item, "item_status": warning}}}}
    assert as_json(counter.send("GET", CHECK, f"{ADA}&points=120&issue_otp=true")) == exactly(expected)


def test_2_9_currency_input_says_so(counter: HttpCounter) -> None:
    item = CAN_BE["response"]["points"]["redeemable"]  # type: ignore[index]
    expected = {"response": {"status": SUCCESS, "points": {"redeemable": {**item, "input_type": "currency"}}}}
    asked = f"{ADA}&currency_input=true&currency_value=60"
    assert as_json(counter.send("GET", CHECK, asked)) == exactly(expected)


@pytest.mark.parametrize(
    ("query", "echoed"),
    [
        ("mobile=7700900999", {"mobile": "7700900999", "email": "", "external_id": ""}),
        ("email=nobody%40example.org", {"mobile": "", "email": "nobody@example.org", "external_id": ""}),
        ("external_id=C-9", {"mobile": "", "email": "", "external_id": "C-9"}),
        ("card_number=9", {"mobile": "", "email": "", "external_id": ""}),
        ("id=9", {"mobile": "", "email": "", "external_id": ""}),
    ],
)
def test_2_9_for_an_unknown_customer_the_identifier_is_echoed(
    counter: HttpCounter, query: str, echoed: dict[str, str]
) -> None:
    reply = counter.send("GET", CHECK, f"{query}&points=120")
    item = {
        **echoed,
        "points": 120,
        "is_redeemable": "false",
        "points_redeem_value": 0,
        "points_redeem_local_value": 0,
        **RATED,
        "item_status": {"success": "false", "code": 889, "message": "Points processing failed, Please try again later"},
    }
    assert as_json(reply) == exactly({"response": {"status": FAILED, "points": {"redeemable": item}}})


def test_2_9_what_is_no_number_is_echoed_as_0_and_an_unknown_program_has_the_ratio_0(counter: HttpCounter) -> None:
    item = counter.check(f"{ADA}&points=many&program_id=999").item
    assert exactly([item["points"], item["points_currency_ratio"]]) == exactly([0, "0"])


def test_2_9_not_authenticated(counter: HttpCounter) -> None:
    reply = wsgi_call(counter.app, "GET", CHECK, f"{ADA}&points=120")
    assert reply.status == 401
    assert exactly(reply.json) == exactly(
        {
            "response": {
                "status": {
                    "success": "false",
                    "code": 401,
                    "message": "Please check your username/password or authentication token",
                }
            }
        }
    )


MALFORMED = "Input is invalid, Please check request parameters or input xml/json"


def test_2_9_malformed_in_json_and_xml(counter: HttpCounter) -> None:
    in_json, in_xml = (counter.send("GET", CHECK, f"points=120&format={fmt}") for fmt in FORMATS)
    assert (in_json.status, in_xml.status) == (400, 400)
    status = {"success": "false", "code": 400, "message": MALFORMED}
    assert exactly(in_json.json) == exactly({"response": {"status": status}})
    assert as_xml(in_xml) == xml(
        f"<response><status><success>false</success><code>400</code><message>{MALFORMED}</message></status></response>"
    )


# --- validationcode -------------------------------------------------------------------------------------------------

ISSUED = {
    "response": {
        "status": {"success": "true", "code": 200, "message": "Operation Successful"},
        "validation_code": {
            "code": {
                **WHO,
                "points": 120,
                "item_status": {"success": "true", "code": 200, "message": "Validation Code Issued by SMS"},
            }
        },
    }
}


def test_3_success_in_json(counter: HttpCounter) -> None:
    assert as_json(counter.send("GET", CODE, f"{ADA}&points=120")) == exactly(ISSUED)


def test_3_success_in_xml(counter: HttpCounter) -> None:
    assert as_xml(counter.send("GET", CODE, f"{ADA}&points=120&format=xml")) == xml(
        """<response>
          <status><success>true</success><code>200</code><message>Operation Successful</message></status>
          <validation_code><code>
            <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id>
            <points>120</points>
            <item_status><success>true</success><code>200</code>
              <message>Validation Code Issued by SMS</message></item_status>
          </code></validation_code>
        </response>"""
    )


def test_3_a_refusal_keeps_the_shape(counter: HttpCounter) -> None:
    told: Any = counter.send("GET", CODE, f"{ADA}&points=-100").json["response"]
    item = told["validation_code"]["code"]
    status = item.pop("item_status")
    assert exactly(told["status"]) == exactly(FAILED)
    assert exactly(item) == exactly({**WHO, "points": -100})
    assert (status["success"], status["code"]) == ("false", 801)


# --- redeem ---------------------------------------------------------------------------------------------------------

ORDER = {
    "root": {
        "redeem": [
            {
                "points_redeemed": "120",
                "customer": {"mobile": "07700900123", "email": "", "external_id": "", "card_number": ""},
                "transaction_number": "B-77",
                "validation_code": "",
            }
        ]
    }
}


def redeemed(redemption_id: str, number: int) -> dict[str, Any]:
    """The sample of section 4; the two numbers the ledger makes are given."""
    return {
        "response": {
            "status": SUCCESS,
            "responses": {
                "points": {
                    **WHO,
                    "user_id": "50001",
                    "redemption_id": redemption_id,
                    "points_redeemed": "120",
                    "redemption_purpose": "",
                    "redeemed_value": 60,
                    "redeemed_local_value": 60,
                    "balance": 380,
                    "side_effects": {
                        "effect": [
                            {
                                "id": number,
                                "case_value": "false",
                                "num_points": 120,
                                "currency_value": 60,
                                "validation_code": "",
                                "points_redemption_summary_id": str(number),
                                "redeemed_on_bill_number": "B-77",
                                "redeemed_on_bill_id": -1,
                                "type": "points",
                            }
                        ]
                    },
                    "item_status": {"success": "true", "code": 800, "message": "Points Redeemed"},
                }
            },
        }
    }


def post(counter: HttpCounter, query: str = "", **members: Any) -> Reply:
    (item,) = ORDER["root"]["redeem"]
    body = json.dumps({"root": {"redeem": [{**item, **members}]}}).encode()
    return counter.send("POST", REDEEM, query, body, {"Content-Type": "application/json"})


def test_4_success_in_json(counter: HttpCounter) -> None:
    reply = post(counter)
    points = reply.json["response"]["responses"]["points"]
    redemption_id, (effect,) = points["redemption_id"], points["side_effects"]["effect"]
    assert isinstance(redemption_id, str)
    assert 0 < len(redemption_id) <= 20
    assert as_json(reply) == exactly(redeemed(redemption_id, effect["id"]))


def test_4_success_in_xml(counter: HttpCounter) -> None:
    reply = post(counter, "format=xml")
    tree = ElementTree.fromstring(reply.body)
    redemption_id = tree.findtext("responses/points/redemption_id")
    number = tree.findtext("responses/points/side_effects/effect/id")
    assert as_xml(reply) == xml(
        f"""<response>
          <status><success>true</success><code>200</code><message>Success</message></status>
          <responses><points>
            <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id>
            <user_id>50001</user_id><redemption_id>{redemption_id}</redemption_id>
            <points_redeemed>120</points_redeemed><redemption_purpose></redemption_purpose>
            <redeemed_value>60</redeemed_value><redeemed_local_value>60</redeemed_local_value><balance>380</balance>
            <side_effects><effect>
              <id>{number}</id><case_value>false</case_value><num_points>120</num_points>
              <currency_value>60</currency_value><validation_code></validation_code>
              <points_redemption_summary_id>{number}</points_redemption_summary_id>
              <redeemed_on_bill_number>B-77</redeemed_on_bill_number><redeemed_on_bill_id>-1</redeemed_on_bill_id>
              <type>points</type>
            </effect></side_effects>
            <item_status><success>true</success><code>800</code><message>Points Redeemed</message></item_status>
          </points></responses>
        </response>"""
    )


def test_4_failure_in_json(counter: HttpCounter) -> None:
    reply = post(counter, points_redeemed="125")
    item = {
        **WHO,
        "user_id": None,
        "points_redeemed": "125",
        "redemption_purpose": "",
        "redeemed_value": 0,
        "redeemed_local_value": 0,
        "balance": 500,
        "side_effects": {"effect": []},
        "item_status": {"success": "false", "code": 807, "message": "Points must be a multiple of 10"},
    }
    assert as_json(reply) == exactly({"response": {"status": FAILED, "responses": {"points": item}}})


# --- What a refusal keeps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        *(("mobile=9000000003", 881), ("mobile=9000000004", 686), ("mobile=9000000005", 809), (OTHERS, 818)),
    ],
)
def test_2_9_a_refusal_names_her_and_is_worth_nothing(reader: HttpCounter, fmt: str, query: str, code: int) -> None:
    counter = reader.reading(fmt)
    told = counter.check(f"{query}&points=60")
    assert told.row == (200, 500, "false", code)
    assert told.message == "All requests have failed due to errors"
    item = {name: str(value) for name, value in told.item.items() if name != "item_status"}
    assert item == {
        "mobile": "91" + query[-10:],
        "email": "",
        "external_id": "",
        "points": "60",
        "is_redeemable": "false",
        "points_redeem_value": "0",
        "points_redeem_local_value": "0",
        "input_type": "points",
        "points_currency_ratio": "1",
    }
