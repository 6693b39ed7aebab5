"""One request on its way, with an end in time whatever the network does.

The request runs in a thread of its own, because nothing else bounds it: looking a name up has no time limit, and a
server that sends a byte now and then satisfies every limit between two reads. The caller waits `connect_s` for the
first byte to leave and `read_s` for the whole answer, and then lets go. Whether a byte left is decided under a lock:
an attempt that was let go before its first byte never sends one.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from enum import Enum
from typing import Final

from pos_app.gateway.replies import Reply


class _Stage(Enum):
    CONNECTING = "connecting"
    SENDING = "sending"
    DONE = "done"
    LET_GO = "let go"


class LetGoError(Exception):
    """The caller does not wait any more; nothing may be sent."""


class Attempt:
    """What the caller and the thread of one request know of each other.

    `needs_fresh_line` asks for a new connection: an old one may be dead without anybody knowing, and then a request
    that never arrived could not be told from one that was carried out. `is_redemption` is for the crash points.
    """

    def __init__(self, *, needs_fresh_line: bool, is_redemption: bool = False) -> None:
        self.needs_fresh_line = needs_fresh_line
        self.is_redemption = is_redemption
        self._changed = threading.Condition()
        self._stage = _Stage.CONNECTING
        self._was_sent = False
        self._socket: socket.socket | None = None
        self._reply: Reply | None = None
        self._failure: BaseException | None = None

    # --- In the thread of the request ------------------------------------------------------------------------------

    def may_send(self, connected: socket.socket | None) -> None:
        """Called ahead of each piece that is sent.

        Raises:
            LetGoError: the caller has let go, so nothing may leave.
        """
        with self._changed:
            if self._stage is _Stage.LET_GO:
                raise LetGoError
            self._socket = connected
            self._stage = _Stage.SENDING
            self._was_sent = True
            self._changed.notify_all()

    def connected(self, connecting: socket.socket | None) -> None:
        """Remember the line, so that it can be cut."""
        with self._changed:
            self._socket = connecting

    def run(self, request: Callable[[], Reply]) -> None:
        """Carry out the request; keeps its reply or failure."""
        _here.attempt = self
        reply: Reply | None = None
        failure: BaseException | None = None
        try:
            reply = request()
        except BaseException as error:  # Handed to the caller, who raises what is not the network's.
            failure = error
        finally:
            _here.attempt = None
        with self._changed:
            self._reply, self._failure = reply, failure
            if self._stage is not _Stage.LET_GO:
                self._stage = _Stage.DONE
            self._changed.notify_all()

    # --- In the caller's thread --------------------------------------------------------------------------------------

    @property
    def was_sent(self) -> bool:
        """Say whether a byte may have left."""
        with self._changed:
            return self._was_sent

    def wait(self, *, connect_s: float, read_s: float) -> Reply | BaseException | None:
        """Wait for the reply or the failure; None: time is up, and the attempt was let go."""
        with self._changed:
            self._changed.wait_for(lambda: self._stage is not _Stage.CONNECTING, connect_s)
            if self._stage is _Stage.SENDING:
                self._changed.wait_for(lambda: self._stage is _Stage.DONE, read_s)
            if self._stage is _Stage.DONE:
                return self._reply if self._reply is not None else self._failure
            self._stage = _Stage.LET_GO
            line = self._socket
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        return None


class _Here(threading.local):
    attempt: Attempt | None = None


_here: Final = _Here()


def attempt_here() -> Attempt | None:
    """The attempt whose request runs in this thread."""
    return _here.attempt
