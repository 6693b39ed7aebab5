"""The ledger's secrets: a folder only its owner can read, beside the database and never in it (sync-api 14)."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

PEPPER_BYTES: Final = 32
_TOKEN_BYTES: Final = 24
"""24 random bytes are the 32 characters of `admin.token`."""

_WEBHOOK_KEY_BYTES: Final = 32


class SecretsDamagedError(Exception):
    """A file of the secrets folder cannot be read as what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSecrets:
    """What the ledger must never tell. Several processes share one folder; nothing of it is in `repr`."""

    folder: Path
    pepper: bytes = field(repr=False)
    key_id: str
    signing_key: Ed25519PrivateKey = field(repr=False)
    admin_token: str = field(repr=False)
    webhook_key: bytes = field(repr=False)
    """Signs messages to webhooks: the text of its file, so that it is easily given to the receiver."""

    @property
    def public_key(self) -> str:
        """The Ed25519 public key tills check signatures with, base64 of 32 bytes (`ledger_keys`, sync-api 3)."""
        raw = self.signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b64encode(raw).decode("ascii")

    @classmethod
    def open(cls, folder: Path) -> LedgerSecrets:
        """Read the secrets of a folder; what is missing is made first (folder 0700, files 0600).

        Raises:
            SecretsDamagedError: a file is there but is not what it should be.
            OSError: the folder cannot be made or read.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        pepper = _kept(folder / "pepper", lambda: secrets.token_bytes(PEPPER_BYTES))
        if len(pepper) != PEPPER_BYTES:
            raise SecretsDamagedError(f"{folder / 'pepper'} is not {PEPPER_BYTES} bytes long")
        key_id, signing_key = _read_signing_key(folder / "signing.key")
        token = _kept(folder / "admin.token", lambda: secrets.token_urlsafe(_TOKEN_BYTES).encode("ascii"))
        return cls(
            folder=folder,
            pepper=pepper,
            key_id=key_id,
            signing_key=signing_key,
            admin_token=token.decode("ascii").strip(),
            webhook_key=_webhook_key(folder / "webhook.key"),
        )


def _webhook_key(path: Path) -> bytes:
    key = _kept(path, lambda: secrets.token_hex(_WEBHOOK_KEY_BYTES).encode("ascii")).strip()
    if not key:
        raise SecretsDamagedError(f"{path} is empty")
    return key


def _read_signing_key(path: Path) -> tuple[str, Ed25519PrivateKey]:
    document = _kept(path, _new_signing_key)
    try:
        kept = json.loads(document)
        return str(kept["key_id"]), Ed25519PrivateKey.from_private_bytes(b64decode(kept["private_key"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SecretsDamagedError(f"{path} holds no signing key") from error


def _new_signing_key() -> bytes:
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return json.dumps({"key_id": "k1", "private_key": b64encode(raw).decode("ascii")}).encode("ascii")


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Read a secret, or make it once: when two processes start together, the first one's stays and both read it."""
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent)  # mkstemp gives mode 0600.
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            Path(temporary).unlink()
    return path.read_bytes()
