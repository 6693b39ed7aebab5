"""The trainer's panel beside the window: the simulated phone and the line's switch (ux B.9)."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDockWidget, QFrame, QListWidget, QMainWindow, QVBoxLayout, QWidget

from pos_app.training.phone import SimulatedPhone
from pos_app.ui.announce import Announcer
from pos_app.ui.controls import Button, Chooser, heading
from pos_app.ui.handles import named
from pos_app.ui.theme import GAP_PX

WIDTH: Final = 320
SMALL_WIDTH: Final = 240
SMALL_HEIGHT: Final = 252
"""Where there is no room beside the window: as much as the customer card's right half, so that neither the entry nor
the verdict nor the code dialog is covered."""
SMALL_TOP: Final = 76


class TrainingPanel(QFrame):
    """Shows the phone's messages, newest first, rings in from it, and switches the practice line.

    Signals:
        line_switched: the trainer plugged the line in or pulled it. arg: is on.
        ring_asked: the customer is to make a missed call. Answer with one of `show_...`.
    """

    line_switched = Signal(bool)
    ring_asked = Signal()

    def __init__(self, phone: SimulatedPhone) -> None:
        super().__init__()
        named(self, "trainingPanel", self.tr("Practice"))
        self.setWindowTitle(self.tr("TRAINING - Phone and network"))
        self._announcer = Announcer(self, self.tr("Training. "))
        self._messages = named(QListWidget(), "phoneMessages", self.tr("Simulated phone messages"))
        self._messages.setWordWrap(True)
        self._messages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._copy = named(Button(self.tr("Copy code")), "phoneCopy", self.tr("Copy code"))
        self._copy.setEnabled(False)
        self._ring = named(Button(self.tr("Ring in")), "phoneRing", self.tr("Ring in from the simulated phone"))
        self._network = named(Chooser(), "networkSwitch", self.tr("Simulated network"))
        self._network.addItem(self.tr("On"), True)
        self._network.addItem(self.tr("Off"), False)
        self._lay_out()
        self._copy.clicked.connect(self._copy_newest)
        self._ring.clicked.connect(self._ask_to_ring)
        self._network.currentIndexChanged.connect(self._switch_line)
        phone.rang.connect(self._show_message)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_PX, GAP_PX, GAP_PX, GAP_PX)
        layout.setSpacing(GAP_PX // 2)
        layout.addWidget(heading(self.tr("Simulated phone"), self._messages))
        layout.addWidget(self._messages, stretch=1)
        layout.addSpacing(GAP_PX // 2)
        layout.addWidget(self._copy)
        layout.addWidget(self._ring)
        layout.addSpacing(GAP_PX // 2)
        layout.addWidget(heading(self.tr("Simulated network"), self._network))
        layout.addWidget(self._network)

    def newest_code(self) -> str:
        """The code in the newest message, empty when none came yet."""
        item = self._messages.item(0)
        return item.text().split(": ", 1)[1].split(" ", 1)[0] if item is not None else ""

    def show_rang(self, masked: str) -> None:
        """The customer's phone, so masked, has rung and hung up."""
        self._end_of_ring(self.tr("Rang in from {masked}").format(masked=masked))

    def show_nobody_rings(self) -> None:
        """There is nobody whose phone could ring."""
        self._end_of_ring(self.tr("Find a customer first"))

    def show_not_rung(self) -> None:
        """The practice ledger did not take the call."""
        self._end_of_ring(self.tr("The call failed"))

    def _ask_to_ring(self) -> None:
        self._ring.setEnabled(False)
        self.ring_asked.emit()

    def _end_of_ring(self, text: str) -> None:
        self._ring.setEnabled(True)
        self._ring.setText(text)
        self._announcer.say(text)
        self._give_keyboard_back()

    def _switch_line(self) -> None:
        self.line_switched.emit(bool(self._network.currentData()))

    def _show_message(self, text: str) -> None:
        self._messages.insertItem(0, text)
        self._messages.scrollToTop()
        self._copy.setEnabled(True)
        self._copy.setText(self.tr("Copy code"))
        self._announcer.say(text)

    def _copy_newest(self) -> None:
        code = self.newest_code()
        QGuiApplication.clipboard().setText(code)
        self._copy.setText(self.tr("Copied {code}").format(code=code))
        self._announcer.say(self.tr("Copied."))
        self._give_keyboard_back()

    def _give_keyboard_back(self) -> None:
        """What was copied is to be pasted: into the till's dialog, or where the till's window has its cursor."""
        tops = (each for each in QApplication.topLevelWidgets() if isinstance(each, QMainWindow) and each.isVisible())
        till = QApplication.activeModalWidget() or next(tops, None)
        if till is not None:
            till.activateWindow()


def stand_beside(window: QMainWindow, panel: TrainingPanel) -> None:
    """Open the panel as a window of its own: an open dialog of the till would keep the keyboard from a part of it.

    It stands at the window's right where the screen is wide enough, else small over the customer card, and can be
    moved. It keeps no process alive: closing the main window ends it.
    """
    panel.setWindowFlags(Qt.WindowType.Tool | Qt.WindowType.CustomizeWindowHint | Qt.WindowType.WindowTitleHint)
    panel.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    screen = window.screen().availableGeometry()
    if screen.width() >= window.width() + WIDTH:
        left = screen.left() + (screen.width() - window.width() - WIDTH) // 2
        window.move(left, screen.top())
        panel.setGeometry(QRect(left + window.width(), window.y(), WIDTH, window.height()))
    else:
        right = min(screen.right(), window.x() + window.width())
        panel.setGeometry(QRect(right - SMALL_WIDTH - GAP_PX, window.y() + SMALL_TOP, SMALL_WIDTH, SMALL_HEIGHT))
    panel.show()


def dock_inside(window: QMainWindow, panel: TrainingPanel) -> QDockWidget:
    """Put the panel into the window, at its right: for pictures of both."""
    dock = named(QDockWidget(panel.tr("Practice"), window), "trainingDock", panel.tr("Practice"))
    dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
    dock.setTitleBarWidget(QWidget())  # The panel's own headings say what it is.
    dock.setWidget(panel)
    panel.setFixedWidth(WIDTH)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(window.width() + WIDTH, window.height())
    return dock
