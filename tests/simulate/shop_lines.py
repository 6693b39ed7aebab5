"""The shop of every schedule: two stores, three tills, four customers, a family group; small balances that meet."""

from __future__ import annotations

from typing import Any

from support.ledger_server import a_program, a_till, an_organisation

MAIN, OTHER = 973, 974
"""Programs: the default one in steps of ten, and one without steps."""

LOGINS = ("till.014.1", "till.014.2", "till.020.1")
"""Two tills of one store and one of another."""

CEILING = 60
"""Of the second program, a day."""

CUSTOMERS = (50001, 50002, 50003, 50004)
FAMILY = 7001
CODED = "coded"
PLAIN = "plain"
KINDS = (PLAIN, CODED)
"""Of shops: codes are optional, or every redemption needs one."""


def shop_lines(kind: str) -> list[dict[str, Any]]:
    """The import file of a shop."""
    return [
        an_organisation(
            time_zone="UTC",
            validation_required=kind == CODED,
            skip_validation_allowed=True,
            family_group_pooling="members",
            otp={"sends_per_day": 100},
        ),
        a_program(offline_redemption=True, family_groups_enabled=True),
        a_program(
            id=OTHER,
            name="Silver",
            default=False,
            criteria={"ceilings": [{"period": "day", "points": CEILING}]},
            offline_redemption=True,
            family_groups_enabled=True,
        ),
        *(a_till(login=login, store=login.split(".")[1], name=f"Till {number}") for number, login in enumerate(LOGINS)),
        *(_customer(number) for number in CUSTOMERS),
        {
            "kind": "family_group",
            "organisation": 1,
            "id": FAMILY,
            "name": "Family",
            "members": [
                {"customer_id": CUSTOMERS[0], "primary": True, "permissions": ["allow_points_redemption"]},
                {"customer_id": CUSTOMERS[1], "primary": False, "permissions": ["allow_points_redemption"]},
            ],
        },
    ]


def _customer(number: int) -> dict[str, Any]:
    """Some points last, some expire within the days a schedule takes."""
    lasting = {50001: 400, 50002: 120, 50003: 1000, 50004: 60}[number]
    short = {50001: "2026-11-22", 50002: "2026-11-23", 50003: "2026-11-24", 50004: "2026-11-22"}[number]
    lots = [{"points": 90, "expires_on": short}, {"points": lasting, "expires_on": "2035-12-31"}]
    wallets = [{"program_id": MAIN, "lots": lots}, {"program_id": OTHER, "lots": [{"points": 240, "expires_on": None}]}]
    return {
        "kind": "customer",
        "organisation": 1,
        "id": number,
        "mobile": f"9197777{number}",
        "first_name": "Member",
        "last_name": str(number),
        "default_family_group_id": FAMILY if number in CUSTOMERS[:2] else None,
        "wallets": wallets,
    }
