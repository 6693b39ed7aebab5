"""Carries one row to the ledger and writes down what the answer means: redemptions, reversals, cancels.

`road` is held from the commit of SENT (or CANCELLING) to the commit of the answer, so one row at a time is on its way
and a give-up waits for a request that is out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from pos_app.domain.answers import WalletView
from pos_app.domain.commands import Approval, Cancel, CancelReason
from pos_app.domain.crash_points import reach
from pos_app.domain.redemption import Event, Kind, Redemption, State
from pos_app.domain.trouble import LineDownError, StorageError, Trouble, UnclearAnswerError
from pos_app.services import outcomes
from pos_app.services.giving_back import GivesBack
from pos_app.services.line import Line
from pos_app.services.ports import Clock, Journal, Ledger
from pos_app.services.record import Listener, Record
from pos_app.services.repeating import Backoff
from pos_app.services.service import Service
from pos_app.services.turns import Turns

WAITING: Final = frozenset({State.READY, State.UNKNOWN})

Met = Callable[[datetime], None]
"""Hears the ledger's time from each answer that tells it."""


class Sender:
    """Sends single copies. `road` is for its callers, who change rows between two sendings."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        journal: Journal,
        record: Record,
        line: Line,
        clock: Clock,
        service: Service,
        backoff: Backoff,
        turns: Turns,
        gives_back: GivesBack | None,
        on_met: Met | None,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._record = record
        self._line = line
        self._clock = clock
        self._service = service
        self._backoff = backoff
        self._turns = turns
        self._gives_back = gives_back
        self._on_met = on_met
        self.road = threading.Lock()

    def send(
        self,
        key: str,
        code: str | None,
        on_change: Listener | None,
        *,
        approval: Approval | None = None,
        by_itself: bool = False,
    ) -> Trouble | None:
        """Send one copy: SENT is committed before any byte leaves. Returns what kept a sure answer away."""
        with self.road:
            row = self._record.found(self._journal.get(key), on_change)
            if self._turns.is_given_up(key) or row.state not in WAITING:
                return None
            if row.state is State.UNKNOWN and self._service.is_given is not True:
                return self._hold_back(row, on_change)
            sending = row.moved(
                Event.SENDING,
                self._clock.wall(),
                attempts=row.attempts + 1,
                refusal=None,
                next_try_at=None,
                sent_by_itself=by_itself,
            )
            sent = self._record.put(sending, on_change)
            after, wallet, trouble = self._carry(sent, row.state, code, approval)
            self._line.met(trouble)
            if trouble is None:
                reach("C6")
            if after.state is State.UNKNOWN or (after.state is State.READY and trouble is not None and by_itself):
                after = replace(after, next_try_at=self._backoff.next_try(key, trouble))
            try:
                self._record.write_down(after, wallet, on_change, is_repeatable=self._service.is_given is not False)
            except StorageError:  # As good as lost: the row stays SENT, and the outbox finds the answer out again.
                return UnclearAnswerError("the answer could not be written down")
            if trouble is None and self._gives_back is not None:
                self._gives_back.ask_again(after)
            return trouble

    def cancel(self, row: Redemption, on_change: Listener | None, approval: Approval | None = None) -> Trouble | None:
        """Tell the ledger that this redemption must not happen. Called on the road, with a CANCELLING row.

        A reversal is given up only before it was sent, or surely came to nothing: nobody is asked then.
        """
        if row.attempts == 0 or row.kind is Kind.REVERSE:
            self._record.put(row.moved(Event.CANCEL_RECORDED, self._clock.wall(), next_try_at=None), on_change)
            return None
        reason = CancelReason(row.cancel_reason or CancelReason.OTHER)
        reach("C9")
        try:
            answer = self._ledger.cancel(Cancel(key=row.key, reason=reason, cashier=row.cashier, approval=approval))
        except Trouble as trouble:
            self._line.met(trouble)
            if isinstance(trouble, outcomes.CANNOT_BE_CANCELLED):
                after = row.moved(Event.IMPOSSIBLE, self._clock.wall(), next_try_at=None)
            else:
                again_at = self._backoff.next_try(row.key, trouble)
                after = row.moved(Event.UNCLEAR, self._clock.wall(), next_try_at=again_at)
            self._record.put(after, on_change)
            return trouble
        self._line.met(None)
        self._met(None if answer is None else answer.server_time)
        after = self._record.put(outcomes.after_cancel(row, answer, self._clock.wall()), on_change)
        if answer is not None and answer.wallet is not None:
            self._record.keep_balance(after, answer.wallet.balance, answer.wallet.available, answer.wallet.version)
        return None

    def _carry(
        self, sent: Redemption, before: State, code: str | None, approval: Approval | None
    ) -> tuple[Redemption, WalletView | None, Trouble | None]:
        """Carry one copy to the ledger: what it led to, what the wallet holds now, what kept a sure answer away."""
        try:
            if sent.kind is Kind.REVERSE:
                reversal = self._ledger.reverse(replace(outcomes.reverse_of(sent), approval=approval))
                after = outcomes.after_reversal(sent, before, reversal, self._clock.wall())
                extension = reversal.extension
            else:
                command = replace(sent.as_command(code), approval=approval)
                if self._gives_back is not None:
                    command = self._gives_back.beside(command)
                answer = self._ledger.redeem(command)
                after = outcomes.after_answer(sent, before, answer, self._clock.wall())
                extension = answer.extension
        except Trouble as trouble:
            can_repeat = self._service.is_given is True
            after = outcomes.after_trouble(sent, before, trouble, is_repeatable=can_repeat, at=self._clock.wall())
            return after, None, trouble
        self._met(None if extension is None else extension.server_time)
        return after, None if extension is None else extension.wallet, None

    def _hold_back(self, row: Redemption, on_change: Listener | None) -> Trouble | None:
        """An unclear redemption is not sent to a service that does not, or not yet, promise to repeat a key."""
        if self._service.is_given is False:
            self._record.park(row, on_change)
            return None
        trouble = LineDownError("the service cannot be asked whether it repeats a key")
        if row.next_try_at is not None:
            self._record.put(replace(row, next_try_at=self._backoff.next_try(row.key, trouble)), on_change)
        return trouble

    def _met(self, server_time: datetime | None) -> None:
        """The ledger told its time; a full disk must not hide the answer it came with."""
        if server_time is None or self._on_met is None:
            return
        try:
            self._on_met(server_time)
        except StorageError:
            return
