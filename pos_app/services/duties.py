"""The duties of a till that can work without a line, in their order (reliability 4.2 to 4.4, sync-api 5 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pos_app.services.clock_trust import ClockTrust
from pos_app.services.heartbeats import EVERY_S as HEARTBEAT_S
from pos_app.services.heartbeats import Heartbeats
from pos_app.services.leasing import LeaseKeeper
from pos_app.services.line import Line
from pos_app.services.offers import Offers
from pos_app.services.redemption import RedemptionService
from pos_app.services.rounds import Duty
from pos_app.services.service import Service
from pos_app.services.settling import Settling
from pos_app.services.syncing import SyncService

PROBE_S: Final = 4.0
CAPABILITIES_S: Final = 300.0
OFTEN_S: Final = 2.0
"""What waits by itself, row by row or by a backoff, is looked at so often."""
MARK_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Who does what. `sync` takes the feed into the cache; None: there is none to take."""

    line: Line
    service: Service
    trust: ClockTrust
    redemptions: RedemptionService
    settling: Settling
    heartbeats: Heartbeats
    offers: Offers
    leases: LeaseKeeper
    sync: SyncService | None = None


def duties(work: Work) -> Sequence[Duty]:
    """What is to be done; the names are those `Rounds.leave` and `Rounds.hurry` know.

    Where the service has no extension, or lost it, only the line, the outbox and the clock's mark are left.
    """

    def synced(do: Callable[[bool], object]) -> Callable[[bool], None]:
        def do_where_it_can(at_once: bool) -> None:
            if work.service.can_sync:
                do(at_once)

        return do_where_it_can

    changes = []
    if work.sync is not None:
        feed = _Changes(work.sync)
        changes = [Duty("changes", feed.every_s, synced(feed.take))]
    return (
        Duty("probe", PROBE_S, lambda _: work.line.probe(), needs_line=False),
        Duty("mark", MARK_S, lambda _: work.trust.tick(), needs_line=False),
        Duty("capabilities", CAPABILITIES_S, lambda _: work.service.ask(anew=True)),
        Duty("drain", OFTEN_S, lambda at_once: work.redemptions.drain(at_once=at_once)),
        Duty("settle", OFTEN_S, synced(lambda at_once: work.settling.settle(at_once=at_once))),
        Duty("heartbeat", HEARTBEAT_S, synced(lambda _: _beat(work))),
        Duty("offers", OFTEN_S, synced(lambda _: work.offers.offer())),
        *changes,
        Duty("leases", OFTEN_S, synced(lambda at_once: work.leases.tend(at_once=at_once))),
    )


def _beat(work: Work) -> None:
    """A heartbeat; where the ledger says that there are changes they are taken next."""
    if work.heartbeats.beat().has_changes and work.sync is not None:
        work.sync.nudge()


class _Changes:
    """Takes the feed page by page, so that a long snapshot leaves room for everything else."""

    def __init__(self, sync: SyncService) -> None:
        self._sync = sync
        self._comes_again = False

    def every_s(self) -> float:
        """At once while there are further pages."""
        return 0.0 if self._comes_again else OFTEN_S

    def take(self, at_once: bool) -> None:
        """One page; `at_once` all of them. Raises: Trouble, where the last one was not to be had."""
        if at_once:
            self._sync.nudge()
        self._comes_again = self._sync.tick()
        while at_once and self._comes_again:
            self._comes_again = self._sync.tick()
        trouble = self._sync.view().trouble
        if at_once and trouble is not None:
            raise trouble
