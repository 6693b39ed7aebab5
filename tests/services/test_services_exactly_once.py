"""Whatever is lost and whenever the till dies: one confirmed redemption is one charge, and "not done" is none."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import points
from support.crashing import CrashPoints, Killed, MortalJournal, MortalLedger
from support.fake_ledger import LOSSES, Loss, LossyLedger, SmallLedger
from support.memory_journal import MemoryJournal
from support.service_kit import Till

from pos_app.domain.commands import CancelReason
from pos_app.domain.points import Points
from pos_app.domain.redemption import FINAL, State
from pos_app.domain.refusals import Refusal

CODE = "Q7XK2M"


def assert_the_books_agree(till: Till, ledger: SmallLedger) -> None:
    """Each row tells the truth about its charge, and the balance is what is left."""
    for row in till.journal.recent(1000):
        charged = ledger.charges.get(row.key)
        if row.state is State.CONFIRMED:
            assert charged == row.points
        elif row.state in FINAL:
            assert charged is None
    assert ledger.balance + sum(ledger.charges.values(), Points(0)) == points(500)


def redeemed_until_it_dies(passed: CrashPoints, ledger: SmallLedger, losses: tuple[Loss, ...]) -> MemoryJournal:
    """A cashier redeems 100 points; the process may die on the way. What is left of the till is its journal."""
    journal = MemoryJournal()
    till = Till(MortalLedger(ledger, passed, losses), journal=MortalJournal(journal, passed))
    with contextlib.suppress(Killed):
        till.redemptions.submit(till.start(100).key, CODE)
    return journal


@pytest.mark.parametrize("losses", [(), ("reply",), ("request",), ("line",)])
@pytest.mark.parametrize("code", [None, CODE])
def test_a_till_that_dies_anywhere_charges_once_and_finds_out_after_its_restart(
    losses: tuple[Loss, ...], code: str | None
) -> None:
    for dies_at in itertools.count():
        ledger = SmallLedger(code=code)
        passed = CrashPoints(dies_at)
        journal = redeemed_until_it_dies(passed, ledger, losses)
        again = Till(ledger, journal=journal, seed=2)
        again.redemptions.resume()
        again.drain_all(3)
        for row in again.redemptions.open_redemptions():
            assert (row.state, row.refusal) == (State.READY, Refusal.PROOF_MISSING), passed.names
            assert again.redemptions.submit(row.key, CODE).state is State.CONFIRMED
        was_started = bool(journal.recent(1))
        assert len(ledger.charges) == (1 if was_started else 0), passed.names
        assert_the_books_agree(again, ledger)
        if len(passed.names) <= dies_at:
            break
    assert dies_at >= 8


@pytest.mark.parametrize("losses", [("reply",), ("request",), ("reply", *["line"] * 4, "reply"), ("line",)])
def test_a_till_that_dies_while_giving_up_charges_nothing_in_the_end(losses: tuple[Loss, ...]) -> None:
    for dies_at in itertools.count():
        ledger = SmallLedger()
        till = Till(LossyLedger(ledger, [*losses, *["line"] * 4][:5]))
        key = till.start(100).key
        assert till.redemptions.submit(key).state is State.UNKNOWN
        passed = CrashPoints(dies_at)
        dying_ledger = MortalLedger(ledger, passed, ["reply"])
        dying = Till(dying_ledger, journal=MortalJournal(till.journal, passed), clock=till.clock, seed=2)
        gave_up = True
        try:
            dying.redemptions.give_up(key, CancelReason.CUSTOMER_LEFT)
        except Killed:
            gave_up = till.journal.get(key).state is not State.UNKNOWN
        again = till.restarted(ledger)
        again.drain_all(3)
        row = again.redemptions.get(key)
        assert row.state in ({State.CANCELLED, State.REVERSED} if gave_up else {State.CONFIRMED}), passed.names
        assert_the_books_agree(again, ledger)
        if len(passed.names) <= dies_at:
            break
    assert dies_at >= 5


loss_scripts = st.lists(st.sampled_from(LOSSES), max_size=12)


@given(losses=loss_scripts, code=st.sampled_from([None, CODE]))
@settings(max_examples=300, deadline=None)
def test_points_are_taken_exactly_once_whatever_is_lost(losses: list[Loss], code: str | None) -> None:
    ledger = SmallLedger(code=code)
    line = LossyLedger(ledger, losses)
    till = Till(line)
    row = till.redemptions.submit(till.start(100).key, CODE)
    if row.state is State.CONFIRMED:
        assert ledger.balance == points(400)
    till.drain_all(14)
    line.deliver_late()
    row = till.redemptions.get(row.key)
    for _ in range(len(losses)):  # The cashier types the code again as often as the bad line makes her.
        if row.state is State.CONFIRMED:
            break
        assert code is not None
        row = till.redemptions.submit(row.key, CODE)
    assert row.state is State.CONFIRMED
    assert ledger.balance == points(400)
    assert_the_books_agree(till, ledger)


@given(losses=loss_scripts, code=st.sampled_from([None, CODE]), restarts=st.booleans(), waits=st.booleans())
@settings(max_examples=300, deadline=None)
def test_nothing_is_taken_that_was_given_up_however_late_the_copies_arrive(
    losses: list[Loss], code: str | None, restarts: bool, waits: bool
) -> None:
    ledger = SmallLedger(code=code)
    line = LossyLedger(ledger, losses)
    till = Till(line)
    row = till.redemptions.submit(till.start(100).key, CODE)
    if waits:
        till.drain_all(1)
    row = till.redemptions.give_up(row.key, CancelReason.CUSTOMER_LEFT)
    if restarts:
        till = till.restarted()
    till.drain_all(14)
    line.deliver_late()
    row = till.redemptions.get(row.key)
    assert row.state in FINAL
    assert ledger.balance == points(400 if row.state is State.CONFIRMED else 500)
    assert_the_books_agree(till, ledger)


@given(losses=st.lists(st.sampled_from(LOSSES), max_size=30), counts=st.lists(st.sampled_from([100, 300]), max_size=5))
@settings(max_examples=100, deadline=None)
def test_several_customers_in_the_outbox_do_not_disturb_each_other(losses: list[Loss], counts: list[int]) -> None:
    ledger = SmallLedger()
    line = LossyLedger(ledger, losses)
    till = Till(line)
    for count in counts:
        till.redemptions.submit(till.start(count).key)
    till.drain_all(40)
    line.deliver_late()
    assert till.redemptions.open_redemptions() == []
    assert_the_books_agree(till, ledger)
