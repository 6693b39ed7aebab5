"""Runs the HTTP face: granian in front, one worker process in which the `Book` is opened.

Two processes: the first watches and passes signals on, the worker serves. The worker ends at once when the first one
dies, so that killing the ledger never leaves half of it on the port. After SIGTERM the requests at work are finished
first, for at most `STOP_S`.
"""

from __future__ import annotations

import errno
import ipaddress
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings

from pos_app.files.clock import SystemClock
from pos_app.files.logs import set_up_logging
from pos_app.ledger.commands import DONE, TROUBLE, CannotOpenError, LedgerPlace
from pos_app.ledger.http.app import make_app
from pos_app.ledger.http.settings import FaceSettings, FaceSettingsError, read_settings
from pos_app.ledger.senders import CodeSender, UnknownSenderError, sender_from

THREADS: Final = 32
"""More than the database has connections for: a thread that waits for a slow body must not stop the others."""

STOP_S: Final = 5
_HEADER_TIMEOUT_MS: Final = 10_000
_BUFFER_BYTES: Final = 64 * 1024
_PORT_WAIT_S: Final = 3.0
"""A ledger that was just killed may hold its port for a moment."""

_READY_WAIT_S: Final = 20.0
_POLL_S: Final = 0.005
_FAILED: Final = 1


class CannotServeError(Exception):
    """The server cannot start; the message is a sentence for the administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where and how a ledger is served. Port 0 picks a free one.

    Without `tls_cert` and `tls_key`, and without `behind_proxy` (a front that speaks TLS), it listens to this machine
    only: the digest that travels is as good as the password (contract 1.2).
    """

    host: str = "127.0.0.1"
    port: int = 8080
    sender: CodeSender | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    settings: FaceSettings = field(default_factory=FaceSettings)


def serve_ledger(
    place: LedgerPlace,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    code_sender: str | None = None,
    config: Path | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    behind_proxy: bool = False,
) -> int:
    """`pos-app ledger serve`: serve until SIGTERM or SIGINT and return the exit code.

    Prints one line, `Listening on http://HOST:PORT`, once requests are taken; a start that fails ends with a sentence
    on standard error and exit code 2.
    """
    try:
        options = ServeOptions(
            host=host,
            port=port,
            sender=None if code_sender is None else sender_from(code_sender),
            tls_cert=tls_cert,
            tls_key=tls_key,
            behind_proxy=behind_proxy,
            settings=FaceSettings() if config is None else read_settings(config),
        )
        place.open().close()  # A ledger that cannot be opened is told here, before any process is started.
        serve(place, options)
    except UnknownSenderError as error:
        sys.stderr.write(f"--code-sender: {error}.\n")
        return TROUBLE
    except (CannotServeError, CannotOpenError, FaceSettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return TROUBLE
    return DONE


def serve(place: LedgerPlace, options: ServeOptions) -> None:
    """Serve a ledger until SIGTERM or SIGINT.

    Raises:
        CannotServeError: the options contradict each other, or the port is taken.
        SystemExit: the worker process ended by itself.
    """
    check_options(options)
    address = _address_of(options.host)
    with _reserved(address, options.port) as port:
        try:
            server = Granian(
                "pos_app.ledger.http",
                address=address,
                port=port,
                interface=Interfaces.WSGI,
                workers=1,
                blocking_threads=THREADS,
                workers_kill_timeout=STOP_S,
                http=HTTPModes.http1,
                http1_settings=HTTP1Settings(header_read_timeout=_HEADER_TIMEOUT_MS, max_buffer_size=_BUFFER_BYTES),
                log_enabled=False,
                ssl_cert=options.tls_cert,
                ssl_key=options.tls_key,
                ssl_protocol_min=SSLProtocols.tls12,
            )
        except (OSError, ssl.SSLError) as error:
            raise CannotServeError("The TLS certificate or its key cannot be read: check both files.") from error
        server.serve(target_loader=partial(_load, place, options, address, port), wrap_loader=False)


# --- Before the server starts -------------------------------------------------------------------------------------


def check_options(options: ServeOptions) -> None:
    """Make sure that what is asked for is safe and whole.

    Raises:
        CannotServeError: it is not.
    """
    if (options.tls_cert is None) != (options.tls_key is None):
        raise CannotServeError("TLS needs both a certificate and its key: give --tls-cert and --tls-key.")
    is_safe = options.tls_cert is not None or options.behind_proxy
    if not is_safe and not is_loopback(options.host):
        raise CannotServeError(
            f"{options.host} can be reached from other machines, and without TLS the tills' logins could be read on"
            " the way: give --tls-cert and --tls-key, or --behind-proxy when a TLS front stands before the ledger."
        )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _address_of(host: str) -> str:
    """The IP address of a host name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotServeError(f"{host} is no address of this machine: check --host.") from error
    return str(found[0][4][0])


@contextmanager
def _reserved(address: str, port: int) -> Iterator[int]:
    """Hold a port while the server runs, so that a second ledger cannot share it unnoticed.

    The server opens its own socket in the worker and lets others share the port (SO_REUSEPORT); ours, which never
    listens, was there first and alone.
    """
    held = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        if sys.platform != "win32":  # There this option would allow what it must prevent.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(held, address, port)
        if hasattr(socket, "SO_REUSEPORT"):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        chosen: int = held.getsockname()[1]
        if sys.platform != "linux":  # Elsewhere the server shares no port with anybody: let it go.
            held.close()
        yield chosen
    finally:
        held.close()


def _bind(held: socket.socket, address: str, port: int) -> None:
    clock = SystemClock()
    give_up_at = clock.mono() + _PORT_WAIT_S
    while True:
        try:
            held.bind((address, port))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotServeError(f"The ledger may not listen on {address}, port {port}.") from error
            if clock.mono() > give_up_at:
                raise CannotServeError(f"Port {port} is taken by another program: choose another --port.") from error
        clock.sleep(_POLL_S)


# --- In the worker process ----------------------------------------------------------------------------------------


def _load(place: LedgerPlace, options: ServeOptions, address: str, port: int) -> Callable[..., Any]:
    """Open the ledger and make its application."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)  # While nothing is served yet, a stop needs no ceremony.
    set_up_logging(None)
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    try:
        book = place.open(options.sender, extension=options.settings.extension)
    except CannotOpenError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(TROUBLE)
    Finalize(None, book.close, exitpriority=1)
    app = make_app(book, extension=options.settings.extension, rate_per_minute=options.settings.rate_per_minute)
    scheme = "http" if options.tls_cert is None else "https"
    threading.Thread(target=_say_when_ready, args=(scheme, address, port), name="ready", daemon=True).start()
    return app


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(_FAILED)


def _say_when_ready(scheme: str, address: str, port: int) -> None:
    """Print the line that says where the ledger is, once it answers."""
    clock = SystemClock()
    give_up_at = clock.mono() + _READY_WAIT_S
    to = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - an address to ask, not to listen on
    while clock.mono() < give_up_at:
        try:
            # Any reaction will do, of a TLS server the refusal: until then a signal to stop could be lost.
            with socket.create_connection((to, port), timeout=_READY_WAIT_S) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n")
                line.recv(1)
        except OSError:
            clock.sleep(_POLL_S)
        else:
            print(f"Listening on {scheme}://{f'[{address}]' if ':' in address else address}:{port}", flush=True)  # noqa: T201
            return
