"""Verify recomputes the ledger from its entries and finds whatever was changed behind its back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from support.a_ledger import BookKit, a_kit, redeeming
from support.ledger_server import CUSTOMER, a_small_ledger

from pos_app.domain.commands import Cancel
from pos_app.ledger.care import audit


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[BookKit]:
    with a_kit(tmp_path, url=ledger_url, lines=a_small_ledger()) as made:
        made.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
        made.ledger.redeem(redeeming(CUSTOMER, 50, "K2"))
        made.ledger.cancel(Cancel(key="K2"))
        yield made


def _tamper(kit: BookKit, *statements: str) -> None:
    with kit.book.store.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _without_guards(kit: BookKit) -> list[str]:
    with kit.book.store.read() as connection:
        of_table = " ON entry" if connection.dialect.name == "postgresql" else ""
    return [f"DROP TRIGGER entry_no_{act}{of_table}" for act in ("update", "delete")]


def _found(kit: BookKit) -> set[str]:
    return {difference.invariant for difference in kit.book.verify()}


def test_a_sound_ledger_has_no_differences(kit: BookKit) -> None:
    assert kit.book.verify() == []


def test_a_tampered_balance_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE lot SET rem = rem + 1000")
    (difference,) = kit.book.verify()
    assert difference.invariant == "I5"
    assert str(difference) == "I5 lot 1: 401000 thousandths left, its entries add up to 400000"


def test_a_reservation_without_a_lease_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE lot SET res = 1")
    assert _found(kit) == {"I1"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET delta = delta - 1000 WHERE id = 2",
        "UPDATE entry SET till = 'other' WHERE id = 2",
        "UPDATE entry SET at = at + 1 WHERE id = 2",
        "DELETE FROM entry WHERE id = 1",
        "DELETE FROM entry WHERE id = (SELECT max(id) FROM entry)",
        "DELETE FROM entry",
    ],
)
def test_a_changed_or_missing_entry_breaks_its_chain(kit: BookKit, change: str) -> None:
    _tamper(kit, *_without_guards(kit), change)
    assert "CHAIN" in _found(kit)


def test_a_redemption_that_says_other_points_than_its_entries_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE redemption SET points = points + 1 WHERE id = 1")
    assert _found(kit) == {"I5"}


def test_a_key_that_says_redeemed_without_a_redemption_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE idem SET redemption = NULL WHERE key = 'K1'")
    assert _found(kit) == {"I5"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE share SET points = points + 1000 WHERE id = 1",
        "UPDATE share SET reversed = 1000 WHERE id = 1",
        "UPDATE redemption SET reversed = 1000 WHERE id = 1",
        "UPDATE reversal SET points = points + 1000",
        "UPDATE reversal SET expired = 1000",
        "DELETE FROM reversal",
        "UPDATE redemption SET redemption_id = 'OTHER' WHERE id = 1",
        "UPDATE redemption SET key = 'OTHER' WHERE id = 1",
        "UPDATE idem SET state = 'REFUSED' WHERE key = 'K1'",
        "UPDATE idem SET redemption = 2 WHERE key = 'K1'",
    ],
)
def test_redemptions_shares_reversals_and_keys_tell_the_same(kit: BookKit, change: str) -> None:
    _tamper(kit, change)
    assert _found(kit) == {"I5"}


def test_points_lost_by_a_store_are_part_of_what_its_receipts_say(kit: BookKit) -> None:
    _tamper(kit, "UPDATE redemption SET points = points + 1000 WHERE id = 1")
    assert _found(kit) == {"I5"}
    _tamper(
        kit,
        "INSERT INTO loss (org, store, till, key, points, at, why) VALUES (1, '014', 'till.014.3', 'K1', 1000, 0, '')",
    )
    assert kit.book.verify() == []


def test_an_audit_row_that_was_changed_or_cut_is_found(kit: BookKit) -> None:
    for login in ("till.014.4", "till.014.5"):
        with kit.book.store.write() as connection:
            audit.record(connection, at=kit.book.clock.wall(), org=1, act="till.add", who="command line", target=login)
    assert kit.book.verify() == []
    _tamper(kit, "UPDATE audit SET who = 'somebody' WHERE id = 1")
    assert _found(kit) == {"AUDIT"}
    _tamper(kit, "UPDATE audit SET who = 'command line' WHERE id = 1", "DELETE FROM audit WHERE id = 2")
    assert _found(kit) == {"AUDIT"}


def test_a_ledger_is_verified_while_tills_go_on(kit: BookKit) -> None:
    is_over = threading.Event()

    def spend() -> None:
        for number in range(300):
            if is_over.is_set():
                return
            kit.ledger.redeem(redeeming(CUSTOMER, 10, f"SPEND{number}"))
            kit.ledger.cancel(Cancel(key=f"SPEND{number}"))

    spender = threading.Thread(target=spend)
    spender.start()
    try:
        for _ in range(5):
            assert kit.book.verify() == []
    finally:
        is_over.set()
        spender.join()


@pytest.mark.parametrize("act", ["UPDATE entry SET delta = 0", "DELETE FROM entry"])
def test_the_database_itself_refuses_to_change_an_entry(kit: BookKit, act: str) -> None:
    with pytest.raises(DBAPIError, match="never changed"):
        _tamper(kit, act)


@pytest.mark.parametrize("act", ["UPDATE lot SET rem = -1", "UPDATE lot SET res = rem + 1", "UPDATE lot SET res = -1"])
def test_the_database_itself_refuses_an_overdrawn_lot(kit: BookKit, act: str) -> None:
    with pytest.raises(IntegrityError):
        _tamper(kit, act)
