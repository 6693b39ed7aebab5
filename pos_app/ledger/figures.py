"""What the ledger counts of itself beside its answers; whoever shows figures listens (sync-api 12).

Only words from short lists are counted: no person, no till, no number of anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Happening(StrEnum):
    """What is counted, and by which word."""

    CODE_SENT = "code_sent"
    """By the channel: sms, email and so on."""
    CODE_FAILED = "code_failed"
    """By the channel; the sender gave an error or took too long."""
    DATABASE_BUSY = "database_busy"
    """By the lane, `read` or `write`: the caller was told to come again."""
    DATABASE_RETRY = "database_retry"
    """By the lane: a transaction lost against another one and ran again."""
    LEASE = "lease"
    """By what became of it: granted, refused, closed, reclaimed, revoked, written_off."""
    SETTLED = "settled"
    """By the outcome of a row: settled, settled_short, refused, replayed; and late, fork beside it."""
    JOB_DONE = "job_done"
    """By the job's name."""
    JOB_FAILED = "job_failed"
    """By the job's name."""


Listener = Callable[[Happening, str], None]


class Figures:
    """Tells whoever listens what happened; nobody may be listening."""

    def __init__(self) -> None:
        self._listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        """Tell `listener` from now on. It must be quick and must not raise."""
        self._listener = listener

    def count(self, happening: Happening, which: str = "") -> None:
        """Count one. `which` is a word from a short list."""
        if self._listener is not None:
            self._listener(happening, which)
