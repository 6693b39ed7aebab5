"""Operators who proved their PIN on this till, so that they can sign in without a line (sync-api 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, select

from pos_app.domain.held import KeptOperator
from pos_app.files.columns import moment_text
from pos_app.journal.commit import Commit
from pos_app.journal.part import Part
from pos_app.journal.tables import OPERATOR

_ONE: Final = select(OPERATOR.table).where(OPERATOR.table.c.operator_id == bindparam("of_operator"))


class Operators(Part):
    """The operators of `services.offline_port.OfflineJournal`."""

    def keep_operator(self, operator: KeptOperator) -> None:
        """Keep an operator who proved her PIN, in place of what was kept of her before.

        Raises:
            StorageError: nothing was kept.
        """
        row = _row_of(operator)

        def work(commit: Commit) -> None:
            if commit.find(OPERATOR, row) is None:
                commit.add(OPERATOR, row)
            else:
                commit.put(OPERATOR, row)

        self._file.commit(work)

    def operator(self, operator_id: int) -> KeptOperator | None:
        """What is kept of an operator; None: she never proved her PIN here."""
        rows = self._rows(_ONE, {"of_operator": operator_id})
        return _operator_of(rows[0]) if rows else None

    def take_pin_try(self, operator_id: int) -> KeptOperator | None:
        """Count a try before the PIN is compared, so that no kill undoes it; None: no try is left, or nothing is kept.

        The last try drops hash and token from the journal; the value returned still has them. A right PIN is kept
        again by `keep_operator`, which gives all tries back.

        Raises:
            StorageError: nothing was counted, so nothing may be compared.
        """

        def work(commit: Commit) -> KeptOperator | None:
            row = commit.find(OPERATOR, {"operator_id": operator_id})
            if row is None or row["tries_left"] == 0 or row["pin_hash"] is None:
                return None
            counted = row | {"tries_left": row["tries_left"] - 1}
            dropped = {"pin_hash": None, "token": None} if counted["tries_left"] == 0 else {}
            commit.put(OPERATOR, counted | dropped)
            return _operator_of(counted)

        return self._file.commit(work)

    def forget_operator(self, operator_id: int) -> None:
        """Drop what is kept of an operator.

        Raises:
            StorageError: she is still kept.
        """
        self._file.commit(lambda commit: commit.remove(OPERATOR, {"operator_id": operator_id}))


def _row_of(operator: KeptOperator) -> dict[str, Any]:
    return {
        "operator_id": operator.operator_id,
        "name": operator.name,
        "role": operator.role,
        "pin_hash": operator.pin_hash,
        "token": operator.token,
        "proved_at": moment_text(operator.proved_at),
        "not_after": moment_text(operator.not_after),
        "tries_left": operator.tries_left,
    }


def _operator_of(row: Mapping[str, Any]) -> KeptOperator:
    told = {name: row[name] for name in ("operator_id", "name", "role", "pin_hash", "token", "tries_left")}
    return KeptOperator(
        **told,
        proved_at=datetime.fromisoformat(row["proved_at"]),
        not_after=datetime.fromisoformat(row["not_after"]),
    )
