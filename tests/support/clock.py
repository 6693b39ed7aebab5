"""A clock that moves only when it is told to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Keeps `services.ports.Clock`'s promise: sleeping takes no time and moves both hands."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._mono = 1000.0
        self._boots = 1
        self._lock = threading.Lock()

    def wall(self) -> datetime:
        with self._lock:
            return self._now

    def mono(self) -> float:
        with self._lock:
            return self._mono

    def boot(self) -> str:
        with self._lock:
            return f"run {self._boots}"

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._mono += seconds

    def set_wall(self, now: datetime) -> None:
        """Somebody sets the wall clock; the other one goes on."""
        with self._lock:
            self._now = now

    def start_machine_again(self) -> None:
        """The machine was switched off and on: its seconds begin anew."""
        with self._lock:
            self._boots += 1
            self._mono = 10.0
