"""How customers were confirmed without a line: passes and approvals, judged when their rows are settled.

reliability 4.6, sync-api 7 and 10. A proof that does not hold refuses nothing: the goods are gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.lease_kit import HOUR, OTHER_LOGIN, LeaseKit, a_lease_kit, lease_lines, pts
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM

from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason
from pos_app.domain.settling import OfflineProof, OfflineProofKind, Settled, SettleOutcome, Spend
from pos_app.ledger import schema
from pos_app.ledger.errors import ConflictError
from pos_app.ledger.leases.closing import close_leases
from pos_app.ledger.leases.passes import MadePass, PassWish, make_pass
from pos_app.ledger.leases.revoking import revoke_lease
from pos_app.ledger.staff.tokens import LIFETIME, ProvedPin, write_token
from pos_app.wire.passes import read_pass, write_pass

SUPERVISOR, CASHIER = 12, 7


def operator_line(number: int, role: str) -> dict[str, Any]:
    return {"kind": "operator", "organisation": 1, "id": number, "name": "R. Mehta", "role": role, "stores": ["014"]}


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[LeaseKit]:
    *before, customer = lease_lines()
    lines = [*before, operator_line(SUPERVISOR, "supervisor"), operator_line(CASHIER, "cashier"), customer]
    with a_lease_kit(tmp_path, lines, url=ledger_url) as made:
        yield made


def a_pass(kit: LeaseKit, **changes: Any) -> MadePass:
    plain: dict[str, Any] = {
        "organisation_id": 1,
        "customer_id": CUSTOMER,
        "program_id": PROGRAM,
        "till": LOGIN,
        "max_points": pts(100),
        "valid_s": 3600,
    }
    return make_pass(kit.book.tools, PassWish(**(plain | changes)), who="test")


def by_pass(text: str) -> OfflineProof:
    return OfflineProof(kind=OfflineProofKind.PASS, pass_text=text)


def an_approval(
    kit: LeaseKit,
    purpose: ApprovalPurpose = ApprovalPurpose.SKIP_VALIDATION,
    *,
    operator: int = SUPERVISOR,
    proved_at: datetime | None = None,
) -> OfflineProof:
    proved = kit.clock.wall() if proved_at is None else proved_at
    token = write_token(
        ProvedPin(
            organisation_id=1,
            store="014",
            login=LOGIN,
            till_epoch=1,
            operator_id=operator,
            role="supervisor",
            proved_at=proved,
            not_after=proved + LIFETIME,
        ),
        kit.book.tools.signer,
    )
    approval = Approval(token=token, purpose=purpose, reason=ApprovalReason.NO_PHONE)
    return OfflineProof(kind=OfflineProofKind.APPROVAL, approval=approval)


def kept(kit: LeaseKit, row: Spend) -> tuple[str, int | None]:
    (redemption,) = kit.rows(schema.redemption, schema.redemption.c.key == row.key)
    return redemption.proof, redemption.supervisor


def faults(kit: LeaseKit) -> list[str]:
    """What the manager was told of proofs."""
    details = [json.loads(row.detail) for row in kit.told("settle.report")]
    return [detail["not_verified"] for detail in details if "not_verified" in detail]


# --- Making passes ---------------------------------------------------------------------------------------------------


def test_a_pass_is_for_one_lease_of_one_till_and_signed(kit: LeaseKit) -> None:
    lease = kit.till().lease()
    made = a_pass(kit)
    signed = read_pass(made.text)
    assert kit.book.tools.signer.is_mine(signed.payload, signed.signature)
    assert (signed.content.till, signed.content.lease_id) == (LOGIN, lease.lease_id)
    assert signed.content.max_points == pts(100)
    assert signed.content.not_after == made.not_after == kit.clock.wall() + HOUR
    assert made.text not in repr(made)
    assert kit.acts()[-1] == "pass.make"


def test_without_an_open_lease_there_is_no_pass(kit: LeaseKit) -> None:
    with pytest.raises(ConflictError, match="no_open_lease"):
        a_pass(kit)
    lease = kit.till().lease()
    for wrong in ({"till": OTHER_LOGIN}, {"customer_id": 50002}, {"program_id": 1}, {"organisation_id": 2}):
        with pytest.raises(ConflictError, match="no_open_lease"):
            a_pass(kit, **wrong)
    revoke_lease(kit.book.tools, lease.lease_id, who="test")
    with pytest.raises(ConflictError, match="no_open_lease"):
        a_pass(kit)
    kit.till().close(lease)
    kit.till().lease()
    kit.pass_time(8 * HOUR, with_jobs=False)
    with pytest.raises(ConflictError, match="no_open_lease"):
        a_pass(kit)


# --- Passes ----------------------------------------------------------------------------------------------------------


def test_a_row_confirmed_by_a_pass_is_kept_as_verified(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    row = side.spend(60, lease, proof=by_pass(a_pass(kit).text.lower()))
    assert side.settle_one(row).outcome is SettleOutcome.SETTLED
    assert kept(kit, row) == ("pass", None)
    assert faults(kit) == []


def test_the_points_under_one_pass_stay_within_its_bound(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    proof = by_pass(a_pass(kit).text)
    first, second, third = (side.spend(count, lease, proof=proof) for count in (60, 50, 40))
    side.settle(first, second, third)
    assert [kept(kit, row)[0] for row in (first, second, third)] == ["pass", "none", "pass"]
    assert faults(kit) == ["pass_used_up"]
    assert kit.balance() == pts(350)


def test_a_pass_counts_by_the_time_of_the_row_not_of_its_telling(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    proof = by_pass(a_pass(kit, max_points=pts(200)).text)
    in_time = side.spend(60, lease, proof=proof)
    kit.pass_time(2 * HOUR)
    too_late = side.spend(60, lease, proof=proof)
    kit.pass_time(10 * HOUR)
    side.settle(in_time, too_late)
    assert (kept(kit, in_time)[0], kept(kit, too_late)[0]) == ("pass", "none")
    assert faults(kit) == ["pass_expired"]


def test_a_pass_of_another_lease_or_another_signer_confirms_nothing(kit: LeaseKit) -> None:
    side = kit.till()
    old = side.lease()
    text = a_pass(kit).text
    side.close(old)
    lease = side.lease()
    signed = read_pass(a_pass(kit).text)
    forged = write_pass(signed.payload, bytes(64))
    for proof, fault in ((text, "pass_not_for_this"), (forged, "pass_signature_wrong"), ("PD1", "pass_unreadable")):
        row = side.spend(10, lease, proof=by_pass(proof))
        assert side.settle_one(row).outcome is SettleOutcome.SETTLED
        assert kept(kit, row)[0] == "none"
        assert faults(kit)[-1] == fault


def test_a_pass_a_restore_lost_is_believed_by_its_signature(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    proof = by_pass(a_pass(kit).text)
    with kit.book.store.write() as connection:
        connection.execute(schema.lease_pass.delete())
    first, second = side.spend(60, lease, proof=proof), side.spend(60, lease, proof=proof)
    side.settle(first, second)
    assert (kept(kit, first)[0], kept(kit, second)[0]) == ("pass", "none")


# --- Approvals -------------------------------------------------------------------------------------------------------


def test_a_row_a_supervisor_approved_is_kept_with_her_name(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(60, side.lease(), proof=an_approval(kit))
    side.settle(row)
    assert kept(kit, row) == ("skip", SUPERVISOR)
    (entry,) = kit.rows(schema.entry, schema.entry.c.kind == "REDEEM")
    assert entry.supervisor == SUPERVISOR
    assert faults(kit) == []


def test_an_approval_counts_by_the_time_of_the_row(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(60, side.lease(), proof=an_approval(kit))
    kit.pass_time(30 * HOUR)
    side.settle(row)
    assert kept(kit, row) == ("skip", SUPERVISOR)


@pytest.mark.parametrize(
    ("approved", "fault"),
    [
        ({"operator": CASHIER}, "same_person"),
        ({"operator": 99}, "operator_unknown"),
        ({"purpose": ApprovalPurpose.CANCEL}, "purpose_wrong"),
        ({"proved_at": "long ago"}, "token_expired"),
    ],
)
def test_an_approval_that_does_not_hold_refuses_nothing_and_is_reported(
    kit: LeaseKit, approved: dict[str, Any], fault: str
) -> None:
    if "proved_at" in approved:
        approved = {"proved_at": kit.clock.wall() - timedelta(hours=12, seconds=1)}
    side = kit.till()
    row = side.spend(60, side.lease(), proof=an_approval(kit, **approved))
    settled: Settled = side.settle_one(row)
    assert settled.outcome is SettleOutcome.SETTLED
    assert kept(kit, row) == ("none", None)
    assert faults(kit) == [fault]


def test_risk_needs_an_approval_for_risk(kit: LeaseKit) -> None:
    side = kit.till()
    without = side.spend(10)
    wrong = side.spend(10, proof=an_approval(kit))
    right = side.spend(10, proof=an_approval(kit, ApprovalPurpose.RISK))
    side.settle(without, wrong, right)
    assert [kept(kit, row) for row in (without, wrong, right)] == [("none", None), ("none", None), ("skip", SUPERVISOR)]
    assert faults(kit) == ["approval_missing", "purpose_wrong"]


def test_a_row_of_an_earlier_enrolment_has_approvals_of_that_enrolment(kit: LeaseKit) -> None:
    side = kit.till()
    row = side.spend(60, side.lease(), proof=an_approval(kit))
    kit.change(schema.till, till_epoch=2)
    with kit.book.store.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET number = number + 1 WHERE name = 'rules_version'")
    assert side.settle(row, till_epoch=1).results[0].is_late
    assert kept(kit, row) == ("skip", SUPERVISOR)


def test_no_proof_where_the_organisation_wants_one_is_reported(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, lease_lines(organisation={"validation_required": True})) as kit:
        side = kit.till()
        row = side.spend(60, side.lease())
        assert side.settle_one(row).outcome is SettleOutcome.SETTLED
        assert faults(kit) == ["proof_missing"]


def test_neither_a_token_nor_a_pass_is_kept_anywhere(kit: LeaseKit) -> None:
    side = kit.till()
    lease = side.lease()
    proof, made = an_approval(kit), a_pass(kit)
    side.settle(side.spend(10, lease, proof=proof), side.spend(10, lease, proof=by_pass(made.text)))
    assert proof.approval is not None
    everything = "\n".join(str(tuple(row)) for table in schema.metadata.sorted_tables for row in kit.rows(table))
    assert proof.approval.token not in everything
    assert made.text not in everything
    assert close_leases(kit.book.tools, side.till, 1, []) == []
    assert replace(made).lease_id == lease.lease_id
