"""A redemption's life at the till: its row in the journal and the moves that are legal (reliability 4.2).

    READY --> SENT --> CONFIRMED | REFUSED | READY (the proof failed, same key) | UNKNOWN --> SENT (same key)
    READY, UNKNOWN, PARKED --gave up--> CANCELLING --> CANCELLED | REVERSED | REFUSED

SENT is committed before any byte leaves, so SENT found at start means "may have acted" and becomes UNKNOWN.
Leases bring their own table later; nothing here is spent offline.
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
}

FINAL: Final = frozenset({State.CONFIRMED, State.REFUSED, State.CANCELLED, State.REVERSED})
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
