"""HTTP, and nothing but: one `requests` session, no retries, no redirects, no environment, an end in time.

This is the only module of a till that knows requests and urllib3. It is imported when a ledger is made, not before:
training and the tests of other rooms never load it.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable
from functools import cache
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pos_app.domain.crash_points import reach
from pos_app.domain.trouble import LineDownError, NotSafeError, Trouble, UnclearAnswerError
from pos_app.files.line_safety import trusting
from pos_app.gateway.address import Address
from pos_app.gateway.attempts import Attempt, LetGoError, attempt_here
from pos_app.gateway.parcel import Parcel
from pos_app.gateway.replies import Reply
from pos_app.services.ports import Clock, Waits

BODY_MAX: Final = 4 * 1024 * 1024
"""A larger answer is none (sync-api 1)."""

IDLE_MAX_S: Final = 30.0
"""An older idle connection is not used again: a router may have forgotten it, and then a question waits in vain."""

_PIECE: Final = 64 * 1024
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")

_log: Final = logging.getLogger(__name__)


class _TooLargeError(Exception):
    """The answer is larger than any answer may be."""


class Transport:
    """Sends parcels to one address. Safe to use from any thread."""

    def __init__(
        self, address: Address, *, waits: Waits, ca_file: Path | None, proxy: str | None, clock: Clock, software: str
    ) -> None:
        """Raises NotSafeError: the file of trusted certificates cannot be used."""
        # Below that urllib3 writes addresses into the log, and a GET has the customer's number in its address.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self._address = address
        self._waits = waits
        self._clock = clock
        self._proxies = {"https": proxy} if proxy and not address.is_loopback else {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": f"pos-app/{software}", "Accept": "application/json", "Accept-Encoding": "identity"}
        )
        trusted = cache(lambda: _trusting(ca_file))
        if ca_file is not None:
            trusted()  # A file that cannot be used is told at once.
        adapter = _Adapter(trusted, clock)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def carry(self, parcel: Parcel) -> Reply:
        """Send a parcel once and wait for the whole reply.

        Raises:
            LineDownError: nothing was sent; for a question also: no reply came.
            UnclearAnswerError: a redeem or cancel was sent and no whole reply came.
            NotSafeError: the other side is not trusted; nothing was sent.
        """
        attempt = Attempt(needs_fresh_line=parcel.moves, is_redemption=parcel.name == "redeem")
        started = self._clock.mono()
        request = threading.Thread(target=attempt.run, args=(lambda: self._request(parcel),), daemon=True)
        request.start()
        read_s = self._waits.read_s if parcel.read_s is None else parcel.read_s
        outcome = attempt.wait(connect_s=self._waits.connect_s, read_s=read_s)
        took_ms = (self._clock.mono() - started) * 1000
        if isinstance(outcome, Reply):
            _log.info("%s: HTTP %d in %.0f ms, %s", parcel.name, outcome.status, took_ms, outcome.request_id or "-")
            return outcome
        trouble = _trouble_of(outcome, was_sent=attempt.was_sent, moves=parcel.moves)
        _log.info("%s: %s after %.0f ms", parcel.name, type(trouble).__name__, took_ms)
        raise trouble

    def close(self) -> None:
        """Close idle connections; the transport may be used again."""
        self._session.close()

    def _request(self, parcel: Parcel) -> Reply:
        """Runs in a thread of its own."""
        # One more second than the caller waits: the caller ends an attempt, these limits only sweep up behind it.
        timeout = (self._waits.connect_s + 1, self._waits.read_s + 1)
        with self._session.request(
            parcel.method,
            self._address.url + parcel.path,
            params=dict(parcel.query),
            data=parcel.body,
            headers=dict(parcel.headers),
            timeout=timeout,
            allow_redirects=False,
            proxies=self._proxies,
            stream=True,
            verify=True,
        ) as response:
            if parcel.name == "redeem":
                reach("C5")
            body = bytearray()
            for piece in response.iter_content(_PIECE):
                body += piece
                if len(body) > BODY_MAX:
                    raise _TooLargeError
            request_id = response.headers.get("X-Cap-Requestid", "")
            return Reply(
                status=response.status_code,
                body=bytes(body),
                retry_after=response.headers.get("Retry-After", ""),
                date=response.headers.get("Date", ""),
                request_id=request_id if _REQUEST_ID.fullmatch(request_id) else "",
                asks_for_login="WWW-Authenticate" in response.headers,
            )


# --- Failures, translated once ---------------------------------------------------------------------------------------

_FAILURES: Final[tuple[type[BaseException], ...]] = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    LetGoError,
    _TooLargeError,
)
"""What the network does. Anything else that a request raises is a fault of ours and is raised as it is."""


def _trouble_of(failure: BaseException | None, *, was_sent: bool, moves: bool) -> Trouble:
    """The word of the services for a failure; None: time was up.

        nothing left, the other side is not trusted     NotSafeError
        nothing left, anything else                     LineDownError
        something left, a question                      LineDownError
        something left, a redeem or cancel              UnclearAnswerError

    The words name the kind of failure only: its own text would show the address, with a customer's number in it.
    """
    if failure is not None and not isinstance(failure, _FAILURES):
        raise failure
    kind = "time was up" if failure is None else type(failure).__name__
    if was_sent:
        return UnclearAnswerError(f"no whole reply: {kind}") if moves else LineDownError(f"no whole reply: {kind}")
    if failure is not None and _is_not_trusted(failure):
        return NotSafeError("the certificate of the ledger is not trusted here")
    return LineDownError(f"nothing was sent: {kind}")


def _is_not_trusted(failure: BaseException) -> bool:
    """Say whether TLS failed for what the other side is, and not for a line that broke on the way."""
    seen: list[BaseException] = []
    unseen: list[object] = [failure]
    while unseen:
        each = unseen.pop()
        if not isinstance(each, BaseException) or each in seen:
            continue
        seen.append(each)
        if isinstance(each, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return False
        if isinstance(each, ssl.SSLError):
            return True
        unseen += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return False


# --- What requests is told about connections --------------------------------------------------------------------------


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return trusting(ca_file)
    except OSError:
        raise NotSafeError("the file of trusted certificates (ledger.ca_file) cannot be read") from None


class _Watched:
    """A connection that asks the attempt in its thread before it sends, and shows it the line."""

    sock: Any
    _is_tunnelling = False

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._show()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        attempt = attempt_here()
        if attempt is not None and not self._is_tunnelling:
            attempt.may_send(self.sock)
        super().send(data)  # type: ignore[misc]

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        attempt = attempt_here()
        if attempt is not None and attempt.is_redemption:
            reach("C2")
        return super().getresponse(*args, **kwargs)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.sock = connected
        self._show()
        return connected

    def _tunnel(self) -> None:
        """A proxy is asked for the way; the ledger has heard nothing yet."""
        self._is_tunnelling = True
        try:
            super()._tunnel()  # type: ignore[misc]
        finally:
            self._is_tunnelling = False

    def _show(self) -> None:
        attempt = attempt_here()
        if attempt is not None:
            attempt.connected(self.sock)


class _PlainConnection(_Watched, HTTPConnection):
    """To this machine."""


class _SafeConnection(_Watched, HTTPSConnection):
    """To any other."""


class _Fresh:
    """A pool that gives no connection that may be dead: none that was idle for long, none at all to what moves."""

    clock: Clock

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        attempt = attempt_here()
        idle_s = self.clock.mono() - getattr(connection, "idle_since", 0.0)
        if (attempt is not None and attempt.needs_fresh_line) or idle_s > IDLE_MAX_S:
            connection.close()
        return connection

    def _put_conn(self, connection: Any) -> None:
        if connection is not None:
            connection.idle_since = self.clock.mono()
        super()._put_conn(connection)  # type: ignore[misc]


class _Trusting:
    """A pool with our TLS. Certificates are read for the first one: it takes 20 ms that no start should wait for."""

    trusted: Callable[[], ssl.SSLContext]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "ssl_context": self.trusted()})


class _Adapter(HTTPAdapter):
    """Gives every connection our TLS and our eyes. It never retries (`max_retries` is 0)."""

    def __init__(self, trusted: Callable[[], ssl.SSLContext], clock: Clock) -> None:
        plain = {"ConnectionCls": _PlainConnection, "clock": clock}
        safe = {"ConnectionCls": _SafeConnection, "clock": clock, "trusted": staticmethod(trusted)}
        self._pools = {
            "http": type("_PlainPool", (_Fresh, HTTPConnectionPool), plain),
            "https": type("_SafePool", (_Fresh, _Trusting, HTTPSConnectionPool), safe),
        }
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """The context trusts what it trusts; requests would add a list of certificates of its own."""
        if url.lower().startswith("https"):
            conn.cert_reqs = "CERT_REQUIRED"
