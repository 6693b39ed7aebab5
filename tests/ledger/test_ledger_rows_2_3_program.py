"""Contract 2.3 and 2.4 at the HTTP face, row by row: of which program."""

from __future__ import annotations

import pytest
from support.http_counter import HttpCounter
from support.ledger_server import a_customer, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import (
    SILVER,
    TOM,
    a_shop,
)


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.mark.parametrize(
    ("program", "code"),
    [
        *(("973", 800), ("974", 800), ("975", 1101), ("999", 1101), ("abc", 1101), ("-973", 1101), ("9.73", 1101)),
        *(("", 800), ("null", 800), ("9" * 30, 1101), ("0", 1101)),
    ],
)
def test_2_3_programs(reader: HttpCounter, program: str, code: int) -> None:
    told = reader.check(f"{TOM}&points=10&program_id={program}")
    assert told.row == ((200, 200, "true", 800) if code == 800 else (200, 500, "false", code))
    assert told.item["points_currency_ratio"] == {"974": "0.25"}.get(program, "1" if code == 800 else "0")


def test_2_3_without_a_program_the_tills_own_counts_before_the_default(ledgers: Ledgers) -> None:
    with ledgers.counter([*a_shop(), a_till(program_id=SILVER)]) as counter:
        assert counter.check(f"{TOM}&points=10").item["points_currency_ratio"] == "0.25"


def test_2_3_points_of_other_programs_are_not_looked_at(reader: HttpCounter) -> None:
    assert reader.check(f"{TOM}&points=50&program_id={SILVER}").code == 818


def test_2_3_an_organisation_without_a_program_is_895(ledgers: Ledgers) -> None:
    lines = [an_organisation(), a_till(), a_customer(wallets=[])]
    with ledgers.counter(lines) as counter:
        told = counter.check(f"{TOM}&points=10&program_id=973")
        assert (told.row, told.item["points_currency_ratio"]) == ((200, 500, "false", 895), "0")


@pytest.mark.parametrize(
    ("rule", "query", "code"),
    [
        ("disabled", "points=10", 800),
        ("disabled", "points=10&group_redemption=true", 888),
        ("enabled", "points=530&group_redemption=true", 800),
        ("enabled", "points=530&group_redemption=true&program_id=974", 800),
        ("enabled", "points=535&group_redemption=true&program_id=974", 807),
        ("enabled", "points=530&group_redemption=true&program_id=975", 1101),
        ("enabled", "points=580&group_redemption=true", 818),
        ("required", "points=10", 3316),
        ("required", "points=10&group_redemption=false", 3316),
        ("required", "points=10&group_redemption=true", 800),
    ],
)
def test_2_4_groups_of_programs(ledgers: Ledgers, rule: str, query: str, code: int) -> None:
    assert ledgers.reader(a_shop(program_group_redemption=rule)).check(f"{TOM}&{query}").code == code


def test_2_4_a_group_of_programs_beside_a_group_of_people_is_malformed(reader: HttpCounter) -> None:
    for group in ("user_group2_id=77", "use_default_user_group2=true", "user_group2_external_id=FG-1"):
        assert reader.check(f"{TOM}&points=10&group_redemption=true&{group}").status == 400
