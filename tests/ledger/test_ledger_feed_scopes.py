"""Which customers a store's tills keep: those seen there, for 90 days; and who comes often (sync-api 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.a_ledger import a_book, asking, by_id, redeeming
from support.clock import FakeClock
from support.feed_kit import FeedTill, bring_in, statements_of
from support.ledger_server import a_program, a_till, an_organisation
from support.row_shops import CLOSED, GOLD, HOME, OTHER, SILVER, TOMS, a_family, a_person, lots

from pos_app.domain.feed import Scope
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care import practice_moves
from pos_app.ledger.care.jobs import Jobs

FAR = "till.020.1"
DAY = 86_400
LINES = [
    an_organisation(),
    a_program(family_groups_enabled=True, offline_redemption=True),
    a_program(id=SILVER, name="Silver", default=False),
    a_till(),
    a_till(login=FAR, store="020"),
    a_person(TOMS, 1, wallets=[lots(500), lots(40, SILVER)]),
    a_person(OTHER, 2, wallets=[lots(500)]),
    a_person(50003, 3, wallets=[lots(100)]),
    a_family(HOME, {"customer_id": TOMS, "primary": True}, {"customer_id": OTHER}, name="Sawyer", wallets=[lots(900)]),
    a_family(CLOSED, {"customer_id": 50003, "primary": True}, name="Closed"),
]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(tmp_path: Path, ledger_url: str, clock: FakeClock) -> Iterator[Book]:
    with a_book(tmp_path, LINES, url=ledger_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def near(book: Book) -> FeedTill:
    return FeedTill(book, scope=Scope.STORE).take_snapshot()


@pytest.fixture
def far(book: Book) -> FeedTill:
    return FeedTill(book, scope=Scope.STORE, login=FAR).take_snapshot()


def people(till: FeedTill) -> list[int]:
    return sorted(number for kind, number in till.rows if kind == "customer")


def kinds(till: FeedTill) -> list[str]:
    return [kind for kind, _ in till.named()]


def visits(book: Book) -> list[tuple[Any, ...]]:
    visit = schema.visit
    columns = (visit.c.store, visit.c.customer_id, visit.c.last_on, visit.c.before_on)
    with book.store.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns[:2]))]


def test_a_store_keeps_nobody_it_has_not_seen(near: FeedTill) -> None:
    assert {kind for kind, _ in near.rows} == {"organisation", "program"}


def test_a_customer_who_is_looked_up_comes_with_all_she_has_and_only_to_that_store(
    book: Book, near: FeedTill, far: FeedTill
) -> None:
    rows = book.customer_rows(near.till, by_id(TOMS))
    assert rows is not None
    assert [item.type for item in rows.items] == ["customer", "wallet", "wallet", "wallet", "family_group"]
    assert sorted(kinds(near)) == sorted(item.type for item in rows.items)
    assert {(item.type, item.id): item.row for item in rows.items}.items() <= near.rows.items()
    assert near.is_current()
    assert far.ask() == []
    assert FeedTill(book, scope=Scope.ALL).take_snapshot().ask() == []


def test_nobody_and_closed_cards_have_no_rows(book: Book, near: FeedTill) -> None:
    bring_in(book, [a_person(OTHER, 2, wallets=[lots(500)], cards=[{"number": "7001", "active": False}])])
    for kind, value in ((IdentifierKind.MOBILE, "919999999999"), (IdentifierKind.CARD_NUMBER, "7001")):
        assert book.customer_rows(near.till, CustomerRef(kind, value)) is None
    assert visits(book) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda book, till: book.check(till, asking(TOMS, 10)),
        lambda book, till: book.redeem(till, redeeming(TOMS, 10)),
        lambda book, till: book.find_customers(till, [by_id(TOMS)]),
    ],
    ids=["check", "redeem", "customer_get"],
)
def test_whoever_is_served_is_seen_and_written_down_a_moment_later(
    book: Book, near: FeedTill, act: Callable[[Book, Any], object]
) -> None:
    act(book, near.till)
    assert visits(book) == []
    book.tools.visits.write_down()
    assert visits(book) == [("014", TOMS, "2026-11-22", None)]
    near.ask()
    assert people(near) == [TOMS]
    assert near.is_current()


def test_a_ledger_that_closes_writes_down_whom_it_saw(tmp_path: Path) -> None:
    with a_book(tmp_path, LINES) as book:
        book.check(FeedTill(book).till, asking(TOMS, 10))
    with a_book(tmp_path) as book:
        assert visits(book) == [("014", TOMS, "2026-11-22", None)]


def test_a_check_stays_one_statement_and_a_day_costs_one_write(book: Book, near: FeedTill) -> None:
    book.check(near.till, asking(TOMS, 10))
    # Its one SELECT goes past what is counted here: nothing may come beside it.
    assert statements_of(book, lambda: book.check(near.till, asking(OTHER, 10))) == []
    book.tools.visits.write_down()
    book.check(near.till, asking(TOMS, 10))
    assert statements_of(book, book.tools.visits.write_down) == []


def test_changes_go_to_the_stores_that_keep_the_customer(book: Book, near: FeedTill, far: FeedTill) -> None:
    book.customer_rows(near.till, by_id(TOMS))
    near.ask()
    book.redeem(far.till, redeeming(OTHER, 10))
    assert not book.feed.has_changes(near.till)
    assert (near.ask(), kinds(far)) == ([], [])
    book.redeem(far.till, redeeming(TOMS, 10))
    assert kinds(near) == ["wallet"]
    book.tools.visits.write_down()
    assert people(far) == []
    far.ask()
    assert people(far) == [TOMS, OTHER]
    assert near.is_current()
    assert far.is_current()


def test_ninety_quiet_days_take_a_customer_out_with_all_she_has(
    book: Book, near: FeedTill, far: FeedTill, clock: FakeClock
) -> None:
    jobs = Jobs(book)
    for each in (TOMS, 50003):
        book.customer_rows(near.till, by_id(each))
    book.customer_rows(far.till, by_id(TOMS))
    near.ask()
    far.ask()
    clock.advance(60 * DAY)
    book.customer_rows(near.till, by_id(50003))
    clock.advance(30 * DAY)
    jobs.run(at_once=True)
    assert near.ask() == []
    clock.advance(DAY)
    jobs.run(at_once=True)
    gone = near.ask()
    assert {item.type for item in gone if item.row is None} == {"customer", "wallet", "family_group"}
    assert people(near) == [50003]
    assert [number for kind, number in near.rows if kind == "family_group"] == [CLOSED]
    assert {item.row for item in far.ask()} == {None}
    book.customer_rows(near.till, by_id(TOMS))
    near.ask()
    assert people(near) == [TOMS, 50003]


def test_a_family_group_stays_while_any_member_does(book: Book, near: FeedTill, clock: FakeClock) -> None:
    book.customer_rows(near.till, by_id(TOMS))
    clock.advance(50 * DAY)
    book.customer_rows(near.till, by_id(OTHER))
    near.ask()
    clock.advance(50 * DAY)
    Jobs(book).run(at_once=True)
    near.ask()
    assert people(near) == [OTHER]
    assert ("family_group", HOME) in near.rows
    practice_moves.change_family_group(
        book.tools, practice_moves.GroupChange(organisation_id=1, group_id=HOME, remove=[OTHER])
    )
    assert [item.row for item in near.ask()] == [None, None]
    assert not {kind for kind, _ in near.rows} & {"family_group"}
    practice_moves.change_family_group(
        book.tools, practice_moves.GroupChange(organisation_id=1, group_id=HOME, add=[(OTHER, True)])
    )
    assert kinds(near) == ["family_group", "wallet"]


def test_pages_of_a_store_hold_together_whatever_their_size(book: Book, near: FeedTill) -> None:
    more = [
        a_person(60_000 + number, number, mobile=f"9198000{number:05}", wallets=[lots(5), lots(6, SILVER)])
        for number in range(12)
    ]
    bring_in(book, more)
    for number in range(0, 12, 2):
        book.customer_rows(near.till, by_id(60_000 + number))
    whole = FeedTill(book, scope=Scope.STORE, limit=500).take_snapshot().rows
    assert len(whole) == 3 + 6 + 12
    for limit in (1, 2, 3, 5):
        assert FeedTill(book, scope=Scope.STORE, limit=limit).take_snapshot().rows == whole
    counts = book.snapshot(near.till, Scope.STORE).counts
    assert counts == {"customers": 6, "wallets": 12, "family_groups": 0}


def test_another_organisation_sees_nothing_of_this_one(book: Book, near: FeedTill) -> None:
    second = {"organisation": 2}
    bring_in(
        book,
        [
            an_organisation(id=2, name="Other shop"),
            a_program(id=GOLD, **second),
            a_till(login="till.2", **second),
            a_person(TOMS, 1, wallets=[lots(77)], **second),
        ],
    )
    other = FeedTill(book, login="till.2").take_snapshot()
    assert sorted(kind for kind, _ in other.rows) == ["customer", "organisation", "program", "wallet"]
    book.redeem(near.till, redeeming(TOMS, 10))
    assert other.ask() == []
    assert other.is_current()


def test_regulars_came_on_two_days_of_the_last_thirty(book: Book, near: FeedTill, clock: FakeClock) -> None:
    book.customer_rows(near.till, by_id(TOMS))
    book.customer_rows(near.till, by_id(50003))
    clock.advance(31 * DAY)
    book.customer_rows(near.till, by_id(TOMS))
    assert list(book.regulars(near.till)) == []
    clock.advance(3 * DAY)
    book.customer_rows(near.till, by_id(TOMS))
    book.customer_rows(near.till, by_id(TOMS))
    toms, home = Owner(OwnerKind.CUSTOMER, TOMS), Owner(OwnerKind.FAMILY_GROUP, HOME)
    assert list(book.regulars(near.till)) == [(toms, GOLD), (home, GOLD)]  # Silver may not be redeemed offline.
    clock.advance(31 * DAY)
    assert list(book.regulars(near.till)) == []
