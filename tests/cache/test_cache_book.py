"""From a ledger's books over the wire into the cache of a till: what it then knows is what the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.a_ledger import a_book, by_id, redeeming
from support.clock import FakeClock
from support.feed_kit import bring_in
from support.files import DATABASE_KEY
from support.ledger_server import LOGIN
from support.row_shops import (
    CAMPAIGN,
    GOLD,
    HOME,
    JOINED_NOT,
    MARKED,
    OTHER,
    SILVER,
    TOMS,
    a_moving_shop,
    a_person,
    lots,
)

from pos_app.cache import SqlCache
from pos_app.domain.facts import CustomerRecord
from pos_app.domain.feed import ChangesPage, Scope, SnapshotPage
from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, FamilyGroupRef, RedemptionRequest
from pos_app.domain.rules import judge
from pos_app.ledger.book import Book
from pos_app.ledger.local import LocalLedger
from pos_app.services.line import Line
from pos_app.services.offline import facts_from
from pos_app.services.syncing import SyncService
from pos_app.wire.feed import read_changes, read_snapshot, write_changes, write_snapshot

PEOPLE = (TOMS, OTHER, JOINED_NOT, CAMPAIGN, MARKED)


class OverTheWire:
    """A book's feed as it arrives: written and read as HTTP would carry it."""

    def __init__(self, ledger: LocalLedger) -> None:
        self._sync = ledger.sync

    def snapshot(self, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        return read_snapshot(write_snapshot(self._sync.snapshot(scope, page, min(limit, 3))))

    def changes(self, cursor: str, limit: int = 500) -> ChangesPage:
        return read_changes(write_changes(self._sync.changes(cursor, min(limit, 3))))


@dataclass
class Shop:
    """A book, and one till that keeps its feed."""

    book: Book
    ledger: LocalLedger
    cache: SqlCache
    clock: FakeClock
    sync: SyncService

    def follow(self) -> None:
        """Let the till take all there is."""
        self.sync.nudge()
        for _ in range(500):
            if not self.sync.tick():
                return
        raise AssertionError("the sync does not come to rest")

    def kept(self, customer_id: int) -> CustomerRecord | None:
        return self.cache.find_customer(by_id(customer_id))

    def agrees(self) -> None:
        """Fail unless the till knows of everybody what a lookup at the ledger tells."""
        for customer_id in PEOPLE:
            kept, told = self.kept(customer_id), self.ledger.find_customer(by_id(customer_id))
            assert kept is not None
            assert told is not None
            assert kept.customer == told.customer
            assert kept.wallets == told.wallets
            assert kept.family_groups == told.family_groups
            assert kept.programs == tuple(sorted(told.programs, key=lambda each: (not each.is_default, each.name)))
        assert self.cache.organisation() == self.ledger.organisation()
        for program in (GOLD, SILVER):
            assert self.cache.program(program) == self.ledger.program(program)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    clock = FakeClock()
    (tmp_path / "till").mkdir()
    with a_book(tmp_path, a_moving_shop(), clock=clock) as book:
        ledger = LocalLedger(book, LOGIN)
        cache = SqlCache.open(tmp_path / "till" / "cache.db", DATABASE_KEY, clock)
        line = Line(ledger, clock)
        sync = SyncService(OverTheWire(ledger), cache, line, clock, scope=Scope.ALL)  # type: ignore[arg-type]
        made = Shop(book, ledger, cache, clock, sync)
        made.follow()
        yield made
        cache.close()


def test_a_snapshot_tells_the_till_what_the_ledger_knows(shop: Shop) -> None:
    shop.agrees()


def test_changes_tell_the_till_what_happened_since(shop: Shop) -> None:
    till = shop.book.find_till(LOGIN)
    assert till is not None
    for count, key in ((10, "6Q2P0V8RJX4M1TZC9WD3HKYB01"), (120, "6Q2P0V8RJX4M1TZC9WD3HKYB02")):
        assert shop.book.redeem(till, redeeming(TOMS, count, key)).refusal is None
    bring_in(shop.book, [a_person(OTHER, 2, first_name="Renamed", wallets=[lots(500), lots(7, SILVER)])])
    shop.follow()
    shop.agrees()
    kept = shop.kept(TOMS)
    assert kept is not None
    assert kept.wallets[0].balance == Points.of(370)
    assert [hit.customer_id for hit in shop.cache.search("renam")] == [OTHER]


QUESTIONS = (
    *(
        RedemptionRequest(customer=by_id(who), amount=AskedPoints(Points.of(count)), program_id=program)
        for who, count, program in (
            (TOMS, 120, GOLD),
            (TOMS, 125, GOLD),
            (TOMS, 510, GOLD),
            (TOMS, "40.125", SILVER),
            (MARKED, 10, GOLD),
            (JOINED_NOT, 10, GOLD),
            (CAMPAIGN, 10, GOLD),
        )
    ),
    RedemptionRequest(customer=by_id(TOMS), amount=AskedPoints(Points.of(500)), program_group=True),
    *(
        RedemptionRequest(
            customer=by_id(who), amount=AskedPoints(Points.of(count)), program_id=GOLD, family_group=named
        )
        for who, count, named in (
            (TOMS, 1000, FamilyGroupRef(group_id=HOME)),
            (TOMS, 1010, FamilyGroupRef(group_id=HOME)),
            (OTHER, 1000, FamilyGroupRef(external_id="FG-1")),
            (MARKED, 10, FamilyGroupRef(primary_user_id=TOMS)),
            (TOMS, 10, FamilyGroupRef(use_default=True)),
        )
    ),
)


@pytest.mark.parametrize("pooling", ["wallet", "members"])
def test_a_till_without_a_line_judges_as_the_ledger_does(shop: Shop, pooling: str) -> None:
    bring_in(shop.book, [dict(a_moving_shop(family_group_pooling=pooling)[0])])
    shop.follow()
    organisation = shop.cache.organisation()
    assert organisation is not None
    assert organisation.family_group_pooling == pooling
    outcomes = set()
    for request in QUESTIONS:
        record = shop.kept(int(request.customer.value))
        assert record is not None
        family = None
        if request.family_group is not None:
            family = shop.cache.find_family(request.family_group, record.customer)
            assert family is not None
        facts = facts_from(
            record,
            request,
            organisation=organisation,
            programs=shop.cache.programs(),
            now=shop.clock.wall(),
            family=family,
        )
        verdict, told = judge(request, facts), shop.ledger.check(request)
        assert verdict.is_allowed is told.is_redeemable
        assert (verdict.refusals[0] if verdict.refusals else None) == told.refusal
        outcomes.add(told.refusal)
    assert len(outcomes) > 4, "yes, and several kinds of no"
