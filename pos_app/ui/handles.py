"""Gives a control its handle for tests and its name for a screen reader (ux B.13)."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QWidget

from pos_app.ui.theme import repolish

W = TypeVar("W", bound=QWidget)


def named(widget: W, handle: str, name: str = "", description: str = "") -> W:
    """Set object name, accessible identifier, name and description; an empty name keeps what the widget says itself."""
    widget.setObjectName(handle)
    if hasattr(widget, "setAccessibleIdentifier"):  # Qt 6.9 and later; before that Qt derives it from the handle.
        widget.setAccessibleIdentifier(handle)
    if name:
        widget.setAccessibleName(name)
    if description:
        widget.setAccessibleDescription(description)
    return widget


def set_choice(widget: QWidget, setting: str, choice: str) -> None:
    """Choose among Qt's own values by name: `set_choice(label, "textFormat", "PlainText")`.

    What is built before the first paint chooses so: the first mention of the class `Qt` makes its hundred
    enumerations, a tenth of the time until the window is seen.

    Raises:
        ValueError: the widget has no such setting, or the setting no such value.
    """
    if not widget.setProperty(setting, choice):
        raise ValueError(f"{type(widget).__name__} takes no {choice} as {setting}")


def set_state(widget: QWidget, state: str) -> None:
    """Set the dynamic property `state` that the theme draws by, and draw again where it changed."""
    if (widget.property("state") or "") != state:
        widget.setProperty("state", state)
        repolish(widget)
