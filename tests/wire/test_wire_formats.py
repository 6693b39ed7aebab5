from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_app.wire.faults import BODY_MAX_BYTES, DEPTH_MAX
from pos_app.wire.formats import (
    PARAMETERS_MAX,
    Format,
    MalformedError,
    UnreadableAnswerError,
    choose_format,
    content_type,
    dump_json,
    dump_xml,
    parse_answer,
    parse_body,
    plain_number,
    read_query,
)

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<root><redeem><notes>&c;</notes></redeem></root>"""
EXTERNAL = b"""<!DOCTYPE root [<!ENTITY x SYSTEM "file:///etc/passwd">]><root><redeem>&x;</redeem></root>"""


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("json", "application/xml", Format.JSON),  # One client really sends both (1.3).
        ("xml", "application/json", Format.XML),
        ("xml ", None, Format.XML),
        (" XML", None, Format.XML),
        ("Json", None, Format.JSON),
        (None, "application/xml", Format.XML),
        (None, "text/xml", Format.XML),
        (None, "Application/XML; charset=utf-8", Format.XML),
        (None, "application/json, application/xml", Format.JSON),
        (None, "application/json;q=0.5, application/xml", Format.XML),
        (None, "text/html, image/png", Format.JSON),
        (None, "*/*", Format.JSON),
        (None, None, Format.JSON),
        (None, "", Format.JSON),
        ("", "application/xml", Format.XML),
        ("null", "application/xml", Format.XML),
    ],
)
def test_the_query_decides_the_format_then_accept_then_json(query, accept, expected):
    assert choose_format(query, accept) is expected


@pytest.mark.parametrize("word", ["yaml", "jsonp", "x", "json,xml"])
def test_an_unknown_format_is_malformed(word):
    with pytest.raises(MalformedError) as caught:
        choose_format(word, "application/xml")
    assert caught.value.field == "format"


def test_content_types_say_their_encoding():
    assert content_type(Format.JSON) == "application/json; charset=utf-8"
    assert content_type(Format.XML) == "application/xml; charset=utf-8"


def test_the_last_of_a_repeated_parameter_wins():
    assert read_query("points=10&points=20") == {"points": "20"}


def test_a_parameter_without_a_value_does_no_harm():
    assert read_query("mobile=1&<query&points=10") == {"mobile": "1", "<query": "", "points": "10"}


def test_an_encoded_plus_stays_and_a_bare_one_is_a_space():
    assert read_query("mobile=%2B44&other=+44") == {"mobile": "+44", "other": " 44"}


@given(st.text("aé1&=;+% \n", max_size=24))
def test_a_query_is_read_as_forms_are_escaped_or_not(query):
    try:
        expected = dict(parse_qsl(query, keep_blank_values=True, errors="strict", separator="&"))
    except UnicodeDecodeError:
        return
    assert read_query(query) == expected


@pytest.mark.parametrize("query", ["a=%FF%FE", "&".join("a=1" for _ in range(PARAMETERS_MAX + 1))])
def test_a_query_that_cannot_be_decoded_is_malformed(query):
    with pytest.raises(MalformedError):
        read_query(query)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("60.00"), "60"),
        (Decimal("12.50"), "12.5"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "0"),
        (Decimal("-3.10"), "-3.1"),
        (Decimal("0.0000000001"), "0.0000000001"),
        (Decimal("100"), "100"),
        (Decimal("123456789012345678.123"), "123456789012345678.123"),  # A float would have lost its end.
    ],
)
def test_decimals_are_written_exactly(number, text):
    assert plain_number(number) == text
    assert dump_json({"n": number}) == f'{{"n":{text}}}'.encode()
    assert dump_xml("n", number).endswith(f"<n>{text}</n>".encode())


def test_a_float_is_never_written():
    with pytest.raises(TypeError):
        dump_json({"points": 0.1})
    with pytest.raises(TypeError):
        dump_xml("points", 0.1)


def test_json_says_what_python_means():
    tree = {"t": 'é "\\\n\ud800', "b": True, "f": False, "n": None, "l": [1, "2", {}], "e": [], "o": {}}
    assert json.loads(dump_json(tree)) == tree


def test_xml_repeats_the_singular_name_for_each_item_of_a_list():
    tree = {
        "customers": {"customer": [{"id": 1}, {"id": 2}]},
        "user_groups2": [{"permissions": ["a", "b"]}],
        "none": [],
    }
    assert dump_xml("response", tree).decode().split("\n")[1] == (
        "<response><customers><customer><id>1</id></customer><customer><id>2</id></customer></customers>"
        "<user_groups2><user_group2><permissions><permission>a</permission><permission>b</permission></permissions>"
        "</user_group2></user_groups2></response>"
    )


def test_xml_carries_markup_and_odd_names_as_text():
    tree = {"m": '<a> & "b" \r\n', "tiers": {"Gold Plus": "1", "element": "2", "<x>": "3", "Gold": "4"}}
    assert parse_answer(dump_xml("response", tree)) == {"response": tree}


def test_xml_never_holds_a_character_it_cannot_carry():
    assert parse_answer(dump_xml("response", {"m": "a\x00b\ud800c\x1fd"})) == {
        "response": {"m": "a\ufffdb\ufffdc\ufffdd"}
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"root": {"redeem": [{"a": "1"}]}}', "application/json"),
        (b'{"root": {"redeem": [{"a": "1"}]}}', None),
        (b'{"redeem": [{"a": "1"}]}', "text/plain"),
        (b" \n<root><redeem><element><a>1</a></element></redeem></root>", "application/json"),
        (b"<root><redeem><element><a>1</a></element></redeem></root>", "text/xml"),
    ],
)
def test_a_body_is_read_as_xml_or_json_with_or_without_wrappers(body, kind):
    assert parse_body(body, kind) == {"redeem": [{"a": "1"}]}


def test_json_sent_as_xml_is_malformed():
    with pytest.raises(MalformedError):
        parse_body(b'{"root": {}}', "text/xml")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?><root><n>é</n></root>'.encode("iso-8859-1"), "text/xml"),
        ("<root><n>é</n></root>".encode("iso-8859-1"), "text/xml; charset=ISO-8859-1"),
        ("<root><n>é</n></root>".encode(), "text/xml"),
        ('<?xml version="1.0"?><root><n>é</n></root>'.encode(), "text/xml; charset=utf-8"),
        ("<root><n>é</n></root>".encode("utf-8-sig"), "text/xml"),
    ],
)
def test_xml_is_read_in_the_encoding_it_says(body, kind):
    assert parse_body(body, kind) == {"n": "é"}


def test_numbers_keep_every_digit():
    tree = parse_body(b'{"a": 120, "b": 0.1, "c": 123456789012345678.123, "d": 1e2}', None)
    assert tree == {"a": 120, "b": Decimal("0.1"), "c": Decimal("123456789012345678.123"), "d": 100}
    assert [type(each) for each in tree.values()] == [int, Decimal, Decimal, int]


def test_a_whole_number_is_one_however_it_is_written():
    tree = parse_body(b'{"a": 12.0, "b": 1.2e1, "c": 0.0, "d": -3.00}', None)
    assert [repr(each) for each in tree.values()] == ["12", "12", "0", "-3"]


WRONG_BODIES = {
    "empty": b"",
    "blank": b"  \n",
    "no object": b"[1]",
    "text": b'"text"',
    "cut off": b'{"root": {',
    "rest": b"{} {}",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "huge int": b'{"a": ' + b"9" * 100_000 + b"}",
    "huge decimal": b'{"a": 0.' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"a": 1e999999999}',
    "exponent beyond Decimal": b'{"a": 1e99999999999999999999}',
    "tiny exponent": b'{"a": 1e-999999999}',
    "duplicate": b'{"a": 1, "a": 2}',
    "bad UTF-8": b'{"a": "\xff"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "NUL": b'{"a": "\\u0000"}',
    "odd name": b'{"\\u0000": 1}',
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "deep and whole": b'{"a":' * (DEPTH_MAX + 2) + b"1" + b"}" * (DEPTH_MAX + 2),
    "too large": b'{"a": "' + b"a" * BODY_MAX_BYTES + b'"}',
    "too large XML": b"<a>" + b"a" * BODY_MAX_BYTES + b"</a>",
    "bomb": BOMB,
    "external entity": EXTERNAL,
    "document type": b"<!DOCTYPE a><a/>",
    "open element": b"<root><redeem>",
    "crossed": b"<a><b></a></b>",
    "unknown entity": b"<a>&what;</a>",
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "odd encoding": b'<?xml version="1.0" encoding="utf-7"?><a/>',
    "deep XML": b"<a>" * 300_000,
    "many elements": b"<a>" + b"<b/>" * 200_000 + b"</a>",
    "bad UTF-8 in XML": b"<a>\xff</a>",
    "XML with NUL": b"<a>\x00</a>",
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES.keys())
def test_a_body_that_is_none_is_malformed_or_unreadable_and_nothing_else(body):
    with pytest.raises(MalformedError):
        parse_body(body, None)
    if body not in (WRONG_BODIES["lone surrogate"], WRONG_BODIES["NUL"], WRONG_BODIES["odd name"]):
        with pytest.raises(UnreadableAnswerError):
            parse_answer(body)


def test_an_answer_with_an_odd_character_is_still_read():
    assert parse_answer(b'{"message": "a\\u0000b\\ud800"}') == {"message": "a\ufffdb\ufffd"}


def test_a_byte_order_mark_before_a_body_is_no_character_of_it():
    assert parse_body(b'\xef\xbb\xbf{"a": 1}', "application/json") == {"a": 1}
    assert parse_body(b"\xef\xbb\xbf<root><a>1</a></root>", None) == {"a": "1"}
    assert parse_answer(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_fault_names_the_field_and_the_kind_but_never_the_value():
    error = MalformedError("customer", "an object", "text")
    assert (error.field, error.expected, error.found) == ("customer", "an object", "text")
    assert str(error) == "customer: expected an object, found text"
    with pytest.raises(MalformedError) as caught:
        parse_body(b'{"mobile": "919812345678" "code": "Q7XK2M"}', None)
    assert "9198" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
