"""The tables of a ledger: made when it is new, brought up to date when an earlier version left it, else left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, inspect, select, text
from sqlalchemy.exc import DBAPIError
from support.a_ledger import BookKit, a_book, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, LOGIN, PASSWORD, PROGRAM, digest
from support.old_ledger import its_clock, make_old_ledger, secrets_folder, what_was_kept

from pos_app.domain.answers import CancelOutcome
from pos_app.domain.commands import Cancel
from pos_app.domain.points import Points
from pos_app.domain.request import FamilyGroupRef
from pos_app.ledger import schema
from pos_app.ledger.databases.backend import WRITER, backend_for
from pos_app.ledger.databases.database import Store
from pos_app.ledger.databases.upgrading import MIGRATIONS
from pos_app.ledger.errors import BadDatabaseUrlError

_OPEN_AT_ONCE = """
import sys
from pathlib import Path
from support.clock import FakeClock
from pos_app.ledger.databases.database import Store
sys.stdin.read(1)
Store(sys.argv[1], FakeClock()).close()
"""


@contextmanager
def _writing(url: str) -> Iterator[Connection]:
    """A writing transaction on a database, past everything the ledger does when it opens one."""
    backend, parsed = backend_for(url)
    engine = backend.open_engine(parsed)
    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        yield connection
    engine.dispose()


def _by_alembic_alone(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with _writing(url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _differences(url: str) -> list[Any]:
    with _writing(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema.metadata))


@contextmanager
def _opened(url: str, folder: Path) -> Iterator[BookKit]:
    secrets_folder(folder)
    with a_book(folder, url=url, clock=FakeClock(its_clock())) as book:
        yield BookKit(book)


@pytest.fixture
def old_url(empty_database_url: str) -> str:
    """A filled ledger of version 1."""
    make_old_ledger(empty_database_url)
    return empty_database_url


def _shape(url: str) -> dict[str, Any]:
    """Columns, keys, checks and indexes of all tables."""
    with _writing(url) as connection:
        seen = inspect(connection)
        return {name: _shape_of(seen, name) for name in schema.metadata.tables}


def _shape_of(seen: Inspector, name: str) -> tuple[Any, ...]:
    return (
        {each["name"]: (str(each["type"]), each["nullable"]) for each in seen.get_columns(name)},
        seen.get_pk_constraint(name)["constrained_columns"],
        sorted(str(each["sqltext"]) for each in seen.get_check_constraints(name)),
        sorted(tuple(each["column_names"]) for each in seen.get_unique_constraints(name)),
        sorted((*each["constrained_columns"], each["referred_table"]) for each in seen.get_foreign_keys(name)),
        sorted((str(each["name"]), *each["column_names"], bool(each["unique"])) for each in seen.get_indexes(name)),
    )


def test_the_steps_alone_make_the_tables_the_program_makes(empty_database_url: str) -> None:
    _by_alembic_alone(empty_database_url)
    by_steps = _shape(empty_database_url)
    assert _differences(empty_database_url) == []
    with _writing(empty_database_url) as connection:
        schema.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    Store(empty_database_url, FakeClock()).close()
    assert _differences(empty_database_url) == []
    assert _shape(empty_database_url) == by_steps


def test_a_new_ledger_is_stamped_with_the_newest_step(ledger_url: str) -> None:
    with_store = Store(ledger_url, FakeClock())
    with with_store.read() as connection:
        stamp = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    with_store.close()
    assert stamp == ScriptDirectory(str(MIGRATIONS)).get_heads() == [f"{schema.SCHEMA:04}"]


def test_a_filled_ledger_of_the_first_version_is_brought_up_to_date(old_url: str, tmp_path: Path) -> None:
    with _opened(old_url, tmp_path) as kit:
        assert kit.book.verify() == []
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(200)
        till = kit.book.till(LOGIN, digest(PASSWORD))
        assert till is not None
        with kit.book.store.read() as connection:
            numbers = {row.name: row.number for row in connection.execute(select(schema.meta))}
        assert numbers == {"schema": schema.SCHEMA, "epoch": 1, "rules_version": numbers["rules_version"], "audit": 0}
    assert _differences(old_url) == []


def test_its_redemptions_repeat_under_their_keys(old_url: str, tmp_path: Path) -> None:
    with _opened(old_url, tmp_path) as kit:
        kept = {row["key"]: row for row in what_was_kept()["tables"]["idem"]}
        again = {
            "K-PLAIN": redeeming(CUSTOMER, 250, "K-PLAIN", bill_number="B-1"),
            "K-REFUSED": redeeming(CUSTOMER, 9990, "K-REFUSED"),
            "K-FAMILY": redeeming(CUSTOMER, 400, "K-FAMILY", family_group=FamilyGroupRef(group_id=77)),
            "K-CODE": redeeming(CUSTOMER, 50, "K-CODE"),
            "K-CANCELLED": redeeming(CUSTOMER, 100, "K-CANCELLED"),
            "K-NEVER": redeeming(CUSTOMER, 100, "K-NEVER"),
            "H-1": redeeming(CUSTOMER, 120, "H-1"),
        }
        codes = {key: kit.ledger.redeem(each).code for key, each in again.items()}
        expected = {"K-PLAIN": 800, "K-REFUSED": 818, "K-FAMILY": 800, "K-CODE": 800}
        assert codes == expected | {"K-CANCELLED": 903, "K-NEVER": 903, "H-1": 800}
        assert set(kept) == set(again)
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(200)


def test_it_goes_on_where_it_was(old_url: str, tmp_path: Path) -> None:
    with _opened(old_url, tmp_path) as kit:
        code = what_was_kept()["live_code"]
        answer = kit.ledger.redeem(redeeming(CUSTOMER, 50, "K-NEXT", validation_code=code))
        assert answer.code == 800
        undone = kit.ledger.cancel(Cancel(key="K-PLAIN"))
        assert undone is not None
        assert undone.outcome is CancelOutcome.REVERSED
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(400)
        assert kit.book.verify() == []


def test_its_family_groups_are_found_by_their_names(old_url: str, tmp_path: Path) -> None:
    with _opened(old_url, tmp_path) as kit, kit.book.store.read() as connection:
        key = connection.execute(select(schema.family_group.c.name_key)).scalar_one()
        words = set(connection.execute(select(schema.family_group_word.c.word)).scalars())
    assert key == "the smith-jones family"
    assert {"the smith-jones family", "smith-jones family", "jones family", "family"} <= words


def test_its_entries_are_still_guarded(old_url: str, tmp_path: Path) -> None:
    with _opened(old_url, tmp_path):
        pass
    for act in ("UPDATE entry SET delta = 0", "DELETE FROM entry"):
        with pytest.raises(DBAPIError, match="never changed"), _writing(old_url) as connection:
            connection.exec_driver_sql(act)


def test_one_of_several_processes_brings_it_up_to_date(old_url: str, tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[1])
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                f"import sys; sys.path.insert(0, {tests!r})\n{_OPEN_AT_ONCE}",
                old_url,
            ],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for each in started:
        assert each.stdin is not None
        each.stdin.write("go")
        each.stdin.flush()
    told = [each.communicate(timeout=60)[1] for each in started]
    assert [each.returncode for each in started] == [0] * 4, told
    with _opened(old_url, tmp_path) as kit:
        assert kit.book.verify() == []
    assert _differences(old_url) == []


def test_an_upgrade_that_fails_changes_nothing(old_url: str) -> None:
    with _writing(old_url) as connection:
        connection.exec_driver_sql("CREATE TABLE loss (id INTEGER)")  # A step will stumble over it.
    with pytest.raises(BadDatabaseUrlError, match="cannot be opened"):
        Store(old_url, FakeClock())
    with _writing(old_url) as connection:
        assert connection.execute(text("SELECT number FROM meta WHERE name = 'schema'")).scalar_one() == 1
        assert "till_key" not in inspect(connection).get_table_names()
        assert "alembic_version" not in inspect(connection).get_table_names()


def test_a_ledger_of_a_version_to_come_is_refused(ledger_url: str, tmp_path: Path) -> None:
    with a_book(tmp_path, url=ledger_url) as book, book.store.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET number = 999 WHERE name = 'schema'")
    with pytest.raises(BadDatabaseUrlError, match=rf"another version .* of version 999, .* up to {schema.SCHEMA}"):
        Store(ledger_url, FakeClock())


def test_tables_of_another_program_are_left_alone(empty_database_url: str) -> None:
    with _writing(empty_database_url) as connection:
        connection.exec_driver_sql("CREATE TABLE customer (id INTEGER)")
    with pytest.raises(BadDatabaseUrlError, match="another program"):
        Store(empty_database_url, FakeClock())


def test_opening_a_ledger_that_is_up_to_date_loads_no_alembic(ledger_url: str) -> None:
    Store(ledger_url, FakeClock()).close()
    code = (
        "import sys\n"
        "from pos_app.files.clock import SystemClock\n"
        "from pos_app.ledger.databases.database import Store\n"
        "Store(sys.argv[1], SystemClock()).close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, ledger_url], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
