"""One look tells what the longer way tells, or leaves it to that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.a_ledger import BookKit, a_book, asking
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind, ValidationType
from pos_app.ledger.facts import gather
from pos_app.ledger.glance import glance

SILVER, BRONZE = 974, 975
OTHER = 50002

LOTS = [
    {"points": "300.5", "expires_on": None},
    {"points": 40, "expires_on": "2020-01-31"},
    {"points": 10, "expires_on": "2035-12-31"},
]
WALLETS = [
    {"program_id": PROGRAM, "lots": LOTS, "lifetime_points": 900, "lifetime_purchases": "12.50", "promised_points": 5},
    {"program_id": SILVER, "state": "PAUSED", "lots": []},
]
LINES = [
    an_organisation(program_group_redemption="enabled"),
    a_program(tier_criteria={"CAPPED": {"ceilings": [{"period": "day", "points": 200}]}}),
    a_program(id=SILVER, default=False, criteria={"ceilings": [{"period": "day", "points": 200}]}),
    a_program(id=BRONZE, default=False),
    a_till(),
    a_customer(cards=[{"number": "6001"}, {"number": "6002", "active": False}], wallets=WALLETS, tier="GOLD"),
    a_customer(id=OTHER, mobile="+9777785205", email="a@b", external_id="X", wallets=[], tier="CAPPED"),
    a_customer(id=50003, mobile=None, email=None, external_id="Y", type="NON_LOYALTY", fraud_status="MARKED"),
]


def named(kind: IdentifierKind, value: str, **changes: Any) -> Any:
    return replace(asking(CUSTOMER, 100, **changes), customer=CustomerRef(kind, value))


SEEN_AT_ONCE = [
    asking(CUSTOMER, 100),
    asking(CUSTOMER, 100, program_id=BRONZE),  # She has no wallet there.
    asking(50003, 100),
    named(IdentifierKind.MOBILE, "919777785205"),
    named(IdentifierKind.MOBILE, "9777785205"),  # It reads as two people: as none.
    named(IdentifierKind.EMAIL, "TOM.Sawyer@example.org"),
    named(IdentifierKind.EXTERNAL_ID, "434547"),
    named(IdentifierKind.CARD_NUMBER, "6001"),
    named(IdentifierKind.CARD_NUMBER, "6002"),
]
LEFT_TO_THE_LONGER_WAY = [
    asking(4711, 100),
    asking(OTHER, 100),  # Her tier has a ceiling.
    asking(CUSTOMER, 100, program_id=SILVER),
    asking(CUSTOMER, 100, program_id=4711),
    asking(CUSTOMER, 100, program_group=True),
    asking(CUSTOMER, 100, family_group=FamilyGroupRef(group_id=1)),
    asking(CUSTOMER, 100, validation_type=ValidationType.MISSED_CALL),
    named(IdentifierKind.MOBILE, "no number"),
]


@pytest.mark.parametrize("request_", SEEN_AT_ONCE)
def test_one_statement_tells_what_the_longer_way_tells(tmp_path: Path, ledger_url: str, request_: Any) -> None:
    with a_book(tmp_path, LINES, url=ledger_url) as book:
        till = book.find_till(LOGIN)
        assert till is not None
        with book.store.glance() as connection:
            found = glance(book.tools, connection, till, request_)
        assert found is not None
        moment, known = found
        with book.store.read() as connection:
            same = book.tools.moment(connection, till)
            assert gather(connection, same.rules, till, request_, moment.now) == known
        assert replace(same, now=moment.now) == moment


@pytest.mark.parametrize("request_", LEFT_TO_THE_LONGER_WAY)
def test_what_one_statement_cannot_tell_is_left_to_the_longer_way(tmp_path: Path, request_: Any) -> None:
    with a_book(tmp_path, LINES) as book:
        till = book.find_till(LOGIN)
        assert till is not None
        with book.store.glance() as connection:
            assert glance(book.tools, connection, till, request_) is None
        assert book.check(till, request_).code != 0


def test_a_look_by_rules_that_changed_does_not_count(tmp_path: Path, ledger_url: str) -> None:
    with a_book(tmp_path, LINES, url=ledger_url) as one:
        kit, till = BookKit(one), one.find_till(LOGIN)
        assert till is not None
        assert kit.ledger.check(asking(CUSTOMER, 100)).code == 800
        with a_book(tmp_path, [a_program(criteria={"minimum": 200})], url=ledger_url), one.store.glance() as connection:
            assert glance(one.tools, connection, till, asking(CUSTOMER, 100)) is None
        assert kit.ledger.check(asking(CUSTOMER, 100)).code == 821


def test_looks_and_reads_take_turns_on_the_same_connections(tmp_path: Path, ledger_url: str) -> None:
    with a_book(tmp_path, LINES, url=ledger_url) as book:
        till = book.find_till(LOGIN)
        assert till is not None
        for _ in range(10):
            with book.store.glance() as connection:
                assert glance(book.tools, connection, till, asking(CUSTOMER, 100)) is not None
                assert not connection.in_transaction()
            assert BookKit(book).ledger.check(asking(CUSTOMER, 100, program_group=True)).code == 800
