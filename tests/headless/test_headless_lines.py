"""Lines in and out: whatever comes in is a command or an error, and a line out is whole."""

from __future__ import annotations

import io
import json
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_app.headless.at_work import AT_ONCE, COMMANDS, NEEDS_OPERATOR
from pos_app.headless.lines import LINE_MAX, BadLineError, Voice, read_line
from pos_app.headless.parameters import (
    BadParameterError,
    customer_of,
    flag_of,
    number_of,
    number_or_none,
    request_of,
    text_of,
    texts,
)


def test_the_commands_are_those_of_the_specification() -> None:
    words = "enrol sign_in lookup check lease redeem enter_otp cancel reverse approve sync go_offline go_online"
    assert {*words.split(), "status", "journal", "quit"} == COMMANDS


def test_seven_commands_need_somebody_who_is_signed_in() -> None:
    assert {"lookup", "check", "lease", "redeem", "enter_otp", "cancel", "reverse"} == NEEDS_OPERATOR


def test_what_is_answered_at_once_waits_for_nobody() -> None:
    assert {"status", "journal", "go_offline", "go_online"} == AT_ONCE


def test_a_command_is_its_id_its_word_and_the_rest() -> None:
    command = read_line(b'{"id": "a1", "do": "check", "points": "100"}', COMMANDS)
    assert (command.line_id, command.do, command.given) == ("a1", "check", {"points": "100"})


def test_a_commands_parameters_are_not_in_its_repr() -> None:
    assert "9177" not in repr(read_line(b'{"id": 1, "do": "lookup", "mobile": "9177"}', COMMANDS))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b"3",
        b'"check"',
        b"{}",
        b'{"id": 1}',
        b'{"id": 1, "do": null}',
        b'{"id": 1, "do": "fly"}',
        b'{"id": 1, "do": ["check"]}',
        b'{"id": {}, "do": "check"}',
        b'{"id": true, "do": "check"}',
        b'{"id": 1.5, "do": "check"}',
        b'{"id": NaN, "do": "check"}',
        b'{"id": 1, "do": "check"',
        b"\xff\xfe{}",
        b"[" * 50_000,
        b'{"id": ' + b"9" * 5_000 + b', "do": "check"}',
        b'{"id": 1, "do": "check", "x": "' + b"y" * LINE_MAX + b'"}',
    ],
    ids=lambda line: line[:30].decode("latin-1"),
)
def test_a_line_that_is_no_command_says_what_is_expected(line: bytes) -> None:
    with pytest.raises(BadLineError) as bad:
        read_line(line, COMMANDS)
    assert str(bad.value).endswith(".")


def test_an_unknown_command_is_told_under_its_own_id() -> None:
    with pytest.raises(BadLineError) as bad:
        read_line(b'{"id": 7, "do": "fly"}', COMMANDS)
    assert bad.value.line_id == 7


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_break_the_reader(line: bytes) -> None:
    try:
        command = read_line(line, COMMANDS)
    except BadLineError:
        return
    assert command.do in COMMANDS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    "mobile points id program_id key validation_code user_group2_id issue_otp bill approval".split()
)


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_no_parameters_break_the_readers(given: dict[str, object]) -> None:
    for read in (request_of, customer_of, texts):
        with suppress(BadParameterError):
            read(given)


def test_parameters_are_read_by_the_contracts_names() -> None:
    asked = request_of({"mobile": "919777785205", "points": "120", "program_id": 973, "issue_otp": True, "email": None})
    assert asked.customer.value == "919777785205"
    assert asked.program_id == 973
    assert asked.issue_otp


def test_the_redeem_calls_own_names_are_understood() -> None:
    assert texts({"points_redeemed": "5", "transaction_number": "B-1"}) == {"points": "5", "bill": "B-1"}


@pytest.mark.parametrize("name", ["customer_id", "user_id"])
def test_a_customers_number_has_a_name_of_its_own_since_id_is_the_lines(name: str) -> None:
    command = read_line(f'{{"id": 3, "do": "lookup", "{name}": 50001}}'.encode(), COMMANDS)
    assert command.line_id == 3
    assert customer_of(command.given).value == "50001"


@pytest.mark.parametrize(
    "given", [{"points": 1.5}, {"points": []}, {"mobile": {}}, {"mobile": "1", "email": "a@b"}, {}]
)
def test_parameters_of_the_wrong_kind_are_no_command(given: dict[str, object]) -> None:
    with pytest.raises(BadParameterError):
        customer_of(given) if "points" not in given else request_of({"mobile": "919777785205", **given})


def test_single_parameters_say_what_is_expected() -> None:
    assert number_of({"operator_id": "12"}, "operator_id") == 12
    assert number_or_none({}, "operator_id") is None
    assert flag_of({"close": True}, "close")
    for wrong in ({"x": "no"}, {"x": True}, {"x": -1}, {}):
        with pytest.raises(BadParameterError, match=r"x: expected a whole number"):
            number_of(wrong, "x")
    with pytest.raises(BadParameterError, match=r"x: expected true or false"):
        flag_of({"x": "true"}, "x")
    with pytest.raises(BadParameterError, match=r"x: expected a text"):
        text_of({"x": 3}, "x")


def test_events_of_many_threads_are_whole_lines() -> None:
    stream = io.BytesIO()
    voice = Voice(stream)
    threads = [
        threading.Thread(target=lambda number=number: [voice.say("row", key=f"{number}", shown="ü" * 500)] * 20)
        for number in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {each["key"] for each in told} == {str(number) for number in range(8)}


def test_a_listener_who_left_is_no_trouble() -> None:
    stream = io.BytesIO()
    stream.close()
    Voice(stream).say("ready")
