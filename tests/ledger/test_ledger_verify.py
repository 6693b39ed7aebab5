"""Verify recomputes the ledger from its entries and finds whatever was changed behind its back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from support.a_ledger import BookKit, a_kit, redeeming
from support.ledger_server import CUSTOMER, a_small_ledger

from pos_app.domain.commands import Cancel


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[BookKit]:
    with a_kit(tmp_path, a_small_ledger()) as made:
        made.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
        made.ledger.redeem(redeeming(CUSTOMER, 50, "K2"))
        made.ledger.cancel(Cancel(key="K2"))
        yield made


def _tamper(kit: BookKit, *statements: str) -> None:
    with kit.book.store.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _found(kit: BookKit) -> set[str]:
    return {difference.invariant for difference in kit.book.verify()}


def test_a_sound_ledger_has_no_differences(kit: BookKit) -> None:
    assert kit.book.verify() == []


def test_a_tampered_balance_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE lot SET rem = rem + 1000")
    (difference,) = kit.book.verify()
    assert difference.invariant == "I2"
    assert str(difference) == "I2 lot 1: 401000 thousandths left, its entries add up to 400000"


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
    _tamper(kit, "DROP TRIGGER entry_no_update", "DROP TRIGGER entry_no_delete", change)
    assert "I3" in _found(kit)


def test_a_redemption_that_says_other_points_than_its_entries_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE redemption SET points = points + 1 WHERE id = 1")
    assert _found(kit) == {"I5"}


def test_a_key_that_says_redeemed_without_a_redemption_is_found(kit: BookKit) -> None:
    _tamper(kit, "UPDATE idem SET redemption = NULL WHERE key = 'K1'")
    assert _found(kit) == {"I5"}


@pytest.mark.parametrize("act", ["UPDATE entry SET delta = 0", "DELETE FROM entry"])
def test_the_database_itself_refuses_to_change_an_entry(kit: BookKit, act: str) -> None:
    with pytest.raises(DBAPIError, match="never changed"):
        _tamper(kit, act)


@pytest.mark.parametrize("act", ["UPDATE lot SET rem = -1", "UPDATE lot SET res = rem + 1", "UPDATE lot SET res = -1"])
def test_the_database_itself_refuses_an_overdrawn_lot(kit: BookKit, act: str) -> None:
    with pytest.raises(IntegrityError):
        _tamper(kit, act)
