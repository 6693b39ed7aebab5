"""A machine becomes a till in its own window: address, login, password, a test of each, and the first customer."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ledger_server import LOGIN, MOBILE, PASSWORD, digest
from support.shop import Shop, a_shop
from support.till_process import TillProcess


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with a_shop(tmp_path) as opened:
        yield opened


@pytest.fixture
def till(tmp_path: Path) -> Iterator[TillProcess]:
    """A window on a machine that knows nothing yet."""
    process = TillProcess(tmp_path / "fresh")
    try:
        process.open()
        process.wait_for(lambda screen: bool(screen["firstRunDialog"]), "the first page")
        yield process
    finally:
        process.end()


def fill_in(till: TillProcess, address: str, password: str) -> None:
    """Type the three, and press Test."""
    till.do("type", name="firstRunAddress", text=address)
    till.do("type", name="firstRunLogin", text=LOGIN)
    till.do("type", name="firstRunPassword", text=password)
    till.click("firstRunTest")


def test_three_fields_make_a_till(shop: Shop, till: TillProcess) -> None:
    fill_in(till, shop.proxy.url, PASSWORD)
    till.wait_for(lambda screen: "firstRunUse" in screen.words["buttons"], "a test that passes")
    till.click("firstRunUse")
    till.wait_for(lambda screen: screen["statusConnection"] == "Online", "the line")
    assert till.screen["statusStorage"] == "No keyring", "the secrets lie in a file, and the window says so"
    till.look_up(MOBILE)
    till.check(100)
    assert till.close() == 0
    settings = tomllib.loads((till.folder / "settings.toml").read_text(encoding="utf-8"))
    assert settings["ledger"] == {"url": shop.proxy.url, "login": LOGIN}
    secrets = till.folder / "secrets"
    assert digest() in secrets.read_text(encoding="utf-8")
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    for file in till.folder.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes(), file
    till.start()  # The second start asks nothing.
    assert not till.screen["firstRunDialog"]
    till.look_up(MOBILE)


def test_a_wrong_password_is_found_before_the_till_is_used(shop: Shop, till: TillProcess) -> None:
    fill_in(till, shop.proxy.url, "wrong")
    failed = till.wait_for(lambda screen: bool(screen["firstRunStep_sign_in"].partition(":")[2]), "the step that fails")
    assert "firstRunUse" not in failed.words["buttons"]
    assert "in order" not in failed["firstRunStep_sign_in"]
    assert "in order" in failed["firstRunStep_reach"]
    assert till.do("read", names=["firstRunAddress"])["firstRunAddress"] == shop.proxy.url, "what was typed stays"
    fill_in(till, shop.proxy.url, PASSWORD)
    till.wait_for(lambda screen: "firstRunUse" in screen.words["buttons"], "a test that passes")


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent(till: TillProcess) -> None:
    fill_in(till, "http://points.example.com", PASSWORD)
    told = till.wait_for(lambda screen: bool(screen["firstRunMessage"]), "the sentence")
    assert "https://" in told["firstRunMessage"]
    assert "firstRunUse" not in told.words["buttons"]
