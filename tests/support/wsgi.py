"""Calls a WSGI application as a server would, byte for byte: tests may send what no client library would.

Whatever the ledger answers is held to its own OpenAPI files on the way.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from support.openapi import complaint

from pos_app.ledger.http.app import LedgerApp


@dataclass(frozen=True)
class Reply:
    """What the application answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def wsgi_call(
    app: Callable[..., Any],
    method: str,
    path: str,
    query: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    content_length: str | None = None,
) -> Reply:
    """Send one request. `path` and `query` are as they stand in the environment: bytes as Latin-1, the path decoded.

    `content_length` replaces the true one; `chunked` bodies have none: give `headers={"Transfer-Encoding": "chunked"}`.
    """
    environment: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if "content-type" in given:
        environment["CONTENT_TYPE"] = given.pop("content-type")
    if content_length is not None:
        environment["CONTENT_LENGTH"] = content_length
    elif body and "transfer-encoding" not in given:
        environment["CONTENT_LENGTH"] = str(len(body))
    for name, value in given.items():
        environment["HTTP_" + name.upper().replace("-", "_")] = value
    started: list[tuple[str, list[tuple[str, str]]]] = []
    parts = app(environment, lambda status, sent, *_: started.append((status, sent)))
    answered = b"".join(parts)
    (status, sent), *_ = started
    reply = Reply(int(status.split()[0]), {name.lower(): value for name, value in sent}, answered)
    if isinstance(app, LedgerApp) and (app.has_sync or not path.startswith("/sync/")):
        wrong = complaint(method, path, reply.status, reply.headers, reply.body)
        assert wrong is None, wrong
    return reply
