"""The questions of the contract at the HTTP face, row by row: sections 1 and 2, answers typed from its pages."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.http_counter import CHECK, CODE, CUSTOMER, FORMATS, REDEEM, HttpCounter, a_counter, read
from support.ledger_server import a_customer, a_program, a_till, an_organisation, basic, digest
from support.wsgi import wsgi_call

GOLD, SILVER, OLD, UNSET = 973, 974, 975, 976
OTHER, JOINED_NOT, CAMPAIGN, MARKED, LONER = 50002, 50003, 50004, 50005, 50006
HOME, CLOSED, BLOCKING = 77, 78, 79
TOM = "mobile=9777785205"
OTHERS = "mobile=9000000002"


def lots(points: int | str, **wallet: Any) -> dict[str, Any]:
    """A wallet of the default program with one lot that lasts."""
    return {"program_id": GOLD, "lots": [{"points": points, "expires_on": "2035-12-31"}], **wallet}


def a_person(customer_id: int, last_digit: int, **changes: Any) -> dict[str, Any]:
    """Another customer, whose mobile number ends in `last_digit`."""
    plain = {"id": customer_id, "mobile": f"91900000000{last_digit}", "email": None, "external_id": None}
    return a_customer(**{**plain, **changes})


def a_family(group_id: int, *members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A family group."""
    return {"kind": "family_group", "organisation": 1, "id": group_id, "members": list(members), **changes}


def a_shop(**organisation: Any) -> list[dict[str, Any]]:
    """Four programs, six customers, three family groups."""
    return [
        an_organisation(**organisation),
        a_program(criteria={"multiple_of": 10}, family_groups_enabled=True),
        a_program(id=SILVER, name="Silver", default=False, points_currency_ratio="0.25", criteria={}, decimals=1),
        a_program(id=OLD, name="Old", default=False, active=False),
        a_program(id=UNSET, name="Unset", default=False, points_currency_ratio=None, criteria={}),
        a_till(),
        a_customer(
            wallets=[
                lots(500, lifetime_points=900),
                {"program_id": SILVER, "lots": [{"points": "40.125", "expires_on": "2035-12-31"}]},
                {"program_id": UNSET, "lots": [{"points": 30, "expires_on": None}]},
            ],
            default_family_group_id=HOME,
            cards=[{"number": "6001", "external_id": "X1", "active": False}, {"number": "6002", "external_id": "X2"}],
        ),
        a_person(OTHER, 2, wallets=[lots(50)], default_family_group_id=CLOSED),
        a_person(JOINED_NOT, 3, type="NON_LOYALTY"),
        a_person(CAMPAIGN, 4, campaign_only=True),
        a_person(MARKED, 5, fraud_status="CONFIRMED"),
        a_person(LONER, 6),
        a_family(
            HOME,
            {"customer_id": 50001, "primary": True},
            {"customer_id": OTHER, "permissions": ["block_points_redemption"]},
            name="Sawyer",
            external_id="FG-1",
            wallets=[lots(1000)],
        ),
        a_family(CLOSED, {"customer_id": OTHER, "primary": True}, name="Closed", status="DELETED"),
    ]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[HttpCounter]:
    with a_counter(tmp_path, a_shop()) as found:
        yield found


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpCounter]:
    """One counter for all the questions that change nothing."""
    with a_counter(tmp_path_factory.mktemp("reader"), a_shop()) as found:
        yield found


def code_at(folder: Path, query: str, **organisation: Any) -> int:
    """The item code a shop of this organisation gives."""
    with a_counter(folder, a_shop(**organisation)) as counter:
        return counter.check(query).code


# --- 1.1 to 1.4: addresses, logins, formats, booleans ---------------------------------------------------------------


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


def test_1_1_times_over_the_limit_are_told_to_wait(tmp_path: Path) -> None:
    with a_counter(tmp_path, a_shop(), rate_per_minute=1) as counter:
        assert counter.check(f"{TOM}&points=10").http == 200
        reply = counter.send("GET", CHECK, f"{TOM}&points=10")
        told = read(reply)
        assert (told.http, told.status, told.success) == (429, 429, "false")
        assert reply.headers["retry-after"].isdigit()


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


def test_1_2_a_login_may_have_letters_of_any_alphabet(tmp_path: Path) -> None:
    lines = [*a_shop(), a_till(login="kasse.m\u00fcnchen", password="gr\u00fc\u00df:gott")]
    with a_counter(tmp_path, lines) as counter:
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
def test_1_4_words_for_a_boolean(counter: HttpCounter, name: str, word: str, is_read: bool) -> None:
    told = counter.check(f"{TOM}&points=10&currency_value=10&{name}={word}")
    assert told.http == (200 if is_read else 400)


# --- 1.5: every situation, in both formats --------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
def test_1_5_the_table_of_situations(counter: HttpCounter, fmt: str) -> None:
    counter.fmt = fmt
    assert counter.check(f"{TOM}&points=10").row == (200, 200, "true", 800)
    assert counter.send_code(f"{TOM}&points=10").row == (200, 200, "true", 200)
    assert counter.redeem().row == (200, 200, "true", 800)
    assert counter.check(f"{TOM}&points=11").row == (200, 500, "false", 807)
    assert counter.send_code("mobile=9000000001").row == (200, 500, "false", 816)
    assert counter.redeem(points_redeemed="11").row == (200, 500, "false", 807)
    counter.sender.is_broken = True
    warned = counter.check(f"{TOM}&points=10&issue_otp=true")
    assert (warned.row, warned.item["is_redeemable"]) == ((200, 200, "true", 876), "true")


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("method", "path", "query", "status", "message"),
    [
        ("GET", CHECK, "points=10", 400, "Input is invalid, Please check request parameters or input xml/json"),
        ("POST", REDEEM, "", 400, "Input is invalid, Please check request parameters or input xml/json"),
        ("GET", "/v1.1/points/nothing", "", 404, None),
        ("GET", REDEEM, "", 405, None),
        ("PUT", CHECK, "", 405, None),
    ],
)
def test_1_5_troubles_are_a_status_block_and_no_more(
    reader: HttpCounter, fmt: str, method: str, path: str, query: str, status: int, message: str | None
) -> None:
    reply = reader.send(method, path, f"{query}&format={fmt}")
    told = read(reply)
    assert (told.http, told.status, told.success, told.item) == (status, status, "false", {})
    assert message in (None, told.message)
    assert ("allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize("fmt", FORMATS)
def test_1_5_a_stranger_is_told_so_in_the_documented_words(reader: HttpCounter, fmt: str) -> None:
    told = read(reader.send("GET", CHECK, f"format={fmt}", headers={"Authorization": "Basic eDp5"}))
    assert (told.http, told.status, told.success) == (401, 401, "false")
    assert told.message == "Please check your username/password or authentication token"


# --- 2.1: who -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        *((TOM, 800), ("mobile=919777785205", 800), ("mobile=%2B919777785205", 800), ("mobile=+919777785205", 800)),
        *(("mobile=%2B91%2097777-85205", 800), ("mobile=97777x5205", 802), ("mobile=nobody", 802)),
        *(("email=Tom.Sawyer%40EXAMPLE.org", 800), ("email=tom.example.org", 802), ("email=no%40example.org", 889)),
        *(("external_id=434547", 800), ("external_id=434548", 889), ("external_id=%20434547%20", 800)),
        *(("card_number=6002", 800), ("card_number=6001", 802), ("card_number=6003", 889)),
        *(("card_external_id=X2", 800), ("card_external_id=X1", 802), ("card_external_id=X3", 889)),
        *(("id=50001", 800), ("id=abc", 802), ("id=-1", 802), ("id=99999999999999999999", 802), ("id=50009", 889)),
        ("mobile=9000000001", 889),
        ("mobile=null&email=&id=50001", 800),
    ],
)
def test_2_1_identifiers(reader: HttpCounter, query: str, code: int, fmt: str) -> None:
    counter = reader.reading(fmt)
    told = counter.check(f"{query}&points=10")
    assert told.row == (200, 200, "true", 800) if code == 800 else (200, 500, "false", code)
    if code == 800:
        assert told.item["mobile"] == "919777785205"


@pytest.mark.parametrize("query", ["", "mobile=", "mobile=null&email=%20", f"{TOM}&id=50001", f"{TOM}&email=x"])
def test_2_1_exactly_one_identifier(reader: HttpCounter, query: str) -> None:
    assert reader.check(f"{query}&points=10").status == 400


@pytest.mark.parametrize("fmt", FORMATS)
def test_2_1_nobody_is_echoed_and_worth_nothing(reader: HttpCounter, fmt: str) -> None:
    counter = reader.reading(fmt)
    told = counter.check("mobile=9000000001&points=10")
    assert told.words.startswith("Points processing failed, Please try again later")
    assert (told.item["mobile"], told.item["email"], told.item["external_id"]) == ("9000000001", "", "")
    assert (str(told.item["points_redeem_value"]), told.item["is_redeemable"]) == ("0", "false")


# --- 2.2 and 2.7: how many ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "code", "echo"),
    [
        *(("10", 800, 10), ("10.0", 800, 10), ("10.000", 800, 10), ("+10", 800, 10), ("%2B10", 800, 10)),
        *(("%2010%20", 800, 10), ("0010", 800, 10), ("10.125", 800, 10.125), ("10.1255", 878, 10.125)),
        *(("0", 801, 0), ("-10", 801, -10), ("", 801, 0), ("null", 801, 0), ("ten", 801, 0), ("1,000", 801, 0)),
        *(("1e1", 801, 0), ("0x10", 801, 0), ("NaN", 801, 0), ("Infinity", 801, 0), ("1_0", 801, 0), ("-", 801, 0)),
        *(("\u0661\u0660", 801, 0), ("0.0001", 878, 0), ("9" * 39, 801, 0), ("1" + "0" * 30, 801, 0)),
    ],
)
def test_2_2_points(reader: HttpCounter, asked: str, code: int, echo: float) -> None:
    query = f"{TOM}&program_id={SILVER}&points={asked}".encode().decode("latin-1")
    told = reader.check(query)
    assert (told.http, told.code, told.item["points"]) == (200, code, echo)


def test_2_2_missing_points_are_801(reader: HttpCounter) -> None:
    assert reader.check(TOM).row == (200, 500, "false", 801)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code", "points", "value"),
    [
        ("currency_input=true&currency_value=5", 800, "20", "5"),
        ("currency_input=true&currency_value=5&points=nonsense", 800, "20", "5"),
        ("currency_input=true&currency_value=5.02", 800, "20.1", "5.03"),
        ("currency_input=true&currency_value=1000", 818, "4000", "0"),
        ("currency_input=true&currency_value=0", 801, "0", "0"),
        ("currency_input=true&currency_value=-5", 801, "0", "0"),
        ("currency_input=true&currency_value=five", 801, "0", "0"),
        ("currency_input=true&currency_value=0.001", 801, "0", "0"),
        ("currency_value=5&points=8", 800, "8", "2"),
        ("currency_input=false&currency_value=nonsense&points=8", 800, "8", "2"),
    ],
)
def test_2_7_currency_input(reader: HttpCounter, fmt: str, query: str, code: int, points: str, value: str) -> None:
    counter = reader.reading(fmt)
    told = counter.check(f"{TOM}&program_id={SILVER}&{query}")
    assert told.code == code
    assert (str(told.item["points"]), str(told.item["points_redeem_value"])) == (points, value)
    assert told.item["input_type"] == ("currency" if "currency_input=true" in query else "points")
    assert told.item["points_currency_ratio"] == "0.25"


@pytest.mark.parametrize("value", ["", "&currency_value=", "&currency_value=null"])
def test_2_7_a_value_that_is_missing_is_malformed(reader: HttpCounter, value: str) -> None:
    assert reader.check(f"{TOM}&currency_input=true{value}").status == 400


def test_2_7_without_a_ratio_a_value_means_nothing_and_points_still_do(reader: HttpCounter) -> None:
    by_value = reader.check(f"{TOM}&program_id={UNSET}&currency_input=true&currency_value=5")
    by_points = reader.check(f"{TOM}&program_id={UNSET}&points=5")
    assert (by_value.code, by_value.item["points_currency_ratio"]) == (872, "0")
    assert (by_points.code, by_points.item["points_redeem_value"]) == (800, 0)


def test_2_7_the_till_is_paid_in_its_own_currency(tmp_path: Path) -> None:
    with a_counter(tmp_path, [*a_shop(), a_till(currency="USD", currency_rate="0.0125")]) as counter:
        item = counter.check(f"{TOM}&points=50").item
        assert (item["points_redeem_value"], item["points_redeem_local_value"]) == (50, 0.63)


# --- 2.3 and 2.4: of which program ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "code"),
    [
        *(("973", 800), ("974", 800), ("975", 1101), ("999", 1101), ("abc", 1101), ("-973", 1101), ("9.73", 1101)),
        *(("", 800), ("null", 800), ("9" * 30, 1101), ("0", 1101)),
    ],
)
def test_2_3_programs(reader: HttpCounter, program: str, code: int) -> None:
    told = reader.check(f"{TOM}&points=10&program_id={program}")
    assert told.row == ((200, 200, "true", 800) if code == 800 else (200, 500, "false", code))
    assert told.item["points_currency_ratio"] == {"974": "0.25"}.get(program, "1" if code == 800 else "0")


def test_2_3_without_a_program_the_tills_own_counts_before_the_default(tmp_path: Path) -> None:
    with a_counter(tmp_path, [*a_shop(), a_till(program_id=SILVER)]) as counter:
        assert counter.check(f"{TOM}&points=10").item["points_currency_ratio"] == "0.25"


def test_2_3_points_of_other_programs_are_not_looked_at(reader: HttpCounter) -> None:
    assert reader.check(f"{TOM}&points=50&program_id={SILVER}").code == 818


def test_2_3_an_organisation_without_a_program_is_895(tmp_path: Path) -> None:
    lines = [an_organisation(), a_till(), a_customer(wallets=[])]
    with a_counter(tmp_path, lines) as counter:
        told = counter.check(f"{TOM}&points=10&program_id=973")
        assert (told.row, told.item["points_currency_ratio"]) == ((200, 500, "false", 895), "0")


@pytest.mark.parametrize(
    ("rule", "query", "code"),
    [
        ("disabled", "points=10", 800),
        ("disabled", "points=10&group_redemption=true", 888),
        ("enabled", "points=530&group_redemption=true", 800),
        ("enabled", "points=530&group_redemption=true&program_id=974", 800),
        ("enabled", "points=535&group_redemption=true&program_id=974", 807),
        ("enabled", "points=530&group_redemption=true&program_id=975", 1101),
        ("enabled", "points=580&group_redemption=true", 818),
        ("required", "points=10", 3316),
        ("required", "points=10&group_redemption=false", 3316),
        ("required", "points=10&group_redemption=true", 800),
    ],
)
def test_2_4_groups_of_programs(tmp_path: Path, rule: str, query: str, code: int) -> None:
    assert code_at(tmp_path, f"{TOM}&{query}", program_group_redemption=rule) == code


def test_2_4_a_group_of_programs_beside_a_group_of_people_is_malformed(reader: HttpCounter) -> None:
    for group in ("user_group2_id=77", "use_default_user_group2=true", "user_group2_external_id=FG-1"):
        assert reader.check(f"{TOM}&points=10&group_redemption=true&{group}").status == 400


# --- 2.5: groups of people ------------------------------------------------------------------------------------------

_TYPE, _VALUE = "user_group2_primary_user_identifier_type", "user_group2_primary_user_identifier_value"
_SOURCE, _ACCOUNT = "user_group2_primary_user_source", "user_group2_primary_user_accountId"


@pytest.mark.parametrize(
    ("who", "query", "code"),
    [
        *((TOM, "user_group2_id=77", 800), (TOM, "user_group2_external_id=FG-1", 800)),
        *((TOM, "user_group2_primary_user_id=50001", 800), (TOM, "use_default_user_group2=true", 800)),
        *(
            (TOM, f"{_TYPE}=mobile&{_VALUE}=9777785205", 800),
            (TOM, f"{_TYPE}=email&{_VALUE}=tom.sawyer@example.org", 800),
        ),
        *((TOM, f"{_TYPE}=cardnumber&{_VALUE}=6002", 800), (TOM, f"{_TYPE}=cardExternalId&{_VALUE}=X2", 800)),
        *((TOM, f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=INSTORE", 800), (TOM, f"{_TYPE}=id&{_VALUE}=50009", 1632)),
        (TOM, f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=WECHAT&{_ACCOUNT}=shop-1", 800),
        # Several must name the same group; the default beside an explicit one is ignored.
        (TOM, "user_group2_id=77&user_group2_external_id=FG-1&user_group2_primary_user_id=50001", 800),
        (TOM, "user_group2_id=77&user_group2_primary_user_id=50002", 1632),
        (TOM, "user_group2_id=78&use_default_user_group2=true", 1632),
        *((TOM, "user_group2_id=99", 1632), (TOM, "user_group2_id=-77", 1632), (TOM, "user_group2_id=78", 1632)),
        *((TOM, "user_group2_external_id=FG-9", 1632), (TOM, "user_group2_primary_user_id=50009", 1632)),
        ("mobile=9000000006", "use_default_user_group2=true", 1632),
        (OTHERS, "use_default_user_group2=true", 1632),
        ("mobile=9000000006", "user_group2_id=77", 1620),
        (OTHERS, "user_group2_id=77", 903),
        (TOM, "user_group2_id=77&program_id=974", 828),
        # Not malformed: no group is named.
        *(
            (TOM, f"{_SOURCE}=WECHAT", 818),
            (TOM, f"{_ACCOUNT}=shop-1", 818),
            (TOM, "use_default_user_group2=false", 818),
        ),
        *((TOM, "user_group2_id=", 818), (TOM, "user_group2_id=null", 818)),
    ],
)
def test_2_5_user_groups(reader: HttpCounter, who: str, query: str, code: int) -> None:
    assert reader.check(f"{who}&points=800&{query}").code == code


@pytest.mark.parametrize(
    "query",
    [
        *(f"{_TYPE}=mobile", f"{_VALUE}=9777785205", f"{_TYPE}=Mobile&{_VALUE}=9777785205"),
        *(f"{_TYPE}=externalId&{_VALUE}=1", f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=WECHAT"),
        *(f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=instore", f"{_SOURCE}=TELEX"),
        *(
            "user_group2_id=abc",
            "user_group2_id=7.7",
            "user_group2_primary_user_id=tom",
            "use_default_user_group2=maybe",
        ),
    ],
)
def test_2_5_what_names_no_group_in_any_way_is_malformed(reader: HttpCounter, query: str) -> None:
    assert reader.check(f"{TOM}&points=10&{query}").status == 400


def test_2_5_a_program_that_is_not_set_up_for_groups_is_828(tmp_path: Path) -> None:
    with a_counter(tmp_path, [*a_shop(), a_program(criteria={"multiple_of": 10})]) as counter:
        assert counter.check(f"{TOM}&points=10&user_group2_id=77").code == 828


def test_2_5_the_one_who_asks_is_the_one_who_hears_of_it(counter: HttpCounter) -> None:
    assert counter.code(f"{TOM}&points=800&user_group2_id=77") == counter.sender.codes[0]
    assert counter.sender.messages[0].to == "919777785205"


# --- 2.6: validation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["true", "false", "null", "", "TRUE", "False"])
def test_2_6_words_that_stand_where_a_code_would(counter: HttpCounter, word: str) -> None:
    assert counter.check(f"{TOM}&points=10&validation_code={word}").code == 800
    assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code={word}").code == 800
    assert len(counter.sender.codes) == 1


def test_2_6_a_check_does_not_use_a_code_up_and_a_redemption_does(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert [counter.check(f"{TOM}&points=10&validation_code={code}").code for _ in range(3)] == [800, 800, 800]
    assert counter.check(f"{TOM}&points=10&validation_code=%20{code.lower()}%20").code == 800
    assert counter.redeem(validation_code=code).code == 800
    used = counter.check(f"{TOM}&points=10&validation_code={code}")
    assert (used.row, used.item["is_redeemable"]) == ((200, 500, "false", 808), "false")


def test_2_6_a_wrong_and_an_expired_code_are_808(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert counter.check(f"{TOM}&points=10&validation_code=WRONG1").code == 808
    counter.clock.advance(10 * 60 - 1)
    assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 800
    counter.clock.advance(1)
    assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 808


def test_2_6_a_code_goes_out_only_after_everything_else_has_passed(counter: HttpCounter) -> None:
    assert counter.check(f"{TOM}&points=11&issue_otp=true").code == 807
    assert counter.check(f"{TOM}&points=600&issue_otp=true").code == 818
    assert counter.sender.codes == []
    assert counter.check(f"{TOM}&points=10&issue_otp=true").code == 800
    assert counter.check(f"{TOM}&points=10&issue_otp=true").code == 800
    first, again = counter.sender.codes
    assert first == again


def test_2_6_a_customer_who_gives_a_code_is_sent_none(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code={code}").code == 800
    assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code=WRONG1").code == 808
    assert len(counter.sender.codes) == 1


@pytest.mark.parametrize(
    ("organisation", "query", "code", "sends"),
    [
        ({}, "skip_validation=true", 824, 0),
        ({}, "skip_validation=true&issue_otp=true", 824, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&issue_otp=true", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&validation_code=WRONG1", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&validation_type=MISSED_CALL", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&validation_type=INVALID", 800, 0),
        ({}, "validation_type=INVALID", 800, 0),
        ({}, "validation_type=INVALID&issue_otp=true", 800, 1),
        ({}, "validation_type=SMS&issue_otp=true", 800, 1),
        ({}, "validation_type=sms", 800, 0),
        ({}, "validation_type=MISSED_CALL", 823, 0),
        ({}, "validation_type=missed_call&issue_otp=true", 823, 0),
        ({"missed_call_enabled": True}, "validation_type=MISSED_CALL", 822, 0),
        ({"missed_call_enabled": True}, "validation_type=MISSED_CALL&issue_otp=true", 822, 0),
        ({"validation_required": True}, "issue_otp=false", 800, 0),
        ({"validation_required": True}, "issue_otp=true", 800, 1),
    ],
)
@pytest.mark.parametrize("fmt", FORMATS)
def test_2_6_each_way_to_validate(
    tmp_path: Path, fmt: str, organisation: dict[str, Any], query: str, code: int, sends: int
) -> None:
    with a_counter(tmp_path, a_shop(**organisation), fmt=fmt) as counter:
        assert counter.check(f"{TOM}&points=10&{query}").code == code
        assert len(counter.sender.codes) == sends


@pytest.mark.parametrize("word", ["Sms", "Missed_Call", "invalid%20x", "EMAIL", "1"])
def test_2_6_another_spelling_of_a_type_is_malformed(reader: HttpCounter, word: str) -> None:
    assert reader.check(f"{TOM}&points=10&validation_type={word}").status == 400


def test_2_6_a_code_serves_up_to_its_points_and_only_its_program(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=20&program_id=973")
    for query, found in (
        *(("points=20&program_id=973", 800), ("points=10", 800), ("points=30", 808)),
        *(("points=10&program_id=974", 808), ("points=20&user_group2_id=77", 800)),
    ):
        assert counter.check(f"{TOM}&{query}&validation_code={code}").code == found, query


def test_2_6_a_code_for_a_user_group_serves_only_it(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=20&user_group2_id=77")
    assert counter.check(f"{TOM}&points=20&user_group2_external_id=FG-1&validation_code={code}").code == 800
    assert counter.check(f"{TOM}&points=20&validation_code={code}").code == 808


# --- 2.8: the order -------------------------------------------------------------------------------------------------


def worst_shop() -> list[dict[str, Any]]:
    """A shop and a customer against whom nearly everything stands."""
    harsh = {
        "minimum": 500,
        "maximum": 100,
        "multiple_of": 10,
        "balance_required": 100,
        "lifetime_points_required": 100,
        "lifetime_purchases_required": 100,
        "ceilings": [{"period": "day", "points": 50}],
    }
    person = {"type": "NON_LOYALTY", "campaign_only": True, "fraud_status": "FRAUD"}
    return [
        an_organisation(program_group_redemption="required"),
        a_program(),
        a_program(id=SILVER, default=False, criteria=harsh, redemption_enabled=False, points_currency_ratio=None),
        a_till(),
        a_customer(wallets=[{"program_id": SILVER, "state": "PAUSED", "lots": []}], **person),
        a_person(OTHER, 2),
        a_family(
            HOME,
            {"customer_id": OTHER, "primary": True},
            name="Others",
            wallets=[{"program_id": SILVER, "state": "PAUSED", "lots": []}],
        ),
    ]


EVERYTHING = [686, 881, 809, 3316, 1620, 828, 903, 827, 821, 819, 807, 804, 805, 806, 818, 819, 824]
"""The order of contract 2.8 from step 5 on."""


def test_2_8_every_refusal_is_told_in_the_documented_order(tmp_path: Path) -> None:
    query = f"{TOM}&program_id=974&user_group2_id=77&skip_validation=true"
    with a_counter(tmp_path, worst_shop()) as counter:
        counter.with_extension = True
        assert counter.check(f"{query}&points=255").refusals == EVERYTHING
        unreadable = counter.check(f"{query}&points=1.2345")
        assert (unreadable.code, unreadable.refusals[:2]) == (878, [878, 686])
        by_value = counter.check(f"{query}&currency_input=true&currency_value=abc")
        assert by_value.refusals[:3] == [801, 872, 686]
        unknown = counter.check("mobile=9000000001&program_id=999&user_group2_id=99&points=0")
        assert unknown.refusals == [801, 889, 1101, 3316, 1632]
        misshapen = counter.check("mobile=x&program_id=abc&user_group2_id=99&points=0")
        assert misshapen.refusals[:3] == [801, 802, 1101]


def test_2_8_redeem_has_the_same_order_with_its_own_steps(tmp_path: Path) -> None:
    query = "program_id=974&user_group2_id=77&skip_validation=true"
    customer = {"mobile": "9777785205", "email": "", "id": OTHER}
    members = {"customer": customer, "redemption_time": "2020-01-01 00:00:00"}
    with a_counter(tmp_path, worst_shop()) as counter:
        counter.with_extension = True
        told = counter.redeem(query, points_redeemed="255", **members)
        after_customer = [3045 if code == 809 else code for code in EVERYTHING]
        assert told.refusals == [859, 904, *after_customer]
        assert counter.redeem(query, points_redeemed="0", **members).refusals[:3] == [801, 859, 904]
        unknown = {**members, "customer": {"mobile": "9000000001", "id": OTHER}}
        assert counter.redeem(query, points_redeemed="10", **unknown).refusals[:3] == [859, 816, 904]


def test_2_8_the_first_steps_come_before_any_rule(tmp_path: Path) -> None:
    bad = "points=abc&issue_otp=perhaps"
    with a_counter(tmp_path, worst_shop(), rate_per_minute=2) as counter:
        assert wsgi_call(counter.app, "GET", CHECK, bad).status == 401
        assert counter.send("GET", CHECK, bad).status == 400
        assert counter.send("GET", CHECK, f"{TOM}&points=abc").status == 200
        assert counter.send("GET", CHECK, bad).status == 429
        assert wsgi_call(counter.app, "GET", CHECK, bad, headers={"Authorization": basic("x")}).status == 401


def test_2_8_proof_comes_last_and_in_its_order(tmp_path: Path) -> None:
    with a_counter(tmp_path, a_shop(validation_required=True)) as counter:
        counter.with_extension = True
        asked = f"{TOM}&points=11&validation_type=MISSED_CALL&validation_code=WRONG1"
        assert counter.check(asked).refusals == [807, 823, 808]
        assert counter.redeem("validation_type=MISSED_CALL").refusals == [824, 823]


# --- 2.9: fields that a refusal keeps -------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        *(("mobile=9000000003", 881), ("mobile=9000000004", 686), ("mobile=9000000005", 809), (OTHERS, 818)),
    ],
)
def test_2_9_a_refusal_names_her_and_is_worth_nothing(reader: HttpCounter, fmt: str, query: str, code: int) -> None:
    counter = reader.reading(fmt)
    told = counter.check(f"{query}&points=60")
    assert told.row == (200, 500, "false", code)
    assert told.message == "All requests have failed due to errors"
    item = {name: str(value) for name, value in told.item.items() if name != "item_status"}
    assert item == {
        "mobile": "91" + query[-10:],
        "email": "",
        "external_id": "",
        "points": "60",
        "is_redeemable": "false",
        "points_redeem_value": "0",
        "points_redeem_local_value": "0",
        "input_type": "points",
        "points_currency_ratio": "1",
    }


def test_every_read_takes_the_same_login_and_formats(counter: HttpCounter) -> None:
    for path in (CHECK, CODE, CUSTOMER, "/v1.1/program/criteria", "/v1.1/organization/configs"):
        for fmt in FORMATS:
            reply = counter.send("GET", path, f"{TOM}&points=10&program_id=973&format={fmt}")
            assert (reply.status, fmt in reply.headers["content-type"]) == (200, True)
            assert read(reply).success == "true"
