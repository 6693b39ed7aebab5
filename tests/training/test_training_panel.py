"""The panel beside the window: the phone's messages, the copied code, the line's switch, and the end of the process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QListWidget
from pytestqt.qtbot import QtBot
from support.dialogs import find, nameless
from support.fake_till import a_view, open_window

from pos_app.domain.points import Points
from pos_app.ledger.sending.senders import CodeMessage
from pos_app.training.panel import SMALL_WIDTH, TrainingPanel, stand_beside
from pos_app.training.phone import SimulatedPhone
from pos_app.ui.announce import Announcer

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_messages_stand_newest_first_and_are_read_out(qtbot: QtBot) -> None:
    phone, panel, said = _panel(qtbot)
    phone.send(_message("NS3U05"))
    phone.send(_message("7KQ2MA"))
    messages = find(panel, QListWidget, "phoneMessages")
    assert [messages.item(row).text().split(": ")[1] for row in range(2)] == [
        "7KQ2MA is your code for 250 points",
        "NS3U05 is your code for 250 points",
    ]
    assert "91.....5678" in messages.item(0).text()
    assert panel.newest_code() == "7KQ2MA"
    assert all(text.startswith("Training. ") for text, _ in said)
    assert [is_assertive for _, is_assertive in said] == [False, False]


def test_copying_the_newest_code_says_so_until_the_next_message(qtbot: QtBot) -> None:
    phone, panel, said = _panel(qtbot)
    copy = find(panel, QAbstractButton, "phoneCopy")
    assert not copy.isEnabled()
    phone.send(_message("NS3U05"))
    copy.click()
    assert QGuiApplication.clipboard().text() == "NS3U05"
    assert copy.text() == "Copied NS3U05"
    assert said[-1][0] == "Training. Copied."
    phone.send(_message("7KQ2MA"))
    assert copy.text() == "Copy code"


def test_after_copying_the_keyboard_is_back_at_the_till(qtbot: QtBot) -> None:
    window = open_window(qtbot, a_view(is_training=True)).window
    phone, panel, _ = _panel(qtbot)
    stand_beside(window, panel)
    phone.send(_message("NS3U05"))
    panel.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is panel)
    find(panel, QAbstractButton, "phoneCopy").click()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)


def test_the_switch_pulls_the_line_and_plugs_it_in(qtbot: QtBot) -> None:
    _, panel, _ = _panel(qtbot)
    heard: list[bool] = []
    panel.line_switched.connect(heard.append)
    network = find(panel, QComboBox, "networkSwitch")
    network.setCurrentIndex(network.findData(False))
    network.setCurrentIndex(network.findData(True))
    assert heard == [False, True]


def test_everything_in_the_panel_has_a_name(qtbot: QtBot) -> None:
    _, panel, _ = _panel(qtbot)
    assert [each for each in nameless(panel) if not each.endswith("QListView ")] == []


def test_on_a_narrow_screen_the_panel_covers_neither_the_entry_nor_the_verdict(qtbot: QtBot) -> None:
    window = open_window(qtbot, a_view(is_training=True)).window
    _, panel, _ = _panel(qtbot)
    stand_beside(window, panel)
    assert panel.isVisible()
    assert panel.width() == SMALL_WIDTH  # The screen without a display is 800 pixels wide.
    assert panel.windowFlags() & Qt.WindowType.Tool
    assert panel.isWindow()  # A part of the window would be deaf while a dialog of the window is open.
    below = panel.geometry().bottom() - window.y()
    assert window.size() == QSize(1024, 768)
    assert below <= window.panel.mapTo(window, window.panel.rect().topLeft()).y()


def test_closing_the_main_window_ends_the_process() -> None:
    script = (
        "from PySide6.QtCore import QTimer\n"
        "from pos_app.starting import run_demo\n"
        "from pos_app.ui.start import application\n"
        "app = application()\n"
        "def close():\n"
        "    assert any(each.objectName() == 'trainingPanel' and each.isVisible() for each in app.topLevelWidgets())\n"
        "    next(each for each in app.topLevelWidgets() if each.objectName() == 'mainWindow').close()\n"
        "QTimer.singleShot(0, close)\n"
        "raise SystemExit(run_demo(None, print))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def _panel(qtbot: QtBot) -> tuple[SimulatedPhone, TrainingPanel, list[tuple[str, bool]]]:
    phone = SimulatedPhone()
    panel = TrainingPanel(phone)
    qtbot.addWidget(panel)
    said: list[tuple[str, bool]] = []
    announcer = panel.findChild(Announcer)
    assert announcer is not None
    announcer.said.connect(lambda text, is_assertive: said.append((text, is_assertive)))
    return phone, panel, said


def _message(code: str) -> CodeMessage:
    return CodeMessage(
        organisation=1,
        customer_id=50001,
        channel="SMS",
        to="919812345678",
        code=code,
        points=Points.of(250),
        text=f"{code} is your code",
        issued_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
    )
