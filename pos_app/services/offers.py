"""Offers a restored ledger what it may have lost: a receipt is not lost because a server was (reliability 4.4).

A ledger's epoch counts its restores. When it changed, the till sends its confirmed and settled redemptions of the last
30 days once more, under their keys: known ones are repeated, missing ones are charged as far as the wallet goes. What
was cancelled since is cancelled once more too: the backup may hold its redemption and not its cancel.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from pos_app.domain.commands import Cancel, CancelReason
from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.settling import Spend, SpendKind
from pos_app.services.leasing import LeaseKeeper
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Cache, Clock, Ledger
from pos_app.services.seals_port import Seals
from pos_app.services.settling import Settling

LOOK_BACK: Final = timedelta(days=30)
EPOCH: Final = "ledger.epoch"
"""The journal's note of the ledger's epoch that has all redemptions of this till."""
PENDING: Final = "ledger.epoch_seen"
"""The journal's note of a later one that was met."""


class Offers:
    """Safe to use from any thread."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        journal: TillJournal,
        cache: Cache,
        clock: Clock,
        seals: Seals,
        settling: Settling,
        leases: LeaseKeeper,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._cache = cache
        self._clock = clock
        self._seals = seals
        self._settling = settling
        self._leases = leases
        self._lock = threading.Lock()

    @property
    def is_pending(self) -> bool:
        """Say whether a restored ledger was met that has not been offered everything yet."""
        return self._journal.recall(PENDING) not in {None, self._journal.recall(EPOCH)}

    def seen(self, epoch: int) -> None:
        """The ledger told its epoch. Another one than before: its leases are gone, and all is offered again.

        Raises: StorageError.
        """
        with self._lock:
            if self._journal.recall(PENDING) == str(epoch):
                return
            if self._journal.recall(EPOCH) is None:
                self._journal.remember(EPOCH, str(epoch))
            else:
                held = [each for each in self._journal.leases() if each.state is LeaseState.OPEN]
                self._leases.wanted_back([each.lease.lease_id for each in held])
                self._leases.want_again(held)
            self._journal.remember(PENDING, str(epoch))

    def offer(self) -> None:
        """Offer what is still to be offered; nothing where nothing is.

        Raises: as `Settling.settle` and `Ledger.cancel`; what is left is offered at the next call.
        """
        with self._lock:
            if not self.is_pending:
                return
            before, epoch = int(self._journal.recall(EPOCH) or 0), int(self._journal.recall(PENDING) or 0)
            rows = self._journal.ended_since(self._clock.wall() - LOOK_BACK)
            cancelled = [row for row in rows if row.state in {State.CANCELLED, State.REVERSED}]
            old = [
                row
                for row in rows
                if row not in cancelled and (row.confirmed_epoch or before) != epoch and self._can_be_offered(row)
            ]
            for row in old:
                if row.seq is None:
                    self._journal.seal_online(row.key, self._sealing(row, row.confirmed_epoch or before))
            self._settling.offer([row.key for row in old])
            for row in cancelled:
                self._ledger.cancel(Cancel(key=row.key, reason=_reason(row), cashier=row.cashier))
            self._journal.remember(EPOCH, str(epoch))

    def _can_be_offered(self, row: Redemption) -> bool:
        """A redemption over a program group, or of nobody known, cannot be told as a row of one wallet."""
        if row.kind is not Kind.ONLINE:
            return row.kind is not Kind.REVERSE
        is_of_one = not row.program_group and row.program_id is not None and row.customer_id is not None
        return row.state is State.CONFIRMED and is_of_one and self._owner(row) is not None

    def _owner(self, row: Redemption) -> Owner | None:
        ref = row.family_group
        if ref is None:
            return Owner(OwnerKind.CUSTOMER, row.customer_id or 0)
        if ref.group_id is not None:
            return Owner(OwnerKind.FAMILY_GROUP, ref.group_id)
        record = self._cache.find_customer(row.customer)
        groups = record.family_groups if record is not None else ()
        named = [
            each for each in groups if each.external_id == ref.external_id or (ref.use_default and each.is_default)
        ]
        return Owner(OwnerKind.FAMILY_GROUP, named[0].group_id) if named else None

    def _sealing(self, row: Redemption, confirmed_epoch: int) -> Callable[[int, str], Spend]:
        def seal(seq: int, prev_hash: str) -> Spend:
            return self._seals.seal(
                Spend(
                    seq=seq,
                    key=row.key,
                    kind=SpendKind.ONLINE,
                    owner=self._owner(row) or Owner(OwnerKind.CUSTOMER, row.customer_id or 0),
                    customer_id=row.customer_id or 0,
                    program_id=row.program_id or 0,
                    points=row.points,
                    at=row.changed_at or row.created_at,
                    redemption_id=row.redemption_id or "",
                    transaction_number=row.bill_number or None,
                    cashier=row.cashier,
                    confirmed_epoch=confirmed_epoch,
                    prev_hash=prev_hash,
                )
            )

        return seal


def _reason(row: Redemption) -> CancelReason:
    told = row.cancel_reason
    return CancelReason(told) if told in set(CancelReason) else CancelReason.OTHER
