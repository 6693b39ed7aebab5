"""A dialog in which somebody proves her PIN: what signing in and approving have in common (ux B.5, B.8)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from pos_app.ui.person_form import PersonForm, Somebody
from pos_app.ui.till_dialog import TillDialog, dialog_button, message_label, show_message


class ProvingDialog(TillDialog):
    """A person, her PIN, a message, and a button that is on when everything is filled in.

    Signals:
        asked: prove this PIN. args: operator number, PIN. Answer with `show_refused`, or close the dialog.
    """

    asked = Signal(int, str)

    def __init__(self, parent: QWidget | None, prefix: str, title: str, use: str, people: Sequence[Somebody]) -> None:
        """`prefix` begins the handles of its controls; `use` is the word on the button."""
        super().__init__(parent, f"{prefix}Dialog", title)
        self._person = PersonForm(prefix, people)
        self._message = message_label(f"{prefix}Message")
        self._use = dialog_button(use, f"{prefix}Use", role="primary")
        self._close = dialog_button(self.tr("Close"), f"{prefix}Close")
        self._person.changed.connect(self._follow)
        self._person.entered.connect(self._ask)
        self._use.clicked.connect(self._ask)
        self._close.clicked.connect(self.reject)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Begin where something is missing."""
        super().showEvent(event)
        self._person.go()

    def show_refused(self, message: str) -> None:
        """It was not accepted: say why; who was chosen stays."""
        self._person.set_busy(False)
        self._person.show_wrong(True)
        show_message(self._message, message, "refused")
        self.say(message, is_assertive=True)
        self._person.go()
        self._use.setEnabled(self._is_filled)

    @property
    def _is_filled(self) -> bool:
        return self._person.is_filled

    def _ask(self) -> None:
        number = self._person.operator_id
        if number is None or not self._is_filled:
            return
        show_message(self._message, self.tr("Checking the PIN…"), "waiting")
        self._person.set_busy(True)
        self._use.setEnabled(False)
        self.asked.emit(number, self._person.take_pin())

    def _follow(self) -> None:
        if self._person.is_filled:
            self._person.show_wrong(False)
        self._use.setEnabled(self._is_filled)
