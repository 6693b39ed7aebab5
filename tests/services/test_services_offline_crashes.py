"""A till without a line may be killed at any moment: nothing acknowledged is lost, nothing is charged twice (4.2).

One run is watched for the points it passes; then the same run dies at each of them, starts again over its files, and
goes on. C10, C11, C12 and the commits of leases are among them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.builders import points
from support.crashing import CrashPoints, Killed
from support.lease_kit import OTHER_LOGIN
from support.offline_till import OfflineTill, Shop, an_offline_shop

from pos_app.domain.leases import LeaseState
from pos_app.domain.redemption import State


def an_afternoon(till: OfflineTill, acknowledged: list[str]) -> None:
    """A lookup, two redemptions without a line, everything told, and one more with the line and the lease held."""
    till.cable.is_cut = False
    till.services.service.ask(anew=True)
    till.look_up()
    till.cable.is_cut = True
    for count in (100, 50):
        spent = till.spend(count)
        if spent.row is not None:
            acknowledged.append(spent.row.key)
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    row = till.redeem(30)
    if row.state is State.CONFIRMED:
        acknowledged.append(row.key)
    till.services.leases.tend(at_once=True)


def the_rest(till: OfflineTill) -> None:
    """What a till does by itself after a start, until nothing is open."""
    till.cable.is_cut = False
    for _ in range(3):
        till.shop.clock.advance(61)
        till.services.rounds.run_all()


def points_of_an_afternoon(folder: Path) -> list[str]:
    folder.mkdir()
    with an_offline_shop(folder) as shop:
        till = shop.till()
        watched = CrashPoints()
        till = till.restarted(points=watched)
        an_afternoon(till, [])
        return watched.names


def test_a_till_without_a_line_may_die_at_any_commit(tmp_path: Path) -> None:
    names = points_of_an_afternoon(tmp_path / "watched")
    assert {"before spend", "after spend", "after add_closing", "after answer_lease", "after mark_lease"} <= set(names)
    chosen = {name: at for at, name in enumerate(names)}  # The last of each kind, and the first.
    first = {name: names.index(name) for name in chosen}
    for number, at in enumerate(sorted({*chosen.values(), *first.values()})):
        folder = tmp_path / f"run {number}"
        folder.mkdir()
        with an_offline_shop(folder) as shop:
            dies_at(shop, at)


def dies_at(shop: Shop, at: int) -> None:
    acknowledged: list[str] = []
    till = shop.till().restarted(points=CrashPoints(at))
    with pytest.raises(Killed):
        an_afternoon(till, acknowledged)
    again = till.restarted()
    the_rest(again)
    rows = {row.key: row for row in again.journal.recent(50)}
    made = [row for row in rows.values() if row.state in {State.SETTLED, State.CONFIRMED}]
    assert all(rows[key] in made for key in acknowledged)
    assert again.journal.open_redemptions() == []
    assert sum(row.points.thousandths for row in made) == 500_000 - shop.kit.balance().thousandths
    assert shop.kit.losses() == []
    assert LeaseState.CLOSING not in again.lease_states()


def test_no_commit_no_spend_and_the_next_one_goes_through(tmp_path: Path) -> None:
    with an_offline_shop(tmp_path) as shop:
        till = shop.till()
        till.look_up()
        till.cable.is_cut = True
        dying = till.restarted(points=CrashPoints(0))
        with pytest.raises(Killed):
            dying.spend(100)
        again = dying.restarted()
        assert again.allowance == points(400)
        assert again.journal.recent(5) == []
        assert again.spend(100).row is not None


def test_the_other_till_is_not_touched_by_it(tmp_path: Path) -> None:
    with an_offline_shop(tmp_path) as shop:
        till, other = shop.till(), shop.till(OTHER_LOGIN)
        till.look_up()
        other.look_up()
        till.cable.is_cut = other.cable.is_cut = True
        till.spend(400)
        other.spend(80)
        the_rest(till.restarted())
        the_rest(other)
        assert shop.kit.balance() == points(20)
