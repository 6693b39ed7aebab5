"""Tells how a long task goes: rows, rate, and the time left where the whole is known (house 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from pos_app.services.ports import Clock

TERMINAL_S: Final = 0.2
"""How often the line on a terminal is rewritten, in seconds."""

LOG_S: Final = 10.0
"""How often a line is added where it stays: in a file, or a service's log."""


class Progress:
    """One line about a task on its way: rewritten on a terminal, elsewhere a new one now and then."""

    def __init__(self, clock: Clock, out: TextIO, *, whole: int | None = None) -> None:
        """`whole` is how much there is to do, in whatever `tell` counts as done; None where nobody knows."""
        self._clock = clock
        self._out = out
        self._whole = whole
        self._is_terminal = out.isatty()
        self._began = self._told = clock.mono()
        self._width = 0

    def tell(self, rows: int, done: int) -> None:
        """So many rows are through, and so much of the whole is done."""
        now = self._clock.mono()
        if now - self._told < (TERMINAL_S if self._is_terminal else LOG_S):
            return
        self._told = now
        line = sentence(rows, done, self._whole, now - self._began)
        if self._is_terminal:
            self._out.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._out.write(line + "\n")
        self._out.flush()

    def close(self) -> None:
        """Leave the terminal's line behind."""
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0


def sentence(rows: int, done: int, whole: int | None, took_s: float) -> str:
    """`120,000 rows, 15,000 a second, 1 min 20 s left`."""
    text = f"{rows:,} rows, {rows / max(took_s, 0.001):,.0f} a second"
    if not whole or not done:
        return text
    return f"{text}, {_duration((whole - done) * took_s / done)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class CountedLines:
    """Lines, and how many bytes of them were read."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.count_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.count_bytes += len(line)
            yield line
