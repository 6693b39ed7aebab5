"""Redeems exactly once: the journal first, then the wire, then what the answer surely says (reliability 4.2).

One copy is carried by `sending`, one at a time: a give-up waits for a request that is out. What an answer means stands
in `outcomes`, who may touch which row in `turns`, whether a key may be sent again in `service` and when in `repeating`;
`record` writes everything down. Rows made without the ledger (LEASE, RISK) are `settling`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from pos_app.domain.commands import Approval, CancelReason
from pos_app.domain.crash_points import committing, reach
from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.domain.points import Points
from pos_app.domain.redemption import Event, Kind, Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import RedemptionRequest
from pos_app.domain.trouble import LineDownError, SlowDownError, StorageError, Trouble, UnclearAnswerError
from pos_app.services import outcomes
from pos_app.services.giving_back import GivesBack
from pos_app.services.line import Line
from pos_app.services.ports import Cache, Clock, Journal, Ledger, Waits
from pos_app.services.record import Listener, Record
from pos_app.services.repeating import BUSY_PAUSES_S, Backoff, has_come
from pos_app.services.results import Checked, LineState, Source
from pos_app.services.sending import WAITING, Met, Sender
from pos_app.services.service import Service
from pos_app.services.turns import Turns

FOREGROUND_PAUSES_S: Final = (0.0, 1.0, 2.0, 4.0)
"""While the cashier waits an unclear redemption is repeated at once, then after these pauses (reliability 4.2)."""

SLICE_S: Final = 0.1
"""How often a waiting submit looks whether it was given up."""

SENT_BY_ITSELF: Final = timedelta(hours=24)
"""Later nobody is charged without a person's decision: the sale is long over."""

BATCH_MAX: Final = 20

_IN_DOUBT: Final = WAITING | {State.SENT}


class RedemptionService:
    """Starts, sends, repeats and cancels redemptions. Safe to use from any thread; one row at a time is on its way.

    `random_bytes(n)` is the source of keys, `key_prefix` is "TR-" in training, `has_idempotent_redeem` is the
    setting used for a service that does not say so itself, unless a `service` is given. `gives_back` knows of leases,
    `on_met` hears the ledger's time, `on_moved` that an answer moved points. An `on_change` must not call this service.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        journal: Journal,
        cache: Cache,
        line: Line,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        waits: Waits,
        key_prefix: str = "",
        has_idempotent_redeem: bool = False,
        service: Service | None = None,
        gives_back: GivesBack | None = None,
        on_met: Met | None = None,
        on_moved: Callable[[], None] | None = None,
    ) -> None:
        self._journal = journal
        self._line = line
        self._clock = clock
        self._random_bytes = random_bytes
        self._waits = waits
        self._key_prefix = key_prefix
        self._gives_back = gives_back
        self._service = service or Service(ledger, journal, line, has_idempotent_redeem=has_idempotent_redeem)
        backoff = Backoff(clock, waits, random_bytes)
        self._record = Record(journal, cache, clock, backoff, on_moved)
        self._turns = Turns()
        self._sender = Sender(
            ledger=ledger,
            journal=journal,
            record=self._record,
            line=line,
            clock=clock,
            service=self._service,
            backoff=backoff,
            turns=self._turns,
            gives_back=gives_back,
            on_met=on_met,
        )
        self._road = self._sender.road
        self._draining = threading.Lock()

    # --- What the cashier does -----------------------------------------------------------------------------------

    def start(
        self,
        checked: Checked,
        *,
        customer_id: int | None,
        customer_label: str,
        bill_number: str | None = None,
        cashier: int | None = None,
    ) -> Redemption:
        """Commit a new redemption (READY, crash point C1) of what was checked. Nothing is sent yet.

        Raises:
            StorageError: nothing was kept; no redemption was started.
            ValueError: the check was not a yes of the ledger.
        """
        if checked.source is not Source.LEDGER or not checked.is_redeemable:
            raise ValueError("only what the ledger said yes to can be redeemed")
        program_id = checked.request.program_id
        if program_id is None and checked.program is not None:
            program_id = checked.program.program_id
        return self.begin(
            checked.request,
            program_id=program_id,
            points=checked.points,
            worth=checked.worth if checked.worth is not None else Decimal(0),
            customer_id=customer_id,
            customer_label=customer_label,
            bill_number=bill_number,
            cashier=cashier,
        )

    def begin(
        self,
        asked: RedemptionRequest,
        *,
        points: Points,
        program_id: int | None,
        customer_id: int | None,
        customer_label: str,
        worth: Decimal = Decimal(0),
        bill_number: str | None = None,
        cashier: int | None = None,
    ) -> Redemption:
        """Commit a new redemption (READY, crash point C1) that was not checked first: the ledger judges it whole.

        Raises:
            StorageError: nothing was kept; no redemption was started.
        """
        now = self._clock.wall()
        key = self.new_key()
        new = Redemption(
            key=key,
            state=State.READY,
            customer=asked.customer,
            customer_id=customer_id,
            customer_label=customer_label,
            program_id=program_id,
            program_group=asked.program_group,
            family_group=asked.family_group,
            points=points,
            worth=worth,
            skip_validation=asked.skip_validation,
            validation_type=asked.validation_type,
            bill_number=bill_number,
            cashier=cashier,
            created_at=now,
            changed_at=now,
        )
        reach("C0")
        with committing("C0"):
            if self._gives_back is None:
                self._journal.add(new)
            else:
                self._gives_back.add(new, replace(asked, program_id=program_id))
        reach("C1")
        return self._journal.get(key)

    def new_key(self) -> str:
        """A key for a new row."""
        return self._key_prefix + key_from(self._random_bytes(KEY_BYTES))

    def submit(
        self,
        key: str,
        validation_code: str | None = None,
        on_change: Listener | None = None,
        *,
        approval: Approval | None = None,
    ) -> Redemption:
        """Send the redemption, or the reversal, and return its committed row. An `approval` lives in memory only.

        Repeats an unclear one under the same key for at most `waits.foreground_s`; `on_change` hears each committed
        state on the way (from the calling thread).

        CONFIRMED, REFUSED, READY (`refusal` says which proof failed, or that the customer is busy), UNKNOWN, PARKED,
        CANCELLED (the ledger had recorded a cancel) or, after a give-up from another thread, whatever the cancel led
        to. No line before anything was sent leaves UNKNOWN too, since only a committed SENT preceded it.

        Raises:
            NotAcceptedError, NotUnderstoodError, NotSafeError, WrongAddressError: surely nothing was done; the row is
                UNKNOWN still where an earlier copy may have acted, else READY.
            LineDownError, SlowDownError: only at a service that does not repeat a key: surely nothing was done, the
                row is READY.
            UnclearAnswerError: the answer could not be written down; the outbox finds it out again.
            StorageError: nothing was sent.
        """
        with self._turns.in_hand(key):
            try:
                self._service.ask()
                trouble = self._send_patiently(key, validation_code, on_change, approval)
            except StorageError:
                if self._journal.get(key).state is State.READY:
                    raise
                raise UnclearAnswerError("the journal cannot be written, and an earlier copy may have acted") from None
            row = self._journal.get(key)
        if self._turns.is_given_up(key):
            self._turns.wait_for_give_up(key)
            return self._journal.get(key)
        is_told_by_row = row.state is State.UNKNOWN and not isinstance(trouble, outcomes.SOMEBODY_MUST_ACT)
        if trouble is not None and row.state in _IN_DOUBT and not is_told_by_row:
            raise trouble
        return row

    def give_up(
        self,
        key: str,
        reason: CancelReason,
        on_change: Listener | None = None,
        *,
        approval: Approval | None = None,
    ) -> Redemption:
        """Cancel: commit CANCELLING, then tell the ledger. Waits for a request that is still out.

        The row returned is CANCELLED, REVERSED or REFUSED by the ledger's word, CANCELLING while it has not
        answered, PARKED at a service that cannot cancel. What was never sent is CANCELLED without asking anybody.
        What was CONFIRMED, also by the request that was out, stays so at a service that cannot cancel, and when its
        receipt was printed and no `approval` is given.

        Raises:
            StorageError: the give-up could not be written down; nothing was sent.
        """
        with self._turns.giving_up(key), self._road:
            row = self._record.found(self._journal.get(key), on_change)
            if self._may_be_given_up(row, approval):
                now = self._clock.wall()
                given_up = row.moved(Event.GAVE_UP, now, cancel_reason=reason.value, next_try_at=now)
                with committing("C9"):
                    row = self._record.put(given_up, on_change)
            if row.state is State.CANCELLING:
                self._sender.cancel(row, on_change, approval)
        return self._journal.get(key)

    def open_redemptions(self) -> Sequence[Redemption]:
        """Rows that are not final, oldest first."""
        return self._journal.open_redemptions()

    def get(self, key: str) -> Redemption:
        """The committed row."""
        return self._journal.get(key)

    # --- What the outbox does --------------------------------------------------------------------------------------

    def resume(self) -> Sequence[Redemption]:
        """At start: SENT becomes UNKNOWN. Returns all open rows, oldest first. Sends nothing.

        A READY row that was never sent and never answered is one whose till stopped between the two commits (C1): it
        may be sent by itself from now on, as the cashier had asked for it. Any other READY row is given up: its
        cashier was told that nothing had been done, may redeem anew under another key, and nobody is left to bring
        the proof it waited for.
        """
        with self._road:
            now = self._clock.wall()
            for row in self._journal.open_redemptions():
                self._record.found(row, None)
                if row.state is not State.READY or row.next_try_at is not None:
                    continue
                if row.attempts == 0:
                    self._record.put(replace(row, next_try_at=now), None)
                else:
                    why = CancelReason.CUSTOMER_LEFT.value
                    self._record.put(row.moved(Event.GAVE_UP, now, cancel_reason=why, next_try_at=now), None)
        return self._journal.open_redemptions()

    def drain(self, *, at_once: bool = False) -> Sequence[Redemption]:
        """Send again what is due, at most 20 rows; `at_once` whatever may be sent by itself. Returns what changed.

        UNKNOWN goes under the same key without a code, and so does READY of crash point C1; CANCELLING tells its
        cancel again. Called from a timer in the background. Full jitter between `base_s` and `cap_s`. A redemption
        without a sure answer is not sent by itself after 24 hours; a cancel goes on for ever.

        Raises:
            StorageError: the journal cannot be written, so nothing more was sent.
        """
        if not self._draining.acquire(blocking=False):
            return ()
        try:
            if self._line.view.state is not LineState.OFFLINE:
                self._service.ask()
            return self._drain_due(at_once=at_once)
        finally:
            self._draining.release()

    def _drain_due(self, *, at_once: bool) -> list[Redemption]:
        changed: list[Redemption] = []
        due = [row for row in self._journal.open_redemptions() if self._is_due(row, at_once=at_once)]
        for row in due if at_once else due[:BATCH_MAX]:
            if self._turns.has_cashier:
                break  # The cashier goes first: there is one road.
            trouble = self._send_again(row)
            after = self._journal.get(row.key)
            if after != row:
                changed.append(after)
            if isinstance(trouble, LineDownError):
                break
        return changed

    def _is_due(self, row: Redemption, *, at_once: bool) -> bool:
        if row.state is State.SENT:
            return True  # Its answer could not be written down, or `resume` was not called.
        if row.next_try_at is None:
            return row.state is State.CANCELLING
        is_time = at_once or has_come(row.next_try_at, self._clock.wall())
        return is_time and row.state in WAITING | {State.CANCELLING}

    def _send_again(self, row: Redemption) -> Trouble | None:
        if row.state is State.CANCELLING:
            with self._road:
                row = self._journal.get(row.key)
                return self._sender.cancel(row, None) if row.state is State.CANCELLING else None
        if abs(self._clock.wall() - row.created_at) >= SENT_BY_ITSELF:  # Begun in the future: nobody knows how old.
            with self._road:
                row = self._record.found(self._journal.get(row.key), None)
                if row.state in WAITING and row.next_try_at is not None:
                    self._record.put(replace(row, next_try_at=None), None)
            return None
        return self._sender.send(row.key, None, None, by_itself=True)

    # --- One attempt -----------------------------------------------------------------------------------------------

    def _send_patiently(
        self, key: str, code: str | None, on_change: Listener | None, approval: Approval | None
    ) -> Trouble | None:
        """Send, and repeat while the cashier waits. Returns the trouble of the last attempt."""
        ends = self._clock.mono() + self._waits.foreground_s
        pauses = list(FOREGROUND_PAUSES_S)
        while True:
            trouble = self._sender.send(key, code, on_change, approval=approval)
            row = self._journal.get(key)
            if not self._is_worth_repeating(row, trouble) or not pauses:
                return trouble
            if row.refusal is Refusal.CUSTOMER_BUSY and len(pauses) > len(BUSY_PAUSES_S):
                pauses = list(BUSY_PAUSES_S)
            pause = pauses.pop(0)
            if isinstance(trouble, SlowDownError):
                pause = max(pause, trouble.retry_after_s)
            if self._clock.mono() + pause > ends or not self._paused(key, pause):
                return trouble

    def _is_worth_repeating(self, row: Redemption, trouble: Trouble | None) -> bool:
        if isinstance(trouble, outcomes.SOMEBODY_MUST_ACT):
            return False
        if row.state is State.READY:
            return trouble is not None or row.refusal is Refusal.CUSTOMER_BUSY
        return row.state is State.UNKNOWN and self._service.is_given is True

    def _may_be_given_up(self, row: Redemption, approval: Approval | None) -> bool:
        """Say whether a row can still be cancelled: not what was made here, nor a reversal that is on its way.

        What was confirmed is cancelled by a cashier before a receipt, by a supervisor after it (4.7), and only at a
        ledger that has such a call: elsewhere it is reversed.
        """
        if row.kind is not Kind.ONLINE:
            return row.kind is Kind.REVERSE and row.state is State.READY
        if row.state is State.CONFIRMED:
            can_cancel = self._service.had_extension and not self._service.has_lost_extension
            return can_cancel and (row.printed_at is None or approval is not None)
        return row.state in WAITING or row.state is State.PARKED

    # --- Small helpers ---------------------------------------------------------------------------------------------

    def _paused(self, key: str, seconds: float) -> bool:
        """Wait in slices; False as soon as somebody gives this redemption up."""
        ends = self._clock.mono() + seconds
        while not self._turns.is_given_up(key):
            left = ends - self._clock.mono()
            if left <= 0:
                return True
            self._clock.sleep(min(left, SLICE_S))
        return False
