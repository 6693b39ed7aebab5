"""Contract 1.5 at the HTTP face: every situation of its table, in both formats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.http_counter import CHECK, CODE, CUSTOMER, FORMATS, REDEEM, HttpCounter, read
from support.row_ledgers import Ledgers
from support.row_shops import KEY, TOM, a_shop
from support.wsgi import Reply

from pos_app.ledger import schema
from pos_app.ledger.databases.database import raise_rules_version


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_shop()) as found:
        yield found


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


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def is_only_a_status(reply: Reply, fmt: str, status: int) -> bool:
    """Whether an answer is a status block and no more, in the format asked for."""
    told = read(reply)
    assert fmt in reply.headers["content-type"]
    return (told.http, told.status, told.success, told.item) == (status, status, "false", {})


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(("method", "path"), [("GET", CHECK), ("GET", CODE), ("GET", CUSTOMER), ("POST", REDEEM)])
def test_any_call_gives_400_for_what_it_cannot_understand(
    reader: HttpCounter, fmt: str, method: str, path: str
) -> None:
    reply = reader.send(method, path, f"points=10&format={fmt}")
    assert is_only_a_status(reply, fmt, 400)
    assert read(reply).message == "Input is invalid, Please check request parameters or input xml/json"


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("path", ["/v1.1/points/nothing", "/v1.1/points", "/v1.0/points/isredeemable", "/"])
def test_any_call_gives_404_where_there_is_nothing(reader: HttpCounter, fmt: str, path: str) -> None:
    assert is_only_a_status(reader.send("GET", path, f"format={fmt}"), fmt, 404)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        *(("GET", REDEEM, "POST"), ("DELETE", REDEEM, "POST"), ("PUT", CHECK, "GET, POST")),
        *(("DELETE", CODE, "GET, POST"), ("PATCH", CUSTOMER, "GET, POST"), ("OPTIONS", CHECK, "GET, POST")),
        ("POST", "/v1.1/organization/configs", "GET"),
    ],
)
def test_any_call_gives_405_and_says_which_methods_it_takes(
    reader: HttpCounter, fmt: str, method: str, path: str, allow: str
) -> None:
    reply = reader.send(method, path, f"format={fmt}")
    assert is_only_a_status(reply, fmt, 405)
    assert reply.headers["allow"] == allow


@pytest.mark.parametrize("fmt", FORMATS)
def test_any_call_gives_401_to_a_stranger_in_the_documented_words(reader: HttpCounter, fmt: str) -> None:
    reply = reader.send("GET", CHECK, f"format={fmt}", headers={"Authorization": "Basic eDp5"})
    told = read(reply)
    assert (told.http, told.status, told.success, told.item) == (401, 401, "false", {})
    assert told.message == "Please check your username/password or authentication token"
    assert reply.headers["www-authenticate"].startswith('Basic realm="')


@pytest.mark.parametrize("fmt", FORMATS)
def test_any_call_gives_403_to_a_till_that_was_disabled(ledgers: Ledgers, fmt: str) -> None:
    with ledgers.counter(a_shop(), fmt=fmt) as counter:
        with counter.book.store.write() as connection:
            connection.execute(schema.till.update().values(state="DISABLED"))
            raise_rules_version(connection)
        for told in (counter.check(f"{TOM}&points=10"), counter.send_code(TOM), counter.redeem()):
            assert (told.http, told.status, told.success, told.item) == (403, 403, "false", {})


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "body"),
    [("&notes=" + "x" * 20_000, b""), ("", b"mobile=9777785205&points=10&notes=" + b"x" * 1_100_000)],
)
def test_1_5_what_no_honest_request_has_is_413(reader: HttpCounter, fmt: str, query: str, body: bytes) -> None:
    told = read(reader.send("POST" if body else "GET", CHECK, f"format={fmt}{query}", body, FORM if body else {}))
    assert (told.http, told.status, told.success, told.item) == (413, 413, "false", {})


@pytest.mark.parametrize("fmt", FORMATS)
def test_any_call_gives_429_over_the_limit_with_a_time_to_wait(ledgers: Ledgers, fmt: str) -> None:
    with ledgers.counter(a_shop(), fmt=fmt, rate_per_minute=1) as counter:
        assert counter.check(f"{TOM}&points=10").http == 200
        reply = counter.send("POST", REDEEM, f"format={fmt}")
        told = read(reply)
        assert (told.http, told.status, told.success, told.item) == (429, 429, "false", {})
        assert 1 <= int(reply.headers["retry-after"]) <= 60


def test_1_5_a_customer_who_is_busy_is_521_in_the_shape_of_a_refusal(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop(), fmt="xml", wait_s=0.02) as counter:
        with ledgers.holding(counter.book):
            told = counter.redeem(external_reference_number=KEY)
        assert told.row == (200, 500, "false", 521)
        assert (told.item["points_redeemed"], str(told.item["redeemed_value"])) == ("10", "0")
        # Nothing was remembered: the same reference may come again.
        assert counter.redeem(external_reference_number=KEY).row == (200, 200, "true", 800)


@pytest.mark.parametrize("fmt", FORMATS)
def test_any_call_gives_500_for_trouble_of_the_server_without_a_payload(ledgers: Ledgers, fmt: str) -> None:
    with ledgers.counter(a_shop(), fmt=fmt) as counter:
        with counter.book.store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE wallet RENAME TO mislaid")
        for told in (counter.check(f"{TOM}&points=10"), counter.redeem()):
            assert (told.http, told.status, told.success, told.item) == (500, 500, "false", {})
            assert told.message == "All requests have failed due to errors"


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        *(("GET", CHECK, f"{TOM}&points=10"), ("GET", CHECK, ""), ("GET", CUSTOMER, TOM), ("GET", "/nowhere", "")),
        *(("PUT", REDEEM, ""), ("POST", REDEEM, ""), ("GET", "/v1.1/organization/configs", "")),
    ],
)
def test_1_1_every_answer_carries_a_request_id_of_its_own(
    reader: HttpCounter, method: str, path: str, query: str
) -> None:
    ids = {reader.send(method, path, query).headers["x-cap-requestid"] for _ in range(3)}
    assert (len(ids), "" in ids) == (3, False)


def test_every_read_takes_the_same_login_and_formats(counter: HttpCounter) -> None:
    for path in (CHECK, CODE, CUSTOMER, "/v1.1/program/criteria", "/v1.1/organization/configs"):
        for fmt in FORMATS:
            reply = counter.send("GET", path, f"{TOM}&points=10&program_id=973&format={fmt}")
            assert (reply.status, fmt in reply.headers["content-type"]) == (200, True)
            assert read(reply).success == "true"
