"""The journal on disk: exact rows, durable commits, damage, a full disk, and many threads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection, Engine, event
from support.builders import a_redemption
from support.clock import FakeClock
from support.files import DATABASE_KEY, bytes_in, redemptions

from pos_app.domain.redemption import FINAL, Kind, Redemption, State
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import StorageError
from pos_app.files.database import open_encrypted, version_of
from pos_app.journal import SqlJournal
from pos_app.journal.steps import STEPS
from pos_app.journal.tables import METADATA

NUMBERS = count()
"""Each of hypothesis's examples is another redemption, also when it tries one again."""
TESTS = Path(__file__).parent.parent


def open_at(path: Path, key_hex: str = DATABASE_KEY) -> SqlJournal:
    return SqlJournal.open(path, key_hex, FakeClock())


@pytest.fixture
def journal(path: Path) -> Iterator[SqlJournal]:
    opened = open_at(path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlJournal]:
    """One journal for all of hypothesis's examples."""
    opened = open_at(tmp_path_factory.mktemp("shared") / "journal.db")
    yield opened
    opened.close()


def closed_journal(path: Path, how_many: int = 200) -> list[Redemption]:
    """Leave a journal of so many rows behind, closed."""
    rows = [a_redemption(key=f"K{number:03}") for number in range(how_many)]
    journal = open_at(path)
    for row in rows:
        journal.add(row)
    journal.close()
    return rows


@settings(deadline=None)
@given(redemption=redemptions)
def test_every_redemption_round_trips_exactly(shared: SqlJournal, redemption: Redemption) -> None:
    redemption = replace(redemption, key=f"{next(NUMBERS)} {redemption.key}")
    shared.add(redemption)
    kept = shared.get(redemption.key)
    assert kept == redemption
    assert str(kept.worth) == str(redemption.worth)
    assert kept.created_at.tzinfo == UTC


@settings(deadline=None)
@given(before=redemptions, after=redemptions)
def test_every_next_state_round_trips_exactly(shared: SqlJournal, before: Redemption, after: Redemption) -> None:
    key = f"{next(NUMBERS)}"
    shared.add(replace(before, key=key, state=State.SENT))
    shared.put(replace(after, key=key))
    assert shared.get(key) == replace(after, key=key)


def test_rows_and_facts_survive_closing(path: Path) -> None:
    rows = closed_journal(path, 3)
    journal = open_at(path)
    journal.remember("operator", "Ada")
    journal.close()
    again = open_at(path)
    assert list(again.open_redemptions()) == rows
    assert again.recall("operator") == "Ada"
    again.close()


def test_a_key_is_added_once(journal: SqlJournal) -> None:
    journal.add(a_redemption(key="A"))
    with pytest.raises(ValueError, match="UNIQUE"):
        journal.add(a_redemption(200, key="A"))
    assert journal.get("A") == a_redemption(100, key="A")


def test_a_redemption_is_of_more_than_zero_points(journal: SqlJournal) -> None:
    for kind in Kind:
        if kind is not Kind.REVERSE:
            with pytest.raises(ValueError, match="CHECK"):
                journal.add(a_redemption(0, kind=kind))
    journal.add(a_redemption(0, kind=Kind.REVERSE))
    with pytest.raises(ValueError, match="CHECK"):
        journal.add(a_redemption(-1, key="B", kind=Kind.REVERSE))


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_redemption_does_not_move(journal: SqlJournal, state: State) -> None:
    journal.add(a_redemption(key="A", state=state))
    with pytest.raises(ValueError, match="final"):
        journal.put(a_redemption(key="A", state=State.READY))
    journal.put(a_redemption(key="A", state=state, message="printed"))
    assert journal.get("A").message == "printed"


def test_a_moment_without_a_time_zone_is_a_bug(journal: SqlJournal) -> None:
    with pytest.raises(ValueError, match="time zone"):
        journal.add(replace(a_redemption(), created_at=a_redemption().created_at.replace(tzinfo=None)))


def test_commits_are_synced_to_the_disk_without_a_write_ahead_log(path: Path) -> None:
    """The pragmas as SQLite has them in force, told by the connection of each commit."""
    seen: dict[str, object] = {}

    def look(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            seen[pragma] = driver.execute(f"PRAGMA {pragma}").fetchone()[0]

    event.listen(Engine, "commit", look)
    try:
        journal = open_at(path)
        journal.add(a_redemption())
        journal.close()
    finally:
        event.remove(Engine, "commit", look)
    extra = 3
    assert seen == {"journal_mode": "truncate", "synchronous": extra, "foreign_keys": 1}


def test_a_newer_journal_opens_for_reading_only_and_says_so(path: Path) -> None:
    rows = closed_journal(path, 2)
    engine = open_encrypted(path, DATABASE_KEY, pragmas={})
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE redemption ADD COLUMN from_the_future TEXT")
        connection.exec_driver_sql(f"PRAGMA user_version = {len(STEPS) + 1}")
        connection.commit()
    engine.dispose()
    journal = open_at(path)
    assert "newer" in str(journal.read_only_because)
    assert list(journal.open_redemptions()) == rows
    for write in (
        lambda: journal.add(a_redemption(key="NEW")),
        lambda: journal.put(rows[0]),
        lambda: journal.remember("name", "value"),
    ):
        with pytest.raises(StorageError, match="newer"):
            write()
    journal.close()


def test_the_steps_make_exactly_the_tables_the_statements_know(path: Path) -> None:
    closed_journal(path, 0)
    engine = open_encrypted(path, DATABASE_KEY, pragmas={})
    with engine.connect() as connection:
        for table in METADATA.sorted_tables:
            found = connection.exec_driver_sql(f"PRAGMA table_info({table.name})").mappings().all()
            assert [each["name"] for each in found] == [column.name for column in table.columns]
        assert version_of(connection) == len(STEPS)
    engine.dispose()


def test_open_redemptions_are_found_by_their_index(path: Path) -> None:
    closed_journal(path, 1)
    plans: list[str] = []

    def explain(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "NOT IN" in statement:
            driver = connection.connection.driver_connection
            assert driver is not None
            plans.extend(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}"))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        journal = open_at(path)
        assert len(journal.open_redemptions()) == 1
        journal.close()
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert any("redemption_open" in each for each in plans)


def test_nothing_personal_can_be_read_from_the_files(path: Path) -> None:
    redemption = replace(
        a_redemption(key="CANARYKEY0000000000000000A", bill_number="CANARYBILL", message="Canary Message"),
        customer=CustomerRef(IdentifierKind.MOBILE, "919800012345"),
        customer_label="Canary Label",
    )
    journal = open_at(path)
    journal.add(redemption)
    while_open = bytes_in(path.parent)
    assert journal.get(redemption.key) == redemption
    journal.close()
    for content in (while_open, bytes_in(path.parent)):
        assert len(content) > 4096
        assert b"SQLite format 3" not in content
        for canary in (b"CANARYKEY", b"CANARYBILL", b"Canary", b"9800012345", bytes.fromhex(DATABASE_KEY)):
            assert canary not in content
        assert DATABASE_KEY.encode() not in content
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_error_never_tells_what_was_to_be_kept(journal: SqlJournal) -> None:
    redemption = replace(a_redemption(0, key="A"), customer_label="Canary Label")
    with pytest.raises(ValueError, match="CHECK") as caught:
        journal.add(redemption)
    assert "Canary" not in repr(caught.value)
    assert "Canary" not in repr(caught.value.__cause__)


def test_many_threads_may_use_it_at_once(journal: SqlJournal) -> None:
    def one_thread(name: str) -> None:
        for number in range(20):
            redemption = a_redemption(key=f"{name}{number}")
            journal.add(redemption)
            journal.put(replace(redemption, state=State.SENT))
            journal.remember(name, str(number))
            assert journal.get(redemption.key).state is State.SENT
            assert len(journal.recent(5)) <= 5

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(one_thread, name) for name in "ABCDEFGH"]:
            done.result()
    kept = [each.key for each in journal.open_redemptions()]
    assert sorted(kept) == sorted(f"{name}{number}" for name in "ABCDEFGH" for number in range(20))
    for name in "ABCDEFGH":
        assert [key for key in kept if key[0] == name] == [f"{name}{number}" for number in range(20)]
        assert journal.recall(name) == "19"


def test_a_closed_journal_refuses_in_words(path: Path) -> None:
    journal = open_at(path)
    journal.close()
    journal.close()
    with pytest.raises(StorageError, match="closed"):
        journal.add(a_redemption())


def test_the_room_is_cheap_to_import() -> None:
    asked = "import sys, pos_app.journal, pos_app.cache; print(*({'sqlalchemy', 'sqlcipher3'} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
