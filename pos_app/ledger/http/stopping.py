"""How a ledger of several processes starts and stops as one.

On SIGTERM the first process rings a bell in each worker. A worker then refuses new requests, says `stopping` at
`/readyz`, finishes what it has begun and rings back; only then, or after `DRAIN_S` seconds, does the server take the
workers down. A second SIGTERM takes them down at once.

The bells are pipes with one byte a worker: a worker that is killed can leave none of them locked.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Final

from pos_app.files.clock import SystemClock
from pos_app.ledger.http.at_work import AtWork

DRAIN_S: Final = 8.0
"""How long requests at work may take once the ledger is told to stop."""

_RING: Final = b"."
Handler = Callable[[int, FrameType | None], Any]


class Bell:
    """Rung any number of times; each ring is heard by one process."""

    def __init__(self) -> None:
        # The listener gets what is sent byte for byte: a byte is read whole or not at all, whoever dies meanwhile.
        self._hears, self._rings = multiprocessing.Pipe(duplex=False)

    def ring(self) -> None:
        """Ring once; never waits."""
        os.write(self._rings.fileno(), _RING)

    def hear(self, wait_s: float | None = None) -> bool:
        """Wait for a ring, as long as it takes when `wait_s` is None; False: there was none in time."""
        listened: list[Connection[Any, Any]] = [self._hears]
        if wait_s is not None and not wait(listened, wait_s):
            return False
        return os.read(self._hears.fileno(), 1) == _RING


class Bells:
    """What the first process and its workers tell each other."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._first_up = Bell()
        self._stop = Bell()
        self._done = Bell()
        self._first_up.ring()

    # --- In the first process ----------------------------------------------------------------------------------------

    def hang(self) -> None:
        """Put the bells before the server's own handler of SIGTERM, which must be in place already."""
        if sys.platform == "win32":  # There a process is ended, not asked; and its pipes have no bytes of this kind.
            return
        take_down = signal.getsignal(signal.SIGTERM)
        if callable(take_down):
            signal.signal(signal.SIGTERM, self._before(take_down))

    def _before(self, take_down: Handler) -> Handler:
        is_told = False

        def told(number: int, frame: FrameType | None) -> None:
            nonlocal is_told
            if is_told:
                take_down(number, frame)
                return
            is_told = True
            then = partial(take_down, number, None)
            threading.Thread(target=self._drain, args=(then,), name="stopping", daemon=True).start()

        return told

    def _drain(self, then: Callable[[], Any]) -> None:
        clock = SystemClock()
        give_up_at = clock.mono() + DRAIN_S
        for _ in range(self._workers):
            self._stop.ring()
        for _ in range(self._workers):
            if not self._done.hear(max(0.0, give_up_at - clock.mono())):
                break
        then()

    # --- In a worker -------------------------------------------------------------------------------------------------

    def listen(self, at_work: AtWork) -> None:
        """Stop taking requests when the bell rings, and ring back when those at work are done."""
        if sys.platform != "win32":
            threading.Thread(target=self._stop_when_told, args=(at_work,), name="stop bell", daemon=True).start()

    def _stop_when_told(self, at_work: AtWork) -> None:
        self._stop.hear()
        at_work.stop(DRAIN_S)
        self._done.ring()

    def is_first_up(self) -> bool:
        """Say, to one worker only, that it is the first to answer: it says so for all."""
        return self._first_up.hear(0)
