"""What support gets of a damaged journal: JSON, one object a line, without anything personal (reliability 4.8).

No identifier, label, message, pass or token is in it, so it needs no encryption; it is its owner's alone all the same.
Support finds customers by their numbers at the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final

from pos_app.domain.points import Points
from pos_app.files.columns import moment_text

TOLD: Final[Mapping[str, Sequence[str]]] = {
    "redemption": (
        "key",
        "state",
        "kind",
        "customer_id",
        "program_id",
        "points",
        "created_at",
        "changed_at",
        "cashier",
        "attempts",
        "redemption_id",
        "lease_id",
        "seq",
        "from_lease",
        "from_free",
        "store_loss",
        "printed_at",
        "reverses",
        "confirmed_epoch",
        "closed_by",
    ),
    "lease": ("lease_id", "state", "amount", "spent"),
    "given_back": ("key", "lease_id", "final_spent"),
    "chain": ("key", "till_epoch", "seq", "hash"),
    "audit": ("number", "at", "act", "who", "target", "prev_hash", "hash"),
    "mark": ("high_water", "till_epoch", "commit_no"),
}
_POINTS: Final = frozenset({"points", "from_lease", "from_free", "store_loss", "amount", "spent", "final_spent"})


def write_export(
    file: BinaryIO,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    counts: Mapping[str, object],
    set_aside: str,
    at: datetime,
) -> None:
    """Write what was saved, table by table; the first line counts it."""
    _write(file, {"export": "journal", "at": moment_text(at), "set_aside": set_aside} | dict(counts))
    for table, columns in TOLD.items():
        for row in rows[table]:
            _write(file, {"table": table} | {name: _told(name, row[name]) for name in columns})


def _told(name: str, value: Any) -> Any:
    return str(Points(value)) if name in _POINTS and value is not None else value


def _write(file: BinaryIO, tree: Mapping[str, object]) -> None:
    file.write(json.dumps(tree, ensure_ascii=False).encode("utf-8") + b"\n")
