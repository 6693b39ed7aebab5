"""A clock that can be moved on, for a ledger in test mode (sync-api 13, `POST /admin/tick`)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from pos_app.services.ports import Clock


class MovedClock:
    """Another clock, and what was added to it. What was added ends with the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._added_s = 0.0

    def wall(self) -> datetime:
        """The moved wall clock, in UTC."""
        return self._clock.wall() + timedelta(seconds=self._added_s)

    def mono(self) -> float:
        """Moved seconds."""
        return self._clock.mono() + self._added_s

    def sleep(self, seconds: float) -> None:
        """Wait so many real seconds."""
        self._clock.sleep(seconds)

    def move(self, seconds: float) -> None:
        """Move both hands on."""
        with self._lock:
            self._added_s += seconds
