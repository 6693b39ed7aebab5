from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from support.wire_text import as_body, elements

from pos_app.domain.commands import Redeem
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    NO_SUCH_PROGRAM,
    AskedPoints,
    AskedValue,
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    RedemptionRequest,
    UnreadableAmount,
    ValidationType,
)
from pos_app.wire.formats import Format, MalformedError
from pos_app.wire.requests import read_redeem, write_redeem

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
ADA = {"id": 50001}


def read(item=None, query=None, **changes):
    body = {"points_redeemed": "120", "customer": ADA, **(item or {}), **changes}
    return read_redeem(query or {}, as_body({"root": {"redeem": [body]}}), "application/json")


# The example of sync-api 2, body as typed there.
EXAMPLE = b"""{"root":{"redeem":[{"points_redeemed":"120","customer":{"id":50001},"transaction_number":"B-77",
 "external_reference_number":"6Q2P0V8RJX4M1TZC9WD3HKYB5E","validation_code":"Q7XK2M"}]}}"""
EXAMPLE_COMMAND = Redeem(
    request=RedemptionRequest(
        customer=CustomerRef(IdentifierKind.ID, "50001"),
        amount=AskedPoints(Points.of(120)),
        program_id=973,
        validation_code="Q7XK2M",
    ),
    key=KEY,
    bill_number="B-77",
)


def test_the_example_is_read():
    assert read_redeem({"program_id": "973", "format": "json"}, EXAMPLE, "application/json") == EXAMPLE_COMMAND


def test_the_example_is_written():
    query, body, kind = write_redeem(EXAMPLE_COMMAND)
    assert query == {"program_id": "973"}
    assert json.loads(body) == json.loads(EXAMPLE)
    assert kind == "application/json; charset=utf-8"


def test_the_example_is_written_as_xml_without_wrappers():
    query, body, kind = write_redeem(EXAMPLE_COMMAND, Format.XML)
    assert elements(body) == elements(
        "<root><redeem><points_redeemed>120</points_redeemed><customer><id>50001</id></customer>"
        f"<transaction_number>B-77</transaction_number><external_reference_number>{KEY}</external_reference_number>"
        "<validation_code>Q7XK2M</validation_code></redeem></root>"
    )
    assert read_redeem(query, body, kind) == EXAMPLE_COMMAND


def test_everything_optional_travels():
    command = Redeem(
        request=RedemptionRequest(
            customer=CustomerRef(IdentifierKind.MOBILE, "919812345678"),
            amount=AskedPoints(Points.of("12.5")),
            family_group=FamilyGroupRef(group_id=77),
            skip_validation=True,
            validation_type=ValidationType.INVALID,
        ),
        also_named=(CustomerRef(IdentifierKind.EMAIL, "ada@example.org"),),
        redemption_time=datetime(2026, 11, 22, 10, 0),  # noqa: DTZ001 - naive: the organisation's time zone.
        till_id="till.014.3",
        notes="at the counter",
    )
    query, body, kind = write_redeem(command)
    assert query == {"skip_validation": "true", "validation_type": "INVALID", "user_group2_id": "77"}
    assert json.loads(body)["root"]["redeem"][0]["redemption_time"] == "2026-11-22 10:00:00"
    assert read_redeem(query, body, kind) == command


def test_a_redemption_by_value_is_a_fault_of_ours():
    request = RedemptionRequest(customer=CustomerRef(IdentifierKind.ID, "1"), amount=AskedValue(Decimal(5)))
    with pytest.raises(ValueError, match="points"):
        write_redeem(Redeem(request=request))


@pytest.mark.parametrize(
    "body",
    [
        {"root": {"redeem": {"points_redeemed": 120, "customer": ADA}}},
        {"root": {"redeem": [{"points_redeemed": 120, "customer": ADA}]}},
        {"redeem": [{"points_redeemed": "120.0", "customer": ADA}]},
        {"redeem": {"points_redeemed": " 120 ", "customer": {"id": "50001", "mobile": "", "email": None}}},
    ],
)
def test_an_array_of_one_a_bare_object_and_text_mean_the_same(body):
    assert read_redeem({}, as_body(body), "application/json") == read()


@pytest.mark.parametrize(
    "body",
    [
        {"root": {"redeem": []}},
        {"root": {"redeem": [{"points_redeemed": 1, "customer": ADA}] * 2}},
        {"root": {"redeem": "120"}},
        {"root": {"redeem": None}},
        {"root": {}},
        {},
        {"root": {"redeem": [["a"]]}},
    ],
)
def test_none_or_several_redemptions_are_malformed(body):
    with pytest.raises(MalformedError) as caught:
        read_redeem({}, as_body(body), "application/json")
    assert caught.value.field == "redeem"


def test_two_redemptions_in_xml_are_malformed():
    one = b"<redeem><points_redeemed>1</points_redeemed><customer><id>1</id></customer></redeem>"
    assert read_redeem({}, b"<root>" + one + b"</root>", "text/xml").request.customer.value == "1"
    with pytest.raises(MalformedError):
        read_redeem({}, b"<root>" + one + one + b"</root>", "text/xml")


# --- Points ---


@pytest.mark.parametrize("value", [None, "", 0, -1, "abc", True, [], {}, [1], {"a": 1}, "1e2", "null"])
def test_points_that_are_no_number_above_zero_are_refused_with_801(value):
    amount = read(points_redeemed=value).request.amount
    assert isinstance(amount, UnreadableAmount)
    assert amount.refusal is Refusal.POINTS_NOT_POSITIVE


@pytest.mark.parametrize("value", [12.3456, "12.3456"])
def test_points_with_four_decimals_are_refused_with_878(value):
    assert read(points_redeemed=value).request.amount == UnreadableAmount(
        Refusal.POINTS_TOO_FINE, shown=Points.of("12.345")
    )


def test_points_as_a_json_number_stay_exact():
    body = b'{"root":{"redeem":[{"points_redeemed": 0.1, "customer": {"id": 1}}]}}'
    assert read_redeem({}, body, None).request.amount == AskedPoints(Points(100))


def test_a_number_no_program_could_mean_is_malformed():
    body = b'{"root":{"redeem":[{"points_redeemed": ' + b"9" * 100_000 + b', "customer": {"id": 1}}]}}'
    with pytest.raises(MalformedError):
        read_redeem({}, body, None)


# --- Customer ---


def test_the_first_filled_identifier_wins_and_the_others_are_kept():
    named = {
        "id": 5,
        "card_external_id": "ce",
        "card_number": "c",
        "external_id": "x",
        "email": "a@b",
        "mobile": "91981",
    }
    command = read(customer=named)
    assert command.request.customer == CustomerRef(IdentifierKind.MOBILE, "91981")
    assert [ref.kind for ref in command.also_named] == [
        IdentifierKind.EMAIL,
        IdentifierKind.EXTERNAL_ID,
        IdentifierKind.CARD_NUMBER,
        IdentifierKind.CARD_EXTERNAL_ID,
        IdentifierKind.ID,
    ]


@pytest.mark.parametrize("customer", [None, {}, "91981", [], {"mobile": ""}, {"mobile": "null"}, {"name": "Ada"}])
def test_a_redemption_without_a_customer_is_malformed(customer):
    with pytest.raises(MalformedError) as caught:
        read(customer=customer)
    assert caught.value.field == "customer"


# --- Query and body ---


@pytest.mark.parametrize(
    ("query", "in_body", "program_id"),
    [
        ({"program_id": "973"}, 12, 973),
        ({"program_id": ""}, 12, 12),
        ({"program_id": "null"}, "12", 12),
        ({}, "12", 12),
        ({}, None, None),
        ({}, "gold", NO_SUCH_PROGRAM),
    ],
)
def test_the_program_in_the_query_wins_over_the_one_in_the_body(query, in_body, program_id):
    assert read(query=query, program_id=in_body).request.program_id == program_id


def test_a_family_group_may_stand_in_the_query_or_in_the_body():
    group = FamilyGroupRef(group_id=77)
    assert read(query={"user_group2_id": "77"}).request.family_group == group
    assert read(user_group2_id=77).request.family_group == group
    assert read(query={"user_group2_id": "77"}, user_group2_id=78).request.family_group == group
    assert read(query={"use_default_user_group2": "true"}).request.family_group == FamilyGroupRef(use_default=True)


@pytest.mark.parametrize("value", [True, "true", "TRUE", "1", 1])
def test_a_program_group_is_asked_for_in_the_body(value):
    assert read(group_redemption=value).request.program_group


def test_a_program_group_beside_a_family_group_is_malformed_here_too():
    with pytest.raises(MalformedError):
        read(query={"user_group2_id": "77"}, group_redemption=True)


def test_skipping_the_confirmation_is_asked_for_in_the_query():
    request = read(query={"skip_validation": "true", "validation_type": "INVALID"}).request
    assert request.skip_validation
    assert request.validation_type is ValidationType.INVALID
    assert read(query={"validation_type": "missed_call"}).request.validation_type is ValidationType.MISSED_CALL


def test_nothing_is_issued_by_a_redemption():
    assert not read(query={"issue_otp": "true"}).request.issue_otp
    assert read(query={"validation_code": "Q7XK2M"}).request.validation_code is None


# --- The rest of the body ---


@pytest.mark.parametrize("word", ["true", "false", "null", "", True, None])
def test_words_that_are_no_code_are_no_code(word):
    assert read(validation_code=word).request.validation_code is None


def test_a_code_of_digits_may_be_a_number():
    assert read(validation_code=482913).request.validation_code == "482913"


@pytest.mark.parametrize("key", ["TR-01J9ZQ4M7T8V2W3X5Y6A7B8", "tr-1", " TR-1"])
def test_a_key_of_the_trainer_mode_is_malformed(key):
    with pytest.raises(MalformedError) as caught:
        read(external_reference_number=key)
    assert caught.value.field == "external_reference_number"


@pytest.mark.parametrize(("key", "found"), [("", None), (None, None), ("a" * 4000, "a" * 4000), (12345, "12345")])
def test_other_makers_may_use_any_reference_or_none(key, found):
    assert read(external_reference_number=key).key == found


def test_custom_fields_and_unknown_members_are_ignored():
    extra = {"custom_fields": {"field": [{"name": "a", "value": "b"}]}, "colour": {"deep": ["x"]}}
    assert read(extra) == read()


def test_a_member_that_should_be_text_and_is_an_object_is_malformed():
    with pytest.raises(MalformedError):
        read(transaction_number={"number": "B-77"})


def test_an_empty_list_is_how_some_clients_write_nothing():
    assert read(notes=[], transaction_number={}) == read()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22 10:00:00", datetime(2026, 11, 22, 10)),  # noqa: DTZ001 - the organisation's time zone
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10)),  # noqa: DTZ001
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_the_redemption_time_is_the_organisations_unless_it_says_more(text, moment):
    assert read(redemption_time=text).redemption_time == moment


@pytest.mark.parametrize("text", ["2026-11-22 10-00-00", "yesterday", "2026-13-01 10:00:00", "2026-11-22", 5])
def test_another_redemption_time_is_malformed(text):
    with pytest.raises(MalformedError) as caught:
        read(redemption_time=text)
    assert caught.value.field == "redemption_time"


def test_nobodys_data_is_in_the_representation_of_a_command():
    command = read(customer={"mobile": "919812345678"}, validation_code="Q7XK2M", notes="for Ada")
    assert not any(word in repr(command) for word in ("919812345678", "Q7XK2M", "Ada"))
