"""Imports wallets, many at a time. Points are only ever set by the first import of a wallet (import format).

What the first import stated is kept as a hash; a later file must state the same lots, or none of them may be taken,
because balances belong to the ledger from then on. A file that `export` wrote states what is left of the lots and, as
`first_import`, the hash of those the wallet began with: the first file is then still known when it comes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.databases.bulk import Bulk
from pos_app.ledger.entries import FIRST_HASH, ROW, Entry, EntryKind, Imprint
from pos_app.ledger.loading.fields import A_HASH, HASH, FaultyLineError, Fields
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_STANDING: Final = ("state", "lifetime_points", "lifetime_purchases", "promised_points")
_NEW_WALLET: Final = (
    "id",
    "org",
    "customer_id",
    "family_group_id",
    "program_id",
    "head_hash",
    "imported",
    *_STANDING,
)
_NEW_LOT: Final = ("id", "wallet_id", "awarded_on", "expires_on", "rem")

_SET_HEAD: Final = (
    update(_WALLET)
    .where(_WALLET.c.id == bindparam("wallet"))
    .values(version=_WALLET.c.version + 1, head_hash=bindparam("head"), imported=bindparam("stated"))
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
_LOTS_OF: Final = select(_LOT.c.wallet_id, _LOT.c.rem, _LOT.c.awarded_on, _LOT.c.expires_on).where(
    _LOT.c.wallet_id.in_(bindparam("wallets", expanding=True))
)

Day = str | None
Parts = Iterable[tuple[int, Day, Day]]
"""Lots as points in thousandths, day of the award and last day."""


def fingerprint_of(lots: Parts) -> str:
    """A hash of lots, in whatever order they come."""
    parts = sorted([(points, awarded_on or "", expires_on or "") for points, awarded_on, expires_on in lots])
    text = ",".join([f'[{points},"{awarded_on}","{expires_on}"]' for points, awarded_on, expires_on in parts])
    return hashlib.sha256(f"[{text}]".encode()).hexdigest()  # Canonical JSON: there is nothing to escape.


@dataclass(slots=True, kw_only=True)
class StatedWallet:
    """A wallet as a file states it."""

    program_id: int
    standing: tuple[str, int, str, int]
    """What a later file may change: the columns `_STANDING`."""
    lots: tuple[tuple[int, Day, Day], ...]
    imported: str
    """The hash of the lots of the first import: of these, unless the line says otherwise."""
    path: str
    """What faults call its lots."""


@dataclass(slots=True, kw_only=True)
class Holdings:
    """The wallets one line states for one owner."""

    org: int
    is_family: bool
    owner_id: int
    wallets: tuple[StatedWallet, ...]

    @property
    def points(self) -> int:
        """All points stated, in thousandths."""
        return sum([lot[0] for wallet in self.wallets for lot in wallet.lots])


def read_wallets(fields: Fields, rules: OrganisationRules) -> tuple[StatedWallet, ...]:
    """Read the `wallets` of a customer or family group."""
    found: list[StatedWallet] = []
    for each in fields.objects("wallets"):
        program_id = each.id("program_id")
        if program_id not in rules.programs:
            each.refuse("program_id", program_id, "a program of this organisation that came before")
        if any(known.program_id == program_id for known in found):
            each.refuse("program_id", program_id, "each program once")
        lots = tuple(_read_lots(each))
        standing = (
            each.choice("state", ("ACTIVE", "PAUSED"), default="ACTIVE"),
            _thousandths(each.points("lifetime_points")),
            _shown(each.decimal("lifetime_purchases")),
            _thousandths(each.points("promised_points")),
        )
        first = each.secret("first_import", shape=HASH, expected=A_HASH)
        wallet = StatedWallet(
            program_id=program_id,
            standing=standing,
            lots=lots,
            imported=first or fingerprint_of(lots),
            path=each.path("lots"),
        )
        each.done()
        found.append(wallet)
    return tuple(found)


def _read_lots(fields: Fields) -> Iterable[tuple[int, Day, Day]]:
    for each in fields.objects("lots"):
        points = each.points("points", required=True, low=1)
        lot = (_thousandths(points), each.day("awarded_on"), each.day("expires_on"))
        each.done()
        yield lot


def _shown(number: Decimal | None) -> str:
    return f"{number:f}" if number else "0"


def _thousandths(points: Points | None) -> int:
    return 0 if points is None else points.thousandths


# --- Writing -------------------------------------------------------------------------------------------------------

_OTHER_LOTS: Final = "the lots of the first import: balances belong to the ledger since then"


class KeptWallets:
    """What the ledger has of the wallets of many owners: read once for a whole batch."""

    def __init__(self) -> None:
        """Of a ledger that has none of them."""
        self._rows: dict[tuple[int, int, int], Any] = {}
        self._held: dict[int, str] = {}
        """Wallets that got their points otherwise than by an import: the hash of what they hold now."""

    @classmethod
    def read(cls, connection: Connection, *, is_family: bool, owners: Iterable[tuple[int, int]]) -> KeptWallets:
        """Read the wallets of some owners, each an organisation and an id."""
        kept = cls()
        column = _WALLET.c.family_group_id if is_family else _WALLET.c.customer_id
        by_org: dict[int, list[int]] = {}
        for org, owner_id in owners:
            by_org.setdefault(org, []).append(owner_id)
        for org, ids in by_org.items():
            rows = connection.execute(select(_WALLET).where(_WALLET.c.org == org, column.in_(ids)))
            kept._rows |= {(org, row._mapping[column], row.program_id): row for row in rows}
        kept._read_held(connection)
        return kept

    def _read_held(self, connection: Connection) -> None:
        unstated = [row.id for row in self._rows.values() if row.imported is None]
        if unstated:
            lots: dict[int, list[tuple[int, Day, Day]]] = {}
            for wallet_id, rem, awarded_on, expires_on in connection.execute(_LOTS_OF, {"wallets": unstated}):
                held = lots.setdefault(wallet_id, [])
                if rem:
                    held.append((rem, awarded_on, expires_on))
            self._held = {wallet_id: fingerprint_of(held) for wallet_id, held in lots.items()}

    def find(self, holdings: Holdings, wallet: StatedWallet) -> Any | None:
        """The kept row of a stated wallet."""
        return self._rows.get((holdings.org, holdings.owner_id, wallet.program_id))

    def is_fresh(self, row: Any | None) -> bool:
        """Say whether a wallet's points may still be set: nobody has, by an import or otherwise."""
        return row is None or (row.imported is None and row.id not in self._held)

    def check(self, holdings: Holdings) -> None:
        """Check that no wallet is stated otherwise than when it was first imported.

        Raises:
            FaultyLineError: it is; nothing of the line may be taken.
        """
        for wallet in holdings.wallets:
            row = self.find(holdings, wallet)
            if self.is_fresh(row) or row is None:
                continue
            same = wallet.imported == row.imported
            if row.imported is None:
                same = fingerprint_of(wallet.lots) == self._held[row.id]
            if not same:
                raise FaultyLineError(wallet.path, "other lots", _OTHER_LOTS)


def keep_wallets(
    connection: Connection, bulk: Bulk, kept: KeptWallets, stated: Sequence[Holdings], now: datetime
) -> None:
    """Write the wallets of many owners; all of them were checked."""
    fresh: list[tuple[Holdings, StatedWallet, Any]] = []
    standings = []
    for holdings in stated:
        for wallet in holdings.wallets:
            row = kept.find(holdings, wallet)
            if kept.is_fresh(row):
                fresh.append((holdings, wallet, row))
            if row is not None and tuple(row._mapping[name] for name in _STANDING) != wallet.standing:
                state, earned, bought, promised = wallet.standing
                values = {"is_now": state, "earned": earned, "bought": bought, "promised": promised}
                standings.append({"wallet": row.id, **values})
    if standings:
        connection.execute(_SET_STANDING, standings)
    _make(connection, bulk, fresh, now)


def _make(
    connection: Connection, bulk: Bulk, fresh: Sequence[tuple[Holdings, StatedWallet, Any]], now: datetime
) -> None:
    """Make wallets with their lots, and one entry for each lot at the end of each chain."""
    imprint = Imprint(Entry(at=to_ms(now), kind=EntryKind.EARN, wallet_id=0, lot_id=0, delta=0, reason="import"))
    wallet_ids = iter(bulk.new_ids(connection, _WALLET, sum(1 for *_, row in fresh if row is None)))
    lot_ids = iter(bulk.new_ids(connection, _LOT, sum([len(wallet.lots) for _, wallet, _ in fresh])))
    wallets, lots, entries, heads = [], [], [], []
    for holdings, wallet, row in fresh:
        wallet_id = next(wallet_ids) if row is None else row.id
        numbered = [(next(lot_ids), *lot) for lot in wallet.lots]
        lots += [
            (lot_id, wallet_id, awarded_on, expires_on, points) for lot_id, points, awarded_on, expires_on in numbered
        ]
        earned = [(lot_id, points) for lot_id, points, _, _ in numbered]
        rows, head = imprint.rows(wallet_id, earned, FIRST_HASH if row is None else row.head_hash)
        entries += rows
        if row is None:
            customer_id, group_id = (None, holdings.owner_id) if holdings.is_family else (holdings.owner_id, None)
            owner = (wallet_id, holdings.org, customer_id, group_id, wallet.program_id)
            wallets.append((*owner, head, wallet.imported, *wallet.standing))
        else:
            heads.append({"wallet": wallet_id, "head": head, "stated": wallet.imported})
    bulk.insert(connection, _WALLET, _NEW_WALLET, wallets)
    bulk.insert(connection, _LOT, _NEW_LOT, lots)
    bulk.insert(connection, schema.entry, ROW, entries)
    if heads:
        connection.execute(_SET_HEAD, heads)
