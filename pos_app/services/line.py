"""Keeps one opinion about the line: services report what they met, a probe finds out when it is back.

The opinion saves the cashier from waiting for a time-out at every question: once the line was found down, checks are
answered from the cache at once, until a probe (or any answer) says that it is back (reliability 4.2, sync-api 3).
"""

from __future__ import annotations

import threading
from typing import Final

from pos_app.domain.trouble import LineDownError, NotSafeError, NotTheServiceError, Trouble, UnclearAnswerError
from pos_app.services.ports import Clock, Ledger
from pos_app.services.results import LineState, LineView

_CUT: Final = (LineDownError, NotTheServiceError, NotSafeError)
"""Nobody to talk to: no line, somebody else on it, or nobody who may be trusted."""


class Line:
    """The line to the ledger. Safe to use from any thread."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        self._view = LineView(LineState.UNKNOWN, clock.wall())

    @property
    def view(self) -> LineView:
        """The state, since when, and why."""
        with self._lock:
            return self._view

    def met(self, trouble: Trouble | None) -> None:
        """A service met this trouble, or (None) got an answer.

        A refused login, a busy service and the like are answers too: the line is there. An unclear answer says nothing
        about the line; the next probe will.
        """
        if isinstance(trouble, UnclearAnswerError):
            return
        if isinstance(trouble, _CUT):
            self._turn(LineState.OFFLINE, trouble)
        else:
            self._turn(LineState.ONLINE, None)

    def probe(self) -> LineView:
        """Ask the service whether it is there, now. Slow; never raises."""
        if self._ledger.is_up():
            self._turn(LineState.ONLINE, None)
        else:
            self._turn(LineState.OFFLINE, None)
        return self.view

    def _turn(self, state: LineState, trouble: Trouble | None) -> None:
        """Change the opinion. `since` stays while the state does; a known reason is not forgotten for none."""
        with self._lock:
            same = self._view.state is state
            since = self._view.since if same else self._clock.wall()
            if trouble is None and state is LineState.OFFLINE:
                trouble = self._view.trouble if same else LineDownError("the service does not answer")
            self._view = LineView(state, since, trouble)
