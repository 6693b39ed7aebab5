"""A ledger with operators, in process, met through its HTTP face: sign in, enrol, redeem with a second person.

    with a_people_kit(tmp_path) as kit:
        kit.enrol()
        token = kit.token(SUPERVISOR)

PINs are kept with a hash that is quick to compare; how the ledger hashes by itself is what `test_ledger_operators` is
about. Every operator's PIN is `PIN`.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select, update
from support.a_ledger import a_book
from support.clock import FakeClock
from support.ledger_server import (
    CUSTOMER,
    LOGIN,
    ORGANISATION,
    PROGRAM,
    a_customer,
    a_program,
    a_till,
    an_organisation,
    basic,
)
from support.wsgi import Reply, wsgi_call

from pos_app.domain.keys import key_from
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.http.app import make_app

PIN = "4821"
WRONG_PIN = "9999"
CASHIER, SUPERVISOR, MANAGER, AUDITOR, ELSEWHERE, DISABLED, WITHOUT_PIN = 7, 12, 13, 14, 15, 16, 17
SECOND_TILL = "till.014.4"
OTHER_TILL = "till.other"
"""A till of another organisation."""
KEY_1 = base64.b64encode(bytes(range(32))).decode("ascii")
KEY_2 = base64.b64encode(bytes(range(1, 33))).decode("ascii")

_KEYS = (key_from(number.to_bytes(16)) for number in itertools.count(1 << 100))


def a_key() -> str:
    """A key nobody has used."""
    return next(_KEYS)


def an_operator(number: int, role: str, **changes: Any) -> dict[str, Any]:
    """An import line, without a PIN."""
    plain = {"organisation": ORGANISATION, "id": number, "name": f"Operator {number}", "role": role}
    return {"kind": "operator", **plain, **changes}


def lines_with_operators(**organisation: Any) -> list[dict[str, Any]]:
    """Two organisations; the first has two tills, a customer and operators of every kind."""
    return [
        an_organisation(**{"skip_validation_allowed": True, **organisation}),
        an_organisation(id=2, name="Others"),
        a_program(),
        a_program(organisation=2, id=1),
        a_till(),
        a_till(login=SECOND_TILL, name="Till 4"),
        a_till(organisation=2, login=OTHER_TILL),
        an_operator(CASHIER, "cashier", stores=["014"]),
        an_operator(SUPERVISOR, "supervisor", stores=["014"]),
        an_operator(MANAGER, "manager"),
        an_operator(AUDITOR, "auditor"),
        an_operator(ELSEWHERE, "supervisor", stores=["099"]),
        an_operator(DISABLED, "supervisor", active=False),
        an_operator(WITHOUT_PIN, "supervisor"),
        an_operator(SUPERVISOR, "supervisor", organisation=2),
        a_customer(),
    ]


@cache
def quick_hash(pin: str) -> str:
    """An Argon2id hash that is quick to compare."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(pin)


@dataclass
class PeopleKit:
    """A book, its face, and what operators and tills do there."""

    book: Book
    clock: FakeClock
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        self.app = make_app(self.book, clock=self.clock)

    # --- Calls -----------------------------------------------------------------------------------------------------

    def ask(
        self, path: str, body: Any = None, *, login: str = LOGIN, password: str = "s3cret", query: str = "", **more: str
    ) -> Reply:
        """A POST of a JSON body, or a GET without one."""
        headers = {"Authorization": basic(login, password), **more}
        if body is None:
            return wsgi_call(self.app, "GET", path, query, headers=headers)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8")
        headers["Content-Type"] = "application/json"
        return wsgi_call(self.app, "POST", path, query, headers=headers, body=raw)

    def sign_in(self, operator_id: int, pin: str = PIN, *, login: str = LOGIN) -> Reply:
        """`operators/sign-in`."""
        return self.ask("/sync/v1/operators/sign-in", {"operator_id": operator_id, "pin": pin}, login=login)

    def change_pin(self, operator_id: int, pin: str, new_pin: str) -> Reply:
        """`operators/pin`."""
        return self.ask("/sync/v1/operators/pin", {"operator_id": operator_id, "pin": pin, "new_pin": new_pin})

    def token(self, operator_id: int, *, login: str = LOGIN) -> str:
        """The token of an operator who has just proved her PIN."""
        reply = self.sign_in(operator_id, login=login)
        assert reply.status == 200, reply.body
        return str(reply.json["token"])

    def enrol(self, public_key: str = KEY_1, *, code: str | None = None, login: str = LOGIN) -> Reply:
        """`enrol`."""
        body = {"public_key": public_key, "enrolment_code": code, "software": "1.4.0", "platform": "linux"}
        return self.ask("/sync/v1/enrol", body, login=login)

    def redeem(
        self,
        *,
        key: str | None = None,
        skip: bool = True,
        extension: Mapping[str, Any] | None = None,
        login: str = LOGIN,
        points: str = "10",
        **item: Any,
    ) -> Reply:
        """`points/redeem`; without `extension` no header is sent."""
        query = f"program_id={PROGRAM}&format=json" + ("&skip_validation=true" if skip else "")
        named = {"points_redeemed": points, "customer": {"id": CUSTOMER}, "external_reference_number": key or a_key()}
        more = {}
        if extension is not None:
            raw = json.dumps({"v": 1, **extension}).encode("utf-8")
            more["X-Pos-Extension"] = base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
        return self.ask(
            "/v1.1/points/redeem", {"root": {"redeem": [{**named, **item}]}}, login=login, query=query, **more
        )

    def cancel(self, key: str, **members: Any) -> Reply:
        """`cancel`."""
        return self.ask("/sync/v1/cancel", {"key": key, "cashier": CASHIER, "reason": "customer_left", **members})

    # --- Behind the face ---------------------------------------------------------------------------------------------

    def change_operator(self, operator_id: int, **values: Any) -> None:
        """Change an operator's row, as head office would."""
        operator = schema.operator
        with self.book.store.write() as connection:
            connection.execute(update(operator).where(operator.c.id == operator_id).values(**values))

    def change_till(self, login: str = LOGIN, **values: Any) -> None:
        """Change a till's row, as another process would."""
        with self.book.store.write() as connection:
            connection.execute(update(schema.till).where(schema.till.c.login == login).values(**values))
            raise_rules_version(connection)

    def rows(self, table: Any) -> Sequence[Any]:
        """All rows of a table, oldest first."""
        with self.book.store.read() as connection:
            return connection.execute(select(table).order_by(*table.primary_key.columns)).all()

    def operator(self, operator_id: int) -> Any:
        """An operator of the first organisation, as kept."""
        return next(row for row in self.rows(schema.operator) if (row.org, row.id) == (ORGANISATION, operator_id))

    def till(self, login: str = LOGIN) -> Any:
        """A till, as kept."""
        return next(row for row in self.rows(schema.till) if row.login == login)

    @property
    def acts(self) -> list[tuple[str, str, str]]:
        """What was recorded: act, who, target."""
        return [(row.act, row.who, row.target) for row in self.rows(schema.audit)]


def reason_of(reply: Reply) -> str:
    """The word of an error of `/sync`."""
    (error,) = reply.json["errors"]
    assert error["status"] is False
    assert error["code"] == reply.status
    return str(error["reason"])


def an_approval(token: str, **changes: Any) -> dict[str, Any]:
    """A member `approval`."""
    return {"token": token, "purpose": "skip_validation", "reason": "no_phone", "note": "", **changes}


@contextmanager
def a_people_kit(folder: Path, *, url: str | None = None, **organisation: Any) -> Iterator[PeopleKit]:
    """A ledger with operators whose PIN is `PIN`."""
    clock = FakeClock()
    with a_book(folder, lines_with_operators(**organisation), url=url, clock=clock) as book:
        kit = PeopleKit(book, clock)
        operator = schema.operator
        with book.store.write() as connection:
            has_one = operator.c.id != WITHOUT_PIN
            connection.execute(update(operator).where(has_one).values(pin_hash=quick_hash(PIN)))
        yield kit
