from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    NO_SUCH_PROGRAM,
    AskedPoints,
    AskedValue,
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    MemberSource,
    PrimaryKind,
    RedemptionRequest,
    UnreadableAmount,
    ValidationType,
)
from pos_app.wire.formats import MalformedError, read_query
from pos_app.wire.requests import (
    BATCH_MAX,
    read_check,
    read_customer_get,
    read_send_code,
    write_check,
    write_customer_get,
    write_send_code,
)

ADA = {"mobile": "919777785205"}


def check(**params):
    return read_check({**ADA, "points": "100", **params})


def points_of(text):
    return read_check({**ADA, "points": text}).amount


def asked(count):
    return AskedPoints(Points.of(count))


def test_the_documented_sample_is_understood():
    query = (
        "mobile=9777785205&points=1&program_id=973&group_redemption=false&user_group2_id=&issue_otp=null"
        "&validation_code=true&skip_validation=false&format=json"
    )
    assert read_check(read_query(query)) == RedemptionRequest(
        customer=CustomerRef(IdentifierKind.MOBILE, "9777785205"), amount=asked(1), program_id=973
    )


# --- 1.1, 1.4: parameters in general ---


def test_unknown_and_empty_parameters_are_ignored():
    assert check(**{"<query": "", "colour": "red", "user_id": "7", "email": "", "external_id": "null"}) == check()


def test_parameter_names_are_case_sensitive():
    with pytest.raises(MalformedError):
        read_check({"Mobile": "919777785205", "points": "100"})


@pytest.mark.parametrize("word", ["true", "TRUE", "True", "1", " true ", "tRuE"])
def test_these_words_are_true(word):
    assert check(issue_otp=word).issue_otp
    assert check(skip_validation=word).skip_validation
    assert check(group_redemption=word).program_group


@pytest.mark.parametrize("word", ["false", "FALSE", "0", "", "null", " ", " null ", "false "])
def test_these_words_are_false_or_not_given(word):
    assert check(issue_otp=word, skip_validation=word, group_redemption=word, currency_input=word) == check()


@pytest.mark.parametrize("word", ["yes", "no", "2", "01", "t", "truefalse", "-1", "NULL", "none"])
@pytest.mark.parametrize(
    "name", ["issue_otp", "skip_validation", "group_redemption", "currency_input", "use_default_user_group2"]
)
def test_any_other_word_for_a_boolean_is_malformed(name, word):
    with pytest.raises(MalformedError) as caught:
        check(**{name: word})
    assert caught.value.field == name


@pytest.mark.parametrize("text", ["a\x00b", "a\x1fb", "\ud800"])
def test_text_that_no_answer_could_carry_is_malformed(text):
    with pytest.raises(MalformedError):
        read_check({"external_id": text, "points": "1"})


# --- 2.1: who ---


@pytest.mark.parametrize("kind", IdentifierKind)
def test_any_one_identifier_names_the_customer(kind):
    assert read_check({kind.value: " x7 ", "points": "1"}).customer == CustomerRef(kind, "x7")


def test_a_mobile_number_whose_plus_was_decoded_to_a_space_is_trimmed():
    assert read_check(read_query("mobile=+447700900123&points=1")).customer.value == "447700900123"
    assert read_check(read_query("mobile=%2B447700900123&points=1")).customer.value == "+447700900123"


@pytest.mark.parametrize(
    "params", [{}, {"mobile": ""}, {"mobile": "null"}, {"mobile": "1", "email": "a@b"}, {"id": "5", "external_id": "5"}]
)
def test_exactly_one_identifier_must_be_given(params):
    with pytest.raises(MalformedError) as caught:
        read_check({**params, "points": "1"})
    assert caught.value.field == "customer"


def test_a_misshapen_identifier_is_left_to_the_rules():
    assert not read_check({"mobile": "abc", "points": "1"}).customer.is_well_formed


# --- 2.2: points ---


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("120", "120"),
        ("+10", "10"),
        (" 10 ", "10"),
        ("10.0", "10"),
        ("10.", "10"),
        (".5", "0.5"),
        ("12.345", "12.345"),
        ("12.3450000", "12.345"),
        ("0010", "10"),
        ("1000000000000", "1000000000000"),
        ("0.001", "0.001"),
    ],
)
def test_points_are_read_as_the_number_they_are(text, count):
    assert points_of(text) == asked(count)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "0"),
        ("null", "0"),
        ("abc", "0"),
        ("1,000", "0"),
        ("1e2", "0"),
        ("1 000", "0"),
        ("０1", "0"),
        ("NaN", "0"),
        ("Infinity", "0"),
        ("0", "0"),
        ("000", "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("-5", "-5"),
        ("-1.5", "-1.5"),
        ("-1.00005", "-1"),
        ("1000000000001", "0"),
        ("1000000000000.0000000000000000000000001", "1000000000000"),
        ("9" * 41, "0"),
        ("9" * 100_000, "0"),
    ],
)
def test_no_number_above_zero_is_refused_with_801(text, shown):
    assert points_of(text) == UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, shown=Points.of(shown))


def test_missing_points_are_refused_not_malformed():
    assert read_check(ADA).amount == UnreadableAmount(Refusal.POINTS_NOT_POSITIVE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.0005", "10"),
        ("12.3456", "12.345"),
        ("0.0001", "0"),
        ("1." + "0" * 37 + "1", "1"),  # Beyond the 28 digits of a decimal context, and still not 1.
    ],
)
def test_more_than_three_decimals_are_refused_with_878(text, shown):
    assert points_of(text) == UnreadableAmount(Refusal.POINTS_TOO_FINE, shown=Points.of(shown))


# --- 2.3, 2.4: programs ---


@pytest.mark.parametrize(
    ("text", "program_id"),
    [
        ("973", 973),
        (" 973 ", 973),
        ("", None),
        ("null", None),
        ("abc", NO_SUCH_PROGRAM),
        ("9.5", NO_SUCH_PROGRAM),
        ("-1", NO_SUCH_PROGRAM),
        ("٣", NO_SUCH_PROGRAM),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", NO_SUCH_PROGRAM),
        ("9" * 5000, NO_SUCH_PROGRAM),
    ],
)
def test_a_program_id_that_is_no_number_names_no_program(text, program_id):
    assert check(program_id=text).program_id == program_id


def test_a_missing_program_is_left_to_the_till_that_asks():
    assert check().program_id is None


@pytest.mark.parametrize(
    "group", [{"user_group2_id": "7"}, {"use_default_user_group2": "true"}, {"user_group2_external_id": "F"}]
)
def test_a_program_group_beside_a_family_group_is_malformed(group):
    with pytest.raises(MalformedError) as caught:
        check(group_redemption="true", **group)
    assert caught.value.field == "group_redemption"
    assert check(group_redemption="false", **group).family_group


# --- 2.5: family groups ---


@pytest.mark.parametrize(
    ("params", "group"),
    [
        ({"user_group2_id": "77"}, FamilyGroupRef(group_id=77)),
        ({"user_group2_external_id": "FG-1"}, FamilyGroupRef(external_id="FG-1")),
        ({"user_group2_primary_user_id": "50001"}, FamilyGroupRef(primary_user_id=50001)),
        (
            {
                "user_group2_primary_user_identifier_type": "cardExternalId",
                "user_group2_primary_user_identifier_value": "c9",
            },
            FamilyGroupRef(primary_kind=PrimaryKind.CARD_EXTERNAL_ID, primary_value="c9"),
        ),
        ({"use_default_user_group2": "1"}, FamilyGroupRef(use_default=True)),
        ({"use_default_user_group2": "true", "user_group2_id": "77"}, FamilyGroupRef(group_id=77)),
        (
            {"user_group2_id": "77", "user_group2_primary_user_id": "5"},
            FamilyGroupRef(group_id=77, primary_user_id=5),
        ),
        (
            {
                "user_group2_primary_user_id": "5",
                "user_group2_primary_user_source": "WECHAT",
                "user_group2_primary_user_accountId": "wx1",
            },
            FamilyGroupRef(primary_user_id=5, source=MemberSource.WECHAT, account_id="wx1"),
        ),
        ({"user_group2_primary_user_source": "LINE"}, None),
        ({"user_group2_primary_user_source": "WECHAT"}, None),
        ({"user_group2_primary_user_accountId": "a"}, None),
        ({"user_group2_id": "null", "use_default_user_group2": "false"}, None),
    ],
)
def test_each_route_to_a_family_group_is_read(params, group):
    assert check(**params).family_group == group


@pytest.mark.parametrize(
    "params",
    [
        {"user_group2_primary_user_identifier_type": "mobile"},
        {"user_group2_primary_user_identifier_value": "91981"},
        {
            "user_group2_primary_user_identifier_type": "card_number",
            "user_group2_primary_user_identifier_value": "9",
        },
        {"user_group2_primary_user_identifier_type": "Mobile", "user_group2_primary_user_identifier_value": "9"},
        {"user_group2_id": "abc"},
        {"user_group2_id": "7.5"},
        {"user_group2_id": "9" * 30},
        {"user_group2_primary_user_id": "five"},
        {"user_group2_id": "7", "user_group2_primary_user_source": "instore"},
        {"user_group2_primary_user_source": "SHOP"},
        {"user_group2_id": "7", "user_group2_primary_user_source": "WECHAT"},
        {"use_default_user_group2": "maybe"},
    ],
)
def test_what_names_no_family_group_in_any_way_is_malformed(params):
    with pytest.raises(MalformedError):
        check(**params)


# --- 2.6: validation ---


@pytest.mark.parametrize("word", ["true", "false", "null", "", "TRUE", " False "])
def test_these_words_are_no_validation_code(word):
    assert check(validation_code=word).validation_code is None


def test_a_validation_code_is_kept_as_it_was_read_out():
    assert check(validation_code=" q7xk2m ").validation_code == "q7xk2m"


@pytest.mark.parametrize(
    ("word", "skip", "found"),
    [
        ("SMS", "false", ValidationType.SMS),
        ("sms", "false", ValidationType.SMS),
        ("missed_call", "false", ValidationType.MISSED_CALL),
        ("INVALID", "true", ValidationType.INVALID),
        ("INVALID", "false", None),
        ("", "false", None),
        ("null", "true", None),
    ],
)
def test_validation_types_are_upper_or_lower_case(word, skip, found):
    assert check(validation_type=word, skip_validation=skip).validation_type is found


@pytest.mark.parametrize("word", ["Sms", "MissedCall", "missed-call", "EMAIL"])
def test_another_validation_type_is_malformed(word):
    with pytest.raises(MalformedError):
        check(validation_type=word)


# --- 2.7: currency input ---


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("60", AskedValue(Decimal(60))),
        (" 59.99 ", AskedValue(Decimal("59.99"))),
        ("0", UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)),
        ("-1", UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)),
        ("ten", UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)),
        ("1e3", UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True)),
    ],
)
def test_a_value_is_asked_for_instead_of_points(value, amount):
    assert read_check({**ADA, "currency_input": "true", "currency_value": value}).amount == amount
    assert check(currency_input="1", currency_value=value, points="-7").amount == amount


@pytest.mark.parametrize("value", ["", "null", None])
def test_a_value_that_is_missing_is_malformed(value):
    params = {} if value is None else {"currency_value": value}
    with pytest.raises(MalformedError) as caught:
        check(currency_input="true", **params)
    assert caught.value.field == "currency_value"


def test_a_value_without_currency_input_is_ignored():
    assert check(currency_value="60") == check()


# --- Writing a check ---


def test_a_plain_question_is_written_with_the_program_always_there():
    assert write_check(check(program_id="973")) == {"mobile": "919777785205", "points": "100", "program_id": "973"}


def test_a_question_by_value_and_family_group_is_written_by_its_one_route():
    request = RedemptionRequest(
        customer=CustomerRef(IdentifierKind.EMAIL, "ada@example.org"),
        amount=AskedValue(Decimal("60.50")),
        program_id=973,
        family_group=FamilyGroupRef(group_id=77),
        issue_otp=True,
    )
    assert write_check(request) == {
        "email": "ada@example.org",
        "currency_input": "true",
        "currency_value": "60.5",
        "issue_otp": "true",
        "program_id": "973",
        "user_group2_id": "77",
    }


def test_a_primary_member_named_by_an_identifier_is_written_with_her_source():
    group = FamilyGroupRef(primary_kind=PrimaryKind.CARD_NUMBER, primary_value="c9")
    assert write_check(replace(check(), family_group=group)) == {
        "mobile": "919777785205",
        "points": "100",
        "user_group2_primary_user_identifier_type": "cardnumber",
        "user_group2_primary_user_identifier_value": "c9",
        "user_group2_primary_user_source": "INSTORE",
    }


@pytest.mark.parametrize("text", ["-5", "0", "10.0005", "0.0001", "abc"])
def test_an_amount_refused_for_its_shape_is_refused_again_after_the_journey(text):
    request = read_check({**ADA, "points": text})
    assert read_check(write_check(request)) == request


# --- validationcode (section 3) ---


def test_a_code_is_asked_for_with_or_without_points():
    assert read_send_code({**ADA, "points": "120"}).points == Points.of(120)
    assert read_send_code(ADA).points is None
    assert read_send_code({**ADA, "points": "null"}).points is None


@pytest.mark.parametrize("text", ["-100", "0", "many"])
def test_a_code_for_no_points_is_refused_though_one_sample_succeeds(text):
    asked_for = read_send_code({**ADA, "points": text}).points
    assert isinstance(asked_for, UnreadableAmount)
    assert asked_for.refusal is Refusal.POINTS_NOT_POSITIVE


@pytest.mark.parametrize("params", [{"user_id": "50001"}, {"id": "50001"}, {"id": "50001", "user_id": " 50001"}])
def test_id_and_user_id_mean_the_same_when_a_code_is_asked_for(params):
    assert read_send_code(params).customer == CustomerRef(IdentifierKind.ID, "50001")


@pytest.mark.parametrize("params", [{"user_id": "1", "id": "2"}, {"user_id": "1", "mobile": "91981"}, {}])
def test_a_code_goes_to_exactly_one_customer(params):
    with pytest.raises(MalformedError):
        read_send_code(params)


def test_a_request_for_a_code_is_written():
    assert write_send_code(read_send_code({**ADA, "points": "12.5"})) == {**ADA, "points": "12.5"}
    assert write_send_code(read_send_code(ADA)) == ADA


# --- customer/get (section 5) ---


def test_a_till_asks_for_everything_it_uses():
    assert write_customer_get(CustomerRef(IdentifierKind.MOBILE, "91981")) == {
        "mobile": "91981",
        "user_id": "true",
        "mlp": "true",
        "points_summary": "true",
        "expiry_schedule": "true",
        "user_group": "true",
        "program_summary": "true",
    }


def test_several_customers_may_be_listed():
    query = read_customer_get({"email": "a@x.org, b@x.org,,", "user_id": "1", "program_id": "973"})
    assert [ref.value for ref in query.refs] == ["a@x.org", "b@x.org"]
    assert query.with_user_id
    assert query.program_id == 973
    assert not query.with_programs


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"mobile": ","},
        {"mobile": "1", "email": "a@b"},
        {"mobile": "1", "user_id": "50001"},
        {"mobile": ",".join("1" for _ in range(BATCH_MAX + 1))},
    ],
)
def test_a_list_of_customers_is_of_one_kind_and_not_too_long(params):
    with pytest.raises(MalformedError):
        read_customer_get(params)


def test_no_fault_repeats_what_the_customer_gave():
    for params in ({"mobile": "919812345678", "email": "ada@example.org"}, {**ADA, "issue_otp": "919812345678"}):
        with pytest.raises(MalformedError) as caught:
            read_check({**params, "points": "1"})
        assert "9198" not in str(caught.value)
        assert "ada" not in str(caught.value)
