"""Two parts of the confirmation dialog that know the time: how long the code lives, and when it may be sent again."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from pos_app.services.ports import Clock
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.controls import Button
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import CONTROL_PX


class Countdown(QLabel):
    """How long the code may still work. Advice, never a lock (ux W4): at zero the field stays usable.

    Signals:
        to_say: the time left is worth saying aloud, which is so at 60 seconds and at 0. arg: the text.
    """

    to_say = Signal(str)

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._ends_s: float | None = None
        self._is_about = False
        self._said: set[int] = set()
        named(self, "codeCountdown", self.tr("Time left for the code"))
        self.setProperty("role", "hint")
        self.setWordWrap(True)

    def set_expiry(self, expires_at: datetime | None, *, is_about: bool) -> None:
        """Count down to `expires_at`; None shows nothing. From here on the wall clock does not matter."""
        left = None if expires_at is None else (expires_at - self._clock.wall()).total_seconds()
        self._ends_s = None if left is None else self._clock.mono() + left
        self._is_about = is_about
        self._said.clear()
        self.update_time()

    def update_time(self) -> None:
        """Show the time left now."""
        self.setVisible(self._ends_s is not None)
        if self._ends_s is None:
            return
        left = max(0, int(self._ends_s - self._clock.mono() + 0.5))
        minutes, seconds = divmod(left, 60)
        clock_text = f"{minutes}:{seconds:02d}"
        if left == 0:
            self.setText(self.tr("The code has probably expired. Send a new one."))
            self.setAccessibleDescription(self.text())
        elif self._is_about:
            self.setText(self.tr("about {time} left").format(time=clock_text))
            self.setAccessibleDescription(self.tr("about {time}").format(time=self._words(minutes, seconds)))
        else:
            self.setText(self.tr("{time} left").format(time=clock_text))
            self.setAccessibleDescription(self._words(minutes, seconds))
        set_state(self, "caution" if left <= 60 else "")
        self._say(left)

    def _words(self, minutes: int, seconds: int) -> str:
        if minutes == 0:
            return self.tr("{seconds} seconds").format(seconds=seconds)
        if minutes == 1:
            return self.tr("1 minute {seconds} seconds").format(seconds=seconds)
        return self.tr("{minutes} minutes {seconds} seconds").format(minutes=minutes, seconds=seconds)

    def _say(self, left: int) -> None:
        if left == 0 and 0 not in self._said:
            self._said |= {0, 60}
            self.to_say.emit(self.text())
        elif left <= 60 and 60 not in self._said:
            self._said.add(60)
            self.to_say.emit(self.accessibleDescription())


class ResendButton(Button):
    """Sends the code again, but not at once and not for ever: `sendings` knows when, and outlives the dialog.

    Signals:
        asked: the cashier may and wants to send again. Tell the outcome with `sent` or `not_sent`.
    """

    asked = Signal()

    def __init__(self, sendings: Sendings) -> None:
        super().__init__()
        self._sendings = sendings
        self._is_sending = False
        self._is_held = False
        named(self, "resendButton", self.tr("Send the code again"))
        self.setMinimumHeight(CONTROL_PX)
        self.clicked.connect(self.ask)
        self.update_time()

    def ask(self) -> None:
        """Send again, unless it is too early, on its way, or was done too often."""
        if not self._may_ask:
            return
        self._is_sending = True
        self.update_time()
        self.asked.emit()

    def sent(self) -> None:
        """A code went out; who sent it has told the sendings."""
        self._is_sending = False
        self.update_time()

    def not_sent(self) -> None:
        """It did not go out: the same wait begins again."""
        if self._is_sending:
            self._is_sending = False
            self._sendings.wait()
            self.update_time()

    def hold(self, is_held: bool) -> None:
        """While another answer is awaited nothing is sent."""
        self._is_held = is_held
        self.update_time()

    def update_time(self) -> None:
        """Show the seconds left to wait."""
        left = self._sendings.left_s
        self.setEnabled(self._may_ask)
        if self._is_sending:
            self._show(self.tr("Sending…"), self.tr("being sent"))
        elif self._sendings.is_used_up:
            self._show(self.tr("No more sendings"), self.tr("used up for this code"))
        elif left > 0:
            self._show(
                self.tr("Send again (in {seconds} s)").format(seconds=left),
                self.tr("available in {seconds} seconds").format(seconds=left),
            )
        else:
            self._show(self.tr("Send again"), self.tr("available now"))

    @property
    def _may_ask(self) -> bool:
        return not self._is_held and not self._is_sending and self._sendings.may_send

    def _show(self, text: str, description: str) -> None:
        self.setText(text)
        self.setAccessibleDescription(description)
