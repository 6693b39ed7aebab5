"""Ledgers for the rows of the contract, on each database: lines are imported once, and every test gets a fresh copy.

    def test_something(ledgers: Ledgers) -> None:
        with ledgers.counter(a_shop(validation_required=True)) as counter:
            assert counter.check("mobile=9777785205&points=10").code == 800

Questions that change nothing may share one copy for the whole run: `ledgers.reader(a_shop())`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import select
from support.a_ledger import CollectingSender, encoded
from support.clock import FakeClock
from support.databases import PostgresqlServer
from support.http_counter import HttpCounter

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.databases.database import WAIT_S, Store
from pos_app.ledger.http.app import make_app
from pos_app.ledger.loading.importer import KINDS, import_file
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.senders import CodeSender

Line = Mapping[str, Any]
READERS_MOST = 8
SPARE_MOST = 6


class Copies(Protocol):
    """One kind of database that can be copied."""

    def new(self, name: str) -> str:
        """The URL of a database that is not there yet, or is empty."""
        ...

    def copy(self, template: str, name: str) -> str:
        """The URL of a copy of a filled database that nobody uses."""
        ...

    def drop(self, name: str) -> None:
        """Throw a database away."""
        ...


class SqliteCopies:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"

    def copy(self, template: str, name: str) -> str:
        shutil.copy(self._folder / f"{template}.db", self._folder / f"{name}.db")
        return self.new(name)

    def drop(self, name: str) -> None:
        for left in self._folder.glob(f"{name}.db*"):
            left.unlink()


class PostgresqlCopies:
    """Databases of a server. A copy that was thrown away is made as new again, which takes a fifth of a new copy."""

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server
        self._used: dict[str, tuple[str, str]] = {}
        """Template and database of each copy in use."""
        self._free: list[tuple[str, str]] = []
        """The same of those thrown away, oldest first."""
        self._mending: dict[str, str] = {}
        """What makes a database as new again."""

    def new(self, name: str) -> str:
        return self._server.new(name)

    def copy(self, template: str, name: str) -> str:
        database = self._mended(template)
        if database is None:
            database = name
            self._server.copy(self._used.get(template, ("", template))[1], name)
            self._remember(name)
        self._used[name] = template, database
        return self._server.url(database)

    def drop(self, name: str) -> None:
        if name not in self._used:
            self._server.drop(name)
            return
        self._free.append(self._used.pop(name))
        if len(self._free) > SPARE_MOST:
            self._server.drop(self._free.pop(0)[1])

    def _mended(self, template: str) -> str | None:
        found = next((each for each in self._free if each[0] == template), None)
        if found is None:
            return None
        self._free.remove(found)
        database = found[1]
        try:
            with self._connected(database) as connection:
                connection.execute(self._mending[database])
        except psycopg.Error:  # The test did something to its tables.
            self._server.drop(database)
            return None
        return database

    def _remember(self, database: str) -> None:
        """Keep all rows and counters in a schema aside, and the statements that bring them back."""
        names = [table.name for table in schema.metadata.sorted_tables]
        with self._connected(database) as connection:
            kept = "".join(f"CREATE TABLE kept.{name} AS TABLE public.{name};" for name in names)
            connection.execute(f"DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept; {kept}")
            counters = connection.execute(
                "SELECT format('SELECT setval(%L, %s, %L);', schemaname || '.' || sequencename,"
                " coalesce(last_value, 1), last_value IS NOT NULL) FROM pg_sequences WHERE schemaname = 'public'"
            ).fetchall()
        # Neither triggers nor references are looked at while rows come and go.
        mending = ["BEGIN; SET LOCAL session_replication_role = replica;"]
        mending += [f"DELETE FROM public.{name};" for name in names]
        mending += [f"INSERT INTO public.{name} SELECT * FROM kept.{name};" for name in names]
        self._mending[database] = " ".join([*mending, *(row[0] for row in counters), "COMMIT"])

    def _connected(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self._server.url(database), autocommit=True)


class Ledgers:
    """Books over one kind of database, each opened over a copy of its own."""

    def __init__(self, kind: str, copies: Copies, secrets: LedgerSecrets) -> None:
        self.kind = kind
        self._copies = copies
        self._secrets = secrets
        self._templates: dict[str, str] = {}
        """Names of databases that nobody uses, by their lines."""
        self._seen: set[str] = set()
        self._readers: dict[str, tuple[HttpCounter, ExitStack]] = {}
        """Those in use, least lately asked for first."""
        self._count = 0

    @contextmanager
    def book(
        self,
        lines: Iterable[Line],
        *,
        clock: FakeClock | None = None,
        sender: CodeSender | None = None,
        wait_s: float = WAIT_S,
    ) -> Iterator[Book]:
        """A book over a fresh copy, closed and thrown away at the end. Lines may come in any order."""
        name = self._name("copy")
        url = self._filled(name, lines)
        book = self._book(url, clock or FakeClock(), sender, wait_s)
        try:
            yield book
        finally:
            book.close()
            self._copies.drop(name)

    @contextmanager
    def counter(
        self, lines: Iterable[Line], *, fmt: str = "json", wait_s: float = WAIT_S, **options: Any
    ) -> Iterator[HttpCounter]:
        """A counter of its own; `options` are those of `make_app`."""
        clock, sender = FakeClock(), CollectingSender()
        with self.book(lines, clock=clock, sender=sender, wait_s=wait_s) as book:
            yield HttpCounter(book, make_app(book, **options), sender, clock, fmt)

    @contextmanager
    def holding(self, book: Book) -> Iterator[None]:
        """Somebody else is busy with every customer and every wallet, as another process would be."""
        with book.store.write() as connection:
            for table in (schema.customer, schema.wallet):
                connection.execute(select(table.c.id).order_by(table.c.id).with_for_update())
            yield

    def reader(self, lines: Iterable[Line]) -> HttpCounter:
        """One counter for all questions about these lines that change nothing; a few stay open from test to test."""
        lines = list(lines)
        key = _text(lines)
        found = self._readers.pop(key, None)
        if found is None:
            if len(self._readers) >= READERS_MOST:
                self._close_reader(next(iter(self._readers)))
            stack = ExitStack()
            found = stack.enter_context(self.counter(lines)), stack
        self._readers[key] = found
        return found[0]

    def _close_reader(self, key: str) -> None:
        _, stack = self._readers.pop(key)
        stack.close()

    def close(self) -> None:
        """Close the readers and throw the templates away."""
        for key in list(self._readers):
            self._close_reader(key)
        for name in self._templates.values():
            self._copies.drop(name)

    def _filled(self, name: str, lines: Iterable[Line]) -> str:
        """Make a database of these lines; those asked for a second time become a template for all later ones."""
        ordered = sorted(lines, key=lambda line: KINDS.index(line["kind"]))
        key = _text(ordered)
        if key not in self._seen:
            url = self._imported(name, ordered)
            self._seen.add(key)
            return url
        if key not in self._templates:
            template = self._name("template")
            self._imported(template, ordered)
            self._templates[key] = template
        return self._copies.copy(self._templates[key], name)

    def _imported(self, name: str, lines: list[Line]) -> str:
        url = self._copies.copy(self._empty(), name)
        book = self._book(url, FakeClock(), None, WAIT_S)
        try:
            import_file(book, encoded(lines), file_name="lines")
        finally:
            book.close()
        return url

    def _empty(self) -> str:
        """The template of all templates: tables without rows."""
        if "" not in self._templates:
            self._templates[""] = self._name("template")
            Store(self._copies.new(self._templates[""]), FakeClock()).close()
        return self._templates[""]

    def _book(self, url: str, clock: FakeClock, sender: CodeSender | None, wait_s: float) -> Book:
        return Book(Store(url, clock, wait_s), secrets=self._secrets, clock=clock, sender=sender)

    def _name(self, what: str) -> str:
        self._count += 1
        return f"rows_{what}_{self._count}"


def _text(lines: Iterable[Line]) -> str:
    return json.dumps(list(lines), sort_keys=True)
