"""The trainer's panel beside the window: the simulated phone and the line's switch (ux B.9)."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QLabel,
    QListWidget,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pos_app.training.phone import SimulatedPhone

PANEL_WIDTH = 320


class TrainingPanel(QWidget):
    """Shows the phone's messages, newest first, and switches the practice line.

    Signals:
        line_switched: the trainer plugged the line in or pulled it. arg: is on.
    """

    line_switched = Signal(bool)

    def __init__(self, phone: SimulatedPhone) -> None:
        super().__init__()
        self.setObjectName("trainingPanel")
        self.setFixedWidth(PANEL_WIDTH)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(self._heading(self.tr("Simulated &phone"), buddy=self._messages()))
        layout.addWidget(self.messages, stretch=1)
        self.copy = QPushButton(self.tr("Copy code"))
        self.copy.setObjectName("phoneCopy")
        self.copy.setEnabled(False)
        self.copy.clicked.connect(self._copy_newest)
        layout.addWidget(self.copy)
        layout.addSpacing(8)
        layout.addWidget(self._heading(self.tr("Simulated &network"), buddy=self._network()))
        layout.addWidget(self.network)
        phone.rang.connect(self._show_message)

    def _messages(self) -> QListWidget:
        self.messages = QListWidget()
        self.messages.setObjectName("phoneMessages")
        self.messages.setAccessibleName(self.tr("Simulated phone messages"))
        self.messages.setWordWrap(True)
        self.messages.setSpacing(4)
        self.messages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return self.messages

    def _heading(self, text: str, buddy: QWidget | None = None) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "heading")
        if buddy is not None:
            label.setBuddy(buddy)
        return label

    def _network(self) -> QComboBox:
        self.network = QComboBox()
        self.network.setObjectName("networkSwitch")
        self.network.setAccessibleName(self.tr("Simulated network"))
        self.network.addItem(self.tr("On"), True)
        self.network.addItem(self.tr("Off"), False)
        self.network.currentIndexChanged.connect(self._switch_line)
        return self.network

    def _switch_line(self) -> None:
        self.line_switched.emit(bool(self.network.currentData()))

    def _show_message(self, text: str) -> None:
        self.messages.insertItem(0, text)
        self.copy.setEnabled(True)

    def newest_code(self) -> str:
        """The code in the newest message, empty when none came yet."""
        item = self.messages.item(0)
        return item.text().split(": ", 1)[1].split(" ", 1)[0] if item is not None else ""

    def _copy_newest(self) -> None:
        QGuiApplication.clipboard().setText(self.newest_code())


def dock_beside(window: QMainWindow, panel: TrainingPanel, *, may_float: bool = True) -> QDockWidget:
    """Put the panel at the window's right; on a narrow screen it floats, so that the window keeps its 1024 pixels."""
    dock = QDockWidget(panel.tr("Practice"), window)
    dock.setObjectName("trainingDock")
    dock.setAccessibleName(dock.windowTitle())
    dock.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable
    )
    dock.setTitleBarWidget(QWidget())  # The panel's own headings say what it is.
    dock.setWidget(panel)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    available = window.screen().availableGeometry()
    if may_float and available.width() < window.width() + PANEL_WIDTH:
        dock.setFloating(True)
        dock.move(available.right() - PANEL_WIDTH, available.top() + 80)
    else:
        window.resize(window.width() + PANEL_WIDTH, window.height())
    return dock
