"""Tells the ledger what was redeemed without it, until it has surely heard (reliability 4.2, 4.3; sync-api 7).

SETTLING is committed before any byte leaves, and no answer takes a row back to LOCAL_DONE: it goes again, for ever,
and the ledger repeats its first result. One bad row is parked and never stops the others.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pos_app.domain.crash_points import committing, reach
from pos_app.domain.redemption import FINAL, Event, Redemption, State
from pos_app.domain.settling import SettleAnswer, Settled, SettleOutcome, Spend
from pos_app.domain.trouble import SyncRefusedError, Trouble
from pos_app.services.clock_trust import ClockTrust
from pos_app.services.learning import keep_balance
from pos_app.services.line import Line
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Cache, Clock
from pos_app.services.repeating import Backoff
from pos_app.services.sync_port import SyncLedger

BATCH_MAX: Final = 100
_WHO: Final = "settle"
_UNSETTLED: Final = frozenset({State.LOCAL_DONE, State.SETTLING})
_EVENTS: Final = {
    SettleOutcome.SETTLED: Event.SETTLED_WHOLE,
    SettleOutcome.SETTLED_SHORT: Event.SETTLED_PARTLY,
    SettleOutcome.REFUSED: Event.IMPOSSIBLE,
}


class Settling:
    """Sends rows made here. Safe to use from any thread; one call to the ledger at a time."""

    def __init__(
        self,
        *,
        ledger: SyncLedger,
        journal: TillJournal,
        cache: Cache,
        clock: Clock,
        trust: ClockTrust,
        line: Line,
        backoff: Backoff,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._cache = cache
        self._clock = clock
        self._trust = trust
        self._line = line
        self._backoff = backoff
        self._calling = threading.Lock()
        self._gap: int | None = None

    @property
    def missing_seq(self) -> int | None:
        """The number the ledger waits for and this journal has not: the till must be enrolled again; None: none."""
        return self._gap

    def resume(self) -> None:
        """At start: a row found SETTLING was on its way, and goes again. Sends nothing. Raises: StorageError."""
        with self._calling:
            for row in self._journal.open_redemptions():
                if row.state is State.SETTLING:
                    self._journal.put(row.moved(Event.UNCLEAR, self._clock.wall()))

    def settle(self, *, at_once: bool = False) -> Sequence[Redemption]:
        """Send what is not settled yet, all of it, nothing before its time unless `at_once`; returns what changed.

        Raises:
            Trouble: no answer came; the rows go again, for ever. SyncRefusedError `gap`: see `missing_seq`.
            StorageError: nothing more was sent.
        """
        if not self._calling.acquire(blocking=at_once):
            return ()
        try:
            if not at_once and not self._backoff.is_due(_WHO):
                return ()
            keys = [row.key for row in self._journal.open_redemptions() if row.state in _UNSETTLED]
            return self._send_all(keys)
        finally:
            self._calling.release()

    def offer(self, keys: Iterable[str]) -> Sequence[Redemption]:
        """Send sealed rows once more, also final ones, whose states stay: what a restored ledger lost (4.4).

        Raises: as `settle`.
        """
        with self._calling:
            return self._send_all(keys)

    def _send_all(self, keys: Iterable[str]) -> Sequence[Redemption]:
        """Send these rows, those of the oldest epoch of the till first."""
        by_epoch: dict[int, list[Spend]] = {}
        for key in keys:
            by_epoch.setdefault(self._journal.epoch_of(key), []).append(self._journal.sealed(key))
        changed: dict[str, Redemption] = {}
        for epoch, spends in sorted(by_epoch.items()):
            self._send_epoch(epoch, sorted(spends, key=lambda spend: spend.seq), changed)
        return tuple(changed.values())

    # --- One epoch of the till ---------------------------------------------------------------------------------------

    def _send_epoch(self, epoch: int, spends: list[Spend], changed: dict[str, Redemption]) -> None:
        """Send rows of one epoch in batches, by number."""
        gaps: set[int] = set()
        while spends:
            batch = spends[:BATCH_MAX]
            try:
                answer = self._carry(epoch, batch)
            except SyncRefusedError as refused:
                asked_for = _next_seq(refused)
                if asked_for is None or asked_for in gaps:
                    raise self._failed(refused) from None
                gaps.add(asked_for)
                missing = self._from(epoch, asked_for, batch[0].seq)
                if not missing:
                    self._gap = asked_for
                    raise self._failed(refused) from None
                spends = missing + spends
                continue
            except Trouble as trouble:
                raise self._failed(trouble) from None
            self._gap = None
            self._write_down(answer, batch, changed)
            spends = spends[BATCH_MAX:]
        self._backoff.forget(_WHO)

    def _from(self, epoch: int, first: int, before: int) -> list[Spend]:
        """The rows from the one a gap asks for up to what was about to be sent; none where one is missing."""
        found: list[Spend] = []
        while first < before:
            there = [each for each in self._journal.sealed_from(epoch, first, BATCH_MAX) if each.seq < before]
            if not there or there[0].seq != first:
                return []
            found += there
            first = there[-1].seq + 1
        return found

    def _carry(self, epoch: int, batch: Sequence[Spend]) -> SettleAnswer:
        """Commit SETTLING, then send; whatever keeps an answer away takes the rows back to LOCAL_DONE."""
        for spend in batch:
            row = self._journal.get(spend.key)
            if row.state is State.LOCAL_DONE:
                attempts = row.attempts + 1
                self._journal.put(row.moved(Event.SETTLE_SENT, self._clock.wall(), attempts=attempts))
        try:
            answer = self._ledger.settle(epoch, batch)
        except Trouble as trouble:
            self._line.met(trouble)
            self._take_back(batch)
            raise
        self._line.met(None)
        reach("C12")
        self._trust.met(answer.server_time)
        return answer

    def _take_back(self, batch: Sequence[Spend]) -> None:
        for spend in batch:
            row = self._journal.get(spend.key)
            if row.state is State.SETTLING:
                self._journal.put(row.moved(Event.UNCLEAR, self._clock.wall()))

    def _write_down(self, answer: SettleAnswer, batch: Sequence[Spend], changed: dict[str, Redemption]) -> None:
        """Commit what each result means; a row without one, or with another's number, goes again."""
        sent = {spend.key: spend for spend in batch}
        for result in answer.results:
            spend = sent.pop(result.key, None)
            row = self._journal.get(result.key) if spend is not None and spend.seq == result.seq else None
            if row is not None and row.state in {State.SETTLING} | FINAL:
                after = after_result(row, result, self._clock.wall(), answer.epoch)
                self._journal.put(after)
                changed[row.key] = after
                self._learn(after, result)
        self._take_back(list(sent.values()))

    def _learn(self, row: Redemption, result: Settled) -> None:
        """Let the cache know what the wallet holds now (C13)."""
        wallet = result.wallet
        if wallet is None or row.family_group is not None:
            return
        reach("C13")
        with committing("C13"):
            keep_balance(
                self._cache,
                row.customer,
                row.program_id,
                balance=wallet.balance,
                available=wallet.available,
                at=self._clock.wall(),
            )

    def _failed(self, trouble: Trouble) -> Trouble:
        self._backoff.next_try(_WHO, trouble)
        return trouble


def after_result(row: Redemption, result: Settled, at: datetime, epoch: int) -> Redemption:
    """The row after the ledger's result: from where its points came, and what the store lost.

    A final row that was offered again stays what it is; a parked one waits for a supervisor.
    """
    told = {
        "reason": result.reason,
        "redemption_id": result.redemption_id or row.redemption_id,
        "from_lease": result.from_lease,
        "from_free": result.from_free,
        "store_loss": result.store_loss,
        "balance_after": result.wallet.balance if result.wallet is not None else row.balance_after,
        "confirmed_epoch": epoch,
        "next_try_at": None,
    }
    if row.state is State.SETTLING:
        return row.moved(_EVENTS[result.outcome], at, **told)
    return replace(row, changed_at=at, **told)  # type: ignore[arg-type]


def _next_seq(refused: SyncRefusedError) -> int | None:
    told = refused.told.get("next_seq")
    return told if refused.reason == "gap" and isinstance(told, int) else None
