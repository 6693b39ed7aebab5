"""Asks for the enrolment code of a till that has another key than before (ux B.7, sync-api 4.1)."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from pos_app.ui.controls import Field, heading, text_label
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import CONTROL_PX, GAP_PX
from pos_app.ui.till_dialog import TillDialog, column, dialog_button, message_label, row_of_widgets, show_message

DIALOG_WIDTH: Final = 520
CODE_LENGTH_MAX: Final = 100


class EnrolDialog(TillDialog):
    """One field for the code of head office. Without one the till asks once more with the key it has.

    Signals:
        asked: enrol. arg: the code, "" for none. Answer by closing, or with `show_refused`.
    """

    asked = Signal(str)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "enrolDialog", self.tr("Enrol this till"))
        self._field = named(Field(), "enrolCode", self.tr("Enrolment code"))
        self._field.setMinimumHeight(CONTROL_PX)
        self._field.setMaxLength(CODE_LENGTH_MAX)
        self._field.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self._message = message_label("enrolMessage")
        self._use = dialog_button(self.tr("Enrol"), "enrolUse", self.tr("Enrol this till"), role="primary")
        self._close = dialog_button(self.tr("Later"), "enrolClose")
        self._lay_out()
        self._field.entered.connect(self._ask)
        self._use.clicked.connect(self._ask)
        self._close.clicked.connect(self.reject)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Put the cursor into the field."""
        super().showEvent(event)
        self._field.setFocus()

    def show_refused(self, message: str) -> None:
        """It was not enrolled: say why; what was typed stays."""
        self._set_busy(is_busy=False)
        set_state(self._field, "refused")
        show_message(self._message, message, "refused")
        self.say(message, is_assertive=True)
        self._field.setFocus()
        self._field.selectAll()

    def done(self, result: int) -> None:
        """However the dialog closes, the code is dropped."""
        self._field.setText("")
        super().done(result)

    def _ask(self) -> None:
        if not self._use.isEnabled():
            return
        self._set_busy(is_busy=True)
        set_state(self._field, "")
        show_message(self._message, self.tr("Enrolling…"), "waiting")
        self.asked.emit(self._field.text().strip())

    def _set_busy(self, *, is_busy: bool) -> None:
        self._field.setReadOnly(is_busy)
        self._use.setEnabled(not is_busy)

    def _lay_out(self) -> None:
        layout = column(self, 3 * GAP_PX, DIALOG_WIDTH)
        what = text_label("enrolHint")
        what.setText(
            self.tr("Head office gives a code for a till that was replaced or lost its records. It works once.")
        )
        layout.addWidget(what)
        layout.addWidget(heading(self.tr("Enrolment code"), self._field))
        layout.addWidget(self._field)
        layout.addWidget(self._message)
        layout.addStretch(1)
        layout.addLayout(row_of_widgets(self._close, None, self._use))
