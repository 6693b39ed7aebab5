"""Writes down what became of a redemption: a commit first, and only then let anybody know (reliability 4.2)."""

from __future__ import annotations

from collections.abc import Callable

from pos_app.domain.answers import WalletView
from pos_app.domain.crash_points import committing, reach
from pos_app.domain.points import Points
from pos_app.domain.redemption import Event, Redemption, State
from pos_app.services.learning import keep_balance
from pos_app.services.ports import Cache, Clock, Journal
from pos_app.services.repeating import Backoff

Listener = Callable[[Redemption], None]
"""Hears each committed state of a redemption, as it was read back."""


class Record:
    """The journal's pen. Its caller holds the road, so nobody else writes the same row."""

    def __init__(
        self,
        journal: Journal,
        cache: Cache,
        clock: Clock,
        backoff: Backoff,
        on_moved: Callable[[], None] | None = None,
    ) -> None:
        """`on_moved` hears that points were moved: the feed is asked for changes then (sync-api 5)."""
        self._on_moved = on_moved
        self._journal = journal
        self._cache = cache
        self._clock = clock
        self._backoff = backoff

    def put(self, row: Redemption, on_change: Listener | None) -> Redemption:
        """Commit the row and return it as it was committed; `on_change` hears what was read back."""
        self._journal.put(row)
        kept = self._journal.get(row.key)
        if kept.state not in {State.SENT, State.UNKNOWN, State.CANCELLING}:
            self._backoff.forget(row.key)
        if kept.state in {State.CONFIRMED, State.REVERSED} and self._on_moved is not None:
            self._on_moved()
        if on_change is not None:
            on_change(kept)
        return kept

    def found(self, row: Redemption, on_change: Listener | None) -> Redemption:
        """A row found SENT while nobody is on the road: its answer is lost, so it may have acted."""
        if row.state is not State.SENT:
            return row
        now = self._clock.wall()
        return self.put(row.moved(Event.UNCLEAR, now, next_try_at=now), on_change)

    def park(self, row: Redemption, on_change: Listener | None) -> None:
        """Leave an unclear redemption to a supervisor: this service does not repeat a key."""
        self.put(row.moved(Event.PARKED_BY_RULE, self._clock.wall(), next_try_at=None), on_change)

    def keep_balance(self, row: Redemption, balance: Points | None, available: Points | None, version: int = 0) -> None:
        """Let the cache know (C13). A program group or family group was paid by other wallets than her own."""
        if balance is None or available is None or row.program_group or row.family_group is not None:
            return
        reach("C13")
        with committing("C13"):
            keep_balance(
                self._cache,
                row.customer,
                row.program_id,
                balance=balance,
                available=available,
                at=self._clock.wall(),
                version=version,
            )

    def write_down(
        self, after: Redemption, wallet: WalletView | None, on_change: Listener | None, *, is_repeatable: bool
    ) -> None:
        """Commit what the answer meant, and only then let anybody know."""
        row = self.put(after, on_change)
        if row.state is State.UNKNOWN and not is_repeatable:
            self.park(row, on_change)
        if row.state is State.CONFIRMED:
            if wallet is None:
                self.keep_balance(row, row.balance_after, row.balance_after)
            else:
                self.keep_balance(row, wallet.balance, wallet.available, wallet.version)
