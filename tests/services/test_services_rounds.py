"""What a till does by itself, and when."""

from __future__ import annotations

import threading

import pytest
from support.clock import FakeClock
from support.fake_ledger import ScriptedLedger

from pos_app.domain.trouble import LineDownError, NotAcceptedError, StorageError, Trouble
from pos_app.services.line import Line
from pos_app.services.results import LineState
from pos_app.services.rounds import Duty, Rounds, Roundsman


class Diary:
    """Duties that write down that they were done; `fails` makes one raise what it holds."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.was_hurried = False

    def duty(self, name: str, every_s: float, *, needs_line: bool = True) -> Duty:
        def work(at_once: bool) -> None:
            self.done.append(name)
            self.was_hurried = at_once
            if name in self.fails:
                raise self.fails[name]

        return Duty(name, every_s, work, needs_line=needs_line)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def line(clock: FakeClock) -> Line:
    return Line(ScriptedLedger(), clock)


@pytest.fixture
def diary() -> Diary:
    return Diary()


def test_everything_is_due_at_the_start_in_the_order_of_the_duties(clock: FakeClock, line: Line, diary: Diary) -> None:
    rounds = Rounds(clock, line, [diary.duty("drain", 1), diary.duty("settle", 5), diary.duty("heartbeat", 30)])
    assert rounds.next_due_s() <= 0
    assert list(rounds.run_due()) == ["drain", "settle", "heartbeat"]
    assert list(rounds.run_due()) == []
    assert rounds.next_due_s() == 1


def test_each_duty_has_its_own_rhythm(clock: FakeClock, line: Line, diary: Diary) -> None:
    rounds = Rounds(clock, line, [diary.duty("drain", 1), diary.duty("heartbeat", 30)])
    rounds.run_due()
    for _ in range(30):
        clock.advance(1)
        rounds.run_due()
    assert diary.done.count("drain") == 31
    assert diary.done.count("heartbeat") == 2


def test_what_needs_the_line_waits_while_it_is_down_and_all_is_due_when_it_is_back(
    clock: FakeClock, line: Line, diary: Diary
) -> None:
    rounds = Rounds(clock, line, [diary.duty("mark", 60, needs_line=False), diary.duty("settle", 30)])
    rounds.run_due()
    line.met(LineDownError("cut"))
    clock.advance(100)
    assert list(rounds.run_due()) == ["mark"]
    line.met(None)
    assert list(rounds.run_due()) == ["settle"]
    clock.advance(1)
    line.met(None)
    assert list(rounds.run_due()) == []


def test_a_line_that_comes_back_makes_everything_due_though_its_time_has_not_come(
    clock: FakeClock, line: Line, diary: Diary
) -> None:
    rounds = Rounds(clock, line, [diary.duty("changes", 30)])
    rounds.run_due()
    line.met(LineDownError("cut"))
    rounds.run_due()
    line.met(None)
    assert list(rounds.run_due()) == ["changes"]


def test_a_duty_that_finds_the_line_down_spares_the_others_their_time_out(
    clock: FakeClock, line: Line, diary: Diary
) -> None:
    diary.fails["settle"] = LineDownError("cut")
    rounds = Rounds(clock, line, [diary.duty("settle", 5), diary.duty("heartbeat", 30)])
    assert list(rounds.run_due()) == ["settle"]
    assert line.view.state is LineState.OFFLINE
    assert isinstance(rounds.troubles["settle"], LineDownError)


@pytest.mark.parametrize("trouble", [NotAcceptedError("login"), StorageError("full")])
def test_a_duty_that_fails_does_not_keep_the_others_from_being_done(
    clock: FakeClock, line: Line, diary: Diary, trouble: Trouble
) -> None:
    diary.fails["settle"] = trouble
    rounds = Rounds(clock, line, [diary.duty("settle", 5), diary.duty("heartbeat", 30)])
    assert list(rounds.run_due()) == ["settle", "heartbeat"]
    del diary.fails["settle"]
    clock.advance(5)
    rounds.run_due()
    assert rounds.troubles == {}


def test_what_somebody_hurries_is_due_at_once(clock: FakeClock, line: Line, diary: Diary) -> None:
    rounds = Rounds(clock, line, [diary.duty("changes", 30), diary.duty("heartbeat", 30)])
    rounds.run_due()
    rounds.hurry("changes")
    assert list(rounds.run_due()) == ["changes"]


def test_all_at_once_tells_whether_nothing_failed(clock: FakeClock, line: Line, diary: Diary) -> None:
    rounds = Rounds(clock, line, [diary.duty("drain", 1), diary.duty("heartbeat", 30)])
    rounds.run_due()
    assert not diary.was_hurried
    assert rounds.run_all()
    assert diary.was_hurried
    assert diary.done == ["drain", "heartbeat"] * 2
    diary.fails["drain"] = LineDownError("cut")
    assert not rounds.run_all()
    assert diary.done == ["drain", "heartbeat"] * 2 + ["drain"]


def test_the_roundsman_goes_on_after_a_fault_of_ours(clock: FakeClock, line: Line, diary: Diary) -> None:
    diary.fails["settle"] = ZeroDivisionError()
    again = threading.Event()

    def beat(_at_once: bool) -> None:
        if diary.done.count("settle") > 1:
            again.set()

    rounds = Rounds(clock, line, [Duty("beat", 0, beat), diary.duty("settle", 0)])
    roundsman = Roundsman(rounds, clock)
    roundsman.start()
    try:
        assert again.wait(30)
    finally:
        roundsman.stop()


def test_what_is_somebody_elses_is_left_to_them(clock: FakeClock, line: Line, diary: Diary) -> None:
    rounds = Rounds(clock, line, [diary.duty("probe", 4, needs_line=False), diary.duty("settle", 2)])
    rounds.leave("probe")
    assert list(rounds.run_due()) == ["settle"]


def test_a_rhythm_may_depend_on_what_was_found(clock: FakeClock, line: Line) -> None:
    rounds = Rounds(
        clock,
        line,
        [Duty("probe", lambda: 5.0 if line.view.state is LineState.OFFLINE else 60.0, lambda _: None, False)],
    )
    rounds.run_due()
    assert rounds.next_due_s() == 60
    line.met(LineDownError("cut"))
    clock.advance(60)
    rounds.run_due()
    assert rounds.next_due_s() == 5
