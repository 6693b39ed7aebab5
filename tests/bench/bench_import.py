"""Import, against the driver's own executemany of the very rows it made."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench_place import Filled
from sqlalchemy import Table, text

from pos_app.files.clock import SystemClock
from pos_app.ledger import schema
from pos_app.ledger.databases.backend import backend_for
from pos_app.ledger.databases.database import Store

TABLES = (schema.customer, schema.identifier, schema.wallet, schema.lot, schema.entry)
BATCH = 10_000


def against_executemany(filled: Filled, empty: str) -> tuple[float, float]:
    """Customers a second of the import, and of the raw rows put into the empty ledger at `empty`."""
    Store(empty, SystemClock()).close()  # Its tables.
    source, target = _engine(filled.url), _engine(empty)
    took = 0.0
    with source.connect() as read, target.connect() as write:
        raw = write.connection.driver_connection
        cursor = raw.cursor()
        _begin(write)
        for table in (schema.organisation, schema.program, schema.till):
            _copy(read, cursor, table, lambda work: work())

        def timed(work: Callable[[], None]) -> None:
            nonlocal took
            began = time.perf_counter()
            work()
            took += time.perf_counter() - began

        for table in TABLES:
            _copy(read, cursor, table, timed)
        timed(raw.commit)
    source.dispose()
    target.dispose()
    return filled.customers / filled.import_s, filled.customers / took


def _engine(url: str) -> Any:
    backend, parsed = backend_for(url)
    return backend.open_engine(parsed)


def _begin(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("BEGIN IMMEDIATE")


def _copy(read: Any, cursor: Any, table: Table, timed: Callable[[Callable[[], None]], None]) -> None:
    mark = "?" if read.dialect.name == "sqlite" else "%s"
    statement = f"INSERT INTO {table.name} ({', '.join(table.c.keys())}) VALUES ({', '.join(mark for _ in table.c)})"
    order = ", ".join(column.name for column in table.primary_key)
    rows = read.execution_options(yield_per=BATCH).execute(
        text(f"SELECT {', '.join(table.c.keys())} FROM {table.name} ORDER BY {order}")
    )
    for batch in rows.partitions(BATCH):
        plain = [tuple(row) for row in batch]
        timed(lambda plain=plain: cursor.executemany(statement, plain))
