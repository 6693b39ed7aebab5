"""How a customer is confirmed without a line, and what may be redeemed at the shop's risk (reliability 4.3, 4.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.a_ledger import by_id
from support.builders import points
from support.lease_kit import lease_lines
from support.ledger_server import CUSTOMER, LOGIN, ORGANISATION, PROGRAM
from support.offline_till import OfflineTill, Shop, an_offline_shop
from support.people_kit import an_operator

from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason, SignIn
from pos_app.domain.redemption import Kind, State
from pos_app.domain.request import ValidationType
from pos_app.domain.settling import OfflineProofKind
from pos_app.ledger.leases.passes import PassWish, make_pass
from pos_app.ledger.local import LocalLedger
from pos_app.services.covered import NoWay

SUPERVISOR = 12
MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[MakeShop]:
    made: list[Any] = []

    def make(**organisation: Any) -> Shop:
        *others, customer = lease_lines(organisation=organisation)
        lines = [*others, an_operator(SUPERVISOR, "supervisor", pin="4821"), customer]
        made.append(an_offline_shop(tmp_path, lines))
        return made[-1].__enter__()

    yield make
    for each in made:
        each.__exit__(None, None, None)


def an_approval(shop: Shop, purpose: ApprovalPurpose = ApprovalPurpose.SKIP_VALIDATION) -> Approval:
    """A supervisor's word, her PIN proved at the ledger just now."""
    signed_in = LocalLedger(shop.kit.book, LOGIN).sync.sign_in(SignIn(operator_id=SUPERVISOR, pin="4821"))
    return Approval(token=signed_in.token, purpose=purpose, reason=ApprovalReason.NO_PHONE)


def a_pass(shop: Shop, **changes: Any) -> str:
    plain = {"organisation_id": ORGANISATION, "customer_id": CUSTOMER, "program_id": PROGRAM, "till": LOGIN}
    wish = PassWish(**{**plain, "max_points": points(100), "valid_s": 3600, **changes})
    return make_pass(shop.kit.book.tools, wish, who="admin").text


def with_a_lease(shop: Shop) -> OfflineTill:
    till = shop.till()
    till.look_up()
    return till


def settled(till: OfflineTill, key: str) -> State:
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    return till.journal.get(key).state


# --- Codes, passes, supervisors --------------------------------------------------------------------------------------


def test_where_a_code_is_wanted_nothing_is_redeemed_without_a_line_by_default(make_shop: MakeShop) -> None:
    till = with_a_lease(make_shop(validation_required=True))
    till.cable.is_cut = True
    for code in (None, "Q7XK2M"):
        request = till.asking(50, validation_code=code)
        covered = till.services.spending.look(request)
        assert (covered.reason, covered.is_covered, covered.can_skip) == (NoWay.PROOF_NEEDED, True, False)
        assert till.services.spending.redeem(request, customer_label="Tom S.").row is None


def test_a_missed_call_cannot_be_seen_without_a_line(make_shop: MakeShop) -> None:
    till = with_a_lease(make_shop(validation_required=True, missed_call_enabled=True))
    till.cable.is_cut = True
    covered = till.services.spending.look(till.asking(50, validation_type=ValidationType.MISSED_CALL))
    assert not covered.is_allowed


def test_a_pass_confirms_without_a_line_and_its_points_are_counted_here(make_shop: MakeShop) -> None:
    shop = make_shop(validation_required=True)
    till = with_a_lease(shop)
    text = a_pass(shop)
    till.cable.is_cut = True
    first = till.spend(60, pass_text=text.lower())
    assert first.row is not None
    assert till.journal.sealed(first.row.key).proof.kind is OfflineProofKind.PASS
    assert till.spend(50, pass_text=text).covered.reason is NoWay.PASS_USED_UP
    assert till.restarted().spend(50, pass_text=text).covered.reason is NoWay.PASS_USED_UP
    again = shop.open_tills[-1]
    assert again.spend(40, pass_text=text).row is not None
    assert settled(again, first.row.key) is State.SETTLED


def test_a_pass_past_its_day_of_another_till_or_changed_is_refused(make_shop: MakeShop) -> None:
    shop = make_shop(validation_required=True)
    till = with_a_lease(shop)
    text = a_pass(shop, valid_s=60)
    till.cable.is_cut = True
    changed = text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
    assert till.spend(10, pass_text=changed).covered.reason is NoWay.PASS_NOT_READ
    assert till.spend(10, pass_text="PD1").covered.reason is NoWay.PASS_NOT_READ
    shop.clock.advance(61)
    assert till.spend(10, pass_text=text).covered.reason is NoWay.PASS_EXPIRED


def test_a_pass_of_a_lease_that_was_given_back_is_refused(make_shop: MakeShop) -> None:
    shop = make_shop(validation_required=True)
    till = with_a_lease(shop)
    text = a_pass(shop)
    till.services.leases.close(till.journal.leases()[0].lease.owner, PROGRAM)
    shop.clock.advance(700)  # A closed lease is not asked for anew at once.
    till.look_up()
    till.cable.is_cut = True
    assert till.spend(10, pass_text=text).covered.reason is NoWay.PASS_OTHER_LEASE


def test_a_pass_says_whose_it_is(make_shop: MakeShop) -> None:
    shop = make_shop()
    till = with_a_lease(shop)
    assert till.services.spending.customer_of_pass(a_pass(shop)) == by_id(CUSTOMER)


def test_a_supervisors_word_goes_with_the_row_where_skipping_is_allowed(make_shop: MakeShop) -> None:
    shop = make_shop(validation_required=True, skip_validation_allowed=True)
    till = with_a_lease(shop)
    approval = an_approval(shop)
    till.cable.is_cut = True
    spent = till.spend(50, approval=approval)
    assert spent.row is not None
    assert till.journal.sealed(spent.row.key).proof.approval == approval
    assert settled(till, spent.row.key) is State.SETTLED


def test_a_supervisors_word_does_not_count_where_skipping_is_not_allowed(make_shop: MakeShop) -> None:
    shop = make_shop(validation_required=True)
    till = with_a_lease(shop)
    approval = an_approval(shop)
    till.cable.is_cut = True
    assert till.spend(50, approval=approval).covered.reason is NoWay.PROOF_NEEDED


def test_the_wish_for_a_code_outlives_the_cache(make_shop: MakeShop) -> None:
    till = with_a_lease(make_shop(validation_required=True))
    till.cable.is_cut = True
    again = till.restarted(without_cache=True)
    assert again.spend(50).covered.reason is NoWay.PROOF_NEEDED


# --- The shop's risk -------------------------------------------------------------------------------------------------


def at_risk(make_shop: MakeShop, **limits: Any) -> tuple[OfflineTill, Approval]:
    """A till without line and lease, at an organisation that takes the risk, and a supervisor's word for it."""
    shop = make_shop(risk={"enabled": True, **limits})
    till = shop.till(asks_per_lookup=False)
    till.look_up()
    approval = an_approval(shop, ApprovalPurpose.RISK)
    till.cable.is_cut = True
    return till, approval


def test_at_the_shops_risk_a_supervisor_lets_a_little_through(make_shop: MakeShop) -> None:
    till, approval = at_risk(make_shop)
    assert till.spend(60).covered.reason is NoWay.RISK_APPROVAL_NEEDED
    spent = till.spend(60, approval=approval)
    assert spent.row is not None
    assert (spent.row.kind, spent.row.lease_id) == (Kind.RISK, None)
    assert settled(till, spent.row.key) is State.SETTLED


def test_the_risk_is_off_unless_the_organisation_takes_it(make_shop: MakeShop) -> None:
    till, approval = at_risk(make_shop, enabled=False)
    assert till.spend(10, approval=approval).covered.reason is NoWay.NO_LEASE


def test_a_till_can_switch_the_risk_off(make_shop: MakeShop) -> None:
    shop = make_shop(risk={"enabled": True})
    till = shop.till(asks_per_lookup=False, is_risk_off=True)
    till.look_up()
    assert till.spend(10).covered.reason is NoWay.NO_LEASE


@pytest.mark.parametrize(
    ("asked", "limits", "why"),
    [
        (110, {}, NoWay.RISK_PER_REDEMPTION),
        (60, {"per_customer_day": 100}, NoWay.RISK_PER_CUSTOMER_DAY),
        (60, {"per_customer_day": 1000, "per_till_outage": 100}, NoWay.RISK_PER_OUTAGE),
    ],
)
def test_the_caps_of_the_risk_hold_also_after_a_restart(
    make_shop: MakeShop, asked: int, limits: dict[str, Any], why: NoWay
) -> None:
    till, approval = at_risk(make_shop, **limits)
    if asked <= 100:
        assert till.spend(50, approval=approval).row is not None
    assert till.restarted().spend(asked, approval=approval).covered.reason is why


def test_an_old_balance_carries_no_risk(make_shop: MakeShop) -> None:
    till, approval = at_risk(make_shop)
    till.shop.clock.advance(4 * 3600 + 5)
    assert till.spend(10, approval=approval).covered.reason is NoWay.RISK_BALANCE_OLD
