"""Any order of acts, failing commits and new starts: the journal on disk is always the one in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from support.builders import NOW, a_redemption, points
from support.clock import FakeClock
from support.failing_disk import FailingDisk, a_failing_disk
from support.files import DATABASE_KEY
from support.held_kit import a_key, a_lease, a_local, an_asked, an_operator, sealing
from support.memory_journal import MemoryJournal

from pos_app.domain.leases import GiveBack, LeaseState
from pos_app.domain.points import total
from pos_app.domain.redemption import MOVES, Kind, Redemption
from pos_app.domain.trouble import StorageError
from pos_app.journal import SqlJournal
from pos_app.journal.audit import first_break
from pos_app.services.offline_port import PassUse, TillJournal

NUMBERS = st.integers(1, 6)
"""Few of each, so that rules meet the same ones."""

MEMORY = Path("/dev/shm")
LEASES = NUMBERS.map(lambda number: f"L{number}")


class Inline(Executor):
    """Runs what it is given at once: the machine has one thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done


def outcome(act: Callable[[TillJournal], Any], journal: TillJournal) -> Any:
    """What came of an act: its result, or the kind of its failure."""
    try:
        return act(journal)
    except (ValueError, KeyError, AssertionError):
        return "refused"
    except StorageError:
        return "not kept"


class JournalMachine(RuleBasedStateMachine):
    """Each rule does the same to both journals and compares what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.path = Path(self.folder.name) / "journal.db"
        self.clock = FakeClock()
        self.memory = MemoryJournal(self.clock)
        self.made = 0
        self.fails: str | None = None
        self.failing = a_failing_disk()
        self.disk: FailingDisk = self.failing.__enter__()
        self.journal = self.opened()

    def opened(self) -> SqlJournal:
        return SqlJournal.open(self.path, DATABASE_KEY, self.clock, Inline())

    def teardown(self) -> None:
        try:
            self.look()
        finally:
            self.journal.close()
            self.failing.__exit__(None, None, None)
            self.folder.cleanup()

    def both(self, act: Callable[[TillJournal], Any]) -> Any:
        """Do it to both; the disk may fail, before or after the commit took."""
        fails, self.fails = self.fails, None
        if fails is None:
            told, found = outcome(act, self.memory), outcome(act, self.journal)
        else:
            with self.memory.rehearsal():
                told = "refused" if outcome(act, self.memory) == "refused" else "not kept"
            self.disk.fails_late, self.disk.refuses = fails == "late", lambda: fails == "early"
            found = outcome(act, self.journal)
            self.disk.fails_late, self.disk.refuses = False, lambda: False
        assert found == told
        return found

    def key_of(self, number: int) -> str:
        return a_key(1 + number % max(self.made, 1))

    # --- Acts ---------------------------------------------------------------------------------------------------------

    @initialize()
    def enrol(self) -> None:
        self.both(lambda journal: journal.begin_epoch(1))

    @rule(how=st.sampled_from(["early", "late"]))
    def the_next_commit_fails(self, how: str) -> None:
        self.fails = how

    @rule()
    def start_anew(self) -> None:
        self.journal.close()
        self.journal = self.opened()
        self.look()

    @rule(seconds=st.integers(-100, 1000))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(number=NUMBERS, renews=st.none() | LEASES)
    def ask(self, number: int, renews: str | None) -> None:
        self.both(lambda journal: journal.ask_lease(an_asked(number, renews=renews)))

    @rule(number=NUMBERS, is_given=st.booleans(), amount=st.integers(0, 40))
    def answer(self, number: int, is_given: bool, amount: int) -> None:
        lease = a_lease(f"L{number}", amount) if is_given else None
        self.both(lambda journal: journal.answer_lease(an_asked(number).request_id, lease))

    @rule(lease_id=LEASES, state=st.sampled_from([LeaseState.OPEN, LeaseState.CLOSING, LeaseState.CLOSED]))
    def mark_lease(self, lease_id: str, state: LeaseState) -> None:
        self.both(lambda journal: journal.mark_lease(lease_id, state))

    @rule(count=st.integers(1, 15), lease_id=st.none() | LEASES, nonce=st.none() | st.sampled_from("NM"))
    def spend(self, count: int, lease_id: str | None, nonce: str | None) -> None:
        row = a_local(count, number=self.made + 1, lease_id=lease_id)
        use = None if nonce is None else PassUse(nonce, points(30))
        kept = self.both(lambda journal: journal.spend(row, sealing(row), use))
        self.made += isinstance(kept, Redemption)

    @rule(gives=st.lists(st.tuples(LEASES, st.integers(0, 3)), max_size=2, unique_by=lambda each: each[0]))
    def begin(self, gives: list[tuple[str, int]]) -> None:
        row = a_redemption(key=a_key(self.made + 1), changed_at=self.clock.wall())
        held = {each.lease.lease_id: each.spent for each in self.memory.leases(with_closed=True)}
        back = [GiveBack(each, points(1) if wrong == 3 else held.get(each, points(0))) for each, wrong in gives]
        self.made += self.both(lambda journal: journal.add_closing(row, back)) is None

    @precondition(lambda self: self.made)
    @rule(number=st.integers(0, 200), move=st.integers(0, 20))
    def move(self, number: int, move: int) -> None:
        row = self.memory.get(self.key_of(number))
        moves = sorted(event for state, event in MOVES if state is row.state)
        if moves:
            after = row.moved(moves[move % len(moves)], self.clock.wall())
            self.both(lambda journal: journal.put(after))

    @precondition(lambda self: self.made)
    @rule(number=st.integers(0, 200))
    def print_and_close(self, number: int) -> None:
        self.both(lambda journal: journal.mark_printed(self.key_of(number), NOW))
        self.both(lambda journal: journal.close_row(self.key_of(number), "accepted:7"))

    @precondition(lambda self: self.made)
    @rule(number=st.integers(0, 200))
    def seal_online(self, number: int) -> None:
        row = self.memory.get(self.key_of(number))
        plain = replace(row, kind=Kind.RISK, lease_id=None)
        self.both(lambda journal: journal.seal_online(row.key, sealing(plain)))

    @rule(more=st.integers(-1, 1))
    def enrol_again(self, more: int) -> None:
        epoch = self.memory.chain_head().till_epoch + more
        self.both(lambda journal: journal.begin_epoch(epoch))

    @rule(who=NUMBERS)
    def decide(self, who: int) -> None:
        self.both(lambda journal: journal.note("approve", who, "redemption", {"points": str(who)}))

    @rule(name=st.sampled_from("ab"), value=st.sampled_from("xyz"))
    def remember(self, name: str, value: str) -> None:
        self.both(lambda journal: journal.remember(name, value))

    @rule(seconds=st.integers(-5000, 5000), rebase=st.booleans())
    def mark_clock(self, seconds: int, rebase: bool) -> None:
        moment = self.clock.wall() + timedelta(seconds=seconds)
        self.both(lambda journal: journal.mark_clock(moment, rebase=rebase))

    @rule(act=st.sampled_from(["keep", "try", "try", "try", "forget"]))
    def operators(self, act: str) -> None:
        acts: dict[str, Callable[[TillJournal], object]] = {
            "keep": lambda journal: journal.keep_operator(an_operator()),
            "try": lambda journal: journal.take_pin_try(12),
            "forget": lambda journal: journal.forget_operator(12),
        }
        self.both(acts[act])

    # --- What always holds --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Both tell the same, and no lease is overspent (I4): what was spent of it is what its rows say."""
        for told in EVERYTHING:
            assert told(self.journal) == told(self.memory)
        rows = self.journal.recent(999)
        for held in self.journal.leases(with_closed=True):
            spent = total(row.points for row in rows if row.lease_id == held.lease.lease_id)
            assert held.spent == spent <= held.lease.amount
        assert first_break(self.journal.audit_rows()) is None


EVERYTHING: tuple[Callable[[TillJournal], Any], ...] = (
    lambda journal: list(journal.recent(999)),
    lambda journal: list(journal.open_redemptions()),
    lambda journal: list(journal.leases(with_closed=True)),
    lambda journal: list(journal.asked_leases()),
    lambda journal: [journal.sealed_from(epoch, 1, 999) for epoch in range(4)],
    lambda journal: [journal.chain_head(), journal.audit_head(), journal.high_water(), journal.operator(12)],
    lambda journal: [journal.pass_spent("N"), journal.pass_spent("M"), journal.recall("a"), journal.recall("b")],
)


QUICK = settings(max_examples=80, stateful_step_count=50, deadline=None)
LONG = settings(max_examples=5_000, stateful_step_count=100, deadline=None)


@pytest.mark.timeout(300)
def test_the_journal_on_disk_is_the_one_in_memory() -> None:
    run_state_machine_as_test(JournalMachine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_journal_on_disk_is_the_one_in_memory_at_length() -> None:
    run_state_machine_as_test(JournalMachine, settings=LONG)
