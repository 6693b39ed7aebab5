"""The list under the customer field: whom the typed text may mean, masked (ux B.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from pos_app.services.searching import Matched, SearchHit
from pos_app.ui.formats import isolated, isolated_words
from pos_app.ui.handles import named

ROWS_SEEN: Final = 6
_NUMBER: Final = Qt.ItemDataRole.UserRole


def hit_text(hit: SearchHit) -> str:
    """A hit as one line: her short name and masked identifiers, the one she was found by among them."""
    ids = {Matched.EMAIL: hit.email, Matched.CARD: hit.card, Matched.EXTERNAL_ID: hit.external_id}
    parts = [isolated_words(hit.name), isolated(hit.mobile), isolated(ids.get(hit.matched, hit.card))]
    return "   ".join(part for part in parts if part)


class HitList(QListWidget):
    """Stands over the window below its field and never takes the focus: keys are its field's to pass on.

    Signals:
        chosen: a hit was pressed. args: her number at the ledger, the line as it stands here.
    """

    chosen = Signal(int, str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        named(self, "customerHits", self.tr("Customers found"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.itemClicked.connect(self._choose)
        self.hide()

    def show_hits(self, hits: Sequence[SearchHit], below: QWidget) -> None:
        """Show these below a widget; none hides the list."""
        self.clear()
        for hit in hits:
            item = QListWidgetItem(hit_text(hit))
            item.setData(_NUMBER, hit.customer_id)
            self.addItem(item)
        self.setCurrentRow(-1)
        self.setVisible(bool(hits))
        if hits:
            self._stand(below)
            self.raise_()

    def move_by(self, step: int) -> str:
        """Go so many rows on; before the first is none. Returns the line that is marked now."""
        row = max(-1, min(self.currentRow() + step, self.count() - 1))
        self.setCurrentRow(row)
        return self.marked_text

    @property
    def marked_text(self) -> str:
        """The line that is marked; "" for none."""
        item = self.currentItem() if self.currentRow() >= 0 else None
        return item.text() if item is not None else ""

    def choose_marked(self) -> bool:
        """Choose the marked line; says whether there is one."""
        item = self.currentItem() if self.currentRow() >= 0 else None
        if item is not None:
            self._choose(item)
        return item is not None

    def _choose(self, item: QListWidgetItem) -> None:
        self.hide()
        self.chosen.emit(int(item.data(_NUMBER)), item.text())

    def _stand(self, below: QWidget) -> None:
        window = self._window
        corner = below.mapTo(window, QPoint(0, below.height()))
        line = max(self.sizeHintForRow(0), 1)
        height = min(self.count(), ROWS_SEEN) * line + 2 * self.frameWidth() + 2
        self.setGeometry(corner.x(), corner.y(), below.width(), min(height, window.height() - corner.y()))
