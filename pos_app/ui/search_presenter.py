"""Searches while the cashier types in the customer field: at once what fits, later what nearly fits (ux B.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from pos_app.services.searching import Search, SearchHit
from pos_app.ui.announce import Announcer
from pos_app.ui.background import Background
from pos_app.ui.customer_form import CustomerForm

if TYPE_CHECKING:
    from pos_app.ui.hit_list import HitList

LANE: Final = "search"
TYPED_LEAST: Final = 2
FIRST_MS: Final = 60
"""A scanner types quicker than that: what it sends is looked up and not searched for."""
NEAR_MS: Final = 250
_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SearchPresenter(QObject):
    """Joins the customer field to the search of the cache. An answer to what stands there no longer is dropped.

    Signals:
        chosen: a hit was chosen. args: her number at the ledger, her line in the list.
    """

    chosen = Signal(int, str)

    def __init__(
        self, window: QWidget, form: CustomerForm, announcer: Announcer, background: Background, search: Search | None
    ) -> None:
        super().__init__(window)
        self._window = window
        self._form = form
        self._announcer = announcer
        self._background = background
        self._search = search
        self._hits: HitList | None = None
        self._typed = ""
        self._first = self._timer(FIRST_MS, self._ask_first)
        self._near = self._timer(NEAR_MS, self._ask_near)
        if search is not None:
            form.typed.connect(self._follow)
            form.find_asked.connect(self.close)
            form.field.focus_changed.connect(self._focus_changed)
            form.field.installEventFilter(self)

    @Slot()
    def close(self) -> None:
        """Nobody is searched for any more."""
        self._first.stop()
        self._near.stop()
        self._background.drop(LANE)
        self._typed = ""
        if self._hits is not None:
            self._hits.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Down, Up, Enter and Esc are the list's while it is open; all else is the field's."""
        if not self._is_open or not isinstance(event, QKeyEvent):
            return False
        if event.type() is QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
            event.accept()  # Else the window's own Esc would have it.
            return True
        return event.type() is QEvent.Type.KeyPress and self._took(event.key())

    # --- Typing ------------------------------------------------------------------------------------------------------

    @Slot(str)
    def _follow(self, text: str) -> None:
        self.close()
        self._typed = text.strip()
        if len(self._typed) >= TYPED_LEAST:
            self._first.start()

    @Slot()
    def _ask_first(self) -> None:
        search, typed = self._search, self._typed
        if search is not None:
            self._background.run(
                lambda: search.search(typed), on_done=partial(self._show_first, typed), on_error=_no_search, lane=LANE
            )

    @Slot()
    def _ask_near(self) -> None:
        search, typed = self._search, self._typed
        if search is not None:
            self._background.run(
                lambda: search.search_near(typed), on_done=partial(self._show, typed), on_error=_no_search, lane=LANE
            )

    def _show_first(self, typed: str, hits: Sequence[SearchHit]) -> None:
        if not hits and typed == self._typed:
            self._near.start()
        self._show(typed, hits)

    def _show(self, typed: str, hits: Sequence[SearchHit]) -> None:
        if typed != self._typed or not self._form.field.hasFocus():
            return
        if self._hits is None and hits:
            from pos_app.ui.hit_list import HitList  # Lists are slow to load: not before the first hit.

            self._hits = HitList(self._window)
            self._hits.chosen.connect(self._choose)
        if self._hits is None:
            return
        self._hits.show_hits(hits, self._form)
        if hits:
            self._announcer.say(self.tr("Found {count}. Press Down to choose.").format(count=len(hits)))

    # --- Choosing ----------------------------------------------------------------------------------------------------

    @property
    def _is_open(self) -> bool:
        return self._hits is not None and self._hits.isVisible()

    def _took(self, key: int) -> bool:
        if self._hits is None:
            return False
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            marked = self._hits.move_by(1 if key == Qt.Key.Key_Down else -1)
            if marked:
                self._announcer.say(marked)
            return True
        if key == Qt.Key.Key_Escape:
            self.close()
            return True
        return key in _ENTER and self._hits.choose_marked()

    @Slot(int, str)
    def _choose(self, customer_id: int, line: str) -> None:
        self.close()
        self.chosen.emit(customer_id, line)

    @Slot(bool)
    def _focus_changed(self, has_focus: bool) -> None:
        if not has_focus:
            self.close()

    def _timer(self, interval_ms: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer


def _no_search(_error: Exception) -> None:
    """Logged at the door; the field works without."""
