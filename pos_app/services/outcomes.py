"""What an answer, or none, means for a redemption that is on its way (reliability 4.2, "What an answer means").

    yes                            CONFIRMED
    808, 822 to 824                READY: the customer's proof is missing or wrong; the cashier mends it, same key
    903 key_mismatch               PARKED: not this redemption
    903 key_cancelled              CANCELLED: a cancel came first
    521                            this copy did nothing; may be sent again
    any other refusal              REFUSED for good: the ledger remembers it under the key
    401, 403, 404, 400, no TLS     this copy did nothing; somebody has to act
    no line, 429                   this copy did nothing; may be sent again
    anything else                  UNKNOWN: it may have acted

"This copy did nothing" settles the redemption only where no earlier copy is in doubt: from READY it goes back to
READY, from UNKNOWN it stays UNKNOWN.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pos_app.domain.answers import CancelAnswer, CancelOutcome, RedeemAnswer, ReversalRefusal, ReverseAnswer
from pos_app.domain.commands import Reverse
from pos_app.domain.redemption import Event, Redemption, State
from pos_app.domain.refusals import PROOF_FAILURES, Refusal
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotUnderstoodError,
    SlowDownError,
    Trouble,
    WrongAddressError,
)

SOMEBODY_MUST_ACT: Final = (NotAcceptedError, NotUnderstoodError, NotSafeError, WrongAddressError)
"""Surely nothing was done, and trying again by itself would not help."""

NOTHING_SENT: Final = (LineDownError, SlowDownError)
"""Surely nothing was done, and trying again soon may help."""

CANNOT_BE_CANCELLED: Final = (NotUnderstoodError, WrongAddressError)
"""The ledger says that this cancel makes no sense (400), or that the key is another till's (404; sync-api 1, 8)."""

_NO: Final = {
    Refusal.KEY_MISMATCH: Event.IMPOSSIBLE,
    Refusal.KEY_CANCELLED: Event.CANCEL_RECORDED,
    **dict.fromkeys(PROOF_FAILURES, Event.PROOF_FAILED),
}

_NO_REVERSAL: Final = {
    ReversalRefusal.APPROVAL_MISSING: (Event.PROOF_FAILED, Refusal.PROOF_MISSING),
    ReversalRefusal.APPROVAL_REFUSED: (Event.PROOF_FAILED, Refusal.PROOF_MISSING),
    ReversalRefusal.KEY_MISMATCH: (Event.IMPOSSIBLE, Refusal.KEY_MISMATCH),
    ReversalRefusal.KEY_CANCELLED: (Event.CANCEL_RECORDED, Refusal.KEY_CANCELLED),
    ReversalRefusal.BUSY: (Event.NOT_TAKEN, Refusal.CUSTOMER_BUSY),
}

_CANCELLED: Final = {
    CancelOutcome.CANCELLED: Event.CANCEL_RECORDED,
    CancelOutcome.REVERSED: Event.REVERSAL_RECORDED,
    CancelOutcome.REFUSED: Event.SURE_NO,
}


def after_answer(sent: Redemption, before: State, answer: RedeemAnswer, at: datetime) -> Redemption:
    """The redemption after a sure answer; `before` is the state it was sent from."""
    extension = answer.extension
    if answer.refusal is None:
        return sent.moved(
            Event.SURE_YES,
            at,
            customer_id=answer.customer_id if answer.customer_id is not None else sent.customer_id,
            redemption_id=answer.redemption_id,
            balance_after=answer.balance,
            code=answer.code,
            message=answer.message,
            reason=None,
            confirmed_epoch=extension.epoch if extension is not None else None,
        )
    event = _NO.get(answer.refusal, Event.SURE_NO)
    if answer.refusal is Refusal.CUSTOMER_BUSY:
        event = did_nothing(before)
    return sent.moved(
        event,
        at,
        refusal=answer.refusal,
        code=answer.code,
        message=answer.message,
        reason=extension.reason if extension is not None else None,
    )


def reverse_of(row: Redemption) -> Reverse:
    """The command a REVERSE row stands for; points of zero mean all that is left."""
    return Reverse(
        redemption_id=row.reverses or "", points=row.points if row.points else None, key=row.key, cashier=row.cashier
    )


def after_reversal(sent: Redemption, before: State, answer: ReverseAnswer, at: datetime) -> Redemption:
    """The REVERSE row after a sure answer: `redemption_id` is the reversal's number, `from_free` what counts again.

    The rest of `points` had expired meanwhile. A missing approval may be mended under the same key.
    """
    epoch = answer.extension.epoch if answer.extension is not None else None
    if answer.refusal is None:
        return sent.moved(
            Event.SURE_YES,
            at,
            redemption_id=answer.reversal_id,
            points=answer.available + answer.expired,
            from_free=answer.available,
            customer_id=answer.customer_id if answer.customer_id is not None else sent.customer_id,
            reason=None,
            confirmed_epoch=epoch,
        )
    event, refusal = _NO_REVERSAL.get(answer.refusal, (Event.SURE_NO, Refusal.CANNOT_UNDO))
    if answer.refusal is ReversalRefusal.BUSY:
        event = did_nothing(before)
    return sent.moved(event, at, refusal=refusal, reason=answer.refusal.value)


def after_trouble(
    sent: Redemption, before: State, trouble: Trouble, *, is_repeatable: bool, at: datetime
) -> Redemption:
    """The redemption after no sure answer.

    Where the service repeats a key, no line leaves UNKNOWN too: the outbox sends it again by itself. Where it does
    not, a copy that surely never left goes back to READY, so that no supervisor is needed for a pulled cable.
    """
    if isinstance(trouble, SOMEBODY_MUST_ACT) or (isinstance(trouble, NOTHING_SENT) and not is_repeatable):
        return sent.moved(did_nothing(before), at)
    return sent.moved(Event.UNCLEAR, at)


def after_cancel(cancelling: Redemption, answer: CancelAnswer | None, at: datetime) -> Redemption:
    """The redemption after the ledger's word on its cancel (sync-api 8); None: the service has no such call."""
    if answer is None:
        event = Event.CANCEL_RECORDED if was_only_put_off(cancelling) else Event.IMPOSSIBLE
        return cancelling.moved(event, at, next_try_at=None)
    redemption_id = answer.redemption_id or cancelling.redemption_id
    return cancelling.moved(_CANCELLED[answer.outcome], at, redemption_id=redemption_id, next_try_at=None)


def did_nothing(before: State) -> Event:
    """What it means that this copy surely did nothing, by the state it was sent from."""
    return Event.NOT_TAKEN if before is State.READY else Event.UNCLEAR


def was_only_put_off(sent: Redemption) -> bool:
    """Say whether no copy of it can have acted: the only one that was ever sent was surely answered "not yet"."""
    not_yet = PROOF_FAILURES | {Refusal.CUSTOMER_BUSY}
    return sent.attempts == 1 and sent.refusal in not_yet
