"""The answer to "may it be redeemed here and now, without a line?": plain values for window and headless till."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pos_app.domain.leases import Owner
from pos_app.domain.points import ZERO, Points
from pos_app.domain.redemption import Kind, Redemption
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import RedemptionRequest
from pos_app.services.clock_trust import Distrust
from pos_app.services.paying import Payer


class NoWay(StrEnum):
    """Why nothing can be redeemed here now. The exact word; `ui.wording` has the sentence."""

    NOT_OFFERED = "offline_not_offered"
    """This till has no leases: its service has no such extension, or it is not enrolled."""
    ENROL_AGAIN = "enrol_again"
    """The journal was damaged or is missing: nothing is redeemed here until the till is enrolled again (4.8)."""
    PROGRAM_GROUP = "program_group_online_only"
    NOT_KNOWN_HERE = "not_known_here"
    """Customer, family group, program or organisation are not kept on this till."""
    NO_LEASE = "no_lease"
    PAST_TERM = "past_term"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"
    LEASE_NOT_GENUINE = "lease_not_genuine"
    ALLOWANCE_TOO_SMALL = "allowance_too_small"
    RULES = "rules"
    """The rules refuse it: `refusals` say why."""
    PROOF_NEEDED = "proof_needed"
    """A code is wanted and cannot be checked here: wait, scan a pass, or ask a supervisor."""
    PASS_NOT_READ = "pass_not_read"  # noqa: S105 - a scanned proof
    PASS_OTHER_TILL = "pass_other_till"  # noqa: S105 - a scanned proof
    PASS_OTHER_LEASE = "pass_other_lease"  # noqa: S105 - a scanned proof
    PASS_EXPIRED = "pass_expired"  # noqa: S105 - a scanned proof
    PASS_USED_UP = "pass_used_up"  # noqa: S105 - a scanned proof
    RISK_APPROVAL_NEEDED = "risk_approval_needed"
    """No lease, but the organisation takes the risk: a supervisor and a reason are needed."""
    RISK_BALANCE_OLD = "risk_balance_old"
    RISK_PER_REDEMPTION = "risk_per_redemption"
    RISK_PER_CUSTOMER_DAY = "risk_per_customer_day"
    RISK_PER_OUTAGE = "risk_per_outage"
    RISK_OWN_WALLET_ONLY = "risk_own_wallet_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """May it be redeemed here and now? `reason` None means yes, under `kind`.

    `allowance` is what may still be spent under the lease, or at the shop's risk, None where there is neither;
    `until` is the lease's end. `is_covered`: only the proof of the customer is missing. `can_skip`: a supervisor may
    stand for it. `allowance_after` is what a yes would leave.
    """

    request: RedemptionRequest
    points: Points = ZERO
    worth: Decimal | None = None
    reason: NoWay | None = None
    refusals: tuple[Refusal, ...] = ()
    nearest: tuple[Points, ...] = ()
    kind: Kind = Kind.LEASE
    lease_id: str | None = None
    allowance: Points | None = None
    until: datetime | None = None
    distrust: Distrust | None = None
    needs_proof: bool = False
    can_skip: bool = False
    payer: Payer | None = None

    @property
    def is_allowed(self) -> bool:
        """Say whether nothing stands against it."""
        return self.reason is None

    @property
    def is_covered(self) -> bool:
        """Say whether the points are there, and at most a proof or a supervisor's word is missing."""
        return self.reason in {None, NoWay.PROOF_NEEDED}

    @property
    def allowance_after(self) -> Points | None:
        """What is left of the allowance after it."""
        return self.allowance - self.points if self.allowance is not None and self.is_covered else None

    @property
    def owner(self) -> Owner | None:
        """Whose wallet would pay."""
        return self.payer.owner if self.payer is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What came of redeeming here: the committed row, or why there is none."""

    covered: Covered
    row: Redemption | None = None
