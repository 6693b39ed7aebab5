"""`pos-app doctor` looks at an installation, says what is wrong and what to do; exit 0 when nothing is bad."""

from __future__ import annotations

from pathlib import Path

from support.ledger_server import LOGIN
from support.shop import Shop, a_shop, pos_app

from pos_app.doctor import Grade, examine
from pos_app.settings import Place


def examined(folder: Path, **settings: object) -> dict[str, tuple[Grade, str]]:
    """Every finding by its sentence."""
    findings = examine(
        Place(data_dir=folder, command_line={name.replace("__", "."): settings[name] for name in settings})
    )
    return {each.what: (each.grade, each.advice) for each in findings}


def till_after_its_first_run(shop: Shop) -> Path:
    """A till that has started once."""
    with shop.till() as till:
        assert till.close() == 0
    return shop.till_folder()


def test_a_fresh_machine_is_told_what_to_do_first(tmp_path: Path) -> None:
    ran = pos_app("--data-dir", tmp_path, "doctor")
    assert ran.code == 0, ran
    assert "[note] No ledger is set up." in ran.out
    assert "-> Start `pos-app` and fill in the first page." in ran.out
    assert "[  ok] Qt starts, platform offscreen" in ran.out
    assert f"[  ok] {tmp_path} can be written" in ran.out
    assert "only this user can read" in ran.out, "with a data folder the secrets lie in a file, and that is said"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_a_till_in_order_is_said_to_be(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        folder = till_after_its_first_run(shop)
        ran = pos_app("--data-dir", folder, "doctor")
    assert ran.code == 0, ran
    assert f"[  ok] Settings read, login {LOGIN}" in ran.out
    assert "[  ok] The ledger answers: pos-app-ledger" in ran.out
    assert "[  ok] The clock agrees with the ledger's" in ran.out
    assert "BAD" not in ran.out


def test_a_ledger_that_does_not_answer_is_bad(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        folder = till_after_its_first_run(shop)
        shop.proxy.refuse()
        ran = pos_app("--data-dir", folder, "doctor")
    assert ran.code == 1
    assert "[ BAD] The ledger does not answer." in ran.out
    assert "-> Check the address" in ran.out


def test_a_wrong_password_is_told_apart_from_no_line(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        folder = shop.till_folder()
        ran = pos_app("--data-dir", folder, "doctor")
    assert ran.code == 1
    assert "[ BAD] The ledger does not accept this till's login." in ran.out


def test_plain_http_to_another_machine_is_called_unsafe(tmp_path: Path) -> None:
    found = examined(tmp_path, ledger__url="http://points.example.com", ledger__login="x")
    grade, advice = found["The connection to the ledger is not safe."]
    assert grade is Grade.BAD
    assert "ledger.ca_file" in advice


def test_something_else_at_the_address_is_told(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        folder = till_after_its_first_run(shop)
        from support.fault_proxy import a_sign_in_page

        shop.proxy.always(a_sign_in_page())
        ran = pos_app("--data-dir", folder, "doctor")
    assert ran.code == 1
    assert "[ BAD] Something else answers at that address." in ran.out


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("retry.read_s = 'soon'\n", encoding="utf-8")
    ran = pos_app("--data-dir", tmp_path, "doctor")
    assert ran.code == 1
    assert f"{tmp_path / 'settings.toml'}: retry.read_s is 'soon'" in ran.out


def test_a_window_system_that_does_not_start_is_found_without_ending_the_doctor(tmp_path: Path) -> None:
    """Qt ends a process whose display is not there."""
    environment = {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":4711", "WAYLAND_DISPLAY": ""}
    ran = pos_app("--data-dir", tmp_path, "doctor", environment=environment)
    assert ran.code == 1
    assert "[ BAD] Qt cannot open a window here." in ran.out
    assert "libxcb-cursor0" in ran.out
    without = pos_app("--data-dir", tmp_path, "doctor", environment={**environment, "DISPLAY": ""})
    assert without.code == 0
    assert "[note] There is no display here." in without.out


def test_no_secret_is_printed(tmp_path: Path) -> None:
    with a_shop(tmp_path) as shop:
        folder = till_after_its_first_run(shop)
        ran = pos_app("--data-dir", folder, "doctor")
        secrets = (folder / "secrets").read_text(encoding="utf-8")
    for line in secrets.splitlines():
        value = line.partition(":")[2].strip(' ",')
        assert not value or value not in ran.out + ran.err
