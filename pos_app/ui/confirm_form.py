"""Step 5: how is the customer confirmed (ux B.1, B.5)?"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from pos_app.ui.controls import heading, text_label
from pos_app.ui.handles import named
from pos_app.ui.marks import Mark
from pos_app.ui.theme import GAP_PX, tokens

TEXT: Final = "text"
CALL: Final = "call"
SKIP: Final = "skip"
MARK_PX: Final = 20


class ConfirmForm(QWidget):
    """Asks for the way of confirming.

    Skipping needs a second person's approval. Where nobody may skip it is shown all the same, so that nobody looks for
    it: locked, with the reason.

    Signals:
        changed: another way was chosen.
    """

    changed = Signal()

    def __init__(self, theme: str) -> None:
        super().__init__()
        named(self, "confirmForm")
        self.text = named(QRadioButton(self.tr("Text message")), "confirmText", self.tr("Confirm by text message"))
        self.call = named(QRadioButton(self.tr("Missed call")), "confirmCall", self.tr("Confirm by missed call"))
        self.skip = named(QRadioButton(self.tr("Skip (supervisor)")), "confirmSkip", self.tr("Skip, supervisor"))
        self._why = text_label("confirmSkipReason", "hint")
        self._lock = Mark("lock", tokens(theme)["off"], MARK_PX)
        self.text.setChecked(True)
        self.call.hide()
        self._lay_out()
        self.offer_skip(False)
        for way in (self.text, self.skip):
            way.toggled.connect(self.changed)

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        second = QHBoxLayout()
        for row in (first, second):
            row.setSpacing(GAP_PX)
        first.addWidget(self.text)
        first.addWidget(self.call)
        first.addStretch(1)
        second.addWidget(self.skip)
        second.addWidget(self._lock)
        second.addWidget(self._why, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(heading(self.tr("5  Confirm customer by")))
        layout.addLayout(first)
        layout.addSpacing(GAP_PX - 2)
        layout.addLayout(second)

    @property
    def method(self) -> str:
        """`TEXT`, `CALL` or `SKIP`."""
        if self.skip.isChecked():
            return SKIP
        return CALL if self.call.isChecked() else TEXT

    def choose(self, method: str) -> None:
        """Choose a way for the cashier."""
        if method == SKIP and self.skip.isEnabled():
            self.skip.setChecked(True)
        else:
            (self.call if method == CALL and not self.call.isHidden() else self.text).setChecked(True)

    def offer_call(self, is_offered: bool) -> None:
        """Show or hide the missed call (hidden while the organisation does not use it, or after 823)."""
        self.call.setVisible(is_offered)
        if not is_offered and self.call.isChecked():
            self.text.setChecked(True)

    def offer_skip(self, is_offered: bool) -> None:
        """Let a supervisor be asked instead, or say that nobody may skip it."""
        self.skip.setEnabled(is_offered)
        why = self.tr("A supervisor is asked after the check.") if is_offered else self.tr("Locked: not allowed here.")
        self._why.setText(why)
        self._lock.setVisible(not is_offered)
        self.skip.setToolTip(why)
        self.skip.setAccessibleDescription(why)
        if not is_offered and self.skip.isChecked():
            self.text.setChecked(True)

    def clear(self) -> None:
        """Back to the text message."""
        with QSignalBlocker(self.text), QSignalBlocker(self.skip):
            self.text.setChecked(True)

    def go(self) -> None:
        """Put the cursor here (F7)."""
        next(each for each in (self.call, self.skip, self.text) if each.isChecked()).setFocus()
