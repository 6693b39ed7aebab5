"""Secrets: where they lie, who may read them, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from support.files import DATABASE_KEY

from pos_app.domain.trouble import StorageError
from pos_app.files.secrets import DATABASE_KEY as KEY_NAME
from pos_app.files.secrets import FilePlace, KeyringPlace, SecretsError, TillSecrets, acceptable


class MemoryKeyring(KeyringBackend):
    """A keyring that keeps its promise in memory and can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._refuse_when_locked()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._refuse_when_locked()
        self.kept[service, username] = password

    def _refuse_when_locked(self) -> None:
        if self.is_locked:
            raise KeyringLocked("locked")


class SystemKeyring(MemoryKeyring):
    """One that stands where a system's keyring stands."""


SystemKeyring.__module__ = "keyring.backends.SecretService"


class PlaintextKeyring(MemoryKeyring):
    """One that stands where the plaintext back-end stands."""


PlaintextKeyring.__module__ = "keyrings.alt.file"


class Chain(MemoryKeyring):
    """Several keyrings, as the library joins them."""

    def __init__(self, *backends: KeyringBackend) -> None:
        super().__init__()
        self.backends = backends


def in_file(folder: Path) -> TillSecrets:
    return TillSecrets.open(folder, service="pos-app", use_keyring=False)


def test_the_database_key_is_made_once_and_stays(tmp_path: Path) -> None:
    key = in_file(tmp_path).database_key()
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert in_file(tmp_path).database_key() == key
    assert in_file(tmp_path / "other").database_key() != key


def test_the_file_is_a_json_object_only_its_owner_can_read(tmp_path: Path) -> None:
    secrets = in_file(tmp_path / "till")
    key = secrets.database_key()
    secrets.put("password_digest", "a" * 40)
    file = tmp_path / "till" / "secrets"
    assert json.loads(file.read_text()) == {"database_key": key, "password_digest": "a" * 40}
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "till").stat().st_mode & 0o777 == 0o700
    assert [each.name for each in (tmp_path / "till").iterdir()] == ["secrets"]
    assert secrets.is_in_file


def test_a_secret_that_was_never_kept_is_none(tmp_path: Path) -> None:
    assert in_file(tmp_path).get("password_digest") is None


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    in_file(tmp_path).put("password_digest", "digest")
    (tmp_path / "secrets").chmod(0o644)
    assert in_file(tmp_path).get("password_digest") == "digest"
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"database_key": 5}'])
def test_a_damaged_file_is_told_and_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets").write_text(content)
    for act in (in_file(tmp_path).database_key, lambda: in_file(tmp_path).put("a", "b")):
        with pytest.raises(SecretsError, match="damaged"):
            act()
    assert (tmp_path / "secrets").read_text() == content


def test_a_key_that_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text(json.dumps({"database_key": "secret"}))
    with pytest.raises(StorageError, match="enrol"):
        in_file(tmp_path).database_key()


@pytest.mark.parametrize("name", ["journal.db", "cache.db"])
def test_no_second_key_is_made_beside_files_it_could_not_open(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(SecretsError, match="enrol"):
        in_file(tmp_path).database_key()
    assert in_file(tmp_path).get(KEY_NAME) is None


def test_plaintext_null_fail_and_unknown_keyrings_are_refused() -> None:
    for refused in (
        keyring.backends.fail.Keyring(),
        keyring.backends.null.Keyring(),
        PlaintextKeyring(),
        MemoryKeyring(),
        Chain(PlaintextKeyring(), MemoryKeyring()),
    ):
        assert acceptable(refused) is None


def test_a_system_keyring_is_taken_also_out_of_a_chain() -> None:
    system = SystemKeyring()
    assert acceptable(system) is system
    assert acceptable(Chain(PlaintextKeyring(), system)) is system


def open_with(backend: KeyringBackend, folder: Path) -> TillSecrets:
    """Open with `backend` as the machine's keyring, as the library's own setting does."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        return TillSecrets.open(folder, service="pos-app", use_keyring=True)
    finally:
        keyring.set_keyring(before)


def test_with_a_system_keyring_no_file_is_made(tmp_path: Path) -> None:
    backend = SystemKeyring()
    secrets = open_with(backend, tmp_path)
    secrets.put("password_digest", "digest")
    key = secrets.database_key()
    assert backend.kept == {("pos-app", "database_key"): key, ("pos-app", "password_digest"): "digest"}
    assert list(tmp_path.iterdir()) == []
    assert not secrets.is_in_file


def test_without_a_true_keyring_the_secrets_lie_in_the_file(tmp_path: Path) -> None:
    for refused in (keyring.backends.null.Keyring(), PlaintextKeyring()):
        secrets = open_with(refused, tmp_path)
        secrets.put("password_digest", "digest")
        assert secrets.is_in_file
    assert json.loads((tmp_path / "secrets").read_text()) == {"password_digest": "digest"}


def test_a_till_enrolled_with_a_file_keeps_it_when_a_keyring_comes(tmp_path: Path) -> None:
    key = in_file(tmp_path).database_key()
    secrets = open_with(SystemKeyring(), tmp_path)
    assert secrets.is_in_file
    assert secrets.database_key() == key


def test_a_locked_keyring_is_told_and_no_file_is_made_instead(tmp_path: Path) -> None:
    backend = SystemKeyring()
    secrets = TillSecrets(tmp_path, KeyringPlace(backend, "pos-app"))
    backend.is_locked = True
    for act in (secrets.database_key, lambda: secrets.get("a"), lambda: secrets.put("a", "b")):
        with pytest.raises(SecretsError, match="unlock"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_in_no_repr(tmp_path: Path) -> None:
    secrets = TillSecrets(tmp_path, FilePlace(tmp_path / "secrets"))
    secrets.put(KEY_NAME, DATABASE_KEY)
    assert secrets.database_key() == DATABASE_KEY
    assert DATABASE_KEY not in repr(secrets) + repr(vars(secrets))


def test_a_till_with_a_data_folder_never_loads_the_keyring_library(tmp_path: Path) -> None:
    asked = (
        "import sys, pathlib; from pos_app.files.secrets import TillSecrets;"
        "TillSecrets.open(pathlib.Path(sys.argv[1]), service='s', use_keyring=False).database_key();"
        "print('keyring' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked, tmp_path], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
