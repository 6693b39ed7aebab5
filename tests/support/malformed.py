"""Requests nobody honest sends: a seeded stream of them, for tests that a server survives."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from support.ledger_server import basic

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "BREW")
NAMES = (
    *("mobile", "email", "external_id", "card_number", "card_external_id", "id", "user_id", "points", "program_id"),
    *("group_redemption", "user_group2_id", "user_group2_external_id", "user_group2_primary_user_id"),
    *("user_group2_primary_user_identifier_type", "user_group2_primary_user_identifier_value"),
    *("user_group2_primary_user_source", "user_group2_primary_user_accountId", "use_default_user_group2"),
    *("issue_otp", "validation_code", "skip_validation", "validation_type", "currency_input", "currency_value"),
    *("format", "mlp", "points_summary", "colour", ""),
)
VALUES = (
    *("", "null", "true", "false", "1", "0", "-1", "10", "125", "0.0001", "1e5", "1e400", "NaN", "Infinity", "-0"),
    *("9" * 40, "9" * 400, "0x10", "1,000", "\u0661\u0660", "\u00bd", " 10 ", "+10", "9223372036854775808"),
    *("919777785205", "9777785205", "+91 97777 85205", "tom.sawyer@example.org", "a@b", "@", "434547", "'; DROP TABLE"),
    *("SMS", "sms", "MISSED_CALL", "INVALID", "WECHAT", "INSTORE", "mobile", "cardnumber", "json", "xml", "yaml"),
    *("\x00", "a\x00b", "\x1b[31m", "\r\nX-Evil: 1", "\u202e", "\ufffe", "\U0001f600" * 50, "\u00e9", "%s%n", "${x}"),
    *("../../etc/passwd", "<script>", "]]>", "&amp;", "a" * 5000, "973", "974", "50001", "Q7XK2M", "TR-1", "x,y,z"),
)
ODD_JSON = (
    *('"\\ud800"', '"\\u0000"', "NaN", "Infinity", "-Infinity", "1e999", "-1e-999", "9" * 5000, "1." + "0" * 5000),
    *("[" * 3000, '{"a":' * 3000, "[" * 20 + "]" * 20, '{"a":1,"a":2}', "nul", "[1,]", '"\\x"', "\u2028", "01", "--1"),
    *("true", "null", "[]", "{}", '""', "10", "10.5", "-5", '"10"', "[[]]", '{"a": {}}', '"' + "a" * 20000 + '"'),
)
BOMBS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><root><redeem>&d;&d;&d;&d;</redeem></root>',
    '<!DOCTYPE root [<!ENTITY e SYSTEM "file:///etc/passwd">]><root><redeem><notes>&e;</notes></redeem></root>',
    '<!DOCTYPE root SYSTEM "http://127.0.0.1:9/evil.dtd"><root/>',
    '<!DOCTYPE root [<!ENTITY % p SYSTEM "file:///dev/zero">%p;]><root/>',
    "<a>" * 5000,
    "<root>" + "<redeem/>" * 60000 + "</root>",
    '<?xml version="1.0" encoding="UTF-16"?><root/>',
    '<?xml version="1.0" encoding="no-such-thing"?><root/>',
    "<root><redeem><points_redeemed>10</points_redeemed><customer><mobile>1</mobile></redeem></root>",
    "<root " + " ".join(f'a{n}="1"' for n in range(2000)) + "/>",
    "<",
    "<>",
    "<root>&undefined;</root>",
    "<root>\x00</root>",
    '<root xmlns:x="y"><x:redeem><x:element/></x:redeem></root>',
)


SPOILERS = ("%", "%f", "%00", "\xff", "&", "=", "+", ";", "\xc3\xa9", "")
ACCEPTS = ("*/*", "text/xml;q=abc", "application/xml", "," * 50, "\xff", "a/b;q=0.1,*/*;q=9")
KINDS = ("", "text/xml; charset=utf-7", "\xff", "a" * 3000, "application/json;;;")
ASKS = ('{"v":1}', '{"v":1,"cashier":"x"}', '{"v":2}', "[]", "{", '{"v":1,"key":5}', '{"v":true}')
TIMES = ("2026-13-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31T23:59:59-23:59", "x", 5)


@dataclass(frozen=True)
class Malformed:
    """One request. Path and query are bytes as Latin-1, as WSGI carries them; the path is not escaped."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_length: str | None = None


def malformed_requests(seed: int, count: int) -> Iterator[Malformed]:
    """So many requests; the same ones for the same seed. Each was a good one, spoiled in one to four places."""
    dice = random.Random(seed)
    for _ in range(count):
        odd = dice.choice(GOOD_ONES)
        for _ in range(dice.randrange(1, 5)):
            odd = dice.choice(SPOILING)(dice, odd)
        yield odd


ITEM = {
    "points_redeemed": "10",
    "customer": {"mobile": "9777785205", "email": ""},
    "transaction_number": "B-77",
    "redemption_time": "",
    "notes": "",
    "custom_fields": {"field": [{"name": "a", "value": "b"}]},
}
CANCEL = {"key": "6Q2P0V8RJX4M1TZC9WD3HKYB5E", "cashier": None, "reason": "other", "approval": None}
XML = (
    '<?xml version="1.0" encoding="ISO-8859-1"?><root><redeem><points_redeemed>10</points_redeemed><customer>'
    "<mobile>9777785205</mobile></customer><transaction_number>B-77</transaction_number></redeem></root>"
)
REVERSAL = {
    "redemptionId": "k4Wq7Z",
    "identifier": {"type": "mobile", "value": "9777785205"},
    "pointsToBeReversed": 10,
}
FORM = "application/x-www-form-urlencoded"


def _good(method: str, path: str, query: str = "", body: object = b"", kind: str = "") -> Malformed:
    headers = {"Authorization": basic()} | ({"Content-Type": kind} if kind else {})
    text = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Malformed(method, path, query, headers, text)


CHECK = "mobile=9777785205&program_id=973&format=json&points=10&issue_otp=null&validation_code=true"
GOOD_ONES = (
    _good("GET", "/v1.1/points/isredeemable", CHECK),
    _good("GET", "/v1.1/points/isredeemable", "id=50001&currency_input=true&currency_value=10&format=xml"),
    _good("GET", "/v1.1/points/isredeemable", "external_id=434547&points=10&use_default_user_group2=true"),
    _good("POST", "/v1.1/points/isredeemable", "format=json", CHECK, FORM),
    _good("GET", "/v1.1/points/validationcode", "email=tom.sawyer@example.org&points=10"),
    _good("POST", "/v1.1/points/validationcode", "", "mobile=9777785205", FORM),
    _good("GET", "/v1.1/customer/get", "mobile=9777785205,9000000001&user_id=true&mlp=true&points_summary=true"),
    _good("GET", "/v1.1/program/criteria", "program_id=973"),
    _good("GET", "/v1.1/organization/configs", "format=xml"),
    _good("POST", "/v1.1/points/redeem", "program_id=973", {"root": {"redeem": [ITEM]}}, "application/json"),
    _good("POST", "/v1.1/points/redeem", "", {"redeem": ITEM}, "application/json"),
    _good("POST", "/v1.1/points/redeem", "format=xml", XML, "text/xml"),
    _good("POST", "/v1.1/points/redeem", "format=json", XML),
    _good("GET", "/sync/v1/capabilities"),
    _good("POST", "/sync/v1/cancel", "", CANCEL, "application/json"),
    _good("GET", "/v1.1/organization/get", "format=xml"),
    _good("GET", "/v2/userGroup2/search", "q=smith&offset=0&limit=5"),
    _good("GET", "/v2/userGroup2", "id=77&externalId=FG-1&expirySchedules=true"),
    _good("GET", "/v2/userGroup2/members", "identifierName=id&identifierValue=77&paginationDetails=true"),
    _good("GET", "/v2/customers/50001/points/balance", "programId=973&fetchDataForAllPrograms=false"),
    _good("GET", "/v2/customers/points/balance", "entityType=FLEET&identifierName=mobile&identifierValue=9777785205"),
    _good("GET", "/v2/organization/programs"),
    _good("POST", "/v2/points/reverse", "", REVERSAL, "application/json"),
    _good("GET", "/healthz"),
    _good("GET", "/readyz"),
)


def _other_value(dice: random.Random, odd: Malformed) -> Malformed:
    """Another value for a parameter, or one parameter more, in the query or the form."""
    text = odd.body.decode("latin-1") if odd.headers.get("Content-Type") == FORM else odd.query
    pairs = text.split("&")
    place = dice.randrange(len(pairs))
    name = pairs[place].partition("=")[0] if dice.random() < 0.7 else dice.choice(NAMES)
    pair = f"{name}={_escaped(dice, dice.choice(VALUES))}"
    if dice.random() < 0.7:
        pairs[place] = pair
    else:
        pairs.append(pair)
    changed = "&".join(pairs)
    if odd.headers.get("Content-Type") == FORM:
        return replace(odd, body=changed.encode("latin-1"))
    return replace(odd, query=changed)


def _spoiled_query(dice: random.Random, odd: Malformed) -> Malformed:
    if dice.random() < 0.03:
        return replace(odd, query=odd.query + dice.choice(("&a=" + "b" * 20_000, "&a=1" * 300)))
    return replace(odd, query=_spoiled(dice, odd.query))


def _spoiled_path(dice: random.Random, odd: Malformed) -> Malformed:
    return replace(odd, path=_spoiled(dice, odd.path)) if dice.random() < 0.3 else odd


def _other_method(dice: random.Random, odd: Malformed) -> Malformed:
    return replace(odd, method=dice.choice(METHODS)) if dice.random() < 0.3 else odd


def _odd_login(dice: random.Random, odd: Malformed) -> Malformed:
    noise = base64.b64encode(bytes(dice.randrange(256) for _ in range(dice.randrange(30)))).decode()
    login = dice.choice(("", "Basic", f"Basic {noise}", f"Bearer {noise}", "Basic " + "A" * 9000))
    return replace(odd, headers=odd.headers | {"Authorization": login}) if dice.random() < 0.3 else odd


def _odd_header(dice: random.Random, odd: Malformed) -> Malformed:
    asked = base64.urlsafe_b64encode(dice.choice(ASKS).encode()).decode().rstrip("=")
    name, value = dice.choice(
        (
            ("Accept", dice.choice(ACCEPTS)),
            ("Content-Type", dice.choice(KINDS)),
            ("X-Pos-Extension", asked),
            ("X-Pos-Extension", dice.choice(("!", "", "A" * 5000, "\xff", "A"))),
            ("X-Any", "a" * dice.choice((10, 40_000))),
        )
    )
    return replace(odd, headers=odd.headers | {name: value})


def _odd_json(dice: random.Random, odd: Malformed) -> Malformed:
    """One value of a JSON body replaced, a member taken away, or the body replaced."""
    try:
        tree = json.loads(odd.body)
    except (ValueError, RecursionError):
        return replace(odd, body=dice.choice(ODD_JSON).encode()) if dice.random() < 0.1 and odd.body else odd
    if not isinstance(tree, dict):
        return odd
    item: Any = tree.get("root", tree)
    item = item.get("redeem", item) if isinstance(item, dict) else {}
    item = item[0] if isinstance(item, list) and item else item
    if not isinstance(item, dict) or not item:
        return odd
    name = dice.choice(sorted(item))
    if dice.random() < 0.2:
        del item[name]
        return replace(odd, body=json.dumps(tree).encode())
    if dice.random() < 0.3 and isinstance(item.get("customer"), dict):
        item["customer"][dice.choice(NAMES[:6])] = dice.choice(VALUES)
    item[dice.choice((name, "external_reference_number", "validation_code", "redemption_time"))] = "@@"
    value = dice.choice(ODD_JSON) if dice.random() < 0.5 else json.dumps(dice.choice((*VALUES, *TIMES)))
    return replace(odd, body=json.dumps(tree).replace('"@@"', value).encode("utf-8", "surrogatepass"))


def _odd_body(dice: random.Random, odd: Malformed) -> Malformed:
    if odd.method == "GET" and dice.random() < 0.8:
        return odd
    noise = bytes(dice.randrange(256) for _ in range(dice.randrange(200)))
    cut = odd.body[: dice.randrange(len(odd.body) + 1)]
    bomb = dice.choice(BOMBS).encode("utf-8")
    huge = b" " * (1024 * 1024 + dice.randrange(-1, 2)) if dice.random() < 0.05 else b""
    return replace(odd, body=dice.choice((noise, cut, bomb, bomb, huge, odd.body + noise)))


def _odd_length(dice: random.Random, odd: Malformed) -> Malformed:
    if dice.random() < 0.7:
        return odd
    return replace(odd, content_length=dice.choice(("abc", "-1", "99999999999", "1e3", str(len(odd.body) + 7), "0")))


Spoil = Callable[[random.Random, Malformed], Malformed]
SPOILING: tuple[Spoil, ...] = (
    *(_other_value, _other_value, _other_value, _odd_json, _odd_json, _odd_json, _odd_body, _odd_header),
    *(_spoiled_query, _spoiled_path, _other_method, _odd_login, _odd_length),
)


def _escaped(dice: random.Random, value: str) -> str:
    if dice.random() < 0.9:
        return quote(value, safe="")
    raw = value.encode("utf-8").decode("latin-1")
    return "".join(letter for letter in raw if letter not in "\r\n\x00&")


def _spoiled(dice: random.Random, text: str) -> str:
    """A few characters added or replaced."""
    letters = list(text)
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(letters) + 1)
        letters[place : place + dice.randrange(2)] = dice.choice(SPOILERS)
    return "".join(letters)
