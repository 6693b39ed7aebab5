"""One opinion about the line."""

from __future__ import annotations

import pytest
from support.clock import FakeClock
from support.fake_ledger import ScriptedLedger

from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    ServiceTroubleError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
)
from pos_app.services.line import Line
from pos_app.services.results import LineState


def a_line(*probes: bool) -> tuple[Line, FakeClock]:
    clock = FakeClock()
    return Line(ScriptedLedger(is_up=probes), clock), clock


def test_nothing_is_known_of_the_line_before_anybody_used_it() -> None:
    line, clock = a_line()
    assert line.view.state is LineState.UNKNOWN
    assert line.view.since == clock.wall()


def test_an_answer_puts_the_line_up() -> None:
    line, _ = a_line()
    line.met(None)
    assert line.view.state is LineState.ONLINE
    assert line.view.trouble is None


@pytest.mark.parametrize("trouble", [LineDownError(), NotTheServiceError(), NotSafeError()])
def test_nobody_to_talk_to_takes_the_line_down_and_says_why(trouble: Trouble) -> None:
    line, _ = a_line()
    line.met(trouble)
    assert line.view.state is LineState.OFFLINE
    assert line.view.trouble is trouble


@pytest.mark.parametrize("trouble", [NotAcceptedError(), SlowDownError(), ServiceTroubleError()])
def test_a_service_that_refuses_or_fails_is_still_there(trouble: Trouble) -> None:
    line, _ = a_line()
    line.met(LineDownError())
    line.met(trouble)
    assert line.view.state is LineState.ONLINE


def test_a_lost_answer_says_nothing_about_the_line() -> None:
    line, _ = a_line()
    line.met(UnclearAnswerError())
    assert line.view.state is LineState.UNKNOWN


def test_a_probe_brings_the_line_back() -> None:
    line, clock = a_line(True)
    line.met(LineDownError())
    clock.advance(30)
    view = line.probe()
    assert view.state is LineState.ONLINE
    assert view.since == clock.wall()


def test_a_probe_without_an_answer_keeps_the_known_reason_and_since_when() -> None:
    line, clock = a_line(False)
    trouble = NotTheServiceError()
    line.met(trouble)
    since = line.view.since
    clock.advance(30)
    view = line.probe()
    assert (view.state, view.since) == (LineState.OFFLINE, since)
    assert view.trouble is trouble


def test_a_first_probe_without_an_answer_is_a_line_that_is_down() -> None:
    line, _ = a_line(False)
    assert isinstance(line.probe().trouble, LineDownError)
