"""The hash each row of the journal carries, so that salvage can tell a whole row from a damaged one (reliability 4.8).

It covers the table's name and every column that holds something. A column that a later step adds, and that is empty
in old rows, changes no hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pos_app.wire.canonical import canonical_bytes

_NOT_COVERED: Final = frozenset({"id", "row_hash"})


def row_hash(table: str, row: Mapping[str, Any]) -> str:
    """The hash of a row, its columns by name: 64 hexadecimal digits."""
    covered = {name: value for name, value in row.items() if value is not None and name not in _NOT_COVERED}
    return hashlib.sha256(canonical_bytes([table, covered])).hexdigest()


def is_whole(table: str, row: Mapping[str, Any]) -> bool:
    """Say whether a row is as it was written."""
    try:
        return bool(row.get("row_hash") == row_hash(table, row))
    except (TypeError, ValueError):  # Bytes, or text that is no text: what damage makes of a column.
        return False
