"""How a customer is confirmed without a line (reliability 4.6): a signed pass, a supervisor, or not at all.

A code is never judged here: where the organisation wants one, the redemption waits, or one of the two stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.facts import Proof
from pos_app.domain.passes import NotAPassError, Pass
from pos_app.domain.settling import OfflineProof, OfflineProofKind
from pos_app.services.offline_port import PassUse
from pos_app.services.seals_port import Seals


class PassTrouble(StrEnum):
    """Why a pass does not count."""

    NOT_A_PASS = "pass_not_read"  # noqa: S105 - a scanned proof
    """It has another form, or somebody else signed it."""
    OTHER_TILL = "pass_other_till"
    OTHER_LEASE = "pass_other_lease"
    """It belongs to a lease this till does not hold open, or to another wallet's."""
    PAST_ITS_DAY = "pass_expired"
    USED_UP = "pass_used_up"
    """The points spent with it would pass what it allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What confirms the customer, as the row to be settled carries it, and as the rules see it."""

    proof: OfflineProof = field(default_factory=OfflineProof)
    seen: Proof = Proof.NONE
    skips: bool = False
    use: PassUse | None = None
    trouble: PassTrouble | None = None


def look_at_pass(seals: Seals, text: str, *, till: str, lease_id: str, now: datetime) -> Pass | PassTrouble:
    """Read a pass and hold it against this till, the lease that would pay and the time (sync-api 10)."""
    try:
        told = seals.read_pass(text)
    except NotAPassError:
        return PassTrouble.NOT_A_PASS
    if told.till != till:
        return PassTrouble.OTHER_TILL
    if told.lease_id != lease_id:
        return PassTrouble.OTHER_LEASE
    return told if now < told.not_after else PassTrouble.PAST_ITS_DAY


def by_pass(told: Pass, text: str) -> Proven:
    """The customer showed a pass that counts: as good as a code. It is read without regard to case, and kept so."""
    proof = OfflineProof(kind=OfflineProofKind.PASS, pass_text=text.strip().upper())
    return Proven(proof=proof, seen=Proof.CODE_RIGHT, use=PassUse(told.nonce, told.max_points))


def by_approval(approval: Approval) -> Proven:
    """A supervisor's word instead: recorded as not verified. The rules say whether skipping is allowed."""
    skips = approval.purpose is ApprovalPurpose.SKIP_VALIDATION
    return Proven(proof=OfflineProof(kind=OfflineProofKind.APPROVAL, approval=approval), skips=skips)
