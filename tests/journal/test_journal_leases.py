"""Leases in the journal: asked for, held, given back; on disk and in memory alike."""

from __future__ import annotations

import pytest
from support.builders import a_redemption, points
from support.held_kit import a_lease, a_local, an_asked, sealing

from pos_app.domain.held import HeldLease
from pos_app.domain.leases import GiveBack, LeaseState
from pos_app.services.offline_port import TillJournal


def holding(journal: TillJournal, lease_id: str = "L1", amount: int = 400, number: int = 1) -> None:
    """Ask for a lease and get it."""
    asked = an_asked(number)
    journal.ask_lease(asked)
    journal.answer_lease(asked.request_id, a_lease(lease_id, amount))


def test_a_request_waits_until_it_is_answered(any_journal: TillJournal) -> None:
    first, second = an_asked(1), an_asked(2, identifiers=(), asked_mono=0.1)
    any_journal.ask_lease(first)
    any_journal.ask_lease(second)
    assert list(any_journal.asked_leases()) == [first, second]
    any_journal.answer_lease(first.request_id, None)
    any_journal.answer_lease(first.request_id, None)
    assert list(any_journal.asked_leases()) == [second]
    assert list(any_journal.leases()) == []


def test_an_answer_opens_the_lease_with_what_was_asked(any_journal: TillJournal) -> None:
    holding(any_journal)
    expected = HeldLease(lease=a_lease(), asked=an_asked())
    assert any_journal.lease("L1") == expected
    assert list(any_journal.leases()) == [expected]
    assert list(any_journal.asked_leases()) == []


def test_a_request_is_kept_once_and_an_answer_needs_one(any_journal: TillJournal) -> None:
    any_journal.ask_lease(an_asked(1))
    with pytest.raises(ValueError, match=r"UNIQUE|before"):
        any_journal.ask_lease(an_asked(1))
    with pytest.raises(KeyError):
        any_journal.answer_lease("never asked", a_lease())
    with pytest.raises(KeyError):
        any_journal.lease("L1")


def test_an_answer_that_comes_again_does_not_open_a_lease_again(any_journal: TillJournal) -> None:
    holding(any_journal)
    any_journal.mark_lease("L1", LeaseState.CLOSING)
    any_journal.answer_lease(an_asked(1).request_id, a_lease())
    assert any_journal.lease("L1").state is LeaseState.CLOSING


@pytest.mark.parametrize("state", [LeaseState.OPEN, LeaseState.CLOSING, LeaseState.CLOSED])
@pytest.mark.parametrize("after", LeaseState)
def test_a_lease_never_goes_back(any_journal: TillJournal, state: LeaseState, after: LeaseState) -> None:
    way = [LeaseState.OPEN, LeaseState.CLOSING, LeaseState.CLOSED]
    holding(any_journal)
    any_journal.mark_lease("L1", state)
    if after in way and way.index(after) >= way.index(state):
        any_journal.mark_lease("L1", after)
        assert any_journal.lease("L1").state is after
    else:
        with pytest.raises(ValueError, match=r"back|CHECK"):
            any_journal.mark_lease("L1", after)
        assert any_journal.lease("L1").state is state


def test_closed_leases_are_told_only_when_asked_for(any_journal: TillJournal) -> None:
    holding(any_journal, "L1", number=1)
    holding(any_journal, "L2", number=2)
    holding(any_journal, "L3", number=3)
    any_journal.mark_lease("L1", LeaseState.CLOSED)
    any_journal.mark_lease("L2", LeaseState.CLOSING)
    assert [each.lease.lease_id for each in any_journal.leases()] == ["L2", "L3"]
    assert [each.lease.lease_id for each in any_journal.leases(with_closed=True)] == ["L1", "L2", "L3"]
    with pytest.raises(KeyError):
        any_journal.mark_lease("L9", LeaseState.CLOSING)


def test_renewing_closes_the_old_lease_in_the_same_commit(any_journal: TillJournal) -> None:
    holding(any_journal)
    any_journal.ask_lease(an_asked(2, renews="L1"))
    assert any_journal.lease("L1").state is LeaseState.CLOSING
    with pytest.raises(KeyError):
        any_journal.ask_lease(an_asked(3, renews="L9"))
    assert [each.renews for each in any_journal.asked_leases()] == ["L1"]


def test_a_redemption_gives_leases_back_in_its_own_commit(any_journal: TillJournal) -> None:
    holding(any_journal, "L1", 400, 1)
    holding(any_journal, "L2", 100, 2)
    spent = a_local(50)
    any_journal.spend(spent, sealing(spent))
    given = [GiveBack("L2"), GiveBack("L1", points(50))]
    any_journal.add_closing(a_redemption(key="A"), given)
    assert list(any_journal.given_back("A")) == given
    assert list(any_journal.given_back("B")) == []
    assert {each.state for each in any_journal.leases()} == {LeaseState.CLOSING}
    assert any_journal.get("A") == a_redemption(key="A")


@pytest.mark.parametrize("wrong", [GiveBack("L1"), GiveBack("L1", points(51)), GiveBack("L9")])
def test_a_lease_is_given_back_with_exactly_what_was_spent(any_journal: TillJournal, wrong: GiveBack) -> None:
    """Fewer would free points that are owed, more would hold what nobody spent."""
    holding(any_journal)
    spent = a_local(50)
    any_journal.spend(spent, sealing(spent))
    with pytest.raises((ValueError, KeyError)):
        any_journal.add_closing(a_redemption(key="A"), [wrong])
    assert any_journal.lease("L1").state is LeaseState.OPEN
    assert list(any_journal.given_back("A")) == []
    with pytest.raises(KeyError):
        any_journal.get("A")


def test_a_closed_lease_forgets_who_she_is(any_journal: TillJournal) -> None:
    holding(any_journal)
    any_journal.mark_lease("L1", LeaseState.CLOSING)
    assert any_journal.lease("L1").asked == an_asked()
    any_journal.mark_lease("L1", LeaseState.CLOSED)
    assert any_journal.lease("L1").asked == an_asked(customer_label="", identifiers=())
    assert any_journal.lease("L1").lease == a_lease()
