"""A ledger as the first cut of this program left it: tables of version 1, filled by that program itself.

`ledger_schema_1.json` holds every row of every table, the pepper its passwords and codes were made with, and the one
code that was live: 1,270 points earned or spent by import, redemptions, a cancel, a family group and codes.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, LargeBinary, MetaData

from pos_app.ledger.databases.backend import WRITER, backend_for
from pos_app.ledger.databases.upgrading import MIGRATIONS

_FILE = Path(__file__).with_name("ledger_schema_1.json")


@cache
def what_was_kept() -> dict[str, Any]:
    """The file."""
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return document


def its_clock() -> datetime:
    """When it was left."""
    return datetime.fromisoformat(what_was_kept()["clock"])


def secrets_folder(folder: Path) -> Path:
    """Make the folder of its secrets."""
    made = folder / "secrets"
    made.mkdir(mode=0o700, exist_ok=True)
    (made / "pepper").write_bytes(bytes.fromhex(what_was_kept()["pepper"]))
    return made


def make_old_ledger(url: str) -> None:
    """Fill an empty database with it; like the first cut itself this leaves no stamp of Alembic's."""
    backend, parsed = backend_for(url)
    engine = backend.open_engine(parsed)
    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        _make_tables_of_version_1(connection)
        tables = MetaData()
        tables.reflect(connection)
        connection.execute(tables.tables["meta"].delete())  # The step that made the tables has begun to count.
        for table in tables.sorted_tables:
            rows = what_was_kept()["tables"][table.name]
            binary = [each.name for each in table.columns if isinstance(each.type, LargeBinary)]
            for row in rows:
                connection.execute(table.insert(), row | {name: bytes.fromhex(row[name]) for name in binary})
            if rows and "id" in table.columns and connection.dialect.name == "postgresql":
                _number_on(connection, table.name)
    engine.dispose()


def _make_tables_of_version_1(connection: Connection) -> None:
    (step,) = [each for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions() if each.revision == "0001"]
    with Operations.context(MigrationContext.configure(connection)):
        step.module.upgrade()


def _number_on(connection: Connection, table: str) -> None:
    """Let the numbers go on behind those that were written with their number."""
    connection.exec_driver_sql(
        f"SELECT setval(name, (SELECT max(id) FROM {table}))"
        f" FROM pg_get_serial_sequence('{table}', 'id') AS found(name) WHERE name IS NOT NULL"
    )
