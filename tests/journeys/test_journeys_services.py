"""The services over the real ledger, journal and cache: whatever is lost and wherever the till dies, one charge."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.a_ledger import BookKit, a_kit
from support.clock import FakeClock
from support.crashing import CrashPoints, Killed, MortalJournal, MortalLedger
from support.fake_ledger import LOSSES, Loss, LossyLedger
from support.ledger_server import CUSTOMER, MOBILE, PROGRAM, a_customer, a_program, a_till, an_organisation
from support.memory_journal import MemoryJournal
from support.service_kit import Till

from pos_app.cache import SqlCache
from pos_app.domain.commands import CancelReason
from pos_app.domain.points import Points
from pos_app.domain.redemption import FINAL, Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind, RedemptionRequest
from pos_app.journal import SqlJournal
from pos_app.services.results import CannotLookUpOfflineError, Checked, Source

TOM = CustomerRef(IdentifierKind.MOBILE, MOBILE)
MANY = 1_000_000
KEY_HEX = "ab" * 32
SEEDS = itertools.count(1)
"""Every till makes keys of its own: the ledger of a test outlives the tills."""


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[BookKit]:
    """A ledger that wants every redemption confirmed by a code; Tom has very many points."""
    lines = [an_organisation(validation_required=True), a_program(), a_till(), a_customer(points=MANY)]
    with a_kit(tmp_path, lines, clock=FakeClock()) as opened:
        yield opened


class Files:
    """The files of one till: they outlive its process."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        folder.mkdir()
        self._folder = folder
        self._clock = clock
        self._open()

    def _open(self) -> None:
        self.journal = SqlJournal.open(self._folder / "journal.db", KEY_HEX, self._clock)
        self.cache = SqlCache.open(self._folder / "cache.db", KEY_HEX, self._clock)

    def reopened(self) -> None:
        """As a new process finds them."""
        self.close()
        self._open()

    def close(self) -> None:
        self.journal.close()
        self.cache.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def files(tmp_path: Path, clock: FakeClock) -> Iterator[Files]:
    opened = Files(tmp_path / "till", clock)
    yield opened
    opened.close()


def asking(count: int = 100, **changes: Any) -> RedemptionRequest:
    return RedemptionRequest(customer=TOM, amount=AskedPoints(Points.of(count)), program_id=PROGRAM, **changes)


def checked_with_a_code(till: Till, kit: BookKit) -> tuple[Checked, str]:
    """Look Tom up, check 100 points and send him a code."""
    assert till.lookup.find(TOM) is not None
    checked = till.validation.check(asking(issue_otp=True))
    assert checked.is_redeemable
    assert checked.is_code_out
    return checked, kit.codes_sent[-1]


def start(till: Till, checked: Checked) -> Redemption:
    return till.redemptions.start(checked, customer_id=CUSTOMER, customer_label="Tom S.")


# --- One customer at the counter -----------------------------------------------------------------------------------


def test_a_customer_is_looked_up_checked_confirmed_and_served(kit: BookKit, files: Files, clock: FakeClock) -> None:
    till = Till(kit.ledger, journal=files.journal, cache=files.cache, clock=clock)
    till.lookup.refresh_rules()
    checked, code = checked_with_a_code(till, kit)
    assert checked.needs_proof
    assert not till.validation.check_code(asking(validation_code="WRONG1")).is_confirmed
    assert till.validation.check_code(asking(validation_code=code)).is_confirmed
    row = till.redemptions.submit(start(till, checked).key, code)
    assert (row.state, row.balance_after) == (State.CONFIRMED, Points.of(MANY - 100))
    assert kit.entry_count(row.key) == 1
    kept = files.cache.find_customer(TOM)
    assert kept is not None
    assert kept.wallets[0].balance == Points.of(MANY - 100)


def test_a_wrong_code_is_corrected_under_the_same_key(kit: BookKit, files: Files, clock: FakeClock) -> None:
    till = Till(kit.ledger, journal=files.journal, cache=files.cache, clock=clock)
    checked, code = checked_with_a_code(till, kit)
    key = start(till, checked).key
    assert till.redemptions.submit(key, "WRONG1").refusal is Refusal.CODE_WRONG
    assert till.redemptions.submit(key, code).state is State.CONFIRMED
    assert kit.entry_count(key) == 1


def test_without_a_line_a_customer_seen_before_is_judged_by_the_ledgers_own_rules(
    kit: BookKit, files: Files, clock: FakeClock
) -> None:
    line = LossyLedger(kit.ledger)
    till = Till(line, journal=files.journal, cache=files.cache, clock=clock)
    till.lookup.refresh_rules()
    till.lookup.find(TOM)
    seen_at = clock.wall()
    line.is_cut = True
    files.reopened()
    clock.advance(47 * 60)
    again = Till(line, journal=files.journal, cache=files.cache, clock=clock)
    yes, no = again.validation.check(asking(100)), again.validation.check(asking(125))
    assert (yes.source, yes.as_of, yes.is_redeemable) == (Source.CACHE, seen_at, True)
    assert (no.refusals, no.nearest) == ((Refusal.NOT_A_MULTIPLE,), (Points.of(120), Points.of(130)))
    with pytest.raises(CannotLookUpOfflineError):
        again.lookup.find(CustomerRef(IdentifierKind.MOBILE, "919000000099"))


# --- Every crash point ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("losses", [(), ("reply",), ("request",)])
def test_a_till_that_dies_anywhere_charges_once(
    kit: BookKit, files: Files, clock: FakeClock, losses: tuple[Loss, ...]
) -> None:
    for dies_at in itertools.count():
        passed = CrashPoints(dies_at)
        ledger = MortalLedger(kit.ledger, passed, losses)
        journal = MortalJournal(files.journal, passed)
        till = Till(ledger, journal=journal, cache=files.cache, clock=clock, seed=next(SEEDS))
        checked, code = checked_with_a_code(till, kit)
        before = kit.balance(CUSTOMER, PROGRAM)
        with contextlib.suppress(Killed):
            till.redemptions.submit(start(till, checked).key, code)
        files.reopened()
        again = Till(kit.ledger, journal=files.journal, cache=files.cache, clock=clock, seed=next(SEEDS))
        again.redemptions.resume()
        again.drain_all(2)
        for row in again.redemptions.open_redemptions():
            assert (row.state, row.refusal) == (State.READY, Refusal.PROOF_MISSING), passed.names
            assert again.redemptions.submit(row.key, code).state is State.CONFIRMED
        taken = before - kit.balance(CUSTOMER, PROGRAM)
        was_started = "after READY" in passed.names
        assert taken == Points.of(100 if was_started else 0), passed.names
        assert again.redemptions.open_redemptions() == []
        clock.advance(24 * 3600)  # The next sale is on another day: codes are counted.
        kit.book.clock.advance(24 * 3600)
        if len(passed.names) <= dies_at:
            break
    assert dies_at >= 8


# --- Every loss ------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_kit(tmp_path: Path) -> Iterator[BookKit]:
    """A ledger that asks for no code; Tom has very many points."""
    with a_kit(tmp_path, [an_organisation(), a_program(), a_till(), a_customer(points=MANY)]) as opened:
        yield opened


@given(
    losses=st.lists(st.sampled_from(LOSSES), max_size=10),
    gives_up=st.booleans(),
    late_first=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_till_says_in_the_end_is_what_the_ledger_charged(
    open_kit: BookKit, losses: list[Loss], gives_up: bool, late_first: bool
) -> None:
    line = LossyLedger(open_kit.ledger, losses)
    journal = MemoryJournal()
    till = Till(line, journal=journal, seed=next(SEEDS))
    before = open_kit.balance(CUSTOMER, PROGRAM)
    checked = till.validation.check(asking())
    row = till.redemptions.submit(start(till, checked).key)
    if late_first:
        line.deliver_late()
    if gives_up:
        row = till.redemptions.give_up(row.key, CancelReason.CUSTOMER_LEFT)
    till.drain_all(12)
    line.deliver_late()
    row = till.redemptions.get(row.key)
    assert row.state in FINAL
    taken = before - open_kit.balance(CUSTOMER, PROGRAM)
    assert taken == Points.of(100 if row.state is State.CONFIRMED else 0)
    if not gives_up:
        assert row.state is State.CONFIRMED
