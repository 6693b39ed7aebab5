"""What a ledger answers. The same values come from the `Book` in process and from any service over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pos_app.domain.points import ZERO, Points
from pos_app.domain.refusals import Refusal

CAN_BE_REDEEMED = 800
CODE_ISSUED = 200
CODE_NOT_SENT_WARNING = 876


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who an answer is about, as the answer names her; empty text when unknown."""

    mobile: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    external_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletView:
    """`extension.wallet`: what the paying wallet holds now (sync-api 2)."""

    wallet_id: int | None
    version: int
    balance: Points
    available: Points
    held_offline: Points = ZERO
    held_until: datetime | None = None
    held_store: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """`extension.otp`: the code that is out or was checked (sync-api 2). Never the code itself."""

    otp_id: int
    sent_at: datetime
    expires_at: datetime
    channel: str
    covers_points: Points | None
    tries_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One line of `extension.breakdown`: points taken from one lot."""

    wallet_id: int
    lot_id: int
    points: Points
    expires_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What our ledger says beside a v1.1 answer (sync-api 2). Other services send none."""

    epoch: int
    server_time: datetime
    key: str | None = None
    replayed: bool = False
    reason: str | None = None
    refusals: tuple[int, ...] = ()
    """Codes of all refusals, in the order of 2.8."""
    nearest: tuple[Points, ...] = ()
    wallet: WalletView | None = None
    customer_id: int | None = None
    otp: CodeView | None = None
    breakdown: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """The answer of `isredeemable` (2.9). `refusal` None means redeemable.

    `code` and `message` are the item's; 876 is a yes whose code could not be sent (`is_code_missing`).
    `worth` is in the base currency, `local_worth` in the till's; both 0 on a no. `ratio` 0 while unknown.
    """

    identity: Identity
    points: Points
    worth: Decimal
    local_worth: Decimal
    by_value: bool
    ratio: Decimal
    refusal: Refusal | None
    code: int
    message: str
    extension: Extension | None = None

    @property
    def is_redeemable(self) -> bool:
        """Say whether the answer is yes."""
        return self.refusal is None

    @property
    def is_code_missing(self) -> bool:
        """Say whether a code was asked for and could not be sent (876)."""
        return self.refusal is None and self.code == CODE_NOT_SENT_WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAnswer:
    """The answer of `validationcode` (section 3). `refusal` None: the code is on its way."""

    identity: Identity
    points: Points
    refusal: Refusal | None
    code: int
    message: str
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One `side_effects.effect` of a redemption (section 4)."""

    effect_id: int
    points: Points
    worth: Decimal
    bill_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemAnswer:
    """The answer of `redeem` (section 4). `refusal` None: redeemed, and `redemption_id` is there."""

    identity: Identity
    customer_id: int | None
    redemption_id: str | None
    points: Points
    worth: Decimal
    local_worth: Decimal
    balance: Points
    refusal: Refusal | None
    code: int
    message: str
    effects: tuple[Effect, ...] = ()
    is_group_redemption: bool = False
    extension: Extension | None = None


class CancelOutcome(StrEnum):
    """What became of a redemption that must not happen (sync-api 8)."""

    CANCELLED = "cancelled"
    REVERSED = "reversed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswer:
    """The answer of `cancel` (sync-api 8)."""

    key: str
    outcome: CancelOutcome
    redemption_id: str | None = None
    reversal_id: str | None = None
    server_time: datetime | None = None
    wallet: WalletView | None = None


class ReversalRefusal(StrEnum):
    """Why points are not given back (contract section 7), in the order of the checks."""

    KEY_MISMATCH = "key_mismatch"
    KEY_CANCELLED = "key_cancelled"
    SWITCHED_OFF = "switched_off"
    APPROVAL_MISSING = "approval_missing"
    APPROVAL_REFUSED = "approval_refused"
    POINTS_NOT_VALID = "points_not_valid"
    REDEMPTION_UNKNOWN = "redemption_unknown"
    PROGRAM_DIFFERS = "program_differs"
    IDENTIFIER_MALFORMED = "identifier_malformed"
    CUSTOMER_UNKNOWN = "customer_unknown"
    OTHER_CUSTOMER = "other_customer"
    ALREADY_REVERSED = "already_reversed"
    MORE_THAN_LEFT = "more_than_left"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseAnswer:
    """The answer of `reverse` (contract section 7). `refusal` None: `available` and `expired` points went back.

    `asked` is what was to be given back, all that was left where nothing was said. Expired points are given back to
    nobody: their day had passed.
    """

    redemption_id: str
    refusal: ReversalRefusal | None = None
    asked: Points = ZERO
    available: Points = ZERO
    expired: Points = ZERO
    reversal_id: str | None = None
    customer_id: int | None = None
    organisation_id: int | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TillInfo:
    """`capabilities.till`: what the ledger knows of the till that asks (sync-api 3)."""

    login: str
    store: str
    name: str = ""
    program_id: int | None = None
    currency: str = ""
    currency_rate: Decimal = Decimal(1)
    state: str = "ACTIVE"
    till_epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerKey:
    """A key the ledger signs with: its name, and base64 of the 32 bytes of its public half (sync-api 3)."""

    key_id: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An operator who has proved her PIN, and the ledger's signed word for it (sync-api 4.2)."""

    operator_id: int
    name: str = field(repr=False)
    role: str
    token: str = field(repr=False)
    proved_at: datetime
    not_after: datetime
    must_change_pin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a service can do (sync-api 3). The default is a service without the extension."""

    service: str = ""
    version: str = ""
    epoch: int = 0
    server_time: datetime | None = None
    has_extension: bool = False
    idempotent_redeem: bool = False
    features: frozenset[str] = frozenset()
    till: TillInfo | None = None
    ledger_keys: tuple[LedgerKey, ...] = ()
