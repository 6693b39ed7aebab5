"""Says results to a screen reader without moving the focus (ux B.4, WCAG 4.1.3)."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget


class Announcer(QObject):
    """Sends announcements for one window.

    Signals:
        said: something was announced. args: the text, and whether it interrupts (assertive).
    """

    said = Signal(str, bool)

    def __init__(self, window: QWidget, prefix: str = "") -> None:
        """`prefix` begins every announcement; training gives its own (ux B.9), and its dialogs take it over."""
        super().__init__(window)
        self._window = window
        self.prefix = prefix
        self._last = ("", False)

    def say(self, text: str, *, is_assertive: bool = False) -> None:
        """Announce `text`; assertive interrupts what is being read."""
        from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent  # Not needed before the first paint.

        spoken = f"{self.prefix}{text}"
        event = QAccessibleAnnouncementEvent(self._window, spoken)
        event.setPoliteness(
            QAccessible.AnnouncementPoliteness.Assertive if is_assertive else QAccessible.AnnouncementPoliteness.Polite
        )
        QAccessible.updateAccessibility(event)
        self._last = (text, is_assertive)
        self.said.emit(spoken, is_assertive)

    def say_again(self) -> None:
        """Repeat the last announcement (Ctrl+Shift+S)."""
        text, is_assertive = self._last
        if text:
            self.say(text, is_assertive=is_assertive)
