"""What the ledger tells a till that syncs: pages of rows, and the state of the till (sync-api 5 and 9).

Rows stay as they came off the wire, plain mappings: a million of them pass through, and only the cache looks inside
(`wire.feed` reads and writes them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pos_app.domain.facts import Organisation, Wallet
from pos_app.domain.leases import Owner
from pos_app.domain.points import ZERO, Points


class Scope(StrEnum):
    """Which customers a till keeps: those of its store in the last 90 days, or all (sync-api 5)."""

    STORE = "store"
    ALL = "all"


class FeedItem(NamedTuple):
    """One row that is there (`row`), or one that is gone (`row` None)."""

    type: str
    """organisation, program, operator, customer, wallet or family_group; others are skipped and counted."""
    id: int
    row: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPage:
    """One page of a snapshot. `as_of` is the feed's place before the first page; `next_page` None: it was the last."""

    epoch: int
    schema: int
    scope: Scope
    as_of: str
    server_time: datetime
    counts: Mapping[str, int]
    items: list[FeedItem] = field(repr=False)
    next_page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """What changed after a cursor; `has_more`: ask again at once."""

    epoch: int
    schema: int
    server_time: datetime
    items: list[FeedItem] = field(repr=False)
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRows:
    """The feed's rows of one customer, as looked up online: herself, her wallets, her family groups."""

    epoch: int
    server_time: datetime
    items: list[FeedItem] = field(repr=False)


# --- What rows say (sync-api 5): `wire.feed_rows` writes them, `wire.feed_reading` reads them ------------------------

LEASE_TERM_S: Final = 8 * 3600
SETTLE_WINDOW_S: Final = 72 * 3600
RESEND_WAITS_S: Final = (30, 60, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """How much may be redeemed at the shop's risk, without line and lease (reliability 4.3)."""

    enabled: bool = False
    per_redemption: Points = Points(100_000)
    per_customer_day: Points = Points(100_000)
    per_till_outage: Points = Points(500_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationTold:
    """An organisation as the feed tells of it: its switches, and what bounds codes, leases and risk."""

    organisation: Organisation
    resend_waits_s: tuple[int, ...] = RESEND_WAITS_S
    lease_term_s: int = LEASE_TERM_S
    settle_window_s: int = SETTLE_WINDOW_S
    risk: RiskLimits = RiskLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTold:
    """An operator; `stores` empty: all stores. PINs never travel."""

    operator_id: int
    name: str = field(repr=False)
    role: str
    badge: str = field(default="", repr=False)
    is_active: bool = True
    stores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTold:
    """One card: its number, its external id, or both. Both are personal."""

    number: str = field(default="", repr=False)
    external_id: str = field(default="", repr=False)
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTold:
    """A wallet of the feed. `wallet.available` is the balance less `held_offline`; lots are those that count.

    `months`: the balance at the end of each of the last six whole months, such as ("2026-06", 500).
    """

    owner: Owner
    version: int
    wallet: Wallet
    held_offline: Points = ZERO
    months: tuple[tuple[str, Points], ...] = ()


# --- Heartbeats ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a till says of itself every 30 seconds (sync-api 9). `leases`: spent so far, by lease."""

    till_epoch: int
    version: str
    wall_clock: datetime
    outbox_count: int
    oldest_s: int
    audit_head: str
    audit_count: int
    leases: Mapping[str, Points] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersigned:
    """The ledger's word that it saw this head of the till's audit (sync-api 9)."""

    head: str
    count: int
    at: datetime
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAnswer:
    """What the ledger answers to it."""

    server_time: datetime
    epoch: int
    redemptions_enabled: bool
    till_state: str
    give_back_wanted: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    has_changes: bool = False
    countersigned: Countersigned | None = None
