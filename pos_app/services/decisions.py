"""What a supervisor decides of rows that cannot end by themselves (reliability 4.2; the conflict desk).

Each decision is noted in the audit with its operator before it is carried out; nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pos_app.domain.commands import Approval, CancelReason
from pos_app.domain.points import ZERO, Points
from pos_app.domain.redemption import Event, Kind, Redemption, State
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Clock
from pos_app.services.redemption import RedemptionService
from pos_app.services.reversing import ReversalService


class Decision(StrEnum):
    """What may be decided; the words are those of the audit."""

    WENT_THROUGH = "went_through"
    """The service was asked, and tells a redemption number."""
    DID_NOT = "did_not"
    """The service was asked, and knows nothing of it: the same key again."""
    LEAVE_OPEN = "leave_open"
    TRY_AGAIN = "try_again"
    CANCEL = "cancel"
    ACCEPT = "accept"
    """At the shop's risk: the customer has the goods, nobody asks for the points any more."""
    REVERSE = "reverse"
    """Give back what was taken: the whole redemption never happened."""


class Why(StrEnum):
    """Why a row is on the supervisor's list."""

    PARKED = "parked"
    NOT_ANSWERED = "not_answered"
    """No sure answer for a day: it is not sent by itself any more."""
    REFUSED_WHEN_SENT = "refused_when_sent"
    """It was refused when the outbox sent it: the customer may have the goods."""
    SHORT = "short"
    """The wallet did not cover it: the store bears `store_loss`."""


CHOICES: Final = {
    (Why.PARKED, Kind.ONLINE): (Decision.WENT_THROUGH, Decision.DID_NOT, Decision.CANCEL, Decision.LEAVE_OPEN),
    (Why.PARKED, Kind.REVERSE): (Decision.WENT_THROUGH, Decision.DID_NOT, Decision.LEAVE_OPEN),
    (Why.PARKED, Kind.LEASE): (Decision.TRY_AGAIN, Decision.ACCEPT, Decision.LEAVE_OPEN),
    (Why.PARKED, Kind.RISK): (Decision.TRY_AGAIN, Decision.ACCEPT, Decision.LEAVE_OPEN),
    (Why.NOT_ANSWERED, Kind.ONLINE): (Decision.TRY_AGAIN, Decision.CANCEL, Decision.LEAVE_OPEN),
    (Why.NOT_ANSWERED, Kind.REVERSE): (Decision.TRY_AGAIN, Decision.LEAVE_OPEN),
    (Why.SHORT, Kind.LEASE): (Decision.ACCEPT, Decision.REVERSE, Decision.LEAVE_OPEN),
    (Why.SHORT, Kind.RISK): (Decision.ACCEPT, Decision.REVERSE, Decision.LEAVE_OPEN),
    (Why.REFUSED_WHEN_SENT, Kind.ONLINE): (Decision.ACCEPT, Decision.LEAVE_OPEN),
    (Why.REFUSED_WHEN_SENT, Kind.REVERSE): (Decision.ACCEPT, Decision.LEAVE_OPEN),
}
"""What fits which row: a refusal is final under its key, and what was made here is never cancelled."""

_WHY: Final = {
    State.PARKED: Why.PARKED,
    State.UNKNOWN: Why.NOT_ANSWERED,
    State.REFUSED: Why.REFUSED_WHEN_SENT,
    State.SETTLED_SHORT: Why.SHORT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One row of the supervisor's list, what is owed, and what may be decided."""

    row: Redemption
    why: Why
    owed: Points
    choices: tuple[Decision, ...]


class NotThisDecisionError(ValueError):
    """The row is not one of which this may be decided, or the redemption number is missing."""


class Decisions:
    """The conflict desk. Slow: some decisions send at once."""

    def __init__(
        self, *, journal: TillJournal, redemptions: RedemptionService, reversals: ReversalService, clock: Clock
    ) -> None:
        self._journal = journal
        self._redemptions = redemptions
        self._reversals = reversals
        self._clock = clock

    def conflicts(self) -> Sequence[Conflict]:
        """The rows a supervisor must decide about, oldest first."""
        return tuple(conflict_of(row) for row in self._journal.attention())

    def decide(
        self,
        key: str,
        decision: Decision,
        *,
        operator: int,
        redemption_id: str | None = None,
        approval: Approval | None = None,
        note: str = "",
    ) -> Redemption:
        """Carry a decision out and return the row as it is then.

        Raises:
            NotThisDecisionError: it does not fit the row, or `redemption_id` is missing for WENT_THROUGH.
            StorageError: nothing was decided.
            Trouble: it was decided, and what follows from it could not be sent yet; it goes on by itself.
        """
        conflict = next((each for each in self.conflicts() if each.row.key == key), None)
        if conflict is None or decision not in conflict.choices:
            raise NotThisDecisionError(f"{decision} does not fit this redemption")
        if decision is Decision.WENT_THROUGH and not (redemption_id or "").strip():
            raise NotThisDecisionError("type the redemption number the service tells")
        self._journal.note(decision.value, operator, key, {"state": conflict.row.state.value, "note": note[:200]})
        self._carry_out(conflict.row, decision, operator, redemption_id, approval)
        return self._journal.get(key)

    def _carry_out(
        self, row: Redemption, decision: Decision, operator: int, redemption_id: str | None, approval: Approval | None
    ) -> None:
        now = self._clock.wall()
        match decision:
            case Decision.WENT_THROUGH:
                number = (redemption_id or "").strip()
                self._journal.put(row.moved(Event.CONFIRMED_BY_HAND, now, redemption_id=number))
            case Decision.DID_NOT:
                self._journal.put(row.moved(Event.TRY_AGAIN, now, next_try_at=now, refusal=None, reason=None))
                self._redemptions.submit(row.key, approval=approval)
            case Decision.TRY_AGAIN if row.kind in {Kind.LEASE, Kind.RISK}:
                self._journal.put(row.moved(Event.SETTLE_AGAIN, now, reason=None))
            case Decision.TRY_AGAIN:
                self._redemptions.submit(row.key, approval=approval)
            case Decision.CANCEL:
                self._redemptions.give_up(row.key, CancelReason.UNKNOWN_RESULT, approval=approval)
            case Decision.ACCEPT:
                self._journal.close_row(row.key, f"accepted:{operator}")
            case Decision.REVERSE:
                self._reverse(row, operator, approval)
            case Decision.LEAVE_OPEN:
                pass

    def _reverse(self, row: Redemption, operator: int, approval: Approval | None) -> None:
        """Give back what settling took; the store's loss is not the customer's."""
        taken = (row.from_lease or ZERO) + (row.from_free or ZERO)
        reversal = self._reversals.start(row.redemption_id or "", points=taken, of=row, cashier=row.cashier)
        self._journal.close_row(row.key, f"reversed:{operator}")
        self._reversals.submit(reversal.key, approval=approval)


def conflict_of(row: Redemption) -> Conflict:
    """A row that needs attention, with what is owed: the store's loss, or all of what is in doubt."""
    why = _WHY.get(row.state, Why.PARKED)
    owed = (row.store_loss or ZERO) if why is Why.SHORT else row.points
    choices = CHOICES.get((why, row.kind), (Decision.LEAVE_OPEN,))
    return Conflict(row=row, why=why, owed=owed, choices=choices)
