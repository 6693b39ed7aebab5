"""The feed over HTTP: pages, cursors, refusals and bounds (sync-api 1, 5 and 6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from support.a_ledger import CollectingSender, a_book, redeeming
from support.clock import FakeClock
from support.feed_kit import bring_in
from support.ledger_server import LOGIN, basic
from support.row_shops import GOLD, OTHER, TOMS, a_moving_shop, a_person
from support.wsgi import Reply, wsgi_call

from pos_app.domain.feed import Scope
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.http.app import LedgerApp, make_app
from pos_app.wire.faults import BODY_MAX_BYTES
from pos_app.wire.feed import read_changes, read_customer_rows, read_regulars, read_snapshot
from pos_app.wire.sync import read_sync_error


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(tmp_path: Path, clock: FakeClock) -> Iterator[Book]:
    with a_book(tmp_path, a_moving_shop(), clock=clock, sender=CollectingSender()) as opened:
        yield opened


@pytest.fixture
def app(book: Book) -> LedgerApp:
    return make_app(book)


def get(app: LedgerApp, path: str, query: str = "") -> Reply:
    return wsgi_call(app, "GET", path, query, headers={"Authorization": basic()})


def ask_customer(app: LedgerApp, **asked: Any) -> Reply:
    body = json.dumps(asked).encode()
    headers = {"Authorization": basic(), "Content-Type": "application/json"}
    return wsgi_call(app, "POST", "/sync/v1/customer", headers=headers, body=body)


def test_a_snapshot_and_its_changes_are_read_back(app: LedgerApp, book: Book) -> None:
    items, query = [], "scope=all&limit=4"
    while True:
        page = read_snapshot(get(app, "/sync/v1/snapshot", query).body)
        items += page.items
        if page.next_page is None:
            break
        query = f"scope=all&limit=4&page={page.next_page}"
    assert (page.scope, page.schema, page.epoch) == (Scope.ALL, 1, 1)
    assert len(items) == 1 + 2 + 5 + 7 + 1
    found = book.find_till(LOGIN)
    assert found is not None
    book.redeem(found, redeeming(TOMS, 10))
    changes = read_changes(get(app, "/sync/v1/changes", f"cursor={page.as_of}").body)
    assert [item.type for item in changes.items] == ["wallet"]
    assert not changes.has_more
    later = read_changes(get(app, "/sync/v1/changes", f"cursor={changes.next_cursor}&scope=all&limit=1").body)
    assert later.items == []


def test_the_scope_of_a_store_is_the_plain_one(app: LedgerApp) -> None:
    page = read_snapshot(get(app, "/sync/v1/snapshot").body)
    assert page.scope is Scope.STORE
    assert {item.type for item in page.items} == {"organisation", "program"}


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/sync/v1/snapshot", "limit=0", "limit"),
        ("/sync/v1/snapshot", "limit=2001", "limit"),
        ("/sync/v1/snapshot", "limit=ten", "limit"),
        ("/sync/v1/snapshot", "scope=shop", "scope"),
        ("/sync/v1/snapshot", f"page={'x' * 201}", "page"),
        ("/sync/v1/changes", "", "cursor"),
        ("/sync/v1/changes", "cursor=%C3%A4", "cursor"),
        ("/sync/v1/changes", "cursor=x&limit=-1", "limit"),
    ],
)
def test_what_cannot_be_understood_is_said_by_field(app: LedgerApp, path: str, query: str, field: str) -> None:
    reply = get(app, path, query)
    assert (reply.status, read_sync_error(reply.body)) == (400, "malformed")
    assert reply.json["errors"][0]["field"] == field


def test_what_is_no_more_is_said_with_its_reason(app: LedgerApp, clock: FakeClock) -> None:
    assert read_sync_error(get(app, "/sync/v1/changes", "cursor=x").body) == "cursor_too_old"
    page = read_snapshot(get(app, "/sync/v1/snapshot", "scope=all&limit=2").body)
    other = get(app, "/sync/v1/changes", f"cursor={page.as_of}&scope=store")
    assert (other.status, read_sync_error(other.body)) == (410, "scope_changed")
    clock.advance(3601)
    late = get(app, "/sync/v1/snapshot", f"scope=all&page={page.next_page}")
    assert (late.status, read_sync_error(late.body)) == (410, "page_expired")


def test_a_customer_is_looked_up_by_any_one_identifier(app: LedgerApp) -> None:
    for asked in ({"id": TOMS}, {"id": str(TOMS)}, {"mobile": "9777785205"}, {"card_number": "6001"}):
        rows = read_customer_rows(ask_customer(app, **asked).body)
        assert [item.type for item in rows.items] == ["customer", "wallet", "wallet", "wallet", "family_group"]
    nobody = ask_customer(app, mobile="919999999999")
    assert (nobody.status, read_sync_error(nobody.body)) == (404, "unknown")
    for asked in ({}, {"id": TOMS, "mobile": "9777785205"}, {"mobile": 5}):
        assert ask_customer(app, **asked).status == 400


def test_regulars_are_told_as_owners_with_programs(app: LedgerApp, book: Book) -> None:
    assert read_regulars(get(app, "/sync/v1/regulars").body) == []
    line = next(line for line in a_moving_shop() if line["kind"] == "program" and line["id"] == GOLD)
    bring_in(book, [{**line, "offline_redemption": True}])
    seen = {"org": 1, "store": "014", "customer_id": OTHER, "last_on": "2026-11-22", "before_on": "2026-11-01"}
    with book.store.write() as connection:
        connection.execute(insert(schema.visit), seen)
    home = Owner(OwnerKind.FAMILY_GROUP, 77)
    assert read_regulars(get(app, "/sync/v1/regulars").body) == [(Owner(OwnerKind.CUSTOMER, OTHER), GOLD), (home, GOLD)]


def test_no_answer_is_larger_than_a_client_reads(app: LedgerApp, book: Book) -> None:
    """Wallets of thousands of lots: a page of them is told in smaller pages, and nothing is left out."""
    lot = {"points": "1.125", "awarded_on": "2026-01-01", "expires_on": "2035-12-31"}
    many = {"program_id": GOLD, "lots": [{**lot, "expires_on": f"20{40 + n % 50}-01-01"} for n in range(8000)]}
    people = [a_person(60_000 + n, n, mobile=f"9198000{n:05}", wallets=[many]) for n in range(8)]
    bring_in(book, people)
    bodies, query = [], "scope=all&limit=2000"
    while True:
        body = get(app, "/sync/v1/snapshot", query).body
        bodies.append(body)
        token = read_snapshot(body).next_page
        if token is None:
            break
        query = f"scope=all&limit=2000&page={token}"
    assert len(bodies) > 1
    assert max(map(len, bodies)) <= BODY_MAX_BYTES
    told = [item.id for body in bodies for item in read_snapshot(body).items if item.type == "wallet"]
    with book.store.read() as connection:
        assert sorted(told) == sorted(connection.execute(select(schema.wallet.c.id)).scalars())


def test_the_feed_belongs_to_what_the_ledger_says_it_can(app: LedgerApp, book: Book) -> None:
    assert "sync" in get(app, "/sync/v1/capabilities").json["features"]
    plain = make_app(book, extension=False)
    assert get(plain, "/sync/v1/snapshot").status == 404
    assert wsgi_call(app, "GET", "/sync/v1/snapshot").status == 401
