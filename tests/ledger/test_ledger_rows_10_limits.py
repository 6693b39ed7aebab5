"""Contract 10 at the HTTP face, rule by rule: limits and their borders, tiers, rounding, worth, promised points."""

from __future__ import annotations

from typing import Any

import pytest
from support.http_counter import CUSTOMER, HttpCounter
from support.ledger_server import a_customer, a_program, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import GOLD, TOM, Line, lots


def shop_with(criteria: dict[str, Any], *, customer: dict[str, Any] | None = None, **program: Any) -> list[Line]:
    """One program with these rules; Tom has 500 points, earned 900 and bought for 800 in all."""
    wallet = lots(500, lifetime_points=900, lifetime_purchases=800)
    return [
        an_organisation(),
        a_program(**{"criteria": criteria, **program}),
        a_till(),
        a_customer(**{"wallets": [wallet], **(customer or {})}),
    ]


def code_of(ledgers: Ledgers, lines: list[Line], points: int | str) -> int:
    return ledgers.reader(lines).check(f"{TOM}&points={points}").code


# --- Borders are inside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criteria", "inside", "outside", "code"),
    [
        ({"minimum": 20}, "20", "19.999", 821),
        ({"minimum": "0.5"}, "0.5", "0.499", 821),
        ({"maximum": 100}, "100", "100.001", 819),
        ({"multiple_of": 50}, "150", "149.999", 807),
        ({"ceilings": [{"period": "day", "points": 50}]}, "50", "50.001", 819),
        ({}, "500", "500.001", 818),
    ],
)
def test_10_a_border_belongs_to_what_is_allowed(
    ledgers: Ledgers, criteria: dict[str, Any], inside: str, outside: str, code: int
) -> None:
    lines = shop_with(criteria)
    assert code_of(ledgers, lines, inside) == 800
    assert code_of(ledgers, lines, outside) == code


@pytest.mark.parametrize(
    ("rule", "exactly", "more", "code"),
    [
        ("balance_required", "500", "500.001", 804),
        ("lifetime_points_required", "900", "900.001", 805),
        ("lifetime_purchases_required", "800", "800.01", 806),
    ],
)
def test_10_having_exactly_what_is_required_is_enough(
    ledgers: Ledgers, rule: str, exactly: str, more: str, code: int
) -> None:
    assert code_of(ledgers, shop_with({rule: exactly}), 10) == 800
    assert code_of(ledgers, shop_with({rule: more}), 10) == code


@pytest.mark.parametrize("no_limit", [0, "0", None])
def test_10_a_limit_of_nothing_is_no_rule(ledgers: Ledgers, no_limit: object) -> None:
    names = ("minimum", "maximum", "multiple_of", "balance_required")
    lifetimes = ("lifetime_points_required", "lifetime_purchases_required")
    lines = shop_with(dict.fromkeys((*names, *lifetimes), no_limit))
    assert code_of(ledgers, lines, "0.001") == 800
    assert code_of(ledgers, lines, "500") == 800


@pytest.mark.parametrize(("asked", "code"), [("50", 800), ("100", 800), ("75", 807), ("150", 819)])
def test_10_the_documented_example(ledgers: Ledgers, asked: str, code: int) -> None:
    lines = shop_with({"lifetime_points_required": 150, "multiple_of": 50, "maximum": 100})
    assert code_of(ledgers, lines, asked) == code


@pytest.mark.parametrize(("earned", "code"), [("149.999", 805), ("150", 800)])
def test_10_the_documented_example_asks_for_150_points_of_a_lifetime(ledgers: Ledgers, earned: str, code: int) -> None:
    criteria = {"lifetime_points_required": 150, "multiple_of": 50, "maximum": 100}
    lines = shop_with(criteria, customer={"wallets": [lots(500, lifetime_points=earned)]})
    assert code_of(ledgers, lines, 100) == code


@pytest.mark.parametrize(
    ("step", "asked", "code"),
    [
        *(("0.1", "0.3", 800), ("0.1", "0.35", 807), ("2.5", "7.5", 800), ("2.5", "5.001", 807)),
        *(("0.003", "0.009", 800), ("0.003", "0.01", 807), ("3", "99", 800), ("3", "100", 807)),
    ],
)
def test_10_a_step_divides_exactly_or_not(ledgers: Ledgers, step: str, asked: str, code: int) -> None:
    assert code_of(ledgers, shop_with({"multiple_of": step}), asked) == code


# --- Tiers ----------------------------------------------------------------------------------------------------------

COMMON = {"minimum": 100, "multiple_of": 10}


@pytest.mark.parametrize(
    ("tier", "asked", "code"),
    [
        # The common rules for whoever has no tier, or one without rules of its own.
        *((None, 99, 821), (None, 110, 800), (None, 115, 807), ("Silver", 99, 821)),
        # The tier's own rules stand in the place of the common ones; they are not added to them.
        *(("Gold", 99, 800), ("Gold", 7, 800), ("Gold", 201, 819), ("Gold", 200, 800)),
        # No rules at all is a set of rules too.
        *(("Founder", 1, 800), ("Founder", "0.001", 800), ("Founder", 500, 800)),
    ],
)
def test_10_the_rules_of_a_tier_replace_the_common_ones(
    ledgers: Ledgers, tier: str | None, asked: object, code: int
) -> None:
    tiers = {"Gold": {"maximum": 200}, "Founder": {}}
    lines = shop_with(COMMON, customer={"tier": tier}, tier_criteria=tiers)
    assert code_of(ledgers, lines, str(asked)) == code
    told = ledgers.reader(lines).redeem(points_redeemed=str(asked)) if code != 800 else None
    assert told is None or told.code == code


# --- Rounding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rounding", "points"),
    [
        # A value of 0.96, 1.00, 1.04 and 1.40 at 0.4 a point is worth 2.4, 2.5, 2.6 and 3.5 points.
        ("half_up", ["2", "3", "3", "4"]),
        ("half_down", ["2", "2", "3", "3"]),
        ("half_even", ["2", "2", "3", "4"]),
        ("floor", ["2", "2", "2", "3"]),
        ("ceiling", ["3", "3", "3", "4"]),
        (None, ["2", "3", "3", "4"]),
    ],
)
def test_10_five_ways_to_round(ledgers: Ledgers, rounding: str | None, points: list[str]) -> None:
    chosen = {} if rounding is None else {"rounding": rounding}
    shop = ledgers.reader(shop_with({}, points_currency_ratio="0.4", decimals=0, **chosen))
    asked = [shop.check(f"{TOM}&currency_input=true&currency_value={each}") for each in ("0.96", "1", "1.04", "1.4")]
    assert [(told.code, str(told.item["points"])) for told in asked] == [(800, each) for each in points]


@pytest.mark.parametrize(("decimals", "points"), [(0, "3"), (1, "3.3"), (2, "3.33"), (3, "3.333")])
def test_10_points_worked_out_from_money_have_the_decimals_of_the_program(
    ledgers: Ledgers, decimals: int, points: str
) -> None:
    shop = ledgers.reader(shop_with({}, points_currency_ratio="3", decimals=decimals))
    assert str(shop.check(f"{TOM}&currency_input=true&currency_value=10").item["points"]) == points


def test_10_the_decimals_of_a_program_do_not_bind_a_request_in_points(ledgers: Ledgers) -> None:
    assert code_of(ledgers, shop_with({}, decimals=0), "10.125") == 800


# --- The worth of a point -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "currency", "points", "value"),
    [
        *(("0.5", "INR", "120", "60"), ("0.25", "INR", "10.125", "2.53"), ("0.0000000001", "INR", "500", "0")),
        *(("0.333", "JPY", "10", "3"), ("0.35", "JPY", "10", "4"), ("0.0125", "KWD", "0.1", "0.001")),
        *(("0.005", "EUR", "1", "0.01"), ("1.0000000001", "EUR", "500", "500")),
    ],
)
def test_10_the_worth_of_points_is_rounded_to_the_currency_half_up(
    ledgers: Ledgers, ratio: str, currency: str, points: str, value: str
) -> None:
    lines = [an_organisation(currency=currency), *shop_with({}, points_currency_ratio=ratio)[1:]]
    told = ledgers.reader(lines).check(f"{TOM}&points={points}")
    assert (told.code, str(told.item["points_redeem_value"])) == (800, value)
    assert (str(told.item["points_redeem_local_value"]), told.item["points_currency_ratio"]) == (value, ratio)


# --- Promised points ------------------------------------------------------------------------------------------------


@pytest.fixture
def promising(ledgers: Ledgers) -> HttpCounter:
    """Tom has 50 points and the promise of 100 more."""
    return ledgers.reader(shop_with({}, customer={"wallets": [lots(50, promised_points=100)]}))


@pytest.mark.parametrize(("asked", "code"), [("50", 800), ("50.001", 818), ("150", 818)])
def test_10_promised_points_are_not_redeemed(promising: HttpCounter, asked: str, code: int) -> None:
    assert promising.check(f"{TOM}&points={asked}").code == code


def test_10_promised_points_are_told_apart_from_the_balance(promising: HttpCounter) -> None:
    reply = promising.send("GET", CUSTOMER, f"{TOM}&points_summary=true")
    (customer,) = reply.json["response"]["customers"]["customer"]
    (summary,) = customer["points_summaries"]["points_summary"]
    assert (summary["program_id"], summary["loyalty_points"], summary["promised_points"]) == (str(GOLD), 50, 100)
    assert customer["loyalty_points"] == 50


def test_10_promised_points_do_not_help_to_reach_the_balance_required(ledgers: Ledgers) -> None:
    wallets = [lots(50, promised_points=100)]
    assert code_of(ledgers, shop_with({"balance_required": 51}, customer={"wallets": wallets}), 10) == 804
