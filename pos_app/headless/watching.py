"""Tells of rows that changed while no command waited for them, and prints what was made (reliability 5.2)."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from pos_app.domain.redemption import FINAL, Redemption, State
from pos_app.domain.trouble import StorageError
from pos_app.headless.lines import Voice
from pos_app.headless.results import of_row
from pos_app.services.offline_port import TillJournal
from pos_app.services.receipts import Printer, Receipt, Receipts, is_made
from pos_app.ui.serving import Serving

_log: Final = logging.getLogger(__name__)


class Watch:
    """Knows the rows that are open and what was last said of them. Safe to use from any thread."""

    def __init__(self, journal: TillJournal, voice: Voice, serving: Serving, receipts: Receipts) -> None:
        self._journal = journal
        self._voice = voice
        self._serving = serving
        self._receipts = receipts
        self._lock = threading.Lock()
        self._known: dict[str, State] = {}
        self._waited: Counter[str] = Counter()
        self._unprinted: set[str] = set()

    def begin(self) -> None:
        """At start: take in what is open, before anything moves it."""
        with self._lock:
            self._known = {row.key: row.state for row in self._journal.open_redemptions()}

    def print_found(self) -> None:
        """At start: print what was made and has no finished print."""
        try:
            self._receipts.print_found()
        except StorageError:
            _log.warning("receipts wait: the journal cannot be written")

    @contextmanager
    def waiting(self, key: str | None) -> Iterator[Waited]:
        """A command waits for a row; of this one it is told in its answer and nowhere else."""
        waited = Waited(self)
        if key is not None:
            waited.add(key)
        try:
            yield waited
        finally:
            self._end(waited.keys)

    def add(self, key: str) -> None:
        """A command waits for this row from now on."""
        with self._lock:
            self._waited[key] += 1

    def _end(self, keys: Iterable[str]) -> None:
        """The command has answered: what it said is known."""
        with self._lock:
            for key in keys:
                self._waited[key] -= 1
                if not self._waited[key]:
                    del self._waited[key]
                try:
                    self._heard(self._journal.get(key))
                except (KeyError, StorageError):
                    continue
        self._print()

    def look(self) -> None:
        """Look for rows that changed, tell of them, and print what was made."""
        try:
            with self._lock:
                changed = self._changed()
                for row in changed:
                    self._heard(row)
        except StorageError:
            return  # A journal that cannot be read says nothing; the status says why.
        for row in changed:
            self._voice.say("row", **of_row(row, self._serving).members(), state=row.state.value)
        self._print()

    def _changed(self) -> list[Redemption]:
        now = {row.key: row for row in self._journal.open_redemptions()}
        for key in self._known:
            if key not in now:
                now[key] = self._journal.get(key)
        return [row for key, row in now.items() if key not in self._waited and self._moved(row)]

    def _moved(self, row: Redemption) -> bool:
        """Say whether a row is another than it was; a new one is its command's, which takes it in when it answers."""
        return row.key in self._known and self._known[row.key] is not row.state

    def _heard(self, row: Redemption) -> None:
        if row.state in FINAL:
            self._known.pop(row.key, None)
        else:
            self._known[row.key] = row.state
        if is_made(row) and row.printed_at is None:
            self._unprinted.add(row.key)

    def _print(self) -> None:
        with self._lock:
            due = sorted(self._unprinted)
        for key in due:
            try:
                self._receipts.print_new(key)
            except StorageError:
                _log.warning("a receipt waits: the journal cannot be written")
                return
            with self._lock:
                self._unprinted.discard(key)


class Waited:
    """The rows one command waits for."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.keys: list[str] = []

    def add(self, key: str) -> None:
        """One more."""
        self.keys.append(key)
        self._watch.add(key)


def printer_of(voice: Voice) -> Printer:
    """Prints receipts as lines."""

    def put(receipt: Receipt) -> None:
        row = receipt.row
        voice.say(
            "receipt",
            key=row.key,
            redemption_id=row.redemption_id,
            points=str(row.points),
            offline=receipt.is_offline,
            duplicate=receipt.is_duplicate,
        )

    return put
