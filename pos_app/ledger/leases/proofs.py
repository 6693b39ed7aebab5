"""How the customer of a row was confirmed without a line: passes and approvals (reliability 4.6, sync-api 7 and 10).

The goods are gone, so a proof that does not hold refuses nothing: the redemption is kept as not verified, and the
manager hears of it. Everything is judged by the row's effective time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.passes import NotAPassError, Pass
from pos_app.domain.points import Points
from pos_app.domain.settling import OfflineProofKind, Spend, SpendKind
from pos_app.ledger import schema
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.staff.approvals import approval_fault, approval_record, operator_of
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.canonical import canonical_json
from pos_app.wire.passes import read_pass

_PASS: Final = schema.lease_pass
_FIND: Final = select(_PASS).where(_PASS.c.lease == bindparam("number"), _PASS.c.nonce == bindparam("word"))
_USE: Final = (
    update(_PASS)
    .where(
        _PASS.c.lease == bindparam("number"),
        _PASS.c.nonce == bindparam("word"),
        _PASS.c.points_max - _PASS.c.used >= bindparam("more"),
    )
    .values(used=_PASS.c.used + bindparam("more"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What a row's proof came to, as the redemption keeps it; `fault` is what the manager hears."""

    word: str = "none"
    supervisor: int | None = None
    record: str | None = field(default=None, repr=False)
    fault: str | None = None


def confirmed(
    tools: Tools,
    connection: Connection,
    moment: Moment,
    till: Till,
    spend: Spend,
    lease: Any | None,
    effective_at: datetime,
) -> Confirmed:
    """Judge the proof of a row. `till` is the till in the enrolment that signed it; `lease` the row's own, if any."""
    if spend.kind is SpendKind.ONLINE:
        return Confirmed()  # The ledger that confirmed it had its proof.
    if spend.kind is SpendKind.RISK:
        return _by_approval(tools, connection, moment, till, spend, ApprovalPurpose.RISK, effective_at)
    if spend.proof.kind is OfflineProofKind.APPROVAL:
        return _by_approval(tools, connection, moment, till, spend, ApprovalPurpose.SKIP_VALIDATION, effective_at)
    if spend.proof.kind is OfflineProofKind.PASS:
        fault = _pass_fault(tools, connection, moment, till, spend, lease, effective_at)
        if fault is None:
            return Confirmed(word="pass")
        return Confirmed(record=canonical_json({"pass": fault}), fault=fault)
    is_wanted = moment.rules.organisation.validation_required
    return Confirmed(fault="proof_missing" if is_wanted else None)


def _by_approval(
    tools: Tools,
    connection: Connection,
    moment: Moment,
    till: Till,
    spend: Spend,
    purpose: ApprovalPurpose,
    effective_at: datetime,
) -> Confirmed:
    approval: Approval | None = spend.proof.approval
    fault = approval_fault(tools, connection, moment, till, spend.cashier, approval, purpose, effective_at=effective_at)
    if approval is None or fault is not None:
        record = None if approval is None else approval_record(approval, fault)
        return Confirmed(record=record, fault=None if fault is None else fault.value)
    return Confirmed(word="skip", supervisor=operator_of(approval), record=approval_record(approval))


def _pass_fault(
    tools: Tools,
    connection: Connection,
    moment: Moment,
    till: Till,
    spend: Spend,
    lease: Any | None,
    effective_at: datetime,
) -> str | None:
    """Say why a pass does not confirm this row; None when it does, and its points are counted then."""
    try:
        signed = read_pass(spend.proof.pass_text or "")
    except NotAPassError:
        return "pass_unreadable"
    if not tools.signer.is_mine(signed.payload, signed.signature):
        return "pass_signature_wrong"
    said = signed.content
    is_for_this = (said.organisation_id, said.till, said.lease_id) == (till.organisation_id, till.login, spend.lease_id)
    if not is_for_this:
        return "pass_not_for_this"
    if said.not_after < effective_at:
        return "pass_expired"
    return None if _count(connection, moment, spend, said, lease) else "pass_used_up"


def _count(connection: Connection, moment: Moment, spend: Spend, said: Pass, lease: Any | None) -> bool:
    """Count the points of this row under the pass; False: they are more than it confirms."""
    if lease is None:
        return spend.points <= said.max_points  # The lease was lost with a restore; there is nothing to count in.
    named = {"number": lease.id, "word": said.nonce}
    if connection.execute(_FIND, named).first() is None:
        _keep_again(connection, moment, spend, said, lease)
    used = connection.execute(_USE, named | {"more": spend.points.thousandths})
    return used.rowcount == 1


def _keep_again(connection: Connection, moment: Moment, spend: Spend, said: Pass, lease: Any) -> None:
    """A pass this ledger signed and lost with a restore: what it says is signed, so it is kept again."""
    row = pass_row(lease.id, spend.customer_id, said, moment.now)
    connection.execute(_PASS.insert(), row)


def pass_row(number: int, customer_id: int, said: Pass, now: datetime) -> dict[str, object]:
    """The row of a pass; the pass itself is never kept."""
    return {
        "lease": number,
        "nonce": said.nonce,
        "customer_id": customer_id,
        "wallet_id": said.wallet_id,
        "points_max": said.max_points.thousandths,
        "used": Points(0).thousandths,
        "made_at": to_ms(now),
        "not_after": to_ms(said.not_after),
    }


def in_epoch(till: Till, till_epoch: int) -> Till:
    """The till as it was in one of its enrolments: whose tokens and rows count is a matter of the enrolment."""
    return replace(till, till_epoch=till_epoch)
