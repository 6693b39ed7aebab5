"""Whatever strangers send, a reader answers with a value or with its own error, and with no other."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_wire_answers import NO_XML, NOT_REDEEMED_JSON, REDEEMED_JSON, REDEEMED_XML, SENT_JSON, YES_JSON, YES_XML
from test_wire_customers import SAMPLE as CUSTOMER_JSON
from test_wire_extension import SAMPLE as EXTENSION_JSON
from test_wire_formats import WRONG_BODIES
from test_wire_sync import CAPABILITIES_JSON, PROGRAM_JSON

from pos_app.wire.answers import read_check_answer, read_code_answer, read_redeem_answer, read_status
from pos_app.wire.customers import read_customer
from pos_app.wire.extension import read_extension, read_extension_header, read_moment
from pos_app.wire.formats import MalformedError, UnreadableAnswerError, choose_format, read_query
from pos_app.wire.requests import read_check, read_customer_get, read_redeem, read_send_code
from pos_app.wire.sync import (
    read_cancel,
    read_cancel_answer,
    read_capabilities,
    read_configs,
    read_program,
    read_sync_error,
)

ANSWERS = [
    read_check_answer,
    read_code_answer,
    read_redeem_answer,
    read_customer,
    read_capabilities,
    read_cancel_answer,
    read_program,
    read_configs,
]
NEVER_RAISING = [read_status, read_sync_error]
SAMPLES = [
    YES_JSON,
    YES_XML,
    NO_XML,
    SENT_JSON,
    REDEEMED_JSON,
    NOT_REDEEMED_JSON,
    REDEEMED_XML,
    CUSTOMER_JSON,
    CAPABILITIES_JSON,
    PROGRAM_JSON,
    '{"response": {"organization": {"configs": {"config": [{"key": "otp_length", "value": "6"}]}}}}',
    '{"key": "K", "outcome": "cancelled", "wallet": null}',
    '{"extension": ' + EXTENSION_JSON + "}",
]
PARAMETERS = [
    "mobile",
    "id",
    "user_id",
    "points",
    "program_id",
    "group_redemption",
    "currency_input",
    "currency_value",
    "issue_otp",
    "validation_code",
    "skip_validation",
    "validation_type",
    "user_group2_id",
    "user_group2_external_id",
    "user_group2_primary_user_id",
    "user_group2_primary_user_identifier_type",
    "user_group2_primary_user_identifier_value",
    "user_group2_primary_user_source",
    "user_group2_primary_user_accountId",
    "use_default_user_group2",
    "mlp",
]
odd_numbers = st.sampled_from([10**39, -(10**39), 10**18 + 1, 0.1, 1e30, -1, 0, 2**63])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8) | odd_numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
words = st.text(max_size=12) | st.sampled_from(["true", "1", "null", "973", "1e9", "-1", "WECHAT", "mobile", "SMS"])


def read_every_answer(body):
    for read in ANSWERS:
        with suppress(UnreadableAnswerError):
            read(body)
    for read in NEVER_RAISING:
        read(body)


def read_every_body(body, kind):
    for read in (lambda: read_redeem({}, body, kind), lambda: read_cancel(body)):
        with suppress(MalformedError):
            read()


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES.keys())
def test_bombs_deep_nesting_and_endless_numbers_do_no_harm(body):
    read_every_answer(body)
    for kind in (None, "text/xml", "application/json"):
        read_every_body(body, kind)


@given(st.binary(max_size=200))
@example(b"\xff\xfe<\x00a\x00>\x00")
@example(b"\xef\xbb\xbf{}")
def test_arbitrary_bytes_do_no_harm(body):
    read_every_answer(body)
    for kind in (None, "text/xml", "text/xml; charset=utf-16", "application/json"):
        read_every_body(body, kind)


@given(st.sampled_from(SAMPLES), st.data())
def test_damaged_answers_do_no_harm(sample, data):
    body = bytearray(sample.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    read_every_answer(bytes(body))
    read_every_body(bytes(body), None)


def places(tree, path=()):
    """The path of every value in a tree."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, each in children:
        yield (*path, name)
        yield from places(each, (*path, name))


@given(st.sampled_from([sample for sample in SAMPLES if sample.startswith("{")]), values, st.data())
def test_any_value_in_any_place_of_an_answer_does_no_harm(sample, value, data):
    tree = json.loads(sample)
    *path, last = data.draw(st.sampled_from(list(places(tree))))
    holder = tree
    for name in path:
        holder = holder[name]
    holder[last] = value
    read_every_answer(json.dumps(tree).encode())


@given(values)
def test_any_value_for_an_extension_does_no_harm(value):
    tree = json.loads(EXTENSION_JSON)
    for name in tree:
        with suppress(UnreadableAnswerError):
            read_extension({**tree, name: value})


@given(values, values, st.dictionaries(st.sampled_from(PARAMETERS), words, max_size=5))
def test_any_redemption_is_read_or_malformed(item, inner, query):
    kinds = ["points_redeemed", "customer", "redemption_time", "external_reference_number", "user_group2_id", "notes"]
    for name in kinds:
        whole = {"points_redeemed": "1", "customer": {"id": 5}, name: inner}
        for redeem in (item, [whole], whole, {**whole, "customer": {"mobile": inner}}):
            with suppress(MalformedError):
                read_redeem(query, json.dumps({"root": {"redeem": redeem}}).encode(), "application/json")


@given(st.dictionaries(st.sampled_from(PARAMETERS), words))
def test_any_parameters_are_read_or_malformed(params):
    for read in (read_check, read_send_code, read_customer_get):
        with suppress(MalformedError):
            read(params)
        with suppress(MalformedError):
            read({"mobile": "91981", **params})


@given(st.text(max_size=60))
def test_any_query_header_moment_or_format_is_read_or_malformed(text):
    for read in (read_query, read_extension_header, read_moment):
        with suppress(MalformedError):
            read(text)
    with suppress(MalformedError):
        choose_format(text, text)
    choose_format(None, text)
