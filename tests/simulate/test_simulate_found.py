"""What the simulator found, told again by hand: seeds tell another story when the product changes."""

from collections.abc import Iterator

import pytest
from simulate.acts import request_of
from simulate.healing import heal
from simulate.playing import Stage
from simulate.running import stage
from simulate.shop_lines import CUSTOMERS, MAIN
from simulate.till import SimTill
from simulate.world import World

from pos_app.domain.commands import CancelReason
from pos_app.domain.redemption import Redemption, State

YEAR_S = 365 * 86400.0


@pytest.fixture(scope="module")
def a_stage() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture
def world(a_stage: Stage) -> Iterator[World]:
    with a_stage.by_hand() as made:
        yield made


def redeemed(world: World, till: SimTill) -> Redemption:
    """The cashier redeems online; whatever comes of it."""
    services = till.start()
    services.line.probe()
    checked = services.validation.check(request_of(world, CUSTOMERS[2], MAIN, is_family=False))
    row = services.redemptions.start(checked, customer_id=CUSTOMERS[2], customer_label="M.")
    row = services.redemptions.submit(row.key, None, till.heard)
    till.heard(row)
    return row


def test_a_clock_that_stood_in_another_year_leaves_no_redemption_open(world: World) -> None:
    till = world.tills[0]
    till.start().line.probe()
    till.clock.jump(2 * YEAR_S)
    checked = till.start().validation.check(request_of(world, CUSTOMERS[2], MAIN, is_family=False))
    row = till.start().redemptions.start(checked, customer_id=CUSTOMERS[2], customer_label="M.")
    till.line.weather = ["drop_request"] * 40
    row = till.start().redemptions.submit(row.key, None, till.heard)
    assert row.state is State.UNKNOWN

    heal(world)

    assert till.start().redemptions.get(row.key).state in {State.CONFIRMED, State.CANCELLED, State.REVERSED}


def test_a_ledger_that_is_restored_twice_from_one_backup_is_offered_what_it_lost_each_time(world: World) -> None:
    till = world.tills[0]
    world.central.copy()
    rows = [redeemed(world, till)]
    for _ in range(2):
        world.central.restore(0)
        till.start().rounds.run_all()
        rows.append(redeemed(world, till))
    world.central.restore(0)

    heal(world)

    assert [row.state for row in rows] == [State.CONFIRMED] * 3
    for row in rows:
        assert world.central.rows("SELECT count(*) FROM redemption WHERE key = ?", row.key) == [(1,)]


def test_a_receipt_made_while_the_clock_stood_a_year_behind_is_offered_to_a_restored_ledger(world: World) -> None:
    till = world.tills[0]
    world.central.copy()
    till.start()
    till.clock.jump(-YEAR_S)
    row = redeemed(world, till)
    till.clock.put_right()
    world.central.restore(0)

    heal(world)

    assert row.state is State.CONFIRMED
    assert charged(world, row.key) == row.points.thousandths


def test_what_was_cancelled_stays_cancelled_when_a_backup_from_before_comes_back(world: World) -> None:
    till = world.tills[0]
    checked = till.start().validation.check(request_of(world, CUSTOMERS[2], MAIN, is_family=False))
    row = till.start().redemptions.start(checked, customer_id=CUSTOMERS[2], customer_label="M.")
    till.line.weather = ["drop_reply"] * 9
    assert till.start().redemptions.submit(row.key, None, till.heard).state is State.UNKNOWN
    world.central.copy()
    till.line.weather = []
    row = till.start().redemptions.give_up(row.key, CancelReason.CUSTOMER_LEFT, till.heard)
    assert row.state is State.REVERSED
    world.central.restore(0)
    assert charged(world, row.key) == row.points.thousandths

    heal(world)

    assert charged(world, row.key) == 0


def charged(world: World, key: str) -> int:
    """What the ledger's entries say that a key costs, in thousandths."""
    return int(world.central.rows("SELECT coalesce(-sum(delta), 0) FROM entry WHERE key = ?", key)[0][0])
