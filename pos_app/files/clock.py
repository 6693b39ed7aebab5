"""The machine's clock: the only place that asks the system for the time (house decision 12).

For tests a file can move it (`POS_TEST_CLOCK`, reliability 5.2); see `MovedByFile`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

VARIABLE: Final = "POS_TEST_CLOCK"
"""Names the file that moves the clock of this process. A packaged program does not look at it."""

LOOK_S: Final = 0.1
"""How often a wait looks whether the file was replaced, in real seconds."""

_BOOT_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


def _mono() -> float:
    """Seconds since some start. They go on while the machine sleeps where it can tell (reliability 4.3)."""
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


_BOOT_FILE: Final = Path("/proc/sys/kernel/random/boot_id")


@cache
def _boot() -> str:
    try:
        told = _BOOT_FILE.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        told = ""
    return told or uuid.uuid4().hex


class SystemClock:
    """Implements `services.ports.Clock`."""

    def wall(self) -> datetime:
        """The wall clock, in UTC. It may be wrong, and it may jump."""
        return datetime.now(UTC) if _MOVED is None else _MOVED.wall()

    def mono(self) -> float:
        """Seconds since some start. They go on while the machine sleeps where it can tell (reliability 4.3)."""
        return _mono() if _MOVED is None else _MOVED.mono()

    def boot(self) -> str:
        """Names this run of the machine: seconds of `mono` from before another start cannot be compared.

        Where the machine does not tell, each process is a run of its own.
        """
        return _boot()

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds; a negative wait is none."""
        if _MOVED is None:
            time.sleep(max(0.0, seconds))
        else:
            _MOVED.sleep(seconds)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the file said, and the machine's two clocks when it was read."""

    wall_offset: float = 0.0
    mono_offset: float = 0.0
    rate: float = 1.0
    read_wall: float = 0.0
    read_mono: float = 0.0


class MovedByFile:
    """A clock that follows a file: JSON `{"wall_offset": 0, "mono_offset": 0, "rate": 1}`, in seconds.

    At the reading it shows the machine's time and the offset; from then on time passes `rate` times as fast. The file
    is read at the start and again whenever it was replaced. One that cannot be read changes nothing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._reading = _Reading(read_wall=time.time(), read_mono=_mono())

    def wall(self) -> datetime:
        """The moved wall clock, in UTC."""
        told = self._told()
        passed = (time.time() - told.read_wall) * told.rate
        return datetime.fromtimestamp(told.read_wall, UTC) + timedelta(seconds=told.wall_offset + passed)

    def mono(self) -> float:
        """Moved seconds since some start."""
        told = self._told()
        return told.read_mono + told.mono_offset + (_mono() - told.read_mono) * told.rate

    def sleep(self, seconds: float) -> None:
        """Wait until so many moved seconds have passed."""
        ends = self.mono() + seconds
        while (left := ends - self.mono()) > 0:
            rate = self._reading.rate
            time.sleep(min(LOOK_S, left / rate) if rate > 0 else LOOK_S)

    def _told(self) -> _Reading:
        """What the file says now."""
        try:
            found = self._file.stat()
        except OSError:
            return self._reading
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            with self._lock:
                self._read(seen)
        return self._reading

    def _read(self, seen: tuple[int, ...]) -> None:
        if seen == self._seen:  # Another thread read it meanwhile.
            return
        try:
            tree = json.loads(self._file.read_text(encoding="utf-8"))
            told = {name: float(tree.get(name, least)) for name, least in _DEFAULTS.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return
        self._reading = _Reading(**told, read_wall=time.time(), read_mono=_mono())
        self._seen = seen


_DEFAULTS: Final = {"wall_offset": 0.0, "mono_offset": 0.0, "rate": 1.0}


def _moved_by_file() -> MovedByFile | None:
    named = os.environ.get(VARIABLE, "")
    return MovedByFile(Path(named)) if named and not getattr(sys, "frozen", False) else None


_MOVED: Final = _moved_by_file()
