"""What all parts of the journal share: its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable

from pos_app.journal.file import JournalFile


class Part:
    """One part of the journal's port, over the one file."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file

    def _rows(self, query: Executable, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What a query finds.

        Raises:
            StorageError: the file cannot be read.
        """
        rows = self._file.read(lambda connection: connection.execute(query, parameters or {}).mappings().all())
        return [dict(row) for row in rows]

    def _scalar(self, query: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row a query finds, None when it finds none.

        Raises:
            StorageError: the file cannot be read.
        """
        return self._file.read(lambda connection: connection.execute(query, parameters or {}).scalar())
