"""Asks who somebody is and for her PIN: the part that signing in and approving have in common (ux B.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from pos_app.ui.controls import Chooser, Field
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import CONTROL_PX, GAP_PX

PIN_LENGTH_MIN: Final = 4
PIN_LENGTH_MAX: Final = 6
NUMBER_MAX: Final = 2**31 - 1


class Somebody(NamedTuple):
    """An operator as a list shows her; `role` in the words of the screen."""

    operator_id: int
    name: str
    role: str


class PersonForm(QWidget):
    """A list of the people of this store, or a field for a number while none is known, and a field for a PIN.

    Signals:
        changed: something was chosen or typed.
        entered: Enter was pressed in the PIN.
    """

    changed = Signal()
    entered = Signal()

    def __init__(self, prefix: str, people: Sequence[Somebody]) -> None:
        """`prefix` begins the handles of the controls."""
        super().__init__()
        self._people = tuple(people)
        self._chooser = named(Chooser(), f"{prefix}Operator", self.tr("Operator"))
        self._chooser.view().setAccessibleName(self._chooser.accessibleName())
        self._number = named(Field(), f"{prefix}Number", self.tr("Operator number"))
        self._number.setValidator(QIntValidator(1, NUMBER_MAX, self._number))
        self._pin = named(Field(), f"{prefix}Pin", self.tr("PIN"))
        self._pin.setEchoMode(QLineEdit.EchoMode.Password)
        self._pin.setMaxLength(PIN_LENGTH_MAX)
        self._pin.setInputMethodHints(Qt.InputMethodHint.ImhDigitsOnly | Qt.InputMethodHint.ImhSensitiveData)
        for each in self._people:
            self._chooser.addItem(self.tr("{name} ({role})").format(name=each.name, role=each.role))
        self._chooser.setCurrentIndex(-1)
        self._lay_out()
        self._chooser.currentIndexChanged.connect(self.changed)
        for field in (self._number, self._pin):
            field.textChanged.connect(self.changed)
        self._pin.entered.connect(self.entered)

    @property
    def operator_id(self) -> int | None:
        """Who it is; None while nobody is chosen."""
        if self._people:
            index = self._chooser.currentIndex()
            return self._people[index].operator_id if index >= 0 else None
        text = self._number.text().strip()
        return int(text) if text else None

    @property
    def is_filled(self) -> bool:
        """Say whether somebody is chosen and the PIN is long enough."""
        return self.operator_id is not None and len(self._pin.text()) >= PIN_LENGTH_MIN

    def take_pin(self) -> str:
        """The PIN as it was typed; the field is empty afterwards."""
        pin = self._pin.text()
        self._pin.setText("")
        return pin

    def go(self) -> None:
        """Put the cursor where something is missing."""
        who: QWidget = self._chooser if self._people else self._number
        (who if self.operator_id is None else self._pin).setFocus()

    def set_busy(self, is_busy: bool) -> None:
        """While the PIN is proved nothing can be changed."""
        for widget in (self._chooser, self._number, self._pin):
            widget.setEnabled(not is_busy)

    def show_wrong(self, is_wrong: bool) -> None:
        """Mark the PIN as wrong, or no longer."""
        set_state(self._pin, "refused" if is_wrong else "")

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        who: QWidget = self._chooser if self._people else self._number
        (self._number if self._people else self._chooser).hide()
        for row, (text, widget) in enumerate(((who.accessibleName(), who), (self.tr("PIN"), self._pin))):
            widget.setMinimumHeight(CONTROL_PX)
            label = QLabel(text)
            label.setBuddy(widget)
            grid.addWidget(label, row, 0)
            grid.addWidget(widget, row, 1)
