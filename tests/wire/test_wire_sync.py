from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from support.builders import a_ceiling, a_program, an_organisation, criteria
from support.wire_text import as_body, elements, fields

from pos_app.domain.answers import CancelAnswer, CancelOutcome, Capabilities, TillInfo, WalletView
from pos_app.domain.commands import Cancel, CancelReason
from pos_app.domain.facts import CeilingPeriod, Organisation, ProgramGroupRule
from pos_app.domain.money import Rounding
from pos_app.domain.points import Points
from pos_app.wire.formats import Format, MalformedError, UnreadableAnswerError
from pos_app.wire.sync import (
    read_cancel,
    read_cancel_answer,
    read_capabilities,
    read_configs,
    read_program,
    read_sync_error,
    write_cancel,
    write_cancel_answer,
    write_capabilities,
    write_configs,
    write_program,
    write_sync_error,
)

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)

NOT_ONE_OF_OURS = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"<html><body>Sign in</body></html>",
    b'{"response": {"status": {"success": "true", "code": 200, "message": "Success"}}}',
    b'{"service": 5, "key": 7, "program": [], "organization": "x"',
]


# --- Capabilities (sync-api 3) ---

CAPABILITIES = Capabilities(
    service="pos-app-ledger",
    version="1.4.0",
    epoch=3,
    server_time=NOW,
    has_extension=True,
    idempotent_redeem=True,
    features=frozenset({"post_reads", "cancel"}),
    till=TillInfo(
        login="till.014.3",
        store="014",
        name="Till 3",
        program_id=973,
        currency="INR",
        currency_rate=Decimal("1.5"),
        state="ACTIVE",
        till_epoch=2,
    ),
)
CAPABILITIES_JSON = """{"service": "pos-app-ledger", "version": "1.4.0", "api": 1, "schema": 1, "epoch": 3,
"server_time": "2026-11-22T10:00:00.000Z", "idempotent_redeem": true, "features": ["cancel", "post_reads"],
"ledger_keys": [], "till": {"login": "till.014.3", "store": "014", "name": "Till 3", "program_id": 973,
"currency": "INR", "currency_rate": "1.5", "state": "ACTIVE", "till_epoch": 2}}"""


def test_a_service_says_what_it_can_do_field_for_field():
    assert fields(write_capabilities(CAPABILITIES)) == fields(CAPABILITIES_JSON)
    assert read_capabilities(CAPABILITIES_JSON.encode()) == CAPABILITIES


def test_what_is_not_known_of_a_service_is_ignored():
    tree = {**json.loads(CAPABILITIES_JSON), "moons": 2, "ledger_keys": [{"key_id": "k1"}]}
    tree["features"].append("leases")
    assert read_capabilities(as_body(tree)).features == {"cancel", "leases", "post_reads"}


def test_only_a_real_yes_promises_to_repeat_a_key():
    for word in ("true", 1, None):
        assert not read_capabilities(
            as_body({**json.loads(CAPABILITIES_JSON), "idempotent_redeem": word})
        ).idempotent_redeem


def test_capabilities_need_a_moment():
    with pytest.raises(ValueError, match="time"):
        write_capabilities(Capabilities())


@pytest.mark.parametrize("body", [*NOT_ONE_OF_OURS, b'{"service": "x"}', b'{"service": "x", "api": 2, "epoch": 1}'])
def test_what_says_no_capabilities_is_unreadable(body):
    with pytest.raises(UnreadableAnswerError):
        read_capabilities(body)


# --- Cancel (sync-api 8) ---

CANCEL = Cancel(key=KEY, reason=CancelReason.CUSTOMER_LEFT, cashier=7)
CANCELLED = CancelAnswer(
    key=KEY,
    outcome=CancelOutcome.REVERSED,
    redemption_id="k4Wq7Z",
    reversal_id="r1",
    server_time=NOW,
    wallet=WalletView(wallet_id=8801, version=18, balance=Points.of(500), available=Points.of("499.5")),
)


def test_a_cancel_is_written_field_for_field():
    assert fields(write_cancel(CANCEL)) == fields(
        f'{{"key": "{KEY}", "cashier": 7, "reason": "customer_left", "approval": null}}'
    )
    assert read_cancel(write_cancel(CANCEL)) == CANCEL


@pytest.mark.parametrize("reason", CancelReason)
def test_a_cancel_travels_whatever_its_reason(reason):
    command = Cancel(key=KEY, reason=reason)
    assert read_cancel(write_cancel(command)) == command


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": "TR-01J9ZQ4M7T8V2W3X5Y6A7B8"},
        {"key": KEY.lower()},
        {"key": 5},
        {"reason": "bored"},
        {"reason": None},
        {"reason": []},
        {"cashier": "7"},
        {"cashier": True},
    ],
)
def test_a_cancel_without_key_or_known_reason_is_malformed(changes):
    tree = {"key": KEY, "cashier": 7, "reason": "other", **changes}
    with pytest.raises(MalformedError) as caught:
        read_cancel(as_body(tree))
    assert caught.value.field == next(iter(changes))


def test_the_answer_of_a_cancel_is_written_field_for_field():
    assert fields(write_cancel_answer(CANCELLED)) == fields(
        f'{{"key": "{KEY}", "outcome": "reversed", "redemption_id": "k4Wq7Z", "reversal_id": "r1",'
        '"server_time": "2026-11-22T10:00:00.000Z", "wallet": {"wallet_id": 8801, "version": 18, "balance": "500",'
        '"available": "499.5", "held_offline": "0", "held_until": null, "held_store": null}}'
    )
    assert read_cancel_answer(write_cancel_answer(CANCELLED)) == CANCELLED
    bare = CancelAnswer(key=KEY, outcome=CancelOutcome.CANCELLED)
    assert read_cancel_answer(write_cancel_answer(bare)) == bare


@pytest.mark.parametrize("body", [*NOT_ONE_OF_OURS, b'{"key": "K", "outcome": "perhaps"}', b'{"outcome": "cancelled"}'])
def test_what_says_no_outcome_is_unreadable(body):
    with pytest.raises(UnreadableAnswerError):
        read_cancel_answer(body)


# --- Errors (sync-api 1) ---


def test_an_error_has_the_v2_shape_and_a_reason_to_decide_on():
    text = write_sync_error(409, "gap", "A row is missing", "spends[0].seq")
    assert fields(text) == fields(
        '{"errors": [{"status": false, "code": 409, "reason": "gap", "message": "A row is missing",'
        '"field": "spends[0].seq"}]}'
    )
    assert read_sync_error(text) == "gap"
    assert b"field" not in write_sync_error(404, "unknown", "Nothing here")


@pytest.mark.parametrize("body", [*NOT_ONE_OF_OURS, b'{"errors": []}', b'{"errors": [5]}', b'{"errors": "x"}'])
def test_a_body_without_an_error_has_no_reason(body):
    assert read_sync_error(body) is None


# --- Criteria (sync-api 11) ---

PROGRAM = a_program(
    ratio="0.5",
    decimals=1,
    rounding=Rounding.FLOOR,
    family_groups_enabled=True,
    criteria=criteria(
        minimum=50,
        multiple_of="2.5",
        lifetime_purchases_required="99.90",
        ceilings=(a_ceiling(200), a_ceiling(500, CeilingPeriod.PAST_DAYS, 30)),
    ),
    tier_criteria={"Gold Plus": criteria(maximum=1000), "Silver": criteria()},
)
PROGRAM_JSON = """{"response": {"status": {"success": "true", "code": 200, "message": "Success"},
 "program": {"program_id": "973", "program_name": "Gold Rewards", "points_currency_ratio": "0.5", "decimals": "1",
  "rounding": "floor", "redemption_enabled": "true",
  "criteria": {"minimum": "50", "multiple_of": "2.5", "lifetime_purchases_required": "99.9",
   "ceilings": [{"period": "day", "points": "200"}, {"period": "past_days", "points": "500", "days": "30"}]},
  "tier_criteria": {"Gold Plus": {"maximum": "1000"}, "Silver": {}},
  "default": "true", "active": "true", "family_groups_enabled": "true", "offline_redemption": "false",
  "item_status": {"success": "true", "code": 800, "message": "Success"}}}}"""


def test_a_program_is_told_with_its_rules():
    assert fields(write_program(PROGRAM, Format.JSON)) == fields(PROGRAM_JSON)
    assert read_program(PROGRAM_JSON.encode()) == PROGRAM


def test_a_program_survives_xml_though_a_tier_has_a_space_in_its_name():
    text = write_program(PROGRAM, Format.XML)
    assert b'<entry key="Gold Plus"><maximum>1000</maximum></entry><Silver></Silver>' in text
    assert read_program(text) == PROGRAM
    assert elements(text)


def test_the_rules_of_a_program_that_is_told_are_known():
    found = read_program(PROGRAM_JSON.encode())
    assert found
    assert found.are_rules_known
    assert found.criteria_for("Gold Plus").maximum == Points.of(1000)
    assert found.criteria_for(None).minimum == Points.of(50)


def test_only_the_documented_members_are_needed():
    tree = json.loads(PROGRAM_JSON)
    for extra in ("default", "active", "family_groups_enabled", "offline_redemption"):
        del tree["response"]["program"][extra]
    assert read_program(as_body(tree)) == replace(PROGRAM, is_default=False, family_groups_enabled=False)


@pytest.mark.parametrize("limit", [None, "0", 0, ""])
def test_a_rule_of_nothing_is_no_rule(limit):
    tree = json.loads(PROGRAM_JSON)
    tree["response"]["program"]["criteria"] = {"minimum": limit, "ceilings": [{"period": "day", "points": "0"}]}
    found = read_program(as_body(tree))
    assert found
    assert found.criteria == criteria()


def test_a_ratio_that_is_not_set_up_is_none():
    program = replace(PROGRAM, ratio=None)
    assert read_program(write_program(program, Format.JSON)) == program
    assert read_program(write_program(program, Format.XML)) == program


@pytest.mark.parametrize("fmt", Format)
def test_an_unknown_program_is_the_refusal_1101(fmt):
    text = write_program(None, fmt)
    assert b"1101" in text
    assert read_program(text) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"criteria": {"minimum": "some"}},
        {"criteria": {"ceilings": [{"points": "5"}]}},
        {"criteria": {"ceilings": [{"period": "fortnight", "points": "5"}]}},
        {"criteria": {"ceilings": ["day"]}},
        {"rounding": "sideways"},
        {"decimals": "4"},
        {"program_id": "gold"},
    ],
)
def test_half_the_rules_of_a_program_are_none(changes):
    tree = json.loads(PROGRAM_JSON)
    tree["response"]["program"] |= changes
    with pytest.raises(UnreadableAnswerError):
        read_program(as_body(tree))


@pytest.mark.parametrize("body", NOT_ONE_OF_OURS)
def test_what_tells_of_no_program_is_unreadable(body):
    with pytest.raises(UnreadableAnswerError):
        read_program(body)


# --- Configuration (sync-api 11) ---

ORGANISATION = Organisation(
    organisation_id=1,
    currency="INR",
    time_zone="Asia/Kolkata",
    country_code="91",
    validation_required=True,
    skip_validation_allowed=True,
    missed_call_enabled=True,
    missed_call_number="+912212345678",
    reversal_enabled=False,
    program_group_redemption=ProgramGroupRule.REQUIRED,
    otp_length=8,
    otp_alphabet="digits",
    otp_validity_s=450,
)


@pytest.mark.parametrize("fmt", Format)
def test_an_organisations_switches_travel_as_keys_and_values(fmt):
    assert read_configs(write_configs(ORGANISATION, fmt)) == ORGANISATION


def test_every_key_of_the_contract_is_there_and_all_text():
    configs = json.loads(write_configs(ORGANISATION, Format.JSON))["response"]["organization"]["configs"]["config"]
    assert {each["key"]: each["value"] for each in configs} == {
        "currency": "INR",
        "time_zone": "Asia/Kolkata",
        "country_code": "91",
        "validation_required": "true",
        "skip_validation_allowed": "true",
        "missed_call_enabled": "true",
        "missed_call_number": "+912212345678",
        "otp_length": "8",
        "otp_alphabet": "digits",
        "otp_validity_minutes": "7.5",
        "reversal_enabled": "false",
        "program_group_redemption": "required",
    }
    for each in configs:
        assert list(each) == ["key", "value", "scopes", "value_type", "modules", "entity_id"]
        assert all(isinstance(value, str) for value in each.values())


@pytest.mark.parametrize("seconds", [600, 450, 100, 61, 1])
def test_a_validity_of_any_second_survives_minutes(seconds):
    found = read_configs(write_configs(an_organisation(otp_validity_s=seconds), Format.JSON))
    assert found
    assert found.otp_validity_s == seconds


def test_a_service_without_our_keys_gives_defaults():
    config = {
        "key": "CONF_POINTS_MAX",
        "value": "5",
        "scopes": "ORG",
        "value_type": "NUMBER",
        "modules": "",
        "entity_id": "",
    }
    body = as_body({"response": {"organization": {"configs": {"config": [config]}}}})
    assert read_configs(body) == Organisation()


def test_values_that_cannot_be_read_keep_their_defaults():
    odd = {
        "validation_required": "perhaps",
        "otp_length": "six",
        "otp_validity_minutes": "-1",
        "program_group_redemption": "sometimes",
        "currency": "",
        "skip_validation_allowed": "1",
    }
    rows = [{"key": key, "value": value} for key, value in odd.items()]
    body = as_body({"response": {"organization": {"configs": {"config": rows}}}})
    assert read_configs(body) == Organisation(skip_validation_allowed=True)


def test_a_service_that_refuses_does_not_tell():
    body = b'{"response": {"status": {"success": "false", "code": 500, "message": "x"}}}'
    assert read_configs(body) is None


@pytest.mark.parametrize("body", NOT_ONE_OF_OURS)
def test_what_tells_of_no_configuration_is_unreadable(body):
    with pytest.raises(UnreadableAnswerError):
        read_configs(body)
