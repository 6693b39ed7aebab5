"""Codes by a call of the shop's own service: signed, to nobody else, and not for ever."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from support.a_ledger import BookKit, a_book, asking, by_id, redeeming
from support.certificates import a_certificate
from support.ledger_server import (
    CUSTOMER,
    EMAIL,
    MOBILE,
    a_customer,
    a_program,
    a_small_ledger,
    a_till,
    an_organisation,
    basic,
    running_ledger,
)
from support.receiver import Receiver, Seen
from support.wsgi import wsgi_call

from pos_app.domain.commands import SendCode
from pos_app.ledger.http.app import make_app
from pos_app.ledger.sending.maker import AT_WORK_MAX, BoundedSender
from pos_app.ledger.sending.senders import SMS_FIRST, CodeMessage, SenderFailedError
from pos_app.ledger.sending.settings import SenderSettings
from pos_app.ledger.sending.webhook import TRIES_MAX

OTHER = 50002


@contextmanager
def a_shop(folder: Path, url: str, settings: SenderSettings | None = None) -> Iterator[BookKit]:
    """A ledger whose codes go to this address."""
    lines = [an_organisation(otp={"sender": f"webhook:{url}"}), a_program(), a_till(), a_customer()]
    with a_book(folder, lines, sender_settings=settings) as book:
        yield BookKit(book)


def reason(kit: BookKit) -> tuple[int, str | None]:
    answer = kit.ledger.check(asking(CUSTOMER, 120, issue_otp=True))
    assert answer.extension is not None
    return answer.code, answer.extension.reason


def is_signed(seen: Seen, key: bytes) -> bool:
    """What a receiver does, by the import format alone."""
    signed = seen.headers["x-timestamp"].encode("ascii") + b"." + seen.body
    return seen.headers["x-signature"] == "sha256=" + hmac.new(key, signed, hashlib.sha256).hexdigest()


def test_a_code_is_posted_as_the_spool_would_hold_it_and_signed(tmp_path: Path) -> None:
    with Receiver() as receiver, a_shop(tmp_path, receiver.url) as kit:
        assert reason(kit) == (800, None)
        (seen,) = receiver.seen
        message = json.loads(seen.body)
        assert {name: message[name] for name in ("organisation", "customer_id", "channel", "to", "points")} == {
            "organisation": 1,
            "customer_id": CUSTOMER,
            "channel": "SMS",
            "to": MOBILE,
            "points": "120",
        }
        assert message["code"] in message["text"]
        assert (message["issued_at"], message["expires_at"]) == ("2026-11-22T10:00:00.000Z", "2026-11-22T10:10:00.000Z")
        assert len(message) == 9
        assert (seen.path, seen.headers["content-type"]) == ("/codes", "application/json")
        assert datetime.fromisoformat(seen.headers["x-timestamp"]) == datetime.fromisoformat(message["issued_at"])
        assert is_signed(seen, (tmp_path / "secrets" / "webhook.key").read_bytes())
        assert not is_signed(seen, b"another key")
        assert kit.ledger.check(asking(CUSTOMER, 120, validation_code=message["code"])).code == 800


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "webhook.key"
    with a_book(tmp_path):
        first = file.read_bytes()
    with a_book(tmp_path) as book:
        assert file.read_bytes() == first == book.secrets.webhook_key
        assert first.decode() not in repr(book.secrets)
    assert (stat.S_IMODE(file.stat().st_mode), len(first)) == (0o600, 64)


def test_a_customer_without_a_mobile_number_is_named_by_her_address(tmp_path: Path) -> None:
    with Receiver() as receiver:
        lines = [an_organisation(), a_program(), a_till(), a_customer(mobile=None)]
        with a_book(tmp_path, lines, sender=f"webhook:{receiver.url}") as book:
            answer = BookKit(book).ledger.send_code(SendCode(customer=by_id(CUSTOMER)))
        message = json.loads(receiver.seen[0].body)
    assert (message["channel"], message["to"], message["points"]) == ("EMAIL", EMAIL, None)
    assert answer.message == "Validation Code Issued by Email"


@pytest.mark.parametrize("answers", [[503], [503, 500], [429], [0], [0, 503]])
def test_what_may_pass_is_tried_again_as_the_same_message(tmp_path: Path, answers: list[int]) -> None:
    with Receiver() as receiver, a_shop(tmp_path, receiver.url) as kit:
        receiver.answers += answers
        assert reason(kit) == (800, None)
        assert len(receiver.seen) == len(answers) + 1
        assert len({(each.body, each.headers["x-message-id"]) for each in receiver.seen}) == 1
        key = (tmp_path / "secrets" / "webhook.key").read_bytes()
        assert all(is_signed(each, key) for each in receiver.seen)
        reason(kit)
        assert len({each.headers["x-message-id"] for each in receiver.seen}) == 2, "sent again is another message"


def test_tries_have_an_end(tmp_path: Path) -> None:
    with Receiver() as receiver, a_shop(tmp_path, receiver.url) as kit:
        receiver.answers += [500] * 10
        assert reason(kit) == (876, "sender_failed")
        assert len(receiver.seen) == TRIES_MAX == 3
        receiver.answers[:] = [0] * 10
        assert kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER))).code == 860


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_no_is_a_no(tmp_path: Path, status: int) -> None:
    with Receiver() as receiver, a_shop(tmp_path, receiver.url) as kit:
        receiver.answers += [status]
        assert reason(kit) == (876, "sender_failed")
        assert len(receiver.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(tmp_path: Path, status: int) -> None:
    with Receiver() as elsewhere, Receiver() as receiver, a_shop(tmp_path, receiver.url) as kit:
        receiver.answers += [status]
        receiver.location = elsewhere.url
        assert reason(kit) == (876, "sender_failed")
        assert (len(receiver.seen), elsewhere.seen) == (1, [])


def test_no_proxy_of_the_environment_hears_a_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver, a_shop(tmp_path, receiver.url) as kit:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert reason(kit) == (800, None)
        assert (len(receiver.seen), proxy.seen) == (1, [])


def test_a_receiver_with_tls_must_be_vouched_for(tmp_path: Path) -> None:
    ca_file, context = a_certificate(tmp_path)
    with Receiver(context) as receiver:
        (tmp_path / "trusting").mkdir()
        with a_shop(tmp_path / "trusting", receiver.url, SenderSettings(webhook_ca_file=ca_file)) as kit:
            assert reason(kit) == (800, None)
        with a_shop(tmp_path, receiver.url) as kit:
            assert reason(kit) == (876, "sender_failed")
        assert len(receiver.seen) == 1


@pytest.mark.parametrize("drips", [False, True], ids=["hangs", "drips"])
def test_a_receiver_that_does_not_answer_is_876_when_the_time_is_over(tmp_path: Path, drips: bool) -> None:
    settings = SenderSettings(timeout_s=0.3)
    with Receiver(holds=True, drips=drips) as receiver, a_shop(tmp_path, receiver.url, settings) as kit:
        assert reason(kit) == (876, "sender_failed")
        assert kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER))).code == 860
        assert len(receiver.seen) == 2


def test_while_receivers_hang_every_other_call_is_answered(tmp_path: Path) -> None:
    people = [
        a_customer(id=60000 + each, mobile=f"9190000{60000 + each}", email=None, external_id=None)
        for each in range(AT_WORK_MAX)
    ]
    settings = SenderSettings(timeout_s=60.0)
    with (
        Receiver(holds=True) as receiver,
        a_book(
            tmp_path, [*a_small_ledger(), *people], sender=f"webhook:{receiver.url}", sender_settings=settings
        ) as book,
        ThreadPoolExecutor(AT_WORK_MAX) as pool,
    ):
        app = make_app(book)

        def ask(path: str, query: str) -> int:
            reply = wsgi_call(app, "GET", path, query, headers={"Authorization": basic()})
            points = reply.json["response"].get("points") or reply.json["response"]["validation_code"]
            (item,) = points.values()
            return int(item["item_status"]["code"])

        sent = [
            pool.submit(ask, "/v1.1/points/isredeemable", f"id={60000 + each}&points=10&issue_otp=true&format=json")
            for each in range(AT_WORK_MAX)
        ]
        for _ in range(AT_WORK_MAX):
            assert receiver.came.acquire(timeout=30)
        # Every message on its way hangs now. Checks, redemptions and the calls of others go on as if nothing were.
        for _ in range(40):
            assert ask("/v1.1/points/isredeemable", f"id={CUSTOMER}&points=10&format=json") == 800
        assert BookKit(book).ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 800
        assert not any(each.done() for each in sent)
        receiver.let_go.set()
        assert [each.result(30) for each in sent] == [800] * AT_WORK_MAX


class HangingSender:
    """Works until it is let go."""

    channels = SMS_FIRST

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.let_go = threading.Event()

    def send(self, message: CodeMessage) -> str:
        self.came.release()
        self.let_go.wait(30)
        return message.channel


def a_message() -> CodeMessage:
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    return CodeMessage(
        organisation=1,
        customer_id=1,
        channel="SMS",
        to="1",
        code="1",
        points=None,
        text="",
        issued_at=now,
        expires_at=now,
    )


def test_whoever_would_wait_as_one_too_many_is_told_at_once() -> None:
    inner = HangingSender()
    sender = BoundedSender(inner, timeout_s=60.0, waiting=threading.BoundedSemaphore(1))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sender.send, a_message())
        assert inner.came.acquire(timeout=30)
        with pytest.raises(SenderFailedError):
            sender.send(a_message())
        inner.let_go.set()
        assert first.result(30) == "SMS"
        assert sender.send(a_message()) == "SMS"


def test_a_sender_that_hangs_is_not_given_message_after_message() -> None:
    inner = HangingSender()
    sender = BoundedSender(inner, timeout_s=0.02, waiting=threading.BoundedSemaphore(1))
    for _ in range(AT_WORK_MAX + 5):
        with pytest.raises(SenderFailedError):
            sender.send(a_message())
    assert sum(inner.came.acquire(blocking=False) for _ in range(99)) == AT_WORK_MAX
    inner.let_go.set()
    while not inner.came.acquire(blocking=False):
        with suppress(SenderFailedError):
            sender.send(a_message())


def test_a_fault_of_a_sender_of_ours_is_told_and_is_no_fault_of_the_call(caplog: pytest.LogCaptureFixture) -> None:
    class FaultySender(HangingSender):
        def send(self, message: CodeMessage) -> str:
            raise KeyError(message.to)

    sender = BoundedSender(FaultySender(), timeout_s=5.0, waiting=threading.BoundedSemaphore(1))
    with pytest.raises(SenderFailedError):
        sender.send(a_message())
    assert [each.getMessage() for each in caplog.records] == ["sender=FaultySender fault=KeyError"]


def test_neither_the_code_nor_the_address_is_in_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Receiver() as receiver, a_shop(tmp_path, f"{receiver.url}?secret=Zebra") as kit:
        receiver.answers += [500, 400]
        assert reason(kit) == (876, "sender_failed")
        code = json.loads(receiver.seen[0].body)["code"]
    told = "\n".join(f"{each.name} {each.getMessage()}" for each in caplog.records)
    assert "sender=webhook status=500" in told
    assert not [each for each in (code, MOBILE, "Zebra", "/codes") if each in told]


def test_a_served_ledger_sends_by_webhook_and_logs_nothing_of_it(tmp_path: Path) -> None:
    with Receiver() as receiver:
        options = {"code_sender": f"webhook:{receiver.url}"}
        settings = "[sender]\ntext = 'Code {code}, {points} points'\n"
        with running_ledger(tmp_path / "ledger", options=options, settings=settings) as server:
            reply = requests.get(
                f"{server.url}/v1.1/points/validationcode",
                params={"mobile": MOBILE, "points": "120", "format": "json"},
                headers={"Authorization": basic()},
                timeout=30,
            )
            log = server.log()
        (seen,) = receiver.seen
    message = json.loads(seen.body)
    assert (
        reply.json()["response"]["validation_code"]["code"]["item_status"]["message"] == "Validation Code Issued by SMS"
    )
    assert message["text"] == f"Code {message['code']}, 120 points"
    assert is_signed(seen, (server.place.secrets / "webhook.key").read_bytes())
    assert not [each for each in (message["code"], MOBILE, str(receiver.port)) if each in log]
