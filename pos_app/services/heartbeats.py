"""Tells the ledger every half minute how this till is, and does what it wants (sync-api 9)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from pos_app.domain.feed import Heartbeat, HeartbeatAnswer
from pos_app.domain.leases import LeaseState
from pos_app.domain.redemption import State
from pos_app.domain.trouble import Trouble
from pos_app.services.clock_trust import ClockTrust
from pos_app.services.kept_rules import KeptRules
from pos_app.services.leasing import LeaseKeeper
from pos_app.services.line import Line
from pos_app.services.offers import Offers
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Clock
from pos_app.services.seals_port import Seals
from pos_app.services.sync_port import SyncLedger

_log: Final = logging.getLogger(__name__)

EVERY_S: Final = 30.0
COUNTERSIGNED: Final = "audit.countersigned"
"""The journal's note of the last head of the audit that the ledger signed: `count hash`."""


class Heartbeats:
    """One heartbeat at a time. `version` is this program's."""

    def __init__(
        self,
        *,
        ledger: SyncLedger,
        journal: TillJournal,
        clock: Clock,
        trust: ClockTrust,
        line: Line,
        seals: Seals,
        rules: KeptRules,
        leases: LeaseKeeper,
        offers: Offers,
        version: str,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._trust = trust
        self._line = line
        self._seals = seals
        self._rules = rules
        self._leases = leases
        self._offers = offers
        self._version = version
        self._last: HeartbeatAnswer | None = None

    @property
    def last(self) -> HeartbeatAnswer | None:
        """The last answer since the start, None before it; `till_state` is what the window shows of this till."""
        return self._last

    def beat(self) -> HeartbeatAnswer:
        """Send one heartbeat and do what its answer wants; leases that are wanted back are closed by `leases.tend`.

        Raises:
            Trouble: no answer; nothing changed.
            StorageError: what the answer wants could not be kept.
        """
        beat = self._beat()
        try:
            answer = self._ledger.heartbeat(beat)
        except Trouble as trouble:
            self._line.met(trouble)
            raise
        self._line.met(None)
        self._last = answer
        self._trust.met(answer.server_time)
        self._rules.switch(is_on=answer.redemptions_enabled)
        self._leases.wanted_back((*answer.revoked, *answer.give_back_wanted))
        self._offers.seen(answer.epoch)
        self._countersigned(beat, answer)
        return answer

    def _beat(self) -> Heartbeat:
        now = self._clock.wall()
        waiting = [row for row in self._journal.open_redemptions() if row.state is not State.PARKED]
        oldest = min((row.created_at for row in waiting), default=now)
        audit = self._journal.audit_head()
        held = [each for each in self._journal.leases() if each.state in {LeaseState.OPEN, LeaseState.CLOSING}]
        return Heartbeat(
            till_epoch=self._journal.chain_head().till_epoch,
            version=self._version,
            wall_clock=now,
            outbox_count=len(waiting),
            oldest_s=max(0, (now - oldest) // timedelta(seconds=1)),
            audit_head=audit.hash,
            audit_count=audit.count,
            leases={each.lease.lease_id: each.spent for each in held},
        )

    def _countersigned(self, beat: Heartbeat, answer: HeartbeatAnswer) -> None:
        """Keep the ledger's word that it saw this head: a tail cut off later shows."""
        signed = answer.countersigned
        if signed is None or (signed.head, signed.count) != (beat.audit_head, beat.audit_count):
            return
        if not self._seals.is_countersigned(signed):
            _log.error("the ledger's word on the audit is not as it signs: it is not kept")
            return
        text = f"{signed.count} {signed.head}"
        if self._journal.recall(COUNTERSIGNED) != text:
            self._journal.remember(COUNTERSIGNED, text)
