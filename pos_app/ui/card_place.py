"""Where the customer card stands; empty until somebody is found (ux B.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from pos_app.ui.controls import text_label
from pos_app.ui.handles import named, set_choice
from pos_app.ui.theme import CONTROL_PX, GAP_PX

if TYPE_CHECKING:
    from pos_app.ui.card_view import CardView
    from pos_app.ui.customer_card import CustomerCard

ROW_PX: Final = 30
"""The least height of a program's row."""
ROWS_SEEN: Final = 3


class CardPlace(QWidget):
    """The place of the card: empty until somebody is found. The card is made then, not before the first paint.

    Signals:
        reveal_asked: show or hide the identifiers.
    """

    reveal_asked = Signal()

    def __init__(self, theme: str, base_px: int) -> None:
        super().__init__()
        named(self, "cardPlace")
        self._theme = theme
        self._height_px = base_px * 4 + CONTROL_PX + (ROWS_SEEN + 1) * max(ROW_PX, base_px * 2)
        self._card: CustomerCard | None = None
        self._empty = text_label("cardEmpty", "hint", wraps=False)
        set_choice(self._empty, "alignment", "AlignCenter")
        self._empty.setText(self.tr("No customer yet"))
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """One height, whoever stands in it."""
        return False

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for the name and a few programs, with or without a card: the verdict never jumps."""
        return QSize(super().sizeHint().width(), self._height_px)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """The table scrolls where there is less room, and goes where there is none: the name stays."""
        return QSize(super().minimumSizeHint().width(), CONTROL_PX + 2 * GAP_PX)

    @property
    def card(self) -> CustomerCard | None:
        """The card, None until the first customer."""
        return self._card

    def show_customer(self, view: CardView) -> None:
        """Show somebody."""
        if self._card is None:
            from pos_app.ui.customer_card import CustomerCard  # Tables are slow to load: not before the first paint.

            self._card = CustomerCard(self._theme)
            self._card.reveal_asked.connect(self.reveal_asked)
            self._stack.addWidget(self._card)
        self._card.show_customer(view)
        self._stack.setCurrentWidget(self._card)

    def show_reveal(self, seconds_left: int) -> None:
        """Show the identifiers for so many seconds more; 0 hides them."""
        if self._card is not None:
            self._card.show_reveal(seconds_left)

    def show_age(self, text: str, *, is_ageing: bool) -> None:
        """How old the balance is."""
        if self._card is not None:
            self._card.show_age(text, is_ageing=is_ageing)

    def show_nobody(self, text: str = "") -> None:
        """Nobody, with the reason where there is one."""
        if self._card is not None:
            self._card.forget()
        self._empty.setText(text or self.tr("No customer yet"))
        self._stack.setCurrentWidget(self._empty)
