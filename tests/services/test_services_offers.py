"""A receipt is not lost because a server was restored: the till offers what it redeemed since (reliability 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from support.builders import points
from support.offline_till import OfflineTill, Shop, an_offline_shop

from pos_app.domain.commands import CancelReason
from pos_app.domain.leases import LeaseState
from pos_app.domain.redemption import State
from pos_app.domain.trouble import UnclearAnswerError
from pos_app.ledger.care.backup import back_up
from pos_app.ledger.care.backup_file import BackupFile
from pos_app.ledger.care.restore import restore
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.store import open_book


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with an_offline_shop(tmp_path) as made:
        yield made


def backed_up(shop: Shop) -> Path:
    file = shop.folder / "ledger.backup"
    back_up(shop.kit.book.store, file, secrets=shop.folder / "secrets", with_secrets=False, now=shop.kit.clock.wall())
    return file


def from_backup(shop: Shop, file: Path) -> None:
    """The machine of the ledger died; another one begins with the backup and the same secrets."""
    shop.kit.book.close()
    shop.kit.book = open_book(
        f"sqlite:///{shop.folder / 'restored.db'}",
        secrets=LedgerSecrets.open(shop.folder / "secrets"),
        clock=shop.kit.clock,
    )
    with closing(BackupFile(file)) as backup:
        restore(shop.kit.book.store, backup, now=shop.kit.clock.wall())


def after_a_restore(shop: Shop) -> OfflineTill:
    """A till that redeemed with and without a line, and then met a ledger which knows of none of it."""
    till = shop.till()
    file = backed_up(shop)
    till.look_up()
    till.cable.is_cut = True
    assert till.spend(150).row is not None
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    assert till.redeem(100).state is State.CONFIRMED
    assert shop.kit.balance() == points(250)
    till.services.heartbeats.beat()
    till.services.offers.offer()
    from_backup(shop, file)
    assert shop.kit.balance() == points(500)
    return till.restarted()


def test_a_restored_ledger_is_offered_what_it_lost_once(shop: Shop) -> None:
    till = after_a_restore(shop)
    till.services.service.ask()
    till.services.heartbeats.beat()
    assert till.services.offers.is_pending
    till.services.offers.offer()
    assert shop.kit.balance() == points(250)
    assert not till.services.offers.is_pending
    asked = len(till.cable.asked)
    till.services.offers.offer()
    assert len(till.cable.asked) == asked
    assert {row.state for row in till.journal.recent(9)} == {State.SETTLED, State.CONFIRMED}


def test_a_lost_answer_to_an_offer_charges_nothing_twice(shop: Shop) -> None:
    till = after_a_restore(shop)
    till.services.service.ask()
    till.services.heartbeats.beat()
    till.cable.loses = ["settle"]
    with pytest.raises(UnclearAnswerError):
        till.services.offers.offer()
    again = till.restarted()
    again.services.service.ask()
    again.services.offers.offer()
    assert shop.kit.balance() == points(250)


def test_a_ledger_that_lost_nothing_charges_nothing(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    assert till.redeem(100).state is State.CONFIRMED
    till.services.heartbeats.beat()
    from_backup(shop, backed_up(shop))
    till = till.restarted()
    till.services.service.ask()
    till.services.rounds.run_all()
    assert shop.kit.balance() == points(400)


def test_the_leases_of_a_restored_ledger_are_not_spent_any_more(shop: Shop) -> None:
    till = shop.till()
    file = backed_up(shop)
    till.look_up()
    till.services.heartbeats.beat()
    from_backup(shop, file)
    till = till.restarted()
    till.services.service.ask()
    till.services.heartbeats.beat()
    assert till.lease_states() == [LeaseState.CLOSING]
    till.services.leases.tend(at_once=True)
    assert till.lease_states() == [LeaseState.CLOSED, LeaseState.OPEN]


def test_what_was_cancelled_since_the_backup_stays_cancelled(shop: Shop) -> None:
    """The backup holds the redemption and not its cancel."""
    till = shop.till()
    row = till.redeem(100)
    till.services.heartbeats.beat()
    till.services.offers.offer()
    file = backed_up(shop)
    assert till.services.redemptions.give_up(row.key, CancelReason.CUSTOMER_LEFT).state is State.REVERSED
    from_backup(shop, file)
    assert shop.kit.balance() == points(400)
    again = till.restarted()
    again.services.service.ask()
    again.services.heartbeats.beat()
    again.services.offers.offer()
    assert shop.kit.balance() == points(500)


def test_what_was_confirmed_while_the_clock_stood_far_behind_is_offered_too(shop: Shop) -> None:
    till = shop.till()
    till.services.heartbeats.beat()
    till.services.offers.offer()
    file = backed_up(shop)
    row = till.redeem(100)
    assert row.state is State.CONFIRMED
    from_backup(shop, file)
    again = till.restarted()
    again.services.service.ask()
    shop.clock.advance(timedelta(days=40).total_seconds())
    again.services.heartbeats.beat()
    again.services.offers.offer()
    assert shop.kit.balance() == points(400)
