"""What was changed stays on record: rows chained by hash, whoever writes them side by side (reliability 4.7)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from support.a_ledger import a_book

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care import audit

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path, ledger_url: str) -> Iterator[Book]:
    with a_book(tmp_path, url=ledger_url) as opened:
        yield opened


def record(book: Book, act: str = "till.disable", **more: object) -> None:
    def write(connection: object) -> None:
        audit.record(connection, at=AT, org=1, act=act, who=audit.COMMAND_LINE, **more)  # type: ignore[arg-type]

    book.store.writing(write)


def found(book: Book) -> list[str]:
    return [f"{each.invariant} {each.detail}" for each in book.verify()]


def test_a_row_says_when_who_did_what_to_whom(book: Book) -> None:
    record(book, target="till.014.3", detail={"from": "ACTIVE"})
    with book.store.read() as connection:
        (row,) = connection.execute(select(schema.audit)).all()
    assert (row.at, row.org, row.act, row.who, row.target) == (
        1795341600000,
        1,
        "till.disable",
        "command line",
        "till.014.3",
    )
    assert json.loads(row.detail) == {"from": "ACTIVE"}
    assert row.prev_hash == "0" * 64
    assert audit.operator(12) == "operator 12"


def test_a_chain_of_rows_is_sound(book: Book) -> None:
    assert found(book) == []
    for number in range(5):
        record(book, target=str(number))
    assert found(book) == []


@pytest.mark.parametrize("column", ["at", "org", "act", "who", "target", "detail", "prev_hash", "hash"])
def test_a_row_changed_in_any_column_is_found(book: Book, column: str) -> None:
    for _ in range(3):
        record(book)
    changed = {column: 7 if column in {"at", "org"} else "f" * 64}
    with book.store.write() as connection:
        connection.execute(update(schema.audit).where(schema.audit.c.id == 2).values(**changed))
    assert "AUDIT it is not what was written" in found(book)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_row_taken_out_is_found_even_the_last(book: Book, number: int) -> None:
    for _ in range(3):
        record(book)
    with book.store.write() as connection:
        connection.execute(delete(schema.audit).where(schema.audit.c.id == number))
    assert "AUDIT 3 rows were written, 2 are there" in found(book)


def test_what_is_rolled_back_leaves_no_row_and_no_gap(book: Book) -> None:
    record(book)

    def fails(connection: object) -> None:
        audit.record(connection, at=AT, org=1, act="x", who="admin")  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book.store.writing(fails)
    record(book)
    assert found(book) == []


def test_writers_side_by_side_chain_one_behind_the_other(tmp_path: Path, ledger_url: str) -> None:
    with a_book(tmp_path, url=ledger_url) as first, a_book(tmp_path, url=ledger_url) as second:

        def write(book: Book) -> None:
            for _ in range(10):
                record(book)

        threads = [threading.Thread(target=write, args=(book,)) for book in (first, second, first, second)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        with first.store.read() as connection:
            assert len(connection.execute(select(schema.audit)).all()) == 40
        assert found(first) == []
