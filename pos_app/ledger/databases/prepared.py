"""The few SELECTs of every check, run on the driver's own cursor.

SQLAlchemy writes the statement, once; its way through an execution costs four times what the database needs for the
row. Rows come as the driver gives them: a truth may be 0 or 1, a sum text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]
_Arrange = Callable[[dict[str, Any]], Any]


class Prepared:
    """One SELECT. Its parameters are plain: no lists, and nothing that the driver does not know by itself."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement: Final = statement
        self._written: dict[str, tuple[str, _Arrange]] = {}
        """Text and order of the parameters, by kind of database."""

    def rows(self, connection: Connection, parameters: dict[str, Any]) -> Sequence[Row]:
        """All rows, as this connection's transaction sees them.

        Raises:
            DBAPIError: as the engine's own way would; without the parameters, which are people's.
        """
        text, arrange = self._written.get(connection.dialect.name) or self._write(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, arrange(parameters))
            return cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(text, None, error, hide_parameters=True) from error
        finally:
            cursor.close()

    def _write(self, dialect: Dialect) -> tuple[str, _Arrange]:
        compiled = self._statement.compile(dialect=dialect)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        names = compiled.positiontup
        written = str(compiled), _by_name(fixed) if names is None else _by_place(names, fixed)
        self._written[dialect.name] = written
        return written


def _by_name(fixed: dict[str, Any]) -> _Arrange:
    return lambda given: fixed | given


def _by_place(names: Sequence[str], fixed: dict[str, Any]) -> _Arrange:
    return lambda given: [given[name] if name in given else fixed[name] for name in names]
