"""A snapshot is put together beside the cache in use and takes its place when it is whole; until then the old stays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.builders import CUSTOMER_ID, MOBILE, NOW, a_customer, a_wallet, by_mobile
from support.clock import FakeClock
from support.feed_ledger import (
    A_SHOP,
    changes_page,
    customer_item,
    gone,
    many_items,
    organisation_item,
    snapshot_pages,
    wallet_item,
)
from support.files import DATABASE_KEY, damage, full_disk

from pos_app.cache import SqlCache
from pos_app.domain.feed import FeedItem
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.services.feed_port import CacheState, Stage

LATER = NOW + timedelta(hours=1)
CROWD = [organisation_item(), *many_items(60)]
PAGE_BYTES = 2048


def open_at(folder: Path) -> SqlCache:
    return SqlCache.open(folder / "cache.db", DATABASE_KEY, FakeClock())


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SqlCache]:
    opened = open_at(tmp_path)
    yield opened
    opened.close()


def finish(cache: SqlCache, *changes: FeedItem) -> None:
    """Do all that comes after the last page of rows."""
    while cache.index_snapshot():
        pass
    assert cache.put_snapshot_changes(changes_page(*changes)) is not None
    assert cache.finish_snapshot(LATER)


def take(cache: SqlCache, items: list[FeedItem] | tuple[FeedItem, ...], limit: int = 1000) -> None:
    for page in snapshot_pages(items, limit):
        assert cache.put_snapshot_page(page) is not None
    finish(cache)


def found(cache: SqlCache, customer_id: int) -> bool:
    return cache.find_customer(CustomerRef(IdentifierKind.ID, str(customer_id))) is not None


def next_files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.glob("cache.next*"))


def test_the_old_rows_answer_until_the_new_snapshot_is_whole(tmp_path: Path, cache: SqlCache) -> None:
    take(cache, A_SHOP)
    assert cache.state is CacheState.OK
    for page in snapshot_pages(CROWD, 50):
        cache.put_snapshot_page(page)
        assert cache.state is CacheState.REBUILDING
        assert found(cache, CUSTOMER_ID)
        assert not found(cache, 1)
        assert cache.search("Ada")
    cache.put_changes(changes_page(wallet_item(a_wallet(7), version=2)), NOW)
    assert [each.balance for each in cache.find_customer(by_mobile()).wallets] == [Points.of(7)]  # type: ignore[union-attr]
    finish(cache)
    assert cache.state is CacheState.OK
    assert not found(cache, CUSTOMER_ID), "no customer of before is left"
    assert found(cache, 1)
    assert found(cache, 60)
    assert next_files(tmp_path) == []


def test_every_row_of_a_snapshot_is_found_by_everything_it_carries(cache: SqlCache) -> None:
    take(cache, CROWD, limit=7)
    for number in (1, 30, 60):
        for ref in (
            CustomerRef(IdentifierKind.MOBILE, f"0000{number:05}".rjust(10, "9")),
            CustomerRef(IdentifierKind.EMAIL, f"C{number}@example.org"),
            CustomerRef(IdentifierKind.EXTERNAL_ID, f"X-{number:05}"),
        ):
            record = cache.find_customer(ref) or cache.find_customer(by_mobile(f"9190000{number:05}"))
            assert record is not None
            assert record.customer.customer_id == number
        assert {hit.customer_id for hit in cache.search(f"X-{number:05}")} == {number}
        assert number in {hit.customer_id for hit in cache.search(f"0{number:05}"[-5:])}
    assert len(cache.search("Fernandes")) == 20


def test_a_snapshot_that_was_cut_off_goes_on_at_the_page_it_had_reached(tmp_path: Path, cache: SqlCache) -> None:
    pages = snapshot_pages(CROWD, 40)
    for page in pages[:2]:
        cache.put_snapshot_page(page)
    reached = cache.snapshot_state()
    cache.close()
    again = open_at(tmp_path)
    assert again.snapshot_state() == reached
    assert reached is not None
    assert (reached.page, reached.rows_done, reached.stage) == (pages[1].next_page, 80, Stage.ROWS)
    for page in pages[2:]:
        again.put_snapshot_page(page)
    again.index_snapshot()
    again.close()
    last = open_at(tmp_path)
    finish(last)
    assert all(found(last, number) for number in range(1, 61))
    assert last.search("X-00060")
    last.close()


def test_a_whole_snapshot_whose_till_died_before_it_took_its_place_is_used_at_the_next_start(tmp_path: Path) -> None:
    cache = open_at(tmp_path)
    take(cache, A_SHOP)
    staged = tmp_path / "another"
    staged.mkdir()
    other = open_at(staged)
    take(other, CROWD)
    other.close()
    cache.close()
    (staged / "cache.db").rename(tmp_path / "cache.next.db")
    again = open_at(tmp_path)
    assert found(again, 60)
    assert not found(again, CUSTOMER_ID)
    assert next_files(tmp_path) == []
    again.close()


def test_changes_mend_what_was_read_while_the_ledger_went_on(cache: SqlCache) -> None:
    for page in snapshot_pages(CROWD):
        cache.put_snapshot_page(page)
    moved = a_customer(3, mobile="919000000004", email="", external_id="")
    bare = a_customer(4, mobile="", email="c4@example.org", external_id="X-00004")
    finish(
        cache,
        wallet_item(a_wallet(12), wallet_id=1, owner=1, version=2),
        gone("customer", 2),
        customer_item(moved),
        customer_item(bare),
    )
    first = cache.find_customer(CustomerRef(IdentifierKind.ID, "1"))
    assert first is not None
    assert [each.balance for each in first.wallets] == [Points.of(12)]
    assert first.as_of == LATER
    assert not found(cache, 2)
    record = cache.find_customer(by_mobile("919000000004"))
    assert record is not None
    assert record.customer.customer_id == 3


def test_a_number_that_two_customers_had_while_the_snapshot_was_read_finds_the_one_who_has_it(cache: SqlCache) -> None:
    """It went from one to the other and back; the snapshot saw both with it."""
    one = customer_item(a_customer(3, mobile=MOBILE, email="", external_id="X-3"))
    other = customer_item(a_customer(4, mobile=MOBILE, email="", external_id="X-4"))
    for page in snapshot_pages([one, other, *A_SHOP[:2]]):
        cache.put_snapshot_page(page)
    finish(cache, one, customer_item(a_customer(4, mobile="", email="", external_id="X-4")))
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.customer.customer_id == 3


def test_who_was_seen_on_this_till_lately_comes_first_also_after_a_snapshot(cache: SqlCache) -> None:
    take(cache, CROWD)
    assert cache.search("91900000005")[0].customer_id == 50
    cache.keep_rows(many_items(1, first=55), None, NOW)
    assert cache.search("91900000005")[0].customer_id == 55
    take(cache, CROWD)
    assert cache.search("91900000005")[0].customer_id == 55


def test_a_full_disk_costs_the_snapshot_and_nothing_else(tmp_path: Path, cache: SqlCache) -> None:
    take(cache, A_SHOP)
    with full_disk(150_000):
        kept = [cache.put_snapshot_page(page) for page in snapshot_pages(many_items(3000), 500)]
    assert None in kept
    assert cache.snapshot_state() is None
    cache.drop_snapshot()
    assert next_files(tmp_path) == [], "its room is given back"
    assert found(cache, CUSTOMER_ID)
    take(cache, CROWD)
    assert found(cache, 60)


def test_a_damaged_cache_is_set_aside_while_the_till_runs_and_a_snapshot_fills_the_new_one(
    tmp_path: Path, cache: SqlCache
) -> None:
    take(cache, many_items(3000))
    path = tmp_path / "cache.db"
    for page in range(20, path.stat().st_size // PAGE_BYTES):
        damage(path, page * PAGE_BYTES + 50)
    assert not found(cache, 1500)
    assert cache.feed_state() is None, "so the sync service takes a new snapshot"
    assert list(tmp_path.glob("cache.bad-*"))
    take(cache, CROWD)
    assert found(cache, 60)
    assert cache.feed_state() is not None


def test_a_damaged_snapshot_is_begun_anew(tmp_path: Path, cache: SqlCache) -> None:
    take(cache, A_SHOP)
    cache.put_snapshot_page(snapshot_pages(many_items(500), 600)[0])
    cache.close()
    staged = tmp_path / "cache.next.db"
    damage(staged, 100)
    again = open_at(tmp_path)
    assert again.snapshot_state() is None
    assert found(again, CUSTOMER_ID)
    assert [name for name in next_files(tmp_path) if ".bad-" not in name] == []
    take(again, CROWD)
    assert found(again, 60)
    again.close()


def test_a_cache_in_a_folder_that_takes_nothing_is_done_without_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    (tmp_path / "cache.db").mkdir()
    cache = SqlCache.open(tmp_path / "cache.db", DATABASE_KEY, clock)
    assert cache.state is CacheState.UNAVAILABLE
    assert cache.find_customer(by_mobile()) is None
    assert cache.put_changes(changes_page(), NOW) is None
    assert "goes on without its cache" in caplog.text
    (tmp_path / "cache.db").rmdir()
    assert cache.find_customer(by_mobile()) is None
    clock.advance(31)
    cache.find_customer(by_mobile())
    assert cache.state is CacheState.OK
    take(cache, A_SHOP)
    assert found(cache, CUSTOMER_ID)
    cache.close()


_KILLED = """
import sys
sys.path.insert(0, {tests!r})
from support.feed_ledger import many_items, snapshot_pages, organisation_item
from support.clock import FakeClock
from support.files import DATABASE_KEY
from pathlib import Path
from pos_app.cache import SqlCache
cache = SqlCache.open(Path({folder!r}) / "cache.db", DATABASE_KEY, FakeClock())
for page in snapshot_pages([organisation_item(), *many_items(400)], 100):
    cache.put_snapshot_page(page)
    print(page.next_page, flush=True)
    sys.stdin.readline()
"""


def test_a_till_killed_in_the_middle_of_a_snapshot_goes_on_where_it_was(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent.parent)
    script = _KILLED.format(tests=tests, folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{Path(tests).parent}:{tests}"},
    ) as till:
        assert till.stdout is not None
        assert till.stdin is not None
        for _ in range(3):
            token = till.stdout.readline().strip()
            till.stdin.write("\n")
            till.stdin.flush()
        reached = till.stdout.readline().strip()
        till.kill()
    assert token != reached
    cache = open_at(tmp_path)
    state = cache.snapshot_state()
    assert state is not None
    assert state.page == reached
    pages = snapshot_pages([organisation_item(), *many_items(400)], 100)
    for page in pages[4:]:
        cache.put_snapshot_page(page)
    finish(cache)
    assert all(found(cache, number) for number in (1, 200, 400))
    cache.close()


def test_the_files_of_a_snapshot_hold_nothing_that_can_be_read(tmp_path: Path, cache: SqlCache) -> None:
    her = a_customer(first_name="Canary", mobile=MOBILE)
    cache.put_snapshot_page(snapshot_pages([customer_item(her), *many_items(5)], 4)[0])
    cache.index_snapshot()
    content = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert len(content) > 3 * PAGE_BYTES
    for canary in (b"anary", b"9812345678", b"SQLite format"):
        assert canary not in content
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
