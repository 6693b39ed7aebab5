"""The OpenAPI files against the code, in both directions: addresses, parameters, members, and how they are served.

That every answer is one that is described is seen to in `support.wsgi`, for every test that asks the face.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import falcon.inspect
import jsonschema_rs
import pytest
import yaml
from support.a_ledger import CollectingSender, a_book
from support.clock import FakeClock
from support.ledger_server import (
    CUSTOMER,
    LOGIN,
    MOBILE,
    PROGRAM,
    a_customer,
    a_program,
    a_till,
    an_organisation,
    basic,
)
from support.openapi import FILES, Operation, complaint, described, operations, resolved, schemas
from support.wsgi import Reply, wsgi_call

import pos_app
from pos_app.files.resources import RESOURCES
from pos_app.ledger.book import Book
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.care.moved_clock import MovedClock
from pos_app.ledger.http.app import LedgerApp, make_app
from pos_app.ledger.http.docs import described_as_json

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
GROUP = 77
FORM = "application/x-www-form-urlencoded"
PAGE_FILES = re.compile(r"/docs/.+")
"""What the page needs is no part of the API."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    lines = [
        an_organisation(reversal_enabled=True),
        a_program(family_groups_enabled=True),
        a_till(program_id=PROGRAM),
        a_customer(points=1_000_000),
        {
            "kind": "family_group",
            "organisation": 1,
            "id": GROUP,
            "external_id": "F-77",
            "name": "Sawyer",
            "members": [{"customer_id": CUSTOMER, "primary": True}],
            "wallets": [{"program_id": PROGRAM, "lots": [{"points": 1000, "expires_on": "2035-12-31"}]}],
        },
    ]
    with a_book(tmp_path, lines, sender=CollectingSender()) as opened:
        yield opened


@pytest.fixture
def app(book: Book) -> LedgerApp:
    return make_app(book, test_mode=(MovedClock(FakeClock()), Jobs(book.tools)))


def named_alike(path: str) -> str:
    """An address whose varying parts have no names."""
    return re.sub(r"\{[^}]*\}", "{}", path)


# --- The files themselves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_every_reference_of_a_file_leads_somewhere_and_nothing_is_left_over(file: str) -> None:
    text = json.dumps(described(file))
    referred = set(re.findall(r'"\$ref": "#/components/(\w+/\w+)"', text))
    parts = {f"{kind}/{name}" for kind, named in described(file)["components"].items() for name in named}
    assert referred <= parts
    assert parts - referred <= {"securitySchemes/tillBasic", "securitySchemes/administrator", "schemas/ExtensionAsk"}


@pytest.mark.parametrize("file", FILES)
def test_every_schema_is_one(file: str) -> None:
    for name, schema in schemas(file):
        whole = {**schema, "components": described(file)["components"]}
        assert jsonschema_rs.validator_for(whole) is not None, name


@pytest.mark.parametrize("file", FILES)
def test_every_example_is_one(file: str) -> None:
    examples = 0
    for each in operations():
        if each.file != file:
            continue
        for status, answer in each.tree["responses"].items():
            content = resolved(file, answer)["content"].get("application/json", {})
            told = [*([content["example"]] if "example" in content else [])]
            told += [one["value"] for one in content.get("examples", {}).values()]
            for example in told:
                headers = {"content-type": "application/json"}
                wanted = resolved(file, answer).get("headers", {})
                headers |= {name.lower(): "" for name in wanted}
                body = json.dumps(example).encode()
                assert complaint(each.method, each.path, int(status), headers, body) is None
                examples += 1
    assert examples > 10


def test_operations_have_names_of_their_own() -> None:
    names = [each.tree["operationId"] for each in operations()]
    assert len(names) == len(set(names))


# --- Addresses -------------------------------------------------------------------------------------------------------


def test_every_address_and_method_is_described_and_every_described_one_is_there(app: LedgerApp) -> None:
    there = {
        (method.method, named_alike(route.path))
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal and not PAGE_FILES.fullmatch(route.path)
    }
    assert there == {(each.method, named_alike(each.path)) for each in operations()}


def test_without_the_extension_there_is_nothing_that_is_not_described(book: Book) -> None:
    app = make_app(book, extension=False)
    there = {
        (method.method, named_alike(route.path))
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal and not PAGE_FILES.fullmatch(route.path)
    }
    described_ones = {(each.method, named_alike(each.path)) for each in operations()}
    assert there < described_ones
    gone = {path for _, path in described_ones - there}
    assert all(path.startswith(("/sync/", "/admin/")) or path in READS for path in gone)


READS = {"/v1.1/points/isredeemable", "/v1.1/points/validationcode", "/v1.1/customer/get"}
"""Taken by POST only where there is the extension."""


# --- Parameters ------------------------------------------------------------------------------------------------------
#
# A parameter that is read makes a difference: with a control character the question is malformed, with a strange word
# the answer is another one. Every word that stands anywhere in the code is tried, at every address.

BAD, STRANGE = "%01", "zzzz"
CHUNK = 150
QUERIES: Mapping[str, tuple[str, ...]] = {
    "/v1.1/points/isredeemable": (
        f"mobile={MOBILE}&points=10",
        f"mobile={MOBILE}&currency_input=true&currency_value=10",
        f"mobile={MOBILE}&points=10&user_group2_id={GROUP}",
    ),
    "/v1.1/points/validationcode": (f"mobile={MOBILE}&points=10",),
    "/v1.1/points/redeem": ("", f"user_group2_id={GROUP}"),
    "/v1.1/customer/get": (f"mobile={MOBILE}",),
    "/v1.1/program/criteria": ("",),
    "/v1.1/organization/configs": ("",),
    "/v1.1/organization/get": ("",),
    "/v2/organization/programs": ("",),
    "/v2/userGroup2/search": ("q=Sawyer",),
    "/v2/userGroup2": (f"id={GROUP}",),
    "/v2/userGroup2/members": (f"identifierName=id&identifierValue={GROUP}",),
    "/v2/customers/{userId}/points/balance": ("",),
    "/v2/customers/points/balance": (
        f"entityType=FLEET&entityId={GROUP}",
        f"entityType=FLEET&id={GROUP}",
        f"identifierName=id&identifierValue={CUSTOMER}",
    ),
    "/v2/points/reverse": ("",),
    "/sync/v1/snapshot": ("",),
    "/sync/v1/changes": ("cursor=x",),
    "/admin/entries": ("wallet_id=1",),
    "/admin/wallet/{walletId}": ("",),
    "/admin/wallet": (f"customer_id={CUSTOMER}&program_id={PROGRAM}", f"family_group_id={GROUP}&program_id={PROGRAM}"),
}
ADDRESSES = {
    "/v2/customers/{userId}/points/balance": f"/v2/customers/{CUSTOMER}/points/balance",
    "/admin/wallet/{walletId}": "/admin/wallet/1",
}
CHANGING = {"currency_input", "entityType"}
"""With these parameters others are read; alone they make a difference all the same."""


@cache
def words_of_the_code() -> frozenset[str]:
    """Every text in the code that could name a parameter or a member."""
    found: set[str] = set()
    for room in ("wire", "domain", "ledger"):
        for file in (Path(pos_app.__file__).parent / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return frozenset(each for each in found if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,60}", each))


class Asker:
    """Asks one operation again and again; an answer is what of it does not change from call to call."""

    def __init__(self, app: LedgerApp, token: str, operation: Operation) -> None:
        self._app = app
        self._token = token
        self._operation = operation

    def ask(self, query: str = "", *, body: bytes = b"", kind: str = "") -> tuple[int, str]:
        address = ADDRESSES.get(self._operation.path, self._operation.path)
        is_admin = address.startswith("/admin/")
        headers = {"Authorization": f"Bearer {self._token}" if is_admin else basic()}
        if kind:
            headers["Content-Type"] = kind
        return self._seen(wsgi_call(self._app, self._operation.method, address, query, headers=headers, body=body))

    @staticmethod
    def _seen(reply: Reply) -> tuple[int, str]:
        text = re.sub(rb'"(checked_at|server_time|last_seen)":"[^"]*"', b"", reply.body)
        return reply.status, text.decode()

    def read_of(self, ask: Any, names: list[str]) -> set[str]:
        """Those of the names that make a difference; halved until each is found."""
        plain = ask([])
        if len(names) > CHUNK:
            return {
                found
                for start in range(0, len(names), CHUNK)
                for found in self.read_of(ask, names[start : start + CHUNK])
            }
        if ask(names) == plain:
            return set()
        if len(names) == 1:
            return set(names)
        half = len(names) // 2
        return self.read_of(ask, names[:half]) | self.read_of(ask, names[half:])


READING = [each for each in operations() if each.path in QUERIES and each.method == "GET"]
LISTS = {"/admin/loss", "/admin/leases", "/admin/tills", "/admin/invariants"}
READING += [each for each in operations() if each.path in LISTS]


@pytest.mark.parametrize("operation", READING, ids=lambda each: each.name)
def test_the_parameters_that_are_read_are_those_that_are_described(
    operation: Operation, app: LedgerApp, book: Book
) -> None:
    asker = Asker(app, book.secrets.admin_token, operation)
    told = operation.parameters()
    read = set()
    for base in QUERIES.get(operation.path, ("",)):
        for value in (BAD, STRANGE):

            def ask(names: list[str], base: str = base, value: str = value) -> tuple[int, str]:
                return asker.ask("&".join([*base.split("&"), *(f"{name}={value}" for name in names)]).strip("&"))

            undescribed = sorted(words_of_the_code() - set(told))
            assert asker.read_of(ask, undescribed) == set()
            read |= {name for name in told if ask([name]) != ask([])}
    assert read == set(told)


FORMS = [each for each in operations() if each.form()]


@pytest.mark.parametrize("operation", FORMS, ids=lambda each: each.name)
def test_a_form_takes_what_the_query_takes(operation: Operation, app: LedgerApp, book: Book) -> None:
    asker = Asker(app, book.secrets.admin_token, operation)
    get = next(each for each in operations() if (each.method, each.path) == ("GET", operation.path))
    assert set(operation.form()) == set(get.parameters()) - {"format"}
    assert set(operation.parameters()) == {"format"}
    read = set()
    for base in QUERIES[operation.path]:

        def ask(names: list[str], base: str = base) -> tuple[int, str]:
            form = "&".join([*base.split("&"), *(f"{name}={BAD}" for name in names)]).strip("&")
            return asker.ask(body=form.encode(), kind=FORM)

        assert asker.read_of(ask, sorted(words_of_the_code() - set(get.parameters()))) == set()
        read |= {name for name in operation.form() if ask([name]) != ask([])}
    assert read == set(operation.form())


# --- Members of bodies -----------------------------------------------------------------------------------------------

PUBLIC_KEY = "A" * 42 + "A="
OWNER = {"kind": "customer", "id": CUSTOMER}
BODIES: Mapping[str, dict[str, Any]] = {
    "/v1.1/points/redeem": {"points_redeemed": "10", "customer": {"mobile": MOBILE}},
    "/v2/points/reverse": {"redemptionId": "", "pointsToBeReversed": "0.001"},
    "/sync/v1/cancel": {"key": KEY, "reason": "other"},
    "/sync/v1/customer": {"mobile": MOBILE},
    "/sync/v1/enrol": {"public_key": PUBLIC_KEY, "software": "1.0", "platform": "linux"},
    "/sync/v1/operators/sign-in": {"operator_id": 12, "pin": "4821"},
    "/sync/v1/operators/pin": {"operator_id": 12, "pin": "4821", "new_pin": "4822"},
    "/sync/v1/leases": {"till_epoch": 0, "requests": [{"request_id": KEY, "owner": OWNER, "program_id": PROGRAM}]},
    "/sync/v1/leases/close": {"till_epoch": 0, "give_back": []},
    "/sync/v1/settle": {"till_epoch": 0, "spends": [{"seq": 1}]},
    "/sync/v1/heartbeat": {
        "till_epoch": 0,
        "version": "1.0",
        "wall_clock": "2026-11-22T10:00:00.000Z",
        "outbox_count": 0,
        "oldest_s": 0,
        "audit_head": "0",
        "audit_count": 0,
        "leases": [],
    },
    "/telephony/v1/missed-calls": {"from": MOBILE},
    "/admin/till": {"login": LOGIN, "action": "enable"},
    "/admin/tick": {},
    "/admin/passes": {
        "customer_id": CUSTOMER,
        "program_id": PROGRAM,
        "till": LOGIN,
        "max_points": "100",
        "valid_s": 3600,
    },
    "/admin/credit": {"customer_id": CUSTOMER, "program_id": PROGRAM, "points": "1"},
    "/admin/family-group": {"id": GROUP},
}
NEVER_READ = {"custom_fields"}
"""Described, because the contract has it; ignored (contract 4)."""

ODD_VALUES: tuple[Any, ...] = ([[1]], {"a": {"b": 1}}, "\N{SNOWMAN}", -1, True)
"""Of every kind, so that one at least is none for any member."""


def members(operation: Operation) -> set[str]:
    schema = operation.resolved(operation.tree["requestBody"]["content"]["application/json"]["schema"])
    if operation.path == "/v1.1/points/redeem":
        schema = described("points.yaml")["components"]["schemas"]["RedeemItem"]
    return set(schema["properties"])


WRITING = [each for each in operations() if each.path in BODIES and each.method == "POST"]


def test_every_body_is_looked_at() -> None:
    takes_json = {
        each.path for each in operations() if "application/json" in each.tree.get("requestBody", {}).get("content", {})
    }
    assert takes_json == set(BODIES)
    asked = {each.path for each in READING} | {each.path for each in FORMS} | {"/v1.1/points/redeem"}
    assert {each.path for each in operations() if each.parameters()} <= asked | set(BODIES)


@pytest.mark.parametrize("operation", WRITING, ids=lambda each: each.name)
def test_the_members_that_are_read_are_those_that_are_described(
    operation: Operation, app: LedgerApp, book: Book
) -> None:
    asker = Asker(app, book.secrets.admin_token, operation)
    base, told, read = dict(BODIES[operation.path]), members(operation), set()
    if operation.path == "/v2/points/reverse":
        base["redemptionId"] = redeemed(app)
    for value in ODD_VALUES:

        def ask(names: list[str], value: Any = value) -> tuple[int, str]:
            item = base | dict.fromkeys(names, value)
            tree = {"root": {"redeem": [item]}} if operation.path == "/v1.1/points/redeem" else item
            status, text = asker.ask(body=json.dumps(tree).encode(), kind="application/json")
            # What was done is another thing each time; how it ended is not.
            return status, "".join(re.findall(r'"item_status":\{.*?\}', text)) if status == 200 else text

        assert asker.read_of(ask, sorted(words_of_the_code() - told - ALSO_READ.get(operation.path, set()))) == set()
        plain = ask([])
        read |= {name for name in told if ask([name]) != plain}
    assert read == told - NEVER_READ


def redeemed(app: LedgerApp) -> str:
    """The id of a redemption of 100 points."""
    body = json.dumps({"root": {"redeem": [{"points_redeemed": "100", "customer": {"mobile": MOBILE}}]}}).encode()
    answer = wsgi_call(app, "POST", "/v1.1/points/redeem", headers={"Authorization": basic()}, body=body)
    return str(answer.json["response"]["responses"]["points"]["redemption_id"])


REDEEM_QUERY = set(next(each for each in WRITING if each.path == "/v1.1/points/redeem").parameters()) - {"format"}
ALSO_READ = {
    "/v1.1/points/redeem": REDEEM_QUERY,  # "Every query parameter may stand in the item of the body instead."
}


# --- How they are served ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("route", "file"), [("/openapi", "points.yaml"), ("/sync/openapi", "sync.yaml")])
def test_the_files_are_served_as_yaml_and_as_json_to_everybody(route: str, file: str, app: LedgerApp) -> None:
    as_yaml = wsgi_call(app, "GET", f"{route}.yaml")
    as_json = wsgi_call(app, "GET", f"{route}.json")
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert as_json.headers["content-type"] == "application/json; charset=utf-8"
    assert as_json.json == yaml.safe_load(as_yaml.body) == described(file)
    assert described_as_json(file) == as_json.body


def test_the_page_asks_nothing_of_another_host(app: LedgerApp) -> None:
    page = wsgi_call(app, "GET", "/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    asked = re.findall(r'(?:src|href)="([^"#]+)"', page.body.decode())
    script = wsgi_call(app, "GET", "/docs/page.js").body.decode()
    asked += re.findall(r'"([a-z/]+\.json)"', script)
    assert len(asked) == 8
    for address in asked:
        assert "//" not in address
        assert wsgi_call(app, "GET", f"/{address}").status == 200, address
    assert "validatorUrl: null" in script


def test_the_page_gives_no_other_file_of_its_folder(app: LedgerApp) -> None:
    for address in ("/docs/ABOUT.txt", "/docs/LICENSE", "/docs/../openapi/points.yaml", "/docs/", "/docs/page.js/x"):
        assert wsgi_call(app, "GET", address).status == 404


def test_what_is_not_ours_comes_with_its_licence() -> None:
    licence = (RESOURCES / "docs" / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "Version 2.0" in licence
