"""PINs as Argon2id hashes: a hash takes a tenth of a second and 64 MiB, so that few can be tried (reliability 4.7)."""

from __future__ import annotations


class ArgonPins:
    """Implements `services.secret_ports.Pins`. Safe to use from any thread."""

    def hash(self, pin: str) -> str:
        """What is kept of a PIN."""
        from argon2 import PasswordHasher  # Loaded only where PINs are, for it is slow to start.

        return PasswordHasher().hash(pin)

    def is_right(self, pin_hash: str, pin: str) -> bool:
        """Say whether this is the PIN behind a hash; a damaged hash is nobody's."""
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return PasswordHasher().verify(pin_hash, pin)
        except (VerificationError, InvalidHashError):
            return False
