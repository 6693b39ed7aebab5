"""Step 1: who is it? A kind, a field and Find (ux B.1)."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pos_app.ui.controls import Button, Chooser, Elided, Field, heading
from pos_app.ui.handles import named
from pos_app.ui.theme import GAP_PX

KINDS: Final = ("mobile", "email", "external_id", "card_number", "card_external_id")
"""Values of `IdentifierKind`, in the order of Ctrl+1 to Ctrl+5."""

NUMBER: Final = "id"
"""The kind of somebody who was chosen by her number at the ledger; nobody types it."""

_MOBILE_DIGITS_MAX: Final = 15
"""Telephone numbers have at most fifteen digits (E.164); longer runs of digits are cards."""
_GUESS_FROM: Final = 4
_NUMBER_SIGNS: Final = re.compile(r"[0-9 +().-]+", re.ASCII)


def guess_kind(text: str) -> str | None:
    """What kind of identifier `text` looks like; None: it could be anything."""
    trimmed = text.strip()
    if "@" in trimmed:
        return "email"
    digits = sum(char.isdigit() for char in trimmed)
    if digits < _GUESS_FROM or not _NUMBER_SIGNS.fullmatch(trimmed):
        return None
    if digits > _MOBILE_DIGITS_MAX:
        return "card_number"
    return "mobile"


class CustomerForm(QWidget):
    """Asks for one identifier of one customer.

    Once she is found the field shows the identifier masked while it has no focus; what was typed is kept.

    Signals:
        find_asked: Enter in the field, or Find.
        changed: kind or identifier changed.
        typed: a person or a scanner changed the text of the field. arg: the text.
    """

    find_asked = Signal()
    changed = Signal()
    typed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        named(self, "customerForm")
        self._value = ""
        self._masked = ""
        self._chosen: int | None = None
        self._is_swapping = False
        self._is_kind_chosen = False
        self.kind_list = named(Chooser(), "identifierKind", self.tr("Kind of customer identifier"))
        for kind, text in zip(KINDS, self._kind_texts(), strict=True):
            self.kind_list.addItem(text, kind)
        self.field = named(Field(), "customerField", self.tr("Customer"), self.tr("Type or scan"))
        self.find_button = named(Button(self.tr("Find")), "findButton", self.tr("Find customer"))
        self._note = named(Elided(), "customerNote")
        self._note.setProperty("role", "hint")
        self._lay_out()
        self.kind_list.activated.connect(self._kind_chosen)
        self.kind_list.currentIndexChanged.connect(self.changed)
        self.field.textChanged.connect(self._typed)
        self.field.focus_changed.connect(self._focus_changed)
        self.field.entered.connect(self.find_asked)
        self.find_button.clicked.connect(self.find_asked)

    def _kind_texts(self) -> tuple[str, ...]:
        return (
            self.tr("Mobile"),
            self.tr("Email"),
            self.tr("External ID"),
            self.tr("Card number"),
            self.tr("Card external ID"),
        )

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(heading(self.tr("1  Customer"), self.kind_list))
        top.addWidget(self._note, 1)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(self.kind_list, 4)
        row.addWidget(self.field, 5)
        row.addWidget(self.find_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(row)

    # What was entered

    @property
    def kind(self) -> str:
        """The kind chosen, a value of `IdentifierKind`; `id` for somebody who was chosen by her number."""
        if self._chosen is not None:
            return NUMBER
        return str(self.kind_list.currentData())

    @property
    def value(self) -> str:
        """What was typed, without spaces around, or her number; never the masked form."""
        if self._chosen is not None:
            return str(self._chosen)
        return self._value.strip()

    # What it is told

    def choose_kind(self, kind: str) -> None:
        """Choose a kind by hand: from now on it is not guessed, until the field is emptied."""
        self.kind_list.setCurrentIndex(self.kind_list.findData(kind))
        self._kind_chosen()

    def hide_value(self, masked: str) -> None:
        """She was found: show `masked` instead of the identifier whenever the field has no focus."""
        if self._chosen is not None:
            return
        self._masked = masked
        self._swap(self.field.hasFocus())

    def show_chosen(self, customer_id: int, label: str) -> None:
        """Somebody was chosen from a list, or named by a pass: the field shows `label`, which is masked."""
        self._masked = ""
        self._chosen = customer_id
        self._value = ""
        self._is_swapping = True
        self.field.setText(label)
        self._is_swapping = False
        self.show_note("")
        self.changed.emit()

    def show_note(self, text: str) -> None:
        """A short line beside the title."""
        self._note.show_text(text)

    def clear(self) -> None:
        """Start afresh."""
        self._masked = ""
        self._chosen = None
        self._is_kind_chosen = False
        self.field.clear()
        with QSignalBlocker(self.kind_list):
            self.kind_list.setCurrentIndex(0)
        self.show_note("")

    def go(self) -> None:
        """Put the cursor here, text selected (F2)."""
        self.field.setFocus()
        self.field.selectAll()

    # Inside

    def _typed(self, text: str) -> None:
        if self._is_swapping:
            return
        self._value = text
        self._masked = ""
        self._chosen = None
        if not text:
            self._is_kind_chosen = False
        self._guess(text)
        self.changed.emit()
        self.typed.emit(text)

    def _guess(self, text: str) -> None:
        guessed = None if self._is_kind_chosen else guess_kind(text)
        if guessed is None or guessed == self.kind:
            if not text:
                self.show_note("")
            return
        self.kind_list.setCurrentIndex(self.kind_list.findData(guessed))
        self.show_note(self.tr("Looks like: {kind}").format(kind=self.kind_list.currentText()))

    def _kind_chosen(self) -> None:
        if self._chosen is not None:
            self.field.clear()  # What it shows is no identifier of any kind.
        self._is_kind_chosen = True
        self.show_note("")

    def _focus_changed(self, has_focus: bool) -> None:
        if self._masked:
            self._swap(has_focus)

    def _swap(self, is_open: bool) -> None:
        self._is_swapping = True
        self.field.setText(self._value if is_open else self._masked)
        self._is_swapping = False
