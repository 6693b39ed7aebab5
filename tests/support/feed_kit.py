"""A till that only keeps what the feed tells it: what it has must be what a fresh snapshot would give it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import event
from support.a_ledger import encoded
from support.ledger_server import LOGIN

from pos_app.domain.feed import FeedItem, Scope
from pos_app.ledger.book import Book
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.tills import Till

Named = tuple[str, int]


class FeedTill:
    """Rows by type and number, kept current by pages of any size."""

    def __init__(self, book: Book, *, scope: Scope = Scope.ALL, login: str = LOGIN, limit: int = 3) -> None:
        self.rows: dict[Named, Mapping[str, Any]] = {}
        self.cursor = ""
        self._book = book
        self._scope = scope
        self._login = login
        self._limit = limit

    @property
    def till(self) -> Till:
        found = self._book.find_till(self._login)
        assert found is not None
        return found

    def take_snapshot(self) -> FeedTill:
        """Begin anew."""
        self.rows, token = {}, None
        while True:
            page = self._book.snapshot(self.till, self._scope, token, self._limit)
            assert len(page.items) <= self._limit
            self._apply(page.items)
            self.cursor = self.cursor if token else page.as_of
            assert page.as_of == self.cursor
            token = page.next_page
            if token is None:
                return self

    def ask(self) -> list[FeedItem]:
        """Take all changes there are; returns them."""
        told: list[FeedItem] = []
        while True:
            page = self._book.changes(self.till, self.cursor, self._limit)
            assert len(page.items) <= self._limit
            self._apply(page.items)
            self.cursor = page.next_cursor
            told += page.items
            if not page.has_more:
                return told

    def named(self) -> list[Named]:
        """What is told now, by type and number."""
        return sorted((item.type, item.id) for item in self.ask())

    def is_current(self) -> bool:
        """Say whether this till has, after asking, what a fresh snapshot would give."""
        self.ask()
        fresh = FeedTill(self._book, scope=self._scope, login=self._login, limit=100).take_snapshot()
        assert self.rows == fresh.rows
        return True

    def _apply(self, items: Iterable[FeedItem]) -> None:
        for kind, number, row in items:
            if row is None:
                self.rows.pop((kind, number), None)
            else:
                self.rows[kind, number] = row


def bring_in(book: Book, lines: Iterable[Mapping[str, Any]], **how: Any) -> None:
    """Import lines into a ledger that is in use."""
    import_file(book, encoded(lines), file_name="more", **how)


def statements_of(book: Book, act: Callable[[], object]) -> list[str]:
    """The statements that an act takes, as they go to the database."""
    ran: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        ran.append(statement)

    with book.store.read() as connection:
        engine = connection.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return ran
