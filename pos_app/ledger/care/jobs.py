"""What a ledger does by itself: reclaiming leases, expiry, forgetting, the nightly recompute (reliability 4.5).

A thread of each server looks every minute what is due. Of several processes over one database one does it: the one
whose update of the job's row comes first. It claims the row for a few minutes and renews the claim while it works, so
that a process that dies leaves the job to the others, and none of them ever waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from traceback import extract_tb
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care.expiring import expire
from pos_app.ledger.care.pruning import prune
from pos_app.ledger.care.verify import find_differences
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.feed.forgetting import mark_and_forget
from pos_app.ledger.feed.visits import forget_quiet
from pos_app.ledger.figures import Happening
from pos_app.ledger.leases.reclaiming import reclaim
from pos_app.ledger.rulebook import from_ms, to_ms
from pos_app.wire.canonical import canonical_json

LOG: Final = logging.getLogger("pos_app.ledger.care.jobs")

EVERY_S: Final = 60.0
_POLL_S: Final = 0.5
_STOP_S: Final = 2.0
_REST_S: Final = 0.01
"""Between two steps, so that a long job never takes more than its share of the processor from the tills."""

_CLAIM: Final = timedelta(minutes=5)
_RECLAIM_EVERY: Final = timedelta(seconds=EVERY_S / 2)
"""Each minute, by one of the processes that look every minute."""

_PRUNE_EVERY: Final = timedelta(hours=1)
_NIGHT: Final = range(3, 5)
_RECOMPUTE_AT_LEAST_EVERY: Final = timedelta(hours=48)
"""For ledgers that are switched off at night."""

_LINES_MOST: Final = 20
_JOB: Final = schema.job
_READ: Final = select(_JOB).where(_JOB.c.name == bindparam("job"))
_TAKE: Final = (
    update(_JOB)
    .where(
        _JOB.c.name == bindparam("job"),
        _JOB.c.ran_at == bindparam("known"),
        # A claim longer than anybody makes was made by a clock that was wrong.
        or_(_JOB.c.claimed_until <= bindparam("now"), _JOB.c.claimed_until > bindparam("until")),
    )
    .values(claimed_until=bindparam("until"))
)
_RENEW: Final = update(_JOB).where(_JOB.c.name == bindparam("job")).values(claimed_until=bindparam("until"))
_FINISH: Final = (
    update(_JOB)
    .where(_JOB.c.name == bindparam("job"))
    .values(claimed_until=0, ran_at=bindparam("at"), outcome=bindparam("said"))
)


class _StoppedError(Exception):
    """The server is being stopped: the rest of the job is done the next time."""


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    is_due: Callable[[datetime, datetime], bool]
    """By the moments of its last run and of now."""
    work: Callable[[datetime, Callable[[], None]], dict[str, object]]


class Jobs:
    """The jobs of one server process. `differences` is what the last recompute of this process found."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._stopping = threading.Event()
        self._running = threading.Lock()
        self._thread: threading.Thread | None = None
        self.differences = 0
        self._jobs = (
            _Job("reclaim", lambda ran, now: now - ran >= _RECLAIM_EVERY, self._reclaim),
            _Job("expiry", self._is_another_day, self._expire),
            _Job("pruning", lambda ran, now: now - ran >= _PRUNE_EVERY, self._prune),
            _Job("recompute", self._is_night, self._recompute),
        )

    def start(self) -> None:
        """Begin to look every minute what is due, in a thread."""
        self._thread = threading.Thread(target=self._look_again_and_again, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End soon: a job at work stops after its present step. Safe to call twice."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def run(self, *, at_once: bool = False) -> None:
        """Do what is due; `at_once`: also reclaiming, expiry and pruning that are not due by the clock.

        Raises:
            LedgerBusyError: the database was not had in time.
        """
        with self._running:
            for job in self._jobs:
                if not self._stopping.is_set():
                    self._run(job, at_once=at_once and job.name != "recompute")
            self._book.seen.write_down()
            self._book.tools.visits.write_down()

    # --- The thread ------------------------------------------------------------------------------------------------

    def _look_again_and_again(self) -> None:
        clock = self._book.clock
        due = clock.mono()
        while not self._stopping.wait(_POLL_S):
            try:
                self._book.seen.write_down()
                self._book.tools.visits.write_down()
                if clock.mono() >= due:
                    due = clock.mono() + EVERY_S
                    self.run()
            except LedgerBusyError:
                LOG.info("jobs wait: the database is busy")
            except Exception as error:  # Nobody else would hear of it, and the next minute may be better.
                frame = extract_tb(error.__traceback__)[-1]
                place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
                LOG.error("jobs failed: fault=%s at=%s", type(error).__name__, place)  # noqa: TRY400 - its text may be personal

    def _run(self, job: _Job, *, at_once: bool) -> None:
        now = self._book.clock.wall()
        ran_at = self._claimed(job, now, at_once=at_once)
        if ran_at is None:
            return
        figures = self._book.store.figures
        try:
            said = job.work(now, self._after_step(job))
        except _StoppedError:
            self._let_go(job, ran_at, {"stopped": True})
        except BaseException:
            figures.count(Happening.JOB_FAILED, job.name)
            self._let_go(job, ran_at, {"failed": True})
            raise
        else:
            figures.count(Happening.JOB_FAILED if said.get("differences") else Happening.JOB_DONE, job.name)
            self._let_go(job, to_ms(now), said)

    def _let_go(self, job: _Job, ran_at: int, said: dict[str, object]) -> None:
        finished = {"job": job.name, "at": ran_at, "said": canonical_json(said)}
        self._book.store.writing(lambda connection: connection.execute(_FINISH, finished))

    def _claimed(self, job: _Job, now: datetime, *, at_once: bool) -> int | None:
        """When the job ran last, if it is due and this process may do it now."""
        until = to_ms(now + _CLAIM)

        def claim(connection: Connection) -> int | None:
            row = connection.execute(_READ, {"job": job.name}).one()
            ran = from_ms(row.ran_at)
            if not (at_once or job.is_due(ran, now) or ran > now):
                return None
            taken = connection.execute(_TAKE, {"job": job.name, "known": row.ran_at, "now": to_ms(now), "until": until})
            return row.ran_at if taken.rowcount == 1 else None

        with self._book.store.read() as connection:
            row = connection.execute(_READ, {"job": job.name}).one_or_none()
        if row is None:
            self._make_row(job, now)
        elif not (at_once or job.is_due(from_ms(row.ran_at), now) or from_ms(row.ran_at) > now):
            return None
        return self._book.store.writing(claim)

    def _make_row(self, job: _Job, now: datetime) -> None:
        """The first time: what is done by night waits for the night."""
        first = to_ms(now) if job.name == "recompute" else 0
        with suppress(IntegrityError), self._book.store.write() as connection:
            connection.execute(_JOB.insert(), {"name": job.name, "ran_at": first})

    def _after_step(self, job: _Job) -> Callable[[], None]:
        clock, store = self._book.clock, self._book.store
        renewed = clock.mono()

        def after_step() -> None:
            nonlocal renewed
            if self._stopping.wait(_REST_S):
                raise _StoppedError
            if clock.mono() - renewed > _CLAIM.total_seconds() / 3:
                renewed = clock.mono()
                until = to_ms(clock.wall() + _CLAIM)
                store.writing(lambda connection: connection.execute(_RENEW, {"job": job.name, "until": until}))

        return after_step

    # --- The jobs --------------------------------------------------------------------------------------------------

    def _is_another_day(self, ran: datetime, now: datetime) -> bool:
        """Points last to the end of a day of their organisation: only then there is something to do."""
        with self._book.store.read() as connection:
            organisations = self._book.rules(connection).organisations.values()
        return any(each.day_of(ran) != each.day_of(now) for each in organisations)

    def _expire(self, now: datetime, after_step: Callable[[], None]) -> dict[str, object]:
        count = expire(self._book.store, self._book.tools.rulebook, now, after_step)
        if count:
            LOG.info("expiry: %d lots", count)
        return {"lots": count}

    def _reclaim(self, now: datetime, after_step: Callable[[], None]) -> dict[str, object]:
        count = reclaim(self._book.tools, now, after_step)
        if count:
            LOG.info("reclaim: %d leases", count)
        return {"leases": count}

    def _prune(self, now: datetime, after_step: Callable[[], None]) -> dict[str, object]:
        store = self._book.store
        rows = prune(store, now, after_step) + mark_and_forget(store, now, after_step)
        return {"rows": rows, "visits": forget_quiet(store, now.date(), after_step)}

    def _is_night(self, ran: datetime, now: datetime) -> bool:
        """Once a night, by the clock of the first organisation."""
        with self._book.store.read() as connection:
            organisations = self._book.rules(connection).organisations
        zone = organisations[min(organisations)].zone if organisations else UTC
        is_night = now.astimezone(zone).hour in _NIGHT and now - ran > timedelta(hours=len(_NIGHT))
        return is_night or now - ran >= _RECOMPUTE_AT_LEAST_EVERY

    def _recompute(self, _now: datetime, after_step: Callable[[], None]) -> dict[str, object]:
        """Compare everything with the entries; a difference is a fault, and somebody must look (reliability 4.5)."""
        count = 0
        with self._book.store.read_aside() as connection:
            for difference in find_differences(connection, after_slice=after_step):
                count += 1
                if count <= _LINES_MOST:
                    LOG.error("recompute: %s", difference)
        self.differences = count
        if count:
            LOG.error("recompute: %d differences; run `pos-app ledger verify` and ask for help", count)
        return {"differences": count}
