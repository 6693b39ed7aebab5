"""Whether a service may be sent a key twice, and when the outbox tries again (reliability 4.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pos_app.domain.answers import Capabilities
from pos_app.domain.trouble import SlowDownError, Trouble
from pos_app.services.line import Line
from pos_app.services.ports import Clock, Journal, Ledger, Waits

BUSY_PAUSES_S: Final = (1.0, 2.0, 4.0)
"""A busy customer (521) is not asked about again at once (contract section 11)."""

HAD_EXTENSION: Final = "service.has_extension"
"""The journal's note that this service once had the extension."""


class RepeatPromise:
    """Knows whether the service repeats its first answer to a known key instead of acting again.

    `has_idempotent_redeem` is the setting for a service without the extension, which cannot say so itself.
    """

    def __init__(self, ledger: Ledger, journal: Journal, line: Line, *, has_idempotent_redeem: bool) -> None:
        self._ledger = ledger
        self._journal = journal
        self._line = line
        self._has_idempotent_redeem = has_idempotent_redeem
        self._told: Capabilities | None = None

    @property
    def is_given(self) -> bool | None:
        """Say whether a key may be sent again; None while the service cannot be asked.

        A service that once had the extension and now has none is not trusted to repeat keys: something is wrong there,
        and a supervisor has to look (sync-api 3).
        """
        told = self.ask()
        if told is None:
            return None
        if told.has_extension:
            return told.idempotent_redeem
        return self._has_idempotent_redeem and self._journal.recall(HAD_EXTENSION) is None

    def ask(self) -> Capabilities | None:
        """What the service can do, asked until it answers once; None while it cannot be asked. May be slow."""
        if self._told is None:
            try:
                told = self._ledger.capabilities()
            except Trouble as trouble:
                self._line.met(trouble)
                return None
            if told.has_extension and self._journal.recall(HAD_EXTENSION) is None:
                self._journal.remember(HAD_EXTENSION, "yes")
            self._told = told
        return self._told


class Backoff:
    """Full jitter, doubling from `base_s` to `cap_s` with each failure of a key in this process."""

    def __init__(self, clock: Clock, waits: Waits, random_bytes: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._waits = waits
        self._random_bytes = random_bytes
        self._failures: Counter[str] = Counter()

    def next_try(self, key: str, trouble: Trouble | None) -> datetime:
        """When the outbox may try again after one more failure; never sooner than the service asked for."""
        doublings = min(self._failures[key], 16)
        self._failures[key] += 1
        longest_s = min(self._waits.cap_s, self._waits.base_s * 2**doublings)
        wait_s = longest_s * int.from_bytes(self._random_bytes(4), "big") / 2**32
        if isinstance(trouble, SlowDownError):
            wait_s = max(wait_s, trouble.retry_after_s)
        return self._clock.wall() + timedelta(seconds=wait_s)

    def forget(self, key: str) -> None:
        """A sure answer came: the next failure starts from the beginning."""
        self._failures.pop(key, None)
