"""Whether this till's clocks may be believed about the end of a lease (reliability 4.3, "Clocks").

No wallet depends on it: the ledger takes no more than it set aside, whatever a till's clock says. A clock decides only
who bears a loss, so the till is strict with itself. It starts timing before it first sends a request for a lease; time
that passed is the greater of what the two clocks say. A program that was started anew has only the wall clock left,
which must then not stand behind the latest moment it ever showed, and must have agreed with the ledger.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from pos_app.domain.held import AskedLease
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Clock

DRIFT: Final = 0.001
"""How much slower than true a till's clock may run: a thousandth of the term."""
MARGIN_S: Final = 30.0
BEHIND_MOST: Final = timedelta(seconds=5)
OFFSET_MOST_S: Final = 120.0
MARK_EVERY_S: Final = 60.0

_OFFSET: Final = "clock.offset_s"


class BootClock(Clock, Protocol):
    """A clock that can name the run of the machine its seconds belong to."""

    def boot(self) -> str:
        """Another text after each start of the machine: `mono` of two of them cannot be compared."""
        ...


class Distrust(StrEnum):
    """Why the clock is not trusted: connect to refresh allowances."""

    BEHIND = "clock_behind"
    """It stands before the latest moment this till has seen."""
    OFF = "clock_off"
    """It differed from the ledger's by more than two minutes when they last met."""
    NEVER_MET = "clock_never_met"
    """It was never compared with the ledger's."""
    JUMPED = "clock_jumped"
    """It went further than the time that passed."""


@dataclass(frozen=True, slots=True)
class LeaseTime:
    """How long a lease may still be spent from. Zero or less: its term has passed, or its clock is not trusted."""

    left_s: float
    distrust: Distrust | None = None

    @property
    def is_usable(self) -> bool:
        """Say whether the lease may be spent from now."""
        return self.distrust is None and self.left_s > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the clocks show: `mono` counts within the run of the machine named `boot`."""

    wall: datetime
    mono: float
    boot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the till knows of its clock: the latest moment it has seen, and its offset when it last met the ledger's."""

    high_water: datetime | None
    offset_s: float | None


def spending_s(term_s: float) -> float:
    """How long a till spends from a lease of that term: it ends before the ledger's does."""
    return term_s * (1 - DRIFT) - MARGIN_S


def time_left(asked: Hands, now: Hands, *, term_s: float, program_started: float, memory: Memory) -> LeaseTime:
    """What is left of a lease that was asked for at `asked`; `program_started` is `mono` when the program started."""
    by_wall = (now.wall - asked.wall).total_seconds()
    if asked.boot != now.boot:
        return LeaseTime(spending_s(term_s) - by_wall, wall_distrust(now.wall, memory))
    by_mono = now.mono - asked.mono
    left_s = spending_s(term_s) - max(by_wall, by_mono)
    if asked.mono <= program_started:
        return LeaseTime(left_s, wall_distrust(now.wall, memory))
    has_jumped = left_s <= 0 < spending_s(term_s) - by_mono and by_wall - by_mono > OFFSET_MOST_S
    return LeaseTime(left_s, Distrust.JUMPED if has_jumped else None)


def wall_distrust(wall: datetime, memory: Memory) -> Distrust | None:
    """Why the wall clock alone is not believed; None: it is."""
    if memory.high_water is not None and wall < memory.high_water - BEHIND_MOST:
        return Distrust.BEHIND
    if memory.high_water is None or memory.offset_s is None:
        return Distrust.NEVER_MET
    return Distrust.OFF if abs(memory.offset_s) > OFFSET_MOST_S else None


class ClockTrust:
    """The clock as this till remembers it. Safe to use from any thread."""

    def __init__(self, clock: BootClock, journal: TillJournal) -> None:
        self._clock = clock
        self._journal = journal
        self._program_started = clock.mono()
        self._lock = threading.Lock()
        self._marked_at: float | None = None

    def hands(self) -> Hands:
        """What the clocks show now."""
        return Hands(wall=self._clock.wall(), mono=self._clock.mono(), boot=self._clock.boot())

    def left(self, asked: AskedLease, term_s: float) -> LeaseTime:
        """What is left of a lease."""
        began = Hands(wall=asked.asked_wall, mono=asked.asked_mono, boot=asked.boot)
        return time_left(
            began, self.hands(), term_s=term_s, program_started=self._program_started, memory=self._memory()
        )

    def distrust(self) -> Distrust | None:
        """Why the wall clock is not trusted, for the status; None also on a till that never met a ledger."""
        why = wall_distrust(self._clock.wall(), self._memory())
        return None if why is Distrust.NEVER_MET else why

    def met(self, server_time: datetime) -> None:
        """The ledger told its time in an answer to this till's login: the mark is set to it, also back.

        Without that one jump to 2037 would block the till for ever. Raises: StorageError.
        """
        with self._lock:
            memory = self._memory()
            offset_s = (self._clock.wall() - server_time).total_seconds()
            is_ahead = memory.high_water is not None and memory.high_water > server_time + BEHIND_MOST
            if memory.offset_s is None or abs(memory.offset_s - offset_s) > 1:
                self._journal.remember(_OFFSET, f"{offset_s:.3f}")
            if is_ahead or self._is_due():
                self._journal.mark_clock(server_time, rebase=True)
                self._marked_at = self._clock.mono()

    def tick(self) -> None:
        """Raise the mark where a minute has passed without. Raises: StorageError."""
        with self._lock:
            if self._is_due():
                self._journal.mark_clock(self._clock.wall())
                self._marked_at = self._clock.mono()

    def _is_due(self) -> bool:
        return self._marked_at is None or self._clock.mono() - self._marked_at >= MARK_EVERY_S

    def _memory(self) -> Memory:
        told = self._journal.recall(_OFFSET)
        return Memory(high_water=self._journal.high_water(), offset_s=None if told is None else float(told))
