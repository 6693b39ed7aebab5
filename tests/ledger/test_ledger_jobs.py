"""What the ledger does by itself: points expire, what is old is forgotten, and every night everything is recomputed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from support.a_ledger import BookKit, a_kit, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.domain.answers import CancelOutcome
from pos_app.domain.commands import Cancel
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.entries import EntryKind
from pos_app.ledger.rulebook import to_ms

DAY = 24 * 3600.0


def _lines(*lots: dict[str, Any]) -> list[dict[str, Any]]:
    wallets = [{"program_id": PROGRAM, "lots": list(lots)}]
    return [an_organisation(), a_program(), a_till(), a_customer(wallets=wallets)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()  # 22 November 2026, 10:00 UTC: 15:30 in Kolkata.


@pytest.fixture
def kit(ledger_url: str, tmp_path: Path, clock: FakeClock) -> Iterator[BookKit]:
    """200 points until the 22nd, 300 until the end of 2035."""
    lots = _lines({"points": 200, "expires_on": "2026-11-22"}, {"points": 300, "expires_on": "2035-12-31"})
    with a_kit(tmp_path, lots, url=ledger_url, clock=clock) as made:
        yield made


def _entries(kit: BookKit, kind: EntryKind) -> list[Any]:
    with kit.book.store.read() as connection:
        entry = schema.entry
        return list(connection.execute(select(entry).where(entry.c.kind == kind).order_by(entry.c.id)).all())


def _outcome(kit: BookKit, name: str) -> dict[str, Any]:
    with kit.book.store.read() as connection:
        said = connection.execute(select(schema.job.c.outcome).where(schema.job.c.name == name)).scalar_one()
    found: dict[str, Any] = json.loads(said)
    return found


def test_points_last_to_the_end_of_their_day_in_the_organisations_zone(kit: BookKit, clock: FakeClock) -> None:
    jobs = Jobs(kit.book)
    clock.advance(8.4 * 3600)  # 23:54 in Kolkata; in UTC the day is not half over.
    jobs.run(at_once=True)
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(500)
    clock.advance(0.2 * 3600)
    jobs.run()
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(300)
    (entry,) = _entries(kit, EntryKind.EXPIRE)
    assert (entry.delta, entry.reason, entry.redemption_id) == (-200_000, "expired", None)
    assert kit.book.verify() == []


def test_expired_points_leave_once(kit: BookKit, clock: FakeClock) -> None:
    clock.advance(DAY)
    for _ in range(3):
        Jobs(kit.book).run(at_once=True)
    assert len(_entries(kit, EntryKind.EXPIRE)) == 1


def test_what_a_lease_holds_does_not_expire(kit: BookKit, clock: FakeClock) -> None:
    with kit.book.store.write() as connection:
        connection.execute(schema.lot.update().where(schema.lot.c.rem == 200_000).values(res=50_000))
    clock.advance(DAY)
    Jobs(kit.book).run(at_once=True)
    with kit.book.store.read() as connection:
        left = connection.execute(select(schema.lot.c.rem, schema.lot.c.res).order_by(schema.lot.c.id)).first()
    assert left == (50_000, 50_000)


def test_a_redemption_cancelled_after_its_points_expired_adds_up(kit: BookKit, clock: FakeClock) -> None:
    kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
    clock.advance(DAY)
    Jobs(kit.book).run(at_once=True)
    assert kit.ledger.cancel(Cancel(key="K1")).outcome is CancelOutcome.REVERSED
    Jobs(kit.book).run(at_once=True)
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(300)
    assert kit.book.verify() == []


def test_many_lots_expire_in_small_steps(ledger_url: str, tmp_path: Path, clock: FakeClock) -> None:
    shoppers = [
        a_customer(
            id=number, mobile=f"9198{number:08d}", email="", external_id="",
            wallets=[{"program_id": PROGRAM, "lots": [{"points": 10, "expires_on": "2026-11-22"}]}],
        )
        for number in range(1, 131)
    ]  # fmt: skip
    with a_kit(tmp_path, [*_lines()[:3], *shoppers], url=ledger_url, clock=clock) as kit:
        clock.advance(DAY)
        Jobs(kit.book).run()
        assert len(_entries(kit, EntryKind.EXPIRE)) == 130
        assert _outcome(kit, "expiry") == {"lots": 130}
        assert kit.book.verify() == []


def test_of_several_processes_one_runs_a_job(kit: BookKit, ledger_url: str, tmp_path: Path, clock: FakeClock) -> None:
    clock.advance(DAY)
    done: list[str] = []
    together = threading.Barrier(3)

    def work(book: Book) -> None:
        book.store.figures.listen(lambda happening, which: done.append(f"{happening} {which}"))
        together.wait(30)
        Jobs(book).run()

    with ExitStack() as stack:
        books = [stack.enter_context(a_kit(tmp_path, [], url=ledger_url, clock=clock)).book for _ in range(3)]
        threads = [threading.Thread(target=work, args=(book,)) for book in books]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(each for each in done if each.startswith("job")) == [
        "job_done expiry",
        "job_done pruning",
        "job_done reclaim",
    ]
    assert len(_entries(kit, EntryKind.EXPIRE)) == 1
    assert kit.book.verify() == []


def test_a_claim_of_a_process_that_died_is_taken_over_when_it_ends(kit: BookKit, clock: FakeClock) -> None:
    clock.advance(DAY)
    until = to_ms(clock.wall() + timedelta(minutes=4))
    with kit.book.store.write() as connection:
        connection.execute(insert(schema.job).values(name="expiry", claimed_until=until))
    Jobs(kit.book).run()
    assert _entries(kit, EntryKind.EXPIRE) == []
    clock.advance(241)
    Jobs(kit.book).run()
    assert len(_entries(kit, EntryKind.EXPIRE)) == 1


def test_old_codes_are_forgotten_and_new_ones_kept(kit: BookKit, clock: FakeClock) -> None:
    tables = (schema.otp, schema.code_try, schema.code_send)

    def leave_traces(count: int) -> None:
        now = to_ms(clock.wall())
        who = {"org": 1, "customer_id": CUSTOMER}
        moments = {"issued_at": now, "sent_at": now, "expires_at": now}
        with kit.book.store.write() as connection:
            for _ in range(count):
                connection.execute(insert(schema.otp).values(**who, **moments, nonce=b"12345678"))
                connection.execute(insert(schema.code_try).values(**who, till=LOGIN, at=now))
                connection.execute(insert(schema.code_send).values(**who, day=clock.wall().date().isoformat()))

    def counts() -> list[int]:
        with kit.book.store.read() as connection:
            return [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables]

    leave_traces(3)
    clock.advance(29 * DAY)
    Jobs(kit.book).run()
    assert counts() == [3, 3, 1]  # Sendings are counted by the day; the newest row always stays.
    clock.advance(3 * DAY)
    leave_traces(2)
    clock.advance(3601)
    Jobs(kit.book).run()
    assert counts() == [2, 2, 2]


def test_the_recompute_waits_for_the_night_and_names_a_fault(
    kit: BookKit, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = Jobs(kit.book)
    jobs.run()  # 15:30 in Kolkata: its first row only.
    with kit.book.store.write() as connection:
        connection.execute(schema.lot.update().where(schema.lot.c.rem == 300_000).values(rem=301_000))
    clock.advance(3600)
    jobs.run()
    assert jobs.differences == 0
    clock.advance(11 * 3600)  # 03:30
    jobs.run()
    assert jobs.differences == 1
    assert "its entries add up to 300000" in caplog.text
    assert _outcome(kit, "recompute") == {"differences": 1}


def test_the_thread_runs_what_is_due_and_stops_when_told(kit: BookKit, clock: FakeClock) -> None:
    clock.advance(DAY)
    jobs = Jobs(kit.book)
    jobs.start()
    waiting = threading.Event()
    for _ in range(400):
        if _entries(kit, EntryKind.EXPIRE):
            break
        waiting.wait(0.025)
    jobs.stop()
    assert len(_entries(kit, EntryKind.EXPIRE)) == 1
    assert "jobs" not in {thread.name for thread in threading.enumerate()}


def test_a_till_that_asks_what_the_ledger_can_do_was_seen(kit: BookKit, clock: FakeClock) -> None:
    def seen() -> list[int]:
        kit.book.seen.write_down()
        with kit.book.store.read() as connection:
            return list(connection.execute(select(schema.till_seen.c.at)).scalars())

    assert seen() == []
    first = to_ms(clock.wall())
    kit.ledger.capabilities()
    clock.advance(30)
    kit.ledger.capabilities()
    assert seen() == [first]
    clock.advance(31)
    kit.ledger.capabilities()
    assert seen() == [first + 61_000]
