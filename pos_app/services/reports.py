"""The end of the day: what this till redeemed, what is still open, what the store lost (reliability 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.redemption import FINAL, Kind, Redemption, State
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Clock

CLOSED_AT: Final = "day.closed_at"
"""The journal's note of when the day was closed last."""

_MADE: Final = frozenset({State.CONFIRMED, State.LOCAL_DONE, State.SETTLING, State.SETTLED, State.SETTLED_SHORT})


@dataclass(frozen=True, slots=True)
class Line:
    """So many redemptions of so many points."""

    count: int
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """What happened since the day was closed last (`since`). Points given back are a line of their own.

    `made` counts what the customers have: confirmed, or made here and settled or not. `by_cashier` counts the same
    by operator number, None where nobody was signed in. `open_rows` are on their way or wait for a supervisor;
    `attention` are those a supervisor must decide about.
    """

    since: datetime
    until: datetime
    made: Line
    online: Line
    offline: Line
    given_back: Line
    refused: Line
    cancelled: Line
    store_loss: Line
    by_cashier: tuple[tuple[int | None, Line], ...]
    open_rows: tuple[Redemption, ...]
    attention: tuple[Redemption, ...]

    @property
    def is_clear(self) -> bool:
        """Say whether nothing is open: then the day may be closed without a warning."""
        return not self.open_rows and not self.attention


class DayReports:
    """Makes the report and closes the day. Asks nobody."""

    def __init__(self, journal: TillJournal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def report(self, since: datetime) -> DayReport:
        """The report of the time from `since` to now; rows that were begun or changed in it."""
        return report_of(
            self._journal.day_rows(since),
            since=since,
            until=self._clock.wall(),
            open_rows=self._journal.open_redemptions(),
            attention=self._journal.attention(),
        )

    def closed_at(self) -> datetime | None:
        """When the day was closed last, None if never."""
        told = self._journal.recall(CLOSED_AT)
        return None if told is None else datetime.fromisoformat(told)

    def close_day(self, since: datetime, *, operator: int, in_spite: bool = False) -> DayReport:
        """Close the day: note who did and what was open. Nothing is sent, changed or lost by it.

        Raises:
            DayNotClearError: something is open; a supervisor may close `in_spite` of it.
            StorageError: it is not closed.
        """
        report = self.report(since)
        if not report.is_clear and not in_spite:
            raise DayNotClearError(report)
        counts: dict[str, object] = {"made": report.made.count, "open": len(report.open_rows)}
        self._journal.note("close_day", operator, "till", counts)
        self._journal.remember(CLOSED_AT, report.until.isoformat())
        return report


class DayNotClearError(Exception):
    """The day is not clear; `report` has what is open."""

    def __init__(self, report: DayReport) -> None:
        super().__init__(f"{len(report.open_rows)} open, {len(report.attention)} for a supervisor")
        self.report = report


def report_of(
    rows: Sequence[Redemption],
    *,
    since: datetime,
    until: datetime,
    open_rows: Sequence[Redemption],
    attention: Sequence[Redemption],
) -> DayReport:
    """Count rows; a redemption belongs to the day it was begun, its store loss to the day it was found out."""
    begun = [row for row in rows if since <= row.created_at <= until]
    redemptions = [row for row in begun if row.kind is not Kind.REVERSE]
    made = [row for row in redemptions if row.state in _MADE]
    cashiers = sorted({row.cashier for row in made}, key=lambda each: (each is None, each or 0))
    losses = [row for row in rows if row.store_loss]
    return DayReport(
        since=since,
        until=until,
        made=_line(made),
        online=_line(row for row in made if row.kind is Kind.ONLINE),
        offline=_line(row for row in made if row.kind is not Kind.ONLINE),
        given_back=_line(row for row in begun if row.kind is Kind.REVERSE and row.state is State.CONFIRMED),
        refused=_line(row for row in redemptions if row.state is State.REFUSED),
        cancelled=_line(row for row in redemptions if row.state in {State.CANCELLED, State.REVERSED}),
        store_loss=Line(len(losses), total(row.store_loss or ZERO for row in losses)),
        by_cashier=tuple((each, _line(row for row in made if row.cashier == each)) for each in cashiers),
        open_rows=tuple(row for row in open_rows if row.state not in FINAL and row.closed_by is None),
        attention=tuple(attention),
    )


def _line(rows: Iterable[Redemption]) -> Line:
    counted = list(rows)
    return Line(len(counted), total(row.points for row in counted))
