"""Looks into a cache file past the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.files import DATABASE_KEY

from pos_app.cache.file import PAGE
from pos_app.files.database import open_encrypted


def raw_rows(path: Path, table: str) -> Sequence[Any]:
    """All rows of a table, as mappings."""
    engine = open_encrypted(path, DATABASE_KEY, pragmas=PAGE)
    with engine.begin() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings().all()
    engine.dispose()
    return found


def set_version(path: Path, version: int) -> None:
    """Make it a file of another version of the program."""
    engine = open_encrypted(path, DATABASE_KEY, pragmas=PAGE)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    engine.dispose()
