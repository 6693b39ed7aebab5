"""One after the other: requests that only compute are faster in turns than all at once.

The server runs each request in a thread of its own, and only one of them computes at any moment. Without turns they
would pass the interpreter's lock to each other at every statement, which costs more than the statement.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

WAIT_S: Final = 0.02
"""Several times what an answer takes. Who waited so long goes ahead: nothing depends on being alone."""


class Turn:
    """Held by one request at a time, as a rule."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._lock = threading.Lock()

    @property
    def is_held(self) -> bool:
        """Say whether some request has it now."""
        return self._lock.locked()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn, though never for long, and hold it."""
        is_mine = self._lock.acquire(timeout=self._wait_s)
        try:
            yield
        finally:
            if is_mine:
                self._lock.release()
