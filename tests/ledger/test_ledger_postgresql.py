"""What only a ledger on PostgreSQL must stand: addresses, lost connections, deadlocks, keys that race, locked rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DBAPIError
from support.a_ledger import BookKit, a_kit, asking, redeeming
from support.clock import FakeClock
from support.databases import PostgresqlServer, a_server
from support.ledger_server import CUSTOMER, PROGRAM, a_customer, a_small_ledger

from pos_app.domain.points import Points
from pos_app.ledger import redeeming as redeeming_module
from pos_app.ledger import schema
from pos_app.ledger.commands import CannotOpenError, LedgerPlace
from pos_app.ledger.databases.database import TRIES_MAX, LostRaceError, Store
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.errors import BadDatabaseUrlError, LedgerBusyError
from pos_app.ledger.idempotency import keep_key

OTHER = 50002


@pytest.fixture
def url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    name = postgresql_server.fresh()
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture
def kit(tmp_path: Path, url: str) -> Iterator[BookKit]:
    other = a_customer(id=OTHER, mobile="919000000002", email=None, external_id=None)
    with a_kit(tmp_path, [*a_small_ledger(), other], url=url) as made:
        yield made


# --- Addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begins", ["postgresql://", "postgresql+psycopg://"])
def test_an_address_may_name_the_driver(url: str, begins: str) -> None:
    store = Store(url.replace("postgresql://", begins), FakeClock())
    assert store.is_answering()
    store.close()


def test_a_ledger_on_a_server_keeps_its_secrets_in_the_data_folder(tmp_path: Path) -> None:
    over_a_socket = LedgerPlace("postgresql:///ledger?host=/run/postgresql", None, tmp_path)
    over_a_line = LedgerPlace("postgresql://ledger@database.example/ledger", None, tmp_path)
    assert over_a_socket.secrets == over_a_line.secrets == tmp_path / "ledger-secrets"


def test_a_server_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadDatabaseUrlError, match="cannot be opened"):
        Store(f"postgresql:///ledger?host={tmp_path}", FakeClock())


def test_a_database_without_a_ledger_has_nothing_to_be_verified(postgresql_server: PostgresqlServer) -> None:
    name = postgresql_server.name()
    place = LedgerPlace(postgresql_server.new(name), Path("secrets-nobody-makes"), Path())
    with pytest.raises(CannotOpenError, match="there is no ledger in this database"):
        place.open_store(must_exist=True)
    postgresql_server.drop(name)


# --- Connections ---------------------------------------------------------------------------------------------------


def test_a_read_sees_one_moment(url: str) -> None:
    numbers = select(schema.meta.c.number).where(schema.meta.c.name == "rules_version")
    store = Store(url, FakeClock())
    with store.read() as connection:
        before = connection.execute(numbers).scalar_one()
        with store.write() as elsewhere:
            elsewhere.execute(update(schema.meta).where(schema.meta.c.name == "rules_version").values(number=77))
        assert connection.execute(numbers).scalar_one() == before
    with store.read() as connection:
        assert connection.execute(numbers).scalar_one() == 77
    store.close()


def test_nothing_can_be_written_where_only_reading_was_asked_for(url: str) -> None:
    store = Store(url, FakeClock())
    with pytest.raises(DBAPIError, match="read-only"), store.read() as connection:
        connection.execute(update(schema.meta).values(number=0))
    assert store.is_answering()
    store.close()


def test_connections_the_server_hung_up_on_are_replaced_unnoticed(tmp_path: Path) -> None:
    with a_server(is_durable=True) as server, a_kit(tmp_path, a_small_ledger(), url=server.new("ledger")) as kit:
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 800
        server.stop()
        assert not kit.book.is_ready()
        server.start()
        assert kit.book.is_ready()
        assert kit.ledger.check(asking(CUSTOMER, 100)).code == 800
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K2")).code == 800
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(300)


def test_a_connection_that_is_cut_in_the_middle_undoes_its_work(kit: BookKit) -> None:
    def be_cut(connection: Connection) -> None:
        connection.execute(update(schema.lot).values(rem=0))
        (pid,) = connection.exec_driver_sql("SELECT pg_backend_pid()").one()
        with kit.book.store.write() as elsewhere:
            elsewhere.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
        connection.execute(update(schema.lot).values(rem=1))

    with pytest.raises(DBAPIError):
        kit.book.store.writing(be_cut)
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(500)
    assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 800


# --- Races the database decides ------------------------------------------------------------------------------------


def _wallet_ids(kit: BookKit) -> list[int]:
    with kit.book.store.read() as connection:
        return list(connection.execute(select(schema.wallet.c.id).order_by(schema.wallet.c.id)).scalars())


def test_two_that_lock_crosswise_both_end_well(kit: BookKit) -> None:
    first, second = _wallet_ids(kit)
    met = threading.Barrier(2)
    tries: list[int] = []

    def crosswise(mine: int, yours: int) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            tries.append(mine)
            hold_wallets(connection, {mine})
            if len(tries) <= 2:
                met.wait(10)
            hold_wallets(connection, {yours})
            return mine

        return work

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(kit.book.store.writing, crosswise(first, second))
        other = pool.submit(kit.book.store.writing, crosswise(second, first))
        assert (one.result(), other.result()) == (first, second)
    assert len(tries) == 3  # One of them was given up by the database and ran again.


def test_who_loses_every_time_is_told_that_the_ledger_is_busy(kit: BookKit) -> None:
    tries: list[int] = []

    def lose(_connection: object) -> None:
        tries.append(1)
        raise LostRaceError

    with pytest.raises(LedgerBusyError):
        kit.book.store.writing(lose)
    assert len(tries) == TRIES_MAX == 8


def test_a_key_that_another_copy_keeps_first_is_found_at_the_second_try(kit: BookKit) -> None:
    row = {"org": 1, "key": "K1", "state": "CANCELLED", "fingerprint": "", "outcome": "{}", "created_at": 0}
    kept, seen = threading.Event(), []

    def slow(connection: Connection) -> str:
        keep_key(connection, row)
        kept.set()
        # The other one now waits for this key; nothing else would show that it has come so far.
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not connection.exec_driver_sql(waiting).scalar_one():
            pass
        return "kept"

    def late(connection: Connection) -> str:
        known = connection.execute(select(schema.idem.c.key)).scalars().all()
        seen.append(list(known))
        if known:
            return "found"
        keep_key(connection, row)
        return "kept"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kit.book.store.writing, slow)
        assert kept.wait(10)
        second = pool.submit(kit.book.store.writing, late)
        assert (first.result(30), second.result(30)) == ("kept", "found")
    assert seen == [[], ["K1"]]


def test_a_wallet_that_came_after_the_first_look_is_locked_before_it_is_judged(
    kit: BookKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[set[int]] = []

    def noted(connection: Connection, wallet_ids: set[int]) -> None:
        held.append(set(wallet_ids))
        hold_wallets(connection, wallet_ids)

    monkeypatch.setattr(redeeming_module, "hold_wallets", noted)
    (first, *_) = _wallet_ids(kit)
    till = kit.book.find_till("till.014.3")
    assert till is not None
    command = redeeming(CUSTOMER, 100, "K1")
    answer = kit.book.store.writing(
        lambda connection: redeeming_module._once(kit.book.tools, connection, till, command, None, set())
    )
    assert answer.code == 800
    assert held == [set(), {first}]


def test_other_customers_are_served_while_one_is_locked(kit: BookKit) -> None:
    with kit.book.store.write() as connection, ThreadPoolExecutor(1) as elsewhere:
        hold_wallets(connection, _wallet_ids(kit)[:1])
        other = elsewhere.submit(kit.ledger.redeem, redeeming(OTHER, 100, "K1")).result(30)
        check = elsewhere.submit(kit.ledger.check, asking(CUSTOMER, 100)).result(30)
    assert (other.code, check.code) == (800, 800)


def test_entries_cannot_be_thrown_away_all_at_once(kit: BookKit) -> None:
    with pytest.raises(DBAPIError, match="never changed"), kit.book.store.write() as connection:
        connection.exec_driver_sql("TRUNCATE entry")
