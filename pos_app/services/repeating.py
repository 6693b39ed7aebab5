"""When the outbox tries again (reliability 4.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pos_app.domain.trouble import SlowDownError, Trouble
from pos_app.services.ports import Clock, Waits

BUSY_PAUSES_S: Final = (1.0, 2.0, 4.0)
"""A busy customer (521) is not asked about again at once (contract section 11)."""

LONGEST_WAIT: Final = timedelta(hours=2)
"""No till waits longer before it tries again by itself: a service asks for an hour at most (`Retry-After`)."""


class Backoff:
    """Full jitter, doubling from `base_s` to `cap_s` with each failure of a key in this process."""

    def __init__(self, clock: Clock, waits: Waits, random_bytes: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._waits = waits
        self._random_bytes = random_bytes
        self._failures: Counter[str] = Counter()
        self._due_at: dict[str, float] = {}

    def next_try(self, key: str, trouble: Trouble | None) -> datetime:
        """When the outbox may try again after one more failure; never sooner than the service asked for."""
        doublings = min(self._failures[key], 16)
        self._failures[key] += 1
        longest_s = min(self._waits.cap_s, self._waits.base_s * 2**doublings)
        wait_s = longest_s * int.from_bytes(self._random_bytes(4), "big") / 2**32
        if isinstance(trouble, SlowDownError):
            wait_s = max(wait_s, trouble.retry_after_s)
        self._due_at[key] = self._clock.mono() + wait_s
        return self._clock.wall() + timedelta(seconds=wait_s)

    def is_due(self, key: str) -> bool:
        """Say whether this key waits for nothing in this process."""
        return self._clock.mono() >= self._due_at.get(key, float("-inf"))

    def forget(self, key: str) -> None:
        """A sure answer came: the next failure starts from the beginning."""
        self._failures.pop(key, None)
        self._due_at.pop(key, None)


def has_come(moment: datetime, now: datetime) -> bool:
    """Say whether a waiting time is over. One that lies further ahead than any wait was set by a clock that was wrong.

    Without that a clock that stood in another year for a minute would leave a redemption open until then.
    """
    return moment <= now or moment - now > LONGEST_WAIT
