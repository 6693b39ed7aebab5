"""Logs: nothing personal gets through, nothing forges a line, and 14 days are kept."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.files import full_disk

from pos_app.domain.trouble import StorageError
from pos_app.files import logs
from pos_app.files.log_lines import Fields, LogFormat
from pos_app.files.logs import RedactingFilter, redact, set_up_logging

log = logging.getLogger("pos_app.test")


@pytest.fixture(autouse=True)
def leave_logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in ("urllib3", "requests", "keyring", "sqlalchemy")}
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("customer 9777785205 asked", "9777785205"),
        ("customer +91 97777 85205 asked", "85205"),
        ("mobile=919777785205", "919777785205"),
        ("mobile919777785205x", "9777785205"),
        ("(0471) 234-5678", "234"),
        ("{'mobile': '9777785205'}", "9777785205"),
        ("Ada <ada@example.org> asked", "ada@example.org"),
        ("mail:Ada.F+shop@mail.example.org", "example.org"),
        ("Authorization: Basic dGlsbDpwYXNz", "dGlsbDpwYXNz"),
        ("{'Authorization': 'Basic dGlsbDpwYXNz'}", "dGlsbDpwYXNz"),
        ("authorization=Bearer abc.def", "abc.def"),
        ("sent Basic dGlsbDpwYXNz along", "dGlsbDpwYXNz"),
        ("password: hunter2", "hunter2"),
        ("'password_digest': 'abcdef'", "abcdef"),
        ("GET /v1.1/points/isredeemable?mobile=12&points=5", "mobile"),
        ("GET https://till:pass@ledger.example/v1.1/points", "ledger.example"),
        ("the code NS3U05 was wrong", "NS3U05"),
        ("code=ns3u05", "ns3u05"),
        ("'validation_code': 'Q7XKMW'", "Q7XKMW"),
        ("code is QWERTZ.", "QWERTZ"),
        ("otp: 123456", "123456"),
        ("code 84731", "84731"),
        ("the key 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "0f0f"),
    ],
)
def test_what_is_personal_or_secret_is_taken_out(text: str, gone: str) -> None:
    assert gone in text
    assert gone not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "redemption 01J9ZQ4M7T8V2W3X5Y6A7B8C9D is UNKNOWN after 3 tries",
        "the service answered code 808 with HTTP 200",
        "line down since 2026-11-22 10:00, 12.5 s",
        "program 973, customer 50001",
    ],
)
def test_what_support_needs_stays(text: str) -> None:
    assert redact(text) == text


TAKEN = (
    *("Authorization: x", "basic abcdefg", "Bearer abcdefg", "password=x", "passwd=x", "SECRET=x", "token=x", "pin=x"),
    *(
        "digest=x",
        "database_key=x",
        "http://x",
        "?a=b",
        "x@y",
        "code=ABCDEF",
        "otp 123456",
        "1234567",
        "(1) 2-3/4.5 6 7",
    ),
    *("0f" * 16, "one\ntwo", "\u017fecret=x", "\u0661" * 7),
)
PIECES = st.sampled_from([*TAKEN, "code", "otp", "123456", "2026-11-22", *"aZ_ .-/()+:=?@&9"])


def thoroughly_redacted(text: str) -> str:
    for pattern, instead in logs._PATTERNS:
        text = pattern.sub(instead, text)
    return text.translate(logs._CONTROLS)


@pytest.mark.parametrize("text", TAKEN)
def test_each_kind_of_thing_is_taken_out_by_itself(text: str) -> None:
    assert redact(text) == thoroughly_redacted(text) != text


@given(st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text("0123456789abcdef ().-/+", max_size=60)))
def test_the_quick_look_lets_nothing_through_that_the_patterns_would_take(text: str) -> None:
    assert redact(text) == thoroughly_redacted(text)


def test_a_line_cannot_be_forged() -> None:
    assert redact("one\r\ntwo\x1b[31m\u2028three") == "one\\r\\ntwo\\x1b[31m\\x2028three"


def written(folder: Path) -> list[str]:
    for handler in logging.getLogger().handlers:
        handler.flush()
    return (folder / "pos-app.log").read_text(encoding="utf-8").splitlines()


def test_every_record_is_redacted_with_its_arguments_and_its_exception(tmp_path: Path) -> None:
    set_up_logging(tmp_path / "logs", logging.INFO)
    log.info("asked for %s", "9777785205")
    try:
        int("nobody has 9777785206\nforged line")
    except ValueError:
        log.exception("failed for %(mobile)s", {"mobile": "9777785207"})
    lines = written(tmp_path / "logs")
    assert len(lines) == 2
    assert "asked for <number>" in lines[0]
    assert "ValueError: " in lines[1]
    assert "nobody has <number>" in lines[1]
    assert "97777852" not in "".join(lines)
    assert (tmp_path / "logs" / "pos-app.log").stat().st_mode & 0o777 == 0o600


def test_arguments_that_do_not_fit_are_not_told() -> None:
    record = logging.LogRecord("pos_app.test", logging.INFO, __file__, 1, "asked for %d", ("9777785208",), None)
    assert RedactingFilter().filter(record)
    assert record.getMessage() == "asked for %d (with arguments that do not fit)"


def test_libraries_that_tell_addresses_are_quiet_below_warnings(tmp_path: Path) -> None:
    set_up_logging(tmp_path, logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug('"GET /v1.1/points HTTP/1.1" 200')
    logging.getLogger("urllib3.connectionpool").warning("a warning")
    log.debug("our own")
    assert [line.rsplit(": ", 1)[1] for line in written(tmp_path)] == ["a warning", "our own"]


def test_setting_up_again_replaces_the_former_log(tmp_path: Path) -> None:
    before = len(logging.getLogger().handlers)
    set_up_logging(tmp_path / "one", logging.INFO)
    set_up_logging(tmp_path / "two", logging.INFO)
    log.info("here")
    assert len(logging.getLogger().handlers) == before + 1
    assert len(written(tmp_path / "two")) == 1
    assert (tmp_path / "one" / "pos-app.log").read_text() == ""


def test_without_a_folder_logs_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(None, logging.WARNING)
    log.info("quiet")
    log.warning("asked for 9777785205")
    told = capsys.readouterr().err
    assert "asked for <number>" in told
    assert "quiet" not in told


def test_old_logs_go_after_fourteen_days_and_new_ones_are_private(tmp_path: Path) -> None:
    set_up_logging(tmp_path, logging.INFO)
    handler = next(each for each in logging.getLogger().handlers if hasattr(each, "doRollover"))
    for day in range(1, 31):
        (tmp_path / f"pos-app.log.2026-10-{day:02}").touch()
    log.info("yesterday")
    handler.doRollover()
    log.info("today")
    assert [line.rsplit(": ", 1)[1] for line in written(tmp_path)] == ["today"]
    assert len(list(tmp_path.glob("pos-app.log.*"))) == 14
    assert (tmp_path / "pos-app.log").stat().st_mode & 0o777 == 0o600


def test_a_log_on_a_full_disk_stops_nothing_and_tells_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(tmp_path, logging.INFO)
    log.info("before")
    with full_disk(4_000):
        for _ in range(1_000):
            log.info("asked for %s", "9777785205")
    assert capsys.readouterr().err == ""
    assert written(tmp_path)[0].endswith("before")
    assert (tmp_path / "pos-app.log").stat().st_size < 20_000


def test_a_folder_that_takes_no_log_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="logs"):
        set_up_logging(tmp_path / "file", logging.INFO)


# --- Lines for machines ----------------------------------------------------------------------------------------------


class Weather(Fields):
    """Named values, one of which should not have been logged."""

    @property
    def values(self) -> dict[str, str | float]:
        return {"place": "call +91 97777 85205", "degrees": 21.5}


def test_lines_for_machines_are_json_and_as_clean_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(None, logging.INFO, LogFormat.JSON)
    log = logging.getLogger("test")
    log.info("the code is Q7XK2M\nreally")
    log.info(Weather())
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["message"] == "the code is <code>\\nreally"
    assert (second["place"], second["degrees"]) == ("call <number>", 21.5)
    assert "message" not in second
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", second["time"])


def test_named_values_are_pairs_in_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(None, logging.INFO)
    logging.getLogger("test").info(Weather())
    assert capsys.readouterr().err.endswith("INFO test: place=call <number> degrees=21.5\n")


def test_a_failure_is_one_line_of_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(None, logging.INFO, LogFormat.JSON)
    try:
        int("tom.sawyer@example.org")
    except ValueError:
        logging.getLogger("test").exception("it failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"].startswith("it failed\\nTraceback")
    assert "sawyer" not in line
