from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from support.wire_text import fields

from pos_app.domain.answers import CodeView, Extension, Share, WalletView
from pos_app.domain.leases import GiveBack
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.wire.answers import read_redeem_answer, write_redeem_answer
from pos_app.wire.extension import (
    HEADER_MAX_CHARACTERS,
    ExtensionAsk,
    extension_tree,
    read_extension,
    read_extension_header,
    read_moment,
    write_extension_header,
    write_moment,
)
from pos_app.wire.formats import Format, MalformedError, UnreadableAnswerError, dump_json, parse_answer

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"

# The example of sync-api 2, typed as it stands there.
SAMPLE = """{"v":1,"epoch":3,"server_time":"2026-11-22T10:00:00.120Z","key":"6Q2P0V8RJX4M1TZC9WD3HKYB5E",
  "replayed":false,"reason":null,"refusals":[],"nearest":[],
  "wallet":{"wallet_id":8801,"version":17,"balance":"380","available":"330","held_offline":"50",
    "held_until":"2026-11-25T18:00:00.000Z","held_store":"014"},
  "customer_id":50001,"otp":null,
  "breakdown":[{"wallet_id":8801,"lot_id":31,"points":"120","expires_on":"2027-12-31"}]}"""
EXTENSION = Extension(
    epoch=3,
    server_time=datetime(2026, 11, 22, 10, 0, 0, 120_000, tzinfo=UTC),
    key=KEY,
    wallet=WalletView(
        wallet_id=8801,
        version=17,
        balance=Points.of(380),
        available=Points.of(330),
        held_offline=Points.of(50),
        held_until=datetime(2026, 11, 25, 18, tzinfo=UTC),
        held_store="014",
    ),
    customer_id=50001,
    breakdown=(Share(wallet_id=8801, lot_id=31, points=Points.of(120), expires_on=date(2027, 12, 31)),),
)
REFUSED = Extension(
    epoch=3,
    server_time=datetime(2026, 11, 22, 10, tzinfo=UTC),
    reason="code_wrong",
    refusals=(807, 818),
    nearest=(Points.of(120), Points.of("130.5")),
    otp=CodeView(
        otp_id=9,
        sent_at=datetime(2026, 11, 22, 9, 55, tzinfo=UTC),
        expires_at=datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
        channel="SMS",
        covers_points=None,
        tries_left=4,
    ),
)


def test_the_extension_is_written_field_for_field():
    assert fields(dump_json(extension_tree(EXTENSION))) == fields(SAMPLE)


def test_the_extension_is_read():
    assert read_extension(json.loads(SAMPLE)) == EXTENSION


def test_a_refusal_says_what_would_pass_and_which_code_is_out():
    assert read_extension(parse_answer(dump_json(extension_tree(REFUSED)))) == REFUSED


@pytest.mark.parametrize("tree", [None, {}, {"v": 2, "epoch": 1}, {"epoch": 3}, [], "x"])
def test_no_extension_or_one_of_another_version_is_none(tree):
    assert read_extension(tree) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": None},
        {"epoch": "three"},
        {"server_time": "yesterday"},
        {"server_time": None},
        {"wallet": {"version": 1, "balance": "many"}},
        {"refusals": ["807"]},
        {"nearest": [{}]},
        {"breakdown": [5]},
        {"otp": {"otp_id": 1}},
    ],
)
def test_an_extension_that_says_it_is_ours_and_cannot_be_read_is_unreadable(changes):
    with pytest.raises(UnreadableAnswerError):
        read_extension({**json.loads(SAMPLE), **changes})


# --- Beside an answer ---


def an_answer(**changes):
    sample = b"""{"response": {"responses": {"points": {"points_redeemed": "120",
        "item_status": {"success": "false", "code": 903, "message": "no"}}}}}"""
    return replace(read_redeem_answer(sample), extension=EXTENSION, **changes)


def test_the_extension_stands_beside_the_answer_only_when_it_was_asked_for():
    with_it = json.loads(write_redeem_answer(an_answer(), Format.JSON, with_extension=True))
    assert list(with_it) == ["response", "extension"]
    assert fields(json.dumps(with_it["extension"])) == fields(SAMPLE)
    assert "extension" not in json.loads(write_redeem_answer(an_answer(), Format.JSON, with_extension=False))
    assert b"epoch" not in write_redeem_answer(an_answer(), Format.XML, with_extension=True)


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [
        ("key_mismatch", Refusal.KEY_MISMATCH),
        ("key_cancelled", Refusal.KEY_CANCELLED),
        ("wallet_paused", Refusal.POINTS_BLOCKED),
        (None, Refusal.POINTS_BLOCKED),
    ],
)
def test_a_till_tells_the_cases_of_903_apart_by_the_reason(reason, refusal):
    answer = replace(an_answer(), extension=replace(EXTENSION, reason=reason))
    assert read_redeem_answer(write_redeem_answer(answer, Format.JSON, with_extension=True)).refusal is refusal


# --- The header ---


def header(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_the_header_is_base64url_of_json_without_padding():
    text = write_extension_header(ExtensionAsk(cashier=7, key=KEY))
    assert "=" not in text
    assert json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == {"v": 1, "cashier": 7, "key": KEY}
    assert read_extension_header(text) == ExtensionAsk(cashier=7, key=KEY)
    assert write_extension_header(ExtensionAsk()) == header('{"v":1}')


def test_members_of_a_header_that_are_not_known_are_ignored():
    text = header('{"v":1,"cashier":7,"weather":[{"lease_id":"L01JD0Z6T7","final_spent":"50"}]}')
    assert read_extension_header(text) == ExtensionAsk(cashier=7)


def test_leases_given_back_go_out_and_come_back_as_the_contract_writes_them():
    ask = ExtensionAsk(cashier=7, give_back=(GiveBack("L01JD0Z6T7", Points.of("50.5")), GiveBack("L2")))
    text = header(
        '{"v":1,"cashier":7,"give_back":'
        '[{"lease_id":"L01JD0Z6T7","final_spent":"50.5"},{"lease_id":"L2","final_spent":"0"}]}'
    )
    assert write_extension_header(ask) == text
    assert read_extension_header(text) == ask


@pytest.mark.parametrize(
    "given_back",
    [
        "1",
        '{"lease_id":"L1","final_spent":"1"}',
        "[1]",
        '[{"lease_id":"L1"}]',
        '[{"lease_id":"L1","final_spent":50}]',
        '[{"lease_id":"L1","final_spent":"-1"}]',
        '[{"lease_id":"L1","final_spent":"1e3"}]',
        '[{"lease_id":"L1","final_spent":"0.0001"}]',
        '[{"lease_id":"","final_spent":"1"}]',
        '[{"lease_id":7,"final_spent":"1"}]',
        "[" + ",".join(['{"lease_id":"L1","final_spent":"1"}'] * 9) + "]",
    ],
)
def test_leases_given_back_in_another_shape_are_malformed(given_back):
    with pytest.raises(MalformedError) as refused:
        read_extension_header(header('{"v":1,"give_back":' + given_back + "}"))
    assert refused.value.field.startswith("X-Pos-Extension.give_back")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "a",
        header('{"v":1}') + "=",
        header("{}"),
        header('{"v":2}'),
        header('{"v":"1"}'),
        header('{"v":true}'),
        header('{"v":1,"cashier":"7"}'),
        header('{"v":1,"cashier":true}'),
        header('{"v":1,"key":"TR-01J9ZQ4M7T8V2W3X5Y6A7B8"}'),
        header('{"v":1,"key":5}'),
        header("[1]"),
        header('{"v":1'),
        header('{"v":1,"note":"' + "a" * HEADER_MAX_CHARACTERS + '"}'),
        header("[" * 2000),
        "\ud800",
        "é" * 8,
    ],
)
def test_a_header_that_cannot_be_read_is_malformed(text):
    with pytest.raises(MalformedError):
        read_extension_header(text)


# --- Moments ---


def test_moments_are_utc_with_milliseconds():
    assert write_moment(datetime(2026, 11, 22, 10, tzinfo=UTC)) == "2026-11-22T10:00:00.000Z"
    india = timezone(timedelta(hours=5, minutes=30))
    assert write_moment(datetime(2026, 11, 22, 15, 30, 0, 123_999, tzinfo=india)) == "2026-11-22T10:00:00.123Z"
    assert read_moment("2026-11-22T15:30:00+05:30") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert read_moment("2026-11-22T10:00:00.123Z").tzinfo is UTC


def test_a_moment_without_a_zone_is_a_fault_of_ours():
    with pytest.raises(ValueError, match="time zone"):
        write_moment(datetime(2026, 11, 22))  # noqa: DTZ001 - what the test is about


@pytest.mark.parametrize(
    "text", ["", "2026-11-22", "2026-11-22T10:00:00", "2026-13-22T10:00:00Z", "0001-01-01T00:00:00+14:00", "now"]
)
def test_a_moment_that_is_none_is_malformed(text):
    with pytest.raises(MalformedError):
        read_moment(text)
