"""What an administrator sees and changes over HTTP (sync-api 13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from support.a_ledger import BookKit, a_kit, encoded, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, a_customer, a_program, a_till, an_organisation, basic
from support.wsgi import Reply, wsgi_call

from pos_app.domain.commands import Cancel
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.care.moved_clock import MovedClock
from pos_app.ledger.http.app import make_app
from pos_app.ledger.loading.importer import import_file

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
GROUP = 77
LINES = [
    an_organisation(),
    a_program(criteria={"ceilings": [{"period": "calendar_month", "points": 1000}]}),
    a_till(),
    a_till(login="till.015.1", store="015", name="Till 1"),
    a_customer(),
    a_customer(id=50002, mobile="919777785206", email="", external_id="B"),
    {
        "kind": "family_group", "organisation": 1, "id": GROUP, "name": "The Sawyers",
        "members": [{"customer_id": CUSTOMER, "primary": True}],
        "wallets": [{"program_id": PROGRAM, "lots": [{"points": 70}]}],
    },
]  # fmt: skip


class Admin:
    """Asks as an administrator does."""

    def __init__(self, book: Book, *, test_mode: tuple[MovedClock, Jobs] | None = None) -> None:
        self.app = make_app(book, test_mode=test_mode)
        self.login = f"Bearer {book.secrets.admin_token}"

    def get(self, path: str, query: str = "", **headers: str) -> Reply:
        return wsgi_call(self.app, "GET", path, query, headers={"Authorization": self.login, **headers})

    def post(self, path: str, body: object) -> Reply:
        headers = {"Authorization": self.login, "Content-Type": "application/json"}
        return wsgi_call(self.app, "POST", path, headers=headers, body=json.dumps(body).encode())


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[BookKit]:
    with a_kit(tmp_path, LINES, url=ledger_url) as made:
        made.ledger.redeem(redeeming(CUSTOMER, 120, KEY, cashier=7))
        yield made


@pytest.fixture
def admin(kit: BookKit) -> Admin:
    return Admin(kit.book)


def _error(reply: Reply) -> tuple[int, str, str | None]:
    (error,) = reply.json["errors"]
    return reply.status, error["reason"], error.get("field")


# --- The login -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["", "Bearer ", "Bearer nonsense", basic(), "Basic {token}", "bearer"])
def test_nobody_but_the_administrator_is_let_in(kit: BookKit, admin: Admin, wrong: str) -> None:
    admin.login = wrong.replace("{token}", kit.book.secrets.admin_token)
    for reply in (admin.get("/admin/invariants"), admin.post("/admin/till", {"login": LOGIN, "action": "lost"})):
        assert _error(reply) == (401, "not_authenticated", None)
        assert reply.headers["www-authenticate"].startswith("Bearer")


def test_what_is_not_there_yet_answers_404_in_the_shape_of_sync(admin: Admin) -> None:
    assert _error(admin.get("/admin/nonsense")) == (404, "unknown", None)
    for path in ("/admin/tick", "/admin/credit", "/admin/family-group"):
        assert _error(admin.post(path, {})) == (404, "unknown", None)


# --- Invariants ----------------------------------------------------------------------------------------------------


def test_a_sound_ledger_has_no_violations(admin: Admin) -> None:
    reply = admin.get("/admin/invariants")
    assert reply.json == {"ok": True, "checked_at": "2026-11-22T10:00:00.000Z", "violations": []}


@pytest.mark.parametrize(
    ("change", "invariant"), [("UPDATE lot SET res = 1", "I1"), ("UPDATE lot SET rem = rem + 1000", "I5")]
)
def test_a_violation_is_named(kit: BookKit, admin: Admin, change: str, invariant: str) -> None:
    with kit.book.store.write() as connection:
        connection.execute(text(change))
    told = admin.get("/admin/invariants").json
    assert told["ok"] is False
    assert {each["invariant"] for each in told["violations"]} == {invariant}
    assert {"invariant", "id", "detail"} == set(told["violations"][0])


# --- Entries -------------------------------------------------------------------------------------------------------


def test_the_entries_of_a_key(admin: Admin) -> None:
    (entry,) = admin.get("/admin/entries", f"key={KEY}").json["entries"]
    redemption_id = entry.pop("redemption_id")
    assert len(redemption_id) == 10
    assert entry == {
        "entry_id": entry["entry_id"],
        "at": "2026-11-22T10:00:00.000Z",
        "kind": "REDEEM",
        "wallet_id": 1,
        "lot_id": 1,
        "delta": "-120",
        "key": KEY,
        "lease_id": None,
        "cashier": 7,
        "till": LOGIN,
        "supervisor": None,
        "reason": None,
    }


def test_the_entries_of_a_wallet_page_by_page(kit: BookKit, admin: Admin) -> None:
    kit.ledger.cancel(Cancel(key=KEY))
    kinds, after = [], 0
    while page := admin.get("/admin/entries", f"wallet_id=1&limit=2&after={after}").json["entries"]:
        assert len(page) <= 2
        kinds += [each["kind"] for each in page]
        after = page[-1]["entry_id"]
    assert kinds == ["EARN", "REDEEM", "REVERSAL"]


def test_an_unknown_key_has_no_entries_and_an_unknown_wallet_is_unknown(admin: Admin) -> None:
    assert admin.get("/admin/entries", "key=NOBODY").json == {"entries": []}
    assert _error(admin.get("/admin/entries", "wallet_id=999")) == (404, "unknown", None)


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/admin/entries", "", "key"),
        ("/admin/entries", "key=K&limit=0", "limit"),
        ("/admin/entries", "key=K&limit=many", "limit"),
        ("/admin/entries", "wallet_id=-1", "wallet_id"),
        ("/admin/entries", "key=K&after=x", "after"),
        ("/admin/wallet", "customer_id=50001", "program_id"),
        ("/admin/wallet", "program_id=973", "customer_id"),
        ("/admin/wallet", "program_id=973&customer_id=1&family_group_id=2", "family_group_id"),
        ("/admin/wallet/one", "", "wallet_id"),
    ],
)
def test_a_question_that_cannot_be_read_names_its_field(admin: Admin, path: str, query: str, field: str) -> None:
    assert _error(admin.get(path, query)) == (400, "malformed", field)


# --- Wallets -------------------------------------------------------------------------------------------------------


def test_a_wallet_with_its_lots(admin: Admin) -> None:
    wallet = admin.get("/admin/wallet", f"customer_id={CUSTOMER}&program_id={PROGRAM}").json
    assert wallet == {
        "wallet_id": 1,
        "organisation": 1,
        "owner": {"kind": "customer", "id": CUSTOMER},
        "program_id": PROGRAM,
        "version": 2,
        "state": "ACTIVE",
        "balance": "380",
        "available": "380",
        "held_offline": "0",
        "lifetime_points": "0",
        "lifetime_purchases": "0",
        "promised_points": "0",
        "lots": [{"lot_id": 1, "remaining": "380", "reserved": "0", "awarded_on": None, "expires_on": "2035-12-31"}],
        "redeemed_days": [{"on": "2026-11-22", "points": "120"}],
        "months": [{"month": f"2026-{month:02d}", "points": "0"} for month in range(5, 11)],
    }
    assert admin.get("/admin/wallet/1").json == wallet


def test_a_wallets_months_are_the_balances_at_their_ends(tmp_path: Path) -> None:
    clock = FakeClock()
    with a_kit(tmp_path, LINES, clock=clock) as kit:
        kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY))
        clock.advance(40 * 24 * 3600)  # 1 January 2027.
        kit.ledger.redeem(redeeming(CUSTOMER, 50, KEY[:-1] + "F"))
        months = Admin(kit.book).get("/admin/wallet/1").json["months"]
    assert [(each["month"], each["points"]) for each in months[3:]] == [
        ("2026-10", "0"),
        ("2026-11", "400"),
        ("2026-12", "400"),
    ]


def test_a_family_groups_wallet(admin: Admin) -> None:
    wallet = admin.get("/admin/wallet", f"family_group_id={GROUP}&program_id={PROGRAM}").json
    assert (wallet["owner"], wallet["balance"]) == ({"kind": "family_group", "id": GROUP}, "70")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/admin/wallet/99", ""),
        ("/admin/wallet", "customer_id=1&program_id=973"),
        ("/admin/wallet/1", "organisation=9"),
    ],
)
def test_a_wallet_nobody_has_is_unknown(admin: Admin, path: str, query: str) -> None:
    assert _error(admin.get(path, query)) == (404, "unknown", None)


def test_of_several_organisations_one_must_be_named(tmp_path: Path) -> None:
    other = [an_organisation(id=2, name="Other"), a_program(organisation=2), a_till(organisation=2, login="other")]
    with a_kit(tmp_path, LINES[:5]) as kit:
        admin = Admin(kit.book)
        question = f"customer_id={CUSTOMER}&program_id={PROGRAM}"
        assert admin.get("/admin/wallet", question).status == 200
        import_file(kit.book, encoded(other), file_name="other")
        assert _error(admin.get("/admin/wallet", question)) == (400, "malformed", "organisation")
        assert admin.get("/admin/wallet", question + "&organisation=1").status == 200
        assert admin.get("/admin/wallet", question + "&organisation=2").status == 404
        assert admin.get("/admin/wallet/1", "organisation=2").status == 404
        tills = admin.get("/admin/tills", "organisation=2").json["tills"]
        assert [each["login"] for each in tills] == ["other"]
        assert len(admin.get("/admin/tills").json["tills"]) == 3


# --- Losses and tills ----------------------------------------------------------------------------------------------


def test_losses_by_store_and_their_total(kit: BookKit, admin: Admin) -> None:
    lost = {"org": 1, "till": LOGIN, "at": 1_795_000_000_000, "why": "late"}
    with kit.book.store.write() as connection:
        for number, store in enumerate(("014", "014", "015")):
            connection.execute(insert(schema.loss).values(**lost, store=store, key=f"K{number}", points=1500))
    told = admin.get("/admin/loss", "store=014&limit=1").json
    assert told["total"] == "3"
    (first,) = told["loss"]
    assert {name: first[name] for name in ("store", "till", "key", "points", "at", "why")} == {
        "store": "014", "till": LOGIN, "key": "K0", "points": "1.5", "at": "2026-11-18T11:06:40.000Z", "why": "late",
    }  # fmt: skip
    (second,) = admin.get("/admin/loss", f"store=014&after={first['loss_id']}").json["loss"]
    assert second["key"] == "K1"
    assert admin.get("/admin/loss").json["total"] == "4.5"


def test_tills_and_when_they_were_seen(kit: BookKit, admin: Admin) -> None:
    kit.ledger.capabilities()
    first, second = admin.get("/admin/tills").json["tills"]
    assert first == {
        "login": LOGIN,
        "organisation": 1,
        "store": "014",
        "name": "Till 3",
        "state": "ACTIVE",
        "till_epoch": 0,
        "last_seen": "2026-11-22T10:00:00.000Z",
        "outbox_count": None,
        "version": None,
    }
    assert second["last_seen"] is None
    assert [each["login"] for each in admin.get("/admin/tills", "limit=1").json["tills"]] == [LOGIN]
    assert [each["login"] for each in admin.get("/admin/tills", f"after={LOGIN}").json["tills"]] == ["till.015.1"]


def test_a_till_is_of_the_version_it_told_at_its_enrolment(kit: BookKit, admin: Admin) -> None:
    key = {"login": LOGIN, "public_key": "", "enrolled_at": 0}
    with kit.book.store.write() as connection:
        connection.execute(schema.till.update().where(schema.till.c.login == LOGIN).values(till_epoch=2))
        for epoch, software in ((1, "1.3.0"), (2, "1.4.0")):
            connection.execute(insert(schema.till_key).values(**key, till_epoch=epoch, software=software))
    first, _ = admin.get("/admin/tills").json["tills"]
    assert (first["till_epoch"], first["version"]) == (2, "1.4.0")


def test_a_till_is_lost_and_found_and_every_act_is_audited(kit: BookKit, admin: Admin) -> None:
    def act(action: str) -> dict[str, Any]:
        answer: dict[str, Any] = admin.post("/admin/till", {"login": LOGIN, "action": action}).json
        return answer

    assert act("lost") == {"login": LOGIN, "state": "LOST", "enrolment_code": None}
    assert act("found")["state"] == "ACTIVE"
    assert act("disable")["state"] == "DISABLED"
    assert act("enable")["state"] == "ACTIVE"
    given = act("enrolment_code")
    assert (given["state"], len(given["enrolment_code"])) == ("ACTIVE", 12)
    with kit.book.store.read() as connection:
        rows = connection.execute(select(schema.audit.c.act, schema.audit.c.who).order_by(schema.audit.c.id)).all()
    assert [tuple(row) for row in rows] == [
        (f"till.{act}", "admin") for act in ("lost", "found", "disable", "enable", "enrolment_code")
    ]


def test_what_cannot_be_done_to_a_till_is_refused_with_a_sentence(admin: Admin) -> None:
    admin.post("/admin/till", {"login": LOGIN, "action": "disable"})
    refused = admin.post("/admin/till", {"login": LOGIN, "action": "lost"})
    assert _error(refused) == (409, "wrong_state", None)
    assert "enable it first" in refused.json["errors"][0]["message"]
    assert _error(admin.post("/admin/till", {"login": "nobody", "action": "lost"})) == (404, "unknown", None)
    assert _error(admin.post("/admin/till", {"login": LOGIN, "action": "eat"})) == (400, "malformed", "action")
    assert _error(admin.post("/admin/till", {"action": "lost"})) == (400, "malformed", "login")
    assert _error(admin.post("/admin/till", [])) == (400, "malformed", "body")


# --- Test mode -----------------------------------------------------------------------------------------------------


@pytest.fixture
def practice(tmp_path: Path, ledger_url: str) -> Iterator[tuple[BookKit, Admin]]:
    clock = MovedClock(FakeClock())
    with a_kit(tmp_path, LINES, url=ledger_url, clock=clock) as kit:
        yield kit, Admin(kit.book, test_mode=(clock, Jobs(kit.book)))


def test_a_tick_moves_the_clock_and_expires_points(practice: tuple[BookKit, Admin]) -> None:
    kit, admin = practice
    credit = {"customer_id": CUSTOMER, "program_id": PROGRAM, "points": "30", "expires_on": "2026-11-23"}
    assert admin.post("/admin/credit", credit).json["balance"] == "530"
    assert admin.post("/admin/tick", {}).json == {"server_time": "2026-11-22T10:00:00.000Z"}
    assert admin.post("/admin/tick", {"seconds": 2 * 24 * 3600}).json == {"server_time": "2026-11-24T10:00:00.000Z"}
    wallet = admin.get("/admin/wallet/1").json
    assert (wallet["balance"], [lot["remaining"] for lot in wallet["lots"]]) == ("500", ["0", "500"])
    assert [each["kind"] for each in admin.get("/admin/entries", "wallet_id=1").json["entries"]] == [
        "EARN", "EARN", "EXPIRE",
    ]  # fmt: skip
    assert admin.get("/admin/invariants").json["ok"] is True
    assert kit.book.verify() == []


def test_a_credit_is_one_earn_entry(practice: tuple[BookKit, Admin]) -> None:
    kit, admin = practice
    credit = {"customer_id": 50002, "program_id": PROGRAM, "points": "12.5", "awarded_on": "2026-01-02"}
    wallet = admin.post("/admin/credit", credit).json
    assert (wallet["balance"], wallet["lifetime_points"]) == ("512.5", "12.5")
    assert {"remaining": "12.5", "awarded_on": "2026-01-02", "expires_on": None}.items() <= wallet["lots"][-1].items()
    to_group = {"family_group_id": GROUP, "program_id": PROGRAM, "points": "5"}
    assert admin.post("/admin/credit", to_group).json["balance"] == "75"
    assert kit.book.verify() == []


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"points": "0"}, 400, "points"),
        ({"points": "-5"}, 400, "points"),
        ({"points": "1.0001"}, 400, "points"),
        ({"points": None}, 400, "points"),
        ({"expires_on": "tomorrow"}, 400, "expires_on"),
        ({"program_id": 1}, 404, None),
        ({"customer_id": 1}, 404, None),
    ],
)
def test_a_credit_that_cannot_be_given_is_refused(
    practice: tuple[BookKit, Admin], change: dict[str, Any], status: int, field: str | None
) -> None:
    _, admin = practice
    refused = admin.post("/admin/credit", {"customer_id": CUSTOMER, "program_id": PROGRAM, "points": "5", **change})
    assert _error(refused)[::2] == (status, field)


def test_a_family_group_is_changed(practice: tuple[BookKit, Admin]) -> None:
    _, admin = practice
    added = admin.post("/admin/family-group", {"id": GROUP, "add": [{"customer_id": 50002, "may_redeem": False}]}).json
    assert added == {
        "id": GROUP,
        "external_id": None,
        "name": "The Sawyers",
        "status": "ACTIVE",
        "members": [
            {"customer_id": CUSTOMER, "primary": True, "may_redeem": True, "active": True},
            {"customer_id": 50002, "primary": False, "may_redeem": False, "active": True},
        ],
    }
    changed = admin.post("/admin/family-group", {"id": GROUP, "remove": [50002], "status": "INACTIVE"}).json
    assert ([each["customer_id"] for each in changed["members"]], changed["status"]) == ([CUSTOMER], "INACTIVE")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"id": 1}, 404, None),
        ({}, 400, "id"),
        ({"id": GROUP, "status": "GONE"}, 400, "status"),
        ({"id": GROUP, "add": [1]}, 400, "add[0]"),
        ({"id": GROUP, "add": [{"customer_id": 50002, "may_redeem": 1}]}, 400, "add[0].may_redeem"),
        ({"id": GROUP, "remove": ["x"]}, 400, "remove[0]"),
        ({"id": GROUP, "add": [{"customer_id": 4}]}, 404, None),
    ],
)
def test_a_family_group_that_cannot_be_changed_is_refused(
    practice: tuple[BookKit, Admin], body: dict[str, Any], status: int, field: str | None
) -> None:
    _, admin = practice
    assert _error(admin.post("/admin/family-group", body))[::2] == (status, field)
