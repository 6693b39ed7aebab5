"""Each code that contract 4 and 5 name for `redeem` and `customer/get`, by name."""

from __future__ import annotations

from typing import Any

import pytest
from support.http_counter import CUSTOMER, HttpCounter, Told
from support.ledger_server import a_customer, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import (
    ANY,
    BOUGHT,
    DAILY,
    EARNED,
    GONE,
    KEY,
    LEAST,
    MOST,
    PAUSED,
    SHUT,
    STANDING,
    STEP,
    TOM,
    a_rule_shop,
)


@pytest.fixture
def shop(ledgers: Ledgers) -> HttpCounter:
    """The shop with a program for every rule, for redemptions that are refused and leave nothing."""
    return ledgers.reader(a_rule_shop())


def refused(shop: HttpCounter, points: int | str, program: int = ANY, query: str = "", **members: Any) -> int:
    """The code of a refused redemption, which has the shape of contract 4."""
    told = shop.redeem(f"program_id={program}&{query}", points_redeemed=str(points), **members)
    assert (told.http, told.status, told.success) == (200, 500, "false")
    assert told.item["item_status"]["success"] == "false"
    assert (told.item["user_id"], told.item["redeemed_value"]) == (None, 0)
    assert "redemption_id" not in told.item
    return told.code


# --- redeem ---------------------------------------------------------------------------------------------------------


def test_redeem_gives_800_once_points_are_redeemed(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        assert shop.redeem().row == (200, 200, "true", 800)
        assert shop.balance() == "490"


def test_redeem_gives_801_for_no_points(shop: HttpCounter) -> None:
    assert refused(shop, 0) == 801


def test_redeem_gives_878_for_a_fourth_decimal(shop: HttpCounter) -> None:
    assert refused(shop, "10.0001") == 878


def test_redeem_gives_859_for_a_time_in_the_future(shop: HttpCounter) -> None:
    assert refused(shop, 10, redemption_time="2026-11-22 15:35:01") == 859


def test_redeem_gives_802_for_an_identifier_that_cannot_be_one(shop: HttpCounter) -> None:
    assert refused(shop, 10, customer={"id": "Tom"}) == 802


def test_redeem_gives_816_for_an_identifier_nobody_has(shop: HttpCounter) -> None:
    assert refused(shop, 10, mobile="9000000001") == 816


def test_redeem_gives_904_for_another_customer_named_beside(shop: HttpCounter) -> None:
    assert refused(shop, 10, customer={"mobile": "9777785205", "id": 50002}) == 904


def test_redeem_gives_686_for_a_contact_of_a_campaign(shop: HttpCounter) -> None:
    assert refused(shop, 10, mobile="9000000004") == 686


def test_redeem_gives_881_for_somebody_who_has_not_joined(shop: HttpCounter) -> None:
    assert refused(shop, 10, mobile="9000000003") == 881


def test_redeem_gives_3045_for_a_marked_customer(shop: HttpCounter) -> None:
    assert refused(shop, 10, mobile="9000000005") == 3045


def test_redeem_gives_895_where_there_is_no_program(ledgers: Ledgers) -> None:
    assert refused(ledgers.reader([an_organisation(), a_till(), a_customer(wallets=[])]), 10) == 895


def test_redeem_gives_1101_for_an_inactive_program(shop: HttpCounter) -> None:
    assert refused(shop, 10, GONE) == 1101


def test_redeem_gives_888_where_programs_do_not_redeem_for_each_other(shop: HttpCounter) -> None:
    assert refused(shop, 10, group_redemption=True) == 888


def test_redeem_gives_3316_where_they_must(ledgers: Ledgers) -> None:
    assert refused(ledgers.reader(a_rule_shop(program_group_redemption="required")), 10) == 3316


def test_redeem_gives_1632_for_a_group_nobody_has(shop: HttpCounter) -> None:
    assert refused(shop, 10, query="user_group2_id=99") == 1632


def test_redeem_gives_1620_for_somebody_outside_the_group(shop: HttpCounter) -> None:
    assert refused(shop, 10, query="user_group2_id=77", mobile="9000000006") == 1620


def test_redeem_gives_828_for_a_group_outside_the_default_program(shop: HttpCounter) -> None:
    assert refused(shop, 10, STEP, "user_group2_id=77") == 828


def test_redeem_gives_903_for_a_blocked_member(shop: HttpCounter) -> None:
    assert refused(shop, 10, query="user_group2_id=77", mobile="9000000002") == 903


def test_redeem_gives_903_for_a_paused_wallet(shop: HttpCounter) -> None:
    assert refused(shop, 10, PAUSED) == 903


def test_redeem_gives_903_for_a_reference_with_other_content(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        assert shop.redeem(external_reference_number=KEY).code == 800
        assert refused(shop, 20, external_reference_number=KEY) == 903


def test_redeem_gives_903_for_a_reference_that_was_cancelled(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        assert shop.cancel(KEY).status == 200
        assert refused(shop, 10, external_reference_number=KEY) == 903


def test_redeem_gives_827_where_the_program_is_switched_off(shop: HttpCounter) -> None:
    assert refused(shop, 10, SHUT) == 827


def test_redeem_gives_821_below_the_least(shop: HttpCounter) -> None:
    assert refused(shop, "19.999", LEAST) == 821


def test_redeem_gives_819_above_the_most(shop: HttpCounter) -> None:
    assert refused(shop, "100.001", MOST) == 819


def test_redeem_gives_807_for_no_multiple(shop: HttpCounter) -> None:
    assert refused(shop, 15, STEP) == 807


def test_redeem_gives_804_below_the_balance_required(shop: HttpCounter) -> None:
    assert refused(shop, 10, STANDING) == 804


def test_redeem_gives_805_below_the_lifetime_points(shop: HttpCounter) -> None:
    assert refused(shop, 10, EARNED) == 805


def test_redeem_gives_806_below_the_lifetime_purchases(shop: HttpCounter) -> None:
    assert refused(shop, 10, BOUGHT) == 806


def test_redeem_gives_818_above_the_balance(shop: HttpCounter) -> None:
    assert refused(shop, "500.001") == 818


def test_redeem_gives_819_above_a_ceiling_over_time(shop: HttpCounter) -> None:
    assert refused(shop, "50.001", DAILY) == 819


def test_redeem_gives_824_where_a_proof_is_demanded(ledgers: Ledgers) -> None:
    assert refused(ledgers.reader(a_rule_shop(validation_required=True)), 10) == 824


def test_redeem_gives_824_where_skipping_is_not_allowed(shop: HttpCounter) -> None:
    assert refused(shop, 10, query="skip_validation=true") == 824


def test_redeem_gives_823_where_calls_are_not_used(shop: HttpCounter) -> None:
    assert refused(shop, 10, query="validation_type=MISSED_CALL") == 823


def test_redeem_gives_822_while_no_call_came(ledgers: Ledgers) -> None:
    shop = ledgers.reader(a_rule_shop(missed_call_enabled=True))
    assert refused(shop, 10, query="validation_type=MISSED_CALL") == 822


def test_redeem_gives_808_for_a_wrong_code(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop()) as shop:
        assert refused(shop, 10, validation_code="WRONG1") == 808


def test_redeem_gives_521_while_the_customer_is_served_elsewhere(ledgers: Ledgers) -> None:
    with ledgers.counter(a_rule_shop(), wait_s=0.02) as shop, ledgers.holding(shop.book):
        assert refused(shop, 10, external_reference_number=KEY) == 521


def test_redeem_gives_400_for_a_key_of_practice(shop: HttpCounter) -> None:
    told: Told = shop.redeem(external_reference_number=f"TR-{KEY}")
    assert (told.http, told.status, told.success, told.item) == (400, 400, "false", {})


# --- customer/get ---------------------------------------------------------------------------------------------------


def found(shop: HttpCounter, query: str) -> tuple[int, int, list[str]]:
    """HTTP status, status code, and the item codes, which are text at this call."""
    reply = shop.send("GET", CUSTOMER, query)
    told = reply.json["response"]
    return reply.status, told["status"]["code"], [each["item_status"]["code"] for each in told["customers"]["customer"]]


def test_customer_get_gives_1000_for_somebody_it_knows(shop: HttpCounter) -> None:
    assert found(shop, TOM) == (200, 200, ["1000"])


def test_customer_get_gives_1012_for_an_identifier_nobody_has(shop: HttpCounter) -> None:
    assert found(shop, "mobile=9000000001") == (200, 500, ["1012"])


def test_customer_get_gives_201_when_some_are_found(shop: HttpCounter) -> None:
    assert found(shop, "mobile=9777785205,9000000001") == (200, 201, ["1000", "1012"])
