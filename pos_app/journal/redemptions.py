"""Redemptions in the journal: rows, what is still open, and what a supervisor asks of them (reliability 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select, text

from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.files.columns import moment_text
from pos_app.journal.commit import Commit
from pos_app.journal.part import Part
from pos_app.journal.rows import redemption_of, row_of
from pos_app.journal.tables import REDEMPTION

_R: Final = REDEMPTION.table.c
_ALL: Final = select(REDEMPTION.table)
_SINCE: Final[BindParameter[str]] = bindparam("since")

# States are written out, as in the indexes: with bound ones SQLite could not see that an index fits.
_GET: Final = _ALL.where(_R.key == bindparam("of_key"))
_OPEN: Final = _ALL.where(
    text("state NOT IN ('CONFIRMED', 'REFUSED', 'CANCELLED', 'REVERSED', 'SETTLED', 'SETTLED_SHORT')")
).order_by(_R.id)
_RECENT: Final = _ALL.order_by(_R.id.desc()).limit(bindparam("limit"))
_ATTENTION: Final = _ALL.where(
    text(
        "closed_by IS NULL AND state IN ('PARKED', 'SETTLED_SHORT', 'REFUSED', 'UNKNOWN')"
        " AND (state <> 'REFUSED' OR sent_by_itself = 1) AND (state <> 'UNKNOWN' OR next_try_at IS NULL)"
    )
).order_by(_R.id)
_CONFIRMED: Final = _ALL.where(
    _R.changed_at >= _SINCE,
    text("state IN ('CONFIRMED', 'SETTLED', 'SETTLED_SHORT') AND kind <> 'REVERSE'"),
).order_by(_R.id)
_OFFERED: Final = _ALL.where(
    text(
        "state IN ('CONFIRMED', 'SETTLED', 'SETTLED_SHORT', 'CANCELLED', 'REVERSED') AND kind <> 'REVERSE'"
        " AND (changed_at >= :since OR id > (SELECT MAX(id) FROM redemption) - 1000)"
    )
).order_by(_R.id)
_OF_THE_DAY: Final = _ALL.where(or_(_R.changed_at >= _SINCE, _R.created_at >= _SINCE)).order_by(_R.id)
_SPENT_TODAY: Final = select(func.coalesce(func.sum(_R.points), 0)).where(
    text("kind IN ('LEASE', 'RISK')"),
    _R.customer_id == bindparam("of_customer"),
    _R.program_id == bindparam("of_program"),
    _R.created_at >= _SINCE,
)


class Redemptions(Part):
    """Implements `services.ports.Journal` but for its small facts, and what the conflict desk asks."""

    def add(self, redemption: Redemption) -> None:
        """Keep a new redemption.

        Raises:
            StorageError: nothing was kept.
            ValueError: a bug: the key is not new, or the row is not one a journal can hold.
        """
        row = row_of(redemption)
        self._file.commit(lambda commit: commit.add(REDEMPTION, row), begins=True)

    def put(self, redemption: Redemption) -> None:
        """Keep a redemption's next state.

        Raises:
            StorageError: nothing was kept; the former state still stands.
            KeyError: no such redemption was ever added.
            ValueError: a bug: a final redemption does not move, or the row is not one a journal can hold.
        """
        row = row_of(redemption)
        self._file.commit(lambda commit: commit.put(REDEMPTION, row))

    def get(self, key: str) -> Redemption:
        """The committed row.

        Raises:
            KeyError: there is none.
            StorageError: the file cannot be read.
        """
        rows = self._found(_GET, of_key=key)
        if not rows:
            raise KeyError(key)
        return rows[0]

    def open_redemptions(self) -> Sequence[Redemption]:
        """All rows that are not final, oldest first."""
        return self._found(_OPEN)

    def recent(self, limit: int) -> Sequence[Redemption]:
        """The newest rows, newest first."""
        return self._found(_RECENT, limit=limit)

    def attention(self) -> Sequence[Redemption]:
        """Rows a supervisor must decide about, oldest first, without those that were decided (`closed_by`).

        PARKED, SETTLED_SHORT, REFUSED when the outbox sent it, and UNKNOWN that is no longer sent by itself.
        """
        return self._found(_ATTENTION)

    def confirmed_since(self, moment: datetime) -> Sequence[Redemption]:
        """CONFIRMED, SETTLED and SETTLED_SHORT rows changed since then, oldest first (4.4, a restored ledger).

        Without those that gave points back: offered again they would be charged.
        """
        return self._found(_CONFIRMED, since=moment_text(moment))

    def ended_since(self, moment: datetime) -> Sequence[Redemption]:
        """What a restored ledger must hear of again: confirmed, settled and cancelled rows, oldest first (4.4).

        Those changed since `moment`, and the newest 1,000 whatever their date: a clock may have stood far behind.
        """
        return self._found(_OFFERED, since=moment_text(moment))

    def day_rows(self, since: datetime) -> Sequence[Redemption]:
        """All rows begun or changed since then, oldest first: the end-of-day report."""
        return self._found(_OF_THE_DAY, since=moment_text(since))

    def spent_today(self, customer_id: int, program_id: int, since: datetime) -> Points:
        """What this till redeemed of a customer since then by itself, settled or not (ceilings and risk caps)."""
        told = {"of_customer": customer_id, "of_program": program_id, "since": moment_text(since)}
        return Points(self._scalar(_SPENT_TODAY, told))

    def mark_printed(self, key: str, at: datetime) -> Redemption:
        """Note that its receipt was printed, and return the row as it was committed.

        Raises:
            StorageError: nothing was kept.
            KeyError: there is no such row.
        """
        return self._changed(key, lambda row: replace(row, printed_at=at))

    def close_row(self, key: str, closed_by: str) -> Redemption:
        """Note what a supervisor decided of a row that needed attention, and return the row as it was committed.

        Raises:
            StorageError: nothing was kept.
            KeyError: there is no such row.
        """
        return self._changed(key, lambda row: replace(row, closed_by=closed_by))

    def _changed(self, key: str, change: Callable[[Redemption], Redemption]) -> Redemption:
        def work(commit: Commit) -> Redemption:
            after = change(redemption_of(commit.get(REDEMPTION, {"key": key})))
            commit.put(REDEMPTION, row_of(after))
            return after

        return self._file.commit(work)

    def _found(self, query: Select[tuple[object, ...]], **parameters: object) -> list[Redemption]:
        return [redemption_of(row) for row in self._rows(query, parameters)]
