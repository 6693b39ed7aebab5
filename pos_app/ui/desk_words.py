"""What the outbox and the conflict desk say of a row: its state, why it waits, what may be decided (ux B.6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.services.decisions import Conflict, Decision, Why
from pos_app.ui.formats import isolated, isolated_words, points_text
from pos_app.ui.redemption_words import reference_of, refusal_of
from pos_app.ui.wording import WordingFacts, for_refusal

CONTEXT: Final = "desk"

_STATES: Final = {
    State.READY: "Waiting",
    State.LOCAL_DONE: "Waiting",
    State.SENT: "Sending",
    State.SETTLING: "Sending",
    State.CONFIRMED: "Done",
    State.SETTLED: "Done",
    State.SETTLED_SHORT: "Done, short",
    State.REFUSED: "Refused",
    State.UNKNOWN: "Not known",
    State.CANCELLING: "Cancelling",
    State.CANCELLED: "Cancelled",
    State.REVERSED: "Given back",
    State.PARKED: "Needs attention",
}
SHAPES: Final = {
    State.READY: "◷",
    State.LOCAL_DONE: "◷",
    State.SENT: "▷",
    State.SETTLING: "▷",
    State.CONFIRMED: "✓",
    State.SETTLED: "✓",
    State.SETTLED_SHORT: "▲",
    State.REFUSED: "✕",
    State.UNKNOWN: "?",
    State.CANCELLING: "◷",
    State.CANCELLED: "✓",
    State.REVERSED: "✓",
    State.PARKED: "▲",
}
"""A state is never told by its colour alone."""

_WHY: Final = {
    Why.PARKED: "The service could not say what became of it",
    Why.NOT_ANSWERED: "No answer for a day",
    Why.REFUSED_WHEN_SENT: "Refused when sent",
    Why.SHORT: "The wallet did not hold all of it",
}
_SETTLE_REASONS: Final = {
    "bad_signature": "The service does not know this till's signature",
    "bad_row": "The service could not read it",
    "key_mismatch": "The service knows this reference for something else",
    "unknown_customer": "The service does not know this customer",
}
_DECISIONS: Final = {
    Decision.WENT_THROUGH: "It went through…",
    Decision.DID_NOT: "It did not: send again",
    Decision.LEAVE_OPEN: "Leave it open",
    Decision.TRY_AGAIN: "Try again",
    Decision.CANCEL: "Cancel it",
    Decision.ACCEPT: "Accept at the shop's risk",
    Decision.REVERSE: "Give the points back",
}
_KINDS: Final = {
    Kind.ONLINE: "redeemed at the service",
    Kind.LEASE: "redeemed offline, under an allowance",
    Kind.RISK: "redeemed offline, at the shop's risk",
    Kind.REVERSE: "points given back",
}


def _said(text: str) -> str:
    return QCoreApplication.translate(CONTEXT, text)


def state_text(row: Redemption, *, needs_attention: bool) -> str:
    """The state of a row with its shape."""
    word = "Needs attention" if needs_attention and row.state is State.UNKNOWN else _STATES[row.state]
    return f"{SHAPES[row.state]} {_said(word)}"


def age_of(row: Redemption, now: datetime) -> str:
    """How long ago it was begun: `0:47` hours and minutes, `3 d` from two days on."""
    age = max(timedelta(0), now - row.created_at)
    if age >= timedelta(days=2):
        return _said("{days} d").format(days=age.days)
    minutes = int(age.total_seconds() // 60)
    return isolated(f"{minutes // 60}:{minutes % 60:02d}")


def why_text(row: Redemption, conflict: Conflict | None) -> str:
    """Why a row waits or was refused; a dash where there is nothing to say."""
    if row.state is State.PARKED and row.reason in _SETTLE_REASONS:
        return _said(_SETTLE_REASONS[row.reason])
    refusal = refusal_of(row)
    if refusal is not None:
        words = for_refusal(refusal, WordingFacts(code=row.code), reason=row.reason)
        return words.headline if row.code is None else f"{words.headline} ({isolated(str(row.code))})"
    if conflict is not None:
        return _said(_WHY[conflict.why])
    if row.state is State.UNKNOWN:
        return _said("The answer was lost")
    return "–"


def decision_text(decision: Decision) -> str:
    """What a button of the desk does."""
    return _said(_DECISIONS[decision])


def detail_text(row: Redemption, conflict: Conflict | None, program: str) -> str:
    """All that matters of one row, in a few sentences; `program` is its name, empty while not known."""
    parts = [
        _said("{points} points, {customer}: {kind}.").format(
            points=points_text(row.points), customer=isolated_words(row.customer_label), kind=_said(_KINDS[row.kind])
        )
    ]
    if program:
        parts.append(_said("Program: {program}.").format(program=isolated_words(program)))
    if row.redemption_id:
        parts.append(_said("Redemption {number}.").format(number=isolated(row.redemption_id)))
    if row.bill_number:
        parts.append(_said("Bill {number}.").format(number=isolated(row.bill_number)))
    if conflict is not None:
        parts.append(_said("{why}.").format(why=why_text(row, conflict)))
        parts.append(_said("Open: {points} points.").format(points=points_text(conflict.owed)))
    parts.append(_said("Reference {key}.").format(key=isolated(reference_of(row.key))))
    return " ".join(parts)


def summary_text(waiting: int, attention: int, oldest: str) -> str:
    """The line above the list."""
    if not waiting and not attention:
        return _said("Nothing is waiting.")
    if not oldest:
        return _said("{waiting} waiting, {attention} need attention").format(waiting=waiting, attention=attention)
    return _said("{waiting} waiting, {attention} need attention, oldest {age}").format(
        waiting=waiting, attention=attention, age=oldest
    )
