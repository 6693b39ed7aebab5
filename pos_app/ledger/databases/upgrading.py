"""The tables of a ledger: made when it is new, and brought up to date when an earlier version of this program left it.

A new ledger's tables are made from `schema` in one go, which is fast; an older ledger goes through Alembic's steps in
`migrations`. A test sees to it that both ways end with the same tables. Whatever is done is one transaction under a
lock, so that of several processes that start together one does it and the others find it done.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from pos_app.ledger import schema
from pos_app.ledger.databases.backend import Backend
from pos_app.ledger.errors import BadDatabaseUrlError
from pos_app.ledger.group_names import name_the_unnamed

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_NEW: Final = {"schema": schema.SCHEMA, "epoch": 1, "rules_version": 1, "audit": 0}
_META: Final = schema.meta
_STAMP: Final = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table; made here, because Alembic is not loaded where nothing is to be upgraded."""


def is_current(connection: Connection, *, must_exist: bool = False) -> bool:
    """Say whether the tables are there, as this version of the program wants them.

    Raises:
        BadDatabaseUrlError: they are of a newer version, or another program's, or missing where they `must_exist`.
    """
    version = _version_of(connection)
    if version is None and must_exist:
        raise BadDatabaseUrlError("there is no ledger in this database")
    return version == schema.SCHEMA


def make_or_upgrade(connection: Connection, backend: Backend) -> None:
    """Make the tables, or bring them up to date, in a writing transaction.

    Raises:
        BadDatabaseUrlError: as `is_current`.
    """
    backend.hold_tables(connection)
    version = _version_of(connection)  # Another process may have been faster.
    if version is None:
        _make(connection, backend)
    elif version < schema.SCHEMA:
        _upgrade(connection, version)


def _version_of(connection: Connection) -> int | None:
    """The version of the tables; None where there are none."""
    there = set(inspect(connection).get_table_names())
    if _META.name not in there:
        if there & set(schema.metadata.tables):
            raise BadDatabaseUrlError("this database holds tables of another program: give the ledger one of its own")
        return None
    number = connection.execute(select(_META.c.number).where(_META.c.name == "schema")).scalar_one_or_none()
    if number is None or number > schema.SCHEMA:
        raise BadDatabaseUrlError(
            f"this database belongs to another version of the ledger: its tables are of version {number},"
            f" and this program knows them up to {schema.SCHEMA}"
        )
    return int(number)


def _make(connection: Connection, backend: Backend) -> None:
    schema.metadata.create_all(connection, checkfirst=False)
    for statement in (*backend.guards(), *backend.feed_triggers()):
        connection.exec_driver_sql(statement)
    connection.execute(_META.insert(), [{"name": name, "number": number} for name, number in _NEW.items()])
    _stamp(connection, schema.SCHEMA)


def _upgrade(connection: Connection, version: int) -> None:
    from alembic import command  # Loaded only here: it takes longer than opening a ledger.
    from alembic.config import Config

    if not inspect(connection).has_table(_STAMP.name):
        _stamp(connection, version)  # The first cut of this program did not know Alembic.
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    name_the_unnamed(connection)


def _stamp(connection: Connection, version: int) -> None:
    _STAMP.create(connection)
    connection.execute(_STAMP.insert(), {"version_num": f"{version:04}"})
