"""Rows of the feed in the cache: a page with its cursor in one commit, versions, what is gone, what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.builders import (
    CUSTOMER_ID,
    FAMILY_GROUP_ID,
    MOBILE,
    NOW,
    PROGRAM_ID,
    a_customer,
    a_family_group,
    a_program,
    a_record,
    a_request,
    a_wallet,
    an_organisation,
    by_mobile,
)
from support.clock import FakeClock
from support.feed_ledger import (
    A_SHOP,
    WALLET_ID,
    changes_page,
    customer_item,
    family_item,
    gone,
    operator_item,
    organisation_item,
    program_item,
    snapshot_pages,
    wallet_item,
)
from support.files import DATABASE_KEY, full_disk
from support.raw_cache import raw_rows

from pos_app.cache import SqlCache
from pos_app.domain.facts import Member, Pooling
from pos_app.domain.feed import CardTold, FeedItem
from pos_app.domain.leases import OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind, PrimaryKind
from pos_app.domain.rules import judge
from pos_app.services.feed_port import CacheState
from pos_app.services.offline import facts_from

LATER = NOW + timedelta(minutes=5)


def open_at(folder: Path) -> SqlCache:
    return SqlCache.open(folder / "cache.db", DATABASE_KEY, FakeClock())


def fill(cache: SqlCache, items: Any = A_SHOP, limit: int = 1000) -> None:
    """Take a whole snapshot."""
    for page in snapshot_pages(items, limit):
        assert cache.put_snapshot_page(page) is not None
    while cache.index_snapshot():
        pass
    assert cache.put_snapshot_changes(changes_page()) is not None
    assert cache.finish_snapshot(NOW)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SqlCache]:
    opened = open_at(tmp_path)
    fill(opened)
    yield opened
    opened.close()


def by(kind: IdentifierKind, value: str) -> CustomerRef:
    return CustomerRef(kind, value)


def balance(cache: SqlCache) -> list[Points]:
    record = cache.find_customer(by_mobile())
    return [] if record is None else [each.balance for each in record.wallets]


def test_a_snapshot_answers_lookups_as_a_lookup_at_the_ledger_would(cache: SqlCache) -> None:
    record = cache.find_customer(by_mobile())
    assert record is not None
    lots = tuple(replace(lot, lot_id=7000) for lot in a_wallet().lots)
    wallet = a_wallet(wallet_id=WALLET_ID, lots=lots)
    her = a_customer(default_family_group_id=FAMILY_GROUP_ID)
    group = a_family_group(is_default=True)
    assert record == a_record(customer=her, wallets=(wallet,), family_groups=(group,))
    assert cache.program(PROGRAM_ID) == a_program()
    assert cache.organisation() == an_organisation()
    told = cache.organisation_told()
    assert told is not None
    assert told.lease_term_s == 8 * 3600
    assert [each.role for each in cache.operators()] == ["supervisor"]


def test_everything_is_still_there_after_a_restart(tmp_path: Path, cache: SqlCache) -> None:
    before = cache.find_customer(by_mobile())
    state = cache.feed_state()
    cache.close()
    again = open_at(tmp_path)
    assert again.find_customer(by_mobile()) == before
    assert again.feed_state() == state
    assert again.organisation_told() is not None
    again.close()


def test_a_page_of_changes_is_kept_with_its_cursor_or_not_at_all(tmp_path: Path, cache: SqlCache) -> None:
    before = cache.feed_state()
    richer = [wallet_item(a_wallet(9), version=2)]
    crowd = [customer_item(a_customer(each, first_name="Ada" * 300)) for each in range(1, 2000)]
    with full_disk(150_000):
        assert cache.put_changes(changes_page(*richer, *crowd, cursor="next"), LATER) is None
    assert cache.state is CacheState.FULL
    assert cache.feed_state() == before
    assert balance(cache) == [Points.of(500)]
    assert cache.put_changes(changes_page(*richer, cursor="next"), LATER) is not None
    assert cache.state is CacheState.OK
    state = cache.feed_state()
    assert state is not None
    assert (state.cursor, state.fresh_at) == ("next", LATER)
    assert balance(cache) == [Points.of(9)]
    cache.close()
    again = open_at(tmp_path)
    assert again.feed_state() == state
    assert balance(again) == [Points.of(9)]
    again.close()


def test_rows_of_the_feed_are_as_new_as_the_last_time_it_had_nothing_more(cache: SqlCache) -> None:
    cache.put_changes(changes_page(has_more=True), LATER)
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.as_of == NOW, "more is to come, so what is here may be old"
    cache.put_changes(changes_page(), LATER)
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.as_of == LATER


@pytest.mark.parametrize(("version", "kept"), [(4, 500), (5, 80), (6, 80)])
def test_a_wallet_older_than_the_kept_one_is_ignored(cache: SqlCache, version: int, kept: int) -> None:
    cache.put_changes(changes_page(wallet_item(version=5)), NOW)
    cache.put_changes(changes_page(wallet_item(a_wallet(80), version=version)), NOW)
    assert balance(cache) == [Points.of(kept)]


def test_of_two_rows_of_one_wallet_in_a_page_the_newer_version_counts(cache: SqlCache) -> None:
    newer, older = wallet_item(a_wallet(70), version=7), wallet_item(a_wallet(60), version=6)
    cache.put_changes(changes_page(newer, older), NOW)
    assert balance(cache) == [Points.of(70)]


def test_an_answer_of_our_own_is_not_undone_by_an_older_row(cache: SqlCache) -> None:
    cache.keep_wallet(CUSTOMER_ID, a_wallet(380), 17, LATER)
    cache.put_changes(changes_page(wallet_item(a_wallet(500), version=16)), LATER)
    assert balance(cache) == [Points.of(380)]
    cache.put_changes(changes_page(wallet_item(a_wallet(380, available=300), version=17, held=80)), LATER)
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.wallets[0].available == Points.of(300)
    cache.keep_wallet(CUSTOMER_ID, a_wallet(1), 16, LATER)
    assert balance(cache) == [Points.of(380)], "a late answer does not undo a newer row either"


def test_who_left_the_feed_is_found_by_nothing(cache: SqlCache) -> None:
    cache.put_changes(changes_page(gone("customer", CUSTOMER_ID)), NOW)
    assert cache.find_customer(by_mobile()) is None
    assert cache.find_customer(by(IdentifierKind.ID, str(CUSTOMER_ID))) is None
    for typed in (MOBILE, "5678", "ada@example.org", "C-1001", "Ada"):
        assert not cache.search(typed)
    cache.put_changes(changes_page(customer_item()), NOW)
    assert balance(cache) == [], "her wallets went with her"


def test_a_wallet_that_is_gone_is_gone(cache: SqlCache) -> None:
    cache.put_changes(changes_page(gone("wallet", WALLET_ID)), NOW)
    assert balance(cache) == []


def test_a_program_that_is_gone_and_a_switch_that_was_turned_are_heard_at_once(cache: SqlCache) -> None:
    cache.put_changes(changes_page(program_item(a_program(974, is_default=False, multiple_of=10))), NOW)
    assert cache.program(974) == a_program(974, is_default=False, multiple_of=10)
    off = an_organisation(redemptions_enabled=False)
    cache.put_changes(changes_page(gone("program", 974), organisation_item(off), gone("operator", 12)), NOW)
    assert cache.program(974) is None
    assert cache.organisation() == off
    assert list(cache.operators()) == []


def test_a_number_that_moved_to_somebody_else_finds_her(cache: SqlCache) -> None:
    ada, ben = a_customer(mobile="919800000001"), a_customer(2, mobile=MOBILE, email="", external_id="")
    cache.put_changes(changes_page(customer_item(ben), customer_item(ada)), NOW)
    found = cache.find_customer(by_mobile())
    assert found is not None
    assert found.customer.customer_id == 2
    moved = cache.find_customer(by_mobile("919800000001"))
    assert moved is not None
    assert moved.customer.customer_id == CUSTOMER_ID


def test_a_card_counts_while_it_is_in_use_by_its_number_and_its_external_id(cache: SqlCache) -> None:
    cards = (CardTold(number="7700-A", external_id="E-1"), CardTold(number="7700-B", is_active=False))
    cache.put_changes(changes_page(customer_item(cards=cards)), NOW)
    assert cache.find_customer(by(IdentifierKind.CARD_NUMBER, "7700-A")) is not None
    assert cache.find_customer(by(IdentifierKind.CARD_EXTERNAL_ID, "E-1")) is not None
    assert cache.find_customer(by(IdentifierKind.CARD_NUMBER, "7700-B")) is None
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.customer.cards == ("7700-A",)


def test_unknown_kinds_and_rows_that_cannot_be_read_are_left_out_and_counted(
    cache: SqlCache, caplog: pytest.LogCaptureFixture
) -> None:
    row = dict(wallet_item().row or {})
    bad = [
        FeedItem("wallet", WALLET_ID, {**row, "balance": "much", "version": 9}),
        FeedItem("wallet", WALLET_ID, {**row, "balance": 12, "version": 9}),
        FeedItem("wallet", WALLET_ID, {name: row[name] for name in row if name != "version"}),
        FeedItem("wallet", WALLET_ID, {**row, "owner": {"kind": "shop", "id": 1}, "version": 9}),
        FeedItem("customer", 5, {**(customer_item().row or {}), "first_name": ["Canary"]}),
        FeedItem("customer", 5, {**(customer_item().row or {}), "last_name": "Canary\ud800"}),
        FeedItem("program", 5, {"name": "Canary"}),
        FeedItem("coupon", 1, {"name": "Canary"}),
    ]
    applied = cache.put_changes(changes_page(*bad, wallet_item(a_wallet(77), version=2)), NOW)
    assert applied is not None
    assert (applied.rows, applied.skipped) == (9, 8)
    assert balance(cache) == [Points.of(77)]
    state = cache.feed_state()
    assert state is not None
    assert state.skipped == 8
    assert "anary" not in caplog.text


def test_members_of_tomorrow_are_kept(tmp_path: Path, cache: SqlCache) -> None:
    told = {"birthday": "1999-01-01", "pets": [{"name": "Rex"}]}
    page = changes_page(*(each._replace(row={**(each.row or {}), **told}) for each in A_SHOP))
    applied = cache.put_changes(page, NOW)
    assert applied is not None
    assert applied.skipped == 0
    assert cache.find_customer(by_mobile()) is not None
    cache.close()
    for table in ("customer", "wallet", "family_group"):
        assert [row["extra"] for row in raw_rows(tmp_path / "cache.db", table)] == [
            '{"birthday":"1999-01-01","pets":[{"name":"Rex"}]}'
        ]
    for table in ("program", "operator", "organisation"):
        assert all('"Rex"' in row["told"] for row in raw_rows(tmp_path / "cache.db", table))


def test_a_customer_the_feed_tells_of_replaces_what_was_looked_up_of_her(tmp_path: Path) -> None:
    cache = open_at(tmp_path)
    cache.keep_customer(a_record(wallets=(a_wallet(1), a_wallet(2, program_id=974))), None, NOW)
    fill(cache)
    cache.keep_customer(a_record(wallets=(a_wallet(444),)), None, LATER)
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert [each.balance for each in record.wallets] == [Points.of(444)], "a lookup is newer than the feed"
    assert record.as_of == LATER
    assert record.customer.default_family_group_id == FAMILY_GROUP_ID, "who she is the feed tells"
    cache.close()


def test_rows_of_one_customer_looked_up_are_kept_and_make_her_record(tmp_path: Path) -> None:
    cache = open_at(tmp_path)
    cache.keep_customer(a_record(), None, NOW)
    rows = [customer_item(a_customer(cards=("7700",))), wallet_item(a_wallet(640), version=4), family_item()]
    record = cache.keep_rows(rows, by(IdentifierKind.CARD_NUMBER, "7700"), LATER)
    assert record is not None
    assert record.as_of == LATER
    assert [each.balance for each in record.wallets] == [Points.of(640)]
    assert [each.group_id for each in record.family_groups] == [FAMILY_GROUP_ID]
    assert cache.find_customer(by(IdentifierKind.CARD_NUMBER, "7700")) == record
    cache.close()


def test_what_was_typed_finds_her_again_also_when_nothing_she_carries_reads_like_it(cache: SqlCache) -> None:
    odd = by(IdentifierKind.CARD_NUMBER, "OLD-CARD")
    cache.keep_rows([customer_item(), wallet_item()], odd, NOW)
    assert cache.find_customer(odd) is not None
    cache.put_changes(changes_page(customer_item(a_customer(tier="gold"))), NOW)
    assert cache.find_customer(odd) is not None


def test_a_record_is_made_of_rows_also_where_nothing_can_be_kept(tmp_path: Path) -> None:
    cache = open_at(tmp_path)
    cache.close()
    record = cache.keep_rows([customer_item(), wallet_item(), family_item()], None, NOW)
    assert record is not None
    assert [each.balance for each in record.wallets] == [Points.of(500)]
    assert [each.group_id for each in record.family_groups] == [FAMILY_GROUP_ID]
    assert cache.keep_rows([], None, NOW) is None


# --- Family groups -------------------------------------------------------------------------------------------------

BY_ID = FamilyGroupRef(group_id=FAMILY_GROUP_ID)
BEN = 50002
OWN_WALLET = wallet_item(a_wallet(900), wallet_id=5, owner=FAMILY_GROUP_ID, kind=OwnerKind.FAMILY_GROUP)
TWO = a_family_group(members=(Member(CUSTOMER_ID, is_primary=True), Member(BEN)))


@pytest.mark.parametrize(
    "named",
    [
        BY_ID,
        FamilyGroupRef(external_id="FG-1"),
        FamilyGroupRef(primary_user_id=CUSTOMER_ID),
        FamilyGroupRef(primary_kind=PrimaryKind.MOBILE, primary_value="98123 45678"),
        FamilyGroupRef(use_default=True),
    ],
)
def test_a_family_group_is_found_by_every_route_with_its_own_points(cache: SqlCache, named: FamilyGroupRef) -> None:
    cache.put_changes(changes_page(OWN_WALLET), NOW)
    found = cache.find_family(named, a_customer(default_family_group_id=FAMILY_GROUP_ID))
    assert found is not None
    assert found.group == a_family_group(is_default=True)
    assert [each.balance for each in found.wallets] == [Points.of(900)]
    other = FamilyGroupRef(group_id=FAMILY_GROUP_ID, external_id="another")
    assert cache.find_family(other, a_customer()) is None


def test_members_points_are_pooled_where_the_organisation_says_so(cache: SqlCache) -> None:
    pooled = an_organisation(family_group_pooling=Pooling.MEMBERS)
    ben = customer_item(a_customer(BEN, mobile="919800000002", email="", external_id=""))
    cache.put_changes(changes_page(organisation_item(pooled), family_item(TWO)), NOW)
    assert cache.find_family(BY_ID, a_customer()) is None, "Ben's points are not kept here, so nobody can say"
    cache.put_changes(changes_page(ben, wallet_item(a_wallet(40), wallet_id=6, owner=BEN)), NOW)
    found = cache.find_family(BY_ID, a_customer())
    assert found is not None
    assert sorted(each.balance.thousandths for each in found.wallets) == [40_000, 500_000]


def test_a_question_about_a_family_group_is_judged_without_a_line(cache: SqlCache) -> None:
    program = a_program(family_groups_enabled=True)
    cache.put_changes(changes_page(OWN_WALLET, program_item(program)), NOW)
    record = cache.find_customer(by_mobile())
    assert record is not None
    for count, is_allowed in ((900, True), (901, False)):
        request = a_request(count, family_group=BY_ID)
        facts = facts_from(
            record,
            request,
            organisation=an_organisation(),
            programs=cache.programs(),
            now=NOW,
            family=cache.find_family(BY_ID, record.customer),
        )
        assert judge(request, facts).is_allowed is is_allowed


def test_of_a_family_group_that_was_only_looked_up_nothing_is_said(tmp_path: Path) -> None:
    cache = open_at(tmp_path)
    cache.keep_organisation(an_organisation(), NOW)
    cache.keep_customer(a_record(family_groups=(a_family_group(),)), None, NOW)
    assert cache.find_family(BY_ID, a_customer()) is None
    cache.close()


def test_a_member_who_left_is_in_the_group_no_more(cache: SqlCache) -> None:
    cache.put_changes(changes_page(family_item(a_family_group(members=(Member(BEN, is_primary=True),)))), NOW)
    record = cache.find_customer(by_mobile())
    assert record is not None
    assert record.family_groups == ()
    cache.put_changes(changes_page(gone("family_group", FAMILY_GROUP_ID), operator_item(13)), NOW)
    assert cache.find_family(BY_ID, a_customer()) is None
