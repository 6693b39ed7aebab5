"""The till's signing keys in its secrets: the one in use, and the one of an enrolment that is not finished.

An enrolment touches two places that cannot be written in one commit: the journal begins a new chain, the secrets take
the new key into use. So the new key is kept before it is told, the journal is written when the ledger has taken it, and
a program that died in between sees by the journal's epoch which of its keys the ledger took.
"""

from __future__ import annotations

import binascii
import threading
from base64 import b64decode, b64encode
from typing import Final

from pos_app.files.seals import TillSeals
from pos_app.files.secrets import Secrets, SecretsError

SIGNING_KEY: Final = "signing_key"
"""`EPOCH:BASE64` of the 32 bytes of the private key in use."""
NEXT_SIGNING_KEY: Final = "next_signing_key"
"""The same of the key of the next enrolment; empty when none was begun."""

_KEY_BYTES: Final = 32


class TillKeys:
    """Implements `services.secret_ports.TillKeyring`, and makes the seals of the key in use."""

    def __init__(self, secrets: Secrets, *, journal_epoch: int) -> None:
        """`journal_epoch` is the till epoch whose rows the journal seals; 0: never enrolled.

        Raises:
            SecretsError: the secrets cannot be read or kept.
        """
        self._secrets = secrets
        self._lock = threading.Lock()
        kept = _read(secrets.get(SIGNING_KEY))
        if kept is None:
            kept = (0, TillSeals.new_key())
            secrets.put(SIGNING_KEY, _text(*kept))
        begun = _read(secrets.get(NEXT_SIGNING_KEY))
        if begun is not None and journal_epoch > kept[0]:
            kept = (journal_epoch, begun[1])
            self._keep(*kept)
        self._epoch, self._key = kept
        self.seals: Final = TillSeals(self._key)

    @property
    def epoch(self) -> int:
        """The till epoch of the key in use; 0: it was never enrolled."""
        return self._epoch

    def public_key(self) -> str:
        """The public half of the key in use."""
        return self.seals.public_key

    def next_public_key(self) -> str:
        """The public half of the key of the next enrolment, made and kept at the first call.

        Raises:
            SecretsError: it cannot be kept.
        """
        with self._lock:
            begun = _read(self._secrets.get(NEXT_SIGNING_KEY))
            if begun is None:
                begun = (0, TillSeals.new_key())
                self._secrets.put(NEXT_SIGNING_KEY, _text(*begun))
            return TillSeals(begun[1]).public_key

    def adopt(self, public_key: str, till_epoch: int) -> None:
        """The ledger took this key for this epoch: it is the one in use.

        Raises:
            SecretsError: it cannot be kept.
            ValueError: it is none of this till's keys.
        """
        with self._lock:
            begun = _read(self._secrets.get(NEXT_SIGNING_KEY))
            keys = [self._key, *([] if begun is None else [begun[1]])]
            taken = next((each for each in keys if TillSeals(each).public_key == public_key), None)
            if taken is None:
                raise ValueError("this is no key of this till")
            if (till_epoch, taken) != (self._epoch, self._key):
                self._keep(till_epoch, taken)
                self._epoch, self._key = till_epoch, taken
                self.seals.use(taken)

    def _keep(self, epoch: int, key: bytes) -> None:
        self._secrets.put(SIGNING_KEY, _text(epoch, key))
        self._secrets.put(NEXT_SIGNING_KEY, "")


def key_epoch(secrets: Secrets) -> int:
    """The till epoch of the key in the secrets, 0 where none was enrolled: then a journal was here too.

    Raises:
        SecretsError: the secrets cannot be read.
    """
    kept = _read(secrets.get(SIGNING_KEY))
    return 0 if kept is None else kept[0]


def _text(epoch: int, key: bytes) -> str:
    return f"{epoch}:{b64encode(key).decode('ascii')}"


def _read(text: str | None) -> tuple[int, bytes] | None:
    if not text:
        return None
    epoch, _, encoded = text.partition(":")
    try:
        key = b64decode(encoded, validate=True)
        if len(key) == _KEY_BYTES:
            return int(epoch), key
    except (ValueError, binascii.Error):
        pass
    raise SecretsError("The key this till signs with is damaged: enrol this till again.")
