"""A real receiver of webhooks on loopback, in threads of its own.

with Receiver() as receiver:
    receiver.answers += [503, 200]
    ...  # receiver.seen
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

WAIT_S = 30.0


@dataclass(frozen=True)
class Seen:
    """One request, as it came."""

    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class Receiver:
    """Answers 204, or with the statuses of `answers` as long as there are any. While `holds` it answers nobody.

    A status of 0 hangs up instead.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, holds: bool = False, drips: bool = False) -> None:
        self.seen: list[Seen] = []
        self.answers: list[int] = []
        self.location = ""
        self.came = threading.Semaphore(0)
        """Released once for each request."""
        self.let_go = threading.Event()
        if not holds:
            self.let_go.set()
        self._drips = drips
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_: object) -> None:
                """Say nothing: what was asked is in `seen`."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Say nothing: a caller that has gone away is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}/codes"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="receiver", daemon=True)

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Read one request and answer it."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.path, headers, body))
        self.came.release()
        status = self.answers.pop(0) if self.answers else 204
        if self._drips:
            self._drip(request)
        self.let_go.wait(WAIT_S)
        if status == 0:
            request.close_connection = True
            return
        request.send_response(status)
        if self.location:
            request.send_header("Location", self.location)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        """A byte now and then, so that no time-out of a socket is ever reached."""
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.let_go.wait(0.02):
            request.wfile.write(b"x")
            request.wfile.flush()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_S)
