"""What is virtual for a till or a ledger: time, the moment of its death, and the thread of its journal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class TillKilledError(BaseException):
    """The till's process is gone. No code of the till may catch this."""


class LedgerKilledError(BaseException):
    """The ledger's process is gone. No code of the ledger may catch this."""


class Time:
    """The true time, in seconds since the start. Whoever waits makes it pass."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._pass_by: Callable[[], None] = lambda: None

    def on_passing(self, work: Callable[[], None]) -> None:
        """Call `work` whenever time has passed."""
        self._pass_by = work

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += max(0.0, seconds)
        self._pass_by()


class VirtualClock:
    """Keeps `services.ports.Clock`'s promise. Its wall may be wrong and run at another rate than the true time."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self.rate = 1.0
        self.on_sleep: Callable[[], None] = _nothing
        """Called ahead of each wait: somebody else may act in the meantime."""
        self.boots = 1
        self._mono_base = 1000.0
        self._wall_base = START
        self._since = 0.0

    def wall(self) -> datetime:
        return self._wall_base + timedelta(seconds=self._passed())

    def mono(self) -> float:
        return self._mono_base + self._passed()

    def boot(self) -> str:
        return f"boot {self.boots}"

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        self._time.advance(max(0.0, seconds) / self.rate)

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock; monotonic seconds do not follow."""
        self._settle()
        self._wall_base += timedelta(seconds=seconds)

    def set_rate(self, rate: float) -> None:
        """From now on it runs `rate` times as fast as the true time."""
        self._settle()
        self.rate = rate

    def put_right(self) -> None:
        """Somebody sets it by a true clock."""
        self._settle()
        self.rate = 1.0
        self._wall_base = START + timedelta(seconds=self._time.seconds)

    def restart(self) -> None:
        """The machine was started again: its monotonic seconds begin anew."""
        self._settle()
        self._mono_base = 10.0
        self.boots += 1

    def copied(self) -> VirtualClock:
        """The clock of a machine that was copied at this moment."""
        twin = VirtualClock(self._time)
        twin.boots = self.boots + 100
        twin._wall_base, twin._mono_base, twin._since, twin.rate = (
            self.wall(),
            self.mono(),
            self._time.seconds,
            self.rate,
        )
        return twin

    def _passed(self) -> float:
        return (self._time.seconds - self._since) * self.rate

    def _settle(self) -> None:
        self._wall_base, self._mono_base = self.wall(), self.mono()
        self._since = self._time.seconds


class AtOnce(Executor):
    """Runs what it is given in the caller's thread: the simulator has one."""

    def __init__(self) -> None:
        self._is_closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._is_closed:
            raise RuntimeError("closed")
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # Handed over, as a worker's is; a killed process hands nothing over.
            done.set_exception(error)
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._is_closed = True


def _nothing() -> None:
    """Nobody acts."""
