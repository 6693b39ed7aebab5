"""What the simulator found in the product, each told again by hand; and the incidents that began it all."""

from collections.abc import Iterator

import pytest
from simulate.acts import request_of
from simulate.healing import heal
from simulate.playing import Stage
from simulate.running import stage
from simulate.shop_lines import CUSTOMERS, MAIN
from simulate.till import SimTill
from simulate.world import World

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


def test_a_redemption_online_is_charged_once(world: World) -> None:
    row = redeemed(world, world.tills[0])

    heal(world)

    assert row.state is State.CONFIRMED
    assert world.central.rows("SELECT count(*) FROM redemption WHERE key = ?", row.key) == [(1,)]
