"""Asks who works at this till now (ux B.8). It asks; somebody else proves the PIN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from pos_app.ui.controls import text_label
from pos_app.ui.person_form import PersonForm, Somebody
from pos_app.ui.theme import GAP_PX
from pos_app.ui.till_dialog import TillDialog, column, dialog_button, message_label, row_of_widgets, show_message

DIALOG_WIDTH: Final = 480


class SignInDialog(TillDialog):
    """An operator and her PIN.

    Signals:
        asked: prove this PIN. args: operator number, PIN. Answer with `show_refused`, or close the dialog.
        sign_out_asked: nobody works here now.
    """

    asked = Signal(int, str)
    sign_out_asked = Signal()

    def __init__(self, parent: QWidget | None, people: Sequence[Somebody], *, signed_in: str = "") -> None:
        """`signed_in` is who works here now, as the header names her."""
        super().__init__(parent, "signInDialog", self.tr("Sign in"))
        self._person = PersonForm("signIn", people)
        self._message = message_label("signInMessage")
        self._sign_in = dialog_button(self.tr("Sign in"), "signInUse", role="primary")
        self._sign_out = dialog_button(self.tr("Sign out"), "signInOut", role="quiet")
        self._close = dialog_button(self.tr("Close"), "signInClose")
        layout = column(self, 3 * GAP_PX, DIALOG_WIDTH)
        now = text_label("signInNow", "hint")
        now.setText(
            self.tr("Signed in: {operator}").format(operator=signed_in)
            if signed_in
            else self.tr("Nobody is signed in at this till.")
        )
        layout.addWidget(now)
        layout.addWidget(self._person)
        layout.addWidget(self._message)
        layout.addStretch(1)
        self._sign_out.setVisible(bool(signed_in))
        layout.addLayout(row_of_widgets(self._sign_out, None, self._close, self._sign_in))
        self._person.changed.connect(self._follow)
        self._person.entered.connect(self._ask)
        self._sign_in.clicked.connect(self._ask)
        self._sign_out.clicked.connect(self.sign_out_asked)
        self._close.clicked.connect(self.reject)
        self._follow()

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
        self._follow(is_new=False)

    def _ask(self) -> None:
        number = self._person.operator_id
        if number is None or not self._person.is_filled:
            return
        show_message(self._message, self.tr("Checking the PIN…"), "waiting")
        self._person.set_busy(True)
        self._sign_in.setEnabled(False)
        self.asked.emit(number, self._person.take_pin())

    def _follow(self, *, is_new: bool = True) -> None:
        if is_new and self._person.is_filled:
            self._person.show_wrong(False)
        self._sign_in.setEnabled(self._person.is_filled)
