"""`pos-app ledger adjust`: points by hand, with a reason and a second person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from support.a_ledger import BookKit, a_kit
from support.ledger_server import CUSTOMER, MOBILE, PROGRAM, a_customer, a_program, a_till, an_organisation
from support.people_kit import quick_hash

from pos_app.cli import pos_app
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.entries import EntryKind

GROUP = 77
PINS = {7: "4821", 8: "1379", 9: "2468"}
LINES: list[dict[str, Any]] = [
    an_organisation(),
    a_program(),
    a_program(id=974, name="Silver", default=False),
    a_till(),
    *(
        {"kind": "operator", "organisation": 1, "id": number, "name": f"Nr {number}", "role": role}
        for number, role in ((7, "cashier"), (8, "supervisor"), (9, "cashier"))
    ),
    a_customer(
        wallets=[
            {
                "program_id": PROGRAM,
                "lots": [{"points": 100, "expires_on": "2030-01-01"}, {"points": 50, "expires_on": "2029-01-01"}],
            }
        ]
    ),
    {
        "kind": "family_group", "organisation": 1, "id": GROUP, "name": "The Sawyers",
        "members": [{"customer_id": CUSTOMER, "primary": True}],
        "wallets": [{"program_id": PROGRAM, "lots": [{"points": 70}]}],
    },
]  # fmt: skip


class Desk:
    """Runs the command for one ledger."""

    def __init__(self, folder: Path, kit: BookKit, url: str) -> None:
        self.kit, self._folder, self._url = kit, folder, url
        for number, pin in PINS.items():
            (folder / f"pin-{number}").write_text(f"{pin}\n", encoding="utf-8")

    def adjust(self, *given: object, by: int = 7, approved_by: int = 8, pins: tuple[int, int] | None = None) -> Any:
        files = [self._folder / f"pin-{number}" for number in pins or (by, approved_by)]
        arguments = ["ledger", "adjust", "--db", self._url, "--secrets", self._folder / "secrets"]
        arguments += ["--by", by, "--approved-by", approved_by, "--pin-file", files[0], "--approver-pin-file", files[1]]
        if "--mobile" not in given and "--family-group-id" not in given:
            arguments += ["--mobile", MOBILE]
        if "--reason" not in given:
            arguments += ["--reason", "A bill was entered twice"]
        return CliRunner().invoke(pos_app, [str(each) for each in (*arguments, *given)])

    def entries(self) -> list[Any]:
        entry = schema.entry
        with self.kit.book.store.read() as connection:
            found = connection.execute(select(entry).where(entry.c.kind == EntryKind.ADJUST).order_by(entry.c.id))
            return list(found.all())

    def audited(self) -> list[tuple[str, str]]:
        with self.kit.book.store.read() as connection:
            rows = connection.execute(select(schema.audit.c.act, schema.audit.c.who).order_by(schema.audit.c.id)).all()
        return [tuple(row) for row in rows if row.act == "points.adjust"]

    @property
    def balance(self) -> Points:
        return self.kit.balance(CUSTOMER, PROGRAM)


@pytest.fixture
def desk(tmp_path: Path, ledger_url: str) -> Iterator[Desk]:
    operator = schema.operator
    with a_kit(tmp_path, LINES, url=ledger_url) as kit:
        with kit.book.store.write() as connection:
            for number, pin in PINS.items():
                connection.execute(operator.update().where(operator.c.id == number).values(pin_hash=quick_hash(pin)))
        yield Desk(tmp_path, kit, ledger_url)
        assert kit.book.verify() == []


def test_points_are_given_in_a_lot_of_their_own(desk: Desk) -> None:
    ran = desk.adjust("--points", "+12.5", "--expires-on", "2031-06-30")
    assert ran.exit_code == 0, ran.output
    (entry,) = desk.entries()
    assert ran.output == f"Wallet 1: +12.5 points by entry {entry.id}; its balance is now 162.5.\n"
    assert (entry.delta, entry.cashier, entry.supervisor) == (12_500, 7, 8)
    assert (entry.reason, entry.till) == ("A bill was entered twice", None)
    assert desk.balance == Points.of("162.5")
    assert desk.audited() == [("points.adjust", "operator 7")]


def test_points_are_taken_soonest_to_expire_first(desk: Desk) -> None:
    ran = desk.adjust("--points", "-60")
    assert ran.exit_code == 0, ran.output
    assert [entry.delta for entry in desk.entries()] == [-50_000, -10_000]
    first, second = desk.entries()
    assert f"by entries {first.id}, {second.id}; its balance is now 90." in ran.output


def test_nothing_is_taken_that_is_not_there(desk: Desk) -> None:
    ran = desk.adjust("--points", "-150.001")
    assert ran.exit_code == 1
    assert ran.output == "Only 150 points are free in this wallet, so 150.001 cannot be taken.\n"
    assert (desk.entries(), desk.audited()) == ([], [])


def test_nothing_is_taken_that_a_lease_holds(desk: Desk) -> None:
    with desk.kit.book.store.write() as connection:
        connection.execute(schema.lot.update().where(schema.lot.c.rem == 100_000).values(res=80_000))
    assert desk.adjust("--points", "-71").exit_code == 1
    assert desk.adjust("--points", "-70").exit_code == 0
    with desk.kit.book.store.write() as connection:
        connection.execute(schema.lot.update().values(res=0))


def test_a_family_groups_own_wallet(desk: Desk) -> None:
    ran = desk.adjust("--points", "-20", "--family-group-id", GROUP)
    assert "its balance is now 50." in ran.output


def test_a_wallet_that_is_missing_is_made_for_points_given(desk: Desk) -> None:
    taken = desk.adjust("--points", "-5", "--program-id", 974)
    assert (taken.exit_code, "There is no wallet" in taken.output) == (1, True)
    given = desk.adjust("--points", "+5", "--program-id", 974)
    assert (given.exit_code, "balance is now 5." in given.output) == (0, True)


@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ({"by": 8, "approved_by": 8}, "needs two people"),
        ({"by": 7, "approved_by": 9}, "Operator 9 is no supervisor or manager"),
        ({"by": 7, "approved_by": 8, "pins": (7, 7)}, "The PIN of operator 8 is wrong."),
        ({"by": 7, "approved_by": 8, "pins": (8, 8)}, "The PIN of operator 7 is wrong."),
        ({"by": 7, "approved_by": 5, "pins": (7, 7)}, "Operator 5 is not known here"),
    ],
)
def test_two_people_prove_who_they_are_and_the_second_may_approve(
    desk: Desk, people: dict[str, Any], sentence: str
) -> None:
    ran = desk.adjust("--points", "+5", **people)
    assert ran.exit_code == 1
    assert sentence in ran.output
    assert desk.balance == Points.of(150)


def test_guessing_a_pin_here_locks_the_operator_as_at_a_till(desk: Desk) -> None:
    for _ in range(5):
        desk.adjust("--points", "+5", pins=(8, 8))
    ran = desk.adjust("--points", "+5")
    assert (ran.exit_code, "Operator 7 is locked" in ran.output) == (1, True)


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (("--points", "0"), 1, "0 points change nothing"),
        (("--points", "many"), 2, "such as +50 or -12.5"),
        (("--points", "1.0005"), 2, "at most three decimals"),
        (("--points", "-5", "--expires-on", "2031-01-01"), 1, "--expires-on"),
        (("--points", "+5", "--expires-on", "2020-01-01"), 1, "this day has passed"),
        (("--points", "+5", "--program-id", "1"), 1, "no program 1"),
        (("--points", "+5", "--reason", " "), 1, "--reason"),
        (("--points", "+5", "--reason", "x" * 201), 1, "--reason"),
        (("--points", "+5", "--mobile", "911111111111"), 1, "nobody has it"),
        (("--points", "+5", "--family-group-id", "5"), 1, "no family group 5"),
        (("--points", "+5", "--organisation", "3"), 1, "no organisation 3"),
        (("--points", "+5", "--mobile", MOBILE, "--family-group-id", str(GROUP)), 1, "or one family group"),
    ],
)
def test_what_cannot_be_adjusted_is_refused_with_a_sentence(
    desk: Desk, given: tuple[str, ...], code: int, sentence: str
) -> None:
    ran = desk.adjust(*given)
    assert (ran.exit_code, sentence in ran.output) == (code, True), ran.output
    assert MOBILE not in ran.output
    assert desk.entries() == []
