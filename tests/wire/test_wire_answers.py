"""Samples of sections 1.5, 2.9, 3 and 4, typed from the contract, and each row of table 1.4."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from support.wire_text import as_body, elements, fields

from pos_app.domain.answers import CheckAnswer, CodeAnswer, Effect, Identity, RedeemAnswer
from pos_app.domain.points import ZERO, Points
from pos_app.domain.refusals import Refusal
from pos_app.wire.answers import (
    STATUS_MESSAGES,
    read_check_answer,
    read_code_answer,
    read_redeem_answer,
    read_status,
    write_check_answer,
    write_code_answer,
    write_redeem_answer,
    write_status,
)
from pos_app.wire.formats import Format, UnreadableAnswerError

ADA = Identity(mobile="447700900123", email="ada@example.org", external_id="C-1001")

# --- isredeemable (2.9) ---------------------------------------------------------------------------------------

YES = CheckAnswer(
    identity=ADA,
    points=Points.of(120),
    worth=Decimal("60.00"),
    local_worth=Decimal("60.00"),
    by_value=False,
    ratio=Decimal("0.50"),
    refusal=None,
    code=800,
    message="Points can be redeemed",
)
YES_JSON = """{"response": {
  "status": {"success": "true", "code": 200, "message": "Success"},
  "points": {"redeemable": {
    "mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001",
    "points": 120, "is_redeemable": "true",
    "points_redeem_value": 60, "points_redeem_local_value": 60,
    "input_type": "points", "points_currency_ratio": "0.5",
    "item_status": {"success": "true", "code": 800, "message": "Points can be redeemed"}}}}}"""
YES_XML = """<?xml version="1.0" encoding="UTF-8"?>
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

NO = replace(
    YES,
    points=Points.of(125),
    worth=Decimal(0),
    local_worth=Decimal(0),
    refusal=Refusal.NOT_A_MULTIPLE,
    code=807,
    message="Points must be a multiple of 10",
)
NO_JSON = """{"response": {
  "status": {"success": "false", "code": 500, "message": "All requests have failed due to errors"},
  "points": {"redeemable": {
    "mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001",
    "points": 125, "is_redeemable": "false",
    "points_redeem_value": 0, "points_redeem_local_value": 0,
    "input_type": "points", "points_currency_ratio": "0.5",
    "item_status": {"success": "false", "code": 807, "message": "Points must be a multiple of 10"}}}}}"""
NO_XML = """<response>
  <status><success>false</success><code>500</code><message>All requests have failed due to errors</message></status>
  <points><redeemable>
    <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id>
    <points>125</points><is_redeemable>false</is_redeemable>
    <points_redeem_value>0</points_redeem_value><points_redeem_local_value>0</points_redeem_local_value>
    <input_type>points</input_type><points_currency_ratio>0.5</points_currency_ratio>
    <item_status><success>false</success><code>807</code><message>Points must be a multiple of 10</message>
    </item_status></redeemable></points></response>"""

NOT_SENT = replace(YES, code=876, message="Points Redeemable but OTP Generation failed")
NOT_SENT_JSON = """{"response": {
  "status": {"success": "true", "code": 200, "message": "Success"},
  "points": {"redeemable": {
    "mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001",
    "points": 120, "is_redeemable": "true",
    "points_redeem_value": 60, "points_redeem_local_value": 60,
    "input_type": "points", "points_currency_ratio": "0.5",
    "item_status": {"success": "true", "code": 876, "message": "Points Redeemable but OTP Generation failed"}}}}}"""


@pytest.mark.parametrize(("answer", "sample"), [(YES, YES_JSON), (NO, NO_JSON), (NOT_SENT, NOT_SENT_JSON)])
def test_a_check_is_answered_in_json_field_for_field(answer, sample):
    assert fields(write_check_answer(answer, Format.JSON, with_extension=False)) == fields(sample)


@pytest.mark.parametrize(("answer", "sample"), [(YES, YES_XML), (NO, NO_XML)])
def test_a_check_is_answered_in_xml_field_for_field(answer, sample):
    assert elements(write_check_answer(answer, Format.XML, with_extension=False)) == elements(sample)


@pytest.mark.parametrize(
    ("sample", "answer"),
    [(YES_JSON, YES), (NO_JSON, NO), (NOT_SENT_JSON, NOT_SENT), (YES_XML, YES), (NO_XML, NO)],
)
def test_the_samples_of_a_check_are_read(sample, answer):
    assert read_check_answer(sample.encode()) == answer


def test_a_check_whose_code_was_not_sent_is_still_a_yes():
    answer = read_check_answer(NOT_SENT_JSON.encode())
    assert answer.is_redeemable
    assert answer.is_code_missing


def test_a_refusal_before_anything_is_known_says_ratio_nought_and_echoes_the_identifier():
    unknown = replace(
        NO, identity=Identity(mobile="91981"), points=ZERO, ratio=Decimal(0), refusal=Refusal.CUSTOMER_UNKNOWN, code=889
    )
    item = json.loads(write_check_answer(unknown, Format.JSON, with_extension=False))["response"]["points"][
        "redeemable"
    ]
    assert (item["mobile"], item["email"], item["external_id"]) == ("91981", "", "")
    assert item["points"] == 0
    assert item["points_currency_ratio"] == "0"


def test_an_answer_by_value_says_so_and_keeps_decimals():
    answer = replace(YES, by_value=True, points=Points.of("12.5"), worth=Decimal("6.25"), local_worth=Decimal("5.10"))
    text = write_check_answer(answer, Format.JSON, with_extension=False)
    assert b'"points":12.5,' in text
    assert b'"points_redeem_value":6.25,"points_redeem_local_value":5.1,"input_type":"currency"' in text
    assert read_check_answer(text) == answer


def yes_with(**changes):
    tree = copy.deepcopy(json.loads(YES_JSON))
    item = tree["response"]["points"]["redeemable"]
    for name, value in changes.items():
        if value is ABSENT:
            del item[name]
        else:
            item[name] = value
    return as_body(tree)


ABSENT = object()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is_redeemable": True}, {}),
        ({"is_redeemable": "TRUE"}, {}),
        ({"is_redeemable": ABSENT}, {}),
        ({"points": "120"}, {}),
        ({"points": "120.000"}, {}),
        ({"points_redeem_value": "60", "points_redeem_local_value": "60.0"}, {}),
        ({"points_redeem_value": ABSENT, "points_redeem_local_value": None}, {"worth": 0, "local_worth": 0}),
        ({"points_currency_ratio": 0.5}, {}),
        ({"points_currency_ratio": 1}, {"ratio": 1}),
        ({"points_currency_ratio": ABSENT}, {"ratio": 0}),
        ({"input_type": ABSENT}, {}),
        ({"input_type": "currency"}, {"by_value": True}),
        ({"mobile": None, "email": ABSENT, "external_id": ""}, {"identity": Identity()}),
        ({"mobile": 447700900123}, {}),
        ({"item_status": {"success": True, "code": "800", "message": "Points can be redeemed"}}, {}),
        ({"item_status": {"success": "true", "code": 800}}, {"message": ""}),
        ({"item_status": {"code": 800, "message": "Points can be redeemed"}}, {}),
        (
            {"item_status": {"success": "false", "code": 876, "message": "no OTP"}},
            {"code": 876, "message": "no OTP"},
        ),
    ],
)
def test_a_check_is_read_in_every_type_that_clusters_send(changes, expected):
    assert read_check_answer(yes_with(**changes)) == replace(YES, **expected)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda tree: {"response": {"responses": {"points": {**tree["response"]["points"], "balance": 5}}}},
        lambda tree: {"root": tree},
        lambda tree: tree["response"],
        lambda tree: {"response": {"points": [tree["response"]["points"]]}},
        lambda tree: {"a": {"b": [{"c": tree["response"]["points"]}]}},
    ],
)
def test_redeemable_is_found_at_any_depth(wrapped):
    assert read_check_answer(as_body(wrapped(json.loads(YES_JSON)))) == YES


def test_machine_converted_xml_is_read():
    converted = YES_XML.replace("<response>", "<root><response>").replace("</response>", "</response></root>")
    converted = converted.replace("<redeemable>", "<redeemable><element>")
    converted = converted.replace("</redeemable>", "</element></redeemable>")
    assert read_check_answer(converted.encode()) == YES


def test_points_finer_than_a_thousandth_are_never_rounded_up():
    assert read_check_answer(yes_with(points=119.9999)).points == Points.of("119.999")


@pytest.mark.parametrize(
    "changes",
    [
        {"item_status": ABSENT},
        {"item_status": "fine"},
        {"item_status": {"success": "true", "message": "no code"}},
        {"item_status": {"success": "true", "code": "eight hundred"}},
        {"item_status": {"success": "true", "code": 818}},  # A yes with the code of a no.
        {"is_redeemable": "false"},  # A no with the code of a yes.
        {"points": "many"},
        {"points": ABSENT},
        {"points": {}},
        {"points_redeem_value": []},
        {"points": 10**15},
    ],
)
def test_a_check_that_contradicts_itself_is_no_answer(changes):
    with pytest.raises(UnreadableAnswerError):
        read_check_answer(yes_with(**changes))


def test_a_code_of_another_entity_is_a_plain_refusal():
    status = {"success": "false", "code": 4711, "message": "Out of stars"}
    answer = read_check_answer(yes_with(is_redeemable="false", item_status=status))
    assert (answer.refusal, answer.code, answer.message) == (Refusal.OTHER, 4711, "Out of stars")


# --- validationcode (section 3) -------------------------------------------------------------------------------

SENT = CodeAnswer(identity=ADA, points=Points.of(120), refusal=None, code=200, message="Validation Code Issued by SMS")
SENT_JSON = """{"response": {
  "status": {"success": "true", "code": 200, "message": "Operation Successful"},
  "validation_code": {"code": {
    "mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001", "points": 120,
    "item_status": {"success": "true", "code": 200, "message": "Validation Code Issued by SMS"}}}}}"""
SENT_XML = """<response>
  <status><success>true</success><code>200</code><message>Operation Successful</message></status>
  <validation_code><code>
    <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id><points>120</points>
    <item_status><success>true</success><code>200</code><message>Validation Code Issued by SMS</message></item_status>
  </code></validation_code></response>"""
UNSENT = replace(SENT, refusal=Refusal.CODE_NOT_SENT, code=860, message="Unable to issue the validation code")


def test_a_code_that_was_sent_is_told_field_for_field():
    assert fields(write_code_answer(SENT, Format.JSON, with_extension=False)) == fields(SENT_JSON)
    assert elements(write_code_answer(SENT, Format.XML, with_extension=False)) == elements(SENT_XML)
    assert read_code_answer(SENT_JSON.encode()) == SENT
    assert read_code_answer(SENT_XML.encode()) == SENT


def test_a_code_that_was_not_sent_keeps_the_shape():
    tree = json.loads(write_code_answer(UNSENT, Format.JSON, with_extension=False))["response"]
    assert tree["status"] == {
        "success": "false",
        "code": 500,
        "message": "All requests have failed due to errors",
    }
    assert tree["validation_code"]["code"]["item_status"] == {
        "success": "false",
        "code": 860,
        "message": "Unable to issue the validation code",
    }
    assert list(tree["validation_code"]["code"]) == list(json.loads(SENT_JSON)["response"]["validation_code"]["code"])
    assert read_code_answer(as_body({"response": tree})) == UNSENT


@pytest.mark.parametrize(
    "change",
    [
        ('"points": 120', '"points": "120"'),
        ('"code": 200, "message": "Val', '"code": "200", "message": "Val'),
        ('"code": 200, "message": "Val', '"code": "800", "message": "Val'),
        ('"success": "true", "code": 200, "message": "Val', '"success": true, "code": 200, "message": "Val'),
    ],
)
def test_a_sent_code_is_read_in_older_types_too(change):
    body = SENT_JSON.replace(*change)
    assert body != SENT_JSON
    assert replace(read_code_answer(body.encode()), code=200) == SENT


# --- redeem (section 4) ---------------------------------------------------------------------------------------

REDEEMED = RedeemAnswer(
    identity=ADA,
    customer_id=50001,
    redemption_id="k4Wq7Z",
    points=Points.of(120),
    worth=Decimal("60.00"),
    local_worth=Decimal("60.00"),
    balance=Points.of(380),
    refusal=None,
    code=800,
    message="Points Redeemed",
    effects=(Effect(effect_id=9001, points=Points.of(120), worth=Decimal("60.00"), bill_number="B-77"),),
)
REDEEMED_JSON = """{"response": {
  "status": {"success": "true", "code": 200, "message": "Success"},
  "responses": {"points": {
    "mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001", "user_id": "50001",
    "redemption_id": "k4Wq7Z", "points_redeemed": "120", "redemption_purpose": "",
    "redeemed_value": 60, "redeemed_local_value": 60, "balance": 380,
    "side_effects": {"effect": [{"id": 9001, "case_value": "false", "num_points": 120, "currency_value": 60,
      "validation_code": "", "points_redemption_summary_id": "9001",
      "redeemed_on_bill_number": "B-77", "redeemed_on_bill_id": -1, "type": "points"}]},
    "item_status": {"success": "true", "code": 800, "message": "Points Redeemed"}}}}}"""
REDEEMED_XML = """<response>
  <status><success>true</success><code>200</code><message>Success</message></status>
  <responses><points>
    <mobile>447700900123</mobile><email>ada@example.org</email><external_id>C-1001</external_id>
    <user_id>50001</user_id><redemption_id>k4Wq7Z</redemption_id><points_redeemed>120</points_redeemed>
    <redemption_purpose/><redeemed_value>60</redeemed_value><redeemed_local_value>60</redeemed_local_value>
    <balance>380</balance>
    <side_effects><effect><id>9001</id><case_value>false</case_value><num_points>120</num_points>
      <currency_value>60</currency_value><validation_code/>
      <points_redemption_summary_id>9001</points_redemption_summary_id>
      <redeemed_on_bill_number>B-77</redeemed_on_bill_number><redeemed_on_bill_id>-1</redeemed_on_bill_id>
      <type>points</type></effect></side_effects>
    <item_status><success>true</success><code>800</code><message>Points Redeemed</message></item_status>
  </points></responses></response>"""
NOT_REDEEMED = replace(
    REDEEMED,
    customer_id=None,
    redemption_id=None,
    worth=Decimal(0),
    local_worth=Decimal(0),
    refusal=Refusal.BALANCE_TOO_LOW,
    code=818,
    message="Points are more than the available balance",
    effects=(),
)
NOT_REDEEMED_JSON = """{"response": {
  "status": {"success": "false", "code": 500, "message": "All requests have failed due to errors"},
  "responses": {"points": {
    "mobile": "447700900123", "email": "ada@example.org", "external_id": "C-1001", "user_id": null,
    "points_redeemed": "120", "redemption_purpose": "",
    "redeemed_value": 0, "redeemed_local_value": 0, "balance": 380,
    "side_effects": {"effect": []},
    "item_status": {"success": "false", "code": 818, "message": "Points are more than the available balance"}}}}}"""


@pytest.mark.parametrize(("answer", "sample"), [(REDEEMED, REDEEMED_JSON), (NOT_REDEEMED, NOT_REDEEMED_JSON)])
def test_a_redemption_is_answered_field_for_field(answer, sample):
    assert fields(write_redeem_answer(answer, Format.JSON, with_extension=False)) == fields(sample)
    assert read_redeem_answer(sample.encode()) == answer


def test_a_redemption_is_answered_in_xml_field_for_field():
    assert elements(write_redeem_answer(REDEEMED, Format.XML, with_extension=False)) == elements(REDEEMED_XML)
    assert read_redeem_answer(REDEEMED_XML.encode()) == REDEEMED


def test_points_of_several_members_are_told_by_a_real_boolean():
    shared = replace(REDEEMED, is_group_redemption=True)
    text = write_redeem_answer(shared, Format.JSON, with_extension=False)
    assert b'"is_group_redemption":true' in text
    assert read_redeem_answer(text) == shared
    assert b"is_group_redemption" not in write_redeem_answer(REDEEMED, Format.JSON, with_extension=False)


def redeemed_with(**changes):
    tree = json.loads(REDEEMED_JSON)
    item = tree["response"]["responses"]["points"]
    for name, value in changes.items():
        if value is ABSENT:
            del item[name]
        else:
            item[name] = value
    return tree


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"points_redeemed": 120}, {}),
        ({"redeemed_value": "60", "redeemed_local_value": "60.00", "balance": "380"}, {}),
        ({"user_id": 50001}, {}),
        ({"user_id": None}, {"customer_id": None}),
        ({"user_id": "U-7"}, {"customer_id": None}),
        ({"redemption_id": 4711}, {"redemption_id": "4711"}),
        ({"redemption_id": None}, {"redemption_id": None}),
        ({"is_group_redemption": "true"}, {"is_group_redemption": True}),
        ({"is_group_redemption": False}, {}),
        ({"side_effects": ABSENT}, {"effects": ()}),
        ({"side_effects": {"effect": "?"}}, {"effects": ()}),
        ({"side_effects": {"effect": [{"id": "x"}, {"num_points": 4}]}}, {"effects": ()}),
        ({"item_status": {"success": "true", "code": "800", "message": "Points Redeemed"}}, {}),
        ({"item_status": {"success": "true", "code": 900, "message": "w"}}, {"code": 900, "message": "w"}),
    ],
)
def test_a_redemption_is_read_in_every_type_that_clusters_send(changes, expected):
    assert read_redeem_answer(as_body(redeemed_with(**changes))) == replace(REDEEMED, **expected)


def test_the_details_are_found_without_responses_as_well():
    item = redeemed_with()["response"]["responses"]["points"]
    status = redeemed_with()["response"]["status"]
    assert read_redeem_answer(as_body({"response": {"status": status, "points": item}})) == REDEEMED
    assert read_redeem_answer(as_body({"response": {"responses": {"points": [item]}}})) == REDEEMED


@pytest.mark.parametrize(
    "changes",
    [
        {"item_status": ABSENT},
        {"item_status": {"success": "false", "code": 800}},
        {"item_status": {"success": "true", "code": 818}},
        {"item_status": {"success": "true", "code": 200}},
        {"points_redeemed": ABSENT},
        {"points_redeemed": "a lot"},
        {"balance": "unknown"},
    ],
)
def test_a_redemption_that_is_no_sure_answer_is_unreadable(changes):
    with pytest.raises(UnreadableAnswerError):
        read_redeem_answer(as_body(redeemed_with(**changes)))


def test_a_yes_inside_a_request_that_failed_is_not_believed():
    tree = redeemed_with()
    tree["response"]["status"] = {"success": "false", "code": 500, "message": "All requests have failed due to errors"}
    with pytest.raises(UnreadableAnswerError):
        read_redeem_answer(as_body(tree))


# --- Status blocks (1.5) --------------------------------------------------------------------------------------

STATUS_SAMPLES = [
    (
        401,
        '{"response": {"status": {"success": "false", "code": 401, '
        '"message": "Please check your username/password or authentication token"}}}',
    ),
    (
        400,
        '{"response": {"status": {"success": "false", "code": 400, '
        '"message": "Input is invalid, Please check request parameters or input xml/json"}}}',
    ),
]


@pytest.mark.parametrize(("code", "sample"), STATUS_SAMPLES)
def test_a_status_block_stands_alone_field_for_field(code, sample):
    assert fields(write_status(code, STATUS_MESSAGES[code], Format.JSON)) == fields(sample)
    assert read_status(sample.encode()) == (False, code, STATUS_MESSAGES[code])


def test_a_malformed_request_is_answered_in_xml_too():
    assert elements(write_status(400, STATUS_MESSAGES[400], Format.XML)) == elements(
        "<response><status><success>false</success><code>400</code>"
        "<message>Input is invalid, Please check request parameters or input xml/json</message></status></response>"
    )


def test_documented_status_messages_are_used_word_for_word():
    assert STATUS_MESSAGES[200] == "Success"
    assert STATUS_MESSAGES[500] == "All requests have failed due to errors"
    assert {400, 401, 403, 404, 405, 429, 500} <= STATUS_MESSAGES.keys()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"response": {"status": {"success": true, "code": "200", "message": "SUCCESS"}}}', (True, 200, "SUCCESS")),
        (b'{"status": {"code": 404}}', (False, 404, "")),
        (b"<response><status><success>false</success><code>429</code></status></response>", (False, 429, "")),
        (b"<html><body>Sign in to the network</body></html>", None),
        (b'{"response": {}}', None),
        (b'{"response": {"status": {"success": "true"}}}', None),
        (b"[]", None),
        (b"", None),
        (b"\xff\x00", None),
    ],
)
def test_a_status_is_read_wherever_there_is_one(body, status):
    assert read_status(body) == status


NO_ANSWERS = [
    b"",
    b"OK",
    b"[]",
    b"{}",
    b"null",
    b'{"response": null}',
    b'{"response": []}',
    b'{"response": {"status": {"success": "false", "code": 500, "message": "x"}}}',
    b'{"response": {"points": {"redeemable": []}, "validation_code": {"code": 5}, "responses": {"points": "x"}}}',
    b"<html><head><title>Welcome</title></head><body><p>Sign in</p></body></html>",
    b"<response><points><redeemable/></points></response>",
    YES_JSON.encode()[:-20],
    YES_XML.encode()[:-20],
]


@pytest.mark.parametrize("body", NO_ANSWERS)
@pytest.mark.parametrize("read", [read_check_answer, read_code_answer, read_redeem_answer])
def test_whatever_is_no_answer_is_unreadable(read, body):
    with pytest.raises(UnreadableAnswerError):
        read(body)


@pytest.mark.parametrize("reader", [read_code_answer, read_redeem_answer])
def test_an_answer_to_another_question_is_unreadable(reader):
    with pytest.raises(UnreadableAnswerError):
        reader(YES_JSON.encode())


def test_nobodys_data_is_in_a_fault():
    with pytest.raises(UnreadableAnswerError) as caught:
        read_check_answer(yes_with(points="447700900123"[::-1] + "x"))
    assert "321009007744" not in str(caught.value)
