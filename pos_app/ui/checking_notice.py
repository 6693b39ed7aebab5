"""Says that a check is under way, but only when it takes long enough to be noticed (ux B.4)."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from pos_app.ui.board import Board
from pos_app.ui.verdict_words import checking_view

SHOWN_AFTER_MS: Final = 400
STILL_AFTER_MS: Final = 3000


class CheckingNotice(QObject):
    """Shows "Checking" after 0.4 s, and after 3 s says aloud that it can be cancelled."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._soon = QTimer(self)
        self._soon.setInterval(SHOWN_AFTER_MS)
        self._soon.timeout.connect(self._show)
        self._later = QTimer(self)
        self._later.setInterval(STILL_AFTER_MS)
        self._later.timeout.connect(self._show_still)
        for timer in (self._soon, self._later):
            timer.setSingleShot(True)

    def start(self) -> None:
        """A check has begun."""
        self._soon.start()
        self._later.start()

    def stop(self) -> None:
        """It has ended."""
        self._soon.stop()
        self._later.stop()

    @Slot()
    def _show(self) -> None:
        self._board.show(checking_view(is_long=False))

    @Slot()
    def _show_still(self) -> None:
        view = checking_view(is_long=True)
        self._board.show(view)
        self._board.say(view)
