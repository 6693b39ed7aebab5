"""Settings: what wins, what is refused, and that what is refused is said in a sentence."""

import os
from pathlib import Path

import pytest

from pos_app import settings
from pos_app.settings import Settings, SettingsError


def a_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_any_source_every_setting_has_its_default() -> None:
    assert settings.load() == Settings()


def test_the_strongest_source_wins() -> None:
    chosen = settings.load(
        ("command line", {"retry.read_s": "4"}), ("policy", {"retry.read_s": 5, "retry.connect_s": 2}), ("user", {})
    )
    assert (chosen.retry_read_s, chosen.retry_connect_s) == (4.0, 2.0)


def test_policy_beats_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[sale]\nbill = "required"\n')
    monkeypatch.setattr(settings, "policy_file", lambda: policy)
    for name in [name for name in os.environ if name.startswith("POS_")]:
        monkeypatch.delenv(name)
    user = a_file(tmp_path, '[sale]\nbill = "off"\n[look]\ntheme = "dark"\n')
    chosen = settings.load_from(user, {})
    assert (chosen.sale_bill, chosen.look_theme) == ("required", "dark")


def test_the_environment_names_settings_in_capitals() -> None:
    assert settings.from_environment({"POS_LEDGER_URL": "https://l", "POS_OTHER": "x", "HOME": "/"}) == {
        "ledger.url": "https://l"
    }


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("retry.read_s", "soon", "a number from 0.1 to 120"),
        ("retry.read_s", True, "a number from 0.1 to 120"),
        ("retry.connect_s", 0, "a number from 0.1 to 60"),
        ("sale.bill", "maybe", "one of off, optional, required"),
        ("code.ask_first", "yes", "true or false"),
        ("ledger.url", 7, "a text in quotes"),
        ("code.resend_waits_s", [], "one to five whole numbers of seconds"),
        ("code.resend_waits_s", "30,x", "one to five whole numbers of seconds"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place_and_what_is_expected(name: str, found: object, expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings.load(("till.toml", {name: found}))
    assert str(refused.value) == f"till.toml: {name} is {found!r}, expected {expected}."


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"there is no setting 'ledger\.uri'"):
        settings.load(("till.toml", {"ledger.uri": "x"}))


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    file = a_file(tmp_path, "ledger = = 3")
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.read_file(file)


def test_what_is_kept_is_read_back_and_the_rest_stays(tmp_path: Path) -> None:
    file = a_file(tmp_path, '[look]\ntheme = "dark"\n')
    settings.keep(file, {"ledger.url": "https://ledger.example.org", "ledger.login": "till.1"})
    assert settings.read_file(file) == {
        "look.theme": "dark",
        "ledger.url": "https://ledger.example.org",
        "ledger.login": "till.1",
    }


def test_every_setting_has_a_sentence_and_a_default_that_its_own_reader_accepts() -> None:
    defaults = Settings()
    for known in settings._FIELDS.values():
        assert known.metadata["sentence"].endswith(".")
        default = getattr(defaults, known.name)
        if default is not None:
            assert known.metadata["read"](default if not isinstance(default, Path) else str(default)) == default
