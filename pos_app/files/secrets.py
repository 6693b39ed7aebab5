"""Keeps a till's secrets: in the system's keyring, else in a file only its owner can read (reliability 4.1)."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, Protocol

from pos_app.domain.trouble import StorageError
from pos_app.files.folders import FILE_MODE, replace_file

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

DATABASE_KEY: Final = "database_key"
PASSWORD_DIGEST: Final = "password_digest"  # noqa: S105 - the name of a secret, not one
SECRETS_FILE: Final = "secrets"
KEY_BYTES: Final = 32

_DATABASES: Final = ("journal.db", "cache.db")
_KEY: Final = re.compile("[0-9a-fA-F]{64}")
_SYSTEM_KEYRINGS: Final = tuple(
    f"keyring.backends.{name}" for name in ("SecretService", "libsecret", "kwallet", "Windows", "macOS")
)
"""Back-ends that keep secrets under the user's login. Any other (plaintext, null, fail, unknown) is refused."""


class SecretsError(StorageError):
    """The till's secrets cannot be read or kept; the sentence says what to do."""


class Secrets(Protocol):
    """A till's secrets by name."""

    @property
    def is_in_file(self) -> bool:
        """Whether they lie in a file; then the window and `doctor` say so."""
        ...

    def database_key(self) -> str:
        """The raw key of both databases, 64 hexadecimal digits, made at the first call."""
        ...

    def get(self, name: str) -> str | None:
        """A secret, or None."""
        ...

    def put(self, name: str, value: str) -> None:
        """Keep a secret."""
        ...


class _Place(Protocol):
    """Where secrets can lie."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, value: str) -> None: ...


class TillSecrets:
    """Implements `Secrets` for one data folder. Any thread may call it; nothing of it is in `repr`."""

    def __init__(self, data_dir: Path, place: _Place) -> None:
        self._data_dir = data_dir
        self._place = place
        self._lock = threading.Lock()

    @classmethod
    def open(cls, data_dir: Path, *, service: str, use_keyring: bool) -> TillSecrets:
        """Find where this till's secrets lie.

        A `secrets` file in the folder always wins: the till was enrolled with it, and a copied folder is a true
        clone. `service` is the name the keyring shows. With `use_keyring` false (`--data-dir`) it is the file.
        """
        path = data_dir / SECRETS_FILE
        if use_keyring and not path.exists():
            backend = system_keyring()
            if backend is not None:
                return cls(data_dir, KeyringPlace(backend, service))
        return cls(data_dir, FilePlace(path))

    @property
    def is_in_file(self) -> bool:
        """Whether the secrets lie in a file; then the window and `doctor` say so."""
        return isinstance(self._place, FilePlace)

    def database_key(self) -> str:
        """The raw key of both databases, 64 hexadecimal digits, made at the first call.

        Raises:
            SecretsError: it cannot be kept; or it is gone while databases are there, which a new key would not open.
        """
        with self._lock:
            key = self._place.get(DATABASE_KEY)
            if key is None:
                self._refuse_second_key()
                key = token_hex(KEY_BYTES)
                self._place.put(DATABASE_KEY, key)
            if not _KEY.fullmatch(key):
                raise SecretsError("The key of this till's files is damaged: enrol this till again.")
            return key

    def get(self, name: str) -> str | None:
        """A secret, or None.

        Raises:
            SecretsError: it cannot be read.
        """
        with self._lock:
            return self._place.get(name)

    def put(self, name: str, value: str) -> None:
        """Keep a secret.

        Raises:
            SecretsError: it cannot be kept; what was there is still there.
        """
        with self._lock:
            self._place.put(name, value)

    def _refuse_second_key(self) -> None:
        """A keyring that is locked or was swapped must not make a till forget its journal."""
        if any((self._data_dir / name).exists() for name in _DATABASES):
            raise SecretsError(
                "The key of this till's files is not in the keyring of this user: sign in as the user who enrolled"
                " the till, or enrol it again."
            )


class FilePlace:
    """A JSON object in a file of mode 0600, replaced whole at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> str | None:
        """One member of the object, or None."""
        return self._read().get(name)

    def put(self, name: str, value: str) -> None:
        """Replace the file by one with this member."""
        content = json.dumps(self._read() | {name: value}, indent=1, sort_keys=True)
        try:
            replace_file(self._path, content.encode())
        except OSError as error:
            raise SecretsError("This till cannot keep its secrets: the disk is full or may not be written.") from error

    def _read(self) -> dict[str, str]:
        try:
            if os.name != "nt" and self._path.stat().st_mode & 0o077:
                self._path.chmod(FILE_MODE)
            found = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SecretsError("This till may not read its own secrets: start it as the user who set it up.") from error
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise SecretsError("The file that keeps this till's secrets is damaged: enrol this till again.")
        return found


class KeyringPlace:
    """The system's keyring, under one service name."""

    def __init__(self, backend: KeyringBackend, service: str) -> None:
        self._backend = backend
        self._service = service

    def get(self, name: str) -> str | None:
        """One entry, or None."""
        from keyring.errors import KeyringError

        try:
            return self._backend.get_password(self._service, name)
        except KeyringError as error:
            raise SecretsError(_LOCKED) from error

    def put(self, name: str, value: str) -> None:
        """Keep one entry."""
        from keyring.errors import KeyringError

        try:
            self._backend.set_password(self._service, name, value)
        except KeyringError as error:
            raise SecretsError(_LOCKED) from error


_LOCKED: Final = "The keyring of this user does not open: unlock it, then start again."


def system_keyring() -> KeyringBackend | None:
    """The keyring of this system, None when there is none that keeps secrets under the user's login.

    The import costs 74 ms, so only a till that uses it pays.
    """
    import keyring

    return acceptable(keyring.get_keyring())


def acceptable(backend: KeyringBackend) -> KeyringBackend | None:
    """The first true system keyring in a back-end or in its chain; None for plaintext, null, fail and unknown ones."""
    candidates = getattr(backend, "backends", None) or [backend]
    return next((each for each in candidates if type(each).__module__.startswith(_SYSTEM_KEYRINGS)), None)
