"""Asks for leases, renews them and gives them back (reliability 4.3, sync-api 6). All of it in the background.

A request is committed before it is first sent and goes out under its id until it is answered; a closing is committed
before it is told, and a lease that was once CLOSING is never spent from again, whatever becomes of the message.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pos_app.domain.held import AskedLease, HeldLease
from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.domain.leases import GiveBack, Lease, LeaseRequest, LeaseResult, LeaseState, NoLease, Owner
from pos_app.domain.points import ZERO
from pos_app.domain.request import CustomerRef
from pos_app.domain.trouble import StorageError, SyncRefusedError, Trouble
from pos_app.services.clock_trust import ClockTrust
from pos_app.services.kept_rules import KeptRules
from pos_app.services.line import Line
from pos_app.services.offline_port import TillJournal
from pos_app.services.repeating import Backoff
from pos_app.services.seals_port import Seals
from pos_app.services.sync_port import SyncLedger

_log: Final = logging.getLogger(__name__)

BATCH_MAX: Final = 100
WISHES_MAX: Final = 2_000
NOT_AGAIN: Final = timedelta(minutes=10)
"""A wallet that got no lease is not asked about again sooner: none of the reasons passes in a moment."""

NO_LEASES_AT_ALL: Final = frozenset({"not_enrolled", "stale_till_epoch", "till_frozen", "till_lost", "till_disabled"})
"""The ledger gives this till none (sync-api 1): the window says to enrol again."""

_WHO: Final = "leases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A wallet this till would like a lease of, and how its customer can be found without the cache."""

    owner: Owner
    program_id: int
    customer_id: int
    customer_label: str = field(default="", repr=False)
    identifiers: tuple[CustomerRef, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAnswer:
    """What came of asking now: an open lease, the ledger's reason for none, or (both None) no answer yet."""

    held: HeldLease | None = None
    reason: str | None = None


class LeaseKeeper:
    """Keeps this till's leases. Safe to use from any thread; one call to the ledger at a time."""

    def __init__(
        self,
        *,
        ledger: SyncLedger,
        journal: TillJournal,
        rules: KeptRules,
        trust: ClockTrust,
        line: Line,
        seals: Seals,
        backoff: Backoff,
        random_bytes: Callable[[int], bytes],
        login: str,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._rules = rules
        self._trust = trust
        self._line = line
        self._seals = seals
        self._backoff = backoff
        self._random_bytes = random_bytes
        self._login = login
        self._calling = threading.Lock()
        self._lock = threading.Lock()
        self._wishes: deque[Wish] = deque(maxlen=WISHES_MAX)
        self._strange: deque[GiveBack] = deque(maxlen=BATCH_MAX)
        self._none: dict[tuple[Owner, int], tuple[NoLease, float]] = {}
        self._refused: str | None = None

    @property
    def refused(self) -> str | None:
        """The ledger's word for giving this till no lease at all (`not_enrolled`, `till_lost`, ...); None: it does."""
        return self._refused

    # --- Wanting ------------------------------------------------------------------------------------------------------

    def want(self, wishes: Iterable[Wish]) -> None:
        """Ask for these in the background, at the next `tend`. Costs nothing here."""
        with self._lock:
            self._wishes.extend(wishes)

    def want_again(self, leases: Iterable[HeldLease]) -> None:
        """Ask anew for wallets whose lease was given back."""
        self.want(_wish_of(each.asked) for each in leases)

    def ask_now(self, wish: Wish) -> LeaseAnswer:
        """Ask for one now and wait for the answer. Without one the request keeps its id and goes again at `tend`.

        Raises:
            StorageError: nothing was asked.
        """
        with self._calling:
            self._close_what_ended()
            self._none.pop((wish.owner, wish.program_id), None)
            asked = self._asked_for(wish)
            if asked is None:
                return LeaseAnswer(held=self._open(wish.owner, wish.program_id))
            try:
                self._send([asked])
            except StorageError:
                raise
            except Trouble:
                return LeaseAnswer()
            held = self._open(wish.owner, wish.program_id)
            known = self._none.get((wish.owner, wish.program_id))
            if held is not None:
                return LeaseAnswer(held=held)
            return LeaseAnswer(reason=self._refused or (None if known is None else known[0].value))

    def tend(self, *, at_once: bool = False) -> None:
        """Send what is asked for and what is to be closed; nothing before its time, unless `at_once`.

        Raises:
            Trouble: the line failed; what is left goes at a later `tend`.
            StorageError: nothing more was sent.
        """
        with self._calling:
            if at_once or self._backoff.is_due(_WHO):
                self._close_what_ended()
                self._ask_all()
                self._tell_closings()

    def wanted_back(self, lease_ids: Iterable[str]) -> None:
        """An online customer needs the points of these elsewhere, or they were revoked: never spent from again.

        Raises: StorageError.
        """
        mine = {each.lease.lease_id for each in self._journal.leases() if each.state is LeaseState.OPEN}
        for lease_id in lease_ids:
            if lease_id in mine:
                self._journal.mark_lease(lease_id, LeaseState.CLOSING)

    def close(self, owner: Owner, program_id: int) -> bool:
        """Give this wallet's lease back and ask for none. False: the ledger has not heard of it yet.

        Raises:
            StorageError: it is still open.
        """
        held = self._open(owner, program_id)
        if held is not None:
            self._journal.mark_lease(held.lease.lease_id, LeaseState.CLOSING)
        with self._calling:
            try:
                self._tell_closings()
            except StorageError:
                raise
            except Trouble:
                return False
            return True

    # --- Asking -------------------------------------------------------------------------------------------------------

    def _ask_all(self) -> None:
        waiting = list(self._journal.asked_leases())
        while waiting or self._wishes:
            batch, waiting = waiting[:BATCH_MAX], waiting[BATCH_MAX:]
            while len(batch) < BATCH_MAX:
                with self._lock:
                    wish = self._wishes.popleft() if self._wishes else None
                if wish is None:
                    break
                if (asked := self._asked_for(wish)) is not None and asked not in batch:
                    batch.append(asked)
            if batch:
                self._send(batch)

    def _asked_for(self, wish: Wish) -> AskedLease | None:
        """Commit a request for this wish, unless there is one, or a lease that is still good enough."""
        where = (wish.owner, wish.program_id)
        for each in self._journal.asked_leases():
            if (each.owner, each.program_id) == where:
                return each
        known = self._none.get(where)
        if known is not None and self._trust.hands().mono < known[1]:
            return None
        held = self._open(*where)
        if held is not None and self._is_good(held):
            return None
        now = self._trust.hands()
        asked = AskedLease(
            request_id=key_from(self._random_bytes(KEY_BYTES)),
            owner=wish.owner,
            program_id=wish.program_id,
            customer_id=wish.customer_id,
            customer_label=wish.customer_label,
            identifiers=wish.identifiers,
            asked_wall=now.wall,
            asked_mono=now.mono,
            boot=now.boot,
            renews=None if held is None else held.lease.lease_id,
        )
        self._journal.ask_lease(asked)
        return asked

    def _is_good(self, held: HeldLease) -> bool:
        """Whole, and with more than half its term to go: asking anew would only move points to and fro."""
        time = self._trust.left(held.asked, held.lease.term_s)
        return time.is_usable and not held.spent and time.left_s > held.lease.term_s / 2

    def _send(self, batch: Sequence[AskedLease]) -> None:
        epoch = self._journal.chain_head().till_epoch
        try:
            results = self._ledger.lease(epoch, [self._request(each) for each in batch])
        except SyncRefusedError as refused:
            self._failed(refused)
            if refused.reason not in NO_LEASES_AT_ALL:
                raise
            self._refused = refused.reason
            for each in batch:
                self._journal.answer_lease(each.request_id, None)
            return
        except Trouble as trouble:
            self._failed(trouble)
            raise
        self._met()
        self._refused = None
        told = {each.request_id: each for each in results}
        for each in batch:
            if each.request_id in told:
                self._keep(each, told[each.request_id], epoch)

    def _request(self, asked: AskedLease) -> LeaseRequest:
        given: tuple[GiveBack, ...] = ()
        if asked.renews is not None:
            given = (GiveBack(asked.renews, self._journal.lease(asked.renews).spent),)
        return LeaseRequest(
            request_id=asked.request_id, owner=asked.owner, program_id=asked.program_id, give_back=given
        )

    def _keep(self, asked: AskedLease, result: LeaseResult, epoch: int) -> None:
        lease = result.lease
        if lease is not None and not self._is_right(asked, lease, epoch):
            _log.error("the ledger's answer to a request for a lease is not as it signs them: it is not used")
            self._strange.append(GiveBack(lease.lease_id, ZERO))
            lease = None
        if lease is None:
            again_at = self._trust.hands().mono + NOT_AGAIN.total_seconds()
            reason = result.reason or NoLease.NOTHING_AVAILABLE
            self._none[asked.owner, asked.program_id] = (reason, again_at)
        else:
            self._rules.keep(asked.program_id)
        self._journal.answer_lease(asked.request_id, lease)

    def _is_right(self, asked: AskedLease, lease: Lease, epoch: int) -> bool:
        is_ours = (lease.till, lease.till_epoch) == (self._login, epoch)
        is_asked = (lease.owner, lease.program_id) == (asked.owner, asked.program_id)
        return is_ours and is_asked and self._seals.is_lease(lease)

    # --- Giving back --------------------------------------------------------------------------------------------------

    def _close_what_ended(self) -> None:
        """Past its term the till stops spending: what is left goes back to the wallet. A doubtful clock closes none.

        A lease of an earlier enrolment goes back as well, and is asked for anew.
        """
        epoch = self._journal.chain_head().till_epoch
        for each in self._journal.leases():
            if each.state is not LeaseState.OPEN:
                continue
            time = self._trust.left(each.asked, each.lease.term_s)
            is_old = each.lease.till_epoch != epoch
            if is_old or (time.distrust is None and not time.is_usable):
                self._journal.mark_lease(each.lease.lease_id, LeaseState.CLOSING)
            if is_old:
                self.want_again([each])

    def _tell_closings(self) -> None:
        """Tell the ledger of every lease that is being given back; repeating it frees nothing more.

        The leases of an unanswered renewal are told as well: both say the same.
        """
        closing = [
            GiveBack(each.lease.lease_id, each.spent)
            for each in self._journal.leases()
            if each.state is LeaseState.CLOSING
        ]
        given = [*closing, *self._strange]
        epoch = self._journal.chain_head().till_epoch
        for start in range(0, len(given), BATCH_MAX):
            batch = given[start : start + BATCH_MAX]
            try:
                freed = self._ledger.close_leases(epoch, batch)
            except Trouble as trouble:
                self._failed(trouble)
                raise
            self._met()
            heard = {each.lease_id for each in freed}
            for each in batch:
                if each in self._strange:
                    self._strange.remove(each)
                elif each.lease_id in heard:
                    self._journal.mark_lease(each.lease_id, LeaseState.CLOSED)

    # --- Small helpers ------------------------------------------------------------------------------------------------

    def _open(self, owner: Owner, program_id: int) -> HeldLease | None:
        mine = (
            each
            for each in self._journal.leases()
            if each.state is LeaseState.OPEN and (each.lease.owner, each.lease.program_id) == (owner, program_id)
        )
        return next(mine, None)

    def _met(self) -> None:
        self._line.met(None)
        self._backoff.forget(_WHO)

    def _failed(self, trouble: Trouble) -> None:
        self._line.met(trouble)
        self._backoff.next_try(_WHO, trouble)


def _wish_of(asked: AskedLease) -> Wish:
    return Wish(
        owner=asked.owner,
        program_id=asked.program_id,
        customer_id=asked.customer_id,
        customer_label=asked.customer_label,
        identifiers=asked.identifiers,
    )
