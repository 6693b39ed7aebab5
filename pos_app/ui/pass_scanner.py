"""Hears a scanned pass whatever has the focus: a scan that begins `PD1` is a pass (ux B.11, sync-api 10)."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from shiboken6 import isValid

from pos_app.services.ports import Clock
from pos_app.ui.code_field import SCAN_ENDS, ScanBurst
from pos_app.ui.proofs import is_pass

TEXT_MAX: Final = 4096


class PassScanner(QObject):
    """Follows the focus in one window and looks at what is typed there, as quickly as only a scanner types.

    Dialogs are left alone: what they ask for is not a pass, and the one that asks for it has a field.

    Signals:
        scanned: arg: the pass. The field that had the focus has its text back, and no Enter.
    """

    scanned = Signal(str)

    def __init__(self, window: QWidget, clock: Clock) -> None:
        super().__init__(window)
        self._window = window
        self._burst = ScanBurst(clock)
        self._text = ""
        self._before = ""
        self._watched: QWidget | None = None
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow)
            self._follow(None, app.focusWidget())

    @Slot(QWidget, QWidget)
    def _follow(self, _old: QWidget | None, now: QWidget | None) -> None:
        if self._watched is not None and isValid(self._watched):  # The button of a dialog goes with its dialog.
            self._watched.removeEventFilter(self)
        self._watched = now if now is not None and now.window() is self._window else None
        self._text = ""
        if self._watched is not None:
            self._watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Remember what is typed; at the key that ends a scan, take it where it is a pass."""
        if event.type() is not QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if event.key() in SCAN_ENDS:
            return self._end(watched)
        if event.text() and event.text().isprintable() and not _is_command(event):
            if self._burst.feed() or not self._text:
                self._text = ""
                self._before = watched.text() if isinstance(watched, QLineEdit) else ""
            self._text = (self._text + event.text())[:TEXT_MAX]
        return False

    def _end(self, watched: QObject) -> bool:
        text, self._text = self._text, ""
        if not self._burst.take() or not is_pass(text):
            return False
        if isinstance(watched, QLineEdit):
            watched.setText(self._before)
        self.scanned.emit(text)
        return True


def _is_command(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier))
