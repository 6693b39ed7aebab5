from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from support.builders import a_customer, a_family_group, a_lot, a_program, a_record, a_wallet
from support.wire_text import as_body, elements, fields

from pos_app.domain.facts import Customer, CustomerRecord, FamilyGroup, Lot, Member, Program, Wallet
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.wire.customers import read_customer, write_customers
from pos_app.wire.formats import Format, UnreadableAnswerError
from pos_app.wire.requests import CustomerQuery, read_customer_get, write_customer_get

ADA = CustomerRef(IdentifierKind.MOBILE, "919812345678")
BOB = CustomerRef(IdentifierKind.MOBILE, "919800000000")
ALL = read_customer_get(write_customer_get(ADA))

SAMPLE = """{"response": {
  "status": {"success": "true", "code": 200, "message": "Success"},
  "customers": {"customer": [{
    "firstname": "Ada", "lastname": "Fernandes", "mobile": "919812345678", "email": "ada@example.org",
    "external_id": "C-1001", "user_id": "50001", "type": "LOYALTY",
    "loyalty_points": 500.5, "lifetime_points": 1500, "lifetime_purchases": 2500.75,
    "current_slab": "Gold",
    "fraud_details": {"status": "NONE", "marked_by": "", "modified_on": "", "reason": ""},
    "user_groups2": [{"id": 77, "externalId": "FG-1", "groupName": "Fernandes", "groupStatus": "ACTIVE",
      "defaultGroup": true, "primaryMember": true, "permissions": ["block_points_redemption"]}],
    "points_summaries": {"points_summary": [
      {"program_id": "973", "program_name": "Gold Rewards", "loyalty_points": 500.5, "lifetime_points": 1500,
       "promised_points": 20, "points_currency_ratio": "0.5", "is_default": "true"},
      {"program_id": "974", "program_name": "Fuel", "loyalty_points": 40, "lifetime_points": 40,
       "promised_points": 0, "points_currency_ratio": "0", "is_default": "false"}]},
    "expiry_schedule": {"schedule": [
      {"program_id": "974", "points": 40, "expiry_date": "2027-01-31"},
      {"program_id": "973", "points": 300.5, "expiry_date": "2027-12-31"}]},
    "programs_list": {"program": [
      {"programId": "973", "programName": "Gold Rewards", "programDescription": "", "isDefault": "true",
       "pointsToCurrencyRatio": "0.5"},
      {"programId": "974", "programName": "Fuel", "programDescription": "", "isDefault": "false",
       "pointsToCurrencyRatio": "0"}]},
    "item_status": {"success": "true", "code": "1000", "message": "Customer successfully retrieved"}}]}}}"""

PROGRAMS = (
    Program(program_id=973, name="Gold Rewards", is_default=True, ratio=Decimal("0.5"), are_rules_known=False),
    Program(program_id=974, name="Fuel", are_rules_known=False),
)
RECORD = CustomerRecord(
    customer=Customer(
        customer_id=50001,
        mobile="919812345678",
        email="ada@example.org",
        external_id="C-1001",
        first_name="Ada",
        last_name="Fernandes",
        tier="Gold",
        default_family_group_id=77,
    ),
    wallets=(
        Wallet(
            program_id=973,
            balance=Points.of("500.5"),
            available=Points.of("500.5"),
            lifetime_points=Points.of(1500),
            lifetime_purchases=Decimal("2500.75"),
            promised_points=Points.of(20),
            redeemed_days=None,
            lots=(Lot(points=Points.of("300.5"), expires_on=date(2027, 12, 31), program_id=973),),
        ),
        Wallet(
            program_id=974,
            balance=Points.of(40),
            available=Points.of(40),
            lifetime_points=Points.of(40),
            lifetime_purchases=Decimal("2500.75"),
            redeemed_days=None,
            lots=(Lot(points=Points.of(40), expires_on=date(2027, 1, 31), program_id=974),),
        ),
    ),
    family_groups=(
        FamilyGroup(
            group_id=77,
            name="Fernandes",
            external_id="FG-1",
            is_default=True,
            members=(Member(50001, is_primary=True, may_redeem=False),),
        ),
    ),
    programs=PROGRAMS,
)


def test_a_customer_is_told_field_for_field():
    assert fields(write_customers([(ADA, RECORD)], ALL, Format.JSON)) == fields(SAMPLE)


def test_a_customer_is_read():
    assert read_customer(SAMPLE.encode()) == RECORD


def test_a_customer_survives_xml():
    assert read_customer(write_customers([(ADA, RECORD)], ALL, Format.XML)) == RECORD


def test_xml_lists_have_the_singular_name():
    text = write_customers([(ADA, RECORD)], ALL, Format.XML).decode()
    assert "<customers><customer><firstname>Ada</firstname>" in text
    assert "<user_groups2><user_group2><id>77</id>" in text
    assert "<permissions><permission>block_points_redemption</permission></permissions>" in text
    assert "<points_summaries><points_summary><program_id>973</program_id>" in text
    assert elements(text)


def test_what_was_not_asked_for_is_not_told():
    plain = CustomerQuery(refs=(ADA,))
    item = json.loads(write_customers([(ADA, RECORD)], plain, Format.JSON))["response"]["customers"]["customer"][0]
    absent = {"user_id", "user_groups2", "points_summaries", "expiry_schedule", "programs_list"}
    assert not absent & item.keys()
    assert item["loyalty_points"] == 500.5


def test_a_customer_of_no_family_group_has_an_empty_list():
    text = write_customers([(ADA, replace(RECORD, family_groups=()))], ALL, Format.JSON)
    assert b'"user_groups2":[]' in text
    found = read_customer(text)
    assert found
    assert found.family_groups == ()
    assert found.customer.default_family_group_id is None


@pytest.mark.parametrize(("program_id", "points"), [(None, 500.5), (973, 500.5), (974, 40), (12, 0)])
def test_the_figures_at_the_top_are_those_of_one_program(program_id, points):
    query = replace(ALL, program_id=program_id)
    item = json.loads(write_customers([(ADA, RECORD)], query, Format.JSON))["response"]["customers"]["customer"][0]
    assert item["loyalty_points"] == points


def test_a_blocked_customer_is_marked_and_nothing_more_is_said():
    blocked = replace(RECORD, customer=replace(RECORD.customer, is_blocked=True))
    text = write_customers([(ADA, blocked)], ALL, Format.JSON)
    assert b'"fraud_details":{"status":"MARKED","marked_by":"","modified_on":"","reason":""}' in text
    assert read_customer(text) == blocked


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "LOYALTY"),
        ({"is_registered": False}, "NON_LOYALTY"),
        ({"is_campaign_only": True}, "NON_LOYALTY"),
    ],
)
def test_who_has_not_joined_is_not_of_the_loyalty_type(changes, kind):
    record = a_record(customer=a_customer(**changes))
    tree = json.loads(write_customers([(ADA, record)], ALL, Format.JSON))
    assert tree["response"]["customers"]["customer"][0]["type"] == kind


# --- Nobody, and some of several ---


def test_nobody_is_told_as_a_refusal_that_echoes_the_identifier():
    text = write_customers([(ADA, None)], ALL, Format.JSON)
    assert fields(text) == fields("""{"response": {
      "status": {"success": "false", "code": 500, "message": "All requests have failed due to errors"},
      "customers": {"customer": [{"mobile": "919812345678", "email": "", "external_id": "",
        "item_status": {"success": "false", "code": "1012", "message": "Customer not found"}}]}}}""")
    assert read_customer(text) is None
    assert read_customer(write_customers([(ADA, None)], ALL, Format.XML)) is None


def test_some_of_several_customers_found_is_201():
    tree = json.loads(write_customers([(ADA, RECORD), (BOB, None)], ALL, Format.JSON))["response"]
    assert tree["status"]["code"] == 201
    assert [each["item_status"]["code"] for each in tree["customers"]["customer"]] == ["1000", "1012"]


@pytest.mark.parametrize("code", [1011, "1012", 816, "816", 802, 904, 8015, 889, 1013, 1020, 1044, 8069, 8109])
def test_every_way_to_say_that_nobody_can_be_served_is_nobody(code):
    item = {"item_status": {"success": "false", "code": code, "message": "no"}}
    assert read_customer(as_body({"response": {"customers": {"customer": item}}})) is None


@pytest.mark.parametrize("code", [521, 815, 500, 1101, 4711])
def test_trouble_is_not_taken_for_nobody(code):
    item = {"item_status": {"success": "false", "code": code, "message": "no"}}
    with pytest.raises(UnreadableAnswerError):
        read_customer(as_body({"response": {"customers": {"customer": item}}}))


# --- Other shapes (1.4, section 5) ---


def changed(**changes):
    tree = copy.deepcopy(json.loads(SAMPLE))
    item = tree["response"]["customers"]["customer"][0]
    for name, value in changes.items():
        if value is None:
            del item[name]
        else:
            item[name] = value
    return tree


@pytest.mark.parametrize(
    "tree",
    [
        {"response": {"customers": {"customer": changed()["response"]["customers"]["customer"][0]}}},
        {"customers": changed()["response"]["customers"]},
        {"root": changed()},
        changed(item_status={"success": True, "code": 1000, "message": ""}),
        changed(loyalty_points="500.5", lifetime_points="1500", lifetime_purchases="2500.750"),
        changed(user_id=50001),
        changed(fraud_details={"status": "NONE", "marked_by": [], "modified_on": [], "reason": ""}),
        changed(fraud_details=None),
        changed(type=None),
        changed(programs_list=None),
        changed(programs_list={"program": []}),
    ],
)
def test_a_customer_is_read_in_every_shape_that_clusters_send(tree):
    found = read_customer(as_body(tree))
    assert found
    assert found.customer == RECORD.customer
    assert found.wallets == RECORD.wallets
    assert found.programs == RECORD.programs


@pytest.mark.parametrize(
    ("status", "is_blocked"),
    [
        ("MARKED", True),
        ("CONFIRMED", True),
        ("RECONFIRMED", True),
        ("FRAUD", True),
        ("fraud", True),
        ("NONE", False),
        ("NOT_FRAUD", False),
        ("Not Fraud", False),
        ("INTERNAL", False),
        ("NORMAL", False),
        ("OUTLIER", False),
        ("INVALID", False),
        ("", False),
    ],
)
def test_four_statuses_block_and_no_other(status, is_blocked):
    found = read_customer(as_body(changed(fraud_details={"status": status})))
    assert found
    assert found.customer.is_blocked is is_blocked


@pytest.mark.parametrize(
    ("permissions", "may_redeem"),
    [
        ([], True),
        (["allow_points_redemption"], True),
        (["block_points_transfer"], True),
        (["allow_points_transfer", "block_points_redemption"], False),
        (["BLOCK_POINTS_REDEMPTION"], False),
    ],
)
def test_a_member_may_redeem_unless_she_is_blocked(permissions, may_redeem):
    group = {"id": "77", "groupName": "F", "groupStatus": "ACTIVE", "permissions": permissions}
    found = read_customer(as_body(changed(user_groups2=[group])))
    assert found
    assert found.family_groups[0].members == (Member(50001, may_redeem=may_redeem),)


@pytest.mark.parametrize("status", ["INACTIVE", "DELETED"])
def test_a_family_group_that_is_not_active_is_told_apart(status):
    found = read_customer(as_body(changed(user_groups2=[{"id": 1, "groupStatus": status}])))
    assert found
    assert not found.family_groups[0].is_active


def test_without_summaries_the_one_balance_belongs_to_the_tills_program():
    tree = changed(points_summaries={"points_summary": []}, expiry_schedule={"schedule": []}, programs_list=None)
    found = read_customer(as_body(tree), program_id=12)
    assert found
    assert [(wallet.program_id, wallet.balance) for wallet in found.wallets] == [(12, Points.of("500.5"))]


def test_without_summaries_the_one_balance_belongs_to_the_default_program_where_that_is_all_we_know():
    found = read_customer(as_body(changed(points_summaries=None)))
    assert found
    assert [wallet.program_id for wallet in found.wallets] == [973]
    assert found.wallets[0].lots == RECORD.wallets[0].lots


def test_a_balance_of_no_known_program_is_no_wallet():
    found = read_customer(as_body(changed(points_summaries=None, programs_list=None)))
    assert found
    assert found.wallets == ()


def test_a_balance_finer_than_a_thousandth_is_never_rounded_up():
    rows = {"points_summary": [{"program_id": 973, "loyalty_points": 499.99999}]}
    found = read_customer(as_body(changed(points_summaries=rows)))
    assert found
    assert found.wallets[0].balance == Points.of("499.999")


def test_lots_that_never_expire_have_no_place_in_the_schedule():
    wallet = a_wallet(500, lots=(a_lot(300, None), a_lot(200, date(2027, 12, 31))))
    text = write_customers([(ADA, a_record(wallets=(wallet,)))], ALL, Format.JSON)
    schedule = json.loads(text)["response"]["customers"]["customer"][0]["expiry_schedule"]["schedule"]
    assert schedule == [{"program_id": "973", "points": 200, "expiry_date": "2027-12-31"}]


def test_a_family_group_of_which_only_others_are_members_is_still_told():
    group = a_family_group(members=(Member(1, is_primary=True),))
    text = write_customers([(ADA, a_record(family_groups=(group,)))], ALL, Format.JSON)
    row = json.loads(text)["response"]["customers"]["customer"][0]["user_groups2"][0]
    assert row["primaryMember"] is False


def test_a_wallet_of_a_program_not_listed_is_told_without_its_name():
    record = a_record(wallets=(a_wallet(5, 12),), programs=(a_program(),))
    text = write_customers([(ADA, record)], ALL, Format.JSON)
    assert b'"program_id":"12","program_name":""' in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"response": {"customers": {"customer": []}}}',
        b'{"response": {"customers": {"customer": [5]}}}',
        b'{"response": {"customers": []}}',
        b'{"response": {"status": {"success": "false", "code": 500, "message": "x"}}}',
        as_body(changed(item_status=None)),
        as_body(changed(user_id=None)),
        as_body(changed(user_id="U-7")),
        as_body(changed(loyalty_points="many", points_summaries=None)),
        as_body(changed(user_groups2=[{"groupName": "no id"}])),
        b"<html><body>Sign in</body></html>",
    ],
)
def test_whatever_is_no_customer_is_unreadable(body):
    with pytest.raises(UnreadableAnswerError):
        read_customer(body)
