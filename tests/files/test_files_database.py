"""Databases: the key, damage, versions and modes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import exc
from support.files import ANOTHER_KEY, DATABASE_KEY, damage, full_disk

from pos_app.domain.trouble import StorageError
from pos_app.files import database
from pos_app.files.database import (
    DRIVER,
    NewerFileError,
    SoleConnection,
    UnreadableFileError,
    bring_up_to_date,
    connect_encrypted,
    connect_plain,
    is_damage,
    open_encrypted,
    storage_error,
    version_of,
)

FIRST = ("CREATE TABLE note (text TEXT)", "INSERT INTO note VALUES ('first')")
SECOND = ("ALTER TABLE note ADD COLUMN colour TEXT",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


def make(path: Path, *steps: tuple[str, ...], key_hex: str = DATABASE_KEY) -> None:
    engine = open_encrypted(path, key_hex, pragmas={"journal_mode": "TRUNCATE"})
    with engine.connect() as connection:
        bring_up_to_date(connection, steps, path=path)
    engine.dispose()


def notes(path: Path, key_hex: str = DATABASE_KEY) -> list[tuple[str, ...]]:
    connection = connect_encrypted(path, key_hex, pragmas={}, read_only=True)
    found = connection.execute("SELECT * FROM note").fetchall()
    connection.close()
    return list(found)


def test_what_is_written_under_a_key_is_read_under_it(path: Path) -> None:
    make(path, FIRST)
    assert notes(path) == [("first",)]


def test_a_wrong_key_is_told_at_once_and_quietly(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make(path, FIRST)
    with pytest.raises(UnreadableFileError, match=r"some\.db"):
        open_encrypted(path, ANOTHER_KEY, pragmas={})
    with pytest.raises(UnreadableFileError):
        connect_encrypted(path, ANOTHER_KEY, pragmas={})
    assert capfd.readouterr() == ("", "")


def test_damage_of_the_first_page_is_told_at_once(path: Path) -> None:
    make(path, FIRST)
    damage(path, 100)
    with pytest.raises(UnreadableFileError):
        open_encrypted(path, DATABASE_KEY, pragmas={})


@pytest.mark.parametrize("key", ["", "secret", "0f" * 31, "0g" * 32, DATABASE_KEY + "0"])
def test_a_key_is_64_hexadecimal_digits(path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="64"):
        open_encrypted(path, key, pragmas={})
    assert not path.exists()


def test_only_the_owner_can_read_a_database_and_the_files_beside_it(path: Path) -> None:
    engine = open_encrypted(path, DATABASE_KEY, pragmas={"journal_mode": "WAL"})
    with engine.begin() as connection:
        connection.exec_driver_sql(FIRST[0])
    beside = sorted(path.parent.iterdir())
    assert [each.name for each in beside] == ["some.db", "some.db-shm", "some.db-wal"]
    assert {each.stat().st_mode & 0o777 for each in beside} == {0o600}
    engine.dispose()


def test_a_database_others_could_read_is_closed_to_them(path: Path) -> None:
    make(path, FIRST)
    path.chmod(0o644)
    make(path, FIRST)
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_transaction_takes_the_right_to_write_at_its_start(path: Path) -> None:
    """Two that read first and write later would both see the same points."""
    make(path, FIRST)
    pragmas = {"journal_mode": "TRUNCATE", "busy_timeout": 1}
    one, two = (open_encrypted(path, DATABASE_KEY, pragmas=pragmas) for _ in range(2))
    with one.begin() as holder, two.connect() as other:
        assert holder.exec_driver_sql("SELECT count(*) FROM note").scalar() == 1
        with pytest.raises(exc.OperationalError, match="locked"):
            other.exec_driver_sql("SELECT count(*) FROM note")
    one.dispose()
    two.dispose()


def test_a_transaction_that_fails_keeps_no_row_of_it(path: Path) -> None:
    make(path, FIRST)
    engine = open_encrypted(path, DATABASE_KEY, pragmas={})

    def insert_two() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO note VALUES ('second')")
            connection.exec_driver_sql("INSERT INTO nowhere VALUES ('third')")

    with pytest.raises(exc.OperationalError):
        insert_two()
    engine.dispose()
    assert notes(path) == [("first",)]


def test_steps_run_once_each_and_a_file_with_content_is_copied_first(path: Path) -> None:
    make(path, FIRST)
    make(path, FIRST)
    assert notes(path) == [("first",)]
    assert list(path.parent.glob("*.before-*")) == []
    make(path, FIRST, SECOND)
    assert notes(path) == [("first", None)]
    copy = path.with_name("some.db.before-2")
    assert notes(copy) == [("first",)]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_step_that_fails_half_way_leaves_the_file_as_it_was(path: Path) -> None:
    make(path, FIRST)
    with pytest.raises(exc.OperationalError):
        make(path, FIRST, (*SECOND, "INSERT INTO nowhere VALUES (1)"))
    assert notes(path) == [("first",)]
    make(path, FIRST, SECOND)
    assert notes(path) == [("first", None)]


def test_a_file_of_a_newer_program_is_not_touched(path: Path) -> None:
    make(path, FIRST, SECOND)
    with pytest.raises(NewerFileError, match="newer"):
        make(path, FIRST)
    engine = open_encrypted(path, DATABASE_KEY, pragmas={})
    with engine.connect() as connection:
        assert version_of(connection) == 2
    engine.dispose()


def test_a_reader_makes_no_file_and_writes_none(path: Path) -> None:
    with pytest.raises(StorageError, match=r"no some\.db"):
        connect_encrypted(path, DATABASE_KEY, pragmas={}, read_only=True)
    assert not path.exists()
    make(path, FIRST)
    reader = connect_encrypted(path, DATABASE_KEY, pragmas={}, read_only=True)
    with pytest.raises(DRIVER.OperationalError, match="readonly"):
        reader.execute("INSERT INTO note VALUES ('second')")
    reader.close()


def test_a_folder_that_takes_no_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="may not write"):
        open_encrypted(tmp_path / "file" / "some.db", DATABASE_KEY, pragmas={})


def test_a_full_disk_is_told_in_a_sentence_and_a_fresh_connection_goes_on(path: Path) -> None:
    make(path, FIRST)
    engine = open_encrypted(path, DATABASE_KEY, pragmas={"journal_mode": "TRUNCATE"})
    sole = SoleConnection(engine)
    big = "x" * 100_000
    with full_disk(path.stat().st_size), pytest.raises(exc.DBAPIError) as caught, sole.use().begin():
        sole.use().exec_driver_sql("INSERT INTO note VALUES (?)", (big,))
    assert not is_damage(caught.value)
    assert "nothing was kept" in str(storage_error(caught.value))
    sole.drop()
    with sole.use().begin():
        sole.use().exec_driver_sql("INSERT INTO note VALUES ('second')")
    sole.drop()
    engine.dispose()
    assert notes(path) == [("first",), ("second",)]


def test_an_error_does_not_tell_what_was_to_be_written(path: Path) -> None:
    engine = open_encrypted(path, DATABASE_KEY, pragmas={})
    with engine.connect() as connection, pytest.raises(exc.DBAPIError, match="nowhere") as caught:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", ("Canary",))
    assert "Canary" not in str(caught.value)
    engine.dispose()


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("database or disk is full", "disk of this till is full"),
        ("attempt to write a readonly database", "may not write"),
        ("unable to open database file", "may not write"),
        ("database is locked", "Another program"),
        ("database disk image is malformed", "damaged"),
        ("file is not a database", "damaged"),
        ("disk I/O error", "Check the disk"),
    ],
)
def test_each_failure_of_the_driver_has_its_sentence(told: str, sentence: str) -> None:
    assert sentence in str(storage_error(DRIVER.OperationalError(told)))


def test_a_plain_database_needs_no_key_and_is_in_autocommit(path: Path) -> None:
    connection = connect_plain(path, pragmas={"foreign_keys": "ON"})
    for statement in FIRST:
        connection.execute(statement)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    connection.close()
    assert path.read_bytes().startswith(b"SQLite format 3")
    again = connect_plain(path, read_only=True)
    assert again.execute("SELECT * FROM note").fetchall() == [("first",)]
    again.close()


def test_a_sqlite_with_the_wal_fault_is_refused_and_ours_is_not() -> None:
    with pytest.raises(StorageError, match=r"SQLite 3\.51\.2"):
        database._refuse_faulty_wal((3, 51, 2))
    database._refuse_faulty_wal(DRIVER.sqlite_version_info)
