"""What a till does by itself, and when: probe, send again, settle, heartbeat, changes, leases (reliability 4.2 to 4.4).

A duty is a name, how often, and what to do. Whoever has a thread to spare calls `run_due` again and again; nothing here
waits. When the line comes back everything that needs it is due at once, in the order of the duties.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pos_app.domain.trouble import StorageError, Trouble
from pos_app.services.line import Line
from pos_app.services.ports import Clock
from pos_app.services.results import LineState

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing a till does by itself. `work(at_once)` may be slow and may raise `Trouble`.

    `at_once`: waiting times of its own do not count. `every_s` is counted from its end, or asked for after it.
    `needs_line`: it is left while the line is known to be down.
    """

    name: str
    every_s: float | Callable[[], float]
    work: Callable[[bool], object]
    needs_line: bool = True


class Rounds:
    """Knows what is due. Safe to use from any thread; the duties themselves run one after the other."""

    def __init__(self, clock: Clock, line: Line, duties: Iterable[Duty]) -> None:
        self._clock = clock
        self._line = line
        self._duties = tuple(duties)
        self._working = threading.Lock()
        self._lock = threading.Lock()
        self._due_at: dict[str, float] = {}
        self._met: dict[str, Trouble] = {}
        self._was_down = False

    def also(self, duty: Duty) -> None:
        """One more duty, behind the others."""
        self._duties = (*self._duties, duty)

    def leave(self, *names: str) -> None:
        """These duties are somebody else's: the window probes and drains by itself, to show what came of it."""
        self._duties = tuple(each for each in self._duties if each.name not in names)

    @property
    def troubles(self) -> dict[str, Trouble]:
        """What each duty met at its last run, where it failed."""
        with self._lock:
            return dict(self._met)

    def hurry(self, name: str) -> None:
        """This duty is due at once: something happened that makes it worth while."""
        with self._lock:
            self._due_at[name] = float("-inf")

    def next_due_s(self) -> float:
        """Seconds until something is due; zero or less: something is."""
        now = self._clock.mono()
        with self._lock:
            return min((self._due_at.get(each.name, now) - now for each in self._duties), default=60.0)

    def run_due(self) -> Sequence[str]:
        """Do what is due, in order; returns the names of what was done. Never raises `Trouble`."""
        with self._working:
            done = []
            for duty in self._duties:
                self._see_line()
                if self._is_due(duty):
                    self._run(duty, at_once=False)
                    done.append(duty.name)
            return done

    def run_all(self) -> bool:
        """Do everything once, now, whatever was due (`sync` of the headless till). True: nothing failed."""
        with self._working:
            for duty in self._duties:
                self._see_line()
                if not duty.needs_line or self._line.view.state is not LineState.OFFLINE:
                    self._run(duty, at_once=True)
            return not self.troubles and self._line.view.state is not LineState.OFFLINE

    def _see_line(self) -> None:
        """Everything that needs the line is due when it comes back."""
        state = self._line.view.state
        if state is LineState.ONLINE and self._was_down:
            with self._lock:
                for duty in self._duties:
                    if duty.needs_line:
                        self._due_at[duty.name] = float("-inf")
        self._was_down = state is LineState.OFFLINE or (self._was_down and state is not LineState.ONLINE)

    def _is_due(self, duty: Duty) -> bool:
        if duty.needs_line and self._line.view.state is LineState.OFFLINE:
            return False
        with self._lock:
            return self._clock.mono() >= self._due_at.get(duty.name, float("-inf"))

    def _run(self, duty: Duty, *, at_once: bool) -> None:
        met: Trouble | None = None
        try:
            duty.work(at_once)
        except Trouble as trouble:
            met = trouble
            _log.warning("%s: %s", duty.name, type(trouble).__name__)
            if not isinstance(trouble, StorageError):
                self._line.met(trouble)
        with self._lock:
            if met is None:
                self._met.pop(duty.name, None)
            else:
                self._met[duty.name] = met
            every_s = duty.every_s if isinstance(duty.every_s, (int, float)) else duty.every_s()
            self._due_at[duty.name] = self._clock.mono() + every_s


class Roundsman:
    """Walks the rounds in a thread of its own until it is stopped.

    A fault of ours in one round is logged and does not end the next ones: a till must go on settling.
    """

    PAUSE_S: Final = 0.2

    def __init__(self, rounds: Rounds, clock: Clock, *, begins_after_s: float = 0.0) -> None:
        """`begins_after_s`: somebody else has to do something first."""
        self._begins_after_s = begins_after_s
        self._rounds = rounds
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._walk, daemon=True, name="rounds")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, wait_s: float = 5.0) -> None:
        """End after the duty that runs now; waits for it at most so long."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _walk(self) -> None:
        if self._begins_after_s:
            self._stop.wait(self._begins_after_s)
        while not self._stop.is_set():
            try:
                self._rounds.run_due()
            except Exception:
                _log.exception("a round failed")
            if self._rounds.next_due_s() > 0:
                self._clock.sleep(self.PAUSE_S)
