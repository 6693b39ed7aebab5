"""How a till is enrolled, and what one that is out of service may still ask (sync-api 3 and 4.1)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ledger_server import LOGIN
from support.people_kit import KEY_1, KEY_2, SECOND_TILL, SUPERVISOR, PeopleKit, a_key, a_people_kit, reason_of

from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code, list_tills, rotate_password
from pos_app.ledger.errors import CareRefusedError
from pos_app.wire.sync import read_capabilities

KEY_3 = base64.b64encode(bytes(range(2, 34))).decode("ascii")


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[PeopleKit]:
    """On each kind of database."""
    with a_people_kit(tmp_path, url=ledger_url) as made:
        yield made


@pytest.fixture
def quick_kit(tmp_path: Path) -> Iterator[PeopleKit]:
    """On SQLite."""
    with a_people_kit(tmp_path) as made:
        yield made


def a_code(kit: PeopleKit, login: str = LOGIN) -> str:
    return give_enrolment_code(kit.book.tools, login, who=audit.COMMAND_LINE)


def act(kit: PeopleKit, action: str, login: str = LOGIN) -> str:
    return change_till(kit.book.tools, login, TillAction(action), who=audit.COMMAND_LINE)


# --- Keys ----------------------------------------------------------------------------------------------------------


def test_a_first_key_needs_no_code_and_is_answered_with_what_the_ledger_can_do(kit: PeopleKit) -> None:
    reply = kit.enrol(KEY_1)
    assert reply.status == 200
    told = read_capabilities(reply.body)
    assert told.till is not None
    assert (told.till.login, told.till.state, told.till.till_epoch) == (LOGIN, "ACTIVE", 1)
    assert "operators" in told.features
    (key,) = told.ledger_keys
    assert (key.key_id, key.public_key) == (kit.book.secrets.key_id, kit.book.secrets.public_key)
    assert len(base64.b64decode(key.public_key)) == 32
    assert kit.ask("/sync/v1/capabilities").json["till"]["till_epoch"] == 1


def test_the_same_key_again_gets_the_same_answer(kit: PeopleKit) -> None:
    first, again = kit.enrol(KEY_1), kit.enrol(KEY_1)
    assert first.body == again.body
    assert [(row.till_epoch, row.public_key) for row in kit.rows(schema.till_key)] == [(1, KEY_1)]
    assert kit.acts == [("till.enrol", f"till {LOGIN}", LOGIN)]


def test_another_key_needs_a_code_raises_the_epoch_and_the_old_key_is_kept(kit: PeopleKit) -> None:
    kit.enrol(KEY_1)
    assert reason_of(kit.enrol(KEY_2)) == "enrolment_code_needed"
    assert kit.till().public_key == KEY_1
    code = a_code(kit)
    typed = f" {code[:4].lower()}-{code[4:8]} {code[8:]}"
    assert kit.enrol(KEY_2, code=typed).json["till"]["till_epoch"] == 2
    kept = [(row.till_epoch, row.public_key, row.software, row.platform) for row in kit.rows(schema.till_key)]
    assert kept == [(1, KEY_1, "1.4.0", "linux"), (2, KEY_2, "1.4.0", "linux")]


def test_a_code_serves_once(kit: PeopleKit) -> None:
    kit.enrol(KEY_1)
    code = a_code(kit)
    assert kit.enrol(KEY_2, code=code).status == 200
    assert kit.enrol(KEY_2, code=code).status == 200  # The same key again.
    assert reason_of(kit.enrol(KEY_3, code=code)) == "enrolment_code_wrong"


def test_a_code_serves_72_hours(quick_kit: PeopleKit) -> None:
    quick_kit.enrol(KEY_1)
    code = a_code(quick_kit)
    quick_kit.clock.advance(72 * 3600)
    assert reason_of(quick_kit.enrol(KEY_2, code=code)) == "enrolment_code_wrong"
    code = a_code(quick_kit)
    quick_kit.clock.advance(72 * 3600 - 1)
    assert quick_kit.enrol(KEY_2, code=code).status == 200


def test_a_newer_code_ends_the_one_before(quick_kit: PeopleKit) -> None:
    quick_kit.enrol(KEY_1)
    old, new = a_code(quick_kit), a_code(quick_kit)
    assert reason_of(quick_kit.enrol(KEY_2, code=old)) == "enrolment_code_wrong"
    assert quick_kit.enrol(KEY_2, code=new).status == 200


def test_the_code_of_another_till_is_wrong(quick_kit: PeopleKit) -> None:
    quick_kit.enrol(KEY_1)
    a_code(quick_kit)
    assert reason_of(quick_kit.enrol(KEY_2, code=a_code(quick_kit, SECOND_TILL))) == "enrolment_code_wrong"


def test_ten_wrong_codes_kill_the_right_one(kit: PeopleKit) -> None:
    kit.enrol(KEY_1)
    code = a_code(kit)
    for _ in range(10):
        assert reason_of(kit.enrol(KEY_2, code="AAAABBBBCCCC")) == "enrolment_code_wrong"
    assert reason_of(kit.enrol(KEY_2, code=code)) == "enrolment_code_wrong"
    assert kit.enrol(KEY_2, code=a_code(kit)).status == 200


def test_nine_wrong_codes_do_not(quick_kit: PeopleKit) -> None:
    quick_kit.enrol(KEY_1)
    code = a_code(quick_kit)
    for _ in range(9):
        quick_kit.enrol(KEY_2, code="AAAABBBBCCCC")
    assert quick_kit.enrol(KEY_2, code=code).status == 200


def test_the_code_is_not_kept_as_it_is(quick_kit: PeopleKit) -> None:
    code = a_code(quick_kit)
    assert len(code) == 12
    assert code not in str(quick_kit.rows(schema.till)) + str(quick_kit.rows(schema.audit))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"public_key": None}, "public_key"),
        ({"public_key": "AAAA"}, "public_key"),
        ({"public_key": "!" * 44}, "public_key"),
        ({"public_key": base64.b64encode(bytes(33)).decode("ascii")}, "public_key"),
        ({"enrolment_code": 5}, "enrolment_code"),
        ({"enrolment_code": "A" * 65}, "enrolment_code"),
        ({"software": None}, "software"),
        ({"platform": "p" * 101}, "platform"),
    ],
)
def test_a_malformed_enrolment_names_its_field(quick_kit: PeopleKit, changes: dict[str, object], field: str) -> None:
    body = {"public_key": KEY_1, "enrolment_code": None, "software": "1", "platform": "linux", **changes}
    reply = quick_kit.ask("/sync/v1/enrol", body)
    assert (reply.status, reply.json["errors"][0]["field"]) == (400, field)
    assert quick_kit.till().till_epoch == 0


# --- States --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "state"), [("disable", "DISABLED"), ("lost", "LOST")])
def test_a_till_out_of_service_is_told_so_only_with_its_password(kit: PeopleKit, action: str, state: str) -> None:
    assert act(kit, action) == state
    block = kit.ask("/v1.1/points/isredeemable", query="id=50001&points=10&format=json")
    assert (block.status, block.json["response"]["status"]["code"]) == (403, 403)
    assert block.json["response"]["status"]["success"] == "false"
    xml = kit.ask("/v1.1/points/isredeemable", query="id=50001&points=10&format=xml")
    assert xml.status == 403
    assert b"<code>403</code>" in xml.body
    assert kit.redeem().status == 403
    for refused in (kit.cancel(a_key()), kit.sign_in(SUPERVISOR)):
        assert (refused.status, reason_of(refused)) == (403, f"till_{state.lower()}")
    assert kit.ask("/v1.1/points/isredeemable", query="id=50001&points=10", password="wrong").status == 401
    assert kit.ask("/sync/v1/capabilities", password="wrong").status == 401


@pytest.mark.parametrize("state", ["DISABLED", "LOST", "FROZEN"])
def test_capabilities_tell_the_state_of_a_till_whatever_it_is(quick_kit: PeopleKit, state: str) -> None:
    quick_kit.change_till(state=state)
    assert quick_kit.ask("/sync/v1/capabilities").json["till"]["state"] == state


def test_a_frozen_till_goes_on_with_v1_1(quick_kit: PeopleKit) -> None:
    quick_kit.change_till(state="FROZEN")
    assert quick_kit.ask("/v1.1/points/isredeemable", query="id=50001&points=10&format=json").status == 200
    assert quick_kit.sign_in(SUPERVISOR).status == 200


@pytest.mark.parametrize("state", ["LOST", "FROZEN"])
def test_a_lost_or_frozen_till_comes_back_with_another_key_and_a_code(kit: PeopleKit, state: str) -> None:
    kit.enrol(KEY_1)
    kit.change_till(state=state)
    assert reason_of(kit.enrol(KEY_2)) == "enrolment_code_needed"
    told = kit.enrol(KEY_2, code=a_code(kit)).json["till"]
    assert (told["state"], told["till_epoch"]) == ("ACTIVE", 2)
    assert kit.redeem(skip=False).status == 200


@pytest.mark.parametrize("state", ["LOST", "FROZEN"])
def test_its_old_key_alone_does_not_bring_it_back(quick_kit: PeopleKit, state: str) -> None:
    quick_kit.enrol(KEY_1)
    quick_kit.change_till(state=state)
    told = quick_kit.enrol(KEY_1, code=a_code(quick_kit)).json["till"]
    assert (told["state"], told["till_epoch"]) == (state, 1)


def test_a_lost_till_that_never_enrolled_needs_a_code_for_its_first_key(quick_kit: PeopleKit) -> None:
    act(quick_kit, "lost")
    assert reason_of(quick_kit.enrol(KEY_1)) == "enrolment_code_needed"
    assert quick_kit.enrol(KEY_1, code=a_code(quick_kit)).json["till"]["state"] == "ACTIVE"


def test_a_disabled_till_does_not_enrol(quick_kit: PeopleKit) -> None:
    quick_kit.enrol(KEY_1)
    code = a_code(quick_kit)
    act(quick_kit, "disable")
    for key in (KEY_1, KEY_2):
        reply = quick_kit.enrol(key, code=code)
        assert (reply.status, reason_of(reply)) == (403, "till_disabled")
    with pytest.raises(CareRefusedError, match=r"enable it first\.$"):
        a_code(quick_kit)


def test_a_till_enabled_by_another_process_is_let_in_at_once(quick_kit: PeopleKit) -> None:
    act(quick_kit, "disable")
    assert quick_kit.redeem().status == 403
    quick_kit.change_till(state="ACTIVE")
    assert quick_kit.redeem().status == 200


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        ("ACTIVE", "disable", "DISABLED"),
        ("FROZEN", "disable", "DISABLED"),
        ("LOST", "disable", "DISABLED"),
        ("DISABLED", "disable", "DISABLED"),
        ("ACTIVE", "enable", "ACTIVE"),
        ("FROZEN", "enable", "FROZEN"),
        ("LOST", "enable", "LOST"),
        ("DISABLED", "enable", "ACTIVE"),
        ("ACTIVE", "lost", "LOST"),
        ("FROZEN", "lost", "LOST"),
        ("LOST", "lost", "LOST"),
        ("DISABLED", "lost", None),
        ("ACTIVE", "found", "ACTIVE"),
        ("FROZEN", "found", None),
        ("LOST", "found", "ACTIVE"),
        ("DISABLED", "found", None),
    ],
)
def test_every_act_on_every_state(quick_kit: PeopleKit, before: str, action: str, after: str | None) -> None:
    quick_kit.change_till(state=before)
    if after is None:
        with pytest.raises(CareRefusedError, match=rf"^Till {LOGIN} is {before}.*\.$"):
            act(quick_kit, action)
    else:
        assert act(quick_kit, action) == after
    kept = before if after is None else after
    assert quick_kit.till().state == kept
    assert len(quick_kit.acts) == (kept != before)


@pytest.mark.parametrize("state", ["FROZEN", "LOST"])
def test_disabling_and_enabling_launders_no_state(quick_kit: PeopleKit, state: str) -> None:
    quick_kit.change_till(state=state)
    act(quick_kit, "disable")
    assert act(quick_kit, "enable") == state


def test_a_new_password_ends_the_old_one(kit: PeopleKit) -> None:
    password = rotate_password(kit.book.tools, LOGIN, who=audit.ADMIN)
    assert kit.ask("/sync/v1/capabilities").status == 401
    assert kit.ask("/sync/v1/capabilities", password=password).status == 200
    assert kit.acts == [("till.rotate", "admin", LOGIN)]
    assert password not in str(kit.rows(schema.audit)) + str(kit.rows(schema.till))


def test_an_unknown_till_is_said_to_be_one(quick_kit: PeopleKit) -> None:
    for wish in (lambda: act(quick_kit, "lost", "nobody"), lambda: a_code(quick_kit, "nobody")):
        with pytest.raises(CareRefusedError, match=r"\.$"):
            wish()


def test_tills_are_listed_with_what_is_known_of_them(quick_kit: PeopleKit) -> None:
    quick_kit.enrol(KEY_1)
    with quick_kit.book.store.read() as connection:
        tills = list_tills(connection, 1)
        assert len(list_tills(connection)) == 3
    assert [(each.login, each.state, each.till_epoch) for each in tills] == [
        (LOGIN, "ACTIVE", 1),
        (SECOND_TILL, "ACTIVE", 0),
    ]


def test_without_the_extension_none_of_it_is_there(tmp_path: Path) -> None:
    from pos_app.ledger.http.app import make_app

    with a_people_kit(tmp_path) as kit:
        kit.app = make_app(kit.book, extension=False, clock=kit.clock)
        for path in ("/sync/v1/enrol", "/sync/v1/operators/sign-in", "/sync/v1/operators/pin"):
            reply = kit.ask(path, {})
            assert (reply.status, reply.json["response"]["status"]["code"]) == (404, 404)
