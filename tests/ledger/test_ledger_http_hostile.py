"""What strangers and broken clients send: the ledger stays up, answers by the contract, and tells nobody's secrets."""

import json
import logging
import random
import select
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from support.ledger_server import LedgerServer, a_customer, a_small_ledger, basic, digest, ledger_server, running_ledger
from support.malformed import Malformed, malformed_requests
from support.wsgi import wsgi_call

from pos_app.domain.commands import Cancel
from pos_app.domain.request import RedemptionRequest
from pos_app.files.clock import SystemClock
from pos_app.ledger.errors import LedgerBusyError, UnknownKeyError
from pos_app.ledger.figures import Figures
from pos_app.ledger.http.app import make_app
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.spool import SpoolSender
from pos_app.ledger.store import open_book
from pos_app.ledger.tills import Till

__all__ = ["ledger_server"]

CHECK = "/v1.1/points/isredeemable"
GOOD = "mobile=9777785205&points=10"
SAID = {200, 400, 401, 404, 405, 413}


@pytest.mark.timeout(300)
def test_ten_thousand_malformed_requests_leave_the_ledger_sound(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book = open_book(
        f"sqlite:///{tmp_path / 'ledger.db'}",
        secrets=LedgerSecrets.open(tmp_path / "secrets"),
        clock=SystemClock(),
        sender=SpoolSender(tmp_path / "spool"),
    )
    try:
        rich = [*a_small_ledger()[:3], a_customer(points=10_000_000)]
        lines = [json.dumps(line).encode() for line in rich]
        import_file(book, lines, file_name="test data", keep_good=False, progress=None)
        app = make_app(book)
        caplog.set_level(logging.WARNING)
        seen: Counter[int] = Counter()
        for number, odd in enumerate(malformed_requests(seed=20261122, count=10_000)):
            reply = wsgi_call(
                app,
                odd.method,
                odd.path,
                odd.query,
                headers=odd.headers,
                body=odd.body,
                content_length=odd.content_length,
            )
            seen[reply.status] += 1
            assert reply.status in SAID, f"request {number} was answered {reply.status}: {odd!r}"
            assert b"Traceback" not in reply.body
            assert b".py" not in reply.body
            assert "x-cap-requestid" in reply.headers
        assert caplog.records == []
        assert set(seen) == SAID
        assert wsgi_call(app, "GET", CHECK, GOOD, headers={"Authorization": basic()}).status == 200
        assert book.verify() == []
    finally:
        book.close()


# --- Trouble of our own -------------------------------------------------------------------------------------------


class TroubledBook:
    """A book whose every answer fails in one way."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.figures = Figures()
        self.secrets = None

    def till(self, login: str, secret: str, **_: object) -> Till:
        """Everybody is let in."""
        return Till(login=login, organisation_id=1, store="014")

    def check(self, till: Till, request: RedemptionRequest, ask: object, *, with_extension: bool) -> Any:
        """Fail."""
        raise self.failure

    def cancel(self, till: Till, command: Cancel) -> Any:
        """Fail."""
        raise self.failure

    def is_ready(self) -> bool:
        """Not."""
        return False


def troubled(failure: Exception) -> Any:
    return make_app(TroubledBook(failure))  # type: ignore[arg-type]


CANCEL = b'{"key": "6Q2P0V8RJX4M1TZC9WD3HKYB5E", "cashier": null, "reason": "other", "approval": null}'
ODD_LINES = ("Transfer-Encoding: chunked", "Content-Length: 3", "X\x00: y", ": nameless", " folded", "X" * 9000)


@pytest.mark.parametrize("failure", [ValueError("canary 919777785205"), KeyError("canary"), RecursionError("canary")])
def test_a_fault_of_the_ledger_is_told_without_a_word_about_anybody(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = troubled(failure)
    reply = wsgi_call(app, "GET", CHECK, GOOD, headers={"Authorization": basic()})
    assert reply.status == 500
    assert reply.json == {
        "response": {"status": {"success": "false", "code": 500, "message": "All requests have failed due to errors"}}
    }
    sync = wsgi_call(app, "POST", "/sync/v1/cancel", headers={"Authorization": basic()}, body=CANCEL)
    assert (sync.status, sync.json["errors"][0]["reason"]) == (500, "trouble")
    request_id = reply.headers["x-cap-requestid"]
    faults = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(faults) == 2
    assert faults[0].startswith(f"request={request_id} fault={type(failure).__name__} at=test_ledger_http_hostile.py:")
    for told in (caplog.text, reply.body.decode(), sync.body.decode()):
        assert "canary" not in told
        assert "9777785205" not in told


def test_a_busy_ledger_asks_to_come_again() -> None:
    app = troubled(LedgerBusyError())
    reply = wsgi_call(app, "GET", CHECK, GOOD + "&format=xml", headers={"Authorization": basic()})
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    sync = wsgi_call(app, "POST", "/sync/v1/cancel", headers={"Authorization": basic()}, body=CANCEL)
    assert (sync.status, sync.json["errors"][0]["reason"]) == (503, "busy")


def test_a_key_of_another_till_is_unknown() -> None:
    app = troubled(UnknownKeyError())
    reply = wsgi_call(app, "POST", "/sync/v1/cancel", headers={"Authorization": basic()}, body=CANCEL)
    assert (reply.status, reply.json["errors"][0]["reason"]) == (404, "unknown")


def test_a_ledger_whose_database_is_away_is_alive_but_not_ready() -> None:
    app = troubled(ValueError())
    assert wsgi_call(app, "GET", "/healthz").status == 200
    reply = wsgi_call(app, "GET", "/readyz")
    assert (reply.status, reply.json) == (503, {"status": "database"})


# --- The log ------------------------------------------------------------------------------------------------------


def test_the_log_has_one_line_a_request_with_six_facts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app = troubled(LedgerBusyError())
    reply = wsgi_call(app, "GET", CHECK, GOOD, headers={"Authorization": basic()})
    (line,) = [each.getMessage() for each in caplog.records]
    names = [each.partition("=")[0] for each in line.split(" ")]
    assert names == ["request", "method", "route", "ms", "status", "till"]
    assert f"request={reply.headers['x-cap-requestid']} method=GET route={CHECK} " in line
    assert line.endswith(" status=503 till=till.014.3")


def test_a_login_cannot_write_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wsgi_call(troubled(LedgerBusyError()), "GET", CHECK, GOOD, headers={"Authorization": basic(login="a\u2028b c")})
    (line,) = [each.getMessage() for each in caplog.records]
    assert "\u2028" not in line


def test_nothing_secret_reaches_the_log_of_a_real_server(tmp_path: Path) -> None:
    person = a_customer(first_name="Canarina", last_name="Kanarienvogel", email="canary.bird@example.org")
    lines = [*a_small_ledger()[:3], person]
    with running_ledger(tmp_path, lines) as server:
        login = {"Authorization": basic()}
        wrong = {"Authorization": basic(login="canarylogin", password="canarypass")}
        pos = {"X-Pos-Extension": "eyJ2IjoxLCJjYXNoaWVyIjoiY2FuYXJ5In0"}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        base = server.url
        sent = f"{base}/v1.1/points/validationcode?mobile=9777785205&points=100"
        requests.get(sent, headers=login, timeout=10).raise_for_status()
        code = server.messages()[0]["code"]
        item = {"points_redeemed": 100, "customer": {"mobile": "9777785205"}, "validation_code": code}
        item["notes"] = "canarynote"
        redeem = f"{base}/v1.1/points/redeem"
        answers = [
            requests.get(f"{base}{CHECK}?{GOOD}&validation_code=CANARY", headers=login, timeout=10),
            requests.get(f"{base}{CHECK}?email=canary.bird@example.org&points=10", headers=login, timeout=10),
            requests.post(f"{base}{CHECK}", data=GOOD, headers=login | form, timeout=10),
            requests.get(f"{base}{CHECK}?{GOOD}&points=canarypoints&issue_otp=canaryword", headers=login, timeout=10),
            requests.get(f"{base}{CHECK}?{GOOD}", headers=wrong, timeout=10),
            requests.get(f"{base}{CHECK}?{GOOD}", headers=login | pos, timeout=10),
            requests.get(f"{base}/canary/path/919777785205?canary=query", headers=login, timeout=10),
            requests.request("CANARY", f"{base}{CHECK}?{GOOD}", headers=login, timeout=10),
            requests.post(redeem, json={"root": {"redeem": [item]}}, headers=login, timeout=10),
            requests.post(redeem, data=b'{"canarybody": ', headers=login, timeout=10),
            requests.post(redeem, data=b"<canaryxml>", headers=login, timeout=10),
            requests.post(f"{base}/sync/v1/cancel", data=b'{"key": "canarykey"}', headers=login, timeout=10),
            requests.get(f"{base}/v1.1/customer/get?mobile=9777785205", headers=login, timeout=10),
        ]
        statuses = [each.status_code for each in answers]
        assert statuses == [200, 200, 200, 400, 401, 400, 404, 405, 200, 400, 400, 400, 200]
        assert answers[8].json()["response"]["responses"]["points"]["item_status"]["code"] == 800
        server.stop()
        log = server.log().lower()
    assert log.count(" request=") == len(answers) + 2  # Sending the code, and the server's look at itself.
    for secret in (
        *("canar", "kanarienvogel", "9777785205", "example.org", "sawyer", "434547", "s3cret", digest().lower()),
        *(code.lower(), basic().split()[1].lower(), "mobile=", "points=", "?"),
    ):
        assert secret not in log, f"the log holds {secret}"


# --- Bytes on a socket ----------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_hundreds_of_broken_requests_over_the_wire_leave_the_server_up(ledger_server: LedgerServer) -> None:
    dice = random.Random(7)
    seen: Counter[str] = Counter()
    for odd in malformed_requests(seed=7, count=400):
        said = _sent(ledger_server.port, _on_the_wire(dice, odd))
        seen[said] += 1
        assert said in {"", *(str(each) for each in SAID), "431", "408"}, f"{said}: {odd!r}"
    assert {"200", "400", "401", "404", "405"} <= set(seen)
    for _ in range(3):
        answer = requests.get(f"{ledger_server.url}{CHECK}?{GOOD}", headers={"Authorization": basic()}, timeout=10)
        assert answer.json()["response"]["points"]["redeemable"]["item_status"]["code"] == 800
    assert "Traceback" not in ledger_server.log()
    assert " fault=" not in ledger_server.log()


def _on_the_wire(dice: random.Random, odd: Malformed) -> bytes:
    """The request as bytes: mostly whole, sometimes spoiled, cut, or with line ends where none belong."""
    target = odd.path + ("?" + odd.query if odd.query else "")
    head = [f"{odd.method} {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    head += [f"{name}: {value}" for name, value in odd.headers.items()]
    head.append(f"Content-Length: {len(odd.body) if odd.content_length is None else odd.content_length}")
    if dice.random() < 0.1:
        head.append(dice.choice(ODD_LINES))
    whole = "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + odd.body
    if dice.random() < 0.15:
        place = dice.randrange(len(whole))
        whole = whole[:place] + bytes(dice.randrange(256) for _ in range(3)) + whole[place:]
    if dice.random() < 0.1:
        whole = whole[: dice.randrange(1, len(whole))]
    return whole


def _sent(port: int, data: bytes) -> str:
    """Send bytes and return the status of the answer, "" when there is none.

    A server that waits for more is told that there is no more.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        answer = b""
        try:
            line.sendall(data)
            if not select.select([line], [], [], 0.25)[0]:
                line.shutdown(socket.SHUT_WR)
            while len(answer) < 12 and (piece := line.recv(4096)):
                answer += piece
        except OSError:  # The server may hang up on what it will not read to its end.
            pass
    return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else ""
