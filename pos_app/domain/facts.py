"""What is known of a customer, her wallets, the program and the organisation when a question is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum

from pos_app.domain.money import Rounding
from pos_app.domain.points import ZERO, Points


class ProgramGroupRule(StrEnum):
    """Whether points of one program may pay in another (2.4)."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    REQUIRED = "required"


class Pooling(StrEnum):
    """Whose points a family group spends (import format)."""

    WALLET = "wallet"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The retailer's switches that rules depend on."""

    organisation_id: int = 0
    name: str = ""
    currency: str = "XXX"
    time_zone: str = "UTC"
    country_code: str = ""
    redemptions_enabled: bool = True
    validation_required: bool = False
    skip_validation_allowed: bool = False
    missed_call_enabled: bool = False
    missed_call_number: str = ""
    program_group_redemption: ProgramGroupRule = ProgramGroupRule.DISABLED
    family_group_pooling: Pooling = Pooling.WALLET
    reversal_enabled: bool = True
    otp_length: int = 6
    otp_alphabet: str = "letters_digits"
    otp_validity_s: int = 600


class CeilingPeriod(StrEnum):
    """Over which days a ceiling counts; weeks begin on Monday (import format)."""

    DAY = "day"
    CALENDAR_WEEK = "calendar_week"
    CALENDAR_MONTH = "calendar_month"
    PAST_DAYS = "past_days"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most `points` redeemed over a period; `days` counts today and is used by PAST_DAYS only."""

    period: CeilingPeriod
    points: Points
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """The redeem conditions of section 10. None or zero means "no such rule"."""

    minimum: Points | None = None
    maximum: Points | None = None
    multiple_of: Points | None = None
    balance_required: Points | None = None
    lifetime_points_required: Points | None = None
    lifetime_purchases_required: Decimal | None = None
    ceilings: tuple[Ceiling, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A loyalty program. `ratio` is the worth of one point in the base currency, None when not set up."""

    program_id: int
    name: str
    is_default: bool = False
    is_active: bool = True
    ratio: Decimal | None = None
    decimals: int = 0
    rounding: Rounding = Rounding.HALF_UP
    redemption_enabled: bool = True
    family_groups_enabled: bool = False
    offline_redemption: bool = False
    criteria: Criteria = Criteria()
    tier_criteria: Mapping[str, Criteria] = field(default_factory=dict)
    are_rules_known: bool = True
    """False at a till that learnt of the program from a service which does not tell its rules."""

    def criteria_for(self, tier: str | None) -> Criteria:
        """The conditions that apply: the tier's own replace the common ones (section 10)."""
        if tier is None:
            return self.criteria
        return self.tier_criteria.get(tier, self.criteria)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person. Identifiers and names are personal and stay out of `repr`."""

    customer_id: int
    mobile: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    external_id: str = field(default="", repr=False)
    cards: tuple[str, ...] = field(default=(), repr=False)
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    tier: str | None = None
    is_registered: bool = True
    is_campaign_only: bool = False
    is_blocked: bool = False
    fraud_status: str = field(default="", compare=False)
    """The ledger's own word for it (contract section 5), empty where not told. Rules ask `is_blocked` alone."""
    default_family_group_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Points of one wallet that expire together, at the end of `expires_on` (None: never)."""

    points: Points
    expires_on: date | None = None
    awarded_on: date | None = None
    lot_id: int | None = None
    program_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """Points of one customer or family group in one program, or the sum over a program group.

    `balance` counts lots that have neither been redeemed nor expired; `available` is `balance` less what is set
    aside offline elsewhere. `redeemed_days` are redemptions less reversals by day of the organisation; None: unknown.
    """

    program_id: int
    balance: Points = ZERO
    available: Points = ZERO
    lifetime_points: Points = ZERO
    lifetime_purchases: Decimal = Decimal(0)
    promised_points: Points = ZERO
    is_paused: bool = False
    redeemed_days: tuple[tuple[date, Points], ...] | None = ()
    lots: tuple[Lot, ...] = ()
    wallet_id: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person in a family group."""

    customer_id: int
    is_primary: bool = False
    may_redeem: bool = True
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyGroup:
    """People who share points; a *user group* of the contract."""

    group_id: int
    name: str = field(default="", repr=False)
    external_id: str = ""
    is_active: bool = True
    is_default: bool = False
    """Whether this is the default group of the customer it was found with."""
    status: str = field(default="", compare=False)
    """The ledger's own word (contract section 6), empty where not told. Rules ask `is_active` alone."""
    members: tuple[Member, ...] = ()

    def member(self, customer_id: int) -> Member | None:
        """The active membership of a customer, or None."""
        return next((m for m in self.members if m.customer_id == customer_id and m.is_active), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRecord:
    """A family group as kept by the cache, with the wallets that pay for it: its own, or those of its active members.

    `group` None: the request surely names none.
    """

    group: FamilyGroup | None = None
    wallets: tuple[Wallet, ...] = ()


class Proof(Enum):
    """What the one who asks can say of the customer's proof. Only the ledger ever knows a code to be right."""

    NONE = "none"
    CODE_RIGHT = "code_right"
    CODE_WRONG = "code_wrong"
    CALL_SEEN = "call_seen"
    NO_CALL = "no_call"
    CANNOT_TELL = "cannot_tell"
    """A till without a line: codes and calls are checked by the ledger alone, so nothing is said of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything `rules.judge` may look at. None where nothing was found.

    `program` is the one asked for (or the till's own); `default_program` is the organisation's, None when it has
    no program at all. `wallet` is the one that would pay: the customer's own in the program, the sum over all
    programs for a program group, or the family group's; None counts as an empty wallet.
    `family_group` is the group the request names, None when it names none that exists.
    `is_identifier_usable` is False for a card that is not active: the answer is 802 (2.1).
    """

    organisation: Organisation
    today: date
    customer: Customer | None
    program: Program | None
    default_program: Program | None
    wallet: Wallet | None = None
    family_group: FamilyGroup | None = None
    proof: Proof = Proof.NONE
    is_identifier_usable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """A customer with her wallets and family groups, as looked up (customer/get) and as kept by the cache.

    `wallets` are her own, one a program. `programs` are those the answer told of; the rules of each come apart.
    """

    customer: Customer
    wallets: tuple[Wallet, ...] = ()
    family_groups: tuple[FamilyGroup, ...] = ()
    programs: tuple[Program, ...] = ()
    as_of: datetime | None = None
