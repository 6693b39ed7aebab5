"""How many requests are at work, and whether the ledger is stopping: then these are finished and new ones refused."""

from __future__ import annotations

import threading


class AtWork:
    """Counts the requests of one process, so that a stop can wait for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._count = 0
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        """Say whether the ledger takes no new work."""
        return self._is_stopping

    @property
    def count(self) -> int:
        """So many requests are at work now."""
        return self._count

    def begin(self) -> None:
        """One more request is at work."""
        with self._lock:
            self._count += 1

    def end(self) -> None:
        """One of them has its answer."""
        with self._lock:
            self._count -= 1
            if self._is_stopping:
                self._changed.notify_all()

    def stop(self, wait_s: float) -> bool:
        """Take no new work and wait until the rest is done; False: some was still at work after `wait_s` seconds."""
        with self._changed:
            self._is_stopping = True
            return self._changed.wait_for(lambda: self._count == 0, wait_s)
