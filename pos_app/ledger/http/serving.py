"""Runs the HTTP face: granian in front, worker processes that share the port, each with a `Book` of its own.

The first process watches and passes signals on, the workers serve. Whatever must be exclusive is done by the database.
A worker that dies is replaced; when its replacement dies at once, the server ends. The workers end at once when the
first process dies, so that killing the ledger never leaves half of it on the port. See `stopping` for SIGTERM.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import tempfile
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
from pos_app.files.failpoints import BadFailpointError, arm_from
from pos_app.files.line_safety import is_loopback
from pos_app.files.log_lines import LogFormat
from pos_app.files.logs import set_up_logging
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.care.moved_clock import MovedClock
from pos_app.ledger.commands import DONE, TROUBLE, CannotOpenError, LedgerPlace
from pos_app.ledger.http.app import make_app
from pos_app.ledger.http.log import LOG
from pos_app.ledger.http.settings import FaceSettings, FaceSettingsError, read_settings
from pos_app.ledger.http.stopping import Bells
from pos_app.ledger.sending.text import UnknownSenderError, read_sender

THREADS: Final = 32
"""More than the database has connections for: a thread that waits for a slow body must not stop the others."""

STOP_S: Final = 3
"""How long a worker may take to end once its requests are done, in seconds."""

SHARED_FIGURES: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Read by the library of `metrics` when it is first imported, which happens in the workers."""

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
    code_sender: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    processes: int = 1
    log_format: LogFormat = LogFormat.TEXT
    test_mode: bool = False
    """An administrator may move the clock and give points (sync-api 13). Never in packaged builds."""
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
    processes: int = 1,
    log_format: str = LogFormat.TEXT,
    test_mode: bool = False,
) -> int:
    """`pos-app ledger serve`: serve until SIGTERM or SIGINT and return the exit code.

    Prints one line, `Listening on http://HOST:PORT`, once requests are taken; a start that fails ends with a sentence
    on standard error and exit code 2.
    """
    try:
        arm_from(os.environ)  # Here too, so that a wrong name is told before any process is started.
        if code_sender is not None:
            read_sender(code_sender)  # A sender nobody knows is told here, before any process is started.
        options = ServeOptions(
            host=host,
            port=port,
            code_sender=code_sender,
            tls_cert=tls_cert,
            tls_key=tls_key,
            behind_proxy=behind_proxy,
            processes=processes,
            log_format=LogFormat(log_format),
            test_mode=test_mode,
            settings=FaceSettings() if config is None else read_settings(config),
        )
        place.open().close()  # A ledger that cannot be opened is told here, before any process is started.
        serve(place, options)
    except UnknownSenderError as error:
        sys.stderr.write(f"--code-sender: {error}.\n")
        return TROUBLE
    except (CannotServeError, CannotOpenError, FaceSettingsError, BadFailpointError) as error:
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
    with _reserved(address, options.port) as port, _shared_figures(options.processes):
        bells = Bells(options.processes)
        try:
            server = Granian(
                "pos_app.ledger.http",
                address=address,
                port=port,
                interface=Interfaces.WSGI,
                workers=options.processes,
                respawn_failed_workers=True,
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
        server.on_startup(bells.hang)  # By then the server has put its own handlers in place.
        server.serve(target_loader=partial(_load, place, options, address, port, bells), wrap_loader=False)


# --- Before the server starts -------------------------------------------------------------------------------------


def check_options(options: ServeOptions) -> None:
    """Make sure that what is asked for is safe and whole.

    Raises:
        CannotServeError: it is not.
    """
    if (options.tls_cert is None) != (options.tls_key is None):
        raise CannotServeError("TLS needs both a certificate and its key: give --tls-cert and --tls-key.")
    if options.test_mode:
        _check_test_mode(options)
    is_safe = options.tls_cert is not None or options.behind_proxy
    if not is_safe and not is_loopback(options.host):
        raise CannotServeError(
            f"{options.host} can be reached from other machines, and without TLS the tills' logins could be read on"
            " the way: give --tls-cert and --tls-key, or --behind-proxy when a TLS front stands before the ledger."
        )


def _check_test_mode(options: ServeOptions) -> None:
    if getattr(sys, "frozen", False):
        raise CannotServeError("--test-mode is for tests; a packaged ledger does not have it.")
    if options.processes != 1:
        raise CannotServeError("--test-mode moves the clock of one process: leave --processes at 1.")


def _address_of(host: str) -> str:
    """The IP address of a host name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotServeError(f"{host} is no address of this machine: check --host.") from error
    return str(found[0][4][0])


@contextmanager
def _shared_figures(processes: int) -> Iterator[None]:
    """A folder in which several processes add up their figures (see `metrics`); one needs none."""
    if processes == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="pos-ledger-figures-") as folder:
        os.environ[SHARED_FIGURES] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FIGURES]


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


def _load(place: LedgerPlace, options: ServeOptions, address: str, port: int, bells: Bells) -> Callable[..., Any]:
    """Open the ledger and make its application."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)  # While nothing is served yet, a stop needs no ceremony.
    set_up_logging(None, form=options.log_format)
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    arm_from(os.environ)
    clock = MovedClock(SystemClock()) if options.test_mode else SystemClock()
    try:
        book = place.open(
            options.code_sender,
            sender_settings=options.settings.sender,
            lease_settings=options.settings.leases,
            extension=options.settings.extension,
            clock=clock,
        )
    except CannotOpenError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(TROUBLE)
    Finalize(None, book.close, exitpriority=1)
    jobs = Jobs(book)
    Finalize(None, jobs.stop, exitpriority=2)  # Before the book is closed.
    if options.test_mode:
        LOG.warning("test mode: an administrator may move the clock, give points and change family groups over HTTP")
    app = make_app(
        book,
        extension=options.settings.extension,
        rate_per_minute=options.settings.rate_per_minute,
        test_mode=(clock, jobs) if isinstance(clock, MovedClock) else None,
    )
    jobs.start()
    scheme = "http" if options.tls_cert is None else "https"
    bells.listen(app.at_work)
    told = (bells, scheme, address, port)
    threading.Thread(target=_say_when_ready, args=told, name="ready", daemon=True).start()
    return app


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(_FAILED)


def _say_when_ready(bells: Bells, scheme: str, address: str, port: int) -> None:
    """Print the line that says where the ledger is, once it answers; of several processes, one prints it."""
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
            if bells.is_first_up():
                print(f"Listening on {scheme}://{f'[{address}]' if ':' in address else address}:{port}", flush=True)  # noqa: T201
            return
