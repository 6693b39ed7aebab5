"""Several tills at the same moment: exactly one winner, and every sum holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from support.a_ledger import BookKit, a_kit, asking, redeeming
from support.ledger_server import CUSTOMER, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.domain.answers import CancelOutcome
from pos_app.domain.commands import Cancel, SendCode
from pos_app.domain.points import Points
from pos_app.ledger import codes, schema
from pos_app.ledger.book import Book
from pos_app.ledger.code_rows import derive
from pos_app.ledger.databases import postgresql, sqlite
from pos_app.ledger.databases.database import Store
from pos_app.ledger.databases.locks import hold
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.store import open_book

ROUNDS = 10
TILLS = 4
Made = TypeVar("Made")


def _setup() -> list[dict[str, Any]]:
    return [an_organisation(), a_program(), *(a_till(login=f"till.{number}") for number in range(TILLS))]


def a_person(number: int, points: int) -> dict[str, Any]:
    wallets = [{"program_id": PROGRAM, "lots": [{"points": points}]}]
    names = {"mobile": f"91900000{number:04}", "email": None, "external_id": None}
    return a_customer(id=CUSTOMER + number, wallets=wallets, **names)


def _lines(points: int) -> list[dict[str, Any]]:
    return [*_setup(), a_person(0, points)]


def _at_once(work: list[Callable[[], Made]]) -> list[Made]:
    """Run everything at the same moment, each on a thread of its own."""
    ready = threading.Barrier(len(work))

    def run(each: Callable[[], Made]) -> Made:
        ready.wait()
        return each()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_tills_that_race_for_the_last_points_have_exactly_one_winner(tmp_path: Path, ledger_url: str) -> None:
    people = [a_person(number, 100) for number in range(ROUNDS)]
    with a_kit(tmp_path, [*_setup(), *people], url=ledger_url) as kit:
        tills = [BookKit(kit.book, kit.sender, f"till.{each}") for each in range(TILLS)]
        for number in range(ROUNDS):
            commands = [redeeming(CUSTOMER + number, 100, f"K-{number}-{till.login}") for till in tills]
            answers = _at_once(
                [
                    lambda till=till, command=command: till.ledger.redeem(command)
                    for till, command in zip(tills, commands, strict=True)
                ]
            )
            assert sorted(answer.code for answer in answers) == [800] + [818] * (TILLS - 1)
            assert kit.balance(CUSTOMER + number, PROGRAM) == Points(0)
        assert kit.book.verify() == []


def test_two_processes_worth_of_books_race_over_one_database(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, _lines(100), url=ledger_url) as kit:
        secrets = LedgerSecrets.open(tmp_path / "secrets")
        other = open_book(ledger_url, secrets=secrets, clock=kit.book.clock)
        try:
            books: list[Book] = [kit.book, other] * 2
            answers = _at_once(
                [
                    lambda book=book, key=key: BookKit(book, kit.sender, "till.0").ledger.redeem(
                        redeeming(CUSTOMER, 60, f"K-{key}")
                    )
                    for key, book in enumerate(books)
                ]
            )
            assert sorted(answer.code for answer in answers) == [800, 818, 818, 818]
        finally:
            other.close()


def test_one_code_pays_for_one_of_two_redemptions_at_once(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, _lines(1000), url=ledger_url) as kit:
        till = BookKit(kit.book, kit.sender, "till.0")
        till.ledger.check(asking(CUSTOMER, 100, issue_otp=True))
        (code,) = kit.codes_sent
        answers = _at_once(
            [
                lambda key=key: till.ledger.redeem(redeeming(CUSTOMER, 100, f"K{key}", validation_code=code))
                for key in range(TILLS)
            ]
        )
        assert sorted(answer.code for answer in answers) == [800] + [808] * (TILLS - 1)
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(900)


def test_right_codes_at_once_are_all_right(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(6)

    def slow(*given: Any) -> str:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.2)  # All six are between counting the try and giving it back, if they can be.
        return derive(*given)

    monkeypatch.setattr(codes, "derive", slow)
    with a_kit(tmp_path, _lines(1000), url=ledger_url) as kit:
        till = BookKit(kit.book, kit.sender, "till.0")
        till.ledger.send_code(SendCode(customer=asking(CUSTOMER, 100).customer))
        (code,) = kit.codes_sent
        together.reset()
        answers = _at_once([lambda: till.ledger.check(asking(CUSTOMER, 100, validation_code=code)) for _ in range(6)])
        assert {answer.code for answer in answers} == {800}


def test_guesses_at_once_are_counted_one_by_one(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, _lines(1000), url=ledger_url) as kit:
        till = BookKit(kit.book, kit.sender, "till.0")
        till.ledger.check(asking(CUSTOMER, 100, issue_otp=True))
        answers = _at_once(
            [lambda: till.ledger.check(asking(CUSTOMER, 100, validation_code="WRONG1")) for _ in range(12)]
        )
        reasons = [answer.extension.reason for answer in answers if answer.extension is not None]
        assert sorted(reasons, key=str) == ["code_dead"] + ["code_wrong"] * 4 + ["customer_limit"] * 7


def test_a_cancel_and_its_redemption_at_once_end_in_one_of_two_ways(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, _lines(100), url=ledger_url) as kit:
        till = BookKit(kit.book, kit.sender, "till.0")
        for number in range(ROUNDS):
            command, cancel = redeeming(CUSTOMER, 100, f"K{number}"), Cancel(key=f"K{number}")
            redeemed, cancelled = _at_once(
                [
                    lambda command=command: till.ledger.redeem(command).code,
                    lambda cancel=cancel: till.ledger.cancel(cancel).outcome,  # type: ignore[union-attr]
                ]
            )
            assert (redeemed, cancelled) in {(800, CancelOutcome.REVERSED), (903, CancelOutcome.CANCELLED)}
            assert kit.balance(CUSTOMER, PROGRAM) == Points.of(100)
        assert kit.book.verify() == []


def test_two_cancels_at_once_give_back_once(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, _lines(100), url=ledger_url) as kit:
        till = BookKit(kit.book, kit.sender, "till.0")
        for number in range(ROUNDS):
            key = f"K{number}"
            till.ledger.redeem(redeeming(CUSTOMER, 100, key))
            answers = _at_once([lambda key=key: till.ledger.cancel(Cancel(key=key)) for _ in range(TILLS)])
            assert len({(each.outcome, each.reversal_id) for each in answers if each is not None}) == 1
            assert kit.balance(CUSTOMER, PROGRAM) == Points.of(100)
        assert kit.book.verify() == []


def test_a_customer_who_stays_locked_is_busy_and_may_try_again(
    tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_MS", 50)
    with a_kit(tmp_path, _lines(100), url=ledger_url) as kit:
        till = BookKit(kit.book, kit.sender, "till.0")
        elsewhere = Store(ledger_url, kit.book.clock)
        with elsewhere.write() as connection:
            hold(connection, schema.wallet, schema.wallet.c.customer_id == CUSTOMER)
            busy = till.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
            check = till.ledger.check(asking(CUSTOMER, 100))
        elsewhere.close()
        assert (busy.code, check.code) == (521, 800)
        assert till.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 800
