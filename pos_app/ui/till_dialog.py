"""What every dialog of the till has in common: it never blocks, and a scanner's Enter presses nothing in it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from pos_app.ui.announce import Announcer
from pos_app.ui.controls import Button, text_label
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import CONTROL_PX, GAP_PX

ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
EDGE_PX = 2


class TillDialog(QDialog):
    """A window-modal dialog, opened with `open()`. Esc closes it.

    Qt's own dialogs press a button when a text field gets Enter, and a scanner ends with Enter (ux A.4). Here
    Enter presses the button that has the focus, or nothing.
    """

    def __init__(self, parent: QWidget | None, handle: str, title: str) -> None:
        super().__init__(parent)
        named(self, handle)
        self.set_title(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        above = parent.window().findChild(Announcer) if parent is not None else None
        self._announcer = Announcer(self, above.prefix if above is not None else "")

    def set_title(self, title: str) -> None:
        """Change the window's title, which is also its accessible name."""
        self.setWindowTitle(title)
        self.setAccessibleName(title)

    def say(self, text: str, *, is_assertive: bool = False) -> None:
        """Say something to a screen reader without moving the focus."""
        if text:
            self._announcer.say(text, is_assertive=is_assertive)

    def event(self, event: QEvent) -> bool:
        """Grow with a text that wraps: Qt gives a window the height its labels need on one line."""
        is_done = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self._align()
            self._grow()
        return is_done

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """An edge of its own: where no window manager draws one, white would stand on white."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), EDGE_PX))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _align(self) -> None:
        """In a mirrored screen Qt leaves labels with Latin text at the left edge; all belong to the same edge (A.2)."""
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        edge = (
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute
            if is_mirrored
            else Qt.AlignmentFlag.AlignLeading
        )
        for label in self.findChildren(QLabel):
            wanted = edge | (label.alignment() & Qt.AlignmentFlag.AlignVertical_Mask)
            if label.alignment() != wanted:
                label.setAlignment(wanted)

    def _grow(self) -> None:
        layout = self.layout()
        if layout is None or not layout.hasHeightForWidth():
            return
        needed = min(layout.totalHeightForWidth(self.width()), self.screen().availableGeometry().height())
        if needed > self.height():
            self.resize(self.width(), needed)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Swallow an Enter that no control wanted; Esc closes as in any dialog."""
        if event.key() in ENTER_KEYS:
            event.accept()
            return
        super().keyPressEvent(event)


def dialog_button(text: str, handle: str, name: str = "", role: str = "") -> Button:
    """A button with a handle, high enough for a finger."""
    button = named(Button(text, role), handle, name)
    button.setMinimumHeight(CONTROL_PX)
    return button


def message_label(handle: str) -> QLabel:
    """A line for messages under a field: empty until something has to be said, and it keeps its place."""
    label = text_label(handle, "hint")
    label.setMinimumHeight(label.fontMetrics().height() + 2)
    label.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
    return label


def show_message(label: QLabel, text: str, state: str) -> None:
    """Show a message with a mark of its own, so that its meaning does not rest on colour."""
    mark = {"refused": "✕ ", "caution": "▲ ", "ok": "✓ ", "waiting": "○ "}.get(state, "") if text else ""
    label.setText(f"{mark}{text}")
    label.setAccessibleName(text)
    set_state(label, state)


def row_of_widgets(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets side by side; None is the stretch between them."""
    row = QHBoxLayout()
    row.setSpacing(GAP_PX)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row


def column(parent: QWidget, margin: int = 2 * GAP_PX, width: int = 0) -> QVBoxLayout:
    """The column a dialog or page is laid out in, at least `width` wide and wider where a text needs it."""
    made = QVBoxLayout(parent)
    made.setContentsMargins(margin, margin, margin, margin)
    made.setSpacing(GAP_PX)
    made.addStrut(width)
    return made
