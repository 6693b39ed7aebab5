"""Statements are compiled once a process, not once a start: tills and ledgers start a hundred thousand times here.

SQLAlchemy keeps what it compiled with each engine, and each start of a till makes new engines. All of them speak to the
same driver in the same dialect, so what one compiled serves all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache


@contextmanager
def compiled_once() -> Iterator[None]:
    """Let all engines of SQLite share what they compiled, until the end of the block."""
    shared = LRUCache(4000)

    def share(connection: Connection) -> None:
        connection.engine._compiled_cache = shared

    dialect = SQLiteDialect_pysqlite
    dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign, assignment]
    dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    event.listen(Engine, "engine_connect", share)
    try:
        yield
    finally:
        event.remove(Engine, "engine_connect", share)
        del dialect.__eq__, dialect.__hash__
