"""Caps on codes hold exactly, however many try at the same moment, over two processes and on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from support.a_ledger import BookKit, a_kit, asking, by_id
from support.at_once import at_once
from support.clock import FakeClock
from support.ledger_server import a_customer, a_program, a_till, an_organisation

from pos_app.domain.commands import SendCode
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.store import open_book
from pos_app.wire.extension import ExtensionAsk

FIRST = 60001
PEOPLE = 26
TILLS = 13
CASHIER = 7
NOBODY_KNOWN = 4711
AT_ONCE = 13


def lines() -> list[dict[str, Any]]:
    """Many customers, many tills, one cashier."""
    return [
        an_organisation(),
        a_program(criteria={}),
        *(a_till(login=f"till.{number}") for number in range(TILLS)),
        {"kind": "operator", "organisation": 1, "id": CASHIER, "name": "R. Mehta", "role": "cashier"},
        *(
            a_customer(id=FIRST + number, mobile=f"91900000{number:04}", email=None, external_id=None)
            for number in range(PEOPLE)
        ),
    ]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str, clock: FakeClock) -> Iterator[BookKit]:
    with a_kit(tmp_path, lines(), url=ledger_url, clock=clock, login="till.0") as made:
        yield made


@pytest.fixture
def second(kit: BookKit, ledger_url: str, clock: FakeClock) -> Iterator[Book]:
    """Another process's book over the same database."""
    with closing(open_book(ledger_url, secrets=kit.book.secrets, clock=clock, sender=kit.sender)) as book:
        yield book


def wrong(book: Book, person: int, till: int, cashier: int | None = None) -> str | None:
    """One wrong code; why it is wrong."""
    found = book.find_till(f"till.{till}")
    assert found is not None
    ask = None if cashier is None else ExtensionAsk(cashier=cashier)
    answer = book.check(found, asking(FIRST + person, 100, validation_code="WRONG1"), ask)
    assert answer.code == 808
    assert answer.extension is not None
    return answer.extension.reason


def tries(kit: BookKit) -> int:
    with kit.book.store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.code_try)).scalar_one())


def test_one_till_gets_twenty_wrong_codes_an_hour_and_no_more(kit: BookKit, second: Book, clock: FakeClock) -> None:
    books = [kit.book, second]
    reasons = [
        reason
        for turn in range(2)
        for reason in at_once([partial(wrong, books[n % 2], turn * AT_ONCE + n, till=0) for n in range(AT_ONCE)])
    ]
    assert Counter(reasons) == {"code_wrong": 20, "till_limit": 6}
    assert tries(kit) == 20
    assert wrong(second, 25, till=1) == "code_wrong", "another till is not meant"
    clock.advance(3601)
    assert wrong(second, 25, till=0) == "code_wrong"


def test_one_cashier_gets_twenty_whatever_till_she_stands_at(kit: BookKit, second: Book, clock: FakeClock) -> None:
    books = [kit.book, second]
    reasons = [
        reason
        for turn in range(2)
        for reason in at_once([partial(wrong, books[n % 2], turn * AT_ONCE + n, n, CASHIER) for n in range(AT_ONCE)])
    ]
    assert Counter(reasons) == {"code_wrong": 20, "till_limit": 6}
    assert wrong(second, 25, 3, NOBODY_KNOWN) == "code_wrong", "another cashier is not meant"
    assert wrong(second, 25, 3) == "code_wrong"
    clock.advance(3601)
    assert wrong(second, 25, 3, CASHIER) == "code_wrong"


def test_a_right_code_is_refused_too_while_a_till_is_stopped(kit: BookKit) -> None:
    kit.ledger.check(asking(FIRST, 100, issue_otp=True))
    (code,) = kit.codes_sent
    for number in range(20):
        assert wrong(kit.book, 1 + number % 25, till=0) == "code_wrong"
    answer = kit.ledger.check(asking(FIRST, 100, validation_code=code))
    assert answer.extension is not None
    assert (answer.code, answer.extension.reason) == (808, "till_limit")
    assert BookKit(kit.book, kit.sender, "till.1").ledger.check(asking(FIRST, 100, validation_code=code)).code == 800


def test_one_customer_gets_five_wrong_checks_in_her_window(kit: BookKit, second: Book) -> None:
    books = [kit.book, second]
    kit.ledger.check(asking(FIRST, 100, issue_otp=True))
    reasons = at_once([partial(wrong, books[n % 2], 0, n) for n in range(AT_ONCE)])
    assert Counter(reasons) == {"code_wrong": 4, "code_dead": 1, "customer_limit": 8}
    assert tries(kit) == 5


def test_a_day_has_ten_sendings(kit: BookKit, second: Book) -> None:
    tills = [BookKit(book, kit.sender, f"till.{number}") for number, book in enumerate([kit.book, second])]
    answers = at_once([partial(tills[n % 2].ledger.send_code, SendCode(customer=by_id(FIRST))) for n in range(AT_ONCE)])
    assert Counter(answer.code for answer in answers) == {200: 10, 860: 3}
    assert len(kit.codes_sent) == 10
    assert len(set(kit.codes_sent)) == 1


@pytest.mark.parametrize(("before", "is_locked"), [(96, False), (97, True)])
def test_the_hundredth_straight_failure_locks_her_codes_and_not_the_ninety_ninth(
    kit: BookKit, second: Book, clock: FakeClock, before: int, is_locked: bool
) -> None:
    old = [{"org": 1, "customer_id": FIRST, "till": "till.9", "at": to_ms(clock.wall())} for _ in range(before)]
    with kit.book.store.write() as connection:
        connection.execute(insert(schema.code_try), old)
    clock.advance(3700)
    books = [kit.book, second]
    assert at_once([partial(wrong, books[n % 2], 0, n) for n in range(3)]) == ["code_wrong"] * 3
    with kit.book.store.read() as connection:
        locked = select(schema.customer.c.codes_locked).where(schema.customer.c.id == FIRST)
        assert connection.execute(locked).scalar_one() is is_locked


def test_who_asked_for_a_code_is_written_down(kit: BookKit) -> None:
    till = kit.book.find_till("till.3")
    assert till is not None
    kit.book.send_code(till, SendCode(customer=by_id(FIRST)), ExtensionAsk(cashier=CASHIER))
    kit.book.check(till, asking(FIRST, 100, issue_otp=True), ExtensionAsk(cashier=8))
    kit.book.send_code(till, SendCode(customer=by_id(FIRST)))
    sent = schema.code_send
    with kit.book.store.read() as connection:
        rows = connection.execute(select(sent.c.till, sent.c.cashier).order_by(sent.c.id)).all()
    assert [tuple(each) for each in rows] == [("till.3", CASHIER), ("till.3", 8), ("till.3", None)]
