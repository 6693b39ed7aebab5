"""A service that said "come again later" is left alone until then, by every call of this till (contract 1.1)."""

from __future__ import annotations

import threading

from pos_app.domain.trouble import SlowDownError
from pos_app.services.ports import Clock


class Patience:
    """Knows until when the service wants to be left alone. Safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = float("-inf")
        """Seconds of the monotonic clock."""

    def asked_for(self, seconds: float) -> None:
        """The service said 429 or 503, and to come again in so many seconds."""
        with self._lock:
            self._until = max(self._until, self._clock.mono() + seconds)

    def wait(self, most_s: float) -> None:
        """Wait until the service may be asked again; called before anything is sent.

        Raises:
            SlowDownError: that is longer than `most_s` seconds, what the caller has; it says how long. Nothing was
                sent.
        """
        with self._lock:
            left_s = self._until - self._clock.mono()
        if left_s > most_s:
            raise SlowDownError(left_s)
        if left_s > 0:
            self._clock.sleep(left_s)
