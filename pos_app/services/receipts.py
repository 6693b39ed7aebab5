"""Prints a receipt for each redemption that was made, and says when an earlier one may have come out (reliability 4.2).

Two marks stand around a print: that it begins, and then that it ended. A till that stopped between them (crash point
C8) cannot know whether paper came out, so it prints again, marked as a duplicate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pos_app.domain.crash_points import reach
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Clock

PRINTING: Final = "receipt.printing"
"""The journal's note of the keys whose print began and may not have ended; those with `printed_at` have."""

LOOK_BACK: Final = timedelta(days=30)
"""Older redemptions are not printed by themselves any more."""

MADE: Final = frozenset({State.CONFIRMED, State.LOCAL_DONE, State.SETTLING, State.SETTLED, State.SETTLED_SHORT})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is printed. `is_duplicate` is false only when no earlier print of this redemption can have come out."""

    row: Redemption
    is_duplicate: bool

    @property
    def is_offline(self) -> bool:
        """Say whether it was made without the ledger."""
        return self.row.kind in (Kind.LEASE, Kind.RISK)


Printer = Callable[[Receipt], None]


class Receipts:
    """Prints. Safe to use from any thread; one receipt at a time."""

    def __init__(self, journal: TillJournal, clock: Clock, printer: Printer) -> None:
        self._journal = journal
        self._clock = clock
        self._printer = printer
        self._lock = threading.Lock()
        self._unsure: set[str] = set()
        """Keys whose print began, here or before this till stopped last, and has not surely ended."""

    def print_found(self) -> None:
        """At start: print what was made and has no finished print. Call it before anything else is printed.

        Raises:
            StorageError: a mark could not be kept; what is left is printed when this is called again.
        """
        since = self._clock.wall() - LOOK_BACK
        rows = [*self._journal.confirmed_since(since), *self._journal.open_redemptions()]
        due = [row for row in rows if is_made(row) and row.printed_at is None]
        with self._lock:
            self._unsure |= set((self._journal.recall(PRINTING) or "").split())
            for row in due:
                self._print(row.key)

    def print_new(self, key: str) -> None:
        """Print the receipt of a redemption that was just made; one that has a finished print is left alone.

        Raises:
            StorageError: a mark could not be kept; where it was the first, nothing was printed.
        """
        with self._lock:
            self._print(key)

    def print_again(self, key: str) -> None:
        """Print another copy of a receipt.

        Raises:
            KeyError: there is no such redemption.
            ValueError: it was not made.
            StorageError: a mark could not be kept.
        """
        with self._lock:
            self._print(key, is_wanted=True)

    def _print(self, key: str, *, is_wanted: bool = False) -> None:
        row = self._journal.get(key)
        if not is_made(row):
            raise ValueError("only what was redeemed has a receipt")
        if row.printed_at is not None and not is_wanted:
            return
        reach("C7")
        is_duplicate = row.printed_at is not None or key in self._unsure
        self._journal.remember(PRINTING, " ".join(sorted(self._unsure | {key})))
        self._unsure.add(key)
        self._printer(Receipt(row, is_duplicate))
        reach("C8")
        self._journal.mark_printed(key, self._clock.wall())
        self._unsure.discard(key)


def is_made(row: Redemption) -> bool:
    """Say whether a row is a redemption, and was made."""
    return row.state in MADE and row.kind is not Kind.REVERSE
