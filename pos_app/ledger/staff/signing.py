"""What the ledger signs with, and how anybody can tell that it did (sync-api 14 and 15)."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pos_app.ledger.secrets import LedgerSecrets
from pos_app.wire.canonical import canonical_bytes

SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The ledger's Ed25519 key under its name. `key_id` goes into everything that is signed."""

    key_id: str
    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, secrets: LedgerSecrets) -> Signer:
        """The signer of a ledger's secrets."""
        return cls(key_id=secrets.key_id, key=secrets.signing_key)

    def sign_bytes(self, signed: bytes) -> bytes:
        """The 64 bytes of a signature."""
        return self.key.sign(signed)

    def sign(self, document: object) -> str:
        """The signature of a document's canonical JSON, as members of JSON carry it: base64 with padding."""
        return b64encode(self.sign_bytes(canonical_bytes(document))).decode("ascii")

    def is_mine(self, signed: bytes, signature: bytes) -> bool:
        """Say whether this key made the signature over exactly these bytes."""
        try:
            self.key.public_key().verify(signature, signed)
        except InvalidSignature:
            return False
        return True


def is_signed(public_key: str, signature: str, signed: bytes) -> bool:
    """Say whether a till's key (base64 of 32 bytes) made this signature (base64 of 64) over exactly these bytes."""
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(public_key, validate=True))
        key.verify(b64decode(signature, validate=True), signed)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
