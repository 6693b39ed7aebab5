"""The till's signing key and the ledger's public keys: what is signed here, and what was signed there (sync-api 15).

The key is Ed25519. Its private half is a secret of the till (reliability 4.1); the ledger knows the public half since
the till was enrolled. The ledger's own keys come with its capabilities.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pos_app.domain.answers import LedgerKey
from pos_app.domain.feed import Countersigned
from pos_app.domain.leases import Lease
from pos_app.domain.passes import NotAPassError, Pass
from pos_app.domain.settling import Spend
from pos_app.wire.canonical import canonical_bytes
from pos_app.wire.heartbeats import countersigned_part
from pos_app.wire.leases import signed_part
from pos_app.wire.passes import read_pass
from pos_app.wire.settling import hash_of, signed_bytes

KEY_BYTES: Final = 32

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class TillSeals:
    """Implements `services.seals_port.Seals` with the 32 bytes of the till's private key."""

    def __init__(self, private_key: bytes) -> None:
        self._private_key = private_key
        self._signing: Ed25519PrivateKey | None = None
        self._told: tuple[LedgerKey, ...] = ()
        self._read: dict[str, Ed25519PublicKey] | None = None

    @staticmethod
    def new_key() -> bytes:
        """The 32 bytes of a new private key: any 32 random bytes are one."""
        return os.urandom(KEY_BYTES)

    @property
    def public_key(self) -> str:
        """The public half, base64 of 32 bytes, as `enrol` tells it (sync-api 4.1)."""
        return b64encode(self._key().public_key().public_bytes_raw()).decode("ascii")

    def use(self, private_key: bytes) -> None:
        """Sign with another key from now on: the till was enrolled again."""
        self._private_key, self._signing = private_key, None

    def learn(self, keys: Sequence[LedgerKey]) -> None:
        """The ledger's keys as it told them last; one that cannot be read counts as none.

        They are read when a signature is looked at first: that takes a library that no start should wait for.
        """
        self._told, self._read = tuple(keys), None

    @property
    def _ledgers(self) -> dict[str, Ed25519PublicKey]:
        told, known = self._told, self._read
        if known is None:
            known = _public_keys(told)
            if told is self._told:
                self._read = known
        return known

    def is_lease(self, lease: Lease) -> bool:
        """Say whether the ledger signed this lease, as it stands here."""
        return self._is_ledgers(canonical_bytes(signed_part(lease)), lease.signature)

    def is_countersigned(self, head: Countersigned) -> bool:
        """Say whether the ledger signed this head of the till's audit."""
        return self._is_ledgers(canonical_bytes(countersigned_part(head)), head.signature)

    def read_pass(self, text: str) -> Pass:
        """Read a pass that the ledger signed.

        Raises:
            NotAPassError: it has not the form of a pass, or somebody else signed it.
        """
        signed = read_pass(text)
        key = self._ledgers.get(signed.content.key_id)
        if key is None or not _is_by(key, signed.payload, signed.signature):
            raise NotAPassError("another signed this pass")
        return signed.content

    def seal(self, spend: Spend) -> Spend:
        """The row with its hash and this till's signature over it."""
        row_hash = hash_of(spend)
        signature = b64encode(self._key().sign(signed_bytes(row_hash))).decode("ascii")
        return replace(spend, hash=row_hash, signature=signature)

    def _key(self) -> Ed25519PrivateKey:
        if self._signing is None:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

            self._signing = Ed25519PrivateKey.from_private_bytes(self._private_key)
        return self._signing

    def _is_ledgers(self, signed: bytes, signature: str) -> bool:
        try:
            made = b64decode(signature, validate=True)
        except ValueError:
            return False
        return any(_is_by(key, signed, made) for key in self._ledgers.values())


def _public_keys(told: Sequence[LedgerKey]) -> dict[str, Ed25519PublicKey]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known: dict[str, Ed25519PublicKey] = {}
    for each in told:
        try:
            known[each.key_id] = Ed25519PublicKey.from_public_bytes(b64decode(each.public_key, validate=True))
        except ValueError:
            continue
    return known


def _is_by(key: Ed25519PublicKey, signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
