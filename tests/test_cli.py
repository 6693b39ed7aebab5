"""The command line as stores, operators and other programs use it: exit codes, and sentences a person can act on."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ledger_server import (
    LOGIN,
    MOBILE,
    ORGANISATION,
    PASSWORD,
    LedgerServer,
    a_customer,
    a_program,
    a_small_ledger,
    a_till,
    an_organisation,
    running_ledger,
)
from support.shop import Ran, Shop, a_shop, pos_app

from pos_app.cli import CONTRACT_OPTIONS
from pos_app.cli import pos_app as command_line

COMMANDS = (
    "",
    "check",
    "demo",
    "doctor",
    "enrol",
    "ledger",
    "ledger import",
    "ledger serve",
    "ledger verify",
    "ledger export",
    "ledger backup",
    "ledger restore",
    "ledger adjust",
    "ledger till add",
    "ledger till list",
    "ledger till disable",
    "ledger till enable",
    "ledger till lost",
    "ledger till found",
    "ledger till rotate",
    "ledger till enrolment-code",
    "ledger operator add",
    "ledger operator list",
    "ledger operator disable",
    "ledger operator enable",
    "ledger operator pin",
    "till",
    "ledger lease list",
    "ledger lease revoke",
    "ledger lease write-off",
    "ledger pass",
    "ledger customer show",
    "ledger customer unlock",
)


# --- Help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    ran = pos_app(*command.split(), "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: pos-app")
    assert len(ran.out.splitlines()) > 4
    assert ran.err == ""


def test_no_command_is_without_a_test_of_its_help() -> None:
    def walk(group: Any, before: str = "") -> Iterable[str]:
        for name, command in group.commands.items():
            path = f"{before} {name}".strip()
            if not hasattr(command, "commands"):
                yield path
            else:
                yield from walk(command, path)

    assert set(walk(command_line)) <= set(COMMANDS)


def test_every_parameter_of_the_contract_is_an_option_with_a_sentence() -> None:
    out = pos_app("check", "--help").out
    for name in CONTRACT_OPTIONS:
        assert f"--{name.replace('_', '-').lower()} " in out, name


def test_the_version_is_told() -> None:
    ran = pos_app("--version")
    assert ran.code == 0
    assert ran.out.startswith("Points Desk, version ")


# --- pos-app check ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerServer]:
    """A ledger that the tests below only ask."""
    with running_ledger(tmp_path_factory.mktemp("ledger")) as server:
        yield server


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return file


def ask(ledger: LedgerServer, password_file: Path, *more: object) -> Ran:
    """A check from a machine that is no till."""
    at_ledger = ("--ledger", ledger.url, "--login", LOGIN, "--password-file", password_file)
    return pos_app("check", *at_ledger, *more)


def test_a_yes_ends_with_0_and_says_what_stays(ledger: LedgerServer, password_file: Path) -> None:
    ran = ask(ledger, password_file, "--mobile", MOBILE, "--points", "120")
    assert ran.code == 0
    assert "120 points can be used" in ran.out
    assert "380 points stay" in ran.out
    assert "Code 800" in ran.out
    assert ran.err == ""


def test_a_no_ends_with_1_and_names_the_nearest_amounts(ledger: LedgerServer, password_file: Path) -> None:
    ran = ask(ledger, password_file, "--mobile", MOBILE, "--points", "125")
    assert ran.code == 1
    assert "Use 120 or 130 points." in ran.out
    told = ask(ledger, password_file, "--mobile", MOBILE, "--points", "125", "--json")
    assert told.code == 1
    assert (told.json["is_redeemable"], told.json["code"], told.json["nearest"]) == (False, 807, ["120", "130"])


def test_json_is_one_object_with_points_as_text(ledger: LedgerServer, password_file: Path) -> None:
    ran = ask(ledger, password_file, "--mobile", MOBILE, "--points", "120", "--json")
    assert len(ran.out.splitlines()) == 1
    told = ran.json
    wanted = {"is_redeemable": True, "source": "ledger", "code": 800, "points": "120", "points_after": "380"}
    assert {name: told[name] for name in wanted} == wanted
    assert told["refusals"] == []
    assert told["code_sent"] is False


@pytest.mark.parametrize(
    ("parameters", "option"),
    [
        ((), "--mobile"),
        (("--points", "1"), "--card-external-id"),
        (("--mobile", "1", "--email", "a@example.org", "--points", "1"), "--email"),
        (("--mobile", MOBILE, "--points", "1", "--issue-otp", "perhaps"), "--issue-otp"),
        (("--mobile", MOBILE, "--points", "1", "--validation-type", "PIGEON"), "--validation-type"),
        (("--mobile", MOBILE, "--currency-input", "true"), "--currency-value"),
        (("--mobile", MOBILE, "--points", "1", "--user-group2-id", "x"), "--user-group2-id"),
        (
            ("--mobile", MOBILE, "--points", "1", "--group-redemption", "true", "--user-group2-id", "1"),
            "--group-redemption",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_wrong_parameter_is_named_by_its_option(parameters: tuple[str, ...], option: str) -> None:
    ran = pos_app("check", *parameters)
    assert ran.code == 2
    assert ran.out == ""
    assert option in ran.err
    assert ran.err.count("\n") == 1, "one sentence"
    assert "found" in ran.err
    assert "expected" in ran.err
    assert "example.org" not in ran.err, "what identifies people is not repeated"


def test_a_wrong_amount_is_an_answer_not_a_failure(ledger: LedgerServer, password_file: Path) -> None:
    for points, code in (("0", 801), ("-5", 801), ("ten", 801), ("1.2345", 878)):
        ran = ask(ledger, password_file, "--mobile", MOBILE, f"--points={points}", "--json")
        assert (ran.code, ran.json["code"]) == (1, code), points


def test_a_code_can_be_given_on_standard_input(tmp_path: Path, password_file: Path) -> None:
    """Arguments can be read by everybody on a machine; standard input cannot."""
    with running_ledger(tmp_path / "ledger") as ledger:
        asked = ("--mobile", MOBILE, "--points", "120", "--json")
        sent = ask(ledger, password_file, *asked, "--issue-otp", "true")
        assert sent.json["code_sent"] is True
        code = ledger.messages()[0]["code"]
        at_ledger = ("--ledger", ledger.url, "--login", LOGIN, "--password-file", password_file)
        right = pos_app("check", *at_ledger, *asked, "--validation-code", "-", stdin=f"{code}\n")
        assert (right.code, right.json["confirmed"]) == (0, True)
        wrong = pos_app("check", *at_ledger, *asked, "--validation-code", "-", stdin="ZZZZ99\n")
        assert (wrong.code, wrong.json["code"]) == (1, 808)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((), "start `pos-app` once"),
        (("--ledger", "http://127.0.0.1:1"), "--login and --password-file"),
        (("--ledger", "http://127.0.0.1:1", "--login", "x", "--password-file", "nowhere"), "--password-file: nowhere"),
    ],
)
def test_a_machine_that_is_no_till_says_what_is_missing(tmp_path: Path, more: tuple[str, ...], sentence: str) -> None:
    ran = pos_app("--data-dir", tmp_path, "check", "--mobile", MOBILE, "--points", "1", *more)
    assert ran.code == 2
    assert sentence in ran.err


def test_a_ledger_that_does_not_answer_is_trouble(tmp_path: Path, password_file: Path) -> None:
    at = ("--ledger", f"http://127.0.0.1:{a_closed_port()}", "--login", "x", "--password-file", password_file)
    ran = pos_app("--data-dir", tmp_path, "check", "--mobile", MOBILE, "--points", "1", *at)
    assert (ran.code, ran.out) == (2, "")
    assert "No line to the service" in ran.err


def test_a_wrong_password_is_trouble_and_not_a_no(ledger: LedgerServer, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("wrong\n", encoding="utf-8")
    ran = ask(ledger, other, "--mobile", MOBILE, "--points", "120")
    assert (ran.code, ran.out) == (2, "")
    assert "Sign-in for this till failed" in ran.err


def a_closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Settings ---------------------------------------------------------------------------------------------------------


def test_a_setting_can_be_changed_for_one_start(ledger: LedgerServer, password_file: Path, tmp_path: Path) -> None:
    """The password named by the settings is taken by the window's first start; here only the address is tried."""
    at = ("--data-dir", tmp_path, "--set", f"ledger.url={ledger.url}", "--set", f"ledger.login={LOGIN}")
    ran = pos_app(*at, "check", "--mobile", MOBILE, "--points", "120")
    assert ran.code == 2
    assert "Sign-in for this till failed" in ran.err, "the ledger was reached, and no password is known"


def test_the_environment_names_settings_too(ledger: LedgerServer, tmp_path: Path) -> None:
    environment = {"POS_LEDGER_URL": ledger.url, "POS_LEDGER_LOGIN": LOGIN}
    asked = ("--data-dir", tmp_path, "check", "--mobile", MOBILE, "--points", "120")
    assert "Sign-in for this till failed" in pos_app(*asked, environment=environment).err
    other = f"ledger.url=http://127.0.0.1:{a_closed_port()}"
    ran = pos_app("--set", other, *asked, environment=environment)
    assert "offline" in ran.err, "the command line is stronger than the environment"


@pytest.mark.parametrize(
    ("options", "environment", "sentence"),
    [
        (
            ("--set", "retry.read_s=soon"),
            {},
            "command line: retry.read_s is 'soon', expected a number from 0.1 to 120.",
        ),
        (("--set", "no.such=1"), {}, "command line: there is no setting 'no.such'."),
        (("--set", "words"), {}, "'words' is not NAME=VALUE"),
        ((), {"POS_SALE_BILL": "maybe"}, "environment: sale.bill is 'maybe', expected one of off, optional, required."),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], sentence: str
) -> None:
    asked = ("--data-dir", tmp_path, *options, "check", "--mobile", MOBILE, "--points", "1")
    ran = pos_app(*asked, environment=environment)
    assert ran.code == 2
    assert sentence in ran.err


def test_a_wrong_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[ledger\n", encoding="utf-8")
    for command in (("check", "--mobile", MOBILE, "--points", "1"), ()):
        ran = pos_app("--data-dir", tmp_path, *command)
        assert ran.code == 2
        assert str(tmp_path / "settings.toml") in ran.err


# --- The window -------------------------------------------------------------------------------------------------------


def test_a_second_window_on_the_same_folder_says_so_and_ends(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop, shop.till() as till:
        second = pos_app("--data-dir", till.folder)
        assert second.code == 2
        assert second.err == (
            "Another Points Desk window uses this folder: go on in that window, or close it and start again.\n"
        )
        till.look_up(MOBILE)  # The first one works on.


# --- pos-app ledger ---------------------------------------------------------------------------------------------------


def written(folder: Path, *lines: object) -> Path:
    """An import file."""
    file = folder / "import.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return file


def test_import_counts_what_it_loaded(tmp_path: Path) -> None:
    file = written(tmp_path, *a_small_ledger())
    ran = pos_app("--data-dir", tmp_path, "ledger", "import", file)
    assert ran.code == 0
    assert "1 organisations, 1 programs, 1 tills" in ran.out
    assert "1 customers" in ran.out
    assert "500 points" in ran.out
    piped = pos_app("--data-dir", tmp_path, "ledger", "import", "-", stdin=file.read_text("utf-8"))
    assert piped.code == 0, "the same lines again change nothing"
    assert pos_app("--data-dir", tmp_path, "ledger", "verify").code == 0


@pytest.mark.parametrize(
    ("line", "number", "field", "expected"),
    [
        (a_customer(id="x"), 4, "id", "a whole number"),
        (a_customer(mobile="12"), 4, "mobile", "number"),
        (a_till(login="till.014.4", program_id="gold"), 4, "program_id", "a whole number"),
        ({"kind": "penguin"}, 4, "kind", "customer"),
        ("not json", 4, "line", "one JSON object"),
        (
            a_customer(wallets=[{"program_id": 973, "lots": [{"points": "-1"}]}]),
            4,
            "wallets[0].lots[0].points",
            "points",
        ),
    ],
    ids=["id", "mobile", "program", "kind", "json", "points"],
)
def test_an_import_error_names_file_line_and_field(
    tmp_path: Path, line: object, number: int, field: str, expected: str
) -> None:
    file = written(tmp_path, an_organisation(), a_program(), a_till(), line)
    ran = pos_app("--data-dir", tmp_path, "ledger", "import", file)
    assert ran.code == 1
    told = ran.out + ran.err
    assert f"{file}, line {number}, {field}: found " in told
    assert expected in told.partition("expected")[2]
    verified = pos_app(
        "--data-dir", tmp_path, "ledger", "till", "add", "--organisation", "1", "--store", "1", "--login", "a"
    )
    assert "no organisation 1" in verified.out + verified.err, "of a file with a wrong line nothing is loaded"


def test_import_can_keep_the_good_lines_and_leave_the_others_to_be_mended(tmp_path: Path) -> None:
    file = written(tmp_path, an_organisation(), a_program(), a_customer(id="x"), a_customer())
    ran = pos_app("--data-dir", tmp_path, "ledger", "import", "--keep-good", file)
    assert ran.code == 1
    assert "1 lines refused" in ran.out
    refused = file.with_name("import.jsonl.refused.jsonl").read_text("utf-8").splitlines()
    assert [(json.loads(each)["number"], json.loads(each)["field"]) for each in refused] == [(3, "id")]


def test_a_file_that_is_not_there_is_named_and_no_ledger_is_made(tmp_path: Path) -> None:
    ran = pos_app("--data-dir", tmp_path / "data", "ledger", "import", tmp_path / "nowhere.jsonl")
    assert ran.code == 2
    assert "nowhere.jsonl cannot be read" in ran.out + ran.err
    assert not (tmp_path / "data" / "ledger.db").exists()


def test_a_till_that_was_added_signs_in_with_the_printed_password(tmp_path: Path) -> None:
    with running_ledger(tmp_path / "ledger") as server:
        at = ("--organisation", ORGANISATION, "--store", "014", "--login", "till.014.9", "--db", server.place.url)
        added = pos_app("ledger", "till", "add", *at)
        assert added.code == 0
        password = added.out.strip().rpartition(" ")[2]
        assert len(password) >= 20
        file = tmp_path / "password"
        file.write_text(password, encoding="utf-8")
        as_new = ("--ledger", server.url, "--login", "till.014.9", "--password-file", file)
        ran = pos_app("check", *as_new, "--mobile", MOBILE, "--points", "120", "--json")
        assert (ran.code, ran.json["source"]) == (0, "ledger")
        again = pos_app("ledger", "till", "add", *at)
        assert again.code == 1
        assert "taken" in again.out + again.err


def test_verify_ends_with_1_after_somebody_tampered(tmp_path: Path) -> None:
    file = written(tmp_path, *a_small_ledger())
    pos_app("--data-dir", tmp_path, "ledger", "import", file)
    clean = pos_app("--data-dir", tmp_path, "ledger", "verify")
    assert (clean.code, clean.out) == (0, "The ledger is clean.\n")
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute("UPDATE lot SET rem = rem + 100000")
    database.close()
    tampered = pos_app("--data-dir", tmp_path, "ledger", "verify")
    assert tampered.code == 1
    assert "lot 1" in tampered.out
    assert tampered.out.endswith("1 differences.\n")


def test_verify_of_a_ledger_that_is_not_there_is_no_clean_one(tmp_path: Path) -> None:
    ran = pos_app("ledger", "verify", "--db", f"sqlite:///{tmp_path / 'typo.db'}")
    assert ran.code == 2
    assert "There is no ledger at" in ran.out + ran.err
    assert not (tmp_path / "typo.db").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_serve_refuses_other_machines_without_tls(tmp_path: Path, host: str) -> None:
    ran = pos_app("--data-dir", tmp_path, "ledger", "serve", "--host", host, "--port", "0")
    assert ran.code == 2
    assert "--tls-cert" in ran.err
    assert "Listening" not in ran.out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--code-sender", "pigeon:coop"), "--code-sender"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
        (("--tls-cert", "cert.pem"), "--tls-key"),
        (("--port", "99999"), "--port"),
        (("--db", "nonsense"), "--db"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_serve_says_which_option_it_cannot_use(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    ran = pos_app("--data-dir", tmp_path, "ledger", "serve", *options)
    assert ran.code == 2
    assert sentence in ran.err


def test_serve_says_that_its_port_is_taken(tmp_path: Path, ledger: LedgerServer) -> None:
    ran = pos_app("--data-dir", tmp_path, "ledger", "serve", "--port", ledger.port)
    assert ran.code == 2
    assert f"Port {ledger.port} is taken" in ran.err


def test_a_till_may_be_asked_from_the_command_line_by_its_own_files(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        first_run(shop)
        ran = pos_app("--data-dir", shop.till_folder(), "check", "--mobile", MOBILE, "--points", "120", "--json")
        assert (ran.code, ran.json["source"]) == (0, "ledger")


def first_run(shop: Shop) -> None:
    """A till's first start: it takes its password into its secrets."""
    with shop.till() as till:
        assert till.close() == 0
