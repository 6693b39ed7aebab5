"""What the ledger tells a till that syncs: pages of rows, and the state of the till (sync-api 5 and 9).

Rows stay as they came off the wire, plain mappings: a million of them pass through, and only the cache looks inside
(`wire.feed` reads and writes them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from pos_app.domain.points import Points


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
