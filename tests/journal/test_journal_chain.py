"""Spends and their chain, the clock's mark, the audit and the operators; on disk and in memory alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_redemption, points
from support.clock import FakeClock
from support.held_kit import a_key, a_lease, a_local, an_asked, an_operator, sealing

from pos_app.domain.held import PIN_TRIES_MAX
from pos_app.domain.leases import LeaseState
from pos_app.domain.points import ZERO
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.settling import FIRST_PREV_HASH, Spend
from pos_app.journal.audit import first_break
from pos_app.services.offline_port import AuditHead, ChainHead, PassUse, TillJournal
from pos_app.wire.settling import hash_of


@pytest.fixture
def journal(any_journal: TillJournal) -> TillJournal:
    """An enrolled till that holds a lease of 400 points."""
    any_journal.begin_epoch(1)
    any_journal.ask_lease(an_asked())
    any_journal.answer_lease(an_asked().request_id, a_lease())
    return any_journal


def spent(journal: TillJournal, row: Redemption, pass_use: PassUse | None = None) -> Redemption:
    return journal.spend(row, sealing(row), pass_use)


def test_a_spend_is_a_row_a_raised_lease_and_a_link(journal: TillJournal) -> None:
    kept = spent(journal, a_local(50))
    assert kept == replace(a_local(50), seq=1)
    assert journal.get(kept.key) == kept
    assert [each.key for each in journal.open_redemptions()] == [kept.key]
    assert (journal.lease("L1").spent, journal.lease("L1").left) == (points(50), points(350))
    sealed = journal.sealed(kept.key)
    assert sealed == sealing(a_local(50))(1, FIRST_PREV_HASH)
    assert journal.chain_head() == ChainHead(1, 1, sealed.hash)
    assert journal.epoch_of(kept.key) == 1


def test_each_link_follows_from_the_one_before(journal: TillJournal) -> None:
    rows = [spent(journal, a_local(number, number=number)) for number in range(1, 6)]
    rows.append(spent(journal, a_local(6, number=6, lease_id=None)))
    links = journal.sealed_from(1, 1, 100)
    assert [each.seq for each in links] == [row.seq for row in rows] == [1, 2, 3, 4, 5, 6]
    prev_hash = FIRST_PREV_HASH
    for link in links:
        assert link.prev_hash == prev_hash
        assert link.hash == hash_of(link)
        prev_hash = link.hash
    assert [each.seq for each in journal.sealed_from(1, 3, 2)] == [3, 4]
    assert list(journal.sealed_from(2, 1, 2)) == []
    assert journal.lease("L1").spent == points(15)


@pytest.mark.parametrize("state", [LeaseState.CLOSING, LeaseState.CLOSED])
def test_only_an_open_lease_is_spent(journal: TillJournal, state: LeaseState) -> None:
    journal.mark_lease("L1", state)
    with pytest.raises(ValueError, match="open"):
        spent(journal, a_local(1))
    nothing_was_spent(journal)


def test_a_lease_is_spent_to_the_last_thousandth_and_no_further(journal: TillJournal) -> None:
    spent(journal, a_local("399.999", number=1))
    with pytest.raises(ValueError, match="left"):
        spent(journal, a_local("0.002", number=2))
    assert spent(journal, a_local("0.001", number=3)).seq == 2
    assert journal.lease("L1").left == ZERO
    with pytest.raises(KeyError):
        journal.get(a_key(2))


def nothing_was_spent(journal: TillJournal) -> None:
    assert journal.lease("L1").spent == ZERO
    assert journal.chain_head() == ChainHead(1, 0, FIRST_PREV_HASH)
    assert list(journal.recent(9)) == []
    assert journal.pass_spent("N") == ZERO


def test_a_seal_that_fails_leaves_nothing(journal: TillJournal) -> None:
    def fails(_seq: int, _prev_hash: str) -> Spend:
        raise RuntimeError("no key")

    with pytest.raises(RuntimeError, match="no key"):
        journal.spend(a_local(50), fails, PassUse("N", points(100)))
    nothing_was_spent(journal)


@pytest.mark.parametrize(
    "wrong", [{"seq": 2}, {"prev_hash": "1" * 64}, {"key": a_key(2)}], ids=["number", "place", "row"]
)
def test_what_is_sealed_is_this_row_at_this_place(journal: TillJournal, wrong: dict[str, object]) -> None:
    row = a_local(50)
    with pytest.raises(ValueError, match="another"):
        journal.spend(row, lambda seq, prev_hash: replace(sealing(row)(seq, prev_hash), **wrong))  # type: ignore[arg-type]
    nothing_was_spent(journal)


@pytest.mark.parametrize(
    "wrong",
    [
        a_redemption(50, key=a_key(1)),
        a_local(50, state=State.READY),
        a_local(50, kind=Kind.RISK),
        a_local(50, lease_id=None, kind=Kind.LEASE),
        a_local(50, lease_id="L9"),
    ],
    ids=["online", "ready", "risk with a lease", "lease without one", "unknown lease"],
)
def test_only_what_is_made_here_is_spent(journal: TillJournal, wrong: Redemption) -> None:
    with pytest.raises(ValueError, match=r"only|names|open"):
        spent(journal, wrong)
    nothing_was_spent(journal)


def test_what_is_spent_under_a_pass_stays_within_it(journal: TillJournal) -> None:
    use = PassUse("N", points(100))
    spent(journal, a_local(60, number=1), use)
    with pytest.raises(ValueError, match="pass"):
        spent(journal, a_local(41, number=2), use)
    assert journal.lease("L1").spent == points(60)
    spent(journal, a_local(40, number=3), use)
    spent(journal, a_local(100, number=4), PassUse("OTHER", points(100)))
    assert journal.pass_spent("N") == journal.pass_spent("OTHER") == points(100)
    assert "N" not in repr(use)


def test_an_enrolment_begins_the_chain_anew_and_keeps_the_old_one(journal: TillJournal) -> None:
    first = spent(journal, a_local(1, number=1))
    journal.begin_epoch(1)
    assert journal.chain_head().seq == 1
    journal.begin_epoch(2)
    assert journal.chain_head() == ChainHead(2, 0, FIRST_PREV_HASH)
    second = spent(journal, a_local(2, number=2))
    assert second.seq == 1
    assert [journal.epoch_of(row.key) for row in (first, second)] == [1, 2]
    assert [each.key for each in journal.sealed_from(1, 1, 9)] == [first.key]
    with pytest.raises(ValueError, match="epoch"):
        journal.begin_epoch(1)
    assert journal.chain_head().till_epoch == 2


def test_a_confirmed_redemption_gets_a_place_once(journal: TillJournal) -> None:
    row = a_redemption(70, key=a_key(1), state=State.CONFIRMED, redemption_id="R1", confirmed_epoch=3)
    journal.add(row)
    sealed = journal.seal_online(row.key, sealing(row))
    assert (sealed.seq, sealed.confirmed_epoch, sealed.redemption_id) == (1, 3, "R1")
    assert journal.get(row.key) == replace(row, seq=1)
    assert journal.seal_online(row.key, sealing(row)) == sealed == journal.sealed(row.key)
    assert journal.chain_head().seq == 1
    with pytest.raises(KeyError):
        journal.seal_online(a_key(2), sealing(row))


def test_what_was_never_sealed_is_a_key_error(journal: TillJournal) -> None:
    journal.add(a_redemption(key="A"))
    with pytest.raises(KeyError):
        journal.sealed("A")
    with pytest.raises(KeyError):
        journal.epoch_of("A")


# --- The clock -----------------------------------------------------------------------------------------------------


def test_each_commit_raises_the_mark_and_only_a_rebase_sets_it_back(any_journal: TillJournal, clock: FakeClock) -> None:
    assert any_journal.high_water() is None
    any_journal.add(a_redemption(key="A"))
    assert any_journal.high_water() == NOW
    clock.advance(60)
    any_journal.remember("name", "value")
    assert any_journal.high_water() == NOW + timedelta(seconds=60)
    clock.advance(-3600)
    any_journal.put(a_redemption(key="A", state=State.SENT))
    any_journal.mark_clock(clock.wall())
    assert any_journal.high_water() == NOW + timedelta(seconds=60)
    any_journal.mark_clock(NOW + timedelta(days=1))
    assert any_journal.high_water() == NOW + timedelta(days=1)
    any_journal.mark_clock(NOW - timedelta(days=1), rebase=True)
    assert any_journal.high_water() == NOW - timedelta(days=1)


# --- The audit -----------------------------------------------------------------------------------------------------


def test_decisions_form_a_chain(any_journal: TillJournal, clock: FakeClock) -> None:
    assert any_journal.audit_head() == AuditHead(0, FIRST_PREV_HASH)
    for number in range(5):
        any_journal.note("approve", number or None, f"redemption:K{number}", {"purpose": "risk", "points": "12.5"})
        clock.advance(1)
    rows = any_journal.audit_rows()
    assert [each.number for each in rows] == [1, 2, 3, 4, 5]
    assert [each.who for each in rows] == [None, 1, 2, 3, 4]
    assert rows[0].detail == {"purpose": "risk", "points": "12.5"}
    assert rows[4].at == NOW + timedelta(seconds=4)
    assert any_journal.audit_head() == AuditHead(5, rows[4].hash)
    assert first_break(rows) is None
    assert first_break(any_journal.audit_rows(after=3), rows[2].hash) is None
    assert [each.number for each in any_journal.audit_rows(after=1, limit=2)] == [2, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"act": "other"},
        {"who": 9},
        {"target": "other"},
        {"detail": {}},
        {"at": NOW - timedelta(seconds=1)},
        {"hash": "1" * 64},
        {"prev_hash": "1" * 64},
        {"number": 7},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_decision_shows(any_journal: TillJournal, change: dict[str, object]) -> None:
    for number in range(3):
        any_journal.note("approve", 7, f"redemption:K{number}", {"points": "1"})
    rows = list(any_journal.audit_rows())
    assert first_break([rows[0], replace(rows[1], **change), rows[2]]) is not None  # type: ignore[arg-type]
    assert first_break([rows[0], rows[2]]) == 3


# --- Operators -----------------------------------------------------------------------------------------------------


def test_an_operator_is_kept_in_place_of_what_was_kept_before(any_journal: TillJournal) -> None:
    assert any_journal.operator(12) is None
    any_journal.keep_operator(an_operator())
    any_journal.keep_operator(an_operator(role="manager"))
    any_journal.keep_operator(an_operator(13))
    assert any_journal.operator(12) == an_operator(role="manager")
    any_journal.forget_operator(12)
    any_journal.forget_operator(12)
    assert any_journal.operator(12) is None
    assert any_journal.operator(13) == an_operator(13)


def test_a_try_is_counted_before_a_pin_is_compared_and_the_last_drops_the_hash(any_journal: TillJournal) -> None:
    assert any_journal.take_pin_try(12) is None
    any_journal.keep_operator(an_operator())
    for left in reversed(range(PIN_TRIES_MAX)):
        told = any_journal.take_pin_try(12)
        assert told == an_operator(tries_left=left), "the hash to compare with comes with each try"
        kept = any_journal.operator(12)
        assert kept is not None
        assert kept.tries_left == left
        assert (kept.pin_hash is None, kept.token is None) == (left == 0, left == 0)
    assert any_journal.take_pin_try(12) is None
    any_journal.keep_operator(an_operator())
    assert any_journal.take_pin_try(12) is not None
    for secret in ("argon2id", "PT1", "Mehta"):
        assert secret not in repr(any_journal.operator(12))
