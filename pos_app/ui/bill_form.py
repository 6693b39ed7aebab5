"""The two small fields of the sale: bill number and amount due (ux B.4, "Bill")."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from pos_app.ui.controls import Field, heading, text_label
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import GAP_PX

OFF = "off"
REQUIRED = "required"


class BillForm(QWidget):
    """Asks for the sale's bill number and what is due. The mode is off, optional or required (setting `sale.bill`).

    Signals:
        changed: a field's text changed.
    """

    changed = Signal()

    def __init__(self, mode: str) -> None:
        super().__init__()
        named(self, "billForm")
        self.mode = mode
        required = self.tr("Bill number (required)") if mode == REQUIRED else self.tr("Bill number")
        self._number = named(Field(), "billField", self.tr("Bill number"))
        self._due = named(Field(), "dueField", self.tr("Amount due"))
        self._note = text_label("billNote", "hint")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_PX * 2)
        grid.setVerticalSpacing(2)
        for column, (text, field) in enumerate(((required, self._number), (self.tr("Amount due"), self._due))):
            label = heading(text, field)
            label.setProperty("role", "")
            grid.addWidget(label, 0, column)
            grid.addWidget(field, 1, column)
            field.textChanged.connect(self._tell)
        grid.addWidget(self._note, 2, 0, 1, 2)
        self._note.hide()

    @property
    def number(self) -> str:
        """The bill number as typed, without spaces around."""
        return self._number.text().strip()

    @property
    def due(self) -> str:
        """The amount due as typed, without spaces around."""
        return self._due.text().strip()

    def clear(self) -> None:
        """Forget the sale."""
        for field in (self._number, self._due):
            field.clear()
        self.show_note("")

    def show_note(self, text: str) -> None:
        """A message about what was typed; "" takes it away."""
        self._note.setText(text)
        set_state(self._note, "refused" if text else "")
        self._note.setVisible(bool(text))

    def go_to_number(self) -> None:
        """Put the cursor into the bill number."""
        self._number.setFocus()
        self._number.selectAll()

    def go_to_due(self) -> None:
        """Put the cursor into the amount due."""
        self._due.setFocus()
        self._due.selectAll()

    def _tell(self) -> None:
        self.show_note("")
        self.changed.emit()
