"""The one door to slow work: results come back on the window's thread, late ones not at all."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from pos_app.domain.trouble import LineDownError
from pos_app.ui.background import Background


class Heard:
    """What callbacks were told, and on which thread."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.errors: list[Exception] = []
        self.late: list[Any] = []
        self.threads: set[int] = set()

    def done(self, result: object) -> None:
        self.threads.add(threading.get_ident())
        self.results.append(result)

    def error(self, error: Exception) -> None:
        self.threads.add(threading.get_ident())
        self.errors.append(error)


@pytest.fixture
def background(qtbot: QtBot) -> Any:
    made = Background()
    yield made
    assert made.stop(5)


def test_work_runs_on_another_thread_and_its_result_comes_back_on_ours(qtbot: QtBot, background: Background) -> None:
    heard = Heard()
    with qtbot.waitSignal(background.idle):
        background.run(threading.get_ident, on_done=heard.done, on_error=heard.error)
    assert heard.results != [threading.get_ident()]
    assert heard.threads == {threading.get_ident()}


def test_trouble_is_told_and_is_no_bug(qtbot: QtBot, background: Background, caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()

    def work() -> None:
        raise LineDownError("no line")

    with qtbot.waitSignal(background.idle):
        background.run(work, on_done=heard.done, on_error=heard.error)
    assert [type(error) for error in heard.errors] == [LineDownError]
    assert caplog.records == []


def test_a_bug_is_logged_without_its_message_and_told(
    qtbot: QtBot, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    heard, her_number = Heard(), "".join(["9198", "12345678"])

    def work() -> None:
        raise KeyError(her_number)

    with qtbot.waitSignal(background.idle):
        background.run(work, on_done=heard.done, on_error=heard.error, lane="lookup")
    assert len(heard.errors) == 1
    assert "KeyError in lookup" in caplog.text
    assert her_number not in caplog.text


def test_a_newer_run_in_a_lane_makes_the_older_one_late(
    qtbot: QtBot, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    heard, gate = Heard(), threading.Event()

    def slow() -> str:
        gate.wait(10)
        return "for the customer before"

    background.run(slow, on_done=heard.done, on_error=heard.error, on_late=heard.late.append, lane="check")
    with qtbot.waitSignal(background.idle):
        background.run(lambda: "for this one", on_done=heard.done, on_error=heard.error, lane="check")
        gate.set()
    assert heard.results == ["for this one"]
    assert heard.late == ["for the customer before"]
    assert "dropped" in caplog.text
    assert "customer before" not in caplog.text


def test_dropped_work_is_late_even_when_it_fails(qtbot: QtBot, background: Background) -> None:
    heard, gate = Heard(), threading.Event()

    def slow() -> None:
        gate.wait(10)
        raise LineDownError("too late to matter")

    background.run(slow, on_done=heard.done, on_error=heard.error, lane="check")
    assert background.is_running("check")
    background.drop("check")
    assert not background.is_running("check")
    with qtbot.waitSignal(background.idle):
        gate.set()
    assert heard.errors == []


def test_lanes_do_not_disturb_each_other(qtbot: QtBot, background: Background) -> None:
    heard = Heard()
    with qtbot.waitSignal(background.idle):
        for lane in ("check", "lookup", "", ""):
            background.run(lambda lane=lane: lane, on_done=heard.done, on_error=heard.error, lane=lane)  # type: ignore[misc]
    assert sorted(heard.results) == ["", "", "check", "lookup"]


def test_more_work_than_threads_waits_its_turn(qtbot: QtBot, background: Background) -> None:
    heard = Heard()
    with qtbot.waitSignal(background.idle):
        for number in range(40):
            background.run(lambda number=number: number, on_done=heard.done, on_error=heard.error)  # type: ignore[misc]
    assert sorted(heard.results) == list(range(40))


def test_stopping_waits_a_bounded_time_and_tells_nobody_afterwards(qtbot: QtBot) -> None:
    background, heard, gate = Background(), Heard(), threading.Event()
    background.run(lambda: gate.wait(10), on_done=heard.done, on_error=heard.error)
    assert not background.stop(0.05)
    gate.set()
    assert background.stop(5)
    background.run(lambda: 1, on_done=heard.done, on_error=heard.error)
    QCoreApplication.processEvents()
    assert heard.results == []
