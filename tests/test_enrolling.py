"""`pos-app enrol` makes a machine a till: what it reads, keeps, says, and never shows (house 5 and 6, sync-api 4.1)."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fault_proxy import a_sign_in_page
from support.ledger_server import LOGIN, PASSWORD
from support.shop import Shop, a_shop, pos_app

from pos_app.enrolling import Provision, read_provision
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.settings import TillError, read_file


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with a_shop(tmp_path) as opened:
        yield opened


def provisioned(shop: Shop, **members: str) -> Path:
    """A provisioning file as the ledger writes it."""
    told = {"address": shop.proxy.url, "login": LOGIN, "password": PASSWORD, **members}
    file = shop.folder / "provision.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    file.write_text("sync.scope = 'all'\n[enrolment]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def a_code(shop: Shop) -> str:
    book = shop.ledger.place.open()
    try:
        return give_enrolment_code(book.tools, LOGIN, who="test")
    finally:
        book.close()


# --- The file --------------------------------------------------------------------------------------------------------


def test_a_provisioning_file_has_settings_and_who_the_till_is(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[sync]\nscope = "all"\n[enrolment]\naddress = "https://l"\nlogin = "t"\ncode = ""\n')
    assert read_provision(file) == Provision(settings={"sync.scope": "all"}, address="https://l", login="t")


def test_neither_password_nor_code_show_in_a_repr() -> None:
    assert "s3cret" not in repr(Provision(password="s3cret", code="s3cret"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[enrolment]\npassword = s3cret", "is not written as TOML"),
        ("[enrolment]\naddress = 7", "has texts only"),
        ("[enrolment]\nuser = 's3cret'", "there is no enrolment.user"),
        ("enrolment = 's3cret'", "has texts only"),
        ("[sync]\nscope = 's3cret'", "sync.scope"),
        ("[sync]\nscopes = 'all'", "sync.scopes"),
    ],
)
def test_a_file_that_says_what_it_may_not_is_told_where_and_its_secrets_are_not(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(TillError, match=says) as wrong:
        read_provision(file)
    if "enrolment" in text:
        assert "s3cret" not in str(wrong.value)


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(TillError, match="cannot be read"):
        read_provision(Path("/nowhere/p.toml"))


# --- The command -----------------------------------------------------------------------------------------------------


def test_a_machine_becomes_a_till_from_a_provisioning_file(shop: Shop, tmp_path: Path) -> None:
    folder, file = tmp_path / "machine", provisioned(shop)
    ran = pos_app("--data-dir", folder, "enrol", "--provision", file)
    assert ran.code == 0, ran
    assert ran.out == f"This machine is till Till 3 ({LOGIN}) of store 014, enrolment 1.\n"
    assert f"{file} still holds the till's password: delete it." in ran.err
    assert read_file(folder / "settings.toml") == {
        "ledger.url": shop.proxy.url,
        "ledger.login": LOGIN,
        "sync.scope": "all",
    }
    kept = json.loads((folder / "secrets").read_text())
    assert kept["signing_key"].startswith("1:")
    assert kept["password_digest"] != PASSWORD
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o600
    again = pos_app("--data-dir", folder, "enrol")
    assert (again.code, again.out) == (0, ran.out), "the same again changes nothing"


def test_the_file_is_deleted_when_asked_to(shop: Shop, tmp_path: Path) -> None:
    file = provisioned(shop)
    ran = pos_app("--data-dir", tmp_path / "machine", "enrol", "--provision", file, "--delete-provision")
    assert ran.code == 0, ran
    assert f"{file} was deleted." in ran.out
    assert not file.exists()


def test_the_password_file_of_the_settings_is_enough(shop: Shop) -> None:
    ran = pos_app("--data-dir", shop.till_folder(), "enrol")
    assert ran.code == 0, ran
    assert "enrolment 1" in ran.out
    assert "password_digest" in json.loads((shop.till_folder() / "secrets").read_text())


def test_another_machine_needs_a_code_which_is_read_from_standard_input(shop: Shop, tmp_path: Path) -> None:
    assert pos_app("--data-dir", tmp_path / "first", "enrol", "--provision", provisioned(shop)).code == 0
    other, code = tmp_path / "other", a_code(shop)
    refused = pos_app("--data-dir", other, "enrol", "--provision", provisioned(shop))
    assert refused.code == 1
    assert refused.out == ""
    assert "pos-app ledger till enrolment-code" in refused.err
    assert (shop.folder / "provision.toml").exists(), "what is still needed is not thrown away"
    wrong = pos_app("--data-dir", other, "enrol", "--code", stdin="AAAA-BBBB-CCCC\n")
    assert (wrong.code, "wrong, used or too old" in wrong.err) == (1, True)
    ran = pos_app("--data-dir", other, "enrol", "--code", stdin=f"{code[:4]}-{code[4:8]}-{code[8:]}\n".lower())
    assert ran.code == 0, ran
    assert "enrolment 2" in ran.out


def test_a_code_may_stand_in_the_provisioning_file(shop: Shop, tmp_path: Path) -> None:
    assert pos_app("--data-dir", tmp_path / "first", "enrol", "--provision", provisioned(shop)).code == 0
    file = provisioned(shop, code=a_code(shop))
    ran = pos_app("--data-dir", tmp_path / "other", "enrol", "--provision", file)
    assert (ran.code, "enrolment 2" in ran.out) == (0, True), ran


def test_trouble_on_the_way_is_a_sentence_and_exit_2(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "machine"
    nothing = pos_app("--data-dir", folder, "enrol")
    assert (nothing.code, "--provision" in nothing.err) == (2, True)
    wrong_password = pos_app("--data-dir", folder, "enrol", "--provision", provisioned(shop, password="wrong"))
    assert (wrong_password.code, "login or password" in wrong_password.err) == (2, True)
    unsafe = pos_app("--data-dir", folder, "enrol", "--provision", provisioned(shop, address="http://198.51.100.7"))
    assert (unsafe.code, "https://" in unsafe.err) == (2, True)
    file = provisioned(shop)
    shop.proxy.always(a_sign_in_page())
    portal = pos_app("--data-dir", folder, "enrol", "--provision", file)
    assert (portal.code, "Something else answers" in portal.err) == (2, True)
    shop.proxy.heal()
    shop.proxy.refuse()
    no_line = pos_app("--data-dir", folder, "enrol")
    assert (no_line.code, "Nobody answers there" in no_line.err) == (2, True)
    for ran in (wrong_password, unsafe, portal, no_line):
        assert "Traceback" not in ran.err
        assert PASSWORD not in ran.err


# --- What doctor says of it ------------------------------------------------------------------------------------------


def test_doctor_tells_whether_this_machine_is_the_till_it_says_it_is(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "machine"
    assert pos_app("--data-dir", folder, "enrol", "--provision", provisioned(shop)).code == 0
    good = pos_app("--data-dir", folder, "doctor")
    assert f"[  ok] Enrolled as till {LOGIN} of store 014, enrolment 1" in good.out
    other = pos_app("--data-dir", tmp_path / "other", "enrol", "--provision", provisioned(shop, code=a_code(shop)))
    assert other.code == 0, other
    replaced = pos_app("--data-dir", folder, "doctor")
    assert replaced.code == 1
    assert f"[ BAD] This machine has enrolment 1 of till {LOGIN}, the ledger knows 2." in replaced.out
    book = shop.ledger.place.open()
    try:
        change_till(book.tools, LOGIN, TillAction.LOST, who="test")
    finally:
        book.close()
    lost = pos_app("--data-dir", tmp_path / "other", "doctor")
    assert lost.code == 1
    assert f"[ BAD] The ledger has taken till {LOGIN} out of service (LOST)." in lost.out
    assert "-> Ask head office for an enrolment code" in lost.out
