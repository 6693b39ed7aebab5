"""PINs as the ledger keeps them: Argon2id hashes only (sync-api 4.2).

A hash takes about a tenth of a second and 64 MiB on purpose, so it is never made while a transaction is open, and
only a few are made at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pos_app.ledger.errors import LedgerBusyError

_AT_A_TIME: Final = threading.BoundedSemaphore(4)
_WAIT_S: Final = 10.0


def hash_pin(pin: str) -> str:
    """What is kept of a PIN.

    Raises:
        LedgerBusyError: too many others are being hashed.
    """
    from argon2 import PasswordHasher  # Loaded only where PINs are, for it is slow to start.

    with _turn():
        return PasswordHasher().hash(pin)


def is_pin_right(pin_hash: str, pin: str) -> bool:
    """Say whether this is the PIN behind a hash.

    Raises:
        LedgerBusyError: too many others are being compared.
    """
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError

    with _turn():
        try:
            return PasswordHasher().verify(pin_hash, pin)
        except VerifyMismatchError:
            return False


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_A_TIME.acquire(timeout=_WAIT_S):
        raise LedgerBusyError
    try:
        yield
    finally:
        _AT_A_TIME.release()
