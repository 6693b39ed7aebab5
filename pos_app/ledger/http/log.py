"""What the ledger writes down of each request: an allow-list, never an address, a parameter or a body (house 9)."""

from __future__ import annotations

import logging
from traceback import extract_tb
from typing import Final

from pos_app.ledger.http.call import Call

LOG: Final = logging.getLogger("pos_app.ledger.http")

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
_FRAMES_MAX: Final = 6


def log_call(call: Call, ended: float) -> None:
    """One line a request. `ended` in seconds of the monotonic clock."""
    LOG.info(
        "request=%s method=%s route=%s ms=%.1f status=%d till=%s",
        call.request_id,
        call.method if call.method in _METHODS else "other",
        call.route,
        (ended - call.started) * 1000,
        call.status,
        _on_one_line(call.login),
    )


def log_fault(call: Call, error: BaseException) -> None:
    """A fault of the ledger's own: its type and where it arose. Its message may quote people's data and stays out."""
    LOG.error("request=%s fault=%s at=%s", call.request_id, _kinds(error), _place(error))


def _kinds(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    name = type(error).__name__
    return name if cause is None else f"{name}<{type(cause).__name__}"


def _place(error: BaseException) -> str:
    """The innermost frames, innermost first: `book.py:120`."""
    frames = extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    return "<".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def _on_one_line(text: str) -> str:
    """A login cannot begin a second line of the log (reliability 4.7)."""
    return text if text.isprintable() else ascii(text)
