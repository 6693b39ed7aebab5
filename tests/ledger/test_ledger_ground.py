"""What the ledger stands on: its database, its secrets, its tills."""

from __future__ import annotations

import _thread
import ast
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy import Column, MetaData, Table, Text, bindparam, event, select, update
from sqlalchemy.exc import DBAPIError
from support.a_ledger import BookKit, a_book, a_kit, asking
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, LOGIN, MOBILE, a_small_ledger, digest

import pos_app.ledger
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care.new_till import TillRefusedError, add_till, digest_of
from pos_app.ledger.databases.database import WAIT_S, Store, raise_rules_version
from pos_app.ledger.databases.prepared import Prepared
from pos_app.ledger.databases.sqlite import READERS
from pos_app.ledger.errors import BadDatabaseUrlError, LedgerBusyError, TillChangedError
from pos_app.ledger.secrets import LedgerSecrets, SecretsDamagedError
from pos_app.ledger.store import open_book

ROOM = Path(pos_app.ledger.__path__[0])


@contextmanager
def a_store(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[Store]:
    store = Store(f"sqlite:///{folder / 'ledger.db'}", FakeClock(), wait_s)
    try:
        yield store
    finally:
        store.close()


def _naming(words: str) -> set[str]:
    """The modules whose code, not their prose, names one of some words."""
    named = re.compile(words, re.IGNORECASE)
    return {
        file.name
        for file in ROOM.rglob("*.py")
        if any(named.search(each) for each in _code_of(ast.parse(file.read_text(encoding="utf-8"))))
    }


def _code_of(tree: ast.AST) -> Iterator[str]:
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
        elif isinstance(node, ast.Name | ast.Import | ast.ImportFrom):
            yield ast.unparse(node)


def test_each_kind_of_database_is_known_to_one_module() -> None:
    assert _naming(r"sqlite|pragma|sqlcipher") == {"sqlite.py"}
    # Of one column the order must be said, which is by number where nothing else is said.
    told = {"postgresql.py", "postgresql_feed.py", "people.py", "v0002_whole_ledger.py"}
    assert _naming(r"postgres|psycopg|pg_") == told


def test_the_database_is_durable_and_current(tmp_path: Path) -> None:
    with a_book(tmp_path) as book, book.store.read() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("synchronous", "foreign_keys")
        }
        version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    assert asked == {"synchronous": 2, "foreign_keys": 1}
    assert tuple(map(int, version.split("."))) >= (3, 51, 3)


def test_a_ledger_is_there_again_after_it_was_closed(tmp_path: Path) -> None:
    with a_book(tmp_path, a_small_ledger()):
        pass
    with a_book(tmp_path) as book:
        assert BookKit(book).ledger.check(asking(CUSTOMER, 100)).code == 800


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "oracle://host/db", "book:///x"])
def test_an_address_that_is_no_ledger_is_refused_with_a_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadDatabaseUrlError):
        open_book(url, secrets=LedgerSecrets.open(tmp_path), clock=FakeClock())


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database at all, but long enough to look like one" * 50)
    with pytest.raises(BadDatabaseUrlError, match="cannot be opened"), a_book(tmp_path):
        pass


def test_a_ledger_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with a_book(tmp_path) as book, book.store.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET number = 999 WHERE name = 'schema'")
    with pytest.raises(BadDatabaseUrlError, match="another version"), a_book(tmp_path):
        pass


def test_only_its_owner_can_read_a_new_database(tmp_path: Path) -> None:
    with a_book(tmp_path, a_small_ledger()):
        files = list(tmp_path.glob("ledger.db*"))
        assert len(files) == 3  # The database, its log and its index of the log.
        assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_a_plain_check_is_one_statement(tmp_path: Path) -> None:
    with a_kit(tmp_path, a_small_ledger()) as kit:
        till = kit.book.find_till(LOGIN)
        assert till is not None
        seen: list[str] = []
        with kit.book.store.read() as one, kit.book.store.read() as other:
            for each in (one, other):
                each.connection.driver_connection.set_trace_callback(seen.append)
        seen.clear()
        kit.book.check(till, asking(CUSTOMER, 100))
        kit.book.check(till, replace(asking(CUSTOMER, 100), customer=CustomerRef(IdentifierKind.MOBILE, MOBILE)))
        assert [each.split()[0] for each in seen] == ["SELECT", "SELECT"]


# --- Connections ---------------------------------------------------------------------------------------------------


def test_any_number_of_threads_share_a_few_connections(tmp_path: Path) -> None:
    with a_kit(tmp_path, a_small_ledger()) as kit:
        opened: list[object] = []
        event.listen(kit.book.store._engine, "connect", lambda connection, _record: opened.append(connection))
        answers: SimpleQueue[int] = SimpleQueue()
        for _ in range(30):  # As a server starts its threads, of which `threading` knows nothing.
            _thread.start_new_thread(lambda: answers.put(kit.ledger.check(asking(CUSTOMER, 100)).code), ())
        assert {answers.get(timeout=30) for _ in range(30)} == {800}
        assert len(opened) <= READERS


def test_a_read_sees_one_moment_whichever_way_its_statements_go(tmp_path: Path) -> None:
    numbers = select(schema.meta.c.number).where(schema.meta.c.name == "rules_version")
    quick = Prepared(numbers)
    with a_store(tmp_path) as store, store.read() as connection:
        assert quick.rows(connection, {}) == [(1,)]
        with store.write() as elsewhere:
            raise_rules_version(elsewhere)
        assert connection.execute(numbers).scalar_one() == 1
        assert quick.rows(connection, {}) == [(1,)]
        with store.read() as later:
            assert later.execute(numbers).scalar_one() == 2


def test_a_read_leaves_no_transaction_behind(tmp_path: Path) -> None:
    with a_store(tmp_path) as store:
        for _ in range(READERS * 2):
            with store.read() as connection:
                connection.execute(select(schema.meta.c.number))
            assert not connection.connection.driver_connection.in_transaction
            assert not connection.in_transaction()


def test_who_finds_no_connection_free_in_time_is_told_that_nothing_was_done(tmp_path: Path) -> None:
    with a_store(tmp_path, wait_s=0.01) as store:
        with store.write(), pytest.raises(LedgerBusyError), store.write():
            pass
        with store.write() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_a_connection_that_failed_is_replaced_by_a_fresh_one(tmp_path: Path) -> None:
    with a_store(tmp_path) as store:
        failed = []

        def fail() -> None:
            with store.read() as connection:
                failed.append(connection)
                connection.exec_driver_sql("SELECT nonsense")

        for _ in range(READERS * 2):
            with pytest.raises(DBAPIError):
                fail()
        assert len(set(failed)) == READERS * 2
        assert all(each.closed for each in failed)
        assert store.is_answering()


def test_a_connection_in_use_while_the_ledger_closes_is_closed_afterwards(tmp_path: Path) -> None:
    with a_store(tmp_path, wait_s=60) as store:
        with store.read() as connection:
            store.close()
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        assert connection.closed
        assert not store.is_answering()  # At once: nobody waits for a connection that never comes.


def test_a_failing_select_of_every_check_does_not_tell_whom_it_was_about(tmp_path: Path) -> None:
    missing = Table("missing", MetaData(), Column("value", Text))
    prepared = Prepared(select(missing.c.value).where(missing.c.value == bindparam("value")))
    with a_store(tmp_path) as store:
        with pytest.raises(DBAPIError) as failure, store.read() as connection:
            prepared.rows(connection, {"value": "919777785205"})
        assert "missing" in str(failure.value)
        assert "919777785205" not in str(failure.value)


# --- Secrets -------------------------------------------------------------------------------------------------------


def test_secrets_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "ledger.db.secrets"
    first, again = LedgerSecrets.open(folder), LedgerSecrets.open(folder)
    assert (first.pepper, first.admin_token, first.public_key) == (again.pepper, again.admin_token, again.public_key)
    assert (len(first.pepper), len(first.admin_token), first.key_id) == (32, 32, "k1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {each.name for each in folder.iterdir()} == {"pepper", "signing.key", "admin.token", "webhook.key"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_secrets_never_show_in_a_repr(tmp_path: Path) -> None:
    kept = LedgerSecrets.open(tmp_path)
    assert kept.admin_token not in repr(kept)
    assert str(kept.pepper) not in repr(kept)


@pytest.mark.parametrize(("name", "content"), [("pepper", b"short"), ("signing.key", b"{}"), ("signing.key", b"\xff")])
def test_a_damaged_secret_is_told_about_and_never_replaced(tmp_path: Path, name: str, content: bytes) -> None:
    LedgerSecrets.open(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SecretsDamagedError, match=name):
        LedgerSecrets.open(tmp_path)
    assert (tmp_path / name).read_bytes() == content


# --- Tills ---------------------------------------------------------------------------------------------------------


def test_a_till_is_known_by_its_login_and_the_digest_of_its_password(tmp_path: Path) -> None:
    with a_book(tmp_path, a_small_ledger()) as book:
        till = book.till(LOGIN, digest())
        assert till is not None
        assert (till.login, till.store, till.organisation_id) == (LOGIN, "014", 1)
        assert book.till(LOGIN, digest("wrong")) is None
        assert book.till("nobody", digest()) is None
        assert book.till(LOGIN, digest().upper()) is None


def test_a_till_added_by_one_process_is_known_to_another(tmp_path: Path) -> None:
    with a_book(tmp_path, a_small_ledger()) as first, a_book(tmp_path) as second:
        assert second.find_till("till.9") is None
        password = add_till(first, organisation_id=1, store="020", login="till.9", name="Till 9", program_id=973)
        assert len(password) >= 20
        till = second.till("till.9", digest_of(password))
        assert till is not None
        assert (till.store, till.currency, till.program_id) == ("020", "INR", 973)


@pytest.mark.parametrize(
    "till",
    [
        {"organisation_id": 9, "store": "1", "login": "a"},
        {"organisation_id": 1, "store": "1", "login": LOGIN},
        {"organisation_id": 1, "store": "1", "login": "a:b"},
        {"organisation_id": 1, "store": "1", "login": " "},
        {"organisation_id": 1, "store": "1", "login": "a", "program_id": 4711},
    ],
)
def test_a_till_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path, till: dict[str, object]) -> None:
    with a_book(tmp_path, a_small_ledger()) as book, pytest.raises(TillRefusedError, match=r"\.$"):
        add_till(book, **till)  # type: ignore[arg-type]


# --- Tills that change while they are at work ----------------------------------------------------------------------


def change_till(book: Book, **values: object) -> None:
    with book.store.write() as connection:
        connection.execute(update(schema.till).values(**values))
        raise_rules_version(connection)


def test_a_till_that_was_let_in_before_its_entry_changed_must_prove_itself_again(tmp_path: Path) -> None:
    with a_book(tmp_path, a_small_ledger()) as first, a_book(tmp_path) as second:
        till = second.till(LOGIN, digest())
        assert till is not None
        change_till(first, proof="0" * 64)
        with pytest.raises(TillChangedError):
            second.check(till, asking(CUSTOMER, 100))
        assert second.till(LOGIN, digest()) is None


def test_a_till_stays_what_it_was_while_others_change(tmp_path: Path) -> None:
    with a_book(tmp_path, a_small_ledger()) as first, a_book(tmp_path) as second:
        till = second.till(LOGIN, digest())
        assert till is not None
        add_till(first, organisation_id=1, store="020", login="till.9")
        assert second.check(till, asking(CUSTOMER, 100)).code == 800
