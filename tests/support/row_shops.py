"""The shops the rows of the contract are asked in: lines of the import format, made by the builders.

`a_shop` is for questions, `a_moving_shop` for what moves points; both know Tom, whose mobile number is 9777785205.
"""

from __future__ import annotations

from typing import Any

from support.ledger_server import a_customer, a_program, a_till, an_organisation

GOLD, SILVER, OLD, UNSET = 973, 974, 975, 976
TOMS, OTHER, JOINED_NOT, CAMPAIGN, MARKED, LONER = 50001, 50002, 50003, 50004, 50005, 50006
HOME, CLOSED = 77, 78
TOM = "mobile=9777785205"
OTHERS = "mobile=9000000002"
KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
OTHER_KEY = "01J9ZQ4M7T8V2W3X5Y6A7B8C9D"

Line = dict[str, Any]


def lots(points: int | str, program: int = GOLD, **wallet: Any) -> dict[str, Any]:
    """A wallet with one lot that lasts, of the default program unless another is named."""
    return {"program_id": program, "lots": [{"points": points, "expires_on": "2035-12-31"}], **wallet}


def a_person(customer_id: int, last_digit: int, **changes: Any) -> Line:
    """Another customer, whose mobile number ends in `last_digit`."""
    plain = {"id": customer_id, "mobile": f"91900000000{last_digit}", "email": None, "external_id": None}
    return a_customer(**{**plain, **changes})


def a_family(group_id: int, *members: dict[str, Any], **changes: Any) -> Line:
    """A family group."""
    return {"kind": "family_group", "organisation": 1, "id": group_id, "members": list(members), **changes}


def a_shop(**organisation: Any) -> list[Line]:
    """Four programs, six customers, two family groups; `organisation` changes its settings."""
    return [
        an_organisation(**organisation),
        a_program(criteria={"multiple_of": 10}, family_groups_enabled=True),
        a_program(id=SILVER, name="Silver", default=False, points_currency_ratio="0.25", criteria={}, decimals=1),
        a_program(id=OLD, name="Old", default=False, active=False),
        a_program(id=UNSET, name="Unset", default=False, points_currency_ratio=None, criteria={}),
        a_till(),
        a_customer(
            wallets=[
                lots(500, lifetime_points=900),
                lots("40.125", SILVER),
                {"program_id": UNSET, "lots": [{"points": 30, "expires_on": None}]},
            ],
            default_family_group_id=HOME,
            cards=[{"number": "6001", "external_id": "X1", "active": False}, {"number": "6002", "external_id": "X2"}],
        ),
        a_person(OTHER, 2, wallets=[lots(50)], default_family_group_id=CLOSED),
        a_person(JOINED_NOT, 3, type="NON_LOYALTY"),
        a_person(CAMPAIGN, 4, campaign_only=True),
        a_person(MARKED, 5, fraud_status="CONFIRMED"),
        a_person(LONER, 6),
        a_family(
            HOME,
            {"customer_id": TOMS, "primary": True},
            {"customer_id": OTHER, "permissions": ["block_points_redemption"]},
            name="Sawyer",
            external_id="FG-1",
            wallets=[lots(1000)],
        ),
        a_family(CLOSED, {"customer_id": OTHER, "primary": True}, name="Closed", status="DELETED"),
    ]


def a_moving_shop(**organisation: Any) -> list[Line]:
    """Two programs, five customers, one family group, two tills; programs redeem for each other."""
    return [
        an_organisation(**{"program_group_redemption": "enabled", **organisation}),
        a_program(family_groups_enabled=True, criteria={"multiple_of": 10}),
        a_program(id=SILVER, name="Silver", default=False, points_currency_ratio="0.25", criteria={}),
        a_till(),
        a_till(login="till.014.4"),
        a_customer(
            wallets=[lots(500), lots("40.125", SILVER)],
            default_family_group_id=HOME,
            cards=[{"number": "6001", "external_id": "X1"}],
            tier="Gold Plus",
        ),
        a_person(OTHER, 2, wallets=[lots(500)]),
        a_person(JOINED_NOT, 3, type="NON_LOYALTY"),
        a_person(CAMPAIGN, 4, campaign_only=True),
        a_person(MARKED, 5, fraud_status="Confirmed"),
        a_family(
            HOME,
            {"customer_id": TOMS, "primary": True},
            {"customer_id": OTHER},
            name="Sawyer",
            external_id="FG-1",
            wallets=[lots(1000)],
        ),
    ]


def worst_shop() -> list[Line]:
    """A shop and a customer against whom nearly everything stands."""
    harsh = {
        "minimum": 500,
        "maximum": 100,
        "multiple_of": 10,
        "balance_required": 100,
        "lifetime_points_required": 100,
        "lifetime_purchases_required": 100,
        "ceilings": [{"period": "day", "points": 50}],
    }
    person = {"type": "NON_LOYALTY", "campaign_only": True, "fraud_status": "FRAUD"}
    empty = {"program_id": SILVER, "state": "PAUSED", "lots": []}
    return [
        an_organisation(program_group_redemption="required"),
        a_program(),
        a_program(id=SILVER, default=False, criteria=harsh, redemption_enabled=False, points_currency_ratio=None),
        a_till(),
        a_customer(wallets=[empty], **person),
        a_person(OTHER, 2),
        a_family(HOME, {"customer_id": OTHER, "primary": True}, name="Others", wallets=[empty]),
    ]


ANY, LEAST, MOST, STEP, STANDING, EARNED, BOUGHT, DAILY, SHUT, GONE, WORTHLESS, PAUSED = range(981, 993)
"""The programs of `a_rule_shop`, one rule each."""


def a_rule_shop(**organisation: Any) -> list[Line]:
    """A program for every rule of contract 10, with 500 points of Tom in each; his family group has 100 of `ANY`."""
    rules: dict[int, dict[str, Any]] = {
        LEAST: {"criteria": {"minimum": 20}},
        MOST: {"criteria": {"maximum": 100}},
        STEP: {"criteria": {"multiple_of": 10}},
        STANDING: {"criteria": {"balance_required": "500.001"}},
        EARNED: {"criteria": {"lifetime_points_required": "900.001"}},
        BOUGHT: {"criteria": {"lifetime_purchases_required": "800.01"}},
        DAILY: {"criteria": {"ceilings": [{"period": "day", "points": 50}]}},
        SHUT: {"redemption_enabled": False},
        GONE: {"active": False},
        WORTHLESS: {"points_currency_ratio": None},
        PAUSED: {},
    }
    plain: dict[str, Any] = {"default": False, "points_currency_ratio": "0.5", "criteria": {}}
    wallets = [lots(500, each, lifetime_points=900, lifetime_purchases=800) for each in (ANY, *rules)]
    wallets[-1]["state"] = "PAUSED"
    return [
        an_organisation(**organisation),
        a_program(**{**plain, "id": ANY, "name": "Any", "default": True, "family_groups_enabled": True}),
        *(a_program(**{**plain, "id": number, "name": f"Rule {number}", **rule}) for number, rule in rules.items()),
        a_till(),
        a_customer(wallets=wallets),
        a_person(OTHER, 2, wallets=[lots(500, ANY)]),
        a_person(JOINED_NOT, 3, type="NON_LOYALTY", wallets=[]),
        a_person(CAMPAIGN, 4, campaign_only=True, wallets=[]),
        a_person(MARKED, 5, fraud_status="RECONFIRMED", wallets=[]),
        a_person(LONER, 6, wallets=[lots(500, ANY)]),
        a_family(
            HOME,
            {"customer_id": TOMS, "primary": True},
            {"customer_id": OTHER, "permissions": ["block_points_redemption"]},
            name="Sawyer",
            wallets=[lots(100, ANY)],
        ),
    ]


def adas_shop(**organisation: Any) -> list[Line]:
    """The made-up data of contract 2.9: Ada has 500 points of the default program at 0.5 each, in steps of 10."""
    return [
        an_organisation(**{"country_code": "44", "currency": "GBP", "time_zone": "Europe/London", **organisation}),
        a_program(points_currency_ratio="0.5", criteria={"multiple_of": 10}),
        a_till(),
        a_customer(
            mobile="447700900123",
            email="ada@example.org",
            external_id="C-1001",
            first_name="Ada",
            last_name=None,
        ),
    ]
