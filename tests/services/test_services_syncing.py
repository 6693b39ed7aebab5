"""The sync of a till: a snapshot, then changes, whatever the ledger, the line and the disk do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.builders import CUSTOMER_ID, NOW, a_program, a_wallet, by_mobile
from support.clock import FakeClock
from support.fake_ledger import ScriptedLedger
from support.feed_ledger import A_SHOP, FeedLedger, gone, many_items, program_item, wallet_item
from support.files import DATABASE_KEY, full_disk

from pos_app.cache import SqlCache
from pos_app.domain.feed import FeedItem, Scope
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import LineDownError, NotAcceptedError, SlowDownError, SyncRefusedError, Trouble
from pos_app.services.feed_port import CacheState
from pos_app.services.line import Line
from pos_app.services.results import LineState
from pos_app.services.syncing import CHANGES_EVERY_S, SyncService, SyncStep

TICKS_MOST = 500


class Till:
    """A till that does nothing but sync."""

    def __init__(self, folder: Path, ledger: FeedLedger, scope: Scope = Scope.STORE) -> None:
        self.clock = FakeClock()
        self.ledger = ledger
        self.folder = folder
        self.cache = SqlCache.open(folder / "cache.db", DATABASE_KEY, self.clock)
        self.line = Line(ScriptedLedger(), self.clock)
        self.epochs: list[int] = []
        self.sync = SyncService(
            ledger,  # type: ignore[arg-type] - the feed's half is all that is asked
            self.cache,
            self.line,
            self.clock,
            scope=scope,
            on_epoch=self.epochs.append,
        )

    def run(self) -> None:
        """Tick until there is nothing more to do at once."""
        for _ in range(TICKS_MOST):
            if not self.sync.tick():
                return
        raise AssertionError("the sync does not come to rest")

    def later(self) -> None:
        """Half a minute later."""
        self.clock.advance(CHANGES_EVERY_S)
        self.run()

    def restarted(self, scope: Scope = Scope.STORE) -> Till:
        self.cache.close()
        return Till(self.folder, self.ledger, scope)

    def has(self, customer_id: int) -> bool:
        return self.cache.find_customer(CustomerRef(IdentifierKind.ID, str(customer_id))) is not None

    def balance(self) -> Points:
        record = self.cache.find_customer(by_mobile())
        assert record is not None
        return record.wallets[0].balance


@pytest.fixture
def ledger() -> FeedLedger:
    return FeedLedger()


@pytest.fixture
def till(tmp_path: Path, ledger: FeedLedger) -> Iterator[Till]:
    made = Till(tmp_path, ledger)
    yield made
    made.cache.close()


def test_a_till_without_anything_takes_a_snapshot_and_is_current(till: Till) -> None:
    assert till.sync.view().step is SyncStep.IDLE
    till.run()
    view = till.sync.view()
    assert (view.step, view.cache, view.fresh_at, view.trouble) == (SyncStep.CURRENT, CacheState.OK, NOW, None)
    assert till.has(CUSTOMER_ID)
    assert till.ledger.asked == ["snapshot", "changes"]
    assert till.line.view.state is LineState.ONLINE


def test_changes_are_asked_for_every_half_minute_and_no_sooner(till: Till) -> None:
    till.run()
    till.ledger.put(wallet_item(a_wallet(80), version=2))
    for _ in range(5):
        assert not till.sync.tick()
    assert till.balance() == Points.of(500)
    till.later()
    assert till.balance() == Points.of(80)
    assert till.ledger.asked.count("changes") == 2


def test_an_answer_of_our_own_that_moved_points_asks_for_changes_at_once(till: Till) -> None:
    till.run()
    till.ledger.put(wallet_item(a_wallet(380), version=2))
    till.sync.nudge()
    till.run()
    assert till.balance() == Points.of(380)


def test_a_line_that_is_back_asks_for_changes_at_once(till: Till) -> None:
    till.run()
    till.line.met(LineDownError())
    till.ledger.put(wallet_item(a_wallet(9), version=2))
    till.later()
    assert till.balance() == Points.of(500), "no line: nobody is asked"
    till.clock.advance(1)
    till.line.met(None)
    till.run()
    assert till.balance() == Points.of(9)


def test_pages_are_taken_one_a_tick_so_it_can_be_stopped_between_any_two(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger([*A_SHOP, *many_items(1500)]))
    assert till.sync.tick()
    first = till.sync.view()
    assert (first.step, first.rows_done) == (SyncStep.SNAPSHOT, 1000)
    till.clock.advance(2)
    assert till.sync.tick()
    second = till.sync.view()
    assert (second.rows_done, second.rows_total, second.rows_per_s) == (2000, 2000, 500.0)
    again = till.restarted()
    again.run()
    assert again.has(1500)
    assert again.ledger.asked.count("snapshot") == 1, "it went on where it was"
    assert again.sync.view().step is SyncStep.CURRENT
    again.cache.close()


def test_the_time_left_is_told_while_rows_come(tmp_path: Path) -> None:
    class Counting(FeedLedger):
        def snapshot(self, *args: object, **named: object):  # type: ignore[no-untyped-def]
            page = super().snapshot(*args, **named)  # type: ignore[arg-type]
            return type(page)(
                **{name: getattr(page, name) for name in page.__slots__} | {"counts": {"customers": 6000}}
            )

    till = Till(tmp_path, Counting([*A_SHOP, *many_items(2000)]))
    till.sync.tick()
    assert till.sync.view().left_s is None, "one page tells nothing of the speed"
    till.clock.advance(4)
    till.sync.tick()
    assert till.sync.view().left_s == pytest.approx(16.0)
    till.cache.close()


@pytest.mark.parametrize("reason", ["cursor_too_old", "scope_changed"])
def test_a_cursor_the_ledger_forgot_means_a_new_snapshot(till: Till, reason: str) -> None:
    till.run()
    till.ledger.put(gone("customer", CUSTOMER_ID), *many_items(3))
    till.ledger.log.clear()
    till.ledger.trouble = [SyncRefusedError(reason)]
    till.later()
    assert not till.has(CUSTOMER_ID)
    assert till.has(3)
    assert till.sync.view().step is SyncStep.CURRENT


@pytest.mark.parametrize("takes_old_cursors", [False, True])
def test_a_restored_ledger_means_a_new_snapshot_and_is_told_to_whoever_offers_rows_anew(
    till: Till, takes_old_cursors: bool
) -> None:
    till.ledger.takes_old_cursors = takes_old_cursors
    till.run()
    assert till.epochs == [3]
    till.ledger.restore()
    till.later()
    assert till.epochs == [3, 4]
    assert till.ledger.asked.count("snapshot") == 2
    state = till.cache.feed_state()
    assert state is not None
    assert state.epoch == 4


def test_an_epoch_that_changed_during_a_snapshot_begins_it_anew(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger([*A_SHOP, *many_items(1500)]))
    till.sync.tick()
    till.ledger.restore()
    till.run()
    state = till.cache.feed_state()
    assert state is not None
    assert state.epoch == 4
    assert till.has(1500)
    assert till.ledger.asked.count("snapshot") == 2
    till.cache.close()


def test_another_scope_in_the_settings_means_a_new_snapshot(till: Till) -> None:
    till.run()
    again = till.restarted(Scope.ALL)
    again.run()
    state = again.cache.feed_state()
    assert state is not None
    assert state.scope is Scope.ALL
    again.cache.close()


def test_a_ledger_that_tells_more_than_it_did_means_a_new_snapshot(till: Till) -> None:
    till.run()
    till.ledger.schema = 2
    till.later()
    state = till.cache.feed_state()
    assert state is not None
    assert state.schema == 2
    assert till.ledger.asked.count("snapshot") == 2


def test_a_page_that_expired_begins_the_snapshot_anew(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger([*A_SHOP, *many_items(1500)]))
    till.sync.tick()
    till.ledger.trouble = [SyncRefusedError("page_expired")]
    till.run()
    assert till.has(1500)
    assert till.ledger.asked.count("snapshot") == 2
    till.cache.close()


@pytest.mark.parametrize("trouble", [LineDownError(), NotAcceptedError(), SlowDownError(40), SyncRefusedError("busy")])
def test_trouble_is_shown_waited_out_and_tried_again(till: Till, trouble: Trouble) -> None:
    till.ledger.trouble = [trouble]
    till.run()
    view = till.sync.view()
    assert (view.step, view.trouble) == (SyncStep.WAITING, trouble)
    assert not till.has(CUSTOMER_ID)
    till.clock.advance(4)
    till.line.met(None)
    till.clock.advance(41)
    till.run()
    assert till.sync.view().trouble is None
    assert till.has(CUSTOMER_ID)


def test_waits_after_trouble_grow_to_five_minutes_and_no_further(till: Till) -> None:
    till.line.met(None)
    till.sync.tick()
    till.ledger.trouble = [NotAcceptedError() for _ in range(20)]
    waits = []
    for _ in range(9):
        till.sync.nudge()
        till.run()
        waited = 0
        while not till.sync.tick() and till.ledger.trouble and waited < 400:
            before = len(till.ledger.trouble)
            till.clock.advance(1)
            waited += 1
            till.sync.tick()
            if len(till.ledger.trouble) < before:
                break
        waits.append(waited)
    assert max(waits) <= 300
    assert waits[0] < waits[-1]


def test_a_full_disk_leaves_the_old_rows_and_tries_again_later(till: Till) -> None:
    till.run()
    till.ledger.put(*many_items(1500), wallet_item(a_wallet(7), version=2))
    with full_disk(60_000):
        till.later()
        assert till.cache.state is CacheState.FULL
        assert till.balance() == Points.of(500)
    till.clock.advance(301)
    till.run()
    assert till.balance() == Points.of(7)
    assert till.sync.view().cache is CacheState.OK


def test_a_full_disk_during_a_snapshot_gives_its_room_back_and_begins_anew_later(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger([*A_SHOP, *many_items(1500)]))
    with full_disk(200_000):
        till.run()
        assert list(tmp_path.glob("cache.next*")) == []
    till.clock.advance(301)
    till.run()
    assert till.has(1500)
    till.cache.close()


def test_a_new_snapshot_can_be_asked_for_and_the_old_rows_answer_meanwhile(till: Till) -> None:
    till.run()
    till.ledger.put(program_item(a_program(name="Platinum")))
    till.sync.start_anew()
    till.ledger.trouble = [LineDownError()]
    till.run()
    assert till.has(CUSTOMER_ID)
    till.line.met(None)
    till.clock.advance(10)
    till.run()
    assert till.ledger.asked.count("snapshot") == 3
    assert [each.name for each in till.cache.programs()] == ["Platinum"]


def test_a_cache_lost_while_the_till_runs_is_filled_again(till: Till) -> None:
    till.run()
    path = till.folder / "cache.db"
    size = path.stat().st_size
    with path.open("r+b") as content:
        content.seek(2048 * 10)
        content.write(b"\x00" * (size - 2048 * 10))
    till.ledger.put(*many_items(200))
    till.later()
    till.later()
    till.later()
    assert till.has(CUSTOMER_ID)
    assert till.has(200)


def test_rows_that_cannot_be_read_are_counted_and_stop_nothing(till: Till) -> None:
    bad = [FeedItem("coupon", 1, {"name": "x"}), FeedItem("wallet", 5, {"owner": 3})]
    till.ledger.put(*bad)
    till.run()
    assert till.has(CUSTOMER_ID)
    assert till.sync.view().skipped == 2
