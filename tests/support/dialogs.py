"""Looks at a dialog as a cashier or a screen reader would: finds controls by handle, walks names and texts."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TypeVar

from PySide6.QtCore import Qt, QTranslator
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from pos_app.ui.theme import apply_theme

W = TypeVar("W", bound=QWidget)


def find(dialog: QWidget, kind: type[W], handle: str) -> W:
    """The control with this handle; a missing one fails the test here."""
    found = dialog.findChild(kind, handle)
    assert found is not None, handle
    return found


def nameless(dialog: QWidget) -> list[str]:
    """Handles of everything that takes the focus and tells a screen reader no name, or only a placeholder's."""
    names = []
    for widget in (dialog, *dialog.findChildren(QWidget)):
        takes_focus = widget.focusPolicy() is not Qt.FocusPolicy.NoFocus or widget is dialog
        if takes_focus and not widget.objectName().startswith("qt_"):
            told = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
            if not told:
                names.append(f"{type(widget).__name__} {widget.objectName()}")
    return names


def controls(dialog: QWidget) -> Iterator[QWidget]:
    """Everything that is pressed or typed into and is on screen."""
    for kind in (QAbstractButton, QLineEdit, QComboBox):
        for widget in dialog.findChildren(kind):
            if widget.isVisible() and widget.objectName() and not widget.objectName().startswith("qt_"):
                yield widget


def texts(dialog: QWidget) -> Iterator[str]:
    """Every text of a dialog that is seen or heard."""
    for widget in (dialog, *dialog.findChildren(QWidget)):
        yield from (widget.accessibleName(), widget.accessibleDescription(), widget.toolTip(), widget.windowTitle())
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(at) for at in range(widget.count()))


def cut_off(dialog: QWidget) -> list[str]:
    """Texts of buttons and labels that have less room than they need."""
    cut = []
    for widget in dialog.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, QLabel | QAbstractButton) or not widget.text():
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            is_cut = widget.heightForWidth(widget.width()) > widget.height()
        else:
            is_cut = widget.minimumSizeHint().width() > widget.width()
        if is_cut:
            cut.append(f"{widget.objectName()}: {widget.text()}")
    return cut


class LongTranslator(QTranslator):
    """A language whose words are 40 % longer and marked: what is not marked was not translated."""

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        if disambiguation is None:
            # PySide 6.12 gives up a reference to None here that it never took; enough of them end the interpreter.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(None))
        del context, n
        return f"[{source}{'~' * (len(source) * 2 // 5)}]"


def open_active(qtbot: QtBot, dialog: QDialog) -> None:
    """Open a dialog in the till's colours and wait until it has the keyboard."""
    qtbot.addWidget(dialog)
    apply_theme(dialog, "light")
    with qtbot.waitActive(dialog):
        dialog.open()
        dialog.activateWindow()
