"""Step 2: how many points, or points worth how much (ux B.1)?"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pos_app.ui.controls import Chooser, Field, heading, text_label
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import GAP_PX

POINTS: Final = "points"
VALUE: Final = "value"


class PointsForm(QWidget):
    """Asks for an amount. It reads no number: shape and rules are answered by what asks it.

    Signals:
        check_asked: Enter in the field.
        changed: the amount or its meaning changed.
    """

    check_asked = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        named(self, "pointsForm")
        self.field = named(Field(), "amountField")
        self.mode_list = named(Chooser(), "amountMode", self.tr("Enter points or value"))
        self.mode_list.addItem(self.tr("Points"), POINTS)
        self.mode_list.addItem(self.tr("Value"), VALUE)
        self._rule = text_label("amountRule", "hint")
        self._rule_text = ""
        self._lay_out()
        self._name_field()
        self.field.textChanged.connect(self._typed)
        self.field.entered.connect(self.check_asked)
        self.mode_list.currentIndexChanged.connect(self._mode_changed)
        self.show_rule("")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(self.field, 3)
        row.addWidget(self.mode_list, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(heading(self.tr("2  Points"), self.mode_list))
        layout.addLayout(row)
        layout.addWidget(self._rule)

    @property
    def text(self) -> str:
        """The amount as typed, without spaces around."""
        return self.field.text().strip()

    @property
    def is_by_value(self) -> bool:
        """Say whether the amount is money."""
        return bool(self.mode_list.currentData() == VALUE)

    def switch_mode(self) -> None:
        """Points to value and back (Ctrl+E)."""
        self.mode_list.setCurrentIndex(1 - self.mode_list.currentIndex())

    def fill_points(self, text: str) -> None:
        """Enter a number of points for the cashier."""
        self.mode_list.setCurrentIndex(self.mode_list.findData(POINTS))
        self.field.setText(text)

    def show_rule(self, text: str) -> None:
        """What the amount is worth, and the rule that is known."""
        self._rule_text = text
        self._show(text, "")

    def show_trouble(self, text: str) -> None:
        """What is wrong with the shape of the amount; gone with the next key."""
        self._show(text, "refused")

    def clear(self) -> None:
        """Start afresh."""
        with QSignalBlocker(self.mode_list):
            self.mode_list.setCurrentIndex(0)
        self._name_field()
        self.field.clear()
        self.show_rule("")

    def go(self) -> None:
        """Put the cursor here, text selected (F3)."""
        self.field.setFocus()
        self.field.selectAll()

    def _typed(self) -> None:
        self._show(self._rule_text, "")
        self.changed.emit()

    def _mode_changed(self) -> None:
        self._name_field()
        self._typed()

    def _name_field(self) -> None:
        self.field.setAccessibleName(self.tr("Value to redeem") if self.is_by_value else self.tr("Points to redeem"))

    def _show(self, text: str, state: str) -> None:
        set_state(self._rule, state)
        set_state(self.field, state)
        self._rule.setText(text)
        self.field.setAccessibleDescription(text)
