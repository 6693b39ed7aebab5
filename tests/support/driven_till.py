"""A till as a process of its own: the real window with the real wiring, driven and read by JSON lines.

Run as `python tests/support/driven_till.py DATA_DIR`; the settings come from DATA_DIR/settings.toml and the secrets
from DATA_DIR/secrets. Commands, one a line: {"do": "type"|"press"|"click"|"choose"|"read"|..., ...}; see `Driver`. Each
is answered by one line {"answer": {...}}. Besides, every screen that differs from the one before is told as a line
{"screen": {...}} at the moment it is painted, before a cashier can see it. `support.till_process` is the other end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QTableView, QWidget

WATCHED = (
    "verdictTitle verdictReason verdictNext verdictMeta verdictStale verdictButton1 verdictButton2 sendCodeButton"
    " redeemButton customerName customerIdentifiers cardAge cardEmpty statusConnection statusStorage statusOutbox"
    " codeDialog codeMessage firstRunDialog firstRunMessage firstRunUse firstRunStep_reach firstRunStep_sign_in"
).split()
"""What a cashier reads, by object name."""


def tell(what: dict[str, object]) -> None:
    """One line to the test."""
    print(json.dumps(what), flush=True)


def find(name: str) -> QWidget | None:
    """A widget by its object name; one that is on the screen first."""
    found = [each for each in QApplication.allWidgets() if each.objectName() == name]
    return next((each for each in found if each.isVisible()), found[0] if found else None)


def text_of(widget: QWidget) -> object:
    """What a widget says: an elided label says it whole to a screen reader."""
    if isinstance(widget, QTableView):
        model = widget.model()
        columns = range(model.columnCount())
        return [[model.index(row, each).data() for each in columns] for row in range(model.rowCount())]
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, (QLabel, QLineEdit, QAbstractButton)):
        return widget.text() or widget.accessibleName()
    return widget.windowTitle() or widget.accessibleName()


def screen_now() -> dict[str, object]:
    """The watched words that are on the screen, and which of the watched buttons can be pressed."""
    shown: dict[str, object] = {}
    buttons: list[str] = []
    for widget in QApplication.allWidgets():
        name = widget.objectName()
        if name in WATCHED and widget.isVisible():
            shown[name] = text_of(widget)
            if isinstance(widget, QAbstractButton) and widget.isEnabled():
                buttons.append(name)
    return {**dict.fromkeys(WATCHED), **shown, "buttons": sorted(buttons)}


class Watcher(QObject):
    """Tells each screen as it is painted. With `kill_at` the process ends by SIGKILL when that is to be painted."""

    def __init__(self, app: QApplication) -> None:
        super().__init__()
        self._last: dict[str, object] = {}
        self.kill_at = ""
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            self.look()
        return False

    def look(self) -> None:
        now = screen_now()
        if now == self._last:
            return
        self._last = now
        tell({"screen": now})
        if self.kill_at and any(self.kill_at in str(now[name]) for name in WATCHED):
            os.kill(os.getpid(), signal.SIGKILL)


class Driver(QObject):
    """Acts on the window's thread on lines that another thread reads from standard input."""

    heard = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._watcher = Watcher(app)
        self.heard.connect(self._act)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            self.heard.emit(line)
        self.heard.emit('{"do": "quit"}')

    @Slot(str)
    def _act(self, line: str) -> None:
        command = json.loads(line)
        try:
            answer = getattr(self, f"_do_{command.pop('do')}")(**command)
        except Exception as error:  # The test reads what went wrong.
            answer = {"error": f"{type(error).__name__}: {error}"}
        tell({"answer": answer})

    def _reached(self, name: str) -> QWidget:
        """A widget that a person could use now."""
        widget = find(name)
        if widget is None or not widget.isVisible():
            raise LookupError(f"{name} is not on the screen")
        if not widget.isEnabled():
            raise LookupError(f"{name} is off")
        modal = QApplication.activeModalWidget()
        if modal is not None and widget.window() is not modal:
            raise LookupError(f"{name} is behind {modal.objectName()}")
        return widget

    def _do_type(self, name: str, text: str) -> dict[str, Any]:
        """Replace what stands in a field, key by key."""
        field = self._reached(name)
        assert isinstance(field, QLineEdit), name
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        return {"text": field.text()}

    def _do_press(self, key: str) -> dict[str, Any]:
        """Press a key where the keyboard is."""
        window = QApplication.activeModalWidget() or find("mainWindow")
        assert window is not None
        # Without a window system nobody makes a window active again when its dialog closes.
        widget = QApplication.focusWidget() or window.focusWidget() or window
        combination = QKeySequence(key)[0]
        QTest.keyClick(widget, combination.key(), combination.keyboardModifiers())
        return {"at": widget.objectName()}

    def _do_click(self, name: str) -> dict[str, Any]:
        button = self._reached(name)
        assert isinstance(button, QAbstractButton), name
        # Posted, so that a press is answered also when it leads to the end of this process.
        QTimer.singleShot(0, button.click)
        return {}

    def _do_read(self, names: list[str]) -> dict[str, Any]:
        """The text of each named widget, null where it is not on the screen."""
        found = {name: find(name) for name in names}
        return {name: text_of(each) if each is not None and each.isVisible() else None for name, each in found.items()}

    def _do_kill_at(self, text: str) -> dict[str, Any]:
        """End by SIGKILL at the moment when these words are to be painted."""
        self._watcher.kill_at = text
        return {}

    def _do_shot(self, file: str) -> dict[str, Any]:
        window = find("mainWindow")
        assert window is not None
        return {"saved": window.grab().save(file)}

    def _do_quit(self) -> dict[str, Any]:
        QTimer.singleShot(0, QApplication.closeAllWindows)
        return {}


def main() -> int:
    """The window as `pos-app` opens it, with a driver beside it."""
    from pos_app.settings import Place
    from pos_app.starting import run_window

    driver: list[Driver] = []
    return run_window(Place(data_dir=Path(sys.argv[1])), on_start=lambda: driver.append(Driver()))


if __name__ == "__main__":
    raise SystemExit(main())
