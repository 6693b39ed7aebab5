"""The feed on the wire: pages, rows of each type, and what is no such page or row (sync-api 5 and 6)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_app.domain.facts import (
    Ceiling,
    CeilingPeriod,
    Criteria,
    Customer,
    FamilyGroup,
    Lot,
    Member,
    Organisation,
    Pooling,
    Program,
    ProgramGroupRule,
    Wallet,
)
from pos_app.domain.feed import (
    CardTold,
    ChangesPage,
    CustomerRows,
    FeedItem,
    OperatorTold,
    OrganisationTold,
    RiskLimits,
    Scope,
    SnapshotPage,
    WalletTold,
)
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.wire import feed_reading as reading
from pos_app.wire import feed_rows as rows
from pos_app.wire.feed import (
    read_changes,
    read_customer_asked,
    read_customer_rows,
    read_regulars,
    read_snapshot,
    write_changes,
    write_customer_asked,
    write_customer_rows,
    write_regulars,
    write_snapshot,
)
from pos_app.wire.formats import MalformedError, UnreadableAnswerError

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TOMS = Owner(OwnerKind.CUSTOMER, 50001)
RULES = Criteria(
    minimum=Points.of(10),
    lifetime_purchases_required=Decimal("99.5"),
    ceilings=(Ceiling(CeilingPeriod.DAY, Points.of(50)), Ceiling(CeilingPeriod.PAST_DAYS, Points.of("70.5"), 7)),
)
ORGANISATION = OrganisationTold(
    organisation=Organisation(
        organisation_id=1,
        name="Kalpana Stores",
        currency="INR",
        time_zone="Asia/Kolkata",
        country_code="91",
        program_group_redemption=ProgramGroupRule.REQUIRED,
        family_group_pooling=Pooling.MEMBERS,
        otp_length=8,
    ),
    resend_waits_s=(5, 10),
    lease_term_s=60,
    risk=RiskLimits(enabled=True, per_redemption=Points.of("12.5")),
)
PROGRAM = Program(
    program_id=973,
    name="Gold Rewards",
    is_default=True,
    ratio=Decimal("0.25"),
    decimals=1,
    offline_redemption=True,
    criteria=RULES,
    tier_criteria={"Gold Plus": Criteria(maximum=Points.of(5))},
)
OPERATOR = OperatorTold(operator_id=7, name="R. Mehta", role="cashier", badge="B7", stores=("014",))
CARDS = (CardTold(number="6001"), CardTold(external_id="X1", is_active=False))
CUSTOMER = Customer(
    customer_id=50001,
    mobile="919777785205",
    external_id="E1",
    cards=("6001",),
    first_name="Tom",
    tier="Gold Plus",
    is_blocked=True,
    default_family_group_id=77,
)
WALLET = WalletTold(
    owner=TOMS,
    version=17,
    wallet=Wallet(
        program_id=973,
        balance=Points.of("500.125"),
        available=Points.of("400.125"),
        lifetime_points=Points.of(900),
        lifetime_purchases=Decimal("12.5"),
        promised_points=Points.of(3),
        is_paused=True,
        redeemed_days=((date(2026, 11, 20), Points.of(20)),),
        lots=(
            Lot(points=Points.of(500), expires_on=date(2027, 12, 31), lot_id=31, program_id=973),
            Lot(points=Points.of("0.125"), awarded_on=date(2026, 1, 1), lot_id=32, program_id=973),
        ),
        wallet_id=8801,
    ),
    held_offline=Points.of(100),
    months=(("2026-09", Points.of(5)), ("2026-10", Points.of("5.5"))),
)
GROUP = FamilyGroup(
    group_id=77,
    name="Sawyer",
    external_id="FG-1",
    status="ACTIVE",
    members=(Member(50001, is_primary=True), Member(50002, may_redeem=False, is_active=False)),
)
WRITTEN: dict[str, dict[str, Any]] = {
    "organisation": rows.organisation_row(ORGANISATION),
    "program": rows.program_row(PROGRAM),
    "operator": rows.operator_row(OPERATOR),
    "customer": rows.customer_row(CUSTOMER, CARDS),
    "wallet": rows.wallet_row(WALLET),
    "family_group": rows.family_group_row(GROUP),
}
READ = {
    "organisation": (1, reading.read_organisation, ORGANISATION),
    "program": (973, reading.read_program, PROGRAM),
    "operator": (7, reading.read_operator, OPERATOR),
    "customer": (50001, reading.read_customer, CUSTOMER),
    "wallet": (8801, reading.read_wallet, WALLET),
    "family_group": (77, reading.read_family_group, GROUP),
}
MAY_BE_MISSING = {
    "organisation": {"country_code", "missed_call_number"},
    "program": {"points_currency_ratio"},
    "operator": {"badge"},
    "customer": {"mobile", "email", "external_id", "first_name", "last_name", "tier", "default_family_group_id"},
    "wallet": {"lifetime_purchases"},
    "family_group": {"external_id", "name"},
}
"""Null where unknown."""


# --- Rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_row_is_read_as_it_was_written_through_json(kind: str) -> None:
    number, read, told = READ[kind]
    assert read(number, json.loads(json.dumps(WRITTEN[kind]))) == told


def test_cards_keep_both_their_names() -> None:
    assert reading.read_cards(WRITTEN["customer"]) == CARDS


@pytest.mark.parametrize("kind", WRITTEN)
def test_members_of_tomorrow_are_left_alone(kind: str) -> None:
    number, read, told = READ[kind]
    assert read(number, {**WRITTEN[kind], "from_tomorrow": {"a": [1]}}) == told


@pytest.mark.parametrize(("kind", "member"), [(kind, name) for kind, row in WRITTEN.items() for name in row])
def test_a_member_that_is_missing_or_of_another_kind_is_named(kind: str, member: str) -> None:
    number, read, _ = READ[kind]
    row = dict(WRITTEN[kind])
    if member not in MAY_BE_MISSING[kind]:
        with pytest.raises(UnreadableAnswerError, match=member):
            read(number, {name: value for name, value in row.items() if name != member})
    if member == "tier":
        return  # A tier nobody can read is none: the common rules apply.
    for odd in (12.5, {"a": object()}, [[1]]):
        if isinstance(row[member], dict) and isinstance(odd, dict) and member in {"criteria", "tier_criteria"}:
            continue
        with pytest.raises(UnreadableAnswerError, match=member):
            read(number, {**row, member: odd})


def test_what_stands_inside_a_row_is_named_with_its_place() -> None:
    lots = [{**WRITTEN["wallet"]["lots"][0], "points": "many"}]
    with pytest.raises(UnreadableAnswerError, match=r"lots\.points: expected a number as text"):
        reading.read_wallet(1, {**WRITTEN["wallet"], "lots": lots})
    with pytest.raises(UnreadableAnswerError, match=r"owner\.kind"):
        reading.read_wallet(1, {**WRITTEN["wallet"], "owner": {"kind": "shop", "id": 1}})
    with pytest.raises(UnreadableAnswerError, match=r"otp\.length"):
        reading.read_organisation(1, {**WRITTEN["organisation"], "otp": {"resend_waits_s": []}})
    ceilings = {**WRITTEN["program"]["criteria"], "ceilings": [{"period": "hour", "points": "5"}]}
    with pytest.raises(UnreadableAnswerError, match=r"criteria\.ceilings\.period"):
        reading.read_program(1, {**WRITTEN["program"], "criteria": ceilings})


def test_no_fault_repeats_what_stood_there() -> None:
    with pytest.raises(UnreadableAnswerError) as raised:
        reading.read_customer(1, {**WRITTEN["customer"], "mobile": {"secret": 919777785205}})
    assert "9197" not in str(raised.value)


# --- Pages -----------------------------------------------------------------------------------------------------------

ITEMS = [FeedItem(kind, READ[kind][0], row) for kind, row in WRITTEN.items()]
SNAPSHOT = SnapshotPage(
    epoch=3,
    schema=1,
    scope=Scope.ALL,
    as_of="CURSOR",
    server_time=NOW,
    counts={"customers": 1, "wallets": 1, "family_groups": 1},
    items=ITEMS,
    next_page="TOKEN",
)
CHANGES = ChangesPage(
    epoch=3,
    schema=1,
    server_time=NOW,
    items=[*ITEMS, FeedItem("wallet", 9, None), FeedItem("from_tomorrow", 1, {"a": "b"})],
    next_cursor="CURSOR",
    has_more=True,
)


def test_pages_are_read_as_they_were_written() -> None:
    assert read_snapshot(write_snapshot(SNAPSHOT)) == SNAPSHOT
    assert read_changes(write_changes(CHANGES)) == CHANGES
    found = CustomerRows(epoch=3, server_time=NOW, items=ITEMS)
    assert read_customer_rows(write_customer_rows(found)) == found
    owners = [(TOMS, 973), (Owner(OwnerKind.FAMILY_GROUP, 77), 974)]
    assert read_regulars(write_regulars(owners)) == owners


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epoch": None}, "epoch"),
        ({"scope": "shop"}, "scope"),
        ({"as_of": ""}, "as_of"),
        ({"next": "x" * 201}, "next"),
        ({"server_time": "soon"}, "server_time"),
        ({"items": None}, "items"),
        ({"items": [1]}, "items"),
        ({"items": [{"type": "wallet", "id": 0, "row": {}}]}, "items.id"),
        ({"items": [{"type": "wallet", "id": True, "row": {}}]}, "items.id"),
        ({"items": [{"type": "wallet", "id": 1, "row": None}]}, "items.row"),
        ({"items": [{"type": 5, "id": 1, "row": {}}]}, "items.type"),
    ],
)
def test_a_page_with_a_fault_is_none(change: dict[str, Any], named: str) -> None:
    tree = json.loads(write_snapshot(SNAPSHOT))
    with pytest.raises(UnreadableAnswerError, match=named):
        read_snapshot(json.dumps(tree | change).encode())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"more": 1}, "more"),
        ({"next": None}, "next"),
        ({"items": [{"type": "wallet", "op": "gone", "id": 1}]}, "items.op"),
        ({"items": [{"type": "wallet", "op": "put", "id": 1}]}, "items.row"),
        ({"items": [{"type": "wallet", "op": "del", "id": "1"}]}, "items.id"),
    ],
)
def test_changes_with_a_fault_are_none(change: dict[str, Any], named: str) -> None:
    tree = json.loads(write_changes(CHANGES))
    with pytest.raises(UnreadableAnswerError, match=named):
        read_changes(json.dumps(tree | change).encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"a": NaN}', b"\xff", b"[" * 100_000, b'{"a":' + b"9" * 99])
def test_what_is_no_page_is_unreadable(body: bytes) -> None:
    for read in (read_snapshot, read_changes, read_customer_rows, read_regulars):
        with pytest.raises(UnreadableAnswerError):
            read(body)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_changes(body)


@pytest.mark.parametrize("text", ["\ud83d\ude00", "\x00", "\ud83d", "\ufffe", "Zoë"])
def test_texts_no_database_takes_are_mended_and_others_kept(text: str) -> None:
    page = json.loads(write_snapshot(SNAPSHOT))
    page["items"][3]["row"]["first_name"] = text
    name = read_snapshot(json.dumps(page).encode("ascii")).items[3].row
    assert name is not None
    assert name["first_name"].encode("utf-8")
    assert "\x00" not in name["first_name"]
    is_whole = text in ("Zoë", "\ud83d\ude00")
    kept = text.encode("utf-16", "surrogatepass").decode("utf-16") if is_whole else "\ufffd"
    assert name["first_name"] == kept


def test_a_fraction_in_a_member_of_tomorrow_never_becomes_a_float() -> None:
    page = json.loads(write_snapshot(SNAPSHOT))
    page["items"][4]["row"]["from_tomorrow"] = 12.5
    row = read_snapshot(json.dumps(page).encode()).items[4].row
    assert row is not None
    assert row["from_tomorrow"] == "12.5"


# --- One customer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", IdentifierKind)
def test_every_identifier_is_asked_for_under_its_own_name(kind: IdentifierKind) -> None:
    asked = CustomerRef(kind, "50001")
    assert read_customer_asked(write_customer_asked(asked)) == asked


@pytest.mark.parametrize("body", [b"{}", b'{"id": 1, "mobile": "2"}', b'{"mobile": 5}', b"[]", b'{"id": true}'])
def test_exactly_one_identifier_is_asked_for(body: bytes) -> None:
    with pytest.raises(MalformedError):
        read_customer_asked(body)
