"""The one door to slow work: the window's thread never waits for a service (house decision 11).

Work runs on a few threads of its own and its result comes back as a queued signal, so callbacks always run on the
window's thread. Work belongs to a lane: a newer run in a lane, or `drop`, makes the older one late, and a late result
is logged and never shown.

The threads are daemons on purpose: closing the window waits a bounded time, and what is still out then is safe in the
journal, so a dead line cannot keep the process alive.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from pos_app.domain.trouble import Trouble

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

CLOSE_WAIT_S: Final = 3.0
THREADS_MAX: Final = 6
"""One each for a check, a redemption, a lookup, the probe, the outbox and the rules."""


class _Work(NamedTuple):
    number: int
    lane: str
    work: Callable[[], Any]
    on_done: Callable[[Any], None]
    on_error: Callable[[Exception], None]
    on_late: Callable[[Any], None] | None


class Background(QObject):
    """Runs work away from the window's thread.

    Signals:
        idle: nothing is running any more.
    """

    idle = Signal()
    _finished = Signal(int, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = itertools.count(1)
        self._newest: dict[str, int] = {}
        self._running: dict[int, _Work] = {}
        self._queue: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        self._done = threading.Condition()
        self._busy_count = 0
        self._finished.connect(self._deliver)  # Emitted on another thread, so Qt queues it for this one.

    def run(
        self,
        work: Callable[[], Result],
        *,
        on_done: Callable[[Result], None],
        on_error: Callable[[Exception], None],
        lane: str = "",
        on_late: Callable[[Result], None] | None = None,
    ) -> int:
        """Run `work` on another thread; returns its request number. Call it from the window's thread.

        `work` must touch no widget. `on_done` or `on_error` is called on the window's thread, unless a newer run or
        `drop` came in the same lane: then only `on_late` hears of a result. Without a lane nothing makes it late.
        `on_error` gets what `work` raised: a `Trouble`, or a bug, which is logged here.
        """
        number = next(self._numbers)
        lane = lane or f"work {number}"
        task = _Work(number, lane, work, on_done, on_error, on_late)
        self._newest[lane] = number
        if self._is_closed:
            return number
        self._running[number] = task
        with self._done:
            self._busy_count += 1
        if len(self._threads) < THREADS_MAX and len(self._running) > len(self._threads):
            thread = threading.Thread(target=self._work_on, name=f"background-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(task)
        return number

    def drop(self, lane: str) -> None:
        """What still runs in `lane` is late from now on."""
        self._newest[lane] = next(self._numbers)

    def is_running(self, lane: str) -> bool:
        """Say whether the newest run of a lane has no result yet."""
        return self._newest.get(lane) in self._running

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing runs or waits, late work included."""
        return not self._running

    def stop(self, wait_s: float = CLOSE_WAIT_S) -> bool:
        """Take no more work, drop every result, and wait at most `wait_s` for what runs; says whether all ended."""
        self._is_closed = True
        self._newest.clear()
        with self._done:
            return self._done.wait_for(lambda: self._busy_count == 0, timeout=wait_s)

    def _work_on(self) -> None:
        while True:
            task = self._queue.get()
            result: Any = None
            failure: Exception | None = None
            try:
                result = task.work()
            except Exception as error:  # The one place that must survive any bug of slow work.
                failure = error
            with self._done:
                self._busy_count -= 1
                self._done.notify_all()
            try:
                self._finished.emit(task.number, result, failure)
            except RuntimeError:
                return  # The window is gone, and this object with it.

    @Slot(int, object, object)
    def _deliver(self, number: int, result: object, failure: Exception | None) -> None:
        task = self._running.pop(number)
        if failure is not None and not isinstance(failure, Trouble):
            # Frames only: the message of a bug may hold a customer's data.
            _log.error(
                "%s in %s\n%s", type(failure).__name__, task.lane, "".join(traceback.format_tb(failure.__traceback__))
            )
        if self._newest.get(task.lane) != number:
            _log.info("late result %d in %s dropped", number, task.lane)
            if task.on_late is not None and failure is None and not self._is_closed:
                task.on_late(result)
        elif failure is not None:
            task.on_error(failure)
        else:
            task.on_done(result)
        if not self._running:
            self.idle.emit()
