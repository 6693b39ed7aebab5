"""The second person on the ledger's side (sync-api 4.3, reliability 4.9): when her word holds, what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.ledger_server import LOGIN
from support.people_kit import (
    AUDITOR,
    CASHIER,
    KEY_2,
    MANAGER,
    OTHER_TILL,
    SECOND_TILL,
    SUPERVISOR,
    PeopleKit,
    a_key,
    a_people_kit,
    an_approval,
)

from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason
from pos_app.ledger import schema
from pos_app.ledger.staff.approvals import approval_refusal, operator_of


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[PeopleKit]:
    """An enrolled till, on each kind of database."""
    with a_people_kit(tmp_path, url=ledger_url) as made:
        made.enrol()
        yield made


@pytest.fixture
def quick_kit(tmp_path: Path) -> Iterator[PeopleKit]:
    """An enrolled till, on SQLite."""
    with a_people_kit(tmp_path) as made:
        made.enrol()
        yield made


def skip(kit: PeopleKit, approval: Any = None, *, cashier: int | None = CASHIER, **more: Any) -> tuple[int, str | None]:
    """Redeem without the customer's proof: the item code, and why."""
    extension = {"cashier": cashier} | ({} if approval is None else {"approval": approval})
    reply = kit.redeem(extension=extension, **more)
    assert reply.status == 200, reply.body
    told = reply.json
    code = told["response"]["responses"]["points"]["item_status"]["code"]
    return code, told["extension"]["reason"]


# --- Skipping the customer's proof ---------------------------------------------------------------------------------


def test_an_enrolled_till_skips_with_a_second_person_and_both_are_kept(kit: PeopleKit) -> None:
    assert skip(kit, an_approval(kit.token(SUPERVISOR), reason="other", note="Phone was stolen")) == (800, None)
    (row,) = kit.rows(schema.redemption)
    assert (row.proof, row.cashier, row.supervisor) == ("skip", CASHIER, SUPERVISOR)
    assert json.loads(row.approval) == {"purpose": "skip_validation", "reason": "other", "note": "Phone was stolen"}
    assert {entry.supervisor for entry in kit.rows(schema.entry) if entry.kind == "REDEEM"} == {SUPERVISOR}
    assert kit.book.verify() == []


def test_a_manager_may_approve_too(quick_kit: PeopleKit) -> None:
    assert skip(quick_kit, an_approval(quick_kit.token(MANAGER))) == (800, None)


def test_skipping_by_hand_from_an_enrolled_till_is_refused(kit: PeopleKit) -> None:
    assert skip(kit) == (824, "approval_missing")
    reply = kit.redeem()  # Without the header, as a cashier with a tool would.
    assert reply.json["response"]["responses"]["points"]["item_status"]["code"] == 824
    assert kit.rows(schema.redemption) == []


def test_the_words_of_the_setting_alone_rule_a_till_that_never_enrolled(tmp_path: Path) -> None:
    with a_people_kit(tmp_path) as kit:
        reply = kit.redeem()
        assert reply.json["response"]["responses"]["points"]["item_status"]["code"] == 800
        assert kit.rows(schema.redemption)[0].proof == "skip"
    with a_people_kit(tmp_path / "strict", skip_validation_allowed=False) as kit:
        reply = kit.redeem()
        assert reply.json["response"]["responses"]["points"]["item_status"]["code"] == 824


def test_what_the_organisation_forbids_no_supervisor_can_allow(tmp_path: Path) -> None:
    with a_people_kit(tmp_path, skip_validation_allowed=False) as kit:
        kit.enrol()
        assert skip(kit, an_approval(kit.token(SUPERVISOR))) == (824, None)
        assert skip(kit) == (824, None)


def test_a_check_needs_nobodys_approval(quick_kit: PeopleKit) -> None:
    reply = quick_kit.ask("/v1.1/points/isredeemable", query="id=50001&points=10&skip_validation=true&format=json")
    assert reply.json["response"]["points"]["redeemable"]["item_status"]["code"] == 800


def test_the_first_refusal_is_told_before_a_missing_approval(quick_kit: PeopleKit) -> None:
    assert skip(quick_kit, points="15") == (807, None)


# --- Which approvals hold ------------------------------------------------------------------------------------------


def test_an_approval_may_be_put_right_under_the_same_key_and_then_stands(kit: PeopleKit) -> None:
    key = a_key()
    assert skip(kit, key=key) == (824, "approval_missing")
    old = kit.token(SUPERVISOR)
    kit.clock.advance(121)
    assert skip(kit, an_approval(old), key=key) == (824, "approval_refused")
    assert skip(kit, an_approval(kit.token(SUPERVISOR)), key=key) == (800, None)
    kit.clock.advance(3600)
    assert skip(kit, an_approval(old), key=key) == (800, None)  # A repeat is answered before anything is checked.
    assert skip(kit, key=key) == (800, None)
    assert len(kit.rows(schema.redemption)) == 1


@pytest.mark.parametrize(("seconds", "code"), [(0, 800), (119, 800), (120, 800), (121, 824)])
def test_a_pin_proves_an_approval_for_two_minutes(quick_kit: PeopleKit, seconds: int, code: int) -> None:
    token = quick_kit.token(SUPERVISOR)
    quick_kit.clock.advance(seconds)
    assert skip(quick_kit, an_approval(token))[0] == code


def test_nobody_approves_for_herself(quick_kit: PeopleKit) -> None:
    approval = an_approval(quick_kit.token(SUPERVISOR))
    assert skip(quick_kit, approval, cashier=SUPERVISOR) == (824, "approval_refused")
    assert skip(quick_kit, approval, cashier=MANAGER) == (800, None)


@pytest.mark.parametrize("operator_id", [CASHIER, AUDITOR])
def test_a_role_below_supervisor_approves_nothing(quick_kit: PeopleKit, operator_id: int) -> None:
    assert skip(quick_kit, an_approval(quick_kit.token(operator_id)), cashier=99) == (824, "approval_refused")


@pytest.mark.parametrize("values", [{"is_active": False}, {"role": "cashier"}])
def test_what_an_operator_is_now_counts_and_not_what_her_token_says(
    quick_kit: PeopleKit, values: dict[str, object]
) -> None:
    token = quick_kit.token(SUPERVISOR)
    quick_kit.change_operator(SUPERVISOR, **values)
    assert skip(quick_kit, an_approval(token)) == (824, "approval_refused")


@pytest.mark.parametrize("purpose", ["risk", "cancel", "reverse"])
def test_an_approval_for_something_else_is_none_for_this(quick_kit: PeopleKit, purpose: str) -> None:
    assert skip(quick_kit, an_approval(quick_kit.token(SUPERVISOR), purpose=purpose)) == (824, "approval_refused")


def test_the_token_of_another_till_is_refused(quick_kit: PeopleKit) -> None:
    token = quick_kit.token(SUPERVISOR, login=SECOND_TILL)
    assert skip(quick_kit, an_approval(token)) == (824, "approval_refused")


def test_the_token_of_another_organisation_is_refused(quick_kit: PeopleKit) -> None:
    token = quick_kit.token(SUPERVISOR, login=OTHER_TILL)
    assert skip(quick_kit, an_approval(token)) == (824, "approval_refused")


def test_the_token_of_an_earlier_enrolment_is_refused(quick_kit: PeopleKit) -> None:
    token = quick_kit.token(SUPERVISOR)
    quick_kit.change_till(public_key=KEY_2, till_epoch=2)
    assert skip(quick_kit, an_approval(token)) == (824, "approval_refused")


def test_a_token_tampered_with_is_refused(quick_kit: PeopleKit) -> None:
    token = quick_kit.token(SUPERVISOR)
    for place in range(0, len(token), 37):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert skip(quick_kit, an_approval(changed)) == (824, "approval_refused")
    assert skip(quick_kit, an_approval(token)) == (800, None)


# --- The check itself, as other calls use it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours_before", "refusal"), [(0, None), (11.99, None), (12.01, "approval_refused"), (-0.2, "approval_refused")]
)
def test_for_a_row_spent_offline_a_pin_holds_twelve_hours(
    quick_kit: PeopleKit, hours_before: float, refusal: str | None
) -> None:
    approval = Approval(
        token=quick_kit.token(SUPERVISOR), purpose=ApprovalPurpose.RISK, reason=ApprovalReason.NOT_ARRIVING
    )
    proved_at = quick_kit.clock.wall()
    quick_kit.clock.advance(3 * 86400)  # The line was down for days.
    assert ask(quick_kit, approval, effective_at=proved_at + timedelta(hours=hours_before)) == refusal


def test_an_earlier_enrolments_row_is_judged_by_the_till_it_was(quick_kit: PeopleKit) -> None:
    approval = Approval(token=quick_kit.token(SUPERVISOR), purpose=ApprovalPurpose.RISK, reason=ApprovalReason.NO_PHONE)
    quick_kit.change_till(public_key=KEY_2, till_epoch=2)
    assert ask(quick_kit, approval) == "approval_refused"
    assert ask(quick_kit, approval, till_epoch=1) is None


def test_who_approved_is_read_from_the_token(quick_kit: PeopleKit) -> None:
    approval = Approval(token=quick_kit.token(SUPERVISOR), purpose=ApprovalPurpose.RISK, reason=ApprovalReason.NO_PHONE)
    assert operator_of(approval) == SUPERVISOR
    assert operator_of(replace(approval, token="nothing")) is None


def ask(kit: PeopleKit, approval: Approval, *, till_epoch: int | None = None, effective_at: Any = None) -> str | None:
    till = kit.book.find_till(LOGIN)
    assert till is not None
    with kit.book.store.read() as connection:
        moment = kit.book.tools.moment(connection, till)
        asked = till if till_epoch is None else replace(till, till_epoch=till_epoch)
        return approval_refusal(
            kit.book.tools,
            connection,
            moment,
            asked,
            CASHIER,
            approval,
            ApprovalPurpose.RISK,
            effective_at=effective_at,
        )


# --- Cancelling ----------------------------------------------------------------------------------------------------


def test_a_cancel_keeps_who_approved_it(kit: PeopleKit) -> None:
    key = a_key()
    assert skip(kit, an_approval(kit.token(SUPERVISOR)), key=key) == (800, None)
    reply = kit.cancel(key, approval=an_approval(kit.token(MANAGER), purpose="cancel"))
    assert reply.json["outcome"] == "reversed"
    assert [entry.supervisor for entry in kit.rows(schema.entry) if entry.kind == "REVERSAL"] == [MANAGER]
    assert kit.book.verify() == []


def test_a_cancel_is_done_though_its_approval_grew_too_old_and_says_so_in_its_record(kit: PeopleKit) -> None:
    token, key = kit.token(SUPERVISOR), a_key()
    kit.clock.advance(3600)
    reply = kit.cancel(key, approval=an_approval(token, purpose="cancel"))
    assert reply.json["outcome"] == "cancelled"
    (row,) = kit.rows(schema.idem)
    kept = json.loads(row.outcome)
    assert kept["supervisor"] is None
    assert json.loads(kept["approval"])["refused"] == "token_expired"


def test_a_cancel_before_a_receipt_needs_nobody(quick_kit: PeopleKit) -> None:
    assert quick_kit.cancel(a_key(), approval=None).json["outcome"] == "cancelled"


# --- Shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"token": 5}, ".token"),
        ({"token": ""}, ".token"),
        ({"token": "A" * 2049}, ".token"),
        ({"purpose": "anything"}, ".purpose"),
        ({"purpose": None}, ".purpose"),
        ({"reason": ["no_phone"]}, ".reason"),
        ({"note": 5}, ".note"),
        ({"note": "n" * 201}, ".note"),
        ({"reason": "other", "note": "  "}, ".note"),
    ],
)
def test_a_malformed_approval_names_its_member(quick_kit: PeopleKit, changes: dict[str, object], member: str) -> None:
    approval = an_approval("PT1.A.B") | changes
    reply = quick_kit.cancel(a_key(), approval=approval)
    assert (reply.status, reply.json["errors"][0]["field"]) == (400, f"approval{member}")
    assert quick_kit.redeem(extension={"approval": approval}).status == 400


def test_an_approval_that_is_no_object_is_malformed(quick_kit: PeopleKit) -> None:
    assert quick_kit.cancel(a_key(), approval="yes").json["errors"][0]["field"] == "approval"
    assert quick_kit.redeem(extension={"approval": []}).status == 400


def test_no_token_and_no_note_gets_into_a_log(quick_kit: PeopleKit, caplog: pytest.LogCaptureFixture) -> None:
    token = quick_kit.token(SUPERVISOR)
    with caplog.at_level("DEBUG"):
        skip(quick_kit, an_approval(token, reason="other", note="Mrs Sawyer has no phone"))
        quick_kit.sign_in(SUPERVISOR, "4820")
    assert token not in caplog.text
    assert "Sawyer" not in caplog.text
    assert "4820" not in caplog.text
