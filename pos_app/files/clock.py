"""The machine's clock: the only place that asks the system for the time (house decision 12)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

_BOOT_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """Implements `services.ports.Clock`."""

    def wall(self) -> datetime:
        """The wall clock, in UTC. It may be wrong, and it may jump."""
        return datetime.now(UTC)

    def mono(self) -> float:
        """Seconds since some start. They go on while the machine sleeps where it can tell (reliability 4.3)."""
        if _BOOT_CLOCK is None:
            return time.monotonic()
        return time.clock_gettime(_BOOT_CLOCK)

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds; a negative wait is none."""
        time.sleep(max(0.0, seconds))
