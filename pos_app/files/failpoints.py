"""`POS_FAILPOINT`: makes this process fail at the places of `domain.crash_points` (reliability 5.2).

    POS_FAILPOINT=C6:kill            SIGKILL to itself at every pass
    POS_FAILPOINT=C3:raise:2,L1:kill an exception at the second pass since the start, SIGKILL at L1
    POS_FAILPOINT=C0:enospc          the commit at that place fails as on a full disk

For tills and ledgers alike. A packaged program does not look at it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pos_app.domain.crash_points import POINTS, arm

VARIABLE: Final = "POS_FAILPOINT"
ACTIONS: Final = ("kill", "raise", "enospc")
FULL_FILES: Final = {"C0": "journal.db", "C9": "journal.db", "C10": "journal.db", "C13": "cache.db"}
"""Whose commit `enospc` is about."""


class BadFailpointError(Exception):
    """The variable cannot be understood; the message says what was found and what is expected."""


class FailpointError(Exception):
    """What `raise` raises: nobody expects it, as nobody expects a bug."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """One place, what happens there, and at which pass since the start; None: at every pass."""

    point: str
    action: str
    nth: int | None = None


def read_failpoints(text: str) -> tuple[Failpoint, ...]:
    """Read the variable.

    Raises:
        BadFailpointError: it cannot be understood.
    """
    return tuple(_read_one(part.strip()) for part in text.split(",") if part.strip())


def _read_one(part: str) -> Failpoint:
    point, _, rest = part.partition(":")
    action, _, nth = rest.partition(":")
    is_number = nth.isascii() and nth.isdigit() and int(nth) > 0
    if point not in POINTS or action not in ACTIONS or (nth and not is_number):
        raise BadFailpointError(
            f"{VARIABLE}: found {part!r}, expected NAME:kill|raise|enospc[:NTH], C0 to C13, L1, L2."
        )
    if action == "enospc" and point not in FULL_FILES:
        raise BadFailpointError(f"{VARIABLE}: {point} has no commit; enospc goes with {', '.join(FULL_FILES)}.")
    return Failpoint(point, action, int(nth) if nth else None)


class Failpoints:
    """Implements `domain.crash_points.Armed`. Safe to use from any thread."""

    def __init__(self, failpoints: tuple[Failpoint, ...]) -> None:
        self._failpoints = failpoints
        self._lock = threading.Lock()
        self._passes: Counter[Failpoint] = Counter()
        self._full: set[str] = set()

    def reached(self, point: str) -> None:
        """Kill or raise, where that is asked for.

        Raises:
            FailpointError: `raise` stands at this point.
        """
        for each in self._due(point, ("kill", "raise")):
            if each.action == "kill":
                kill_this_program()
            raise FailpointError(f"failpoint {point}")

    def commit_begins(self, point: str) -> None:
        """From now on the file of this point is full."""
        if self._due(point, ("enospc",)):
            self._full.add(FULL_FILES[point])

    def commit_ended(self, point: str) -> None:
        """It has space again."""
        self._full.discard(FULL_FILES.get(point, ""))

    def is_full(self, file_name: str) -> bool:
        """Say whether a commit in this file is to fail as on a full disk."""
        return file_name in self._full

    def _due(self, point: str, actions: tuple[str, ...]) -> list[Failpoint]:
        """Count this pass and return what happens at it."""
        due = []
        for each in self._failpoints:
            if each.point == point and each.action in actions:
                with self._lock:
                    self._passes[each] += 1
                    if each.nth is None or each.nth == self._passes[each]:
                        due.append(each)
        return due


class _Here:
    failpoints: Failpoints | None = None


_here: Final = _Here()


def arm_from(environ: Mapping[str, str]) -> None:
    """Arm what this environment asks for; a packaged program never does.

    Raises:
        BadFailpointError: the variable cannot be understood.
    """
    text = environ.get(VARIABLE, "")
    if not text or getattr(sys, "frozen", False):
        return
    _here.failpoints = Failpoints(read_failpoints(text))
    arm(_here.failpoints)


def disarm() -> None:
    """Nothing happens any more."""
    _here.failpoints = None
    arm(None)


def is_full(file_name: str) -> bool:
    """Say whether a commit in the file of this name is to fail now as on a full disk."""
    return _here.failpoints is not None and _here.failpoints.is_full(file_name)


def kill_this_program() -> None:
    """SIGKILL to all processes of this program: a ledger's worker takes the one that would replace it along."""
    import multiprocessing  # Slow to load, and needed by nobody else here.

    parent = multiprocessing.parent_process()
    how = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows ends a process at once by the other name.
    if parent is not None and parent.pid is not None:
        os.kill(parent.pid, how)
    os.kill(os.getpid(), how)
