"""Gives redeemed points back (contract 7): under a key of its own, written down first, like a redemption.

An unclear answer goes again under the same key at a ledger that repeats it; at another service it is parked, and a
supervisor asks there.
"""

from __future__ import annotations

from decimal import Decimal

from pos_app.domain.commands import Approval
from pos_app.domain.points import ZERO, Points
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.services.ports import Clock, Journal
from pos_app.services.record import Listener
from pos_app.services.redemption import RedemptionService


class ReversalService:
    """Starts reversals; sending and repeating them is the redemption service's."""

    def __init__(self, journal: Journal, redemptions: RedemptionService, clock: Clock) -> None:
        self._journal = journal
        self._redemptions = redemptions
        self._clock = clock

    def start(
        self,
        redemption_id: str,
        *,
        points: Points | None = None,
        of: Redemption | None = None,
        cashier: int | None = None,
    ) -> Redemption:
        """Commit a reversal (READY). `points` None: all that is left. `of` is the redemption's row, where it is here.

        Raises:
            StorageError: nothing was kept; no reversal was started.
        """
        now = self._clock.wall()
        key = self._redemptions.new_key()
        self._journal.add(
            Redemption(
                key=key,
                state=State.READY,
                kind=Kind.REVERSE,
                customer=of.customer if of is not None else CustomerRef(IdentifierKind.ID, ""),
                customer_id=of.customer_id if of is not None else None,
                customer_label=of.customer_label if of is not None else "",
                program_id=of.program_id if of is not None else None,
                family_group=of.family_group if of is not None else None,
                points=points if points is not None else ZERO,
                worth=Decimal(0),
                bill_number=of.bill_number if of is not None else None,
                cashier=cashier,
                created_at=now,
                changed_at=now,
                reverses=redemption_id,
            )
        )
        return self._journal.get(key)

    def submit(self, key: str, *, approval: Approval | None = None, on_change: Listener | None = None) -> Redemption:
        """Send it. CONFIRMED: `from_free` points count again, the rest of `points` had expired; REFUSED: `reason`.

        READY: the approval is missing or was refused, another may be given under the same key. UNKNOWN goes again by
        itself; PARKED is for a supervisor. Raises: as `RedemptionService.submit`.
        """
        return self._redemptions.submit(key, None, on_change, approval=approval)
