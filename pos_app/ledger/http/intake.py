"""Reads bodies, within a time. A line that stops in the middle of a body must not hold a thread for ever.

The server gives no time limit for a body, and a read cannot be called off. So a read that may last goes to a thread of
its own, which is left to itself when the time is up: it ends with the line. That costs a change of threads, which every
small body would pay for nothing; therefore the first few reads at any moment are done directly. Threads that hang
there are too few to matter, and as long as they hang all the others are watched.
"""

from __future__ import annotations

import queue
import threading
from typing import Final, Protocol

from pos_app.ledger.http.troubles import TooSlowError

DIRECT_MOST: Final = 8
"""So many reads at a time are not watched: a quarter of the server's threads."""

BODY_S: Final = 10.0
"""A body must have arrived so many seconds after its headers."""


class Body(Protocol):
    """The WSGI input."""

    def read(self, size: int, /) -> bytes:
        """Wait for so many bytes, or the end."""
        ...


class Intake:
    """Reads the bodies of one process."""

    def __init__(self, direct_most: int = DIRECT_MOST, limit_s: float = BODY_S) -> None:
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._places = direct_most

    @property
    def is_free(self) -> bool:
        """Say whether one more body may be read directly."""
        return self._places > 0

    def read(self, body: Body, length: int) -> bytes:
        """Read `length` bytes, fewer where the body ends before.

        Raises:
            TooSlowError: they did not come in time.
            Exception: what the line fails with.
        """
        if not self._has_place():
            return self._watched(body, length)
        try:
            return _read(body, length)
        finally:
            with self._lock:
                self._places += 1

    def _has_place(self) -> bool:
        with self._lock:
            if self._places <= 0:
                return False
            self._places -= 1
            return True

    def _watched(self, body: Body, length: int) -> bytes:
        done: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

        def read() -> None:
            try:
                done.put(_read(body, length))
            except Exception as error:  # Raised again where it is waited for.
                done.put(error)

        threading.Thread(target=read, name="slow body", daemon=True).start()
        try:
            outcome = done.get(timeout=self._limit_s)
        except queue.Empty:
            raise TooSlowError from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def _read(body: Body, length: int) -> bytes:
    pieces = []
    while length > 0:
        piece = body.read(length)
        if not piece:
            break
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
