"""A scripted redemption through the real window, without a display: one picture a step, a transcript on the terminal.

The tour presses keys and reads the screen as a cashier would: it knows object names (ux B.13) and no presenter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QWidget,
)

Found = TypeVar("Found", bound=QWidget)

STEP_TIMEOUT_MS = 15_000
SETTLE_MS = 150
SCREEN = QSize(1344, 768)


class TourFailedError(Exception):
    """The window did not show what the tour waited for; the message says at which step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Whom the tour plays with; all of it is in the demo organisation."""

    mobile: str
    step_points: str
    """An amount the program's step refuses, so that a nearest amount is offered."""
    wrong_code: str = "AAAAAA"


class Tour:
    """Plays the tour in `window` and keeps its pictures in `folder`. `say` gets each line of the transcript."""

    def __init__(self, window: QMainWindow, folder: Path, say: Callable[[str], None]) -> None:
        self._window = window
        self._folder = folder
        self._say = say
        self._count = 0

    def play(self, script: Script) -> int:
        """Play all steps; returns how many pictures were kept.

        Raises:
            TourFailedError: a step did not lead to what it should.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("[0-9][0-9]-*.png"):
            old.unlink()
        self._window.resize(SCREEN)
        self._wait("the window", lambda: self._headline() == "Ready")
        self._shot("ready", "The window is open, nothing is asked yet.")
        self._look_up(script)
        self._refusal(script)
        self._confirm(script)
        self._redeem()
        self._offline(script)
        return self._count

    # The steps

    def _look_up(self, script: Script) -> None:
        self._type("customerField", script.mobile)
        self._press("customerField", Qt.Key.Key_Return)
        self._wait("the customer", lambda: self._is_seen("customerCard"))
        self._shot("lookup", f"F2, a mobile number, Enter: {self._name('customerCard')}")

    def _refusal(self, script: Script) -> None:
        self._type("amountField", script.step_points)
        self._press("amountField", Qt.Key.Key_Return)
        self._wait("a refusal with a nearest amount", lambda: self._button("verdictButton1") is not None)
        self._shot("refusal", f"{script.step_points} points, Enter: {self._headline()}")

    def _confirm(self, script: Script) -> None:
        offered = self._button("verdictButton1")
        assert offered is not None  # noqa: S101 - the step before waited for it
        words = offered.text()
        offered.click()
        self._wait("the code dialog", lambda: self._dialog() is not None and self._newest_code() != "")
        self._shot("check", f"{words!r} pressed: {self._headline()}; the code arrives on the phone.")
        self._type("codeField", script.wrong_code)
        self._press_button("codeConfirm")
        self._wait("the word that the code is wrong", lambda: self._text("codeMessage") != "")
        self._shot("wrong-code", f"A wrong code: {self._text('codeMessage')}")
        self._type("codeField", self._newest_code())
        self._press_button("codeConfirm")
        self._wait("the code to be accepted", lambda: self._dialog() is None)
        self._shot("right-code", f"The right code: {self._headline()}. {self._text('verdictReason')}")

    def _redeem(self) -> None:
        before = self._headline()
        self._key(Qt.Key.Key_F8)
        self._wait("the redemption", lambda: self._headline() != before and "Done" in self._headline())
        self._shot("redeem", f"F8: {self._headline()}. {self._text('verdictReason')}")

    def _offline(self, script: Script) -> None:
        self._key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
        self._switch_line(on=False)
        self._shot("line-off", f"The line is pulled: {self._name('statusConnection')}")
        self._type("customerField", script.mobile)
        self._press("customerField", Qt.Key.Key_Return)
        self._wait("the customer from the cache", lambda: self._is_seen("customerCard"))
        before = self._headline()
        self._type("amountField", "100")
        self._press("amountField", Qt.Key.Key_Return)
        self._wait("an offline answer", lambda: self._headline() != before and "robably" in self._headline())
        self._shot("offline-check", f"A check without a line: {self._headline()}. {self._text('verdictReason')}")
        self._switch_line(on=True)
        self._shot("line-on", f"The line is back: {self._name('statusConnection')}")

    def _switch_line(self, *, on: bool) -> None:
        switch = self._find("networkSwitch", QComboBox)
        before = self._name("statusConnection")
        switch.setCurrentIndex(switch.findData(on))
        self._wait("the header to notice the line", lambda: self._name("statusConnection") != before)

    # Hands and eyes

    def _is_seen(self, name: str) -> bool:
        return any(w.objectName() == name and w.isVisible() for w in QApplication.allWidgets())

    def _find(self, name: str, kind: type[Found]) -> Found:
        for top in QApplication.topLevelWidgets():
            if top.objectName() == name and isinstance(top, kind):
                return top
            found = top.findChild(kind, name)
            if found is not None:
                return found
        raise TourFailedError(f"step {self._count + 1}: there is no {name} on the screen")

    def _type(self, name: str, text: str) -> None:
        field = self._find(name, QLineEdit)
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)

    def _press(self, name: str, key: Qt.Key) -> None:
        QTest.keyClick(self._find(name, QWidget), key)

    def _key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A key of the whole window; it must be the active one, as it is again after a dialog on a real screen."""
        self._window.activateWindow()
        self._wait("the window to be in front", self._window.isActiveWindow)
        QTest.keyClick(self._window, key, modifier)

    def _press_button(self, name: str) -> None:
        self._find(name, QAbstractButton).click()

    def _button(self, name: str) -> QAbstractButton | None:
        if not self._is_seen(name):
            return None
        button = self._find(name, QAbstractButton)
        return button if button.isEnabled() else None

    def _text(self, name: str) -> str:
        return self._find(name, QLabel).text() if self._is_seen(name) else ""

    def _name(self, name: str) -> str:
        return self._find(name, QWidget).accessibleName()

    def _headline(self) -> str:
        return self._text("verdictTitle")

    def _dialog(self) -> QDialog | None:
        shown = (w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible())
        return next(shown, None)

    def _newest_code(self) -> str:
        item = self._find("phoneMessages", QListWidget).item(0)
        return item.text().split(": ", 1)[1].split(" ", 1)[0] if item is not None else ""

    def _wait(self, what: str, is_there: Callable[[], bool]) -> None:
        """Run the window's events until `is_there`, looking after each of them and ten times a second."""
        loop = QEventLoop()
        give_up = QTimer(singleShot=True, interval=STEP_TIMEOUT_MS)
        give_up.timeout.connect(loop.quit)
        look = QTimer(interval=20)
        look.timeout.connect(lambda: loop.quit() if is_there() else None)
        give_up.start()
        look.start()
        if not is_there():
            loop.exec()
        if not is_there():
            raise TourFailedError(f"step {self._count + 1}: {what} did not come; the screen says {self._headline()!r}")

    def _shot(self, name: str, sentence: str) -> None:
        QTest.qWait(SETTLE_MS)  # Fonts and style changes are drawn with the next events.
        self._count += 1
        file = self._folder / f"{self._count:02d}-{name}.png"
        if not self._picture().save(str(file)):
            raise TourFailedError(f"step {self._count}: {file} cannot be written")
        self._say(f"{self._count:2d}. {sentence}  [{file.name}]")

    def _picture(self) -> QPixmap:
        """The window, with an open dialog where a screen would show it: in front, in the middle."""
        picture = self._window.grab()
        dialog = self._dialog()
        if dialog is not None:
            front = dialog.grab()
            painter = QPainter(picture)
            painter.fillRect(picture.rect(), QColor(0, 0, 0, 60))
            painter.drawPixmap(
                QPoint((picture.width() - front.width()) // 2, (picture.height() - front.height()) // 2), front
            )
            painter.end()
        return picture
