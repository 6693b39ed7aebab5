"""Rows to be settled keep their places: gaps are filled, old enrolments told, one bad row stops nobody (sync-api 7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.builders import points
from support.lease_kit import lease_lines
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM
from support.offline_till import OfflineTill, Shop, an_offline_shop

from pos_app.domain.answers import Capabilities
from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.redemption import Event, State
from pos_app.domain.request import FamilyGroupRef
from pos_app.domain.trouble import SyncRefusedError
from pos_app.ledger.care.till_care import give_enrolment_code
from pos_app.services.covered import NoWay
from pos_app.services.decisions import Decision
from pos_app.services.heartbeats import COUNTERSIGNED
from pos_app.services.leasing import Wish

GROUP = 77


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with an_offline_shop(tmp_path) as made:
        yield made


def with_spends(shop: Shop, *counts: int) -> OfflineTill:
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    for count in counts:
        assert till.spend(count).row is not None
    till.cable.is_cut = False
    return till


def test_from_a_gap_on_rows_are_sent_again_also_those_that_were_settled(shop: Shop) -> None:
    till = with_spends(shop, 50)
    till.services.settling.settle()
    assert till.spend(60).row is not None
    till.cable.refuses["settle"] = SyncRefusedError("gap", {"next_seq": 1})
    till.services.settling.settle()
    assert {row.state for row in till.journal.recent(9)} == {State.SETTLED}
    assert till.cable.asked.count("settle") == 3
    assert shop.kit.balance() == points(390)
    assert till.services.settling.missing_seq is None


def test_a_gap_this_journal_cannot_fill_is_told(shop: Shop) -> None:
    till = with_spends(shop, 50)
    till.cable.refuses["settle"] = SyncRefusedError("gap", {"next_seq": 0})
    with pytest.raises(SyncRefusedError):
        till.services.settling.settle()
    assert till.services.settling.missing_seq == 0
    assert [row.state for row in till.journal.recent(9)] == [State.LOCAL_DONE]
    till.services.settling.settle(at_once=True)
    assert till.services.settling.missing_seq is None


def test_a_long_chain_goes_in_batches_and_charges_all_of_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pos_app.services.settling.BATCH_MAX", 4)
    till = with_spends(shop, *[10] * 10)
    till.services.settling.settle()
    assert till.cable.asked.count("settle") == 3
    assert shop.kit.balance() == points(400)


def test_a_parked_row_of_an_old_enrolment_is_settled_when_a_supervisor_says_so(shop: Shop) -> None:
    till = with_spends(shop, 50)
    (row,) = till.journal.open_redemptions()
    now = shop.clock.wall()
    till.journal.put(row.moved(Event.SETTLE_SENT, now))
    till.journal.put(till.journal.get(row.key).moved(Event.IMPOSSIBLE, now))
    code = give_enrolment_code(shop.kit.book.tools, LOGIN, who="admin")
    till.services.enrolment.enrol(code)
    assert till.journal.chain_head().till_epoch == 2
    till.services.decisions.decide(row.key, Decision.TRY_AGAIN, operator=12)
    till.services.settling.settle(at_once=True)
    assert till.journal.get(row.key).state is State.SETTLED
    assert shop.kit.balance() == points(450)


def test_after_another_enrolment_old_leases_are_not_spent_from(shop: Shop) -> None:
    till = with_spends(shop)
    till.services.enrolment.enrol(give_enrolment_code(shop.kit.book.tools, LOGIN, who="admin"))
    again = till.restarted()
    assert again.spend(50).covered.reason is NoWay.LEASE_NOT_GENUINE
    again.services.service.ask()
    again.look_up()
    assert again.lease_states() == [LeaseState.CLOSED, LeaseState.OPEN]
    spent = again.spend(50).row
    assert spent is not None
    assert again.journal.lease(spent.lease_id or "").lease.till_epoch == 2


# --- What goes with it -----------------------------------------------------------------------------------------------


def test_the_heartbeat_brings_the_ledgers_word_on_the_audit(shop: Shop) -> None:
    till = shop.till()
    till.journal.note("close_day", 12, "till", {})
    till.services.heartbeats.beat()
    head = till.journal.audit_head()
    assert till.journal.recall(COUNTERSIGNED) == f"{head.count} {head.hash}"


def test_a_ledger_that_lost_its_extension_is_a_fault_and_no_step_down(shop: Shop) -> None:
    till = shop.till()
    again = till.restarted()
    assert again.services.service.had_extension
    again.services.service.heard(Capabilities())
    assert again.services.service.has_lost_extension
    assert (again.services.service.is_given, again.services.service.can_sync) == (False, False)
    assert again.restarted().services.service.had_extension


def test_a_family_groups_points_are_spent_under_its_own_lease(tmp_path: Path) -> None:
    lines = lease_lines(program={"family_groups_enabled": True})
    family = {
        "kind": "family_group",
        "organisation": 1,
        "id": GROUP,
        "name": "Sawyer",
        "members": [{"customer_id": CUSTOMER, "primary": True}],
        "wallets": [{"program_id": PROGRAM, "lots": [{"points": 1000, "expires_on": "2035-12-31"}]}],
    }
    with an_offline_shop(tmp_path, [*lines, family]) as shop:
        till = shop.till()
        till.look_up()
        owner = Owner(OwnerKind.FAMILY_GROUP, GROUP)
        answer = till.services.leases.ask_now(Wish(owner=owner, program_id=PROGRAM, customer_id=CUSTOMER))
        assert answer.held is not None
        till.cable.is_cut = True
        again = till.restarted(without_cache=True)
        asked = again.asking(600, family_group=FamilyGroupRef(group_id=GROUP))
        covered = again.services.spending.look(asked)
        assert (covered.owner, covered.allowance) == (owner, answer.held.lease.amount)
        small = again.asking(100, family_group=FamilyGroupRef(group_id=GROUP))
        assert again.services.spending.redeem(small, customer_label="Tom S.").row is not None
        assert again.allowance == points(400)
        again.cable.is_cut = False
        again.services.service.ask()
        again.services.settling.settle(at_once=True)
        assert shop.kit.losses() == []


def test_regulars_get_their_leases_at_the_start_of_a_shift(shop: Shop) -> None:
    till = shop.till(asks_per_lookup=False)
    for _ in range(2):
        assert till.redeem(10).state is State.CONFIRMED
        shop.kit.book.tools.visits.write_down()
        shop.clock.advance(86_400)
    till.services.ask_for_regulars()
    till.services.leases.tend(at_once=True)
    assert till.lease_states() == [LeaseState.OPEN]
