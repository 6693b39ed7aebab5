"""`POST /telephony/v1/missed-calls`: who may report, what may be said, and what nobody learns from the answer."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from support.a_ledger import BookKit, a_kit
from support.ledger_server import LOGIN, MOBILE, PASSWORD, a_customer, a_program, a_till, an_organisation, basic
from support.wsgi import Reply, wsgi_call

from pos_app.ledger import schema
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.http.app import make_app
from pos_app.ledger.loading.importer import KINDS

PATH = "/telephony/v1/missed-calls"
CHECK = "mobile=9777785205&points=10&validation_type=MISSED_CALL&format=json"
TELEPHONY = {"login": "exchange", "password": "ring ring"}
CALL = {"from": f"+{MOBILE}"}


class Exchange:
    """A telephony service before the face of a ledger."""

    def __init__(self, kit: BookKit, *, extension: bool = True) -> None:
        self.kit = kit
        self.app = make_app(kit.book, extension=extension)

    def tell(
        self,
        body: object = CALL,
        login: str | None = basic(),
        *,
        method: str = "POST",
        raw: bytes | None = None,
    ) -> Reply:
        sent = {"Content-Type": "application/json"} | ({} if login is None else {"Authorization": login})
        given = json.dumps(body).encode() if raw is None else raw
        return wsgi_call(self.app, method, PATH, headers=sent, body=given)

    def code(self, login: str = basic()) -> int:
        """What a till is told of the customer's call."""
        reply = wsgi_call(self.app, "GET", "/v1.1/points/isredeemable", CHECK, headers={"Authorization": login})
        return int(reply.json["response"]["points"]["redeemable"]["item_status"]["code"])


@contextmanager
def an_exchange(folder: Path, *more: dict[str, Any], extension: bool = True, **organisation: Any) -> Iterator[Exchange]:
    lines = [an_organisation(missed_call_enabled=True, **organisation), a_program(), a_till(), a_customer(), *more]
    with a_kit(folder, sorted(lines, key=lambda line: KINDS.index(line["kind"]))) as kit:
        yield Exchange(kit, extension=extension)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One for all reports that are refused: they leave nothing behind."""
    with an_exchange(tmp_path_factory.mktemp("quiet"), telephony=TELEPHONY) as made:
        yield made


def plain(login: str, password: str) -> str:
    """A login as telephony services send it: with the password itself."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode("ascii")


def test_a_report_is_taken_and_confirms_her(tmp_path: Path) -> None:
    with an_exchange(tmp_path) as exchange:
        assert exchange.code() == 822
        reply = exchange.tell({"from": "+919777785205", "at": "2026-11-22T15:29:00+05:30"})
        assert (reply.status, reply.body, reply.headers["content-type"]) == (
            202,
            b"{}",
            "application/json; charset=utf-8",
        )
        assert exchange.code() == 800


def test_it_needs_no_extension(tmp_path: Path) -> None:
    with an_exchange(tmp_path, extension=False) as exchange:
        assert (exchange.tell().status, exchange.code()) == (202, 800)


@pytest.mark.parametrize("number", ["+14155550100", MOBILE, "98000 12345"])
def test_the_answer_never_tells_who_is_a_customer(tmp_path: Path, number: str) -> None:
    with an_exchange(tmp_path) as exchange:
        reply = exchange.tell({"from": number})
        assert (reply.status, reply.body) == (202, b"{}")


@pytest.mark.parametrize("is_enabled", [True, False])
def test_nor_whether_the_organisation_uses_calls(tmp_path: Path, is_enabled: bool) -> None:
    lines = [an_organisation(missed_call_enabled=is_enabled), a_program(), a_till(), a_customer()]
    with a_kit(tmp_path, lines) as kit:
        assert Exchange(kit).tell().status == 202
        assert Exchange(kit).code() == (800 if is_enabled else 823)


@pytest.mark.parametrize("login", [plain("exchange", "ring ring"), basic("exchange", "ring ring")])
def test_an_organisation_with_a_telephony_login_is_told_by_it_alone(tmp_path: Path, login: str) -> None:
    with an_exchange(tmp_path, telephony=TELEPHONY) as exchange:
        refused = exchange.tell()
        assert (refused.status, refused.json["errors"][0]["reason"]) == (401, "not_authenticated")
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert exchange.code() == 822
        assert (exchange.tell(login=login).status, exchange.code()) == (202, 800)


@pytest.mark.parametrize(
    "login",
    [None, "Bearer x", plain("exchange", "wrong"), basic("exchange", "wrong"), plain("", ""), basic(LOGIN, "wrong")],
)
def test_nobody_else_may_report(quiet: Exchange, login: str | None) -> None:
    assert quiet.tell(login=login).status == 401
    assert quiet.code() == 822


def test_a_telephony_login_opens_nothing_else(tmp_path: Path) -> None:
    with an_exchange(tmp_path, telephony=TELEPHONY) as exchange:
        for login in (plain("exchange", "ring ring"), basic("exchange", "ring ring")):
            reply = wsgi_call(exchange.app, "GET", "/v1.1/points/isredeemable", CHECK, headers={"Authorization": login})
            assert reply.status == 401


@pytest.mark.parametrize("state", ["LOST", "DISABLED", "FROZEN"])
def test_a_till_that_is_no_longer_trusted_reports_no_calls(tmp_path: Path, state: str) -> None:
    with an_exchange(tmp_path, a_till(login="till.015.1")) as exchange:
        with exchange.kit.book.store.write() as connection:
            connection.execute(update(schema.till).where(schema.till.c.login == LOGIN).values(state=state))
            raise_rules_version(connection)
        assert exchange.tell().status == 401
        assert exchange.code(basic("till.015.1")) == 822


def test_a_call_is_one_organisations_alone(tmp_path: Path) -> None:
    others = [
        an_organisation(id=2, name="Nila Market", missed_call_enabled=True),
        a_program(organisation=2, id=7),
        a_till(organisation=2, login="till.other"),
        a_customer(organisation=2, wallets=[{"program_id": 7, "lots": [{"points": 500}]}]),
    ]
    with an_exchange(tmp_path, *others) as exchange:
        assert exchange.tell(login=basic("till.other", PASSWORD)).status == 202
        assert (exchange.code(), exchange.code(basic("till.other", PASSWORD))) == (822, 800)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "from"),
        ({"from": None}, "from"),
        ({"from": 919777785205}, "from"),
        ({"from": ""}, "from"),
        ({"from": "anonymous"}, "from"),
        ({"from": "tom@example.org"}, "from"),
        ({**CALL, "at": "2026-11-22T10:00:00"}, "at"),
        ({**CALL, "at": "now"}, "at"),
        ({**CALL, "at": 1795341600}, "at"),
        ({**CALL, "at": "2026-11-22T10:05:01Z"}, "at"),
        ({**CALL, "at": "9999-12-31T23:59:59-14:00"}, "at"),
    ],
)
def test_what_cannot_be_read_is_malformed_and_not_quoted(quiet: Exchange, body: object, field: str) -> None:
    reply = quiet.tell(body, plain("exchange", "ring ring"))
    (error,) = reply.json["errors"]
    assert (reply.status, error["code"], error["reason"], error["field"]) == (400, 400, "malformed", field)
    assert b"tom" not in reply.body
    assert quiet.code() == 822


@pytest.mark.parametrize(
    "at", [None, "2026-11-22T10:05:00Z", "2026-11-22T10:00:00.250+00:00", "2026-11-22T15:30:00+05:30"]
)
def test_moments_it_takes(tmp_path: Path, at: str | None) -> None:
    with an_exchange(tmp_path) as exchange:
        assert (exchange.tell({**CALL, "at": at}).status, exchange.code()) == (202, 800)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'"+919777785205"', b"\xff", b"from=919777785205"])
def test_a_body_that_is_no_object_is_malformed(quiet: Exchange, raw: bytes) -> None:
    reply = quiet.tell(login=plain("exchange", "ring ring"), raw=raw)
    assert (reply.status, reply.json["errors"][0]["reason"]) == (400, "malformed")


def test_only_posts_are_taken(quiet: Exchange) -> None:
    reply = quiet.tell(method="GET", raw=b"")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_no_number_is_in_a_log_and_the_password_is_kept_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with an_exchange(tmp_path, telephony=TELEPHONY) as exchange:
        exchange.tell(login=plain("exchange", "ring ring"))
        exchange.tell(login=plain("exchange", "wrong"))
        with exchange.kit.book.store.read() as connection:
            kept = str(connection.execute(select(schema.organisation)).all())
    told = "\n".join(each.getMessage() for each in caplog.records)
    assert "route=/telephony/v1/missed-calls" in told
    assert "till=exchange" in told
    assert not [each for each in (MOBILE, MOBILE[2:], "ring ring") if each in told]
    assert "ring ring" not in kept
