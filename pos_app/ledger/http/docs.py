"""The description of the API, as YAML, as JSON and as a page; all of it from this host, for everybody.

The page's own files are named one by one: nothing else of the folder can be asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import falcon
import yaml

from pos_app.files.resources import RESOURCES
from pos_app.ledger.http.call import CALL

POINTS: Final = "points.yaml"
SYNC: Final = "sync.yaml"

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The library's own loader takes a second; the one in C, which most installations have, a tenth of it."""

_YAML: Final = "application/yaml"
_JSON: Final = "application/json; charset=utf-8"
_PAGE_FILES: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_PAGE_HEADERS: Final = {
    # The pictures of Swagger UI's style sheet are written into it.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=3600",
}


@cache
def described(name: str) -> bytes:
    """One of our descriptions as YAML, read once."""
    return (RESOURCES / "openapi" / name).read_bytes()


@cache
def described_as_json(name: str) -> bytes:
    """One of our descriptions as JSON, made once."""
    return json.dumps(yaml.load(described(name), Loader=_LOADER)).encode("ascii")  # noqa: S506 - it is a safe one


@dataclass(frozen=True, slots=True)
class _Page:
    """A file under its address."""

    route: str
    content_type: str
    data: bytes = field(repr=False)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the file."""
        req.env[CALL].route = self.route
        resp.data, resp.content_type = self.data, self.content_type
        resp.set_headers(_PAGE_HEADERS)


class _Described:
    """A description in one of its two forms."""

    def __init__(self, route: str, name: str, *, as_json: bool) -> None:
        self._route = route
        self._name = name
        self._as_json = as_json

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give the description."""
        req.env[CALL].route = self._route
        resp.data = described_as_json(self._name) if self._as_json else described(self._name)
        resp.content_type = _JSON if self._as_json else _YAML


def add_docs(app: falcon.App[falcon.Request, falcon.Response], *, extension: bool) -> None:
    """The descriptions and the page; without the extension only what is left then is described."""
    _describe(app, "/openapi", POINTS)
    if extension:
        _describe(app, "/sync/openapi", SYNC)
    folder = RESOURCES / "docs"
    app.add_route("/docs", _page(folder / "index.html", "/docs", "text/html; charset=utf-8"))
    for name, content_type in _PAGE_FILES.items():
        app.add_route(f"/docs/{name}", _page(folder / name, f"/docs/{name}", content_type))


def _describe(app: falcon.App[falcon.Request, falcon.Response], route: str, name: str) -> None:
    app.add_route(f"{route}.json", _Described(f"{route}.json", name, as_json=True))
    app.add_route(f"{route}.yaml", _Described(f"{route}.yaml", name, as_json=False))


@cache
def _page(file: Path, route: str, content_type: str) -> _Page:
    return _Page(route, content_type, file.read_bytes())
