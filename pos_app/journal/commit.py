"""One commit of the journal: what it writes, and what stood there before, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from pos_app.files.columns import moment_or_none, moment_text
from pos_app.journal.hashes import row_hash
from pos_app.journal.tables import MARK, Kept

MARK_KEY: Final = {"id": 1}
"""The one row that every commit writes: its number, and the clock's high-water mark (reliability 4.3)."""


class Commit:
    """Rows as they stand within one transaction, and the pen that writes them."""

    def __init__(self, connection: Connection) -> None:
        """Begin the commit after the last one."""
        self.connection: Final = connection
        self._before: list[tuple[Kept, Mapping[str, Any], dict[str, Any] | None]] = []
        self._read: dict[tuple[object, ...], dict[str, Any]] = {}
        self._mark = dict(self.get(MARK, MARK_KEY))
        self.number: Final = self._mark["commit_no"] + 1

    @property
    def till_epoch(self) -> int:
        """The enrolment this till is in; 0: it was never enrolled."""
        return int(self._mark["till_epoch"])

    @property
    def offline_blocked(self) -> str | None:
        """Why nothing may be spent without a line."""
        blocked: str | None = self._mark["offline_blocked"]
        return blocked

    def find(self, kept: Kept, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row of this key, None when there is none. It is read once; what this commit writes is read anew."""
        key = _place(kept, row)
        known = self._read.get(key) or kept.get(self.connection, row)
        if known is not None:
            self._read[key] = known
        return known

    def get(self, kept: Kept, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of this key.

        Raises:
            KeyError: there is none.
        """
        found = self.find(kept, row)
        if found is None:
            raise KeyError(next(iter(kept.key_of(row).values())))
        return found

    def add(self, kept: Kept, row: Mapping[str, Any]) -> None:
        """Add a row whose key is new."""
        self._writes(kept, row, None)
        kept.add(self.connection, self._signed(kept, row))

    def put(self, kept: Kept, row: Mapping[str, Any]) -> None:
        """Change a row.

        Raises:
            KeyError: there is none of this key.
        """
        self._writes(kept, row, self.get(kept, row))
        kept.put(self.connection, self._signed(kept, row))

    def remove(self, kept: Kept, row: Mapping[str, Any]) -> None:
        """Take a row away, if it is there."""
        before = self.find(kept, row)
        if before is not None:
            self._writes(kept, row, before)
            kept.remove(self.connection, row)

    def mark(self, **changes: Any) -> None:
        """Change what the one marking row says, when this commit ends."""
        self._mark |= changes

    def saw(self, wall: datetime) -> None:
        """Raise the clock's mark to this moment, if it is later."""
        seen = moment_or_none(self._mark["high_water"])
        self._mark["high_water"] = moment_text(wall if seen is None else max(seen, wall))

    def end(self, wall: datetime, *, rebased: datetime | None = None) -> None:
        """Write the marking row: the number of this commit, and the clock's mark, which only `rebased` sets back."""
        if rebased is None:
            self.saw(wall)
        else:
            self._mark["high_water"] = moment_text(rebased)
        self.put(MARK, self._mark)

    def take_back(self, connection: Connection) -> bool:
        """Put everything back as it stood before, in another transaction, if this commit was made; False: it was not.

        A disk can fail after the commit but before its last sync: then it stands although it was refused, and the
        cashier was told that nothing happened (promise P4).
        """
        mark = MARK.get(connection, MARK_KEY)
        if mark is None or mark["commit_no"] != self.number:
            return False
        for kept, row, before in reversed(self._before):
            kept.remove(connection, row)
            if before is not None:
                kept.add(connection, before)
        return True

    def _writes(self, kept: Kept, row: Mapping[str, Any], before: dict[str, Any] | None) -> None:
        self._before.append((kept, row, before))
        self._read.pop(_place(kept, row), None)

    def _signed(self, kept: Kept, row: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: value for name, value in row.items() if name != "id" or kept is MARK} | {"commit_no": self.number}
        return told | {"row_hash": row_hash(kept.name, told)}


def _place(kept: Kept, row: Mapping[str, Any]) -> tuple[object, ...]:
    return (kept, *kept.key_of(row).values())
