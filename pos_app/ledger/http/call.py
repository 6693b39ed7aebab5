"""One request on its way through the face: what is read before the `Book` is asked, within bounds.

The whole request, its body too, is taken in before any work begins, so a slow line never holds a connection.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, Final

from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.ledger.http.intake import Intake
from pos_app.ledger.http.troubles import TooLargeError
from pos_app.wire.formats import MalformedError, read_query

CALL: Final = "pos_app.call"
"""Where the WSGI environment keeps the `Call`."""

BODY_MAX: Final = 1024 * 1024
QUERY_MAX: Final = 16 * 1024
HEADERS_MAX: Final = 32 * 1024
FORM: Final = "application/x-www-form-urlencoded"
_BAD_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


@dataclass(slots=True)
class Call:
    """A request, its id and what the log may say of it. Query, headers and body are personal: never in `repr`."""

    request_id: str
    method: str
    started: float
    """Seconds of the monotonic clock."""
    is_sync: bool = False
    """Whether its errors have the shape of `/sync` (sync-api 1)."""
    is_v2: bool = False
    """Whether it is answered in JSON only, and what cannot be read in the shape of v2 (contract 6)."""
    query: str = field(default="", repr=False)
    accept: str | None = field(default=None, repr=False)
    content_type: str | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    login: str = "-"
    """The till's, once it has proved itself. What a stranger typed there may be anything, a password too."""
    route: str = "-"
    status: int = 0
    item_code: int = 0
    """The item's outcome (contract 9.2), for the figures; 0: the call has none."""

    def params(self) -> dict[str, str]:
        """The parameters of the query (contract 1.1).

        Raises:
            MalformedError: they cannot be read.
        """
        return read_query(_as_text(self.query)) if self.query else {}

    def form(self) -> dict[str, str]:
        """The parameters of a POST read: form body before query (sync-api 2).

        Raises:
            MalformedError: the body is no form, or one of both cannot be read.
            TooLargeError: longer than a query may be.
        """
        kind = (self.content_type or FORM).partition(";")[0].strip().lower()
        if kind != FORM:
            raise MalformedError("Content-Type", FORM)
        if len(self.body) > QUERY_MAX:
            raise TooLargeError
        return self.params() | read_query(_as_text(self.body.decode("latin-1")))


def new_call(env: dict[str, Any], started: float) -> Call:
    """Begin a call; nothing of the request is read yet but its method."""
    return Call(request_id=key_from(os.urandom(KEY_BYTES)), method=env["REQUEST_METHOD"], started=started)


def take_in(call: Call, env: dict[str, Any], intake: Intake) -> None:
    """Read query, headers and body into the call, and take the query out of the environment: it is personal.

    Raises:
        TooLargeError: more than a request may have.
        TooSlowError: the body did not come in time.
        MalformedError: the body is not what its headers promise.
    """
    call.query = env.get("QUERY_STRING", "")
    env["QUERY_STRING"] = ""
    call.accept = env.get("HTTP_ACCEPT")
    call.content_type = env.get("CONTENT_TYPE")
    if len(call.query) > QUERY_MAX:
        raise TooLargeError
    if sum(len(value) for name, value in env.items() if name[:5] == "HTTP_") > HEADERS_MAX:
        raise TooLargeError
    if call.method == "POST":
        call.body = _body(env, intake)


def _body(env: dict[str, Any], intake: Intake) -> bytes:
    """Read the whole body, of the promised length; a shorter one was cut on its way and must not be believed."""
    promised = env.get("CONTENT_LENGTH", "")
    if not promised:
        if "HTTP_TRANSFER_ENCODING" not in env:
            return b""
        body = intake.read(env["wsgi.input"], BODY_MAX + 1)
        if len(body) > BODY_MAX:
            raise TooLargeError
        if env.get("CONTENT_TYPE", "").lower().startswith(FORM):
            # Half a form is a form too, and half a number is a number: only a length tells them apart.
            raise MalformedError("Content-Length", "the length of the form")
        return body
    if not (promised.isascii() and promised.isdigit()):
        raise MalformedError("Content-Length", "a number of bytes")
    if len(promised) > 12 or int(promised) > BODY_MAX:
        raise TooLargeError
    body = intake.read(env["wsgi.input"], int(promised))
    if len(body) != int(promised):
        raise MalformedError("Content-Length", "the length of the body")
    return body


def _as_text(raw: str) -> str:
    """Parameters that WSGI carries as Latin-1, as the UTF-8 they are, still escaped.

    Raises:
        MalformedError: they are not UTF-8, or a percent sign escapes nothing.
    """
    if "%" in raw and _BAD_ESCAPE.search(raw):
        raise MalformedError("query", "percent signs before two hexadecimal digits")
    if raw.isascii():
        return raw
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise MalformedError("query", "UTF-8") from None
