"""The window never blocks: with a ledger that takes five seconds the event loop is never held for 50 ms (house 11)."""

from __future__ import annotations

import subprocess
import sys
import time

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from support.fake_till import CounterLedger, a_counter

from pos_app.domain.answers import CheckAnswer, RedeemAnswer
from pos_app.domain.commands import Redeem
from pos_app.domain.request import RedemptionRequest

BEAT_MS = 5
GAP_MAX_MS = 50
ANSWER_S = 5.0


class SlowLedger(CounterLedger):
    """Thinks for five seconds about every check and every redemption."""

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        time.sleep(ANSWER_S)
        return super().check(request)

    def redeem(self, command: Redeem) -> RedeemAnswer:
        time.sleep(ANSWER_S)
        return super().redeem(command)


class Heartbeat(QObject):
    """Remembers the longest time between two beats of the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_ms = 0
        self.beats = 0
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to count."""
        self._since.start()
        self._timer.start(BEAT_MS)

    def stop(self) -> None:
        """Count no more."""
        self._timer.stop()

    def _beat(self) -> None:
        self.beats += 1
        self.longest_ms = max(self.longest_ms, self._since.restart())


def test_a_ledger_that_answers_after_five_seconds_never_holds_the_event_loop(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, SlowLedger())
    cashier.look_up()
    cashier.wait_quiet()
    heart = Heartbeat()
    cashier.ask("250")
    QApplication.processEvents()
    heart.start()
    cashier.wait(lambda: cashier.text("verdictReason") == "Still checking. You can cancel.", 6000)
    cashier.wait(lambda: cashier.state == "redeemable", 10_000)
    heart.stop()
    assert heart.beats > ANSWER_S * 1000 / BEAT_MS / 4
    assert heart.longest_ms <= GAP_MAX_MS


def test_the_window_loads_neither_database_nor_http_nor_number_formats() -> None:
    probe = (
        "import sys, pos_app.ui.main_window\n"
        "heavy = {'sqlalchemy', 'requests', 'babel', 'phonenumbers', 'pos_app.domain', 'pos_app.services.results'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
