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


def set_state(widget: QWidget, state: str) -> None:
    """Set the dynamic property `state` that the theme draws by, and draw again where it changed."""
    if (widget.property("state") or "") != state:
        widget.setProperty("state", state)
        repolish(widget)
