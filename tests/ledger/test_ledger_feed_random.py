"""Whatever happens, and whenever a till asks: what it was told is what a fresh snapshot would tell."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update
from support.a_ledger import a_book, by_id, redeeming
from support.clock import FakeClock
from support.databases import PostgresqlServer
from support.feed_kit import FeedTill, bring_in
from support.ledger_server import LOGIN
from support.row_shops import GOLD, HOME, OTHER, SILVER, TOMS, a_moving_shop, a_person, lots

from pos_app.domain.commands import Cancel, Reverse
from pos_app.domain.feed import Scope
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care import practice_moves
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.crediting import Owner
from pos_app.ledger.feed.visits import forget_quiet

PEOPLE = (TOMS, OTHER, 50003, 50004, 50005)


class Chaos:
    """Does something at random to a ledger."""

    def __init__(self, book: Book, dice: random.Random) -> None:
        self.book = book
        self.dice = dice
        self.till = FeedTill(book).till
        self.redemptions: list[str] = []
        self.acts: list[Callable[[], object]] = [
            self.redeem,
            self.redeem,
            self.cancel,
            self.reverse,
            self.earn,
            self.rename,
            self.import_again,
            self.move_member,
            self.look_up,
            self.forget,
            self.delete_operator,
        ]

    def act(self) -> None:
        self.dice.choice(self.acts)()

    def redeem(self) -> None:
        key = f"6Q2P0V8RJX4M1TZC9WD3H{self.dice.randrange(10):05}"
        self.book.redeem(self.till, redeeming(self.dice.choice(PEOPLE), self.dice.choice((10, 20, 500)), key))

    def cancel(self) -> None:
        self.book.cancel(self.till, Cancel(key=f"6Q2P0V8RJX4M1TZC9WD3H{self.dice.randrange(10):05}"))

    def reverse(self) -> None:
        answer = self.book.redeem(self.till, redeeming(OTHER, 10))
        if answer.redemption_id is not None:
            self.book.reverse(self.till, Reverse(redemption_id=answer.redemption_id, points=Points.of(3)))

    def earn(self) -> None:
        owner = self.dice.choice(
            (
                Owner(organisation_id=1, customer_id=self.dice.choice(PEOPLE)),
                Owner(organisation_id=1, family_group_id=HOME),
            )
        )
        credit = practice_moves.Credit(
            owner=owner,
            program_id=self.dice.choice((GOLD, SILVER)),
            points=Points.of(self.dice.randrange(1, 50)),
            expires_on=None,
            awarded_on=None,
        )
        practice_moves.earn(self.book.tools, credit)

    def rename(self) -> None:
        customer = schema.customer
        with self.book.store.write() as connection:
            name = {"tier": self.dice.choice(("Gold", "Silver"))}
            connection.execute(update(customer).where(customer.c.id == self.dice.choice(PEOPLE)).values(**name))

    def import_again(self) -> None:
        number = 50010 + self.dice.randrange(4)
        cards = [{"number": f"C{number}", "active": self.dice.random() < 0.5}]
        bring_in(self.book, [a_person(number, number % 10, mobile=f"9190001{number}", cards=cards, wallets=[lots(50)])])

    def move_member(self) -> None:
        one = self.dice.choice(PEOPLE[1:])
        change = {"add": [(one, self.dice.random() < 0.5)]} if self.dice.random() < 0.5 else {"remove": [one]}
        practice_moves.change_family_group(
            self.book.tools,
            practice_moves.GroupChange(organisation_id=1, group_id=HOME, **change),  # type: ignore[arg-type]
        )

    def look_up(self) -> None:
        self.book.customer_rows(self.till, by_id(self.dice.choice(PEOPLE)))

    def forget(self) -> None:
        """Some visit becomes 91 days old; her store lets go of her."""
        visit = schema.visit
        one = self.dice.choice(PEOPLE)
        with self.book.store.write() as connection:
            connection.execute(update(visit).where(visit.c.customer_id == one).values(last_on="2026-08-01"))
        forget_quiet(self.book.store, self.book.clock.wall().date(), lambda: None)
        self.book.tools.visits._known.clear()

    def delete_operator(self) -> None:
        operator = schema.operator
        with self.book.store.write() as connection:
            connection.execute(delete(operator).where(operator.c.id == 5))
            if self.dice.random() < 0.5:
                row = {"org": 1, "id": 5, "name": "R. Mehta", "role": "cashier", "stores": "[]"}
                connection.execute(insert(operator), row)


@pytest.mark.parametrize("seed", range(4))
def test_a_till_that_follows_the_changes_has_what_a_snapshot_would_give(
    tmp_path: Path, ledger_url: str, seed: int
) -> None:
    dice = random.Random(seed)
    with a_book(tmp_path, a_moving_shop(), url=ledger_url) as book:
        chaos = Chaos(book, dice)
        tills = [FeedTill(book, scope=scope, limit=dice.choice((1, 2, 7))).take_snapshot() for scope in Scope]
        for _ in range(40):
            chaos.act()
            if dice.random() < 0.3:
                dice.choice(tills).ask()
        assert all(till.is_current() for till in tills)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_snapshot_taken_while_everything_changes_is_mended_by_its_changes(
    tmp_path: Path, ledger_url: str, scope: Scope
) -> None:
    dice = random.Random(7)
    with a_book(tmp_path, a_moving_shop(), url=ledger_url) as book:
        chaos = Chaos(book, dice)
        for each in PEOPLE[:3]:
            book.customer_rows(chaos.till, by_id(each))
        till, token = FeedTill(book, scope=scope), None
        while True:
            page = book.snapshot(till.till, scope, token, 2)
            till.rows |= {(item.type, item.id): item.row or {} for item in page.items}
            till.cursor, token = page.as_of, page.next_page
            if token is None:
                break
            chaos.act()
        assert till.is_current()


# --- Two writers, one paused -----------------------------------------------------------------------------------------


def test_a_row_whose_writer_commits_late_is_not_jumped_over(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    """The paused writer has the lower numbers and commits last; a till asks in between."""
    name = postgresql_server.fresh()
    try:
        with a_book(tmp_path, a_moving_shop(), url=postgresql_server.url(name)) as book:
            till = FeedTill(book).take_snapshot()
            customer = schema.customer
            with book.store.write() as paused:
                paused.execute(update(customer).where(customer.c.id == OTHER).values(tier="Paused"))
                with book.store.write() as quick:
                    quick.execute(update(customer).where(customer.c.id == TOMS).values(tier="Quick"))
                assert till.ask() == []  # Neither: what the paused one will say must come first.
            assert till.named() == [("customer", TOMS), ("customer", OTHER)]
            assert till.is_current()
    finally:
        postgresql_server.drop(name)


def test_tills_that_ask_while_many_write_miss_nothing(tmp_path: Path, ledger_url: str) -> None:
    with a_book(tmp_path, a_moving_shop(), url=ledger_url) as book:
        till = FeedTill(book).take_snapshot()
        at_work = threading.Event()

        def write(customer_id: int) -> None:
            for _ in range(15):
                book.redeem(till.till, redeeming(customer_id, 10))

        writers = [threading.Thread(target=write, args=(each,)) for each in (TOMS, OTHER, TOMS)]
        for each in writers:
            each.start()
        at_work.set()
        while any(each.is_alive() for each in writers):
            till.ask()
        for each in writers:
            each.join()
        assert till.is_current()


def test_expiry_by_night_and_restarts_lose_no_change(tmp_path: Path, ledger_url: str) -> None:
    clock = FakeClock()
    with a_book(tmp_path, a_moving_shop(), url=ledger_url, clock=clock) as book:
        till = FeedTill(book).take_snapshot()
        cursor = till.cursor
        book.redeem(till.till, redeeming(TOMS, 10))
        clock.advance(3600)
        Jobs(book).run()
    with a_book(tmp_path, url=ledger_url, clock=clock) as book:
        found = book.find_till(LOGIN)
        assert found is not None
        assert [item.type for item in book.changes(found, cursor).items] == ["wallet"]
