"""The same SQL without us: what the product sent to PostgreSQL for its redemptions, sent again by the bare driver.

The product redeems over one copy of a database while every statement is written down; then the bare driver sends the
very same statements to another copy, in the same order, so that the same rows get the same numbers. What is left
between the two is ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

Step = tuple[str, Any, Any]
"""What is done (execute, executemany, commit, rollback), with which statement and parameters."""


@contextmanager
def recorded() -> Iterator[list[Step]]:
    """Write down what this process sends through the driver, until the end of the block."""
    steps: list[Step] = []
    kept = {
        (owner, name): getattr(owner, name)
        for owner, names in (
            (psycopg.Cursor, ("execute", "executemany")),
            (psycopg.Connection, ("commit", "rollback")),
        )
        for name in names
    }

    def told(name: str, plain: Any) -> Any:
        def call(self: Any, query: Any = None, params: Any = None, **options: Any) -> Any:
            steps.append((name, query, params))
            return plain(self) if query is None else plain(self, query, params, **options)

        return call

    for (owner, name), plain in kept.items():
        setattr(owner, name, told(name, plain))
    try:
        yield steps
    finally:
        for (owner, name), plain in kept.items():
            setattr(owner, name, plain)


def replay(conninfo: str, before: Sequence[Step], steps: Sequence[Step]) -> float:
    """Send what came before, then the steps, over one connection; returns the seconds the steps took."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        _send(connection, cursor, before)
        began = time.perf_counter()
        _send(connection, cursor, steps)
        return time.perf_counter() - began


def _send(connection: psycopg.Connection[Any], cursor: psycopg.Cursor[Any], steps: Sequence[Step]) -> None:
    for name, query, params in steps:
        if query is None:
            getattr(connection, name)()
            continue
        getattr(cursor, name)(query, params)
        if name == "execute" and cursor.description is not None:
            cursor.fetchall()
