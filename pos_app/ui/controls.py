"""The few controls that differ from Qt's own, and the small makers every form uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QGuiApplication, QKeyEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from pos_app.ui.handles import named, set_choice

if TYPE_CHECKING:
    from PySide6.QtWidgets import QStyleOptionComboBox

_ARROW_PX: Final = 72
"""A list needs at most so much beside its text: its arrow, edges and padding (theme)."""


class Button(QPushButton):
    """A push button that Enter presses too: in a main window Qt lets only Space do it (ux A.4)."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__(text)
        self.setAutoDefault(False)
        if role:
            self.setProperty("role", role)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter is a click, but a key held down is one click only."""
        from PySide6.QtCore import Qt  # Slow to load: see `handles.set_choice`.

        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.click()
            event.accept()
            return
        super().keyPressEvent(event)


class Field(QLineEdit):
    """A text field that says when Enter was pressed, and when the focus came or went.

    Signals:
        entered: Enter was pressed by a person; a key held down counts once.
        focus_changed: arg: has the focus now.
    """

    entered = Signal()
    focus_changed = Signal(bool)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Tell Enter apart from a key held down."""
        from PySide6.QtCore import Qt  # Slow to load: see `handles.set_choice`.

        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.entered.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Tell that the focus came, before the text is selected."""
        self.focus_changed.emit(True)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Tell that the focus went to another control of this window, not to another window or a list."""
        from PySide6.QtCore import Qt  # Slow to load: see `handles.set_choice`.

        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.MenuBarFocusReason):
            self.focus_changed.emit(False)


class Elided(QLabel):
    """A label of one line that ends in dots when there is no room; its whole text is its name and tool tip."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._whole = text
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        set_choice(self, "textFormat", "PlainText")
        align_leading(self)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Show `text`, as much of it as fits."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit again."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as the whole text would be."""
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self._whole) + 2, super().sizeHint().height())

    def _fit(self) -> None:
        shown = elided(self._whole, QFontMetrics(self.font()), max(0, self.width()))
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class Chooser(QComboBox):
    """A list that ignores the mouse wheel while it has no focus: scrolling past must not change a choice."""

    def __init__(self) -> None:
        super().__init__()
        set_choice(self, "focusPolicy", "StrongFocus")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.currentTextChanged.connect(self.setToolTip)  # A long choice has no room, and Qt cuts it without dots.

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        """The open list takes the focus, so it needs a name of its own."""
        self.view().setAccessibleName(self.accessibleName())
        super().showPopup()

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:  # noqa: N802 - Qt's name
        """A long choice ends in dots instead of in the middle of a letter."""
        super().initStyleOption(option)
        if QFontMetrics(self.font()).horizontalAdvance(self.currentText()) + _ARROW_PX <= self.width():
            return
        from PySide6.QtWidgets import QStyle  # Slow to load, and rarely needed.

        place = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        shown = elided(self.currentText(), QFontMetrics(self.font()), place.width() - 2)
        option.currentText = shown

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Let the scroll area have it."""
        event.ignore()


def elided(text: str, metrics: QFontMetrics, room_px: int) -> str:
    """The text, ending in dots when there is no room for it."""
    if metrics.horizontalAdvance(text) <= room_px:
        return text
    from PySide6.QtCore import Qt  # Slow to load: see `handles.set_choice`.

    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room_px)


def align_leading(label: QLabel) -> None:
    """Align to where reading begins, for any words: Qt puts Latin ones left on a mirrored screen (ux A.2, C39)."""
    if QGuiApplication.isRightToLeft():
        set_choice(label, "alignment", "AlignRight|AlignAbsolute|AlignVCenter")


def heading(text: str, buddy: QWidget | None = None) -> QLabel:
    """The title of a step; its mnemonic leads to `buddy`."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    align_leading(label)
    if buddy is not None:
        label.setBuddy(buddy)
    return label


def text_label(handle: str, role: str = "", *, wraps: bool = True) -> QLabel:
    """A plain text label; what a service said is never read as markup."""
    label = named(QLabel(), handle)
    set_choice(label, "textFormat", "PlainText")
    label.setWordWrap(wraps)
    align_leading(label)
    if role:
        label.setProperty("role", role)
    return label
