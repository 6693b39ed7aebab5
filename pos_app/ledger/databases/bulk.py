"""Writes many rows at once: past SQLAlchemy's way for one row, in whatever way the database is fastest with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError, IntegrityError

from pos_app.ledger import schema
from pos_app.ledger.databases.backend import Backend

Row = tuple[Any, ...]


class AlreadyThereError(Exception):
    """A row is there already, or breaks another rule of its table: none of the rows may be kept."""


class Bulk:
    """Numbers and inserts of many rows for one kind of database."""

    def __init__(self, backend: Backend) -> None:
        self._backend: Final = backend
        self._written: Final[dict[tuple[str, tuple[str, ...]], tuple[tuple[str, ...], Row]]] = {}

    def new_ids(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        """So many numbers for new rows of a table, rising; nobody else gets them."""
        return self._backend.new_ids(connection, table, count) if count else ()

    def take_stock(self, connection: Connection) -> None:
        """Much has come in: the database must know before it is asked."""
        self._backend.take_stock(connection, schema.metadata.sorted_tables)

    def insert(self, connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Insert rows that have these columns, in this order; the others get their plain default.

        Raises:
            AlreadyThereError: one breaks a rule of the table; what was inserted must be rolled back.
            DBAPIError: the database failed; without the rows, which are people's.
        """
        if not rows:
            return
        known = self._written.get((table.name, names))
        if known is None:
            known = self._written[table.name, names] = _with_defaults(table, names)
        columns, rest = known
        try:
            self._backend.insert_rows(connection, table, columns, [row + rest for row in rows] if rest else rows)
        except IntegrityError:
            raise AlreadyThereError from None
        except connection.dialect.loaded_dbapi.IntegrityError:
            raise AlreadyThereError from None
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(f"rows for {table.name}", None, error, hide_parameters=True) from error


def _with_defaults(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, ...], Row]:
    """All columns to write, and the values of those that were not named."""
    rest = [each for each in table.columns if each.name not in names and each.default is not None]
    values = tuple(each.default.arg for each in rest)  # type: ignore[union-attr]
    return names + tuple(each.name for each in rest), values
