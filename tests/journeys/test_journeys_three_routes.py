"""One whole redemption by three routes: the window, the command line and JSON, XML alone. The ledger cannot tell."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ledger_server import LOGIN, PROGRAM, a_customer, a_program, a_till, an_organisation
from support.shop import Shop, a_shop, call, pos_app

WINDOW, TEXT, XML = ("919777785201", "919777785202", "919777785203")
"""Three customers with the same points, one for each route."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    people = [
        a_customer(id=50001 + number, mobile=mobile, email=f"tom.{number}@example.org", external_id=f"E-{number}")
        for number, mobile in enumerate((WINDOW, TEXT, XML))
    ]
    lines = [an_organisation(validation_required=True), a_program(), a_till(program_id=PROGRAM), *people]
    with a_shop(tmp_path, lines) as opened:
        yield opened


def by_window(shop: Shop) -> str:
    """Look up, check, confirm by the code that was sent, redeem: the redemption's number as the window tells it."""
    with shop.till() as till:
        till.look_up(WINDOW)
        till.check(120)
        till.enter_code(shop.code())
        till.wait_for(lambda screen: "Confirmed by code" in screen.said and screen.can_redeem, "the confirmation")
        till.press("F8")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption")
        assert till.close() == 0
    assert done.title == "Done. 120 points used"
    assert "380 points left" in done.said
    number = re.search(r"Redemption (\w+)\.", done.said)
    assert number is not None, done
    return number[1]


def by_text(shop: Shop) -> str:
    """The command line checks and sends the code, the command line confirms it, a client of JSON redeems."""
    at_ledger = ("--ledger", shop.ledger.url, "--login", LOGIN, "--password-file", shop.password_file)
    asked = ("check", "--mobile", TEXT, "--points", "120", *at_ledger, "--json")
    sent = pos_app(*asked, "--issue-otp", "true")
    assert (sent.code, sent.json["code"], sent.json["code_sent"]) == (0, 800, True), sent
    code = shop.code()
    confirmed = pos_app(*asked, "--validation-code", "-", stdin=f"{code}\n")
    assert (confirmed.code, confirmed.json["confirmed"]) == (0, True), confirmed
    item = {
        "points_redeemed": "120",
        "customer": {"mobile": TEXT, "email": "", "external_id": ""},
        "external_reference_number": "by-text-1",
        "validation_code": code,
        "transaction_number": "B-77",
    }
    reply = call(
        shop.ledger.port,
        "POST",
        "/v1.1/points/redeem",
        {"format": "json", "program_id": PROGRAM},
        json.dumps({"root": {"redeem": [item]}}).encode(),
        {"Content-Type": "application/json"},
    )
    told = reply.json["response"]["responses"]["points"]
    assert told["item_status"]["code"] == 800, reply.json
    assert told["balance"] == 380
    return str(told["redemption_id"])


def by_xml(shop: Shop) -> str:
    """A client that knows nothing but XML: check with a code sent, check the code, redeem."""
    asked = {"mobile": XML, "points": "120", "program_id": PROGRAM, "format": "xml"}
    code = ""
    for further in ({"issue_otp": "true"}, {"validation_code": "CODE"}):
        query = {**asked, **{name: code if value == "CODE" else value for name, value in further.items()}}
        answer = ET.fromstring(call(shop.ledger.port, "GET", "/v1.1/points/isredeemable", query).body)
        assert answer.findtext("points/redeemable/is_redeemable") == "true"
        assert answer.findtext("points/redeemable/item_status/code") == "800"
        code = shop.code()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><root><redeem><points_redeemed>120</points_redeemed>'
        f"<customer><mobile>{XML}</mobile></customer><external_reference_number>by-xml-1</external_reference_number>"
        f"<validation_code>{code}</validation_code></redeem></root>"
    )
    reply = call(
        shop.ledger.port,
        "POST",
        "/v1.1/points/redeem",
        {"format": "xml", "program_id": PROGRAM},
        body.encode(),
        {"Content-Type": "text/xml"},
    )
    assert "xml" in reply.headers["content-type"]
    answer = ET.fromstring(reply.body)
    assert answer.findtext("responses/points/item_status/code") == "800", reply.body
    assert answer.findtext("responses/points/balance") == "380"
    return answer.findtext("responses/points/redemption_id") or ""


def test_three_routes_lead_to_the_same_ledger(shop: Shop) -> None:
    numbers = [by_window(shop), by_text(shop), by_xml(shop)]
    assert all(numbers)
    assert len(set(numbers)) == 3
    assert [shop.balance(each) for each in (WINDOW, TEXT, XML)] == ["380", "380", "380"]
    assert [(str(each.points), str(each.moved)) for each in shop.charges()] == [("120", "120")] * 3
    assert len(shop.ledger.messages()) == 3, "one code for each of them"
    verified = pos_app("ledger", "verify", "--db", shop.ledger.place.url)
    assert (verified.code, verified.out.strip()) == (0, "The ledger is clean.")
