"""What the ledger signs with, and how anybody can tell that it did (sync-api 14 and 15)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
