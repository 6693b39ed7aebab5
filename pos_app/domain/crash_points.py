"""Places where a test may make a till or a ledger fail (reliability 4.2, 5.2). Nothing happens there otherwise.

Code that stands at such a place says `reach("C1")`; the commit that `enospc` is about is wrapped in `committing("C0")`.
What then happens is decided by whoever armed the points: `files.failpoints` from the environment of a process, the
simulator from its seed. Unarmed, a point costs one look at a variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

POINTS: Final = frozenset((*(f"C{number}" for number in range(14)), "L1", "L2"))
"""The names of the table in reliability 4.2."""


class Armed(Protocol):
    """Decides what happens at a point."""

    def reached(self, point: str) -> None:
        """This place was reached; may not return."""
        ...

    def commit_begins(self, point: str) -> None:
        """The commit of this place comes next."""
        ...

    def commit_ended(self, point: str) -> None:
        """It was made, or it failed."""
        ...


class _Switch:
    armed: Armed | None = None


_switch: Final = _Switch()


def arm(armed: Armed | None) -> None:
    """Let this decide from now on; None: nothing happens any more."""
    _switch.armed = armed


def reach(point: str) -> None:
    """Say that the place of this name was reached."""
    if _switch.armed is not None:
        _switch.armed.reached(point)


@contextmanager
def committing(point: str) -> Iterator[None]:
    """Make the commit that may fail at this place as on a full disk."""
    armed = _switch.armed
    if armed is None:
        yield
        return
    armed.commit_begins(point)
    try:
        yield
    finally:
        armed.commit_ended(point)
