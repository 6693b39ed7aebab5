"""Idempotency keys: 128 random bits as 26 characters of Crockford's base32 (reliability 4.2)."""

from __future__ import annotations

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEY_BYTES: Final = 16
PRACTICE_PREFIX: Final = "TR-"
"""Keys of the trainer mode begin so; no real key can, and the ledger's HTTP face refuses them (400)."""

_KEY: Final = re.compile(f"[{ALPHABET}]{{26}}")


def key_from(random_bytes: bytes) -> str:
    """Make a key of 16 random bytes.

    Raises:
        ValueError: not exactly 16 bytes.
    """
    if len(random_bytes) != KEY_BYTES:
        raise ValueError(f"a key is made of {KEY_BYTES} bytes, not {len(random_bytes)}")
    number = int.from_bytes(random_bytes, "big")
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def is_key(text: str) -> bool:
    """Say whether `text` has the form of a real key."""
    return bool(_KEY.fullmatch(text))
