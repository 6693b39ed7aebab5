"""Loading a ledger: every kind and rule of the import format."""

from __future__ import annotations

import copy
import io
import json
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select
from support.a_ledger import BookKit, CollectingSender, a_book, asking, encoded, everything_kept, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, PROGRAM, a_customer, a_program, a_small_ledger, a_till, an_organisation

from pos_app.domain.commands import Reverse
from pos_app.domain.facts import CeilingPeriod, Pooling, Program
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.entries import FIRST_HASH, ROW, Entry, EntryKind, Imprint, chained
from pos_app.ledger.loading import importer
from pos_app.ledger.loading.customer_lines import StatedCustomer, decode_plain, full_mobile, read_plain_customer
from pos_app.ledger.loading.customers import read_unusual_customer
from pos_app.ledger.loading.fields import FaultyLineError, Fields
from pos_app.ledger.loading.importer import ControlTotal, ImportRefusedError, import_file
from pos_app.ledger.loading.progress import CountedLines, Progress
from pos_app.ledger.rulebook import OrganisationRules, organisation_rules_from

SILVER = 974


@pytest.fixture
def book(tmp_path: Path, ledger_url: str) -> Iterator[Book]:
    with a_book(tmp_path, url=ledger_url, sender=CollectingSender()) as made:
        yield made


def _load(book: Book, lines: list[dict[str, Any]], **options: Any) -> ControlTotal:
    return import_file(book, encoded(lines), **{"file_name": "shop.jsonl", **options})


def _refused(book: Book, lines: list[dict[str, Any]]) -> str:
    with pytest.raises(ImportRefusedError) as caught:
        _load(book, lines)
    return str(caught.value)


def _count(book: Book, table: Table) -> int:
    with book.store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _everything(book: Book) -> dict[str, list[Any]]:
    with book.store.read() as connection:
        return {name: list(connection.execute(select(table))) for name, table in schema.metadata.tables.items()}


def _redemption(**changes: Any) -> dict[str, Any]:
    plain = {"organisation": 1, "redemption_id": "OLD1", "customer_id": CUSTOMER, "program_id": PROGRAM, "points": 120}
    return {"kind": "redemption", **plain, "at": "2026-11-22T12:00:00+05:30", **changes}


def _group(**changes: Any) -> dict[str, Any]:
    members = [{"customer_id": CUSTOMER, "primary": True}]
    return {"kind": "family_group", "organisation": 1, "id": 77, "name": "Sawyer", "members": members, **changes}


def _operator(**changes: Any) -> dict[str, Any]:
    return {"kind": "operator", "organisation": 1, "id": 7, "name": "R. Mehta", "role": "cashier", **changes}


FULL = [
    an_organisation(telephony={"login": "calls", "password": "ring"}, family_group_pooling="members"),
    a_program(criteria={"ceilings": [{"period": "past_days", "days": 30, "points": "500.5"}], "maximum": 200}),
    a_program(id=SILVER, default=False, points_currency_ratio=None, tier_criteria={"GOLD": {"minimum": 5}}),
    a_till(program_id=SILVER, currency="USD", currency_rate="0.012"),
    _operator(pin="4821", stores=["014"], badge="B7"),
    a_customer(default_family_group_id=77, cards=[{"number": "6001"}]),
    _group(wallets=[{"program_id": PROGRAM, "lots": [{"points": "12.5", "expires_on": None}]}]),
    _redemption(
        external_reference_number="OLD-KEY", reversed_points=20, lots=[{"points": 100, "expires_on": "2027-01-31"}]
    ),
]


def test_every_kind_is_counted_and_points_are_added_up_exactly(book: Book) -> None:
    total = _load(book, FULL)
    assert total == ControlTotal(
        organisations=1,
        programs=2,
        tills=1,
        operators=1,
        customers=1,
        family_groups=1,
        redemptions=1,
        points=Points.of("512.5"),
    )
    assert str(total).startswith("1 organisations, 2 programs, 1 tills, 1 operators, 1 customers, 1 family groups")
    assert str(total).endswith("512.5 points")
    assert book.verify() == []


def test_the_same_file_twice_changes_nothing(book: Book) -> None:
    first = _load(book, FULL)
    before = _everything(book)
    assert _load(book, FULL) == first
    assert _everything(book) == before


def test_what_a_file_says_is_what_the_rules_read(book: Book) -> None:
    _load(book, FULL)
    till = book.find_till("till.014.3")
    assert till is not None
    organisation, program = book.organisation(till), book.program(till, PROGRAM)
    silver = book.program(till, SILVER)
    assert program is not None
    assert silver is not None
    assert organisation.family_group_pooling is Pooling.MEMBERS
    (ceiling,) = program.criteria.ceilings
    assert (ceiling.period, ceiling.days, str(ceiling.points)) == (CeilingPeriod.PAST_DAYS, 30, "500.5")
    assert (silver.ratio, silver.criteria_for("GOLD").minimum) == (None, Points.of(5))
    assert (till.program_id, till.currency, str(till.currency_rate)) == (SILVER, "USD", "0.012")


def test_changed_master_data_is_updated_for_every_open_book(book: Book, tmp_path: Path) -> None:
    _load(book, a_small_ledger())
    kit = BookKit(book)
    assert kit.ledger.check(asking(CUSTOMER, 100)).code == 800
    _load(book, [an_organisation(), a_program(criteria={"minimum": 200}), a_till(), a_customer(first_name="Thomas")])
    assert kit.ledger.check(asking(CUSTOMER, 100)).code == 821
    record = kit.ledger.find_customer(asking(CUSTOMER, 1).customer)
    assert record is not None
    assert record.customer.first_name == "Thomas"


def test_an_identifier_given_up_may_be_given_to_somebody_else(book: Book) -> None:
    _load(book, [*a_small_ledger()])
    _load(book, [a_customer(mobile="919777785299")])
    _load(book, [a_customer(id=50002, email=None, external_id=None)])
    found = BookKit(book).ledger.find_customer(asking(50002, 1).customer)
    assert found is not None
    assert found.customer.mobile == "919777785205"


def test_other_lots_are_refused_and_the_same_ones_are_no_change_even_when_spent(book: Book) -> None:
    _load(book, a_small_ledger())
    kit = BookKit(book)
    assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 800
    _load(book, a_small_ledger())
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(400)
    fault = _refused(book, [*a_small_ledger()[:3], a_customer(points=700)])
    assert "line 4, wallets[0].lots: found other lots" in fault
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(400)


def test_a_wallets_standing_may_change_without_touching_its_points(book: Book) -> None:
    _load(book, a_small_ledger())
    lots = [{"points": 500, "expires_on": "2035-12-31"}]
    _load(book, [a_customer(wallets=[{"program_id": PROGRAM, "lots": lots, "state": "PAUSED", "lifetime_points": 9}])])
    kit = BookKit(book)
    assert kit.ledger.check(asking(CUSTOMER, 100)).code == 903
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(500)
    assert book.verify() == []


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"kind": "customer", "organisation": 1, "id": 1, "mobil": "919777785299"}, "mobil"),
        (a_customer(id="x"), "id"),
        (a_customer(id=True), "id"),
        (a_customer(type="GOLD"), "type"),
        (a_customer(id=2, mobile=None, email=None, external_id=None), "mobile"),
        (a_customer(mobile="not a number"), "mobile"),
        (a_customer(email="no at sign"), "email"),
        (a_customer(organisation=9), "organisation"),
        (a_customer(wallets=[{"program_id": 4711}]), "wallets[0].program_id"),
        (a_customer(wallets=[{"program_id": PROGRAM}, {"program_id": PROGRAM}]), "wallets[1].program_id"),
        (a_customer(points="1.2345"), "wallets[0].lots[0].points"),
        (a_customer(points=-5), "wallets[0].lots[0].points"),
        (a_customer(points="1e3"), "wallets[0].lots[0].points"),
        (a_customer(points=True), "wallets[0].lots[0].points"),
        (
            a_customer(wallets=[{"program_id": PROGRAM, "lots": [{"points": 1, "expires_on": "31.12.2027"}]}]),
            "wallets[0].lots[0].expires_on",
        ),
        (
            a_customer(wallets=[{"program_id": PROGRAM, "lots": [{"points": 1, "expires_on": "2027-02-30"}]}]),
            "wallets[0].lots[0].expires_on",
        ),
        (a_customer(wallets={}), "wallets"),
        (a_customer(cards=[{"active": True}]), "cards[0].number"),
        (_group(members=[{"customer_id": CUSTOMER}]), "members"),
        (_group(members=[{"customer_id": 4711, "primary": True}]), "members[0].customer_id"),
        (
            _group(members=[{"customer_id": CUSTOMER, "primary": True, "permissions": ["fly"]}]),
            "members[0].permissions[0]",
        ),
        (_redemption(at="2026-11-22T12:00:00"), "at"),
        (_redemption(customer_id=4711), "customer_id"),
        (_redemption(reversed_points=121), "reversed_points"),
        (_redemption(lots=[{"points": 121}]), "lots"),
        ({"kind": "custumer"}, "kind"),
        ({"no": "kind"}, "kind"),
    ],
)
def test_a_faulty_line_is_refused_with_its_number_and_field(book: Book, line: dict[str, Any], field: str) -> None:
    fault = _refused(book, [*a_small_ledger(), line])
    assert fault.startswith(f"shop.jsonl, line 5, {field}: found ")
    assert ", expected " in fault
    assert _count(book, schema.organisation) == 0


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([an_organisation(currency="rupees")], "currency"),
        ([an_organisation(time_zone="Mars/Olympus")], "time_zone"),
        ([an_organisation(country_code="+91")], "country_code"),
        ([an_organisation(otp={"validity_minutes": 11})], "otp.validity_minutes"),
        ([an_organisation(otp={"length": 3})], "otp.length"),
        ([an_organisation(otp={"alphabet": "digits", "length": 5})], "otp.length"),
        ([an_organisation(otp={"sender": "pigeon:home"})], "otp.sender"),
        ([an_organisation(), a_program(decimals=4)], "decimals"),
        ([an_organisation(), a_program(points_currency_ratio="-1")], "points_currency_ratio"),
        ([an_organisation(), a_program(criteria={"minimun": 5})], "criteria.minimun"),
        (
            [an_organisation(), a_program(criteria={"ceilings": [{"period": "past_days", "points": 5}]})],
            "criteria.ceilings[0].days",
        ),
        ([an_organisation(), a_program(), a_till(program_id=4711)], "program_id"),
        ([an_organisation(), a_program(), a_till(login="a:b")], "login"),
        ([an_organisation(), a_program(), a_till(password=None)], "password"),
        ([an_organisation(), _operator(role="boss")], "role"),
        ([an_organisation(), _operator(pin="12")], "pin"),
        ([an_organisation(), a_customer(wallets=[]), a_till()], "kind"),
    ],
)
def test_a_faulty_setting_is_refused_with_its_field(book: Book, lines: list[dict[str, Any]], field: str) -> None:
    assert f"line {len(lines)}, {field}: found " in _refused(book, lines)


def test_an_organisation_with_programs_has_exactly_one_default(book: Book) -> None:
    none = _refused(book, [an_organisation(), a_program(default=False), a_till()])
    two = _refused(book, [an_organisation(), a_program(), a_program(id=SILVER)])
    assert "line 2, default: found 0 default programs in organisation 1, expected exactly one" in none
    assert "line 3, default: found 2 default programs in organisation 1, expected exactly one" in two


def test_an_organisation_without_programs_is_895(book: Book) -> None:
    _load(book, [an_organisation(), a_till(), a_customer(wallets=[])])
    assert BookKit(book).ledger.check(asking(CUSTOMER, 100)).code == 895


def test_an_identifier_of_somebody_else_is_refused_without_naming_it(book: Book) -> None:
    fault = _refused(book, [*a_small_ledger(), a_customer(id=50002, mobile=None, external_id=None)])
    assert "line 5, email: found an identifier of another customer" in fault
    assert "tom.sawyer" not in fault


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (a_customer(mobile="9-CANARY"), "CANARY"),
        (a_customer(first_name=["CANARY"]), "CANARY"),
        (_operator(pin="12CANARY"), "CANARY"),
        (a_till(password=["CANARY"]), "CANARY"),
    ],
)
def test_what_belongs_to_a_person_is_never_echoed(book: Book, line: dict[str, Any], secret: str) -> None:
    lines = [an_organisation(), a_program(), line]
    assert secret not in _refused(book, lines)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"', b"\xff\xfe", b'{"kind":"customer","id":NaN}', b"[" * 100_000])
def test_a_line_that_is_no_object_is_refused(book: Book, raw: bytes) -> None:
    with pytest.raises(ImportRefusedError, match="line 1, line: found something"):
        import_file(book, [raw + b"\n"], file_name="shop.jsonl")


def test_empty_lines_and_a_byte_order_mark_do_not_matter(book: Book) -> None:
    lines = encoded(a_small_ledger())
    total = import_file(book, [b"\xef\xbb\xbf" + lines[0], b"\n", *lines[1:], b"  \r\n"], file_name="shop.jsonl")
    assert total.customers == 1


def test_good_lines_are_kept_on_demand_and_the_others_are_handed_back(book: Book, tmp_path: Path) -> None:
    lines = [
        *a_small_ledger(),
        a_customer(id=50002, mobile="9-CANARY"),
        a_customer(id=50003, mobile="919000000003", email=None, external_id=None),
        a_customer(id=50003, mobile="919000000003", email=None, external_id=None, colour="red"),
    ]
    name = str(tmp_path / "shop.jsonl")
    total = _load(book, lines, file_name=name, keep_good=True)
    assert (total.customers, total.refused) == (2, 2)
    assert str(total).endswith("2 lines refused")
    refused = tmp_path / "shop.jsonl.refused.jsonl"
    reasons = [json.loads(each) for each in refused.read_text().splitlines()]
    assert [(each["number"], each["field"]) for each in reasons] == [(5, "mobile"), (7, "colour")]
    assert json.loads(reasons[1]["line"]) == lines[6]
    assert stat.S_IMODE(refused.stat().st_mode) == 0o600
    assert BookKit(book).ledger.check(asking(50003, 100)).code == 800


def test_more_lines_than_one_batch_are_loaded_and_reported_on_the_way(book: Book) -> None:
    people = [
        a_customer(id=number, mobile=None, email=None, external_id=f"C-{number}")
        for number in range(1, 2 * importer.BATCH + 2)
    ]
    heard: list[int] = []
    total = _load(book, [*a_small_ledger()[:3], *people], progress=lambda so_far: heard.append(so_far.customers))
    assert total.customers == 2 * importer.BATCH + 1
    assert heard == [0, 0, 0, importer.BATCH, 2 * importer.BATCH, 2 * importer.BATCH + 1]
    assert book.verify() == []


def test_a_customer_who_comes_twice_in_one_file_is_updated_by_her_second_line(book: Book) -> None:
    _load(book, [*a_small_ledger(), a_customer(first_name="Thomas")])
    record = BookKit(book).ledger.find_customer(asking(CUSTOMER, 1).customer)
    assert record is not None
    assert record.customer.first_name == "Thomas"


def test_one_bad_line_far_down_leaves_nothing_of_the_file(book: Book) -> None:
    people = [
        a_customer(id=number, mobile=None, email=None, external_id=f"C-{number}")
        for number in range(1, importer.BATCH + 2)
    ]
    _refused(book, [*a_small_ledger()[:3], *people, a_customer(id=-1)])
    assert _count(book, schema.customer) == 0


def test_a_login_is_unique_in_the_whole_ledger(book: Book) -> None:
    lines = [an_organisation(), an_organisation(id=2), a_till(), a_till(organisation=2)]
    assert "line 4, login: found " in _refused(book, lines)


def test_passwords_and_pins_are_kept_as_proofs_only(book: Book) -> None:
    _load(book, [an_organisation(), a_till(password="s3cret-CANARY"), _operator(pin="482199")])
    with book.store.read() as connection:
        pin_hash = connection.execute(select(schema.operator.c.pin_hash)).scalar_one()
    assert pin_hash.startswith("$argon2id$")
    contents = everything_kept(book)
    assert "CANARY" not in contents
    assert "482199" not in contents


def test_history_fills_ceilings_by_the_organisations_days(book: Book) -> None:
    lines = a_small_ledger()
    lines[1] = a_program(criteria={"ceilings": [{"period": "day", "points": 200}]})
    _load(
        book,
        [*lines, _redemption(reversed_points=20), _redemption(redemption_id="OLD2", at="2026-11-21T23:59:59+05:30")],
    )
    kit = BookKit(book)
    assert kit.ledger.check(asking(CUSTOMER, 100)).code == 800
    assert kit.ledger.check(asking(CUSTOMER, 101)).code == 819
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(500)
    assert book.verify() == []


def test_an_imported_key_replays_as_redeemed_and_is_compared_by_customer_program_and_points(book: Book) -> None:
    _load(book, [*a_small_ledger(), _redemption(external_reference_number="OLD-KEY", transaction_number="B-1")])
    kit = BookKit(book)
    again = kit.ledger.redeem(redeeming(CUSTOMER, 120, "OLD-KEY", bill_number="B-2"))
    other = kit.ledger.redeem(redeeming(CUSTOMER, 110, "OLD-KEY"))
    assert again.extension is not None
    assert (again.code, again.redemption_id, again.extension.replayed) == (800, "OLD1", True)
    assert (again.balance, again.worth) == (Points.of(500), 120)
    assert other.code == 903
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(500)


def test_history_is_not_rewritten(book: Book) -> None:
    _load(book, [*a_small_ledger(), _redemption()])
    _load(book, [_redemption()])
    assert "redemption_id: found " in _refused(book, [_redemption(points=130)])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("9777785205", "919777785205"),
        ("+91 97777-85205", "919777785205"),
        ("919777785205", "919777785205"),
        ("09777785205", "919777785205"),
        ("9123456789", "919123456789"),
        ("+4477009001234", "4477009001234"),
    ],
)
def test_a_mobile_number_is_kept_with_its_country_code(given: str, kept: str) -> None:
    assert full_mobile(given, "91") == kept


def test_without_a_country_a_number_is_kept_as_it_is() -> None:
    assert full_mobile("09777785205", "") == "09777785205"


# --- The quick way to read a customer, and the batches ---------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        [
            "",
            "a b",
            " a",
            "a ",
            "a|",
            "|",
            "9777785205",
            "+91 97777-85205",
            "a@b",
            "x" * 60,
            "x" * 198,
            "\u00a0",
            "\ud800",
        ]
    ),
    st.sampled_from([None, 5, True, ["a"]]),
)
DAYS = st.sampled_from([None, "2027-12-31", "2027-02-30", "31.12.2027", 20271231])
POINTS_SAID = st.one_of(st.integers(-1, 3), st.sampled_from([10**12, 10**12 + 1, "1.5", Decimal("2.5"), True, None]))
LOTS_SAID = st.lists(
    st.dictionaries(st.sampled_from(["points", "awarded_on", "expires_on", "colour"]), st.one_of(POINTS_SAID, DAYS))
    | st.fixed_dictionaries({"points": POINTS_SAID})
    | st.fixed_dictionaries({"points": st.just(5), "expires_on": DAYS, "awarded_on": DAYS})
    | st.none(),
    max_size=2,
)
WALLETS_SAID = st.lists(
    st.fixed_dictionaries(
        {"program_id": st.sampled_from([PROGRAM] * 3 + [SILVER, 4711, "x", True])},
        optional={"lots": LOTS_SAID | st.none(), "state": st.just("PAUSED"), "first_import": st.just("0" * 64)},
    )
    | st.none(),
    max_size=2,
)
MEMBERS = {
    **dict.fromkeys(("mobile", "email", "external_id", "first_name", "last_name", "tier", "fraud_status"), TEXTS),
    "wallets": WALLETS_SAID | st.none(),
    "cards": st.just([{"number": "1"}]),
    "type": st.just("NON_LOYALTY"),
    "colour": st.just("red"),
}
PLAIN = {"organisation": 1, "id": 7, "mobile": "9777785205", "email": "a@b", "first_name": "Ada"}
PLAIN |= {"wallets": [{"program_id": PROGRAM, "lots": [{"points": 5, "expires_on": "2027-12-31"}]}]}
MEMBERS |= {"organisation": st.sampled_from([2, True, "1"]), "id": st.sampled_from([1, 0, 2**63, "7", True])}


@st.composite
def customers_said(draw: st.DrawFn) -> dict[str, Any]:
    """A plain line, but for one or two members."""
    changed = draw(st.lists(st.sampled_from(sorted(MEMBERS)), unique=True, max_size=2))
    return PLAIN | {name: draw(MEMBERS[name]) for name in changed}


@settings(max_examples=800, deadline=None)
@given(document=customers_said())
@example(document=PLAIN | {"fraud_status": "x" * 60})
@example(document=PLAIN | {"wallets": [{"program_id": PROGRAM, "lots": [{"points": True}]}]})
def test_a_line_that_is_read_quickly_is_read_as_with_care(document: dict[str, Any]) -> None:
    """Rules of one organisation are enough: nothing is looked up for a line."""
    programs = {number: Program(program_id=number, name="Gold") for number in (PROGRAM, SILVER)}
    settings_ = {"name": "S", "currency": "INR", "time_zone": "Asia/Kolkata", "country_code": "91"}
    organisations = {1: organisation_rules_from(1, settings_, programs)}
    quick = read_quickly(organisations, document, 5)
    try:
        with_care = read_customer_with_care(organisations.get(document["organisation"]), document)
    except FaultyLineError:
        assert quick is None
    else:
        assert quick in (None, with_care)


def read_quickly(rules: Mapping[int, OrganisationRules], document: dict[str, Any], line: int) -> StatedCustomer | None:
    plain = decode_plain(json.dumps({"kind": "customer", **document}, default=float).encode())
    return None if plain is None else read_plain_customer(rules, plain, line)


def read_customer_with_care(rules: OrganisationRules | None, document: dict[str, Any]) -> StatedCustomer:
    fields = Fields(copy.deepcopy(document))
    if fields.id("organisation") != 1 or rules is None:
        fields.refuse("organisation", None, "an organisation that came before")
        raise AssertionError
    return read_unusual_customer(rules, fields, 5)


def test_plain_lines_are_read_the_quick_way(book: Book) -> None:
    """Without it nothing would be wrong but the time."""
    _load(book, a_small_ledger()[:3])
    with book.store.read() as connection:
        organisations = book.rules(connection).organisations
    plain = {name: value for name, value in a_customer().items() if name != "kind"}
    assert read_quickly(organisations, plain, 4) is not None


def test_who_comes_again_in_a_later_batch_is_updated_and_a_stolen_identifier_is_still_refused(book: Book) -> None:
    people = [
        a_customer(id=number, mobile=None, email=None, external_id=f"C-{number}")
        for number in range(1, importer.BATCH + 1)
    ]
    again = a_customer(id=1, mobile=None, email=None, external_id="C-1", first_name="Thomas")
    total = _load(book, [*a_small_ledger()[:3], *people, again])
    assert total.customers == importer.BATCH + 1
    assert _count(book, schema.customer) == importer.BATCH
    with book.store.read() as connection:
        first = select(schema.customer.c.first_name).where(schema.customer.c.id == 1)
        assert connection.execute(first).scalar_one() == "Thomas"
    assert book.verify() == []


def test_a_stolen_identifier_is_refused_with_its_line_however_far_apart(book: Book) -> None:
    people = [
        a_customer(id=number, mobile=None, email=None, external_id=f"C-{number}")
        for number in range(1, importer.BATCH + 1)
    ]
    thief = a_customer(id=9_999, mobile=None, email=None, external_id="C-1")
    fault = _refused(book, [*a_small_ledger()[:3], *people, thief])
    assert f"line {importer.BATCH + 4}, external_id: found an identifier of another customer" in fault
    assert _count(book, schema.customer) == 0


def test_the_same_redemption_is_no_change_after_some_of_it_was_given_back(book: Book) -> None:
    _load(book, [*a_small_ledger(), _redemption()])
    till = book.find_till("till.014.3")
    assert till is not None
    assert book.reverse(till, Reverse(redemption_id="OLD1", points=Points.of(20))).available == Points.of(20)
    _load(book, [_redemption()])
    assert "redemption_id: found " in _refused(book, [_redemption(reversed_points=30)])


def test_an_imprint_is_chained_like_any_other_entry() -> None:
    plain = Entry(at=1, kind=EntryKind.EARN, wallet_id=7, lot_id=8, delta=900, reason="import")
    rows, head = chained(FIRST_HASH, [plain, replace(plain, lot_id=9, delta=5)])
    quick, quick_head = Imprint(plain).rows(7, [(8, 900), (9, 5)], FIRST_HASH)
    assert quick_head == head
    assert quick == [tuple(row[name] for name in ROW) for row in rows]


# --- Progress --------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line_that_is_rewritten() -> None:
    clock, out = FakeClock(), Terminal()
    progress = Progress(clock, out, whole=4_000)
    clock.advance(10)
    progress.tell(500, 1_000)
    clock.advance(0.1)
    progress.tell(600, 1_200)  # Too soon.
    clock.advance(70)
    progress.tell(2_000, 2_000)
    assert out.getvalue().split("\r") == [
        "",
        "500 rows, 50 a second, 30 s left",
        "2,000 rows, 25 a second, 1 min 20 s left",
    ]
    progress.close()
    assert "\n" not in out.getvalue()


def test_progress_elsewhere_is_a_line_now_and_then_and_none_for_a_short_task() -> None:
    clock, out = FakeClock(), io.StringIO()
    progress = Progress(clock, out)
    for second in range(25):
        progress.tell(second, 0)
        clock.advance(1)
    progress.close()
    assert out.getvalue().splitlines() == ["10 rows, 1 a second", "20 rows, 1 a second"]


def test_bytes_are_counted_as_they_are_read() -> None:
    lines = CountedLines([b"one\n", b"three\n"])
    assert [lines.count_bytes for _ in lines] == [4, 10]


@pytest.mark.parametrize("count", [1, 40])
def test_many_rows_are_written_as_they_are_whatever_they_share(book: Book, count: int) -> None:
    """Also where columns, or whole rows, are the same."""
    _load(book, a_small_ledger())
    names = ("org", "store", "till", "key", "points", "at", "why")
    rows = [(1, "014", "t", f"K{number}", 5, number, "it's why") for number in range(count)]
    send = [(1, 2, "2026-11-22")] * count
    with book.store.write() as connection:
        book.store.bulk.insert(connection, schema.loss, names, rows)
        book.store.bulk.insert(connection, schema.code_send, ("org", "customer_id", "day"), send)
        kept = connection.execute(select(*(schema.loss.c[name] for name in names)).order_by(schema.loss.c.id))
        assert [tuple(row) for row in kept] == rows
    assert _count(book, schema.code_send) == count
