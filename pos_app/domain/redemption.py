"""A redemption's life at the till: its row in the journal and the moves that are legal (reliability 4.2).

    READY --> SENT --> CONFIRMED | REFUSED | READY (the proof failed, same key) | UNKNOWN --> SENT (same key)
    READY, UNKNOWN, PARKED, CONFIRMED --gave up--> CANCELLING --> CANCELLED | REVERSED | REFUSED
    LOCAL_DONE --> SETTLING --> SETTLED | SETTLED_SHORT | PARKED | LOCAL_DONE (unclear)

SENT and SETTLING are committed before any byte leaves: found at start they count as UNKNOWN and LOCAL_DONE. What is
spent without a line, under a lease or at the shop's risk, begins as LOCAL_DONE: that one commit is the redemption.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pos_app.domain.commands import Redeem
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    AskedPoints,
    CustomerRef,
    FamilyGroupRef,
    RedemptionRequest,
    ValidationType,
)


class State(StrEnum):
    """Where a redemption stands; the names are those of the journal and of `reliability.md`."""

    READY = "READY"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    REVERSED = "REVERSED"
    PARKED = "PARKED"
    LOCAL_DONE = "LOCAL_DONE"
    SETTLING = "SETTLING"
    SETTLED = "SETTLED"
    SETTLED_SHORT = "SETTLED_SHORT"


class Kind(StrEnum):
    """What a row is: a redemption asked of the ledger, one made here and settled later, or a giving back."""

    ONLINE = "ONLINE"
    LEASE = "LEASE"
    RISK = "RISK"
    REVERSE = "REVERSE"


class Event(StrEnum):
    """What can happen to a redemption."""

    SENDING = "sending"
    SURE_YES = "sure_yes"
    SURE_NO = "sure_no"
    PROOF_FAILED = "proof_failed"
    NOT_TAKEN = "not_taken"
    UNCLEAR = "unclear"
    IMPOSSIBLE = "impossible"
    PARKED_BY_RULE = "parked_by_rule"
    GAVE_UP = "gave_up"
    CANCEL_RECORDED = "cancel_recorded"
    REVERSAL_RECORDED = "reversal_recorded"
    TRY_AGAIN = "try_again"
    CONFIRMED_BY_HAND = "confirmed_by_hand"
    SETTLE_SENT = "settle_sent"
    SETTLED_WHOLE = "settled_whole"
    SETTLED_PARTLY = "settled_partly"
    SETTLE_AGAIN = "settle_again"


class IllegalMoveError(Exception):
    """A bug: this cannot happen to a redemption in this state."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event} cannot happen to a redemption that is {state}")


MOVES: Final = {
    (State.READY, Event.SENDING): State.SENT,
    (State.SENT, Event.SURE_YES): State.CONFIRMED,
    (State.SENT, Event.SURE_NO): State.REFUSED,
    (State.SENT, Event.PROOF_FAILED): State.READY,  # 808, 822 to 824: another try of the code; the key stays.
    (State.SENT, Event.NOT_TAKEN): State.READY,  # 401, 521 and the like to the only copy: surely nothing was done.
    (State.SENT, Event.CANCEL_RECORDED): State.CANCELLED,  # 903 key_cancelled: a cancel came before this copy.
    (State.SENT, Event.UNCLEAR): State.UNKNOWN,
    (State.SENT, Event.IMPOSSIBLE): State.PARKED,
    (State.UNKNOWN, Event.SENDING): State.SENT,
    (State.UNKNOWN, Event.PARKED_BY_RULE): State.PARKED,  # The service cannot repeat a key.
    (State.READY, Event.GAVE_UP): State.CANCELLING,
    (State.UNKNOWN, Event.GAVE_UP): State.CANCELLING,
    (State.CANCELLING, Event.UNCLEAR): State.CANCELLING,
    (State.CANCELLING, Event.SURE_NO): State.REFUSED,
    (State.CANCELLING, Event.CANCEL_RECORDED): State.CANCELLED,
    (State.CANCELLING, Event.REVERSAL_RECORDED): State.REVERSED,
    (State.CANCELLING, Event.IMPOSSIBLE): State.PARKED,
    (State.PARKED, Event.TRY_AGAIN): State.READY,
    (State.PARKED, Event.CONFIRMED_BY_HAND): State.CONFIRMED,
    (State.PARKED, Event.GAVE_UP): State.CANCELLING,
    (State.CONFIRMED, Event.GAVE_UP): State.CANCELLING,  # After a receipt only with a supervisor.
    (State.LOCAL_DONE, Event.SETTLE_SENT): State.SETTLING,
    (State.SETTLING, Event.UNCLEAR): State.LOCAL_DONE,
    (State.SETTLING, Event.SETTLED_WHOLE): State.SETTLED,
    (State.SETTLING, Event.SETTLED_PARTLY): State.SETTLED_SHORT,
    (State.SETTLING, Event.IMPOSSIBLE): State.PARKED,
    (State.PARKED, Event.SETTLE_AGAIN): State.LOCAL_DONE,  # A supervisor's word; only what was made without a line.
}

FINAL: Final = frozenset(
    {State.CONFIRMED, State.REFUSED, State.CANCELLED, State.REVERSED, State.SETTLED, State.SETTLED_SHORT}
)
OPEN: Final = frozenset(State) - FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One redemption as the journal keeps it. The code is never here; the identifier stays out of `repr`.

    `points` and `worth` are those of the check the cashier saw. `next_try_at` is when the outbox may send it
    again by itself; None: not by itself. `code` is the last item code the service gave.
    """

    key: str
    state: State
    customer: CustomerRef
    customer_id: int | None
    customer_label: str = field(repr=False)
    """How the screen names her: first name and initial, masked identifier."""
    program_id: int | None
    points: Points
    worth: Decimal
    created_at: datetime
    program_group: bool = False
    family_group: FamilyGroupRef | None = None
    skip_validation: bool = False
    validation_type: ValidationType | None = None
    bill_number: str | None = None
    cashier: int | None = None
    changed_at: datetime | None = None
    attempts: int = 0
    next_try_at: datetime | None = None
    redemption_id: str | None = None
    balance_after: Points | None = None
    refusal: Refusal | None = None
    code: int | None = None
    reason: str | None = None
    message: str = ""
    cancel_reason: str | None = None
    kind: Kind = Kind.ONLINE
    lease_id: str | None = None
    """The lease that pays, LEASE only."""
    seq: int | None = None
    """Its place in the chain of what this till settles (sync-api 7)."""
    from_lease: Points | None = None
    from_free: Points | None = None
    store_loss: Points | None = None
    """What settling took from where, and what the store lost; None until settled."""
    printed_at: datetime | None = None
    """When a print of its receipt ended last; None: none has ended (`services.receipts` knows of those that began)."""
    reverses: str | None = None
    """The redemption number that is given back, REVERSE only."""
    confirmed_epoch: int | None = None
    """The ledger's epoch when it confirmed: after a restore such rows are offered again (reliability 4.4)."""
    closed_by: str | None = None
    """What a supervisor decided of a row that needed attention, and who: `accepted:7` (the conflict desk)."""
    sent_by_itself: bool = False
    """The outbox sent the last copy: no cashier saw the answer, so a refusal needs a supervisor's attention."""

    def moved(self, event: Event, at: datetime, **changes: object) -> Redemption:
        """This redemption after `event`.

        Raises:
            IllegalMoveError: the event cannot happen in this state.
        """
        target = MOVES.get((self.state, event))
        if target is None:
            raise IllegalMoveError(self.state, event)
        return replace(self, state=target, changed_at=at, **changes)  # type: ignore[arg-type]

    def as_command(self, validation_code: str | None = None) -> Redeem:
        """The command this row stands for; the code lives in memory only, so the caller gives it."""
        return Redeem(
            request=RedemptionRequest(
                customer=self.customer,
                amount=AskedPoints(self.points),
                program_id=self.program_id,
                program_group=self.program_group,
                family_group=self.family_group,
                validation_code=validation_code,
                skip_validation=self.skip_validation,
                validation_type=self.validation_type,
            ),
            key=self.key,
            bill_number=self.bill_number,
            cashier=self.cashier,
        )
