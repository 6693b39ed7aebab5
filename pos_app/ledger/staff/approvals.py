"""The second person: does her approval hold for this act (sync-api 4.3, reliability 4.7)?

An approval is a token, proof that a supervisor or manager typed her PIN at this till a moment ago, and what she
approved. Everything is judged inside the transaction of the act itself, so an operator who was disabled meanwhile
approves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.commands import Approval, ApprovalPurpose, Cancel, Redeem
from pos_app.ledger import schema
from pos_app.ledger.staff.tokens import BadTokenError, ProvedPin, read_token, unproved
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.canonical import canonical_json

APPROVING_ROLES: Final = frozenset({"supervisor", "manager"})
ONLINE_RECENCY: Final = timedelta(minutes=2)
OFFLINE_RECENCY: Final = timedelta(hours=12)
CLOCKS_APART: Final = timedelta(minutes=5)
"""How far a PIN may seem to be proved after the act: clocks of till and ledger, or of two ledgers, differ a little."""

MISSING: Final = "approval_missing"
REFUSED: Final = "approval_refused"

_OPERATOR: Final = schema.operator
_STANDING: Final = select(_OPERATOR.c.role, _OPERATOR.c.is_active).where(
    _OPERATOR.c.org == bindparam("org"), _OPERATOR.c.id == bindparam("id")
)


class ApprovalFault(StrEnum):
    """Why an approval does not hold, in the words of sync-api 1 where it has one."""

    MISSING = "approval_missing"
    TOKEN_WRONG = "token_wrong"  # noqa: S105 - a reason, not a token
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    PURPOSE_WRONG = "purpose_wrong"
    SAME_PERSON = "same_person"
    OPERATOR_UNKNOWN = "operator_unknown"
    ROLE_TOO_LOW = "role_too_low"


def approval_refusal(
    tools: Tools,
    connection: Connection,
    moment: Moment,
    till: Till,
    cashier: int | None,
    approval: Approval | None,
    purpose: ApprovalPurpose,
    *,
    effective_at: datetime | None = None,
) -> str | None:
    """Say why `approval` does not hold: "approval_missing" or "approval_refused"; None when it is good.

    `effective_at` is the effective time of a row spent offline: the PIN may then have been proved up to 12 hours
    before it, else up to 2 minutes before now. For a row of an earlier enrolment give a `till` of that epoch.
    """
    fault = approval_fault(tools, connection, moment, till, cashier, approval, purpose, effective_at=effective_at)
    if fault is None:
        return None
    return MISSING if fault is ApprovalFault.MISSING else REFUSED


def approval_fault(
    tools: Tools,
    connection: Connection,
    moment: Moment,
    till: Till,
    cashier: int | None,
    approval: Approval | None,
    purpose: ApprovalPurpose,
    *,
    effective_at: datetime | None = None,
) -> ApprovalFault | None:
    """The same, saying what exactly is wrong: for the record, not for the wire."""
    if approval is None:
        return ApprovalFault.MISSING
    try:
        proved = read_token(approval.token, tools.signer)
    except BadTokenError:
        return ApprovalFault.TOKEN_WRONG
    if (proved.organisation_id, proved.login, proved.till_epoch) != (till.organisation_id, till.login, till.till_epoch):
        return ApprovalFault.TOKEN_WRONG
    if not _is_recent(proved, moment.now, effective_at):
        return ApprovalFault.TOKEN_EXPIRED
    if approval.purpose is not purpose:
        return ApprovalFault.PURPOSE_WRONG
    if proved.operator_id == cashier:
        return ApprovalFault.SAME_PERSON
    return _fault_of_standing(connection, till.organisation_id, proved.operator_id)


def operator_of(approval: Approval) -> int | None:
    """The operator who approved, as the token names her. To be asked once the approval was found good."""
    try:
        return unproved(approval.token).operator_id
    except BadTokenError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPerson:
    """What a call's approval came to: why the act may not be done, who approved it, and what its row keeps of it."""

    refusal: str | None = None
    supervisor: int | None = None
    record: str | None = field(default=None, repr=False)


NOBODY: Final = SecondPerson()


def skip_approved(tools: Tools, connection: Connection, moment: Moment, till: Till, command: Redeem) -> SecondPerson:
    """Who approved that a redemption goes without the customer's proof.

    Where the organisation allows skipping, an enrolled till needs a second person; one that never enrolled cannot
    send any and is ruled by the organisation's setting alone, though a good approval of its is kept.
    """
    if not (command.request.skip_validation and moment.rules.organisation.skip_validation_allowed):
        return NOBODY
    purpose = ApprovalPurpose.SKIP_VALIDATION
    fault = approval_fault(tools, connection, moment, till, command.cashier, command.approval, purpose)
    if fault is None or not till.till_epoch:
        return _kept(command.approval, fault)
    return SecondPerson(refusal=MISSING if fault is ApprovalFault.MISSING else REFUSED)


def cancel_approved(tools: Tools, connection: Connection, moment: Moment, till: Till, command: Cancel) -> SecondPerson:
    """Who approved a cancel. It is carried out all the same: only the till knows whether a receipt was printed.

    A cancel waits in the outbox for as long as the line is down, and its approval grows too old there; refusing it
    would let a redemption stand that the customer was told is undone. What was wrong stands in the record.
    """
    purpose = ApprovalPurpose.CANCEL
    return _kept(
        command.approval,
        approval_fault(tools, connection, moment, till, command.cashier, command.approval, purpose),
    )


def _kept(approval: Approval | None, fault: ApprovalFault | None) -> SecondPerson:
    if approval is None:
        return NOBODY
    supervisor = operator_of(approval) if fault is None else None
    return SecondPerson(supervisor=supervisor, record=approval_record(approval, fault))


def approval_record(approval: Approval, fault: ApprovalFault | None = None) -> str:
    """An approval as rows keep it: what, why, by whom, and what was wrong with it. Never the token."""
    kept: dict[str, object] = {
        "purpose": approval.purpose.value,
        "reason": approval.reason.value,
        "note": approval.note,
    }
    if fault is not None:
        kept["refused"] = fault.value
    return canonical_json(kept)


def _is_recent(proved: ProvedPin, now: datetime, effective_at: datetime | None) -> bool:
    act_at, most = (now, ONLINE_RECENCY) if effective_at is None else (effective_at, OFFLINE_RECENCY)
    return -CLOCKS_APART <= act_at - proved.proved_at <= most and act_at <= proved.not_after


def _fault_of_standing(connection: Connection, org: int, operator_id: int) -> ApprovalFault | None:
    """Her role as it is today, whatever it was when the token was made."""
    row = connection.execute(_STANDING, {"org": org, "id": operator_id}).one_or_none()
    if row is None or not row.is_active:
        return ApprovalFault.OPERATOR_UNKNOWN
    return None if row.role in APPROVING_ROLES else ApprovalFault.ROLE_TOO_LOW
