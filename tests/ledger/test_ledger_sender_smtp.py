"""Codes by e-mail, through a real mail server: encrypted, to the one customer, and nothing of it in a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.a_ledger import BookKit, a_book, asking, by_id
from support.certificates import a_certificate
from support.ledger_server import CUSTOMER, EMAIL, MOBILE, a_customer, a_program, a_till, an_organisation
from support.mail_server import MailServer

from pos_app.domain.answers import CheckAnswer
from pos_app.domain.commands import SendCode
from pos_app.ledger.sending.settings import SenderSettings, Template

PASSWORD = "pass w0rd of the mail server"


@contextmanager
def a_shop(folder: Path, sender: str, settings: SenderSettings | None = None, **person: Any) -> Iterator[BookKit]:
    """A ledger whose codes go by this sender."""
    lines = [an_organisation(otp={"sender": sender}), a_program(), a_till(), a_customer(**person)]
    with a_book(folder, lines, sender_settings=settings) as book:
        yield BookKit(book)


def asked(kit: BookKit) -> CheckAnswer:
    """A check that wants a code sent."""
    return kit.ledger.check(asking(CUSTOMER, 120, issue_otp=True))


def reason(kit: BookKit) -> tuple[int, str | None]:
    answer = asked(kit)
    assert answer.extension is not None
    return answer.code, answer.extension.reason


def code_in(server: MailServer) -> str:
    return str(server.mails[-1].get_content()).split()[0]


def test_a_code_arrives_in_her_mailbox_and_redeems(tmp_path: Path) -> None:
    with MailServer() as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}") as kit:
        answer = asked(kit)
        assert answer.code == 800
        assert answer.extension is not None
        assert answer.extension.otp is not None
        assert answer.extension.otp.channel == "EMAIL"
        (mail,) = server.mails
        assert (mail["To"], server.receivers) == (EMAIL, [EMAIL])
        assert (mail["From"], mail["Subject"]) == ("no-reply@localhost", "Your code for Kalpana Stores")
        assert "120 points at Kalpana Stores, store 014. Valid for 10 min." in mail.get_content()
        assert kit.ledger.check(asking(CUSTOMER, 120, validation_code=code_in(server))).code == 800


def test_validationcode_says_that_it_went_by_e_mail(tmp_path: Path) -> None:
    with MailServer() as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}") as kit:
        answer = kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER)))
        assert (answer.code, answer.message) == (200, "Validation Code Issued by Email")
        assert "to pay with your points" in server.mails[0].get_content()


def test_a_customer_without_an_address_gets_none_and_no_sending_is_counted(tmp_path: Path) -> None:
    with MailServer() as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}", email=None) as kit:
        assert [reason(kit) for _ in range(12)] == [(876, "sender_failed")] * 12
        assert kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER))).code == 860
        assert server.connections == 0


def test_starttls_is_used_where_it_is_offered_and_the_login_travels_inside(tmp_path: Path) -> None:
    ca_file, context = a_certificate(tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "smtp.password").write_text(f"{PASSWORD}\n")
    settings = SenderSettings(smtp_ca_file=ca_file)
    with MailServer(starttls=context, login=("codes@shop.example", PASSWORD)) as server:
        sender = f"smtp://codes@shop.example@127.0.0.1:{server.port}"
        with a_shop(tmp_path, sender, settings) as kit:
            assert asked(kit).code == 800
            assert server.was_encrypted == [True]
            assert server.mails[0]["From"] == "codes@shop.example"


def test_smtps_is_encrypted_from_the_first_byte(tmp_path: Path) -> None:
    ca_file, context = a_certificate(tmp_path)
    with (
        MailServer(tls=context) as server,
        a_shop(tmp_path, f"smtps://127.0.0.1:{server.port}", SenderSettings(smtp_ca_file=ca_file)) as kit,
    ):
        assert asked(kit).code == 800
        assert (len(server.mails), server.was_encrypted) == (1, [True])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_nobody_vouches_for_gets_no_mail(tmp_path: Path, scheme: str) -> None:
    _, context = a_certificate(tmp_path)
    kind = {"smtp": "starttls", "smtps": "tls"}[scheme]
    with (
        MailServer(**{kind: context}) as server,
        a_shop(tmp_path, f"{scheme}://127.0.0.1:{server.port}") as kit,
    ):
        assert reason(kit) == (876, "sender_failed")
        assert server.mails == []


def test_a_certificate_of_another_host_gets_no_mail(tmp_path: Path) -> None:
    ca_file, context = a_certificate(tmp_path, name="mail.example.org")
    with (
        MailServer(starttls=context) as server,
        a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}", SenderSettings(smtp_ca_file=ca_file)) as kit,
    ):
        assert reason(kit) == (876, "sender_failed")
        assert server.mails == []


def test_a_server_that_may_be_elsewhere_must_encrypt(tmp_path: Path) -> None:
    # 127.1 is this machine in disguise: a name that merely leads here is treated as any other machine.
    with MailServer() as server, a_shop(tmp_path, f"smtp://127.1:{server.port}") as kit:
        assert reason(kit) == (876, "sender_failed")
        assert (server.connections, server.mails) == (1, [])


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_refused_or_missing_password_is_876(tmp_path: Path, password: str | None) -> None:
    ca_file, context = a_certificate(tmp_path)
    (tmp_path / "secrets").mkdir()
    if password is not None:
        (tmp_path / "secrets" / "smtp.password").write_text(password)
    with (
        MailServer(starttls=context, login=("codes", PASSWORD)) as server,
        a_shop(tmp_path, f"smtp://codes@127.0.0.1:{server.port}", SenderSettings(smtp_ca_file=ca_file)) as kit,
    ):
        assert reason(kit) == (876, "sender_failed")
        (tmp_path / "secrets" / "smtp.password").write_text(PASSWORD)
        assert asked(kit).code == 800, "a password that was mended is used without a restart"
        assert len(server.mails) == 1


def test_a_refused_receiver_is_876_and_860(tmp_path: Path) -> None:
    with MailServer(refused=EMAIL) as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}") as kit:
        assert reason(kit) == (876, "sender_failed")
        assert kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER))).code == 860
        assert server.mails == []


def test_a_server_that_is_not_there_is_876(tmp_path: Path) -> None:
    with MailServer() as server:
        port = server.port
    with a_shop(tmp_path, f"smtp://127.0.0.1:{port}") as kit:
        assert reason(kit) == (876, "sender_failed")


@pytest.mark.parametrize(
    "name", ["Kalpana\tStores", "Kälpana Størës", "A, B <c@example.org>", "x" * 180, "=?utf-8?q?Bcc?="]
)
def test_whatever_a_shop_is_called_no_header_is_added(tmp_path: Path, name: str) -> None:
    lines = [an_organisation(name=name.replace("\t", " ")), a_program(), a_till(), a_customer()]
    with (
        MailServer() as server,
        a_book(tmp_path, lines, sender=f"smtp://127.0.0.1:{server.port}") as book,
    ):
        assert asked(BookKit(book)).code == 800
        (mail,) = server.mails
        assert set(mail.keys()) == {
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
            *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
        }
        assert server.receivers == [EMAIL]


@pytest.mark.parametrize(
    "address",
    ["tom@example.org, ann@example.org", "tom@example.org\r\nBcc: ann@example.org", "Tom <tom@example.org>", "tom@"],
)
def test_an_address_that_is_more_than_one_address_gets_no_mail(tmp_path: Path, address: str) -> None:
    with MailServer() as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}") as kit:
        with kit.book.store.write() as connection:
            connection.exec_driver_sql("UPDATE customer SET email = ?", (address,))
        assert reason(kit) == (876, "sender_failed")
        assert server.mails == []


def test_the_settings_say_who_sends_and_what(tmp_path: Path) -> None:
    settings = SenderSettings(
        sender="points@kalpana.example",
        subject=Template("{organisation}: {points}"),
        text=Template("{{{code}}} {minutes} {store}"),
    )
    with MailServer() as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}", settings) as kit:
        assert asked(kit).code == 800
        (mail,) = server.mails
        assert (mail["From"], mail["Subject"]) == ("points@kalpana.example", "Kalpana Stores: 120")
        words = mail.get_content().split()
        assert (words[0][0], words[0][-1], words[1:]) == ("{", "}", ["10", "014"])


def test_neither_the_code_nor_the_address_is_in_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with MailServer(refused=EMAIL) as server, a_shop(tmp_path, f"smtp://127.0.0.1:{server.port}") as kit:
        assert reason(kit) == (876, "sender_failed")
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("pos_app"))
    assert "sender=smtp fault=SMTPRecipientsRefused" in ours
    assert not [each for each in (EMAIL, MOBILE, "is your code") if each in ours]
