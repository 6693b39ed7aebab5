"""The field for a one-time code: cleans what is typed or pasted, and tells a scan from a person.

Codes have letters and digits (ux W2). No length limit and no mask while pasting: both lose characters (ux A.4, Paste).
"""

from __future__ import annotations

import unicodedata
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFont, QKeyEvent, QKeySequence, QValidator
from PySide6.QtWidgets import QLineEdit, QWidget

from pos_app.services.ports import Clock
from pos_app.ui.till_dialog import ENTER_KEYS

CODE_MIN: Final = 4
CODE_MAX: Final = 50
"""Contract 2.6: length up to 50."""
LARGER: Final = 1.375
LETTER_SPACING: Final = 120.0
"""A code is read out letter by letter: large and spaced, it is compared faster."""
SCAN_CHARS: Final = 6
SCAN_GAP_S: Final = 0.035
"""Ux A.1: six or more characters, at most 35 ms apart, ended by Enter or Tab, are a scan."""

SCAN_ENDS: Final = (*ENTER_KEYS, Qt.Key.Key_Tab)


def clean_code(text: str) -> str:
    """Letters and digits of `text` in upper case: spaces, hyphens and line ends go, any script's digits are 0-9."""
    plain = unicodedata.normalize("NFKC", text)
    digits = (str(unicodedata.digit(char)) if char.isdigit() else char for char in plain)
    return "".join(char for char in digits if char.isascii() and char.isalnum()).upper()[:CODE_MAX]


class CodeValidator(QValidator):
    """Rewrites its input instead of refusing it, so that a paste is never dropped."""

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Clean the text; four characters are enough to try."""
        cleaned = clean_code(text)
        state = QValidator.State.Acceptable if len(cleaned) >= CODE_MIN else QValidator.State.Intermediate
        return state, cleaned, len(clean_code(text[:position]))


class ScanBurst:
    """Recognises a scanner by its speed. Feed it every character and ask at the key that may end a scan."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._last_s = float("-inf")

    def feed(self) -> bool:
        """Count one character; True when it is the first of a new run, so the caller can remember what was there."""
        now = self._clock.mono()
        is_first = now - self._last_s > SCAN_GAP_S
        self._count = 1 if is_first else self._count + 1
        self._last_s = now
        return is_first

    def take(self) -> bool:
        """Say whether the run that ends now was a scan, and forget it."""
        is_scan = self._count >= SCAN_CHARS and self._clock.mono() - self._last_s <= SCAN_GAP_S
        self._count = 0
        return is_scan


class CodeField(QLineEdit):
    """One field, text visible. Nothing is copied out of it and no input method remembers it.

    Signals:
        confirm_pressed: Enter after typed or pasted characters.
        scan_refused: a scan arrived; the text from before it is back.
    """

    confirm_pressed = Signal()
    scan_refused = Signal()

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._burst = ScanBurst(clock)
        self._text_before = ""
        self.setValidator(CodeValidator(self))
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhPreferUppercase
        )
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        font = self.font()
        if font.pixelSize() > 0:
            font.setPixelSize(round(font.pixelSize() * LARGER))
        else:
            font.setPointSizeF(font.pointSizeF() * LARGER)
        font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, LETTER_SPACING)
        self.setFont(font)

    @property
    def code(self) -> str:
        """What was entered, cleaned."""
        return clean_code(self.text())

    def forget(self) -> None:
        """Drop the text and its undo history."""
        self.setText("")
        self._text_before = ""

    def event(self, event: QEvent) -> bool:
        """See Tab before Qt moves the focus with it: a scanner may end with Tab."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._ends_scan(event):
            event.accept()
            self.setText(self._text_before)
            self.scan_refused.emit()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Watch the speed of characters; Enter confirms, once however long it is held; copying out does nothing."""
        if event.key() in ENTER_KEYS:
            event.accept()
            if not event.isAutoRepeat():
                self.confirm_pressed.emit()
            return
        if event.matches(QKeySequence.StandardKey.Copy) or event.matches(QKeySequence.StandardKey.Cut):
            event.accept()
            return
        if event.text().isprintable() and event.text():
            before = self.text()
            if self._burst.feed():
                self._text_before = before
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's name
        """Offer pasting only: a code does not go to the clipboard, where a history may keep it."""
        menu = self.createStandardContextMenu()
        for action in menu.actions():
            if action.objectName() not in ("edit-paste", "select-all"):
                menu.removeAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def _ends_scan(self, event: QKeyEvent) -> bool:
        return event.key() in SCAN_ENDS and self._burst.take()
