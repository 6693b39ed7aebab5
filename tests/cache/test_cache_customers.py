"""Customers in the cache: exact records, every form of an identifier, and always the moment they were seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from support.builders import (
    CUSTOMER_ID,
    MOBILE,
    NOW,
    PROGRAM_ID,
    a_customer,
    a_family_group,
    a_program,
    a_record,
    a_wallet,
    an_organisation,
    by_mobile,
)
from support.cache_filler import FIRST_CUSTOMER_ID, fill, mobile_of, synthetic_customer
from support.clock import FakeClock
from support.files import DATABASE_KEY, organisations, programs, records

from pos_app.cache import SqlCache
from pos_app.cache.identifiers import forms_of
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind

NUMBERS = count(10**12)
"""Customers and programs of hypothesis's examples, each with a number of its own."""


def open_at(folder: Path) -> SqlCache:
    return SqlCache.open(folder / "cache.db", DATABASE_KEY, FakeClock())


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SqlCache]:
    opened = open_at(tmp_path)
    opened.keep_organisation(an_organisation(), NOW)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def shared(shared_folder: Path) -> Iterator[SqlCache]:
    """One cache for all of hypothesis's examples."""
    opened = open_at(shared_folder)
    yield opened
    opened.close()


def by(kind: IdentifierKind, value: str) -> CustomerRef:
    return CustomerRef(kind, value)


def by_id(customer_id: int) -> CustomerRef:
    return by(IdentifierKind.ID, str(customer_id))


def found(cache: SqlCache, customer: CustomerRef) -> int | None:
    record = cache.find_customer(customer)
    return None if record is None else record.customer.customer_id


@settings(deadline=None)
@given(record=records)
def test_every_record_round_trips_exactly_with_its_moment(shared: SqlCache, record: CustomerRecord) -> None:
    record = replace(
        record,
        customer=replace(record.customer, customer_id=next(NUMBERS)),
        family_groups=tuple(replace(each, group_id=next(NUMBERS)) for each in record.family_groups),
        programs=tuple(replace(each, program_id=next(NUMBERS)) for each in record.programs),
    )
    shared.keep_customer(record, None, NOW)
    kept = shared.find_customer(by_id(record.customer.customer_id))
    assert kept == replace(record, as_of=NOW)
    assert [str(each.lifetime_purchases) for each in kept.wallets] == [
        str(each.lifetime_purchases) for each in record.wallets
    ]


@settings(deadline=None)
@given(program=programs)
def test_every_program_round_trips_exactly(shared: SqlCache, program: Program) -> None:
    program = replace(program, program_id=next(NUMBERS))
    shared.keep_program(program, NOW)
    assert shared.program(program.program_id) == program


@settings(deadline=None, max_examples=30)
@given(organisation=organisations, program=programs)
def test_programs_and_the_organisation_are_still_known_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, organisation: Organisation, program: Program
) -> None:
    folder = tmp_path_factory.mktemp("restart")
    before = open_at(folder)
    assert before.organisation() is None
    before.keep_organisation(organisation, NOW)
    before.keep_program(program, NOW)
    before.close()
    after = open_at(folder)
    assert after.organisation() == organisation
    assert after.programs() == [program]
    after.close()


def test_a_customer_never_seen_is_none(cache: SqlCache) -> None:
    cache.keep_customer(a_record(), None, NOW)
    for kind in IdentifierKind:
        for value in ("", "7", "nobody@example.org", "919812345679", "0"):
            assert found(cache, by(kind, value)) is None


@pytest.mark.parametrize(
    "typed",
    [
        MOBILE,
        "+919812345678",
        "+91 98123 45678",
        "+91-98123-45678",
        "0091 9812345678",
        "9812345678",
        "09812345678",
        "(098123) 45678",
    ],
)
@pytest.mark.parametrize("kept", [MOBILE, "+91 98123 45678", "9812345678"])
def test_a_mobile_number_matches_with_and_without_country_code_in_any_form(
    cache: SqlCache, kept: str, typed: str
) -> None:
    cache.keep_customer(a_record(customer=a_customer(mobile=kept)), None, NOW)
    assert found(cache, by_mobile(typed)) == CUSTOMER_ID


@pytest.mark.parametrize("typed", ["+449812345678", "12345678", "812345678", "98123456789", "919812345679", "919"])
def test_another_number_does_not_match(cache: SqlCache, typed: str) -> None:
    cache.keep_customer(a_record(), None, NOW)
    assert found(cache, by_mobile(typed)) is None


def test_the_number_as_typed_goes_before_the_forms_it_might_have(cache: SqlCache) -> None:
    """9198765432 is a national number of ten digits, and might be 98765432 with India's code."""
    short, full = a_customer(1, mobile="98765432"), a_customer(2, mobile="919198765432")
    wallets = (a_wallet(100), a_wallet(200, program_id=974))
    cache.keep_customer(a_record(customer=short, wallets=wallets), None, NOW)
    assert found(cache, by_mobile("9198765432")) == 1
    cache.keep_customer(a_record(customer=full, wallets=wallets), None, NOW)
    assert found(cache, by_mobile("9198765432")) == 2
    assert found(cache, by_mobile("98765432")) == 1
    record = cache.find_customer(by_mobile("9198765432"))
    assert record is not None
    assert record.wallets == wallets


@pytest.mark.parametrize(
    ("typed", "country_code", "forms"),
    [
        ("9812345678", "91", ("9812345678", "919812345678")),
        ("919812345678", "+91", ("919812345678", "91919812345678", "9812345678")),
        ("+919812345678", "91", ("919812345678", "9812345678")),
        ("00919812345678", "91", ("919812345678", "9812345678")),
        ("09198765432", "91", ("9198765432", "919198765432")),
        ("9812345678", "", ("9812345678",)),
        ("91123", "91", ("91123", "9191123")),
        ("+", "91", ("",)),
    ],
)
def test_the_forms_of_a_number(typed: str, country_code: str, forms: tuple[str, ...]) -> None:
    assert forms_of(by_mobile(typed), country_code) == forms


def test_without_a_country_code_a_number_matches_as_it_is_kept(tmp_path: Path) -> None:
    cache = open_at(tmp_path)
    cache.keep_customer(a_record(), None, NOW)
    assert found(cache, by_mobile("+91 98123 45678")) == CUSTOMER_ID
    assert found(cache, by_mobile("9812345678")) is None
    cache.keep_organisation(an_organisation(), NOW)
    assert found(cache, by_mobile("9812345678")) == CUSTOMER_ID
    cache.close()


def test_an_email_matches_without_regard_to_case(cache: SqlCache) -> None:
    cache.keep_customer(a_record(customer=a_customer(email="Ada.Straße@Example.org")), None, NOW)
    assert found(cache, by(IdentifierKind.EMAIL, " ada.STRASSE@example.ORG ")) == CUSTOMER_ID


def test_cards_external_ids_and_ids_match_as_they_are(cache: SqlCache) -> None:
    cache.keep_customer(a_record(customer=a_customer(cards=("7700-A", "7700-B"))), None, NOW)
    assert found(cache, by(IdentifierKind.CARD_NUMBER, "7700-B ")) == CUSTOMER_ID
    assert found(cache, by(IdentifierKind.CARD_NUMBER, "7700-b")) is None
    assert found(cache, by(IdentifierKind.EXTERNAL_ID, "C-1001")) == CUSTOMER_ID
    assert found(cache, by(IdentifierKind.CARD_NUMBER, "C-1001")) is None
    assert found(cache, by_id(CUSTOMER_ID)) == CUSTOMER_ID
    assert found(cache, by(IdentifierKind.ID, "1" * 30)) is None


def test_the_identifier_she_was_named_by_finds_her_again(cache: SqlCache) -> None:
    named = by(IdentifierKind.CARD_EXTERNAL_ID, "X-77")
    cache.keep_customer(a_record(), named, NOW)
    assert found(cache, named) == CUSTOMER_ID
    cache.keep_customer(a_record(), None, NOW)
    assert found(cache, named) == CUSTOMER_ID, "her record tells nothing of external ids of cards, so it stays"


def test_a_number_she_gave_up_finds_her_no_more_and_finds_its_new_owner(cache: SqlCache) -> None:
    cache.keep_customer(a_record(), None, NOW)
    cache.keep_customer(a_record(customer=a_customer(mobile="919800000000")), None, NOW)
    assert found(cache, by_mobile()) is None
    assert found(cache, by_mobile("919800000000")) == CUSTOMER_ID
    cache.keep_customer(a_record(customer=a_customer(2, mobile="919800000000")), None, NOW)
    assert found(cache, by_mobile("919800000000")) == 2


def test_a_later_lookup_replaces_everything_but_what_others_need(cache: SqlCache) -> None:
    first = a_record(wallets=(a_wallet(500), a_wallet(7, program_id=974)), family_groups=(a_family_group(),))
    cache.keep_customer(first, None, NOW)
    later = NOW + timedelta(minutes=5)
    cache.keep_customer(a_record(wallets=(a_wallet(400),)), None, later)
    record = cache.find_customer(by_mobile())
    assert record == a_record(wallets=(a_wallet(400),), as_of=later)


def test_no_balance_is_kept_without_its_moment_whatever_the_record_says(cache: SqlCache) -> None:
    cache.keep_customer(a_record(as_of=None), None, NOW)
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.as_of == NOW
    assert record.as_of.tzinfo is UTC


def test_a_family_group_is_the_default_of_one_member_and_not_of_another(cache: SqlCache) -> None:
    mine, yours = a_family_group(is_default=True), a_family_group(is_default=False)
    cache.keep_customer(a_record(family_groups=(mine,)), None, NOW)
    cache.keep_customer(a_record(customer=a_customer(2, mobile="91990"), family_groups=(yours,)), None, NOW)
    kept = [cache.find_customer(by_id(each)) for each in (CUSTOMER_ID, 2)]
    assert [record.family_groups for record in kept if record is not None] == [(mine,), (yours,)]


def test_the_default_program_comes_first_then_by_name(cache: SqlCache) -> None:
    for program_id, name, is_default in ((1, "Zeta", True), (2, "Beta", False), (3, "Alpha", False)):
        cache.keep_program(a_program(program_id, name=name, is_default=is_default), NOW)
    assert [each.name for each in cache.programs()] == ["Zeta", "Alpha", "Beta"]


def test_rules_once_known_stay_when_a_service_does_not_tell_them(cache: SqlCache) -> None:
    unknown = a_program(are_rules_known=False, ratio=None)
    known = a_program(multiple_of=10)
    cache.keep_customer(a_record(programs=(unknown,)), None, NOW)
    assert cache.program(PROGRAM_ID) == unknown
    cache.keep_program(known, NOW)
    cache.keep_customer(a_record(programs=(unknown,)), None, NOW)
    cache.keep_program(unknown, NOW)
    assert cache.program(PROGRAM_ID) == known
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.programs == (known,)


def test_who_was_not_seen_for_ninety_days_is_forgotten(tmp_path: Path) -> None:
    clock = FakeClock()
    path = tmp_path / "cache.db"
    cache = SqlCache.open(path, DATABASE_KEY, clock)
    cache.keep_customer(a_record(), None, clock.wall())
    clock.advance(60 * 86400)
    cache.keep_customer(a_record(customer=a_customer(2, mobile="919800000000")), None, clock.wall())
    cache.close()
    clock.advance(31 * 86400)
    cache = SqlCache.open(path, DATABASE_KEY, clock)
    assert found(cache, by_mobile()) == CUSTOMER_ID, "the clock alone is no reason: nobody came in since"
    cache.keep_customer(a_record(customer=a_customer(3, mobile="919800000001")), None, clock.wall())
    cache.close()
    cache = SqlCache.open(path, DATABASE_KEY, clock)
    assert found(cache, by_mobile()) is None
    assert found(cache, by_id(CUSTOMER_ID)) is None
    assert found(cache, by_id(2)) == 2
    assert found(cache, by_id(3)) == 3
    cache.close()


def test_many_customers_are_kept_at_once_and_each_is_found(cache: SqlCache) -> None:
    fill(cache, 500)
    for number in (0, 1, 250, 499):
        record = cache.find_customer(mobile_of(number, with_country_code=False))
        assert record is not None
        assert record.customer == synthetic_customer(number)
        assert record.customer.customer_id == FIRST_CUSTOMER_ID + number
        assert [each.balance for each in record.wallets] == [Points.of(500)]
    assert found(cache, mobile_of(500)) is None
