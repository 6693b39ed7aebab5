"""Keeps a few connections to a ledger busy from one thread, and times every answer."""

from __future__ import annotations

import base64
import hashlib
import json
import selectors
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECTIONS = 16
LOGIN, PASSWORD = "till.bench", "bench-only"

Ask = Callable[[], bytes]
"""Makes the next request, whole."""


@dataclass
class Taken:
    """What a run of requests took, in seconds each."""

    seconds: float
    answers: list[float] = field(default_factory=list)

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds

    def quantile_ms(self, percent: int) -> float:
        """The time so many of a hundred answers stayed within, in milliseconds."""
        return statistics.quantiles(self.answers, n=100)[percent - 1] * 1000


def get(path: str) -> bytes:
    """A GET request of the bench's till."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {_token()}\r\n\r\n".encode()


def post(path: str, body: dict[str, object]) -> bytes:
    """A POST request of the bench's till."""
    written = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {_token()}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(written)}\r\n\r\n".encode() + written


def _token() -> str:
    return base64.b64encode(f"{LOGIN}:{hashlib.md5(PASSWORD.encode()).hexdigest()}".encode()).decode()


def load(
    ports: list[int],
    ask: Ask,
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    most: int | None = None,
    wanted: bytes = b'"success"',
) -> Taken:
    """Keep the connections busy for so long, or until `most` answers came.

    Raises:
        RuntimeError: an answer was not what was `wanted`.
    """
    waiting = selectors.DefaultSelector()
    sent: dict[socket.socket, float] = {}

    def send(connection: socket.socket) -> None:
        request = ask()
        sent[connection] = time.perf_counter()
        connection.sendall(request)

    for number in range(connections):
        connection = socket.create_connection(("127.0.0.1", ports[number % len(ports)]))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(connection, selectors.EVENT_READ)
        send(connection)
    began = time.perf_counter()
    taken = Taken(seconds)
    while time.perf_counter() < began + seconds and (most is None or len(taken.answers) < most):
        for ready, _mask in waiting.select(1):
            connection = ready.fileobj
            assert isinstance(connection, socket.socket)
            answer = connection.recv(65536)
            taken.answers.append(time.perf_counter() - sent[connection])
            if not answer.startswith(b"HTTP/1.1 200") or wanted not in answer:
                raise RuntimeError(answer[-400:].decode("latin-1"))
            send(connection)
    taken.seconds = time.perf_counter() - began
    for connection in sent:
        connection.close()
    return taken
