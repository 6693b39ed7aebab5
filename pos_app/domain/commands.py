"""What a till asks a ledger to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, RedemptionRequest, UnreadableAmount


class ApprovalPurpose(StrEnum):
    """What a second person may approve (sync-api 4.3)."""

    SKIP_VALIDATION = "skip_validation"
    RISK = "risk"
    CANCEL = "cancel"
    REVERSE = "reverse"


class ApprovalReason(StrEnum):
    """Why she approved it; OTHER needs a note (sync-api 4.3)."""

    NO_PHONE = "no_phone"
    NUMBER_CHANGED = "number_changed"
    NOT_ARRIVING = "not_arriving"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A second person's word, as the till sends it; the ledger checks the token (sync-api 4.3)."""

    token: str = field(repr=False)
    purpose: ApprovalPurpose
    reason: ApprovalReason
    note: str = field(default="", repr=False)


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
    approval: Approval | None = None


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
    approval: Approval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """Give redeemed points back (contract section 7). `points` None: all that is left of the redemption.

    `customer` and `program_id`, where given, must be those of the redemption. `key` makes it happen once (sync-api 2);
    without one each command is a reversal of its own.
    """

    redemption_id: str
    points: Points | UnreadableAmount | None = None
    customer: CustomerRef | None = None
    program_id: int | None = None
    key: str | None = None
    cashier: int | None = None
    approval: Approval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """An operator proves her PIN at a till (sync-api 4.2)."""

    operator_id: int
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePin:
    """An operator gives herself another PIN, of 4 to 6 digits (sync-api 4.2)."""

    operator_id: int
    pin: str = field(repr=False)
    new_pin: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """A till tells its public key, base64 of 32 bytes; another key than before needs a code (sync-api 4.1)."""

    public_key: str
    enrolment_code: str | None = field(default=None, repr=False)
    software: str = ""
    platform: str = ""
