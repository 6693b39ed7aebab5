"""Export: a ledger goes through the import format and is the same on the other side."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update
from support.a_ledger import BookKit, CollectingSender, a_book, asking, encoded, redeeming
from support.clock import FakeClock
from support.ledger_server import (
    CUSTOMER,
    LOGIN,
    PROGRAM,
    a_customer,
    a_program,
    a_small_ledger,
    a_till,
    an_organisation,
    digest,
)
from support.round_trip import NewUrl, exported, new_url, standing

from pos_app.cli import pos_app as command_line
from pos_app.domain.commands import Reverse
from pos_app.domain.points import Points
from pos_app.domain.request import FamilyGroupRef
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.loading.exporter import PAGE, UnknownOrganisationError, export_ledger
from pos_app.ledger.loading.importer import ImportRefusedError, import_file
from pos_app.ledger.staff.pins import is_pin_right

__all__ = ["new_url"]

SILVER = 974
FRIEND = 50002
GROUP = 77


def a_shop() -> list[dict[str, Any]]:
    """A bit of everything the format has."""
    lots = [
        {"points": 300, "awarded_on": "2026-01-05", "expires_on": "2027-12-31"},
        {"points": "150.5", "expires_on": None},
        {"points": 40, "expires_on": "2020-01-31"},
    ]
    own = {"program_id": PROGRAM, "lots": lots, "lifetime_points": 900, "lifetime_purchases": "1200.50"}
    silver = {"program_id": SILVER, "lots": [{"points": 80, "expires_on": "2030-06-30"}], "promised_points": 5}
    of_family = {"program_id": PROGRAM, "lots": [{"points": 500, "expires_on": "2035-12-31"}]}
    members = [
        {"customer_id": CUSTOMER, "primary": True},
        {"customer_id": FRIEND, "permissions": ["block_points_redemption"], "active": False},
    ]
    family = {"organisation": 1, "id": GROUP, "external_id": "F-77", "name": "Sawyer", "members": members}
    old = {"organisation": 1, "redemption_id": "OLD1", "customer_id": CUSTOMER, "program_id": PROGRAM, "points": 120}
    old |= {"at": "2026-11-22T12:00:00+05:30", "external_reference_number": " OLD KEY ", "transaction_number": "B-1"}
    cards = [{"number": "6001", "external_id": "C-1"}, {"number": "6002", "active": False}]
    return [
        an_organisation(telephony={"login": "calls", "password": "ring"}, program_group_redemption="enabled"),
        an_organisation(id=2, name="Other", country_code=""),
        a_program(family_groups_enabled=True, criteria={}),
        a_program(id=SILVER, default=False, tier_criteria={"GOLD": {"minimum": 5}}, criteria={}),
        a_till(program_id=SILVER, currency="USD", currency_rate="0.012"),
        {"kind": "operator", "organisation": 1, "id": 7, "name": "R. Mehta", "role": "cashier", "pin": "4821"},
        a_customer(wallets=[own, silver], cards=cards, default_family_group_id=GROUP, tier="GOLD"),
        a_customer(
            id=FRIEND, mobile="+4477009001234", email=None, external_id=None, wallets=[], fraud_status="INTERNAL"
        ),
        a_customer(organisation=2, id=CUSTOMER, mobile="09777785205", wallets=[], type="NON_LOYALTY"),
        {"kind": "family_group", **family, "wallets": [of_family]},
        {"kind": "redemption", **old, "reversed_points": 20, "lots": [{"points": 100, "expires_on": "2027-01-31"}]},
    ]


@contextmanager
def a_lived_in(folder: Path, url: str, lines: list[dict[str, Any]]) -> Iterator[Book]:
    """A ledger with a day's work in it: lots spent to zero, points given back, a family's and several programs'."""
    with a_book(folder, lines, url=url, sender=CollectingSender()) as book:
        kit, till = BookKit(book), book.find_till(LOGIN)
        assert till is not None
        first = kit.ledger.redeem(redeeming(CUSTOMER, 300, "K1", program_id=PROGRAM, bill_number="BILL/9"))
        family = redeeming(CUSTOMER, 60, "K2", program_id=PROGRAM, family_group=FamilyGroupRef(group_id=GROUP))
        group = redeeming(CUSTOMER, 90, "K3", program_group=True)
        assert [first.code, kit.ledger.redeem(family).code, kit.ledger.redeem(group).code] == [800, 800, 800]
        assert first.redemption_id is not None
        for redemption_id, count in ((first.redemption_id, "12.5"), ("OLD1", 10)):
            back = book.reverse(till, Reverse(redemption_id=redemption_id, points=Points.of(count)))
            assert back.available == Points.of(count)
        yield book


def test_export_import_export_is_the_same_byte_for_byte_and_so_is_all_it_stands_for(
    tmp_path: Path, new_url: NewUrl
) -> None:
    with a_lived_in(tmp_path, new_url(), a_shop()) as book:
        lines, stood = exported(book), standing(book)
    with a_book(tmp_path, url=new_url()) as restored:
        import_file(restored, lines, file_name="export.jsonl")
        assert standing(restored) == stood
        assert exported(restored) == lines
        assert restored.verify() == []
        assert import_file(restored, lines, file_name="export.jsonl").refused == 0
        assert exported(restored) == lines


def test_the_first_file_again_brings_no_spent_points_back(tmp_path: Path, new_url: NewUrl) -> None:
    with a_lived_in(tmp_path, new_url(), a_shop()) as book:
        lines = exported(book)
    with a_book(tmp_path, url=new_url()) as restored:
        import_file(restored, lines, file_name="export.jsonl")
        stood = standing(restored)
        import_file(restored, encoded(a_shop()), file_name="shop.jsonl", keep_good=False)
        assert standing(restored)["lots"] == stood["lots"]
        other = a_shop()
        other[6]["wallets"][0]["lots"][0]["points"] = 301
        with pytest.raises(ImportRefusedError, match=r"wallets\[0\]\.lots: found other lots"):
            import_file(restored, encoded(other), file_name="shop.jsonl")


def test_an_export_loaded_into_its_own_ledger_changes_nothing(tmp_path: Path, new_url: NewUrl) -> None:
    with a_lived_in(tmp_path, new_url(), a_shop()) as book:
        lines, stood = exported(book), standing(book)
        import_file(book, lines, file_name="export.jsonl")
        assert standing(book) == stood
        assert BookKit(book).ledger.redeem(redeeming(CUSTOMER, 10, "K4", program_id=PROGRAM)).code == 800
        import_file(book, lines, file_name="export.jsonl")
        assert standing(book)["lots"] != stood["lots"]  # What was spent since stays spent.


def test_a_key_replays_and_a_reversal_gives_back_with_its_expiry_after_the_move(
    tmp_path: Path, new_url: NewUrl
) -> None:
    with a_lived_in(tmp_path, new_url(), a_shop()) as book:
        lines = exported(book)
    (sent,) = [json.loads(each) for each in lines if b'"K1"' in each]
    assert (sent["points"], sent["reversed_points"], sent["transaction_number"]) == ("300", "12.5", "BILL/9")
    with a_book(tmp_path, url=new_url()) as restored:
        import_file(restored, lines, file_name="export.jsonl")
        kit, till = BookKit(restored), restored.find_till(LOGIN)
        assert till is not None
        before = kit.balance(CUSTOMER, PROGRAM)
        again = kit.ledger.redeem(redeeming(CUSTOMER, 300, "K1", program_id=PROGRAM))
        assert (again.code, again.redemption_id) == (800, sent["redemption_id"])
        assert kit.balance(CUSTOMER, PROGRAM) == before
        rest = restored.reverse(till, Reverse(redemption_id=sent["redemption_id"]))
        assert rest.available == Points.of("287.5")
        found = {(row[-3], row[-1]) for row in standing(restored)["lots"]}
        assert (287_500, "2027-12-31") in found
        assert restored.verify() == []


def test_people_and_tills_prove_themselves_after_the_move_with_the_same_secrets(
    tmp_path: Path, new_url: NewUrl
) -> None:
    with a_book(tmp_path, a_shop(), url=new_url()) as book:
        with book.store.write() as connection:
            connection.execute(update(schema.till).values(state="LOST", till_epoch=3))
        lines = exported(book)
    kept = b"".join(lines)
    assert b"s3cret" not in kept
    assert b"4821" not in kept
    with a_book(tmp_path, url=new_url()) as restored:
        import_file(restored, lines, file_name="export.jsonl")
        till = restored.till(LOGIN, digest(), in_any_state=True)
        assert till is not None
        assert (till.state, till.till_epoch) == ("LOST", 3)
        (operator,) = standing(restored)["operators"]
        assert is_pin_right(operator[5], "4821")
    with a_book(tmp_path / "elsewhere", url=new_url()) as moved:
        import_file(moved, lines, file_name="export.jsonl")
        assert moved.till(LOGIN, digest(), in_any_state=True) is None  # Another pepper: the password must be rotated.


def test_a_file_puts_no_lost_till_back_to_work(tmp_path: Path, new_url: NewUrl) -> None:
    with a_book(tmp_path, a_shop(), url=new_url()) as book:
        lines = exported(book)
        with book.store.write() as connection:
            connection.execute(update(schema.till).values(state="LOST"))
        import_file(book, lines, file_name="export.jsonl")
        assert [json.loads(each)["state"] for each in exported(book) if b'"till"' in each] == ["LOST"]


def test_one_organisation_alone_can_be_written(tmp_path: Path, new_url: NewUrl) -> None:
    with a_book(tmp_path, a_shop(), url=new_url()) as book:
        whole = [json.loads(each) for each in exported(book)]
        other = [json.loads(each) for each in exported(book, organisation_id=2)]
        assert other == [each for each in whole if each.get("organisation", each.get("id")) == 2]
        with pytest.raises(UnknownOrganisationError, match="no organisation 9"):
            exported(book, organisation_id=9)


def test_an_export_sees_one_moment_while_tills_go_on(tmp_path: Path, new_url: NewUrl) -> None:
    people = [
        a_customer(id=number, mobile=None, email=None, external_id=f"C-{number}") for number in range(1, 2 * PAGE)
    ]
    with a_book(tmp_path, [*a_small_ledger()[:3], *people], url=new_url()) as book:
        quiet = exported(book)
        last, lines = people[-1]["id"], []

        def write(line: bytes) -> None:
            if not lines:
                assert BookKit(book).ledger.redeem(redeeming(last, 100, "MEANWHILE")).code == 800
            lines.append(line)

        export_ledger(book.store, write)
        assert lines == quiet
        assert exported(book) != quiet


# --- What only an export writes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (a_till(proof="0" * 64), "proof"),
        (a_till(password=None, proof="CANARY"), "proof"),
        (an_organisation(telephony={"login": "calls", "password": "x", "proof": "0" * 64}), "telephony.proof"),
        (a_till(password=None, proof="0" * 64, state="ASLEEP"), "state"),
        (a_till(password=None, proof="0" * 64, enrolments=-1), "enrolments"),
    ],
)
def test_a_proof_stands_instead_of_a_password_and_is_a_hash(tmp_path: Path, line: dict[str, Any], field: str) -> None:
    with a_book(tmp_path) as book, pytest.raises(ImportRefusedError, match=f", {field}: found") as refused:
        import_file(book, encoded([an_organisation(), line][-1 - (line["kind"] == "till") :]), file_name="x")
    assert "CANARY" not in str(refused.value)


HASHED = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"


@pytest.mark.parametrize("pins", [{"pin": "4821", "pin_hash": HASHED}, {"pin_hash": "CANARY"}, {"pin_hash": 4821}])
def test_a_pin_is_given_plain_or_as_its_hash(tmp_path: Path, pins: dict[str, Any]) -> None:
    operator = {"kind": "operator", "organisation": 1, "id": 7, "name": "R", "role": "cashier", **pins}
    with a_book(tmp_path) as book, pytest.raises(ImportRefusedError, match="pin_hash: found") as refused:
        import_file(book, encoded([an_organisation(), operator]), file_name="x")
    assert "CANARY" not in str(refused.value)
    assert "4821" not in str(refused.value)


def test_the_pin_of_an_older_file_does_not_come_back_over_an_exported_one(tmp_path: Path) -> None:
    operator = {"kind": "operator", "organisation": 1, "id": 7, "name": "R", "role": "cashier"}
    with a_book(tmp_path) as book:
        import_file(book, encoded([an_organisation(), operator | {"pin_hash": HASHED}]), file_name="x")
        import_file(book, encoded([an_organisation(), operator | {"pin": "4821"}]), file_name="x")
        assert standing(book)["operators"][0][5] == HASHED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lots": [{"points": 10, "family_group_id": 9}]}, r"lots\[0\]\.family_group_id"),
        ({"lots": [{"points": 10, "customer_id": 9}]}, r"lots\[0\]\.customer_id"),
        ({"lots": [{"points": 10, "program_id": 9}]}, r"lots\[0\]\.program_id"),
        ({"lots": [{"points": 10, "customer_id": CUSTOMER, "family_group_id": 9}]}, r"lots\[0\]\.family_group_id"),
        ({"lots": [{"points": 10, "reversed_points": 11}]}, r"lots\[0\]\.reversed_points"),
        ({"lots": [{"points": 10, "reversed_points": 5}], "reversed_points": 6}, "reversed_points"),
        ({"external_reference_number": "a\u0000b"}, "external_reference_number"),
    ],
)
def test_where_redeemed_points_came_from_must_add_up(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    old = {"kind": "redemption", "organisation": 1, "redemption_id": "R", "customer_id": CUSTOMER}
    old |= {"program_id": PROGRAM, "points": 10, "at": "2026-11-22T12:00:00+05:30"}
    with a_book(tmp_path, a_small_ledger()) as book, pytest.raises(ImportRefusedError, match=f"line 1, {field}: found"):
        import_file(book, encoded([old | changes]), file_name="x")


def test_points_a_ledger_gave_itself_are_not_doubled_by_a_file(tmp_path: Path) -> None:
    """A wallet that was never imported but has lots: a file may state these, and no others."""
    with a_book(tmp_path, [*a_small_ledger()[:3], a_customer(wallets=[])]) as book:
        with book.store.write() as connection:
            wallet = {"id": 1, "org": 1, "customer_id": CUSTOMER, "program_id": PROGRAM, "head_hash": "0" * 64}
            connection.execute(insert(schema.wallet).values(wallet))
            connection.execute(insert(schema.lot).values(wallet_id=1, rem=70_000, expires_on="2035-12-31"))
        import_file(book, encoded([a_customer(points=70)]), file_name="x")
        assert BookKit(book).balance(CUSTOMER, PROGRAM) == Points.of(70)
        with pytest.raises(ImportRefusedError, match="other lots"):
            import_file(book, encoded([a_customer(points=71)]), file_name="x")


# --- The command ---------------------------------------------------------------------------------------------------


def test_the_command_writes_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(encoded(a_small_ledger())))
    runner, where = CliRunner(), ["--db", f"sqlite:///{tmp_path / 'ledger.db'}"]
    assert runner.invoke(command_line, ["ledger", "import", str(tmp_path / "shop.jsonl"), *where]).exit_code == 0
    done = runner.invoke(command_line, ["ledger", "export", str(tmp_path / "out.jsonl"), *where])
    assert done.exit_code == 0
    assert "4 lines were written" in done.stdout
    assert stat.S_IMODE((tmp_path / "out.jsonl").stat().st_mode) == 0o600
    printed = runner.invoke(command_line, ["ledger", "export", "-", *where])
    assert printed.stdout_bytes == (tmp_path / "out.jsonl").read_bytes()
    missing = runner.invoke(
        command_line, ["ledger", "export", str(tmp_path / "none.jsonl"), "--organisation", "9", *where]
    )
    assert (missing.exit_code, (tmp_path / "none.jsonl").exists()) == (1, False)
    assert "no organisation 9" in missing.stdout
    nowhere = runner.invoke(command_line, ["ledger", "export", "-", "--db", f"sqlite:///{tmp_path / 'no.db'}"])
    assert nowhere.exit_code == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell how much memory is held")
def test_neither_import_nor_export_holds_the_file_in_memory(tmp_path: Path) -> None:
    """From the first thousands on, thousands more must not need more memory."""

    def lines() -> Iterator[bytes]:
        yield from encoded(a_small_ledger()[:3])
        for number in range(1, 14_001):
            yield encoded([a_customer(id=number, mobile=None, email=None, external_id=f"C-{number}")])[0]

    held: list[int] = []
    with a_book(tmp_path) as book:
        import_file(book, lines(), file_name="x", progress=lambda _total: held.append(_held_kib()))
        assert max(held) - held[6] < HELD_KIB
        held.clear()
        export_ledger(book.store, lambda _line: None, progress=lambda _count: held.append(_held_kib()))
        assert max(held) - held[3] < HELD_KIB


HELD_KIB = 10 * 1024
"""Ten thousand lines as they are read would be twice that."""


def _held_kib() -> int:
    """What this process holds that is no file, in KiB."""
    (line,) = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("RssAnon")]
    return int(line.split()[1])


# --- Any ledger ----------------------------------------------------------------------------------------------------

DAYS = st.sampled_from([None, "2020-01-31", "2027-06-30", "2035-12-31"])
POINTS = st.sampled_from([1, "0.001", "12.5", 300, 4000])
LOTS = st.lists(
    st.fixed_dictionaries({"points": POINTS, "expires_on": DAYS}, optional={"awarded_on": DAYS}), max_size=3
)
STANDING = {
    "state": st.sampled_from(["ACTIVE", "PAUSED"]),
    "lifetime_points": POINTS,
    "lifetime_purchases": st.sampled_from(["0", "0.00", "1200.50", 7]),
    "promised_points": POINTS,
}
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
MOBILES = st.sampled_from(["9777785205", "919777785206", "+4477009001234", "0091 9123456789", "4477009001234"])


@st.composite
def wallets(draw: st.DrawFn) -> list[dict[str, Any]]:
    programs = draw(st.lists(st.sampled_from([PROGRAM, SILVER]), unique=True))
    return [
        {"program_id": each, "lots": draw(LOTS), **draw(st.fixed_dictionaries({}, optional=STANDING))}
        for each in programs
    ]


@st.composite
def ledgers(draw: st.DrawFn) -> list[dict[str, Any]]:
    lines = [
        an_organisation(country_code=draw(st.sampled_from(["", "91", "44"])), family_group_pooling="members"),
        a_program(criteria={}, family_groups_enabled=True),
        a_program(id=SILVER, default=False, criteria={}),
        a_till(),
    ]
    count = draw(st.integers(1, 4))
    for number in range(1, count + 1):
        person = draw(
            st.fixed_dictionaries(
                {"wallets": wallets()},
                optional={
                    "first_name": NAMES,
                    "type": st.sampled_from(["LOYALTY", "NON_LOYALTY"]),
                    "fraud_status": st.sampled_from(["", "NONE", "MARKED"]),
                    "tier": st.sampled_from(["GOLD", None]),
                    "campaign_only": st.booleans(),
                    "cards": st.just([{"number": f"60{number}", "external_id": f"X{number}", "active": False}]),
                },
            )
        )
        mobile = draw(MOBILES) if number == 1 else None
        plain = {"kind": "customer", "organisation": 1, "id": number, "external_id": f"C-{number}", "mobile": mobile}
        lines.append(plain | person)
    if draw(st.booleans()):
        members = [
            {"customer_id": number, "primary": number == 1, "active": draw(st.booleans())}
            for number in range(1, count + 1)
        ]
        group = {"organisation": 1, "id": GROUP, "name": "F" + draw(NAMES), "members": members}
        lines.append({"kind": "family_group", **group, "wallets": draw(wallets())})
    return lines


SPENDS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([PROGRAM, SILVER]), st.sampled_from([1, "12.5", 300]), st.booleans()),
    max_size=5,
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(lines=ledgers(), spends=SPENDS)
def test_any_ledger_is_the_same_after_the_move(
    tmp_path: Path, new_url: NewUrl, lines: list[dict[str, Any]], spends: list[tuple[int, int, Any, bool]]
) -> None:
    with a_book(tmp_path, lines, url=new_url(), clock=FakeClock()) as book:
        kit, till = BookKit(book), book.find_till(LOGIN)
        assert till is not None
        for key, (customer, program, points, in_family) in enumerate(spends):
            more = {"family_group": FamilyGroupRef(group_id=GROUP)} if in_family else {}
            done = kit.ledger.redeem(redeeming(customer, points, f"K{key}", program_id=program, **more))
            if done.redemption_id and key % 2:
                book.reverse(till, Reverse(redemption_id=done.redemption_id, points=Points.of("0.5")))
        sent, stood = exported(book), standing(book)
        with a_book(tmp_path, url=new_url()) as restored:
            import_file(restored, sent, file_name="export.jsonl")
            assert exported(restored) == sent
            assert standing(restored) == stood
            assert restored.verify() == []
            for line in lines:
                if line["kind"] == "customer":
                    ours, theirs = (
                        each.check(till, asking(line["id"], 1, program_id=PROGRAM)) for each in (book, restored)
                    )
                    assert (ours.code, ours.points) == (theirs.code, theirs.points)
