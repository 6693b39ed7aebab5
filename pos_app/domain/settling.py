"""Redemptions that were made without the ledger, as they are told to it afterwards (sync-api 7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from pos_app.domain.answers import Share, WalletView
from pos_app.domain.commands import Approval
from pos_app.domain.leases import Owner
from pos_app.domain.points import ZERO, Points

FIRST_PREV_HASH: Final = "0" * 64
"""What the first row of a till's epoch is chained to."""


class SpendKind(StrEnum):
    """Under which right a till redeemed. ONLINE: confirmed by a ledger that has been restored since."""

    LEASE = "LEASE"
    RISK = "RISK"
    ONLINE = "ONLINE"


class OfflineProofKind(StrEnum):
    """How the customer was confirmed without a line (reliability 4.6)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a word of the contract
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineProof:
    """The confirmation itself: a pass as it was scanned, or a supervisor's signed approval."""

    kind: OfflineProofKind = OfflineProofKind.NONE
    pass_text: str | None = field(default=None, repr=False)
    approval: Approval | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """One row to be settled. `hash` covers `prev_hash` and the rest; `signature` is the till key's over `hash`.

    `redemption_id` is the ledger's for ONLINE, else the one the till printed. `at` is the till's clock.
    """

    seq: int
    key: str
    kind: SpendKind
    owner: Owner
    customer_id: int
    program_id: int
    points: Points
    at: datetime
    redemption_id: str
    lease_id: str | None = None
    transaction_number: str | None = None
    cashier: int | None = None
    proof: OfflineProof = OfflineProof()
    confirmed_epoch: int | None = None
    prev_hash: str = FIRST_PREV_HASH
    hash: str = ""
    signature: str = field(default="", repr=False)


class SettleOutcome(StrEnum):
    """What became of a row. REFUSED is only for rows the ledger cannot take at all: they are parked."""

    SETTLED = "settled"
    SETTLED_SHORT = "settled_short"
    REFUSED = "refused"


class SettleReason(StrEnum):
    """Why a row was refused (sync-api 7)."""

    BAD_SIGNATURE = "bad_signature"
    BAD_ROW = "bad_row"
    KEY_MISMATCH = "key_mismatch"
    UNKNOWN_CUSTOMER = "unknown_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The result of one row: from where its points came, and what the store lost."""

    seq: int
    key: str
    outcome: SettleOutcome
    reason: str | None = None
    redemption_id: str | None = None
    from_lease: Points = ZERO
    from_free: Points = ZERO
    store_loss: Points = ZERO
    is_late: bool = False
    is_replayed: bool = False
    wallet: WalletView | None = None
    breakdown: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAnswer:
    """The answer to a batch. `next_seq` is the number the ledger expects next in this epoch of the till."""

    epoch: int
    server_time: datetime
    next_seq: int
    results: tuple[Settled, ...] = ()
