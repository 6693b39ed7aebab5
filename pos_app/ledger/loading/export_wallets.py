"""Reads the wallets an export writes, for a page of owners at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.loading.wallets import fingerprint_of

_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_NEVER: Final = "9999-12-31"

Lots = list[tuple[int, str | None, str | None]]


def _wallets_of(owner: Any) -> Any:
    these = (_WALLET.c.org == bindparam("org"), owner.between(bindparam("first"), bindparam("last")))
    return select(_WALLET, owner.label("owner")).where(*these).order_by(owner, _WALLET.c.program_id)


_WALLETS: Final = {False: _wallets_of(_WALLET.c.customer_id), True: _wallets_of(_WALLET.c.family_group_id)}
"""By whether families own the wallets."""

_LOTS: Final = (
    select(_LOT.c.wallet_id, _LOT.c.rem, _LOT.c.awarded_on, _LOT.c.expires_on)
    .where(_LOT.c.wallet_id.in_(bindparam("wallets", expanding=True)), _LOT.c.rem > 0)
    .order_by(_LOT.c.wallet_id, _LOT.c.id)
)
"""By the wallets' numbers: joined to a stretch of owners, all lots would be read for each page."""


class KeptHoldings:
    """The wallets of neighbouring owners, as lines state them."""

    def __init__(self) -> None:
        self._by_owner: dict[int, list[dict[str, Any]]] = {}

    @classmethod
    def read(cls, connection: Connection, bounds: Mapping[str, int], *, is_family: bool) -> KeptHoldings:
        """Read those of the owners from `first` to `last` in `org`."""
        kept = cls()
        wallets = connection.execute(_WALLETS[is_family], bounds).all()
        lots: dict[int, Lots] = {}
        for wallet_id, rem, awarded_on, expires_on in connection.execute(
            _LOTS, {"wallets": [row.id for row in wallets]}
        ):
            lots.setdefault(wallet_id, []).append((rem, awarded_on, expires_on))
        for row in wallets:
            stated = _wallet(row, sorted(lots.get(row.id, []), key=_turn))
            if stated is not None:
                kept._by_owner.setdefault(row.owner, []).append(stated)
        return kept

    def of(self, owner_id: int) -> list[dict[str, Any]]:
        """The wallets of one owner, by program."""
        return self._by_owner.get(owner_id, [])


def _wallet(row: Row[Any], lots: Lots) -> dict[str, Any] | None:
    """A wallet as a line states it; None where there is nothing to say: one that was never imported and is empty.

    Lots that are spent stay out. So that the file the wallet first came from is known even then, what its lots
    hashed to goes along where the lots alone would not tell.
    """
    standing = _standing(row)
    if row.imported is None and not lots and not standing:
        return None
    wallet = {"program_id": row.program_id} | standing
    if lots:
        wallet["lots"] = [_lot(*each) for each in lots]
    if row.imported not in (None, fingerprint_of(lots)):
        wallet["first_import"] = row.imported
    return wallet


def _standing(row: Row[Any]) -> dict[str, Any]:
    standing: dict[str, Any] = {} if row.state == "ACTIVE" else {"state": row.state}
    if row.lifetime_points:
        standing["lifetime_points"] = str(Points(row.lifetime_points))
    if row.lifetime_purchases != "0":
        standing["lifetime_purchases"] = row.lifetime_purchases
    if row.promised_points:
        standing["promised_points"] = str(Points(row.promised_points))
    return standing


def _lot(points: int, awarded_on: str | None, expires_on: str | None) -> dict[str, Any]:
    lot = {"points": str(Points(points))} | ({} if awarded_on is None else {"awarded_on": awarded_on})
    return lot | {"expires_on": expires_on}


def _turn(lot: tuple[int, str | None, str | None]) -> tuple[str, str, int]:
    """Lots in the order they are spent in."""
    points, awarded_on, expires_on = lot
    return expires_on or _NEVER, awarded_on or "", points
