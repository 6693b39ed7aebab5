"""A redemption's life: every event in every state either moves as the table says or is a bug (reliability 4.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import A_KEY, MOBILE, NOW, a_redemption, points

from pos_app.domain.redemption import FINAL, MOVES, OPEN, Event, IllegalMoveError, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import AskedPoints, FamilyGroupRef, ValidationType

LATER = NOW + timedelta(seconds=3)

LEGAL = {
    "READY": {"sending": "SENT", "gave_up": "CANCELLING"},
    "SENT": {
        "sure_yes": "CONFIRMED",
        "sure_no": "REFUSED",
        "proof_failed": "READY",
        "not_taken": "READY",
        "cancel_recorded": "CANCELLED",
        "unclear": "UNKNOWN",
        "impossible": "PARKED",
    },
    "UNKNOWN": {"sending": "SENT", "parked_by_rule": "PARKED", "gave_up": "CANCELLING"},
    "CANCELLING": {
        "unclear": "CANCELLING",
        "sure_no": "REFUSED",
        "cancel_recorded": "CANCELLED",
        "reversal_recorded": "REVERSED",
        "impossible": "PARKED",
    },
    "PARKED": {
        "try_again": "READY",
        "confirmed_by_hand": "CONFIRMED",
        "gave_up": "CANCELLING",
        "settle_again": "LOCAL_DONE",
    },
    "LOCAL_DONE": {"settle_sent": "SETTLING"},
    "SETTLING": {
        "unclear": "LOCAL_DONE",
        "settled_whole": "SETTLED",
        "settled_partly": "SETTLED_SHORT",
        "impossible": "PARKED",
    },
    "SETTLED": {},
    "SETTLED_SHORT": {},
    "CONFIRMED": {"gave_up": "CANCELLING"},
    "REFUSED": {},
    "CANCELLED": {},
    "REVERSED": {},
}
"""Typed again from the diagram of reliability 4.2 and the answers of contract section 4, so that a slip shows."""


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_event_in_every_state_moves_as_the_table_says_or_is_a_bug(state: State, event: Event) -> None:
    redemption = a_redemption(state=state)
    target = LEGAL[state.value].get(event.value)
    if target is None:
        with pytest.raises(IllegalMoveError, match=state.value):
            redemption.moved(event, LATER)
    else:
        moved = redemption.moved(event, LATER)
        assert moved.state is State(target)
        assert moved.changed_at == LATER
        assert moved.key == redemption.key
        assert redemption.state is state


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_is_never_left_but_by_a_person_who_cancels_what_was_confirmed(state: State) -> None:
    left_by = [event for (start, event) in MOVES if start is state]
    assert left_by == ([Event.GAVE_UP] if state is State.CONFIRMED else [])


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_state_leads_to_an_end(state: State) -> None:
    reached = {state}
    while True:
        further = {target for (start, _), target in MOVES.items() if start in reached} - reached
        if not further:
            break
        reached |= further
    assert reached & FINAL


def test_only_a_sure_yes_or_a_person_confirms() -> None:
    confirming = {event for (_, event), target in MOVES.items() if target is State.CONFIRMED}
    assert confirming == {Event.SURE_YES, Event.CONFIRMED_BY_HAND}


def test_nothing_is_taken_for_granted_once_sent() -> None:
    with pytest.raises(IllegalMoveError):
        a_redemption(state=State.SENT).moved(Event.GAVE_UP, LATER)


def test_a_move_may_bring_what_was_learnt() -> None:
    refused = a_redemption(state=State.SENT).moved(
        Event.SURE_NO, LATER, refusal=Refusal.BALANCE_TOO_LOW, code=818, attempts=2
    )
    assert (refused.refusal, refused.code, refused.attempts) == (Refusal.BALANCE_TOO_LOW, 818, 2)


def test_the_command_repeats_the_row_under_the_same_key() -> None:
    redemption = a_redemption(
        120,
        program_group=True,
        family_group=FamilyGroupRef(group_id=77),
        skip_validation=True,
        validation_type=ValidationType.MISSED_CALL,
        bill_number="B-77",
        cashier=3,
    )
    command = redemption.as_command("Q7XK2M")
    assert command.key == A_KEY
    assert command.bill_number == "B-77"
    assert command.cashier == 3
    assert command.request.customer == redemption.customer
    assert command.request.amount == AskedPoints(points(120))
    assert command.request.program_id == redemption.program_id
    assert command.request.program_group is True
    assert command.request.family_group == FamilyGroupRef(group_id=77)
    assert command.request.skip_validation is True
    assert command.request.validation_type is ValidationType.MISSED_CALL
    assert command.request.validation_code == "Q7XK2M"
    assert command.request.issue_otp is False


def test_a_resend_after_a_restart_carries_no_code() -> None:
    assert a_redemption().as_command().request.validation_code is None


def test_a_redemption_and_its_command_keep_people_out_of_their_repr() -> None:
    redemption = a_redemption(customer_label="Ada Fernandes")
    shown = repr(redemption) + repr(redemption.as_command("Q7XK2M")) + str(IllegalMoveError(State.SENT, Event.GAVE_UP))
    assert MOBILE not in shown
    assert "Ada" not in shown
    assert "Q7XK2M" not in shown
