"""`cache.db` as a file: encrypted, rebuilt when it is bad, never in the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event
from support.builders import NOW, a_customer, a_program, a_record, a_wallet, an_organisation, by_mobile
from support.cache_filler import fill, mobile_of
from support.clock import FakeClock
from support.files import ANOTHER_KEY, DATABASE_KEY, bytes_in, damage, full_disk
from support.raw_cache import set_version

from pos_app.cache import SqlCache
from pos_app.cache.tables import VERSION
from pos_app.domain.trouble import StorageError
from pos_app.files.database import UnreadableFileError

PAGE_BYTES = 4096


def open_at(path: Path, key_hex: str = DATABASE_KEY, *, read_only: bool = False) -> SqlCache:
    return SqlCache.open(path, key_hex, FakeClock(), read_only=read_only)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


@pytest.fixture
def cache(path: Path) -> Iterator[SqlCache]:
    opened = open_at(path)
    yield opened
    opened.close()


def closed_cache(path: Path, how_many: int = 1) -> None:
    """Leave a cache of so many customers behind, closed."""
    cache = open_at(path)
    fill(cache, how_many)
    cache.close()


def damage_most(path: Path) -> None:
    """Damage a cache that is open: all pages but the first ten, which hold what was read at the start."""
    for page in range(10, path.stat().st_size // PAGE_BYTES):
        damage(path, page * PAGE_BYTES + 100)


def bad_files(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.glob("cache.bad-*"))


@pytest.mark.parametrize("reason", ["wrong key", "first page", "truncated", "no database"])
def test_a_cache_that_cannot_be_opened_is_set_aside_and_made_anew(path: Path, reason: str) -> None:
    closed_cache(path)
    key_hex = ANOTHER_KEY if reason == "wrong key" else DATABASE_KEY
    if reason == "first page":
        damage(path, 100)
    elif reason == "truncated":
        path.write_bytes(path.read_bytes()[:2000])
    elif reason == "no database":
        path.write_bytes(b"something else " * 1000)
    bad = path.read_bytes()
    cache = open_at(path, key_hex)
    assert cache.find_customer(mobile_of(0)) is None
    assert list(cache.programs()) == []
    cache.keep_customer(a_record(), None, NOW)
    assert cache.find_customer(by_mobile()) == a_record()
    cache.close()
    assert bad_files(path) == ["cache.bad-20261122T100000Z"]
    assert (path.parent / "cache.bad-20261122T100000Z").read_bytes() == bad


def test_only_the_newest_bad_cache_is_kept(path: Path) -> None:
    clock = FakeClock()
    for _ in range(3):
        path.write_bytes(b"something else " * 1000)
        SqlCache.open(path, DATABASE_KEY, clock).close()
        clock.advance(60)
    assert bad_files(path) == ["cache.bad-20261122T100200Z"]


def test_damage_met_while_the_till_runs_costs_the_cache_and_nothing_else(path: Path) -> None:
    closed_cache(path, 3000)
    cache = open_at(path)
    damage_most(path)
    assert len(cache.programs()) == 1
    assert cache.find_customer(mobile_of(1500)) is None
    assert len(bad_files(path)) == 1
    assert list(cache.programs()) == [], "what the new file does not hold is not remembered beside it"
    cache.keep_organisation(an_organisation(), NOW)
    cache.keep_customer(a_record(), None, NOW)
    assert cache.find_customer(by_mobile("9812345678")) == a_record()
    cache.close()
    again = open_at(path)
    assert again.find_customer(by_mobile()) == a_record()
    assert len(bad_files(path)) == 1
    again.close()


def test_damage_is_met_by_many_threads_and_repaired_once(path: Path) -> None:
    closed_cache(path, 3000)
    cache = open_at(path)
    damage_most(path)

    def use(number: int) -> None:
        cache.find_customer(mobile_of(number))
        cache.keep_customer(a_record(customer=a_customer(number + 1)), None, NOW)

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(use, number) for number in range(40)]:
            done.result()
    cache.keep_customer(a_record(), None, NOW)
    assert cache.find_customer(by_mobile()) == a_record()
    cache.close()
    assert len(bad_files(path)) == 1


def test_a_cache_of_another_version_is_made_anew(path: Path) -> None:
    closed_cache(path)
    set_version(path, VERSION + 1)
    with pytest.raises(StorageError, match="another version"):
        open_at(path, read_only=True)
    cache = open_at(path)
    assert cache.find_customer(mobile_of(0)) is None
    cache.keep_customer(a_record(), None, NOW)
    assert cache.find_customer(by_mobile()) == a_record()
    cache.close()
    assert bad_files(path) == []


def test_a_write_that_fails_is_logged_and_forgotten(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = open_at(path)
    cache.keep_customer(a_record(), None, NOW)
    many = [(a_record(customer=a_customer(each, first_name="Canary" * 100)), None) for each in range(1, 3000)]
    with caplog.at_level(logging.WARNING), full_disk(200_000):
        cache.keep_customers(many, NOW)
    assert "could not be written" in caplog.text
    assert "Canary" not in caplog.text
    assert cache.find_customer(by_mobile()) == a_record()
    later = a_record(wallets=(a_wallet(7),))
    cache.keep_customer(later, None, NOW)
    assert cache.find_customer(by_mobile()) == later
    cache.close()
    assert bad_files(path) == []


def test_a_program_that_was_not_kept_is_not_remembered_either(path: Path) -> None:
    cache = open_at(path)
    with full_disk(1):
        cache.keep_program(a_program(), NOW)
        cache.keep_organisation(an_organisation(), NOW)
    assert list(cache.programs()) == []
    assert cache.organisation() is None
    cache.keep_program(a_program(), NOW)
    assert list(cache.programs()) == [a_program()]
    cache.close()


def test_a_reader_beside_a_running_window_sees_what_was_kept_and_keeps_nothing(path: Path, cache: SqlCache) -> None:
    cache.keep_organisation(an_organisation(), NOW)
    cache.keep_customer(a_record(), None, NOW)
    reader = open_at(path, read_only=True)
    assert reader.find_customer(by_mobile("9812345678")) == a_record()
    assert list(reader.programs()) == [a_program()]
    reader.keep_customer(a_record(wallets=()), None, NOW)
    reader.keep_program(a_program(974), NOW)
    assert reader.program(974) is None
    later = a_record(wallets=(a_wallet(7),))
    cache.keep_customer(later, None, NOW)
    assert reader.find_customer(by_mobile()) == later
    reader.close()
    assert cache.find_customer(by_mobile()) == later


def test_a_reader_works_also_when_no_window_runs(path: Path) -> None:
    closed_cache(path)
    reader = open_at(path, read_only=True)
    assert reader.find_customer(mobile_of(0)) is not None
    reader.close()


def test_a_reader_leaves_a_bad_cache_to_its_owner(path: Path) -> None:
    with pytest.raises(StorageError):
        open_at(path, read_only=True)
    assert list(path.parent.iterdir()) == []
    closed_cache(path)
    with pytest.raises(UnreadableFileError):
        open_at(path, ANOTHER_KEY, read_only=True)
    assert bad_files(path) == []
    assert open_at(path).find_customer(mobile_of(0)) is not None


def test_a_lookup_does_not_wait_for_a_write(path: Path) -> None:
    """The lookup is made inside the write's own transaction: it would wait for ever if it had to wait."""
    met: list[object] = []

    def look(_connection: Connection) -> None:
        if is_kept:
            met.append(cache.find_customer(by_mobile()))

    is_kept = False
    event.listen(Engine, "commit", look)
    try:
        cache = open_at(path)
        cache.keep_customer(a_record(), None, NOW)
        is_kept = True
        cache.keep_customer(a_record(wallets=()), None, NOW)
    finally:
        event.remove(Engine, "commit", look)
    assert met == [a_record()], "the lookup saw what stood before"
    assert cache.find_customer(by_mobile()) == a_record(wallets=())
    cache.close()


def test_nothing_personal_can_be_read_from_the_files(path: Path) -> None:
    her = a_customer(mobile="919800012345", email="canary@example.org", first_name="Canary", cards=("CANARYCARD",))
    cache = open_at(path)
    cache.keep_customer(a_record(customer=her), None, NOW)
    cache.keep_organisation(an_organisation(name="Canary Stores"), NOW)
    while_open = bytes_in(path.parent)
    assert cache.find_customer(by_mobile("919800012345")) == a_record(customer=her)
    cache.close()
    for content in (while_open, bytes_in(path.parent)):
        assert len(content) > 2 * PAGE_BYTES
        assert b"SQLite format 3" not in content
        for canary in (b"anary", b"CANARY", b"9800012345", bytes.fromhex(DATABASE_KEY), DATABASE_KEY.encode()):
            assert canary not in content
    assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}


def test_many_threads_may_use_it_at_once(cache: SqlCache) -> None:
    def one_thread(number: int) -> None:
        record = a_record(customer=a_customer(number, mobile=f"9198000000{number:02}"))
        for _ in range(20):
            cache.keep_customer(record, None, NOW)
            cache.keep_program(a_program(number + 1000), NOW)
            assert cache.find_customer(by_mobile(record.customer.mobile)) == record
            assert cache.program(number + 1000) is not None

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(one_thread, number) for number in range(1, 9)]:
            done.result()


def test_a_closed_cache_knows_nobody_and_keeps_nothing(path: Path) -> None:
    cache = open_at(path)
    cache.keep_customer(a_record(), None, NOW)
    cache.close()
    cache.close()
    assert cache.find_customer(by_mobile()) is None
    cache.keep_customer(replace(a_record(), wallets=()), None, NOW)
    again = open_at(path)
    assert again.find_customer(by_mobile()) == a_record()
    again.close()
