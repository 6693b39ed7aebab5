"""Working places: only so many requests are worked on at once, however many are on their way in or out.

The server has more threads than places, and its threads come and go. A thread that waits for a slow body holds no
place, so a few broken lines never stop the ledger. Places are threads of our own that stay: the `Book` keeps its
database connections by thread, and the database never has more of them than it is fast with (baselines 5).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

from pos_app.ledger.http.troubles import FullError

WAIT_S: Final = 10.0
"""A till gives up after about as long (`retry.read_s`): an answer that comes later helps nobody."""

Made = TypeVar("Made")


class _Job(Generic[Made]):
    """One piece of work. Whoever takes `turn` first decides: the place that does it, or the one who waited too long."""

    def __init__(self, work: Callable[[], Made]) -> None:
        self.work = work
        self.turn = threading.Lock()
        self.done = threading.Lock()
        self.done.acquire()
        self.made: Made | None = None
        self.error: BaseException | None = None

    def do(self) -> None:
        """Do it, unless nobody waits for it any more."""
        if not self.turn.acquire(blocking=False):
            return
        try:
            self.made = self.work()
        except BaseException as error:  # It belongs to the one who waits, whatever it is.
            self.error = error
        finally:
            self.done.release()


class Places:
    """A fixed number of working places. They start at the first work and end with the process."""

    def __init__(self, count: int, wait_s: float = WAIT_S) -> None:
        self._count = count
        self._wait_s = wait_s
        self._waiting: SimpleQueue[_Job[object]] = SimpleQueue()
        self._start = threading.Lock()
        self._started = False

    def work(self, work: Callable[[], Made]) -> Made:
        """Do `work` in a place and return what it made; what it raises is raised here.

        Raises:
            FullError: no place became free in time; the work was not begun and never will be.
        """
        if not self._started:
            self._start_all()
        job: _Job[Made] = _Job(work)
        self._waiting.put(job)  # type: ignore[arg-type]
        if not job.done.acquire(timeout=self._wait_s):
            if job.turn.acquire(blocking=False):
                raise FullError
            job.done.acquire()  # It was begun, so its answer must be waited for.
        if job.error is not None:
            raise job.error
        return job.made  # type: ignore[return-value]

    def _start_all(self) -> None:
        with self._start:
            if not self._started:
                for number in range(self._count):
                    threading.Thread(target=self._serve, name=f"place {number + 1}", daemon=True).start()
                self._started = True

    def _serve(self) -> None:
        while True:
            self._waiting.get().do()
