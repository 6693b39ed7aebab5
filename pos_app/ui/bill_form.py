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
        self._show_note("")

    def refuse_number(self, sentence: str) -> None:
        """Say what is wrong with the bill number, and put the cursor there."""
        self._refuse(self._number, sentence)

    def refuse_due(self, sentence: str) -> None:
        """Say what is wrong with the amount due, and put the cursor there."""
        self._refuse(self._due, sentence)

    def _refuse(self, field: Field, sentence: str) -> None:
        self._show_note(sentence)
        set_state(field, "refused")
        field.setFocus()
        field.selectAll()

    def _show_note(self, text: str) -> None:
        self._note.setText(text)
        set_state(self._note, "refused" if text else "")
        self._note.setVisible(bool(text))
        for field in (self._number, self._due):
            set_state(field, "")

    def _tell(self) -> None:
        self._show_note("")
        self.changed.emit()
