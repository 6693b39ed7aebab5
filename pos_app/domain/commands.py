"""What a till asks a ledger to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, RedemptionRequest, UnreadableAmount


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCode:
    """Send the customer a code (contract section 3). `points` None: the code has no bound."""

    customer: CustomerRef
    points: Points | UnreadableAmount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """Redeem points, once, under `key` (contract section 4; `external_reference_number` on the wire).

    `request.issue_otp` plays no part here. `also_named` are further filled identifiers of the body: one that
    names somebody else is CUSTOMER_MISMATCH. `redemption_time` is recorded only. `cashier` is an operator id.
    """

    request: RedemptionRequest
    key: str | None = None
    bill_number: str | None = None
    also_named: tuple[CustomerRef, ...] = ()
    redemption_time: datetime | None = None
    till_id: str | None = None
    notes: str | None = field(default=None, repr=False)
    cashier: int | None = None


class CancelReason(StrEnum):
    """Why a redemption must not happen (sync-api 8)."""

    CUSTOMER_LEFT = "customer_left"
    UNKNOWN_RESULT = "unknown_result"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """This redemption must not happen (sync-api 8)."""

    key: str
    reason: CancelReason = CancelReason.OTHER
    cashier: int | None = None
