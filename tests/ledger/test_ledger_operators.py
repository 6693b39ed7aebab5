"""Operators prove their PINs: who may, how often, and what is told (sync-api 4.2)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.a_ledger import encoded
from support.ledger_server import LOGIN
from support.people_kit import (
    AUDITOR,
    CASHIER,
    DISABLED,
    ELSEWHERE,
    MANAGER,
    OTHER_TILL,
    PIN,
    SECOND_TILL,
    SUPERVISOR,
    WITHOUT_PIN,
    WRONG_PIN,
    PeopleKit,
    a_people_kit,
    lines_with_operators,
    reason_of,
)

from pos_app.ledger import schema
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.staff.pins import is_pin_right
from pos_app.ledger.staff.tokens import read_token
from pos_app.wire.moments import read_moment


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[PeopleKit]:
    """On each kind of database."""
    with a_people_kit(tmp_path, url=ledger_url) as made:
        yield made


@pytest.fixture
def quick_kit(tmp_path: Path) -> Iterator[PeopleKit]:
    """On SQLite, for what no database decides."""
    with a_people_kit(tmp_path) as made:
        yield made


# --- A right PIN ---------------------------------------------------------------------------------------------------


def test_a_right_pin_gets_the_operator_and_the_ledgers_word_for_it(kit: PeopleKit) -> None:
    told = kit.sign_in(SUPERVISOR).json
    assert told["operator"] == {"id": SUPERVISOR, "name": "Operator 12", "role": "supervisor"}
    assert (told["proved_at"], told["not_after"]) == ("2026-11-22T10:00:00.000Z", "2026-11-22T22:00:00.000Z")
    assert told["must_change_pin"] is False
    proved = read_token(told["token"], kit.book.tools.signer)
    assert (proved.organisation_id, proved.store, proved.login, proved.till_epoch) == (1, "014", LOGIN, 0)
    assert (proved.operator_id, proved.role) == (SUPERVISOR, "supervisor")
    assert (proved.proved_at, proved.not_after) == (kit.clock.wall(), kit.clock.wall() + timedelta(hours=12))


@pytest.mark.parametrize("operator_id", [CASHIER, MANAGER, AUDITOR])
def test_every_role_may_sign_in(quick_kit: PeopleKit, operator_id: int) -> None:
    assert quick_kit.sign_in(operator_id).status == 200


def test_whoever_must_change_her_pin_is_told_so(quick_kit: PeopleKit) -> None:
    quick_kit.change_operator(CASHIER, must_change_pin=True)
    assert quick_kit.sign_in(CASHIER).json["must_change_pin"] is True
    assert quick_kit.change_pin(CASHIER, PIN, "135790").json == {}
    assert quick_kit.sign_in(CASHIER, "135790").json["must_change_pin"] is False


def test_the_token_of_an_enrolled_till_names_its_epoch(quick_kit: PeopleKit) -> None:
    quick_kit.enrol()
    assert read_token(quick_kit.token(SUPERVISOR), quick_kit.book.tools.signer).till_epoch == 1


# --- Who is not let in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator_id", [ELSEWHERE, DISABLED, WITHOUT_PIN, 4711])
def test_an_operator_of_no_business_here_is_unknown(quick_kit: PeopleKit, operator_id: int) -> None:
    for pin in (PIN, WRONG_PIN):
        reply = quick_kit.sign_in(operator_id, pin)
        assert (reply.status, reason_of(reply)) == (403, "operator_unknown")


def test_an_operator_of_another_organisation_is_unknown(quick_kit: PeopleKit) -> None:
    reply = quick_kit.sign_in(MANAGER, login=OTHER_TILL)
    assert (reply.status, reason_of(reply)) == (403, "operator_unknown")
    assert quick_kit.sign_in(SUPERVISOR, login=OTHER_TILL).status == 200  # Theirs has the same number.


def test_a_wrong_pin_is_told_with_the_tries_that_are_left(kit: PeopleKit) -> None:
    for left in (4, 3, 2, 1, 0):
        reply = kit.sign_in(SUPERVISOR, WRONG_PIN)
        assert (reply.status, reason_of(reply)) == (403, "pin_wrong")
        assert reply.json["errors"][0]["tries_left"] == left


def test_the_fifth_wrong_pin_in_a_row_locks_for_a_quarter_of_an_hour(kit: PeopleKit) -> None:
    wrong_five_times(kit)
    reply = kit.sign_in(SUPERVISOR, PIN)
    assert (reply.status, reason_of(reply)) == (403, "operator_locked")
    assert read_moment(reply.json["errors"][0]["until"]) == kit.clock.wall() + timedelta(minutes=15)
    kit.clock.advance(15 * 60 - 1)
    assert reason_of(kit.sign_in(SUPERVISOR, PIN)) == "operator_locked"
    kit.clock.advance(1)
    assert kit.sign_in(SUPERVISOR, PIN).status == 200


def test_each_further_lock_is_twice_as_long(quick_kit: PeopleKit) -> None:
    for minutes in (15, 30, 60, 120):
        wrong_five_times(quick_kit)
        until = read_moment(quick_kit.sign_in(SUPERVISOR, PIN).json["errors"][0]["until"])
        assert until - quick_kit.clock.wall() == timedelta(minutes=minutes)
        quick_kit.clock.advance(minutes * 60)


def test_a_right_pin_forgives_the_wrong_ones_and_the_locks(kit: PeopleKit) -> None:
    wrong_five_times(kit)
    kit.clock.advance(15 * 60)
    assert kit.sign_in(SUPERVISOR, PIN).status == 200
    row = kit.operator(SUPERVISOR)
    assert (row.wrong_pins, row.locks, row.locked_until) == (0, 0, None)
    assert kit.sign_in(SUPERVISOR, WRONG_PIN).json["errors"][0]["tries_left"] == 4


def test_the_right_pin_at_the_fifth_try_is_still_right(quick_kit: PeopleKit) -> None:
    for _ in range(4):
        quick_kit.sign_in(SUPERVISOR, WRONG_PIN)
    assert quick_kit.sign_in(SUPERVISOR, PIN).status == 200
    assert quick_kit.sign_in(SUPERVISOR, WRONG_PIN).json["errors"][0]["tries_left"] == 4


def test_wrong_pins_are_counted_per_operator_whatever_the_till(quick_kit: PeopleKit) -> None:
    for number in range(5):
        quick_kit.sign_in(SUPERVISOR, WRONG_PIN, login=(LOGIN, SECOND_TILL)[number % 2])
    assert reason_of(quick_kit.sign_in(SUPERVISOR, PIN, login=SECOND_TILL)) == "operator_locked"
    assert quick_kit.sign_in(MANAGER).status == 200


def test_a_lock_leaves_an_audit_row_and_slips_do_not(quick_kit: PeopleKit) -> None:
    for _ in range(4):
        quick_kit.sign_in(SUPERVISOR, WRONG_PIN)
    assert quick_kit.acts == []
    quick_kit.sign_in(SUPERVISOR, WRONG_PIN)
    assert quick_kit.acts == [("operator.locked", "operator 12", "operator 12")]


def test_tries_side_by_side_never_exceed_the_cap(kit: PeopleKit) -> None:
    replies = []

    def guess() -> None:
        replies.append(kit.sign_in(SUPERVISOR, WRONG_PIN))

    threads = [threading.Thread(target=guess) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told = Counter("busy" if reply.status == 503 else reason_of(reply) for reply in replies)
    assert told["pin_wrong"] <= 5
    assert told["pin_wrong"] + told["operator_locked"] + told["busy"] == 16
    left = sorted(r.json["errors"][0]["tries_left"] for r in replies if r.status == 403 and reason_of(r) == "pin_wrong")
    assert len(set(left)) == len(left)


def test_a_right_pin_counts_nothing_when_the_operator_is_disabled_meanwhile(quick_kit: PeopleKit) -> None:
    quick_kit.change_operator(SUPERVISOR, is_active=False)
    assert reason_of(quick_kit.sign_in(SUPERVISOR)) == "operator_unknown"
    assert quick_kit.operator(SUPERVISOR).wrong_pins == 0


# --- Another PIN ---------------------------------------------------------------------------------------------------


def test_another_pin_is_kept_as_argon2id_only_and_recorded(kit: PeopleKit) -> None:
    assert kit.change_pin(CASHIER, PIN, "135790").status == 200
    kept = kit.operator(CASHIER).pin_hash
    assert kept.startswith("$argon2id$")
    assert is_pin_right(kept, "135790")
    assert reason_of(kit.sign_in(CASHIER, PIN)) == "pin_wrong"
    assert kit.sign_in(CASHIER, "135790").status == 200
    assert kit.acts == [("operator.pin", "operator 7", "operator 7")]
    assert "135790" not in str(kit.rows(schema.audit)) + str(kit.rows(schema.operator))


def test_the_same_change_again_is_answered_again(quick_kit: PeopleKit) -> None:
    assert quick_kit.change_pin(CASHIER, PIN, "135790").status == 200
    assert quick_kit.change_pin(CASHIER, PIN, "135790").status == 200
    assert quick_kit.operator(CASHIER).wrong_pins == 0
    assert len(quick_kit.acts) == 1


def test_a_change_is_known_as_a_repeat_for_ten_minutes_only(quick_kit: PeopleKit) -> None:
    quick_kit.change_pin(CASHIER, PIN, "135790")
    quick_kit.clock.advance(601)
    assert reason_of(quick_kit.change_pin(CASHIER, PIN, "135790")) == "pin_wrong"


def test_changing_a_pin_is_no_way_to_guess_more_of_them(quick_kit: PeopleKit) -> None:
    quick_kit.change_pin(CASHIER, PIN, "135790")
    left = []
    for _ in range(5):
        reply = quick_kit.change_pin(CASHIER, WRONG_PIN, "888888")  # Two PINs a call, so two tries.
        left.append(reply.json["errors"][0].get("tries_left"))
    assert left == [3, 1, 0, None, None]


def test_a_wrong_pin_changes_nothing(quick_kit: PeopleKit) -> None:
    reply = quick_kit.change_pin(CASHIER, WRONG_PIN, "135790")
    assert (reply.status, reason_of(reply)) == (403, "pin_wrong")
    assert reply.json["errors"][0]["tries_left"] == 4
    assert quick_kit.sign_in(CASHIER, PIN).status == 200


def test_an_import_leaves_a_pin_alone_that_was_changed_since(tmp_path: Path) -> None:
    with a_people_kit(tmp_path) as kit:
        assert kit.change_pin(CASHIER, PIN, "135790").status == 200
        lines = [line | {"pin": PIN} for line in lines_with_operators() if line.get("id") == CASHIER]
        import_file(kit.book, encoded(lines), file_name="again")
        assert kit.sign_in(CASHIER, "135790").status == 200


# --- Shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"pin": PIN}, "operator_id"),
        ({"operator_id": "12", "pin": PIN}, "operator_id"),
        ({"operator_id": True, "pin": PIN}, "operator_id"),
        ({"operator_id": 0, "pin": PIN}, "operator_id"),
        ({"operator_id": 2**63, "pin": PIN}, "operator_id"),
        ({"operator_id": 12}, "pin"),
        ({"operator_id": 12, "pin": 4821}, "pin"),
        ({"operator_id": 12, "pin": "482"}, "pin"),
        ({"operator_id": 12, "pin": "4821000"}, "pin"),
        ({"operator_id": 12, "pin": "48 21"}, "pin"),
        ({"operator_id": 12, "pin": "\u0664\u0668\u0662\u0661"}, "pin"),
        ({"operator_id": 12, "pin": PIN}, "new_pin"),
        ({"operator_id": 12, "pin": PIN, "new_pin": "abcd"}, "new_pin"),
    ],
)
def test_a_malformed_call_names_its_field_and_counts_no_try(
    quick_kit: PeopleKit, body: dict[str, object], field: str
) -> None:
    path = "/sync/v1/operators/pin" if field == "new_pin" else "/sync/v1/operators/sign-in"
    reply = quick_kit.ask(path, body)
    assert (reply.status, reason_of(reply), reply.json["errors"][0]["field"]) == (400, "malformed", field)
    assert quick_kit.operator(SUPERVISOR).wrong_pins == 0


def test_pins_are_taken_by_post_only(quick_kit: PeopleKit) -> None:
    assert quick_kit.ask("/sync/v1/operators/sign-in").status == 405
    assert quick_kit.ask("/sync/v1/operators/pin").status == 405


# --- Helpers -------------------------------------------------------------------------------------------------------


def wrong_five_times(kit: PeopleKit) -> None:
    for _ in range(5):
        assert reason_of(kit.sign_in(SUPERVISOR, WRONG_PIN)) == "pin_wrong"
