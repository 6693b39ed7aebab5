"""When a till last told of itself (sync-api 13, `last_seen`), without making it wait for it."""

from __future__ import annotations

import threading
from typing import Final

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.exc import IntegrityError

from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError, Store
from pos_app.ledger.rulebook import to_ms
from pos_app.services.ports import Clock

_EVERY_MS: Final = 60_000
_SEEN: Final = schema.till_seen
_SAW: Final = update(_SEEN).where(_SEEN.c.login == bindparam("till")).values(at=bindparam("now"))


class TillsSeen:
    """Notes in memory, at most one a minute for each till, and written down later by whoever has time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[str, int] = {}
        self._waiting: dict[str, int] = {}

    def note(self, login: str) -> None:
        """A till asked; takes no time and never fails."""
        now = to_ms(self._clock.wall())
        with self._lock:
            if abs(now - self._noted.get(login, -_EVERY_MS)) >= _EVERY_MS:
                self._noted[login] = self._waiting[login] = now

    def write_down(self) -> None:
        """Write what was noted since the last time.

        Raises:
            LedgerBusyError: the database was not had in time; the notes are kept.
        """
        with self._lock:
            waiting = dict(self._waiting)
        if not waiting:
            return
        self._store.writing(lambda connection: _write(connection, waiting))
        with self._lock:
            for login, at in waiting.items():
                if self._waiting.get(login) == at:
                    del self._waiting[login]


def _write(connection: Connection, seen: dict[str, int]) -> None:
    for login, at in sorted(seen.items()):
        if connection.execute(_SAW, {"till": login, "now": at}).rowcount == 1:
            continue
        try:
            connection.execute(_SEEN.insert(), {"login": login, "at": at})
        except IntegrityError as error:  # Another process was faster.
            raise LostRaceError from error
