"""What may be said of senders: `--code-sender`, `otp.sender` of an import, and `sender.*` of the settings file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.a_ledger import a_book, encoded
from support.ledger_server import an_organisation

from pos_app.domain.points import Points
from pos_app.ledger.book import Book
from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.http.serving import serve_ledger
from pos_app.ledger.http.settings import FaceSettingsError, read_settings
from pos_app.ledger.loading.fields import FaultyLineError
from pos_app.ledger.loading.importer import ImportRefusedError, import_file
from pos_app.ledger.sending.settings import SenderSettings, Template
from pos_app.ledger.sending.text import MailBy, PostTo, SpoolTo, UnknownSenderError, read_sender

GOOD = {
    "spool:/var/spool/codes": SpoolTo(Path("/var/spool/codes")),
    "spool:codes": SpoolTo(Path("codes")),
    "smtp://mail.shop.example:587": MailBy("mail.shop.example", 587, False),
    "smtps://mail.shop.example:465/": MailBy("mail.shop.example", 465, True),
    "smtp://codes@mail.shop.example:587": MailBy("mail.shop.example", 587, False, "codes"),
    "smtp://codes@shop.example@mail.shop.example:587": MailBy("mail.shop.example", 587, False, "codes@shop.example"),
    "smtp://codes%40shop.example@127.0.0.1:25": MailBy("127.0.0.1", 25, False, "codes@shop.example"),
    "smtps://[2001:db8::1]:465": MailBy("2001:db8::1", 465, True),
    "webhook:https://shop.example/codes?v=1": PostTo("https://shop.example/codes?v=1"),
    "webhook:http://127.0.0.1:9000/codes": PostTo("http://127.0.0.1:9000/codes"),
    "webhook:http://[::1]:9000": PostTo("http://[::1]:9000"),
    "webhook:http://localhost/codes": PostTo("http://localhost/codes"),
}
BAD = {
    "pigeon:home": "expected spool:DIRECTORY, smtp://[user@]HOST:PORT",
    "spool:": "expected spool:DIRECTORY",
    "smtp:mail:25": "expected smtp://[user@]HOST:PORT",
    "smtp://mail.shop.example": "expected smtp://[user@]HOST:PORT",
    "smtp://:25": "expected smtp://[user@]HOST:PORT",
    "smtps://mail.shop.example:none": "expected smtp://[user@]HOST:PORT",
    "smtps://mail.shop.example:65536": "expected smtp://[user@]HOST:PORT",
    "smtp://mail.shop.example:25/box": "expected smtp://[user@]HOST:PORT",
    "smtp://mail.shop.example:25?x=1": "nothing behind the port",
    "smtp://codes:Zebra@mail.shop.example:25": "it is the file smtp.password of the secrets folder",
    "smtp://mail.shop .example:25": "without spaces",
    "webhook:": "expected webhook:https://HOST/PATH",
    "webhook:ftp://shop.example/x": "expected webhook:https://HOST/PATH",
    "webhook:shop.example/codes": "expected webhook:https://HOST/PATH",
    "webhook:http://shop.example/codes": "plain http goes to this machine only",
    "webhook:http://192.168.0.7/codes": "plain http goes to this machine only",
    "webhook:http://127.0.0.1.shop.example/codes": "plain http goes to this machine only",
    "webhook:http://localhost@shop.example/codes": "no login in the address",
    "webhook:https://shop:Zebra@shop.example/codes": "messages are signed with webhook.key",
    "webhook:https://shop.example/codes#here": "expected webhook:https://HOST/PATH",
    "webhook:https://shop.example/co des": "without spaces",
    "webhook:https://[shop/": "expected webhook:https://HOST/PATH",
}


@pytest.mark.parametrize(("text", "meant"), GOOD.items(), ids=GOOD)
def test_a_sender_is_read(text: str, meant: object) -> None:
    assert read_sender(text) == meant
    assert "codes@shop.example" not in repr(read_sender(text))


@pytest.mark.parametrize(("text", "sentence"), BAD.items(), ids=BAD)
def test_a_sender_that_cannot_be_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UnknownSenderError) as told:
        read_sender(text)
    assert sentence in str(told.value)
    assert "Zebra" not in str(told.value)


def test_an_import_takes_it(tmp_path: Path) -> None:
    lines = [an_organisation(id=number, otp={"sender": text}) for number, text in enumerate(GOOD, start=1)]
    with a_book(tmp_path, lines) as book, book.store.read() as connection:
        organisations = book.rules(connection).organisations
        assert [organisations[number].sender for number in sorted(organisations)] == list(GOOD)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """One for all lines that are refused: they leave nothing behind."""
    with a_book(tmp_path_factory.mktemp("refused")) as made:
        yield made


@pytest.mark.parametrize(("text", "sentence"), BAD.items(), ids=BAD)
def test_an_import_refuses_the_line_and_names_the_field(book: Book, text: str, sentence: str) -> None:
    with pytest.raises(ImportRefusedError) as told:
        import_file(book, encoded([an_organisation(otp={"sender": text})]), file_name="lines")
    fault = told.value.__cause__
    assert isinstance(fault, FaultyLineError)
    assert fault.field == "otp.sender"
    assert sentence.removeprefix("expected ") in fault.expected
    assert "Zebra" not in str(told.value)
    assert "lines, line 1, otp.sender: found " in str(told.value)


@pytest.mark.parametrize("text", ["pigeon:coop", "webhook:http://shop.example/codes", "smtp://a:Zebra@b:25"])
def test_a_ledger_with_such_a_sender_does_not_start(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = LedgerPlace(f"sqlite:///{tmp_path / 'ledger.db'}", None, tmp_path)
    assert serve_ledger(place, port=0, code_sender=text) == 2
    told = capsys.readouterr().err
    assert told.startswith("--code-sender: found ")
    assert told.endswith(".\n")
    assert "Zebra" not in told


# --- The settings file ---------------------------------------------------------------------------------------------


def settings(folder: Path, named: dict[str, Any]) -> SenderSettings:
    """Read `sender.*` as an administrator would write them."""
    file = folder / "ledger.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in named.items()), encoding="utf-8")
    return read_settings(file).sender


def test_without_settings_there_are_defaults(tmp_path: Path) -> None:
    plain = settings(tmp_path, {})
    assert plain == SenderSettings()
    assert (plain.timeout_s, plain.sender, plain.smtp_ca_file) == (5.0, "", None)
    filled = plain.text.filled(store="014", points=Points.of("12.5"), code="Q7XK2M", minutes=9, organisation="Kalpana")
    assert filled == "Q7XK2M is your code to pay with 12.5 points at Kalpana, store 014. Valid for 9 min."


def test_all_of_them_are_read(tmp_path: Path) -> None:
    named = {
        "sender.from": "codes@shop.example",
        "sender.subject": "{organisation}",
        "sender.text": "{code} {store} {points} {minutes} {organisation} {{sic}}",
        "sender.timeout_s": 2,
    }
    read = settings(tmp_path, named)
    assert (read.sender, read.timeout_s, read.subject) == ("codes@shop.example", 2.0, Template("{organisation}"))
    filled = read.text.filled(store="s", points=None, code="c", minutes=1, organisation="{code}")
    assert filled == "c s your 1 {code} {sic}"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sender.text", "Your points at {organisation}", "lacks {code}"),
        ("sender.text", "{code} {name}", "found {name}, expected only {store}, {points}, {code}, {minutes}"),
        ("sender.text", "{code} {}", "found {}, expected only"),
        ("sender.text", "{code} {store.__class__}", "found {store.__class__}, expected only"),
        ("sender.text", "{code} {store[0]}", "found {store[0]}, expected only"),
        ("sender.text", "{code!r}", "expected only"),
        ("sender.text", "{code:>99999999}", "expected only"),
        ("sender.text", "{code", "a brace without its partner"),
        ("sender.text", "code}", "a brace without its partner"),
        ("sender.text", "", "must be a text"),
        ("sender.text", 7, "must be a text"),
        ("sender.subject", "Code\r\nBcc: x@y.example", "one line"),
        ("sender.subject", "{who}", "expected only"),
        ("sender.subject", "", "must be a text"),
        ("sender.from", "codes", "an e-mail address"),
        ("sender.from", "codes@", "an e-mail address"),
        ("sender.from", "Codes <codes@shop.example>", "an e-mail address"),
        ("sender.from", "a@shop.example, b@shop.example", "an e-mail address"),
        ("sender.from", "a@shop.example\nBcc: b@shop.example", "an e-mail address"),
        ("sender.from", 1, "an e-mail address"),
        ("sender.timeout_s", 0, "a number of seconds"),
        ("sender.timeout_s", -1, "a number of seconds"),
        ("sender.timeout_s", 61, "a number of seconds"),
        ("sender.timeout_s", True, "a number of seconds"),
        ("sender.timeout_s", "5", "a number of seconds"),
        ("sender.smtp.ca_file", "no-such-file.pem", "no certificates that can be read"),
        ("sender.webhook.ca_file", "no-such-file.pem", "no certificates that can be read"),
        ("sender.colour", "red", "no setting sender.colour"),
    ],
)
def test_one_that_cannot_be_is_told_at_the_start(tmp_path: Path, name: str, value: object, sentence: str) -> None:
    with pytest.raises(FaceSettingsError) as told:
        settings(tmp_path, {name: value})
    assert sentence in str(told.value)
    assert str(told.value).startswith("--config: ")
    assert str(told.value).endswith(".")


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_time_must_end(tmp_path: Path, number: str) -> None:
    file = tmp_path / "ledger.toml"
    file.write_text(f"sender.timeout_s = {number}\n")
    with pytest.raises(FaceSettingsError, match="a number of seconds"):
        read_settings(file)


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    file = tmp_path / "empty.pem"
    file.write_text("nothing\n")
    with pytest.raises(FaceSettingsError, match="no certificates that can be read"):
        settings(tmp_path, {"sender.smtp.ca_file": str(file)})
