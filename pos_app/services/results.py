"""What the services tell the window and the command line: plain values, safe to pass between threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from pos_app.domain.answers import CodeView, WalletView
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import RedemptionRequest
from pos_app.domain.trouble import Trouble

if TYPE_CHECKING:
    from pos_app.services.covered import Covered


class CannotLookUpOfflineError(Trouble):
    """No line, and this customer was never seen on this till: she cannot be looked up while offline."""


class CannotJudgeOfflineError(CannotLookUpOfflineError):
    """No line, and what would answer this question is not kept on this till: a family group's points, a program."""


class Source(StrEnum):
    """Who gave an answer."""

    LEDGER = "ledger"
    CACHE = "cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A customer, and how old what we know of her is."""

    record: CustomerRecord
    source: Source
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answer to "may she redeem?", with who gave it and how old it is.

    `refusals` are all that are known, the first is the answer. `code` and `message` are the service's own, None and
    "" when the answer was worked out here. `is_code_out` says that this check sent a code (`otp` tells more where
    the ledger does); `is_code_missing` is 876; `is_confirmed` says that the ledger found the given code right, or
    saw the missed call that was asked about. `needs_proof` says that the organisation wants the customer confirmed
    before redeeming. `trouble` is why the line did not answer, when `source` is CACHE.
    """

    request: RedemptionRequest
    source: Source
    as_of: datetime
    asked_at: datetime
    is_redeemable: bool
    points: Points
    worth: Decimal | None = None
    points_after: Points | None = None
    refusals: tuple[Refusal, ...] = ()
    nearest: tuple[Points, ...] = ()
    code: int | None = None
    message: str = ""
    reason: str | None = None
    is_code_out: bool = False
    is_code_missing: bool = False
    is_confirmed: bool = False
    needs_proof: bool = False
    otp: CodeView | None = None
    wallet: WalletView | None = None
    program: Program | None = None
    organisation: Organisation = field(default_factory=Organisation)
    trouble: Trouble | None = None
    reference: str = ""
    """Four characters for support: they stand in the log beside this check (ux B.4)."""
    offline: Covered | None = None
    """What may be redeemed here without a line, where this till can do that at all; None with a line."""


class LineState(StrEnum):
    """Where the line to the ledger stands."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class LineView:
    """The line as the header shows it. `trouble` says why it is not online, where known."""

    state: LineState
    since: datetime
    trouble: Trouble | None = None
