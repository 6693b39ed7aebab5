"""A till redeems without a line within what the ledger set aside, and tells it afterwards (reliability 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.a_ledger import by_id
from support.builders import points
from support.lease_kit import OTHER_LOGIN, lease_lines
from support.ledger_server import CUSTOMER, MOBILE, PROGRAM, an_organisation
from support.offline_till import OfflineTill, Shop, an_offline_shop

from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.redemption import Event, Kind, State
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import LineDownError, UnclearAnswerError
from pos_app.ledger import schema
from pos_app.ledger.leases.revoking import revoke_lease
from pos_app.services.allowances import Unusable
from pos_app.services.covered import NoWay
from pos_app.services.leasing import Wish
from pos_app.services.results import Source


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with an_offline_shop(tmp_path) as made:
        yield made


def a_till_without_a_line(shop: Shop) -> OfflineTill:
    """A till that got a lease of 400 points and then lost its line."""
    till = shop.till()
    till.look_up()
    assert till.allowance == points(400)
    till.cable.is_cut = True
    return till


# --- Spending --------------------------------------------------------------------------------------------------------


def test_a_lookup_brings_a_lease_and_the_lease_is_spent_without_a_line(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    spent = till.spend(150)
    assert spent.row is not None
    assert (spent.row.state, spent.row.kind, spent.row.seq) == (State.LOCAL_DONE, Kind.LEASE, 1)
    assert spent.covered.allowance_after == till.allowance == points(250)
    assert shop.kit.balance() == points(500)
    till.cable.is_cut = False
    (settled,) = till.services.settling.settle()
    assert (settled.state, settled.from_lease, settled.store_loss) == (State.SETTLED, points(150), points(0))
    assert shop.kit.balance() == points(350)


def test_more_than_the_allowance_is_refused_with_what_would_pass(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    spent = till.spend(410)
    assert spent.row is None
    assert (spent.covered.reason, spent.covered.allowance) == (NoWay.ALLOWANCE_TOO_SMALL, points(400))
    assert spent.covered.nearest == (points(400),)


def test_the_rules_are_the_ledgers_own(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    spent = till.spend(125)
    assert (spent.row, spent.covered.reason) == (None, NoWay.RULES)
    assert spent.covered.nearest == (points(120), points(130))


def test_without_a_lease_nothing_is_redeemed(shop: Shop) -> None:
    till = shop.till(asks_per_lookup=False)
    till.look_up()
    till.cable.is_cut = True
    assert till.spend(10).covered.reason is NoWay.NO_LEASE
    assert till.journal.open_redemptions() == []


def test_a_till_that_was_never_enrolled_redeems_nothing_without_a_line(shop: Shop) -> None:
    till = OfflineTill(shop, shop.folder / "new", OTHER_LOGIN)
    till.look_up()
    till.cable.is_cut = True
    assert till.spend(10).covered.reason is NoWay.NOT_OFFERED


def test_a_program_group_is_redeemed_online_only(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    covered = till.services.spending.look(till.asking(10, program_group=True))
    assert covered.reason is NoWay.PROGRAM_GROUP


def test_three_tills_without_a_line_take_no_more_than_there_is(shop: Shop) -> None:
    tills = [shop.till(), shop.till(OTHER_LOGIN)]
    for till in tills:
        till.look_up()
        till.cable.is_cut = True
    taken = [points(0)]
    for till in tills:
        while (row := till.spend(40).row) is not None:
            taken.append(row.points)
    assert sum(each.thousandths for each in taken) == 480_000  # 80 % of 500, and 80 % of the rest.
    for till in tills:
        till.cable.is_cut = False
        till.services.settling.settle()
    assert shop.kit.balance() == points(20)
    assert shop.kit.losses() == []


def test_a_check_without_a_line_says_what_the_lease_allows(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    checked = till.services.validation.check(till.asking(150))
    assert (checked.source, checked.is_redeemable) == (Source.CACHE, True)
    assert checked.offline is not None
    assert (checked.offline.allowance, checked.offline.reason) == (points(400), None)
    assert till.journal.open_redemptions() == []


# --- Settling --------------------------------------------------------------------------------------------------------


def test_a_lost_answer_to_settling_is_asked_for_again_and_charges_once(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    key = till.spend(150).row.key  # type: ignore[union-attr]
    till.cable.is_cut = False
    till.cable.loses = ["settle"]
    with pytest.raises(UnclearAnswerError):
        till.services.settling.settle()
    assert till.journal.get(key).state is State.LOCAL_DONE
    assert till.services.settling.settle() == ()  # Not before its time.
    till.services.settling.settle(at_once=True)
    assert till.journal.get(key).state is State.SETTLED
    assert shop.kit.balance() == points(350)


def test_settling_goes_on_for_ever(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    till.spend(150)
    for _ in range(10):
        shop.clock.advance(86_400)
        with pytest.raises(LineDownError):
            till.services.settling.settle()
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    assert [row.state for row in till.journal.recent(5)] == [State.SETTLED]


def test_rows_found_on_their_way_at_a_start_go_again(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    row = till.spend(150).row
    assert row is not None
    till.journal.put(till.journal.get(row.key).moved(Event.SETTLE_SENT, shop.clock.wall()))
    again = till.restarted()
    assert again.journal.get(row.key).state is State.LOCAL_DONE
    again.cable.is_cut = False
    again.services.service.ask()
    again.services.settling.settle()
    assert again.journal.get(row.key).state is State.SETTLED


def test_what_the_reclaimed_lease_no_longer_holds_is_the_stores_loss(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    row = till.spend(400).row
    assert row is not None
    shop.kit.pass_time(timedelta(hours=81))
    other = shop.till(OTHER_LOGIN)
    assert other.redeem(300).state is State.CONFIRMED
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    after = till.journal.get(row.key)
    assert (after.state, after.from_free, after.store_loss) == (State.SETTLED_SHORT, points(200), points(200))
    assert [each.key for each in till.journal.attention()] == [row.key]


# --- Keeping leases --------------------------------------------------------------------------------------------------


def test_a_lost_answer_to_asking_gets_the_same_lease_again(shop: Shop) -> None:
    till = shop.till()
    till.services.lookup.find(by_id(CUSTOMER))
    till.cable.loses = ["lease"]
    with pytest.raises(UnclearAnswerError):
        till.services.leases.tend()
    again = till.restarted()
    again.services.leases.tend(at_once=True)
    assert again.allowance == points(400)
    assert len(shop.kit.rows(schema.lease)) == 1


def test_a_till_starts_timing_before_it_asks(shop: Shop) -> None:
    till = shop.till()
    till.services.lookup.find(by_id(CUSTOMER))
    till.cable.loses = ["lease"]
    with pytest.raises(UnclearAnswerError):
        till.services.leases.tend()
    shop.clock.advance(3600)
    till.services.leases.tend(at_once=True)
    (held,) = till.journal.leases()
    assert till.services.trust.left(held.asked, held.lease.term_s).left_s == pytest.approx(28_800 * 0.999 - 30 - 3600)


def test_a_second_lookup_keeps_a_whole_lease_and_renews_a_used_one(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.look_up()
    assert till.lease_states() == [LeaseState.OPEN]
    till.spend(100)
    till.services.settling.settle()
    till.look_up()
    assert till.lease_states() == [LeaseState.CLOSED, LeaseState.OPEN]
    assert till.allowance == points(320)


def test_redeeming_online_gives_the_lease_back_first_and_a_new_one_is_asked_for(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    assert till.services.validation.check(till.asking(450)).is_redeemable
    assert till.lease_states() == [LeaseState.OPEN]
    assert till.redeem(450).state is State.CONFIRMED
    assert shop.kit.balance() == points(50)
    till.services.leases.tend()
    assert till.lease_states() == [LeaseState.CLOSED, LeaseState.OPEN]
    assert till.allowance == points(40)


def test_a_redemption_that_gave_its_lease_back_leaves_nothing_to_spend_without_a_line(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.cable.loses = ["redeem"] * 9
    assert till.redeem(450).state is State.UNKNOWN
    till.cable.is_cut = True
    assert till.spend(10).covered.reason is NoWay.NO_LEASE
    till.cable.is_cut, till.cable.loses = False, []
    till.services.redemptions.drain(at_once=True)
    assert shop.kit.balance() == points(50)


def test_past_its_term_a_lease_is_given_back(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    shop.clock.advance(28_800 * 0.999 - 31)
    assert till.spend(10).row is not None
    shop.clock.advance(2)
    assert till.spend(10).covered.reason is NoWay.PAST_TERM
    till.cable.is_cut = False
    till.services.settling.settle()
    till.services.leases.tend()
    assert till.lease_states() == [LeaseState.CLOSED]
    assert shop.kit.reserved() == points(0)


def test_a_lease_is_closed_before_the_ledger_hears_of_it_and_told_until_it_has(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    owner = till.journal.leases()[0].lease.owner
    assert not till.services.leases.close(owner, 973)
    assert till.spend(10).covered.reason is NoWay.NO_LEASE
    till.cable.is_cut = False
    till.services.leases.tend(at_once=True)
    assert (till.lease_states(), shop.kit.reserved()) == ([LeaseState.CLOSED], points(0))


def test_what_somebody_needs_elsewhere_is_given_back_at_the_next_heartbeat(shop: Shop) -> None:
    till, other = shop.till(), shop.till(OTHER_LOGIN)
    till.look_up()
    assert other.redeem(200).state is State.REFUSED
    till.services.heartbeats.beat()
    assert till.spend(10).covered.reason is NoWay.NO_LEASE
    till.services.leases.tend()
    assert other.redeem(200).state is State.CONFIRMED


def test_a_revoked_lease_is_not_spent_any_more(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    revoke_lease(shop.kit.book.tools, till.journal.leases()[0].lease.lease_id, who="admin")
    till.services.heartbeats.beat()
    assert till.lease_states() == [LeaseState.CLOSING]


def test_asking_now_tells_the_lease_or_why_there_is_none(shop: Shop) -> None:
    till, other = shop.till(asks_per_lookup=False), shop.till(OTHER_LOGIN, asks_per_lookup=False)
    wish = Wish(owner=Owner(OwnerKind.CUSTOMER, CUSTOMER), program_id=PROGRAM, customer_id=CUSTOMER)
    other.cable.is_cut = True
    answer = other.services.leases.ask_now(wish)
    assert (answer.held, answer.reason) == (None, None)
    answer = till.services.leases.ask_now(wish)
    assert answer.held is not None
    assert answer.held.lease.amount == points(400)
    assert till.redeem(500).state is State.CONFIRMED
    other.cable.is_cut = False
    other.services.leases.tend(at_once=True)
    assert other.services.leases.ask_now(wish).reason == "nothing_available"


# --- Doubts ----------------------------------------------------------------------------------------------------------


def test_a_lease_that_was_changed_in_the_journal_is_not_spent(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    (held,) = till.journal.leases()
    greater = replace(held, lease=replace(held.lease, amount=points(4000)))
    looked = till.services.allowances.look_at(greater)
    assert (looked.left, looked.unusable) == (points(0), Unusable.NOT_GENUINE)


def test_the_lease_row_is_enough_when_the_cache_is_gone(shop: Shop) -> None:
    till = a_till_without_a_line(shop).restarted(without_cache=True)
    by_mobile = CustomerRef(IdentifierKind.MOBILE, f"+{MOBILE}")
    covered = till.services.spending.look(till.asking(150, customer=by_mobile))
    assert (covered.reason, covered.allowance) == (None, points(400))
    assert till.services.spending.look(till.asking(155, customer=by_mobile)).reason is NoWay.RULES
    assert till.services.validation.check(till.asking(150)).is_redeemable


def test_after_a_restart_the_lease_and_what_was_spent_of_it_are_still_there(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    till.spend(150)
    again = till.restarted()
    assert again.allowance == points(250)
    assert again.spend(260).covered.reason is NoWay.ALLOWANCE_TOO_SMALL


def test_a_clock_set_back_while_the_till_was_off_is_not_trusted_until_the_ledger_was_met(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    now = shop.clock.wall()
    shop.clock.start_machine_again()
    shop.clock.set_wall(now - timedelta(days=1))
    again = till.restarted()
    assert again.spend(10).covered.reason is NoWay.CLOCK_NOT_TRUSTED
    assert again.services.trust.distrust() is not None
    assert again.lease_states() == [LeaseState.OPEN]  # Nothing is deleted because of a clock.
    shop.clock.set_wall(now + timedelta(minutes=5))
    assert again.spend(10).row is not None


def test_a_jump_to_2037_does_not_block_the_till_for_ever(shop: Shop) -> None:
    till = a_till_without_a_line(shop)
    now = shop.clock.wall()
    shop.clock.set_wall(now.replace(year=2037))
    assert till.spend(10).covered.reason is NoWay.CLOCK_NOT_TRUSTED
    shop.clock.advance(61)
    till.services.trust.tick()
    shop.clock.set_wall(now + timedelta(minutes=1))
    again = till.restarted()
    assert again.spend(10).covered.reason is NoWay.CLOCK_NOT_TRUSTED
    again.cable.is_cut = False
    again.services.service.ask(anew=True)
    again.cable.is_cut = True
    assert again.spend(10).row is not None


def test_the_kill_switch_is_honoured_without_a_line(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    shop.kit.load([an_organisation(redemptions_enabled=False)])
    till.services.heartbeats.beat()
    till.cable.is_cut = True
    assert till.spend(10).covered.reason is NoWay.RULES


def test_points_that_expire_under_a_lease_are_not_spent_after_their_day(tmp_path: Path) -> None:
    lots = [{"points": 100, "expires_on": "2026-11-22"}, {"points": 400, "expires_on": "2035-12-31"}]
    lines = lease_lines(customer={"wallets": [{"program_id": 973, "lots": lots}]})
    with an_offline_shop(tmp_path, lines) as shop:
        till = shop.till()
        till.look_up()
        till.cable.is_cut = True
        before = till.allowance
        assert before is not None
        till.spend(40)
        (held,) = till.journal.leases()
        expiring = [each for each in held.lease.allocations if each.usable_until is not None]
        lost = sum(each.points.thousandths for each in expiring if each.usable_until < held.lease.expires_at)
        shop.clock.advance(8 * 3600 - 600)
        assert till.allowance is not None
        assert before.thousandths - lost <= till.allowance.thousandths + 40_000 <= before.thousandths
