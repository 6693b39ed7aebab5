"""How often one till may ask (contract 1.1, "Rate limit")."""

from __future__ import annotations

import math
from threading import Lock
from typing import Final

from pos_app.ledger.http.troubles import TooManyError

_WINDOW_S: Final = 60.0


class RateLimit:
    """At most so many requests a minute for each till, spread evenly: unused ones add up to one minute's worth.

    Kept in memory only: with several processes each counts its own, which is enough to stop a till that runs wild.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, float]] = {}
        """Requests left and when that was counted, by the till's login."""
        self._lock = Lock()

    def take(self, login: str, now: float) -> None:
        """Count one request of a till that has proved itself; `now` in seconds of the monotonic clock.

        Raises:
            TooManyError: it used up its share; the error says how long to wait.
        """
        gained_each_s = self._per_minute / _WINDOW_S
        with self._lock:
            left, counted_at = self._left.get(login, (float(self._per_minute), now))
            left = min(float(self._per_minute), left + (now - counted_at) * gained_each_s)
            if left < 1:
                self._left[login] = (left, now)
                raise TooManyError(max(1, math.ceil((1 - left) / gained_each_s)))
            self._left[login] = (left - 1, now)
