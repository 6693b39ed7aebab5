"""What enrolment and operators need of this till's secrets: hashes of PINs, and the key it signs with."""

from __future__ import annotations

from typing import Protocol


class Pins(Protocol):
    """Keeps PINs as hashes only. Slow on purpose: never on the window's thread."""

    def hash(self, pin: str) -> str:
        """What is kept of a PIN."""
        ...

    def is_right(self, pin_hash: str, pin: str) -> bool:
        """Say whether this is the PIN behind a hash; a damaged hash is nobody's."""
        ...


class TillKeyring(Protocol):
    """The keys of this till's enrolments (sync-api 4.1). The private halves never leave the secrets."""

    @property
    def epoch(self) -> int:
        """The till epoch of the key in use; 0: it was never enrolled."""
        ...

    def public_key(self) -> str:
        """The public half of the key in use, base64 of 32 bytes."""
        ...

    def next_public_key(self) -> str:
        """The public half of the key of the next enrolment; the same one until `adopt`."""
        ...

    def adopt(self, public_key: str, till_epoch: int) -> None:
        """The ledger took this key for this epoch: it is the one in use.

        Raises:
            StorageError: it cannot be kept.
        """
        ...
