"""The till's audit: decisions as a chain, so that a changed or missing row shows (reliability 4.7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, select

from pos_app.domain.settling import FIRST_PREV_HASH
from pos_app.files.columns import moment_text
from pos_app.journal.commit import Commit
from pos_app.journal.part import Part
from pos_app.journal.tables import AUDIT
from pos_app.services.offline_port import AuditHead, AuditRow
from pos_app.wire.canonical import canonical_bytes, canonical_json

_A: Final = AUDIT.table.c
_LAST: Final = select(_A.number, _A.hash).order_by(_A.number.desc()).limit(1)
_AFTER: Final = select(AUDIT.table).where(_A.number > bindparam("after")).order_by(_A.number).limit(bindparam("limit"))
_COVERED: Final = ("number", "at", "act", "who", "target", "detail")


class Audit(Part):
    """The audit of `services.offline_port.OfflineJournal`."""

    def note(self, act: str, who: int | None, target: str, detail: dict[str, object]) -> None:
        """Append a decision to the audit chain; never anything personal.

        Raises:
            StorageError: nothing was kept.
        """
        at = self._file.wall()
        self._file.commit(lambda commit: note_in(commit, at, act, who, target, detail))

    def audit_head(self) -> AuditHead:
        """The end of the audit chain."""
        return self._file.read(_head)

    def audit_rows(self, after: int = 0, limit: int = 1000) -> Sequence[AuditRow]:
        """Decisions after a number, by number."""
        rows = self._rows(_AFTER, {"after": after, "limit": limit})
        return [_row_of(row) for row in rows]


def note_in(commit: Commit, at: datetime, act: str, who: int | None, target: str, detail: Mapping[str, object]) -> None:
    """Append a decision within a commit."""
    head = _head(commit.connection)
    row: dict[str, Any] = {
        "number": head.count + 1,
        "at": moment_text(at),
        "act": act,
        "who": who,
        "target": target,
        "detail": canonical_json(detail),
    }
    commit.add(AUDIT, row | {"prev_hash": head.hash, "hash": audit_hash(head.hash, row)})


def audit_hash(prev_hash: str, row: Mapping[str, Any]) -> str:
    """The hash of a row: SHA-256 over the hash before it and its canonical JSON, as hexadecimal digits."""
    covered = canonical_bytes({name: row[name] for name in _COVERED})
    return hashlib.sha256(prev_hash.encode("ascii") + covered).hexdigest()


def first_break(rows: Sequence[AuditRow], prev_hash: str = FIRST_PREV_HASH) -> int | None:
    """The number of the first row that does not follow from the one before it; None: the chain holds.

    `rows` come by number; `prev_hash` is the hash of the row before the first.
    """
    number = rows[0].number - 1 if rows else 0
    for row in rows:
        told = {
            "number": row.number,
            "at": moment_text(row.at),
            "act": row.act,
            "who": row.who,
            "target": row.target,
            "detail": canonical_json(row.detail),
        }
        if row.number != number + 1 or row.prev_hash != prev_hash or row.hash != audit_hash(prev_hash, told):
            return row.number
        number, prev_hash = row.number, row.hash
    return None


def _head(connection: Any) -> AuditHead:
    last = connection.execute(_LAST).one_or_none()
    return AuditHead(0, FIRST_PREV_HASH) if last is None else AuditHead(last.number, last.hash)


def _row_of(row: Mapping[str, Any]) -> AuditRow:
    return AuditRow(
        number=row["number"],
        at=datetime.fromisoformat(row["at"]),
        act=row["act"],
        who=row["who"],
        target=row["target"],
        detail=json.loads(row["detail"]),
        prev_hash=row["prev_hash"],
        hash=row["hash"],
    )
