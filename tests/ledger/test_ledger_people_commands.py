"""`ledger till`, `operator` and `customer`: what an administrator types, reads, and what is recorded of it."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update
from support.ledger_server import CUSTOMER, EMAIL, LOGIN, MOBILE, digest
from support.people_kit import CASHIER, PIN, SUPERVISOR, PeopleKit, a_people_kit, reason_of

from pos_app.cli import pos_app
from pos_app.ledger import schema
from pos_app.ledger.entries import EntryKind


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[PeopleKit]:
    with a_people_kit(tmp_path) as made:
        yield made


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    return ["--db", f"sqlite:///{tmp_path / 'ledger.db'}", "--secrets", str(tmp_path / "secrets")]


class Typed:
    """Runs `pos-app ledger ...` on the kit's ledger."""

    def __init__(self, places: list[str]) -> None:
        self._places = places

    def __call__(self, *words: str, told: str | None = None, exit_code: int = 0) -> str:
        result: Result = CliRunner().invoke(pos_app, ["ledger", *words, *self._places], input=told)
        assert result.exit_code == exit_code, result.output
        return result.output


@pytest.fixture
def typed(kit: PeopleKit, places: list[str]) -> Typed:
    return Typed(places)


# --- Tills ---------------------------------------------------------------------------------------------------------

NEW_TILL = ("till", "add", "--organisation", "1", "--store", "020", "--login", "till.020.1")


def test_a_new_tills_password_is_printed_once_and_works(kit: PeopleKit, typed: Typed) -> None:
    said = typed(*NEW_TILL, "--name", "By the door")
    password = said.split()[-1]
    assert said.count(password) == 1
    assert kit.ask("/sync/v1/capabilities", login="till.020.1", password=password).json["till"]["store"] == "020"
    assert kit.acts == [("till.add", "command line", "till.020.1")]


def test_a_provisioning_file_holds_what_the_till_needs_and_only_its_owner_reads_it(
    kit: PeopleKit, typed: Typed, tmp_path: Path
) -> None:
    file = tmp_path / "till.toml"
    said = typed(*NEW_TILL, "--provision", str(file), "--address", "https://ledger.example.org")
    enrolment = tomllib.loads(file.read_text(encoding="utf-8"))["enrolment"]
    assert (enrolment["address"], enrolment["login"]) == ("https://ledger.example.org", "till.020.1")
    assert enrolment["password"] not in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kit.book.till("till.020.1", digest(enrolment["password"])) is not None


def test_a_provisioning_file_is_never_written_over(kit: PeopleKit, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    file.write_text("mine")
    said = typed(*NEW_TILL, "--provision", str(file), "--address", "https://x", exit_code=1)
    assert "there already" in said
    assert file.read_text() == "mine"
    assert kit.book.find_till("till.020.1") is None


def test_no_provisioning_file_is_left_of_a_till_that_was_refused(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "till.toml"
    words = ("till", "add", "--organisation", "1", "--store", "020", "--login", LOGIN)
    assert "taken" in typed(*words, "--provision", str(file), "--address", "https://x", exit_code=1)
    assert not file.exists()


def test_provision_and_address_go_together(typed: Typed, tmp_path: Path) -> None:
    assert "go together" in typed(*NEW_TILL, "--provision", str(tmp_path / "till.toml"), exit_code=2)
    assert "go together" in typed(*NEW_TILL, "--address", "https://x", exit_code=2)


def test_tills_are_listed(kit: PeopleKit, typed: Typed) -> None:
    kit.enrol()
    kit.change_till("till.014.4", state="FROZEN")
    lines = typed("till", "list", "--organisation", "1").splitlines()
    assert lines[0].split()[:4] == ["LOGIN", "STORE", "STATE", "EPOCH"]
    assert [line.split()[:4] for line in lines[1:]] == [
        [LOGIN, "014", "ACTIVE", "1"],
        ["till.014.4", "014", "FROZEN", "0"],
    ]


def test_a_till_is_disabled_enabled_lost_and_found(kit: PeopleKit, typed: Typed) -> None:
    for action, state in (("disable", "DISABLED"), ("enable", "ACTIVE"), ("lost", "LOST"), ("found", "ACTIVE")):
        assert typed("till", action, LOGIN).strip().endswith(".")
        assert kit.till().state == state
    assert [act for act, _, _ in kit.acts] == ["till.disable", "till.enable", "till.lost", "till.found"]
    assert "no till" in typed("till", "lost", "nobody", exit_code=1)


def test_a_rotated_password_and_an_enrolment_code_are_printed_once_and_work(kit: PeopleKit, typed: Typed) -> None:
    password = typed("till", "rotate", LOGIN).split()[-1]
    assert kit.ask("/sync/v1/capabilities", password=password).status == 200
    assert kit.ask("/sync/v1/capabilities").status == 401
    kit.enrol(login="till.014.4")
    code = typed("till", "enrolment-code", "till.014.4").split()[-1]
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}", code)
    another = "AgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICE="
    assert kit.enrol(another, code=code, login="till.014.4").json["till"]["till_epoch"] == 2


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    nowhere = Typed(["--db", f"sqlite:///{tmp_path / 'no.db'}", "--secrets", str(tmp_path / "s")])
    assert "no ledger" in nowhere("till", "list", exit_code=2)
    assert not (tmp_path / "no.db").exists()


# --- Operators -----------------------------------------------------------------------------------------------------


def test_a_new_operator_gets_a_random_pin_which_she_must_change(kit: PeopleKit, typed: Typed) -> None:
    said = typed(
        "operator", "add", "--organisation", "1", "--name", "R. Mehta", "--role", "supervisor", "--store", "014"
    )
    number, pin = int(said.split()[1]), said.split()[-1]
    assert re.fullmatch(r"\d{6}", pin)
    told = kit.sign_in(number, pin).json
    assert told["operator"] == {"id": number, "name": "R. Mehta", "role": "supervisor"}
    assert told["must_change_pin"] is True
    assert kit.acts == [("operator.add", "command line", f"operator {number}")]


def test_a_pin_may_come_from_a_file_or_be_asked_for_unseen(kit: PeopleKit, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text("24680\n")
    said = typed(
        *("operator", "add", "--organisation", "1", "--id", "40", "--name", "Z", "--role", "cashier"),
        *("--pin-file", str(file)),
    )
    assert "24680" not in said
    assert kit.sign_in(40, "24680").json["must_change_pin"] is False
    said = typed("operator", "pin", "40", "--organisation", "1", "--ask-pin", told="135790\n135790\n")
    assert "135790" not in said
    assert kit.sign_in(40, "135790").status == 200


def test_a_pin_is_never_an_argument(typed: Typed) -> None:
    assert "No such option" in typed("operator", "pin", "12", "--organisation", "1", "--pin", PIN, exit_code=2)


def test_a_new_pin_ends_a_lock(kit: PeopleKit, typed: Typed) -> None:
    kit.change_operator(SUPERVISOR, wrong_pins=5, locks=1, locked_until=2**42)  # The command has the machine's clock.
    assert reason_of(kit.sign_in(SUPERVISOR)) == "operator_locked"
    assert "locked" in typed("operator", "list", "--organisation", "1")
    pin = typed("operator", "pin", str(SUPERVISOR), "--organisation", "1").split()[-1]
    assert kit.sign_in(SUPERVISOR, pin).json["must_change_pin"] is True


def test_what_is_no_pin_is_refused(kit: PeopleKit, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    for text in ("", "12", "1234567", "abcd"):
        file.write_text(text)
        said = typed("operator", "pin", "12", "--organisation", "1", "--pin-file", str(file), exit_code=1)
        assert "4 to 6 digits" in said
    assert "cannot be read" in typed(
        "operator", "pin", "12", "--organisation", "1", "--pin-file", str(tmp_path / "none"), exit_code=2
    )


def test_a_disabled_operator_neither_signs_in_nor_approves(kit: PeopleKit, typed: Typed) -> None:
    typed("operator", "disable", str(CASHIER), "--organisation", "1")
    assert reason_of(kit.sign_in(CASHIER)) == "operator_unknown"
    assert "disabled" in next(line for line in typed("operator", "list", "--organisation", "1").splitlines()[1:])
    typed("operator", "enable", str(CASHIER), "--organisation", "1")
    assert kit.sign_in(CASHIER).status == 200
    assert [act for act, _, _ in kit.acts] == ["operator.disable", "operator.enable"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("operator", "list"), "--organisation"),
        (("operator", "list", "--organisation", "9"), "no organisation 9"),
        (("operator", "pin", "4711", "--organisation", "1"), "no operator 4711"),
        (("operator", "disable", "4711", "--organisation", "1"), "no operator 4711"),
        (("operator", "add", "--organisation", "1", "--id", "12", "--name", "Z", "--role", "cashier"), "already"),
        (("operator", "add", "--organisation", "1", "--id", "-1", "--name", "Z", "--role", "cashier"), "above zero"),
        (("operator", "add", "--organisation", "1", "--name", " ", "--role", "cashier"), "needs a name"),
        (("customer", "show", "--organisation", "1", "--mobile", "+919000000000"), "nobody has it"),
        (("customer", "unlock", "--organisation", "1", "--id", "4711"), "nobody has it"),
    ],
)
def test_a_wish_that_cannot_be_met_is_answered_with_a_sentence(typed: Typed, words: tuple[str, ...], part: str) -> None:
    said = typed(*words, exit_code=1)
    assert part in said
    assert said.strip().endswith(".")


# --- Customers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named",
    [("--mobile", "+919777785205"), ("--email", EMAIL), ("--external-id", "434547"), ("--id", str(CUSTOMER))],
)
def test_a_customer_is_shown_by_whatever_names_her_and_masked(
    kit: PeopleKit, typed: Typed, named: tuple[str, str]
) -> None:
    kit.redeem(skip=False, points="20")
    said = typed("customer", "show", "--organisation", "1", *named)
    assert f"Customer {CUSTOMER}  Tom S." in said
    assert MOBILE not in said
    assert EMAIL not in said
    assert "Sawyer" not in said
    assert "480 points" in said
    assert "480 until 2035-12-31" in said
    assert re.search(rf"{EntryKind.REDEEM} +-20 .*till {re.escape(LOGIN)}", said)
    assert "codes        free; 0 wrong" in said
    assert kit.acts == []


def test_revealing_a_customer_is_recorded(kit: PeopleKit, typed: Typed) -> None:
    said = typed("customer", "show", "--organisation", "1", "--id", str(CUSTOMER), "--reveal")
    assert MOBILE in said
    assert EMAIL in said
    assert "Tom Sawyer" in said
    assert kit.acts == [("customer.reveal", "command line", f"customer {CUSTOMER}")]


def test_unlocking_lifts_the_lock_and_forgets_the_wrong_codes(kit: PeopleKit, typed: Typed) -> None:
    customer = schema.customer
    with kit.book.store.write() as connection:
        connection.execute(update(customer).values(codes_locked=True))
        tries = [{"org": 1, "customer_id": CUSTOMER, "till": LOGIN, "cashier": 7, "at": 5 + n} for n in range(100)]
        connection.execute(schema.code_try.insert(), tries)
    assert "locked: customer unlock frees them; 100 wrong" in typed(
        "customer", "show", "--organisation", "1", "--id", str(CUSTOMER)
    )
    said = typed("customer", "unlock", "--organisation", "1", "--id", str(CUSTOMER))
    assert (
        said == f"The codes of customer {CUSTOMER} were locked; they are free now, and 100 wrong tries are forgotten.\n"
    )
    assert "codes        free; 0 wrong" in typed("customer", "show", "--organisation", "1", "--id", str(CUSTOMER))
    assert kit.acts == [("customer.unlock", "command line", f"customer {CUSTOMER}")]
    with kit.book.store.read() as connection:
        assert connection.execute(select(customer.c.codes_locked)).scalar_one() is False


def test_one_customer_is_named_in_one_way(typed: Typed) -> None:
    assert "exactly one" in typed("customer", "show", exit_code=2)
    assert "exactly one" in typed("customer", "show", "--id", "1", "--email", "a@b", exit_code=2)


def test_control_characters_of_a_name_reach_no_terminal(kit: PeopleKit, typed: Typed) -> None:
    with kit.book.store.write() as connection:
        connection.execute(update(schema.customer).values(first_name="\x1b[31mTom", last_name=""))
    said = typed("customer", "show", "--organisation", "1", "--id", str(CUSTOMER), "--reveal")
    assert "\x1b" not in said
