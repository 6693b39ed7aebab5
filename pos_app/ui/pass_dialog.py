"""Asks for the pass a customer shows: one field that a scanner fills (reliability 4.6, sync-api 10)."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from pos_app.ui.controls import Field, heading, text_label
from pos_app.ui.handles import named
from pos_app.ui.theme import CONTROL_PX, GAP_PX
from pos_app.ui.till_dialog import TillDialog, column, dialog_button, row_of_widgets

DIALOG_WIDTH: Final = 480
PASS_LENGTH_MAX: Final = 2048


class PassDialog(TillDialog):
    """One field, focused. A scanner ends with Enter, which uses the pass; nothing is redeemed by it.

    Signals:
        entered: use this pass. arg: its text.
    """

    entered = Signal(str)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "passDialog", self.tr("Scan a pass"))
        self._field = named(Field(), "passField", self.tr("Pass"), self.tr("Scan it, or paste its text"))
        self._field.setMinimumHeight(CONTROL_PX)
        self._field.setMaxLength(PASS_LENGTH_MAX)
        self._field.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self._use = dialog_button(self.tr("Use this pass"), "passUse", role="primary")
        self._close = dialog_button(self.tr("Close"), "passClose")
        self._lay_out()
        self._field.textChanged.connect(self._follow)
        self._field.entered.connect(self._enter)
        self._use.clicked.connect(self._enter)
        self._close.clicked.connect(self.reject)
        self._follow()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Put the cursor into the field."""
        super().showEvent(event)
        self._field.setFocus()

    def done(self, result: int) -> None:
        """However the dialog closes, the pass is dropped: it is a secret of the customer's."""
        self._field.setText("")
        super().done(result)

    def _follow(self) -> None:
        self._use.setEnabled(bool(self._field.text().strip()))

    def _enter(self) -> None:
        text = self._field.text().strip()
        if text:
            self.entered.emit(text)

    def _lay_out(self) -> None:
        layout = column(self, 3 * GAP_PX, DIALOG_WIDTH)
        what = text_label("passHint")
        what.setText(self.tr("Scan the code the customer shows on her phone or on paper."))
        layout.addWidget(what)
        layout.addWidget(heading(self.tr("Pass"), self._field))
        layout.addWidget(self._field)
        layout.addStretch(1)
        layout.addSpacing(GAP_PX)
        layout.addLayout(row_of_widgets(self._close, None, self._use))
