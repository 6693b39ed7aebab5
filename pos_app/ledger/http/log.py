"""What the ledger writes down of each request: an allow-list, never an address, a parameter or a body (house 9)."""

from __future__ import annotations

import logging
from traceback import extract_tb
from typing import Final

from pos_app.files.log_lines import Fields
from pos_app.ledger.http.call import Call

LOG: Final = logging.getLogger("pos_app.ledger.http")

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
_FRAMES_MAX: Final = 6


class CallLine(Fields):
    """What is told of one request. Nearly all lines are these: they are put together at once."""

    __slots__ = ("_call", "_ms")

    def __init__(self, call: Call, ms: float) -> None:
        self._call = call
        self._ms = ms

    @property
    def values(self) -> dict[str, str | float]:
        """The values by name."""
        call = self._call
        return {
            "request": call.request_id,
            "method": method_of(call),
            "route": call.route,
            "ms": round(self._ms, 1),
            "status": call.status,
            "till": _on_one_line(call.login),
        }

    def __str__(self) -> str:
        """The text form."""
        call = self._call
        return (
            f"request={call.request_id} method={method_of(call)} route={call.route}"
            f" ms={self._ms:.1f} status={call.status} till={_on_one_line(call.login)}"
        )


class FaultLine(Fields):
    """What is told of a fault: its type and where it arose. Its message may quote people's data and stays out."""

    __slots__ = ("_call", "_error")

    def __init__(self, call: Call, error: BaseException) -> None:
        self._call = call
        self._error = error

    @property
    def values(self) -> dict[str, str | float]:
        """The values by name."""
        return {"request": self._call.request_id, "fault": _kinds(self._error), "at": _place(self._error)}


def log_call(call: Call, ended: float) -> None:
    """One line a request. `ended` in seconds of the monotonic clock."""
    LOG.info(CallLine(call, (ended - call.started) * 1000))


def method_of(call: Call) -> str:
    """The method by its name, where it is one that is known: what a stranger makes up is not repeated."""
    return call.method if call.method in _METHODS else "other"


def log_fault(call: Call, error: BaseException) -> None:
    """A fault of the ledger's own."""
    LOG.error(FaultLine(call, error))


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
