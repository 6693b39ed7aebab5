"""Each code that contract 2 and 3 name for `isredeemable` and `validationcode`, by name."""

from __future__ import annotations

import pytest
from support.http_counter import HttpCounter, Told
from support.ledger_server import a_customer, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import (
    ANY,
    BOUGHT,
    DAILY,
    EARNED,
    GONE,
    LEAST,
    MOST,
    PAUSED,
    SHUT,
    STANDING,
    STEP,
    TOM,
    WORTHLESS,
    a_rule_shop,
)


@pytest.fixture
def shop(ledgers: Ledgers) -> HttpCounter:
    """The shop with a program for every rule; nothing here moves points."""
    return ledgers.reader(a_rule_shop())


def asked(shop: HttpCounter, points: int | str, program: int = ANY, more: str = "", who: str = TOM) -> Told:
    """Ask whether Tom may redeem so many points of a program."""
    return shop.check(f"{who}&points={points}&program_id={program}{more}")


def refused(told: Told) -> int:
    """The code of a refusal, which has the shape of contract 1.5."""
    assert (told.http, told.status, told.success) == (200, 500, "false")
    assert told.item["item_status"]["success"] == "false"
    return told.code


# --- isredeemable ---------------------------------------------------------------------------------------------------


def test_isredeemable_gives_800_when_nothing_stands_against_it(shop: HttpCounter) -> None:
    told = asked(shop, 10)
    assert told.row == (200, 200, "true", 800)
    assert told.item["is_redeemable"] == "true"


def test_isredeemable_gives_876_when_the_code_cannot_be_sent(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        shop.sender.is_broken = True
        told = asked(shop, 10, more="&issue_otp=true")
    assert told.row == (200, 200, "true", 876)
    assert (told.item["is_redeemable"], told.item["item_status"]["success"]) == ("true", "true")


def test_isredeemable_gives_876_when_the_allowance_is_used_up(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop(otp={"sends_per_day": 1})) as shop:
        assert asked(shop, 10, more="&issue_otp=true").code == 800
        assert asked(shop, 10, more="&issue_otp=true").row == (200, 200, "true", 876)


def test_isredeemable_gives_801_for_no_points(shop: HttpCounter) -> None:
    assert refused(asked(shop, 0)) == 801


def test_isredeemable_gives_878_for_a_fourth_decimal(shop: HttpCounter) -> None:
    assert refused(asked(shop, "10.0001")) == 878


def test_isredeemable_gives_872_without_a_ratio(shop: HttpCounter) -> None:
    told = shop.check(f"{TOM}&program_id={WORTHLESS}&currency_input=true&currency_value=5")
    assert refused(told) == 872


def test_isredeemable_gives_802_for_an_identifier_that_cannot_be_one(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, who="email=nobody")) == 802


def test_isredeemable_gives_889_for_an_identifier_nobody_has(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, who="mobile=9000000001")) == 889


def test_isredeemable_gives_686_for_a_contact_of_a_campaign(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, who="mobile=9000000004")) == 686


def test_isredeemable_gives_881_for_somebody_who_has_not_joined(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, who="mobile=9000000003")) == 881


def test_isredeemable_gives_809_for_a_marked_customer(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, who="mobile=9000000005")) == 809


def test_isredeemable_gives_895_where_there_is_no_program(ledgers: Ledgers) -> None:
    shop = ledgers.reader([an_organisation(), a_till(), a_customer(wallets=[])])
    assert refused(asked(shop, 10)) == 895


def test_isredeemable_gives_1101_for_an_inactive_program(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, GONE)) == 1101


def test_isredeemable_gives_888_where_programs_do_not_redeem_for_each_other(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, more="&group_redemption=true")) == 888


def test_isredeemable_gives_3316_where_they_must(ledgers: Ledgers) -> None:
    assert refused(asked(ledgers.reader(a_rule_shop(program_group_redemption="required")), 10)) == 3316


def test_isredeemable_gives_1632_for_a_group_nobody_has(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, more="&user_group2_id=99")) == 1632


def test_isredeemable_gives_1620_for_somebody_outside_the_group(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, more="&user_group2_id=77", who="mobile=9000000006")) == 1620


def test_isredeemable_gives_828_for_a_group_outside_the_default_program(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, STEP, more="&user_group2_id=77")) == 828


def test_isredeemable_gives_903_for_a_blocked_member(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, more="&user_group2_id=77", who="mobile=9000000002")) == 903


def test_isredeemable_gives_903_for_a_paused_wallet(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, PAUSED)) == 903


def test_isredeemable_gives_827_where_the_program_is_switched_off(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, SHUT)) == 827


def test_isredeemable_gives_821_below_the_least(shop: HttpCounter) -> None:
    assert refused(asked(shop, "19.999", LEAST)) == 821


def test_isredeemable_gives_819_above_the_most(shop: HttpCounter) -> None:
    assert refused(asked(shop, "100.001", MOST)) == 819


def test_isredeemable_gives_807_for_no_multiple(shop: HttpCounter) -> None:
    assert refused(asked(shop, 15, STEP)) == 807


def test_isredeemable_gives_804_below_the_balance_required(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, STANDING)) == 804


def test_isredeemable_gives_805_below_the_lifetime_points(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, EARNED)) == 805


def test_isredeemable_gives_806_below_the_lifetime_purchases(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, BOUGHT)) == 806


def test_isredeemable_gives_818_above_the_balance(shop: HttpCounter) -> None:
    assert refused(asked(shop, "500.001")) == 818


def test_isredeemable_gives_819_above_a_ceiling_over_time(shop: HttpCounter) -> None:
    assert refused(asked(shop, "50.001", DAILY)) == 819


def test_isredeemable_gives_824_where_skipping_is_not_allowed(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, more="&skip_validation=true")) == 824


def test_isredeemable_gives_823_where_calls_are_not_used(shop: HttpCounter) -> None:
    assert refused(asked(shop, 10, more="&validation_type=MISSED_CALL")) == 823


def test_isredeemable_gives_822_while_no_call_came(ledgers: Ledgers) -> None:
    shop = ledgers.reader(a_rule_shop(missed_call_enabled=True))
    assert refused(asked(shop, 10, more="&validation_type=MISSED_CALL")) == 822


def test_isredeemable_gives_808_for_a_wrong_code(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        assert refused(asked(shop, 10, more="&validation_code=WRONG1")) == 808


def test_isredeemable_gives_521_while_the_customer_is_served_elsewhere(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop(), wait_s=0.02) as shop:
        with ledgers.holding(shop.book):
            assert asked(shop, 10).code == 800  # Nothing is written, so nobody is waited for.
            assert refused(asked(shop, 10, more="&validation_code=WRONG1")) == 521
        assert refused(asked(shop, 10, more="&validation_code=WRONG1")) == 808


def test_isredeemable_gives_400_for_two_customers(shop: HttpCounter) -> None:
    told = asked(shop, 10, who=f"{TOM}&id=50001")
    assert (told.http, told.status, told.success, told.item) == (400, 400, "false", {})


# --- validationcode -------------------------------------------------------------------------------------------------


def test_validationcode_gives_200_when_the_code_went_out(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        assert shop.send_code(TOM).row == (200, 200, "true", 200)


def test_validationcode_gives_801_for_a_negative_number(shop: HttpCounter) -> None:
    assert refused(shop.send_code(f"{TOM}&points=-100")) == 801


def test_validationcode_gives_878_for_a_fourth_decimal(shop: HttpCounter) -> None:
    assert refused(shop.send_code(f"{TOM}&points=1.2345")) == 878


def test_validationcode_gives_802_for_an_identifier_that_cannot_be_one(shop: HttpCounter) -> None:
    assert refused(shop.send_code("mobile=letters")) == 802


def test_validationcode_gives_816_for_an_identifier_nobody_has(shop: HttpCounter) -> None:
    assert refused(shop.send_code("mobile=9000000001")) == 816


def test_validationcode_gives_881_for_somebody_who_has_not_joined(shop: HttpCounter) -> None:
    assert refused(shop.send_code("mobile=9000000003")) == 881


def test_validationcode_gives_809_for_a_marked_customer(shop: HttpCounter) -> None:
    assert refused(shop.send_code("mobile=9000000005")) == 809


def test_validationcode_gives_860_when_the_code_cannot_be_sent(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        shop.sender.is_broken = True
        assert refused(shop.send_code(TOM)) == 860


def test_validationcode_gives_860_when_the_allowance_is_used_up(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop(otp={"sends_per_day": 1})) as shop:
        assert shop.send_code(TOM).code == 200
        assert refused(shop.send_code(TOM)) == 860


def test_validationcode_gives_521_while_the_customer_is_served_elsewhere(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop(), wait_s=0.02) as shop:
        with ledgers.holding(shop.book):
            assert refused(shop.send_code(TOM)) == 521
        assert shop.send_code(TOM).code == 200


def test_validationcode_gives_400_for_nobody_at_all(shop: HttpCounter) -> None:
    told = shop.send_code("points=10")
    assert (told.http, told.status, told.success, told.item) == (400, 400, "false", {})
