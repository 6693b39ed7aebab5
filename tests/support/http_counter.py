"""A till of another maker at the ledger's HTTP face, in process: it sends byte for byte and reads both formats.

    with ledgers.counter(a_shop()) as counter:
        assert counter.check("mobile=9777785205&points=10").code == 800

Answers in XML are read into the same `Told` as answers in JSON, so that one table of rows serves both formats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from support.a_ledger import CollectingSender
from support.clock import FakeClock
from support.ledger_server import LOGIN, PASSWORD, basic
from support.wsgi import Reply, wsgi_call

from pos_app.ledger.book import Book
from pos_app.wire.extension import HEADER, ExtensionAsk, write_extension_header

CHECK = "/v1.1/points/isredeemable"
CODE = "/v1.1/points/validationcode"
REDEEM = "/v1.1/points/redeem"
CUSTOMER = "/v1.1/customer/get"
REVERSE = "/v2/points/reverse"
CANCEL = "/sync/v1/cancel"
FORMATS = ("json", "xml")

_ITEMS = ("points/redeemable", "validation_code/code", "responses/points", "customers/customer", "program")


@dataclass(frozen=True)
class Told:
    """What one answer said, whatever its format: numbers and words as text, as XML carries them."""

    http: int
    status: int
    success: str
    message: str
    item: Mapping[str, Any] = field(default_factory=dict)
    """The one item of the answer; empty where there is only a status block."""
    extension: Mapping[str, Any] | None = None

    @property
    def code(self) -> int:
        """The item code."""
        return int(self.item["item_status"]["code"])

    @property
    def words(self) -> str:
        """The item message."""
        return str(self.item["item_status"]["message"])

    @property
    def row(self) -> tuple[int, int, str, int]:
        """HTTP status, status code, status success, item code: one row of contract 1.5."""
        return self.http, self.status, self.success, self.code

    @property
    def refusals(self) -> list[int]:
        """Every code that applies (sync-api 2)."""
        assert self.extension is not None
        return list(self.extension["refusals"])

    @property
    def reason(self) -> str | None:
        """Why, finer than the code (sync-api 2)."""
        assert self.extension is not None
        found = self.extension["reason"]
        assert found is None or isinstance(found, str)
        return found


def read(reply: Reply) -> Told:
    """Read any v1.1 answer."""
    extension = None
    if reply.body.lstrip().startswith(b"<"):
        response = _plain(ElementTree.fromstring(reply.body))
    else:
        response = reply.json["response"]
        extension = reply.json.get("extension")
    item: Any = {}
    for path in _ITEMS:
        outer, _, inner = path.partition("/")
        found = response.get(outer)
        found = found.get(inner) if isinstance(found, dict) and inner else found
        item = found or item
    if isinstance(item, list):
        (item,) = item
    status = response["status"]
    return Told(reply.status, int(status["code"]), status["success"], status["message"], item, extension)


def _plain(element: ElementTree.Element) -> Any:
    if len(element) == 0:
        return element.text or ""
    gathered: dict[str, Any] = {}
    for child in element:
        value = _plain(child)
        if child.tag in gathered:
            known = gathered[child.tag]
            gathered[child.tag] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            gathered[child.tag] = value
    return gathered


@dataclass
class HttpCounter:
    """The face of one book, asked as one till. `fmt` is what every question asks for."""

    book: Book
    app: Any
    sender: CollectingSender
    clock: FakeClock
    fmt: str = "json"
    with_extension: bool = False
    login: str = LOGIN
    password: str = PASSWORD

    def reading(self, fmt: str) -> HttpCounter:
        """The same counter, which asks for answers in `fmt`."""
        return replace(self, fmt=fmt)

    def extended(self) -> HttpCounter:
        """The same counter, which sends the extension's header."""
        return replace(self, with_extension=True)

    def send(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request as it stands; the login is added unless `headers` has one."""
        sent = {"Authorization": basic(self.login, self.password), **(headers or {})}
        if self.with_extension:
            sent[HEADER] = write_extension_header(ExtensionAsk())
        return wsgi_call(self.app, method, path, query, headers=sent, body=body)

    def get(self, path: str, query: str) -> Told:
        """Ask by GET."""
        return read(self.send("GET", path, f"{query}&format={self.fmt}"))

    def check(self, query: str) -> Told:
        """Ask `isredeemable`."""
        return self.get(CHECK, query)

    def send_code(self, query: str) -> Told:
        """Ask `validationcode`."""
        return self.get(CODE, query)

    def redeem(self, query: str = "", *, mobile: str = "9777785205", **members: Any) -> Told:
        """Redeem 10 points of Tom's, or what `members` say; a member of None is left out."""
        item = {"points_redeemed": "10", "customer": {"mobile": mobile}, **members}
        return self.redeem_body(
            {"root": {"redeem": [{name: it for name, it in item.items() if it is not None}]}}, query
        )

    def redeem_body(self, body: object, query: str = "") -> Told:
        """Redeem with a body of one's own: bytes, or a tree written as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/xml" if content.startswith(b"<") else "application/json"
        return read(self.send("POST", REDEEM, f"{query}&format={self.fmt}", content, {"Content-Type": kind}))

    def cancel(self, key: str, **members: Any) -> Reply:
        """Cancel a key (sync-api 8)."""
        order = {"key": key, "cashier": 7, "reason": "customer_left", "approval": None, **members}
        return self.send("POST", CANCEL, "", json.dumps(order).encode(), {"Content-Type": "application/json"})

    def code(self, query: str) -> str:
        """Let a code be sent, and read it from the customer's phone."""
        self.get(CHECK, f"{query}&issue_otp=true")
        return self.sender.codes[-1]

    def balance(self, query: str = "mobile=9777785205") -> str:
        """What `customer/get` says she holds."""
        (customer,) = self.send("GET", CUSTOMER, query).json["response"]["customers"]["customer"]
        return str(customer["loyalty_points"])
