"""What every journal promises, held against the one in memory that other tests use and the one on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_redemption, points
from support.held_kit import a_key, a_local

from pos_app.domain.redemption import FINAL, Kind, State
from pos_app.services.offline_port import TillJournal


def test_a_redemption_is_read_back_as_it_was_added(any_journal: TillJournal) -> None:
    any_journal.add(a_redemption(key="A"))
    assert any_journal.get("A") == a_redemption(key="A")


def test_a_key_that_was_never_added_is_a_key_error(any_journal: TillJournal) -> None:
    with pytest.raises(KeyError):
        any_journal.get("A")


def test_only_what_was_added_can_move(any_journal: TillJournal) -> None:
    with pytest.raises(KeyError):
        any_journal.put(a_redemption(key="A"))
    assert any_journal.recent(9) == []


def test_the_next_state_replaces_the_last(any_journal: TillJournal) -> None:
    any_journal.add(a_redemption(key="A"))
    any_journal.put(a_redemption(key="A", state=State.SENT, attempts=1))
    assert any_journal.get("A") == a_redemption(key="A", state=State.SENT, attempts=1)


@pytest.mark.parametrize("state", State)
def test_what_is_not_final_is_open(any_journal: TillJournal, state: State) -> None:
    any_journal.add(a_redemption(key="A", state=state))
    assert [each.key for each in any_journal.open_redemptions()] == ([] if state in FINAL else ["A"])


def test_open_ones_come_oldest_first_and_recent_ones_newest_first(any_journal: TillJournal) -> None:
    for key in "CAB":
        any_journal.add(a_redemption(key=key))
    any_journal.put(a_redemption(key="C", state=State.SENT))
    assert [each.key for each in any_journal.open_redemptions()] == ["C", "A", "B"]
    assert [each.key for each in any_journal.recent(2)] == ["B", "A"]


def test_a_fact_is_recalled_under_its_name_and_may_change(any_journal: TillJournal) -> None:
    assert any_journal.recall("capabilities") is None
    any_journal.remember("capabilities", "old")
    any_journal.remember("capabilities", "new")
    assert any_journal.recall("capabilities") == "new"


def keys(rows: object) -> list[str]:
    return [each.key for each in rows]  # type: ignore[attr-defined]


def test_a_supervisor_is_asked_about_what_nobody_saw_end(any_journal: TillJournal) -> None:
    for number, (state, changes) in enumerate(
        [
            (State.PARKED, {}),
            (State.SETTLED_SHORT, {}),
            (State.REFUSED, {"sent_by_itself": True}),
            (State.REFUSED, {}),
            (State.UNKNOWN, {}),
            (State.UNKNOWN, {"next_try_at": NOW}),
            (State.CONFIRMED, {}),
            (State.LOCAL_DONE, {}),
        ]
    ):
        any_journal.add(a_redemption(key=f"K{number}", state=state, **changes))
    assert keys(any_journal.attention()) == ["K0", "K1", "K2", "K4"]
    assert any_journal.close_row("K2", "accepted:7").closed_by == "accepted:7"
    assert keys(any_journal.attention()) == ["K0", "K1", "K4"]
    assert any_journal.get("K2").state is State.REFUSED


def test_what_was_confirmed_since_is_offered_again_but_never_a_giving_back(any_journal: TillJournal) -> None:
    later = NOW + timedelta(days=1)
    for number, state in enumerate(State):
        any_journal.add(a_redemption(key=f"K{number}", state=state, changed_at=later))
    any_journal.add(a_redemption(key="OLD", state=State.CONFIRMED, changed_at=NOW))
    any_journal.add(a_redemption(key="BACK", state=State.CONFIRMED, changed_at=later, kind=Kind.REVERSE))
    told = any_journal.confirmed_since(later)
    assert [each.state for each in told] == [State.CONFIRMED, State.SETTLED, State.SETTLED_SHORT]
    assert "OLD" in keys(any_journal.confirmed_since(NOW))


def test_the_day_has_what_began_or_changed_in_it(any_journal: TillJournal) -> None:
    yesterday = NOW - timedelta(days=1)
    any_journal.add(a_redemption(key="BEFORE", created_at=yesterday, changed_at=yesterday))
    any_journal.add(a_redemption(key="CHANGED", created_at=yesterday, changed_at=NOW))
    any_journal.add(a_redemption(key="BEGAN", created_at=NOW))
    assert keys(any_journal.day_rows(NOW)) == ["CHANGED", "BEGAN"]


def test_what_this_till_spent_by_itself_counts_whatever_became_of_it(any_journal: TillJournal) -> None:
    any_journal.add(a_local(50, number=1, state=State.SETTLED))
    any_journal.add(a_local("0.5", number=2, lease_id=None))
    any_journal.add(a_local(7, number=3, created_at=NOW - timedelta(days=1)))
    any_journal.add(a_local(7, number=4, customer_id=2))
    any_journal.add(a_local(7, number=5, program_id=2))
    any_journal.add(a_redemption(7, key=a_key(6)))
    told = a_redemption()
    assert told.customer_id is not None
    assert told.program_id is not None
    assert any_journal.spent_today(told.customer_id, told.program_id, NOW) == points("50.5")
    assert any_journal.spent_today(99, told.program_id, NOW) == points(0)


def test_a_receipt_is_marked_as_printed_also_on_a_final_row(any_journal: TillJournal) -> None:
    any_journal.add(a_redemption(key="A", state=State.CONFIRMED))
    assert any_journal.mark_printed("A", NOW) == replace(a_redemption(key="A", state=State.CONFIRMED), printed_at=NOW)
    assert any_journal.get("A").printed_at == NOW
    with pytest.raises(KeyError):
        any_journal.mark_printed("B", NOW)
    with pytest.raises(KeyError):
        any_journal.close_row("B", "accepted:7")
