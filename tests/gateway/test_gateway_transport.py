"""Requests over a real loopback line that fails in every way it can."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from support.builders import MOBILE, a_request, by_mobile
from support.certificates import a_certificate
from support.fault_proxy import (
    CUT_AHEAD,
    CUT_WITHIN,
    DRIP,
    DRIP_HEAD,
    ENDLESS,
    RESET,
    SWALLOW,
    Fault,
    FaultProxy,
    Kind,
    TunnelProxy,
    a_redirect,
    a_sign_in_page,
    garbage,
    said,
)
from support.gateway_kit import (
    NO_EXTENSION,
    OUR_CAPABILITIES,
    QUICK,
    a_command,
    a_ledger,
    a_yes,
    check_body,
    knows_nobody,
    knows_us,
    redeem_body,
)

from pos_app.domain.trouble import (
    LineDownError,
    NotSafeError,
    NotTheServiceError,
    Trouble,
    UnclearAnswerError,
)
from pos_app.gateway.attempts import Attempt, LetGoError
from pos_app.gateway.transport import BODY_MAX, _trouble_of
from pos_app.services.ports import Waits

CODE = "Q7XK2M"
YES = said(200, redeem_body(a_yes()))
CHECKED = said(200, check_body())


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A toy service: it says what a test tells it to."""
    with FaultProxy(drip_s=0.1) as running:
        yield running


LOST_ON_THE_LINE = [RESET, CUT_AHEAD, SWALLOW]


@pytest.mark.parametrize("fault", LOST_ON_THE_LINE, ids=lambda fault: fault.kind.name)
def test_a_question_without_an_answer_is_a_line_that_is_down(proxy: FaultProxy, fault: Fault) -> None:
    ledger = knows_us(proxy)
    proxy.always(fault)
    with pytest.raises(LineDownError):
        ledger.check(a_request())


@pytest.mark.parametrize("fault", LOST_ON_THE_LINE, ids=lambda fault: fault.kind.name)
def test_a_redemption_that_left_without_an_answer_is_unclear(proxy: FaultProxy, fault: Fault) -> None:
    ledger = knows_us(proxy)
    proxy.always(fault)
    with pytest.raises(UnclearAnswerError):
        ledger.redeem(a_command())
    assert len(proxy.requests_to("/redeem")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        a_sign_in_page(),
        a_redirect(),
        garbage(reaches=False),
        said(200, b""),
        said(204, b""),
        said(200, b"null"),
        said(200, b"[" * 100_000),
        said(200, redeem_body(a_yes())[:-30]),
        said(500, b"oops"),
        said(502, b"<html>bad gateway</html>"),
        said(503, b"<html>down</html>"),
        said(408, b""),
        said(500, redeem_body(a_yes())),
        said(400, redeem_body(a_yes())),
        said(403, b"<html>blocked by policy</html>"),
        said(404, b"<html>nothing here</html>"),
    ],
    ids=lambda fault: f"{fault.status} {fault.body[:12]!r}",
)
def test_what_is_no_sure_answer_to_a_redemption_is_unclear(proxy: FaultProxy, fault: Fault) -> None:
    ledger = knows_us(proxy)
    proxy.will(fault)
    with pytest.raises(UnclearAnswerError):
        ledger.redeem(a_command())


@pytest.mark.parametrize("call", ["check", "redeem"])
def test_a_refused_connection_sends_nothing(proxy: FaultProxy, call: str) -> None:
    ledger = knows_us(proxy)
    proxy.refuse()
    ask: dict[str, Callable[[], Any]] = {
        "check": lambda: ledger.check(a_request()),
        "redeem": lambda: ledger.redeem(a_command()),
    }
    with pytest.raises(LineDownError):
        ask[call]()
    proxy.listen()
    proxy.will(YES, path="/redeem")
    assert ledger.redeem(a_command()).redemption_id == "k4Wq7Z"


def test_no_redirect_is_followed(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(a_redirect(proxy.url + "/elsewhere"), CHECKED)
    with pytest.raises(NotTheServiceError):
        ledger.check(a_request())
    assert proxy.requests_to("/elsewhere") == []


def test_nothing_is_repeated_by_the_library(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(RESET, CHECKED, path="/isredeemable")
    with pytest.raises(LineDownError):
        ledger.check(a_request())
    assert len(proxy.requests_to("/isredeemable")) == 1


def test_a_redemption_goes_over_a_line_of_its_own_and_a_question_does_not(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(CHECKED, CHECKED, path="/isredeemable")
    proxy.will(YES, YES, path="/redeem")
    ledger.check(a_request())
    ledger.check(a_request())
    assert proxy.connections == 1
    ledger.redeem(a_command())
    ledger.redeem(a_command())
    assert proxy.connections == 3


# --- An end in time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [DRIP, DRIP_HEAD], ids=lambda fault: fault.kind.name)
def test_an_answer_that_drips_in_is_waited_for_no_longer_than_any_other(fault: Fault) -> None:
    with FaultProxy() as toy, FaultProxy(("127.0.0.1", toy.port), drip_s=0.1) as proxy:
        toy.will(OUR_CAPABILITIES, YES)
        ledger = a_ledger(proxy)
        ledger.capabilities()
        proxy.always(fault)
        started = time.monotonic()
        with pytest.raises(UnclearAnswerError):
            ledger.redeem(a_command())
        assert time.monotonic() - started < QUICK.connect_s + QUICK.read_s + 2
        assert len(toy.requests_to("/redeem")) == 1


def test_an_answer_without_an_end_is_cut_off() -> None:
    with FaultProxy() as toy, FaultProxy(("127.0.0.1", toy.port)) as proxy:
        toy.will(OUR_CAPABILITIES, CHECKED)
        ledger = a_ledger(proxy, waits=Waits(connect_s=5, read_s=30))
        ledger.capabilities()
        proxy.will(ENDLESS)
        with pytest.raises(LineDownError, match="TooLarge"):
            ledger.check(a_request())


def test_an_answer_of_the_largest_size_is_read(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    body = check_body()
    proxy.will(said(200, body + b" " * (BODY_MAX - len(body))), said(200, body + b" " * (BODY_MAX + 1 - len(body))))
    assert ledger.check(a_request()).is_redeemable
    with pytest.raises(LineDownError):
        ledger.check(a_request())


def test_half_an_answer_is_none(proxy: FaultProxy) -> None:
    with FaultProxy(("127.0.0.1", proxy.port)) as front:
        proxy.will(OUR_CAPABILITIES, YES)
        ledger = a_ledger(front)
        ledger.capabilities()
        front.will(CUT_WITHIN)
        with pytest.raises(UnclearAnswerError):
            ledger.redeem(a_command())


def test_a_name_that_takes_too_long_to_look_up_sends_nothing_even_when_it_is_found_later(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = knows_us(proxy)
    may_go_on, looked_up = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def slowly(*args: Any, **named: Any) -> Any:
        assert may_go_on.wait(30)
        looked_up.set()
        return look_up(*args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)  # No server of ours can make the system's resolver slow.
    before = set(threading.enumerate())
    with pytest.raises(LineDownError):
        ledger.redeem(a_command())
    requesting = [thread for thread in set(threading.enumerate()) - before if "fault-proxy" not in thread.name]
    may_go_on.set()
    assert looked_up.wait(30)
    for thread in requesting:
        thread.join(30)
    assert proxy.requests_to("/redeem") == []


def test_an_attempt_that_was_let_go_sends_nothing() -> None:
    attempt = Attempt(needs_fresh_line=True)
    assert attempt.wait(connect_s=0, read_s=0) is None
    with pytest.raises(LetGoError):
        attempt.may_send(None)
    assert not attempt.was_sent


def test_an_attempt_that_began_to_send_may_have_acted() -> None:
    attempt = Attempt(needs_fresh_line=True)
    attempt.may_send(None)
    assert attempt.wait(connect_s=0, read_s=0) is None
    assert attempt.was_sent


# --- Every failure is translated -------------------------------------------------------------------------------------


def every_kind_of(family: type[BaseException]) -> list[type[BaseException]]:
    found = [family]
    for kind in found:
        found.extend(each for each in kind.__subclasses__() if each not in found)
    return found


LIBRARY = [
    kind
    for family in (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
    for kind in every_kind_of(family)
    if kind.__module__.startswith(("requests", "urllib3", "builtins", "ssl", "socket"))
]


@pytest.mark.parametrize("kind", LIBRARY, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_failure_of_the_library_becomes_trouble_and_never_says_what_was_sent(kind: type[BaseException]) -> None:
    failure = kind.__new__(kind)
    failure.args = (f"http://ledger.example/?mobile={MOBILE}",)
    for was_sent in (False, True):
        for moves in (False, True):
            trouble = _trouble_of(failure, was_sent=was_sent, moves=moves)
            assert isinstance(trouble, (LineDownError, UnclearAnswerError, NotSafeError))
            assert isinstance(trouble, UnclearAnswerError) == (was_sent and moves)
            assert MOBILE not in str(trouble)


def test_a_fault_of_ours_is_loud() -> None:
    with pytest.raises(ZeroDivisionError):
        _trouble_of(ZeroDivisionError(), was_sent=True, moves=True)


def all_that_is_told(trouble: Trouble) -> str:
    return "".join(traceback.format_exception(trouble))


def test_no_failure_shows_an_address_a_number_or_a_code(proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    told = []
    with caplog.at_level(logging.DEBUG):
        ledger = knows_nobody(proxy)
        for fault in (RESET, CUT_AHEAD, a_sign_in_page(), garbage(reaches=False), said(500, b"x"), said(400, b"{}")):
            for ask in (
                lambda: ledger.check(a_request(validation_code=CODE)),
                lambda: ledger.find_customer(by_mobile()),
                lambda: ledger.redeem(a_command()),
            ):
                proxy.will(fault)
                with pytest.raises(Trouble) as caught:
                    ask()
                told.append(all_that_is_told(caught.value))
        proxy.will(CHECKED)
        ledger.check(a_request())
    text = "\n".join([*told, caplog.text])
    assert "isredeemable" in caplog.text
    for secret in (MOBILE, MOBILE[2:], CODE, "till.014.3", str(proxy.port)):
        assert secret not in text


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_a_trusted_certificate_is_a_safe_line(tmp_path: Path) -> None:
    file, context = a_certificate(tmp_path)
    with FaultProxy(tls=context) as proxy:
        proxy.will(OUR_CAPABILITIES, YES)
        assert a_ledger(proxy, ca_file=file).redeem(a_command()).redemption_id == "k4Wq7Z"


def test_a_certificate_nobody_vouches_for_is_not_safe_and_gets_no_word(tmp_path: Path) -> None:
    _, context = a_certificate(tmp_path)
    with FaultProxy(tls=context) as proxy:
        with pytest.raises(NotSafeError):
            a_ledger(proxy).capabilities()
        with pytest.raises(NotSafeError):
            a_ledger(proxy).redeem(a_command())
        assert proxy.seen == []


def test_a_certificate_of_another_host_is_not_safe(tmp_path: Path) -> None:
    file, context = a_certificate(tmp_path, name="ledger.example")
    with FaultProxy(tls=context) as proxy, pytest.raises(NotSafeError):
        a_ledger(proxy, ca_file=file).capabilities()


def test_an_old_version_of_tls_is_not_spoken(tmp_path: Path) -> None:
    file, context = a_certificate(tmp_path)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with FaultProxy(tls=context) as proxy, pytest.raises(NotSafeError):
        a_ledger(proxy, ca_file=file).capabilities()


def test_a_file_of_certificates_that_cannot_be_read_is_told_at_once(proxy: FaultProxy, tmp_path: Path) -> None:
    for file in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        if file.name == "empty.pem":
            file.write_text("nothing")
        with pytest.raises(NotSafeError, match="ca_file"):
            a_ledger(proxy, ca_file=file)


def test_a_line_that_breaks_while_it_is_made_safe_is_only_down() -> None:
    listener = socket.socket()
    with listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(10)
            connection.close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        with FaultProxy() as proxy, pytest.raises(LineDownError):
            a_ledger(proxy, url=f"https://127.0.0.1:{listener.getsockname()[1]}").capabilities()
        answering.join(30)


def test_a_silent_server_does_not_hold_the_making_of_a_safe_line() -> None:
    listener = socket.socket()
    with listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        with FaultProxy() as proxy, pytest.raises(LineDownError):
            a_ledger(proxy, url=url, waits=Waits(connect_s=0.5, read_s=0.5)).capabilities()
        assert time.monotonic() - started < 5


def test_a_way_through_a_proxy_is_asked_for_and_the_ledger_alone_is_spoken_to(tmp_path: Path) -> None:
    file, context = a_certificate(tmp_path, name="ledger.example")
    with FaultProxy(tls=context) as service, TunnelProxy(("127.0.0.1", service.port)) as tunnel:
        service.will(OUR_CAPABILITIES, YES)
        ledger = a_ledger(service, url="https://ledger.example", ca_file=file, proxy=tunnel.url)
        assert ledger.redeem(a_command()).redemption_id == "k4Wq7Z"
        assert tunnel.asked == ["ledger.example:443"] * 2  # What moves points has a line of its own.
        service.always(RESET)
        with pytest.raises(UnclearAnswerError):
            ledger.redeem(a_command())


def test_a_proxy_that_finds_no_way_has_sent_nothing(tmp_path: Path) -> None:
    file, context = a_certificate(tmp_path, name="ledger.example")
    with FaultProxy(tls=context) as service:
        target = ("127.0.0.1", service.port)
        with TunnelProxy(target) as tunnel:
            service.will(OUR_CAPABILITIES)
            ledger = a_ledger(service, url="https://ledger.example", ca_file=file, proxy=tunnel.url)
            ledger.capabilities()
            tunnel.refuses = True
            with pytest.raises(LineDownError):
                ledger.redeem(a_command())
        assert service.requests_to("/redeem") == []


# --- Surroundings ----------------------------------------------------------------------------------------------------


def test_the_environment_leads_nobody_astray(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert knows_us(proxy).capabilities is not None
    assert len(proxy.seen) == 1


def test_cookies_are_not_kept(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, check_body(), set_cookie="s=1; Path=/"), CHECKED)
    ledger.check(a_request())
    ledger.check(a_request())
    assert "Cookie" not in proxy.seen[-1].headers


def test_several_threads_may_ask_at_once(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.always(CHECKED)
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ledger.check(a_request()).is_redeemable)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [True] * 8


def test_the_proxy_tells_what_arrived(proxy: FaultProxy) -> None:
    proxy.will(NO_EXTENSION)
    ledger = a_ledger(proxy)
    ledger.capabilities()
    (seen,) = proxy.seen
    assert (seen.method, seen.path, seen.fault) == ("GET", "/sync/v1/capabilities", Kind.SAY)
