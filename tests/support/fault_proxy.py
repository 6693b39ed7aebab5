"""A proxy on loopback that carries HTTP faithfully until it is told not to: one fault for each request, in order.

    with FaultProxy(("127.0.0.1", ledger_port)) as proxy:
        proxy.will(CUT_BEHIND, PASS, path="/redeem")  # The first redeem is committed upstream and its answer is lost.
        ledger = HttpLedger(proxy.url, ...)

Requests that match no waiting fault pass. Without an upstream it is a toy server: every request needs a `said`.
It runs in daemon threads of its own and knows nothing of the processes at either end: the upstream may die, come back
or move (`proxy.upstream = ...`), clients may be other processes. `seen` tells what arrived, and what went further.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

WAIT_S = 60.0
HEAD_MAX = 64 * 1024


class Kind(Enum):
    """What can happen to one request."""

    PASS = "it is carried, and so is its answer"
    RESET = "the connection is torn as soon as the request begins to arrive; nothing goes further"
    CUT_AHEAD = "the request is swallowed and the connection closed; nothing goes further"
    CUT_BEHIND = "the request is carried out; its answer is swallowed and the connection closed"
    CUT_WITHIN = "the request is carried out; half of its answer arrives"
    HOLD = "the request is carried out; its answer waits until `release`"
    SWALLOW = "the request is swallowed, and the connection stays open and silent until `release`"
    LATE = "the connection is closed; the request is carried out when `deliver_late` is called"
    TWICE = "the request is carried out twice; the second answer arrives"
    DRIP = "the request is carried out; its answer arrives byte by byte, far too slowly"
    DRIP_HEAD = "the request is carried out; already the head of the answer arrives byte by byte"
    ENDLESS = "the request is carried out; an answer without an end arrives"
    WRONG_ECHO = "the request is carried out; its answer names another key"
    SAY = "the given answer arrives; whether the request is carried out too is `reaches`"


@dataclass(frozen=True)
class Fault:
    """One fault. `status`, `headers` and `body` belong to SAY."""

    kind: Kind
    reaches: bool = True
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.status} {self.body[:12]!r}" if self.kind is Kind.SAY else self.kind.name


PASS = Fault(Kind.PASS)
RESET = Fault(Kind.RESET, reaches=False)
CUT_AHEAD = Fault(Kind.CUT_AHEAD, reaches=False)
CUT_BEHIND = Fault(Kind.CUT_BEHIND)
CUT_WITHIN = Fault(Kind.CUT_WITHIN)
HOLD = Fault(Kind.HOLD)
SWALLOW = Fault(Kind.SWALLOW, reaches=False)
LATE = Fault(Kind.LATE, reaches=False)
TWICE = Fault(Kind.TWICE)
DRIP = Fault(Kind.DRIP)
DRIP_HEAD = Fault(Kind.DRIP_HEAD)
ENDLESS = Fault(Kind.ENDLESS)
WRONG_ECHO = Fault(Kind.WRONG_ECHO)

SIGN_IN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Welcome<br></body></html>"


def said(
    status: int = 200, body: bytes | str | dict[str, Any] = b"", *, reaches: bool = False, **headers: str
) -> Fault:
    """The proxy answers itself; `retry_after="3"` is the header Retry-After."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    return Fault(
        Kind.SAY, reaches, status, {name.replace("_", "-").title(): text for name, text in headers.items()}, content
    )


def a_sign_in_page(*, reaches: bool = False) -> Fault:
    """What a hotel's network answers to everything: 200 and HTML."""
    return said(200, SIGN_IN_PAGE, reaches=reaches, content_type="text/html")


def a_redirect(to: str = "https://portal.example/sign-in", *, reaches: bool = False) -> Fault:
    """Go elsewhere."""
    return said(302, reaches=reaches, location=to)


def garbage(*, reaches: bool = True) -> Fault:
    """200, and bytes that mean nothing."""
    return said(200, b'{"response": {"status": \xff\xfe\x00', reaches=reaches, content_type="application/json")


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    fault: Kind

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def as_bytes(self) -> tuple[bytes, bytes]:
        reason = http.client.responses.get(self.status, "")
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {text}" for name, text in self.headers)]
        lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), self.body


class _HangUpError(Exception):
    """This connection is to be closed."""


class FaultProxy:
    """See the module. `tls` makes its own side HTTPS; `drip_s` is the wait between two dripped bytes."""

    def __init__(
        self, upstream: tuple[str, int] | None = None, *, tls: ssl.SSLContext | None = None, drip_s: float = 0.05
    ) -> None:
        self.upstream = upstream
        self.seen: list[Seen] = []
        self.connections = 0
        self._tls = tls
        self._drip_s = drip_s
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, Fault]] = deque()
        self._always: Fault | None = None
        self._late: list[Callable[[], object]] = []
        self._released = threading.Event()
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.listen()

    # --- What a test says ----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address clients use."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def will(self, *faults: Fault, path: str = "") -> None:
        """Do these to the next requests whose path holds `path`, one each."""
        with self._lock:
            self._waiting.extend((path, fault) for fault in faults)

    def heal(self) -> None:
        """Forget every fault that still waits: from now on all is carried."""
        with self._lock:
            self._waiting.clear()
            self._always = None

    def always(self, fault: Fault | None) -> None:
        """Do this to every request for which nothing else waits; None: carry them."""
        with self._lock:
            self._always = fault

    def release(self) -> None:
        """Let go what HOLD and SWALLOW hold, now and from now on."""
        self._released.set()

    def hold_again(self) -> None:
        """HOLD and SWALLOW hold again."""
        self._released.clear()

    def deliver_late(self) -> None:
        """Carry out the requests that LATE kept; nobody hears their answers."""
        with self._lock:
            late, self._late = self._late, []
        for carry in late:
            carry()

    def requests_to(self, path: str) -> list[Seen]:
        """What arrived at a path that holds `path`."""
        with self._lock:
            return [each for each in self.seen if path in each.path]

    def refuse(self) -> None:
        """Connections are refused until `listen`; those that are open are torn."""
        with self._lock:
            listener, self._listener = self._listener, None
            still_open = list(self._open)
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # Wakes the thread that waits in `accept`.
            listener.close()
        for connection in still_open:
            _wake(connection)

    def listen(self) -> None:
        """Accept connections, on the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True, name="fault-proxy").start()

    def stop(self) -> None:
        """End everything that waits."""
        self._stopped.set()
        self._released.set()
        self.refuse()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- Connections ---------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name="fault-proxy-line").start()

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        try:
            plain.settimeout(WAIT_S)
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
            with connection.makefile("rb") as arriving:
                while self._serve_one(connection, arriving):
                    pass
        except (OSError, _HangUpError, ValueError, http.client.HTTPException):
            pass
        finally:
            with self._lock:
                self._open.discard(plain)
            with contextlib.suppress(OSError):
                connection.close()
            with contextlib.suppress(OSError):
                plain.close()

    def _serve_one(self, connection: socket.socket, arriving: Any) -> bool:
        line = arriving.readline(HEAD_MAX)
        if not line.strip():
            return False
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = http.client.parse_headers(arriving)
        fault = self._fault_for(target.partition("?")[0])
        if fault.kind is Kind.RESET:
            self._note(Seen(method, target, dict(headers), b"", fault.kind))
            _tear(connection)
            raise _HangUpError
        body = arriving.read(int(headers.get("Content-Length") or 0))
        seen = Seen(method, target, {name.title(): text for name, text in headers.items()}, body, fault.kind)
        self._note(seen)
        self._do(connection, seen, fault)
        return True

    def _fault_for(self, path: str) -> Fault:
        with self._lock:
            for index, (wanted, fault) in enumerate(self._waiting):
                if wanted in path:
                    del self._waiting[index]
                    return fault
            return self._always or PASS

    def _note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    # --- Faults --------------------------------------------------------------------------------------------------

    def _do(self, connection: socket.socket, seen: Seen, fault: Fault) -> None:
        if fault.kind is Kind.LATE:
            with self._lock:
                self._late.append(lambda: self._carry(seen))
            raise _HangUpError
        if fault.kind is Kind.SWALLOW:
            self._released.wait(WAIT_S)
            raise _HangUpError
        answer = self._carry(seen) if fault.reaches else None
        if fault.kind is Kind.TWICE:
            answer = self._carry(seen)
        if fault.kind in {Kind.CUT_AHEAD, Kind.CUT_BEHIND}:
            raise _HangUpError
        if fault.kind is Kind.SAY:
            answer = _Answer(fault.status, list(fault.headers.items()), fault.body)
        assert answer is not None
        if fault.kind is Kind.WRONG_ECHO:
            answer = _with_another_key(answer)
        head, body = answer.as_bytes()
        match fault.kind:
            case Kind.CUT_WITHIN:
                connection.sendall(head + body[: len(body) // 2])
                raise _HangUpError
            case Kind.HOLD:
                self._released.wait(WAIT_S)
                connection.sendall(head + body)
            case Kind.DRIP:
                connection.sendall(head)
                self._drip(connection, body)
            case Kind.DRIP_HEAD:
                self._drip(connection, head + body)
            case Kind.ENDLESS:
                self._flood(connection)
            case _:
                connection.sendall(head + body)

    def _drip(self, connection: socket.socket, content: bytes) -> None:
        for index in range(len(content)):
            if self._stopped.wait(self._drip_s):
                raise _HangUpError
            connection.sendall(content[index : index + 1])

    def _flood(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        piece = b" " * 65536
        while not self._stopped.is_set():
            connection.sendall(piece)

    def _carry(self, seen: Seen) -> _Answer:
        if self.upstream is None:
            raise _HangUpError
        upstream = http.client.HTTPConnection(*self.upstream, timeout=WAIT_S)
        try:
            headers = {name: text for name, text in seen.headers.items() if name not in {"Connection", "Host"}}
            upstream.request(seen.method, seen.target, body=seen.body or None, headers=headers)
            response = upstream.getresponse()
            dropped = {"connection", "content-length", "transfer-encoding", "keep-alive"}
            kept = [(name, text) for name, text in response.getheaders() if name.lower() not in dropped]
            return _Answer(response.status, kept, response.read())
        finally:
            upstream.close()


def _with_another_key(answer: _Answer) -> _Answer:
    tree = json.loads(answer.body)
    other = "7" * 26
    if "extension" in tree:
        tree["extension"]["key"] = other
    if "key" in tree:
        tree["key"] = other
    return _Answer(answer.status, answer.headers, json.dumps(tree).encode())


def _tear(connection: socket.socket) -> None:
    """Close with a reset instead of a farewell, whoever is reading from it."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())


def _wake(connection: socket.socket) -> None:
    """End a connection that another thread is reading from."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


class TunnelProxy:
    """A proxy as shops have them: it answers CONNECT, and carries bytes to `target` whatever host was asked for.

    `asked` holds the hosts; while `refuses` it answers 502 instead.
    """

    def __init__(self, target: tuple[str, int], *, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self._target = target
        self.refuses = refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True, name="fault-proxy-tunnel").start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True, name="fault-proxy-tunnel").start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            near.settimeout(WAIT_S)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                piece = near.recv(1)
                if not piece:
                    return
                head += piece
            self.asked.append(head.split(b" ")[1].decode())
            if self.refuses:
                near.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(self._target, timeout=WAIT_S) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(far, near), daemon=True, name="fault-proxy-tunnel")
                back.start()
                _pump(near, far)
                back.join(WAIT_S)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
