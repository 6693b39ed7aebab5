"""What is wrong with something a stranger wrote, and how much of it is read at all (contract 1.5, sync-api 1)."""

from __future__ import annotations

from typing import Final

BODY_MAX_BYTES: Final = 4 * 1024 * 1024
"""No body of the contract comes near this (sync-api 1)."""
DEPTH_MAX: Final = 32
ELEMENTS_MAX: Final = 50_000


class MalformedError(ValueError):
    """A request that cannot be understood: 400 (contract 1.5).

    `field` names the parameter or member, `expected` what should stand there, `found` the kind of what did stand
    there. None of them ever holds the value itself, which may be personal.
    """

    def __init__(self, field: str, expected: str, found: str = "") -> None:
        super().__init__(f"{field}: expected {expected}" + (f", found {found}" if found else ""))
        self.field = field
        self.expected = expected
        self.found = found


class UnreadableAnswerError(ValueError):
    """A body that is no answer of the contract. Says what was missing, never what stood there."""


def check_size(body: bytes) -> None:
    """Refuse a body before it is looked at.

    Raises:
        MalformedError: it is larger than `BODY_MAX_BYTES`.
    """
    if len(body) > BODY_MAX_BYTES:
        raise MalformedError("body", f"at most {BODY_MAX_BYTES} bytes", "more")
