"""Contract 1.1 to 1.4 at the HTTP face, row by row: addresses, logins, formats, booleans, nulls, numbers."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from support.http_counter import CHECK, REDEEM, HttpCounter, read
from support.ledger_server import a_till, digest
from support.row_ledgers import Ledgers
from support.row_shops import (
    TOM,
    a_shop,
)
from support.wsgi import wsgi_call


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_shop()) as found:
        yield found


@pytest.mark.parametrize("oddity", ["&<query&", "&%3Cquery&", "&&&", "&=&=x", "&points", "&Points=7", "&colour=red"])
def test_1_1_unknown_parameters_are_ignored_even_without_a_value(reader: HttpCounter, oddity: str) -> None:
    told = read(reader.send("GET", CHECK, f"points=20{oddity}&{TOM}&points=10"))
    assert (told.row, told.item["points"]) == ((200, 200, "true", 800), 10)


def test_1_1_an_empty_value_that_comes_last_wins_as_any_other(reader: HttpCounter) -> None:
    assert reader.check(f"{TOM}&points=10&points=").code == 801


@pytest.mark.parametrize("name", ["Mobile", "MOBILE"])
def test_1_1_parameter_names_are_case_sensitive(reader: HttpCounter, name: str) -> None:
    assert reader.check(f"{name}=9777785205&points=10").status == 400


@pytest.mark.parametrize("path", ["/v1.1/points/Isredeemable", "/V1.1/points/isredeemable"])
def test_1_1_the_case_of_the_path_does_not_matter(reader: HttpCounter, path: str) -> None:
    assert read(reader.send("GET", path, f"{TOM}&points=10")).code == 800


def login(user: str, secret: str, encoding: str = "utf-8", scheme: str = "Basic") -> str:
    """An `Authorization` header of any kind."""
    return f"{scheme} " + base64.b64encode(f"{user}:{secret}".encode(encoding)).decode()


RIGHT = "33e1b232a4e6fa0028a6670753749a17"
"""The digest of the till's password, as contract 1.2 sends it."""


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (login("till.014.3", RIGHT, scheme="basic"), 200),
        (login("till.014.3", RIGHT, scheme="BASIC"), 200),
        (login("till.014.3", RIGHT, scheme="Basic "), 200),
        (login("till.014.3", RIGHT.upper()), 401),
        (login("till.014.3", "s3cret"), 401),
        (login("till.014.3", ""), 401),
        (login("till.014.3", digest("")), 401),
        (login("", RIGHT), 401),
        (login("till:014:3", RIGHT), 401),
        (login("caf\u00e9", RIGHT), 401),
        (login("caf\u00e9", RIGHT, "latin-1"), 401),
        (login("till.014.3\x00", RIGHT), 401),
        (login("till.014.3", RIGHT, scheme="Bearer"), 401),
        ("Basic", 401),
        ("Basic ", 401),
        ("", 401),
    ],
)
def test_1_2_a_login_is_right_or_challenged(reader: HttpCounter, authorization: str, status: int) -> None:
    reply = wsgi_call(reader.app, "GET", CHECK, f"{TOM}&points=10", headers={"Authorization": authorization})
    assert reply.status == status
    assert reply.headers.get("www-authenticate", "").startswith('Basic realm="') == (status == 401)


def test_1_2_a_login_may_have_letters_of_any_alphabet(ledgers: Ledgers) -> None:
    lines = [*a_shop(), a_till(login="kasse.m\u00fcnchen", password="gr\u00fc\u00df:gott")]
    with ledgers.counter(lines) as counter:
        counter.login, counter.password = "kasse.m\u00fcnchen", "gr\u00fc\u00df:gott"
        assert counter.check(f"{TOM}&points=10").code == 800


@pytest.mark.parametrize(
    ("query", "accept", "is_xml"),
    [
        ("", None, False),
        ("", "*/*", False),
        ("", "application/json", False),
        ("", "text/xml", True),
        ("", "application/xml", True),
        ("", "text/html", False),
        ("", "application/json;q=0.5, application/xml", True),
        ("format=json", "application/xml", False),
        ("format=JSON", "application/xml", False),
        ("format=xml%20", None, True),
        ("format=xml+", "application/json", True),
        ("format=%20Xml", None, True),
        ("format=", "application/xml", True),
        ("format=null", "application/xml", True),
        ("format=xml&format=json", None, False),
    ],
)
def test_1_3_the_format_of_an_answer(reader: HttpCounter, query: str, accept: str | None, is_xml: bool) -> None:
    headers = {} if accept is None else {"Accept": accept}
    reply = reader.send("GET", CHECK, f"{TOM}&points=10&{query}", headers=headers)
    assert reply.body.lstrip().startswith(b"<") == is_xml
    assert read(reply).row == (200, 200, "true", 800)


@pytest.mark.parametrize("word", ["yaml", "jsonp", "application/json", "xml,json"])
def test_1_3_an_unknown_format_is_malformed_and_told_in_json(reader: HttpCounter, word: str) -> None:
    reply = reader.send("GET", CHECK, f"{TOM}&points=10&format={word}", headers={"Accept": "text/xml"})
    assert (reply.status, reply.json["response"]["status"]["code"]) == (400, 400)


@pytest.mark.parametrize("suffix", [".json", ".xml"])
def test_1_3_suffixes_are_not_part_of_the_contract(reader: HttpCounter, suffix: str) -> None:
    assert read(reader.send("GET", CHECK + suffix, f"{TOM}&points=10")).status == 404


@pytest.mark.parametrize("kind", ["text/xml", "application/json", "multipart/form-data; boundary=x", "\u00ff", ""])
def test_1_3_a_get_may_carry_any_type_and_a_body(reader: HttpCounter, kind: str) -> None:
    reply = reader.send("GET", CHECK, f"{TOM}&points=10", b"<a><b>", {"Content-Type": kind})
    assert read(reply).code == 800


XML_REDEEM = "<root><redeem><points_redeemed>10</points_redeemed><customer><mobile>9777785205</mobile></customer>"
XML_END = "<notes>caf\u00e9</notes></redeem></root>"
LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?>'
JSON_REDEEM = '{"root":{"redeem":[{"points_redeemed":"10","customer":{"mobile":"9777785205"},"notes":"caf\u00e9"}]}}'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ((LATIN + XML_REDEEM + XML_END).encode("latin-1"), "text/xml"),
        ((LATIN + XML_REDEEM + XML_END).encode("latin-1"), "text/xml; charset=ISO-8859-1"),
        ((XML_REDEEM + XML_END).encode("latin-1"), "text/xml; charset=ISO-8859-1"),
        ((XML_REDEEM + XML_END).encode(), "application/xml"),
        ((XML_REDEEM + XML_END).encode(), "application/json"),
        (("\r\n " + XML_REDEEM + XML_END).encode(), ""),
        (b"\xef\xbb\xbf" + (XML_REDEEM + XML_END).encode(), "text/xml; charset=utf-8"),
        (b"\xef\xbb\xbf" + (XML_REDEEM + XML_END).encode(), ""),
        (JSON_REDEEM.encode(), "application/json"),
        (JSON_REDEEM.encode(), "application/x-www-form-urlencoded"),
        (JSON_REDEEM.encode(), "text/plain; charset=utf-8"),
        (JSON_REDEEM.encode(), ""),
        (b"\xef\xbb\xbf" + JSON_REDEEM.encode(), "application/json; charset=utf-8"),
    ],
)
def test_1_3_a_body_is_xml_by_its_type_or_its_first_character_else_json(
    counter: HttpCounter, body: bytes, kind: str
) -> None:
    told = read(counter.send("POST", REDEEM, "", body, {"Content-Type": kind} if kind else {}))
    assert told.row == (200, 200, "true", 800)


def test_1_3_json_under_the_name_of_xml_is_malformed(reader: HttpCounter) -> None:
    assert reader.send("POST", REDEEM, "", JSON_REDEEM.encode(), {"Content-Type": "text/xml"}).status == 400


@pytest.mark.parametrize("wrapped", ["<root><root>{}</root></root>", "<root>{}</root>", "{}"])
def test_1_3_machine_converted_xml_is_taken_too(counter: HttpCounter, wrapped: str) -> None:
    item = "<points_redeemed>10</points_redeemed><customer><mobile>9777785205</mobile></customer>"
    content = f"<redeem><element>{item}</element></redeem>"
    told = read(counter.send("POST", REDEEM, "", wrapped.format(content).encode(), {"Content-Type": "text/xml"}))
    assert told.row == (200, 200, "true", 800)


@pytest.mark.parametrize("name", ["group_redemption", "issue_otp", "skip_validation", "currency_input"])
@pytest.mark.parametrize(
    ("word", "is_read"),
    [
        *(("true", True), ("TRUE", True), ("True", True), ("1", True), ("false", True), ("FALSE", True), ("0", True)),
        *(("", True), ("null", True), ("yes", False), ("2", False), ("on", False), ("-1", False), ("t", False)),
    ],
)
def test_1_4_words_for_a_boolean(reader: HttpCounter, name: str, word: str, is_read: bool) -> None:
    told = reader.check(f"{TOM}&points=10&currency_value=10&{name}={word}")
    assert told.http == (200 if is_read else 400)
