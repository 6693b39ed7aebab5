"""Asks the ledger again behind an answer that was worked out here (contract 11): twice, five seconds apart."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from pos_app.domain.trouble import SlowDownError, Trouble

AGAIN_MAX: Final = 2
AGAIN_MS: Final = 5000


class AskingAgain(QObject):
    """Says when it is time to ask again. The answer on screen stays until there is a better one.

    Signals:
        due: ask again now, and tell `not_yet` when that met no line either.
    """

    due = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left = 0
        self._timer = QTimer(self)
        self._timer.setObjectName("askAgainTimer")
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    def begin(self, trouble: Trouble | None) -> None:
        """A check met this trouble and was answered here. A service that asked for patience gets it (429)."""
        self._left = AGAIN_MAX
        patience_s = trouble.retry_after_s if isinstance(trouble, SlowDownError) else 0.0
        self._start(max(AGAIN_MS, round(patience_s * 1000)))

    def not_yet(self) -> None:
        """There is still no answer."""
        self._start(AGAIN_MS)

    def stop(self) -> None:
        """Another question, or an answer."""
        self._left = 0
        self._timer.stop()

    def _start(self, wait_ms: int) -> None:
        if self._left:
            self._timer.start(wait_ms)

    @Slot()
    def _ask(self) -> None:
        self._left -= 1
        self.due.emit()
