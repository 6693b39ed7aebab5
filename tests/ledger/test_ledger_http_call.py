"""What the face takes in of a request, and within which bounds."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pos_app.files.clock import SystemClock
from pos_app.ledger.http.call import BODY_MAX, HEADERS_MAX, QUERY_MAX, Call, new_call, take_in
from pos_app.ledger.http.intake import Intake
from pos_app.ledger.http.login import read_login
from pos_app.ledger.http.rate import RateLimit
from pos_app.ledger.http.troubles import TooLargeError, TooManyError
from pos_app.ledger.http.turn import Turn
from pos_app.wire.formats import MalformedError

FORM = "application/x-www-form-urlencoded"


def taken(method: str = "GET", query: str = "", body: bytes = b"", **environment: str) -> Call:
    env: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, "wsgi.input": io.BytesIO(body)}
    if body:
        env["CONTENT_LENGTH"] = str(len(body))
    env |= environment
    call = new_call(env, 0.0)
    take_in(call, {name: value for name, value in env.items() if value != "absent"}, Intake())
    return call


def test_the_query_leaves_the_environment_so_that_nothing_else_can_log_it() -> None:
    env: dict[str, Any] = {"REQUEST_METHOD": "GET", "QUERY_STRING": "mobile=919777785205"}
    call = new_call(env, 0.0)
    take_in(call, env, Intake())
    assert env["QUERY_STRING"] == ""
    assert call.params() == {"mobile": "919777785205"}


def test_a_call_tells_nothing_personal_of_itself() -> None:
    call = taken("POST", "mobile=919777785205", b"validation_code=Q7XK2M", CONTENT_TYPE=FORM, HTTP_ACCEPT="text/secret")
    for secret in ("919777785205", "Q7XK2M", "secret"):
        assert secret not in repr(call)


def test_two_calls_never_have_the_same_id() -> None:
    ids = {new_call({"REQUEST_METHOD": "GET"}, 0.0).request_id for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(each) for each in ids} == {26}


def test_raw_bytes_in_a_query_are_read_as_utf_8() -> None:
    assert taken(query="name=J\u00c3\u00bcrgen").params() == {"name": "J\u00fcrgen"}


@pytest.mark.parametrize("query", ["name=\u00ff", "a=%ff", "a=%", "a=%4", "a=%zz"])
def test_a_query_that_is_no_utf_8_or_badly_escaped_is_malformed(query: str) -> None:
    with pytest.raises(MalformedError):
        taken(query=query).params()


def test_the_body_of_a_post_read_wins_over_its_query() -> None:
    call = taken("POST", "format=xml&points=10", b"points=20&mobile=9777785205", CONTENT_TYPE=f"{FORM}; charset=UTF-8")
    assert call.form() == {"format": "xml", "points": "20", "mobile": "9777785205"}


def test_a_post_read_needs_a_form() -> None:
    with pytest.raises(MalformedError):
        taken("POST", "", b"{}", CONTENT_TYPE="application/json").form()


def test_a_form_as_long_as_no_form_is_too_large() -> None:
    with pytest.raises(TooLargeError):
        taken("POST", "", b"a=" + b"1" * QUERY_MAX, CONTENT_TYPE=FORM).form()


@pytest.mark.parametrize("promised", ["abc", "-1", "+5", "5.0", "\u0665"])
def test_a_length_that_is_no_number_is_malformed(promised: str) -> None:
    with pytest.raises(MalformedError):
        taken("POST", "", b"12345", CONTENT_LENGTH=promised)


def test_a_body_shorter_than_promised_was_cut_and_is_not_believed() -> None:
    with pytest.raises(MalformedError):
        taken("POST", "", b"points=100", CONTENT_LENGTH="11", CONTENT_TYPE=FORM)


def test_no_more_is_read_than_was_promised() -> None:
    assert taken("POST", "", b"12345GET / HTTP/1.1", CONTENT_LENGTH="5").body == b"12345"


def test_a_form_without_a_length_may_have_been_cut_so_it_is_malformed() -> None:
    with pytest.raises(MalformedError):
        taken("POST", "", b"points=1", CONTENT_LENGTH="absent", HTTP_TRANSFER_ENCODING="chunked", CONTENT_TYPE=FORM)


def test_other_bodies_may_come_in_chunks() -> None:
    call = taken("POST", "", b"{}", CONTENT_LENGTH="absent", HTTP_TRANSFER_ENCODING="chunked")
    assert call.body == b"{}"


@pytest.mark.parametrize(
    ("method", "query", "body", "environment"),
    [
        ("GET", "a" * (QUERY_MAX + 1), b"", {}),
        ("GET", "", b"", {"HTTP_X_ANY": "a" * (HEADERS_MAX + 1)}),
        ("POST", "", b"{}", {"CONTENT_LENGTH": str(BODY_MAX + 1)}),
        ("POST", "", b"{}", {"CONTENT_LENGTH": "9" * 30}),
        ("POST", "", b" " * (BODY_MAX + 1), {"CONTENT_LENGTH": "absent", "HTTP_TRANSFER_ENCODING": "chunked"}),
    ],
)
def test_what_no_honest_request_has_is_too_large(
    method: str, query: str, body: bytes, environment: dict[str, str]
) -> None:
    with pytest.raises(TooLargeError):
        taken(method, query, body, **environment)


def test_exactly_one_mebibyte_is_taken() -> None:
    assert len(taken("POST", "", b" " * BODY_MAX).body) == BODY_MAX


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def test_a_basic_login_is_read() -> None:
    assert read_login("Basic " + encoded("till.014.3:abc:def")) == ("till.014.3", "abc:def")
    assert read_login("bASIC  " + encoded("k\u00e4sse:abc")) == ("k\u00e4sse", "abc")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + encoded("nocolon"),
        "Basic " + encoded(":digest"),
        "Basic " + encoded("login:"),
        "Basic " + encoded("log\nin:digest"),
        "Basic " + encoded("log\x00in:digest"),
        "Basic " + base64.b64encode(b"\xff\xfe:digest").decode("ascii"),
        "Basic " + encoded("login:" + "x" * 4000),
        "Bearer " + encoded("login:digest"),
        "Basic \u00e4\u00e4",
    ],
)
def test_anything_else_is_no_login(header: str | None) -> None:
    assert read_login(header) is None


def test_a_till_that_asks_too_often_is_told_how_long_to_wait() -> None:
    limit = RateLimit(60)
    for _ in range(60):
        limit.take("till.1", 100.0)
    with pytest.raises(TooManyError) as refused:
        limit.take("till.1", 100.5)
    assert refused.value.retry_after_s == 1
    limit.take("till.2", 100.5)
    limit.take("till.1", 101.5)


def test_a_slow_limit_names_a_wait_after_which_it_really_lets_the_till_in() -> None:
    limit = RateLimit(1)
    limit.take("till.1", 0.0)
    with pytest.raises(TooManyError) as refused:
        limit.take("till.1", 10.0)
    assert refused.value.retry_after_s == 50
    limit.take("till.1", 60.0)


def test_requests_take_turns() -> None:
    turn, at_work, most = Turn(wait_s=60), [0], [0]

    def work(_: int) -> None:
        with turn.taken():
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
            SystemClock().sleep(0)
            at_work[0] -= 1

    with ThreadPoolExecutor(8) as many:
        list(many.map(work, range(200)))
    assert most == [1]


def test_who_waited_long_enough_for_the_turn_goes_ahead_without_it() -> None:
    turn = Turn(wait_s=0.001)
    with turn.taken():
        with turn.taken():
            pass
        assert turn.is_held  # Only who has it gives it back.
    assert not turn.is_held


def test_an_error_ends_the_turn_too() -> None:
    turn = Turn(wait_s=60)
    with pytest.raises(ZeroDivisionError), turn.taken():
        raise ZeroDivisionError
    assert not turn.is_held
