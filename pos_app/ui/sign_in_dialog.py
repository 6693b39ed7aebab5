"""Asks who works at this till now (ux B.8). It asks; somebody else proves the PIN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from pos_app.ui.controls import text_label
from pos_app.ui.person_form import Somebody
from pos_app.ui.proving_dialog import ProvingDialog
from pos_app.ui.theme import GAP_PX
from pos_app.ui.till_dialog import column, dialog_button, row_of_widgets

DIALOG_WIDTH: Final = 480


class SignInDialog(ProvingDialog):
    """An operator and her PIN.

    Signals:
        sign_out_asked: nobody works here now.
    """

    sign_out_asked = Signal()

    def __init__(self, parent: QWidget | None, people: Sequence[Somebody], *, signed_in: str = "") -> None:
        """`signed_in` is who works here now, as the header names her."""
        super().__init__(parent, "signIn", self.tr("Sign in"), self.tr("Sign in"), people)
        sign_out = dialog_button(self.tr("Sign out"), "signInOut", role="quiet")
        sign_out.clicked.connect(self.sign_out_asked)
        now = text_label("signInNow", "hint")
        now.setText(
            self.tr("Signed in: {operator}").format(operator=signed_in)
            if signed_in
            else self.tr("Nobody is signed in at this till.")
        )
        layout = column(self, 3 * GAP_PX, DIALOG_WIDTH)
        layout.addWidget(now)
        layout.addWidget(self._person)
        layout.addWidget(self._message)
        layout.addStretch(1)
        layout.addLayout(row_of_widgets(sign_out, None, self._close, self._use))
        sign_out.setVisible(bool(signed_in))  # Not before it stands in the dialog: it would be a window of its own.
        self._follow()
