"""A journal of an older version: it is copied, then taken forward; nothing of it is lost (reliability 4.4)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support.builders import NOW, a_redemption
from support.clock import FakeClock
from support.files import DATABASE_KEY, damage, full_disk
from support.held_kit import a_local, sealing

from pos_app.domain.redemption import Redemption, State
from pos_app.domain.trouble import StorageError
from pos_app.files.columns import moment_text
from pos_app.files.database import open_encrypted, version_of
from pos_app.journal import SqlJournal
from pos_app.journal.hashes import is_whole
from pos_app.journal.pages import PAGE_BYTES
from pos_app.journal.steps import STEPS
from pos_app.journal.tables import KEPT, METADATA
from pos_app.services.offline_port import JournalState

OF_VERSION_1 = (
    State.READY,
    State.SENT,
    State.UNKNOWN,
    State.CONFIRMED,
    State.REFUSED,
    State.CANCELLING,
    State.CANCELLED,
    State.REVERSED,
    State.PARKED,
)


def open_at(path: Path) -> SqlJournal:
    return SqlJournal.open(path, DATABASE_KEY, FakeClock())


def a_journal_of_version_1(path: Path, each: int = 1) -> list[Redemption]:
    """Leave one behind as its program did: rows in every state it knew, and facts."""
    rows = [
        a_redemption(100 + number, key=f"{state}{number}", state=state, changed_at=NOW, attempts=number, code=number)
        for state in OF_VERSION_1
        for number in range(each)
    ]
    engine = open_encrypted(path, DATABASE_KEY, pragmas={"journal_mode": "TRUNCATE", "synchronous": "EXTRA"})
    with engine.connect() as connection, connection.begin():
        for statement in STEPS[0]:
            assert isinstance(statement, str)
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("PRAGMA user_version = 1")
        for row in rows:
            connection.exec_driver_sql(
                "INSERT INTO redemption (key, state, customer_kind, customer_value, customer_id, customer_label,"
                " program_id, points, worth, created_at, program_group, skip_validation, changed_at, attempts, code,"
                " message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, '')",
                (
                    *(row.key, row.state.value, row.customer.kind.value, row.customer.value, row.customer_id),
                    *(row.customer_label, row.program_id, row.points.thousandths, str(row.worth)),
                    *(moment_text(row.created_at), moment_text(NOW), row.attempts, row.code),
                ),
            )
        connection.exec_driver_sql("INSERT INTO fact VALUES ('service.has_extension', 'yes', ?)", (moment_text(NOW),))
    engine.dispose()
    return rows


def names_in(engine: Engine, kind: str) -> set[str]:
    with engine.connect() as connection:
        told = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = ?", (kind,)).scalars().all()
    return {each for each in told if not each.startswith("sqlite_")}


def test_a_released_step_is_never_edited() -> None:
    """Tills in shops have run it: a change belongs into a new step."""
    told = [hashlib.sha256("\n".join(each for each in step if isinstance(each, str)).encode()) for step in STEPS[:1]]
    assert [each.hexdigest() for each in told] == ["a1e849daedfa43f1d9e9e01d9238192576997cedb603733080dec0df3f3f6b60"]


def test_a_journal_of_version_1_is_copied_and_taken_forward(path: Path) -> None:
    rows = a_journal_of_version_1(path)
    before = path.read_bytes()
    journal = open_at(path)
    assert list(reversed(journal.recent(99))) == rows
    assert [row.state for row in journal.open_redemptions()] == [row.state for row in rows if not_final(row)]
    assert journal.recall("service.has_extension") == "yes"
    assert journal.health().state is JournalState.OK
    assert journal.chain_head().till_epoch == 0
    assert journal.high_water() is None
    row = a_local(1, number=1, lease_id=None)
    journal.spend(row, sealing(row))
    assert journal.recent(1)[0].key == row.key, "what is new comes after what was there"
    journal.close()
    assert path.with_name(f"journal.db.before-{len(STEPS)}").read_bytes() == before


def not_final(row: Redemption) -> bool:
    return row.state not in {State.CONFIRMED, State.REFUSED, State.CANCELLED, State.REVERSED}


def test_an_upgraded_journal_is_made_as_a_new_one_is(path: Path, tmp_path: Path) -> None:
    a_journal_of_version_1(path)
    new = tmp_path / "new" / "journal.db"
    for each in (path, new):
        open_at(each).close()
    upgraded, fresh = (open_encrypted(each, DATABASE_KEY, pragmas={}) for each in (path, new))
    for kind in ("table", "index", "trigger"):
        assert names_in(upgraded, kind) == names_in(fresh, kind)
    assert names_in(fresh, "table") == {each.name for each in METADATA.sorted_tables}
    with upgraded.connect() as connection:
        assert version_of(connection) == len(STEPS)
        for kept in KEPT:
            found = connection.exec_driver_sql(f"SELECT * FROM {kept.name}").mappings().all()
            assert all(is_whole(kept.name, dict(row)) for row in found)
    upgraded.dispose()
    fresh.dispose()


def test_final_rows_of_before_stay_final(path: Path) -> None:
    a_journal_of_version_1(path)
    journal = open_at(path)
    with pytest.raises(ValueError, match="final"):
        journal.put(a_redemption(key="CONFIRMED0", state=State.READY))
    journal.close()


def test_without_room_for_the_copy_nothing_is_changed(path: Path) -> None:
    rows = a_journal_of_version_1(path)
    before = path.read_bytes()
    with full_disk(len(before) - 1), pytest.raises(StorageError, match="copied"):
        open_at(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.before-*"))
    journal = open_at(path)
    assert list(reversed(journal.recent(99))) == rows
    journal.close()


def test_a_damaged_journal_of_version_1_is_saved_as_far_as_its_pages_are_whole(path: Path) -> None:
    """Its rows had no hashes, so a row is believed where SQLCipher's seal of its page is right."""
    rows = a_journal_of_version_1(path, each=20)
    damage(path, path.stat().st_size - PAGE_BYTES + 3000)
    journal = open_at(path)
    saved = list(reversed(journal.recent(1000)))
    journal.close()
    assert 0 < len(saved) < len(rows)
    assert saved == [row for row in rows if row in saved]
    assert len(rows) - len(saved) <= 40
