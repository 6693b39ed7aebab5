"""A journal that keeps `services.ports.Journal`'s promise in memory, and can be told to fail as a full disk does."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pos_app.domain.redemption import FINAL, Redemption, State
from pos_app.domain.trouble import StorageError


class MemoryJournal:
    """Rows and small facts. `commits` are the states in the order they were committed; while `is_full` none is."""

    def __init__(self) -> None:
        self.commits: list[tuple[str, State]] = []
        self.is_full = False
        self._rows: dict[str, Redemption] = {}
        self._facts: dict[str, str] = {}
        self._lock = threading.RLock()

    def add(self, redemption: Redemption) -> None:
        with self._lock:
            assert redemption.key not in self._rows, "a new redemption has a new key"
            self._commit(redemption)

    def put(self, redemption: Redemption) -> None:
        with self._lock:
            before = self._rows[redemption.key]
            assert before.state not in FINAL or before.state is redemption.state, "a final row stays"
            self._commit(redemption)

    def get(self, key: str) -> Redemption:
        with self._lock:
            return self._rows[key]

    def open_redemptions(self) -> Sequence[Redemption]:
        with self._lock:
            return [row for row in self._rows.values() if row.state not in FINAL]

    def recent(self, limit: int) -> Sequence[Redemption]:
        with self._lock:
            return list(reversed(self._rows.values()))[:limit]

    def remember(self, name: str, value: str) -> None:
        with self._lock:
            self._refuse_when_full()
            self._facts[name] = value

    def recall(self, name: str) -> str | None:
        with self._lock:
            return self._facts.get(name)

    def _commit(self, row: Redemption) -> None:
        self._refuse_when_full()
        self._rows[row.key] = row
        self.commits.append((row.key, row.state))

    def _refuse_when_full(self) -> None:
        if self.is_full:
            raise StorageError("the disk is full")
