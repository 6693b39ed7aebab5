"""Imports wallets, many at a time. Points are only ever set by the first import of a wallet (import format).

What the first import stated is kept as a hash; a later file must state the same lots, or none of them may be taken,
because balances belong to the ledger from then on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from pos_app.domain.points import Points, total
from pos_app.ledger import schema
from pos_app.ledger.entries import FIRST_HASH, Entry, EntryKind, canonical_json, chained
from pos_app.ledger.import_fields import FaultyLineError, Fields
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_WALLET: Final = schema.wallet
_LOT: Final = schema.lot

_SET_HEAD: Final = (
    update(_WALLET)
    .where(_WALLET.c.id == bindparam("wallet"))
    .values(head_hash=bindparam("head"), imported=bindparam("stated"))
)
_SET_STANDING: Final = (
    update(_WALLET)
    .where(_WALLET.c.id == bindparam("wallet"))
    .values(
        version=_WALLET.c.version + 1,
        state=bindparam("is_now"),
        lifetime_points=bindparam("earned"),
        lifetime_purchases=bindparam("bought"),
        promised_points=bindparam("promised"),
    )
)
_LOTS_OF: Final = (
    select(_LOT.c.id, _LOT.c.wallet_id, _LOT.c.rem)
    .where(_LOT.c.wallet_id.in_(bindparam("wallets", expanding=True)))
    .order_by(_LOT.c.wallet_id, _LOT.c.id)
)


@dataclass(frozen=True, slots=True)
class StatedLot:
    """A lot as a file states it."""

    points: Points
    awarded_on: str | None
    expires_on: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedWallet:
    """A wallet as a file states it."""

    program_id: int
    state: str
    lifetime_points: int
    lifetime_purchases: str
    promised_points: int
    lots: tuple[StatedLot, ...]
    path: str

    @property
    def fingerprint(self) -> str:
        """A hash of the lots, in whatever order they were stated."""
        lots = sorted([lot.points.thousandths, lot.awarded_on or "", lot.expires_on or ""] for lot in self.lots)
        return hashlib.sha256(canonical_json(lots).encode("utf-8")).hexdigest()

    @property
    def standing(self) -> dict[str, object]:
        """What a later file may change."""
        return {
            "state": self.state,
            "lifetime_points": self.lifetime_points,
            "lifetime_purchases": self.lifetime_purchases,
            "promised_points": self.promised_points,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The wallets one line states for one owner."""

    org: int
    owner_column: str
    """`customer_id` or `family_group_id`."""
    owner_id: int
    wallets: tuple[StatedWallet, ...]

    @property
    def points(self) -> Points:
        """All points stated."""
        return total(lot.points for wallet in self.wallets for lot in wallet.lots)


def read_wallets(fields: Fields, rules: OrganisationRules) -> tuple[StatedWallet, ...]:
    """Read the `wallets` of a customer or family group."""
    found: list[StatedWallet] = []
    for each in fields.objects("wallets"):
        program_id = each.id("program_id")
        if program_id not in rules.programs:
            each.refuse("program_id", program_id, "a program of this organisation that came before")
        if any(known.program_id == program_id for known in found):
            each.refuse("program_id", program_id, "each program once")
        wallet = StatedWallet(
            program_id=program_id,
            state=each.choice("state", ("ACTIVE", "PAUSED"), default="ACTIVE"),
            lifetime_points=_thousandths(each.points("lifetime_points")),
            lifetime_purchases=f"{each.decimal('lifetime_purchases') or 0:f}",
            promised_points=_thousandths(each.points("promised_points")),
            lots=tuple(_read_lots(each)),
            path=each.path("lots"),
        )
        each.done()
        found.append(wallet)
    return tuple(found)


def _read_lots(fields: Fields) -> Iterable[StatedLot]:
    for each in fields.objects("lots"):
        points = each.points("points", required=True, low=1)
        lot = StatedLot(points or Points(0), each.day("awarded_on"), each.day("expires_on"))
        each.done()
        yield lot


def _thousandths(points: Points | None) -> int:
    return 0 if points is None else points.thousandths


# --- Writing -------------------------------------------------------------------------------------------------------


class KeptWallets:
    """What the ledger has of the wallets of many owners: read once for a whole batch."""

    def __init__(self, connection: Connection, owner_column: str, owners: Iterable[tuple[int, int]]) -> None:
        self._rows: dict[tuple[int, int, int], Any] = {}
        column = _WALLET.c[owner_column]
        by_org: dict[int, list[int]] = {}
        for org, owner_id in owners:
            by_org.setdefault(org, []).append(owner_id)
        for org, ids in by_org.items():
            rows = connection.execute(select(_WALLET).where(_WALLET.c.org == org, column.in_(ids)))
            self._rows |= {(org, getattr(row, owner_column), row.program_id): row for row in rows}

    def find(self, holdings: Holdings, wallet: StatedWallet) -> Any | None:
        """The kept row of a stated wallet."""
        return self._rows.get((holdings.org, holdings.owner_id, wallet.program_id))

    def check(self, holdings: Holdings) -> None:
        """Check that no wallet is stated otherwise than when it was first imported.

        Raises:
            FaultyLineError: it is; nothing of the line may be taken.
        """
        for wallet in holdings.wallets:
            kept = self.find(holdings, wallet)
            if kept is not None and kept.imported not in (None, wallet.fingerprint):
                expected = "the lots of the first import: balances belong to the ledger since then"
                raise FaultyLineError(wallet.path, "other lots", expected)


def keep_wallets(connection: Connection, kept: KeptWallets, stated: Sequence[Holdings], now: datetime) -> None:
    """Write the wallets of many owners; all of them were checked."""
    fresh: list[tuple[Holdings, StatedWallet]] = []
    standings = []
    for holdings in stated:
        for wallet in holdings.wallets:
            row = kept.find(holdings, wallet)
            if row is None or row.imported is None:
                fresh.append((holdings, wallet))
            if row is not None and {name: row._mapping[name] for name in wallet.standing} != wallet.standing:
                standings.append(_standing_of(row.id, wallet))
    if standings:
        connection.execute(_SET_STANDING, standings)
    if fresh:
        _make(connection, kept, fresh, now)


def _standing_of(wallet_id: int, wallet: StatedWallet) -> dict[str, object]:
    return {
        "wallet": wallet_id,
        "is_now": wallet.state,
        "earned": wallet.lifetime_points,
        "bought": wallet.lifetime_purchases,
        "promised": wallet.promised_points,
    }


def _make(
    connection: Connection, kept: KeptWallets, fresh: Sequence[tuple[Holdings, StatedWallet]], now: datetime
) -> None:
    """Make wallets with their lots, and one entry for each lot at the start of each chain."""
    owner_column = fresh[0][0].owner_column
    rows = [
        {
            "org": holdings.org,
            owner_column: holdings.owner_id,
            "program_id": wallet.program_id,
            "head_hash": FIRST_HASH,
            **wallet.standing,
        }
        for holdings, wallet in fresh
        if kept.find(holdings, wallet) is None
    ]
    if rows:
        connection.execute(insert(_WALLET), rows)
    made = KeptWallets(connection, owner_column, [(holdings.org, holdings.owner_id) for holdings, _ in fresh])
    stated = {made.find(holdings, wallet).id: wallet for holdings, wallet in fresh}  # type: ignore[union-attr]
    lots = [
        {
            "wallet_id": wallet_id,
            "awarded_on": lot.awarded_on,
            "expires_on": lot.expires_on,
            "rem": lot.points.thousandths,
        }
        for wallet_id, wallet in stated.items()
        for lot in wallet.lots
    ]
    if lots:
        connection.execute(insert(_LOT), lots)
    earned: dict[int, list[Entry]] = {wallet_id: [] for wallet_id in stated}
    for lot_id, wallet_id, rem in connection.execute(_LOTS_OF, {"wallets": list(stated)}):
        earned[wallet_id].append(
            Entry(at=to_ms(now), kind=EntryKind.EARN, wallet_id=wallet_id, lot_id=lot_id, delta=rem, reason="import")
        )
    entries, heads = [], []
    for wallet_id, each in earned.items():
        chain, head = chained(FIRST_HASH, each)
        entries += chain
        heads.append({"wallet": wallet_id, "head": head, "stated": stated[wallet_id].fingerprint})
    if entries:
        connection.execute(insert(schema.entry), entries)
    connection.execute(_SET_HEAD, heads)
