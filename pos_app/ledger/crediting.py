"""Wallets that get points: a new lot with its entry, in a wallet that is made when it is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError, made_id
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.entries import FIRST_HASH, Entry, EntryKind, append

_WALLET: Final = schema.wallet
_EARN: Final = (
    update(_WALLET)
    .where(_WALLET.c.id == bindparam("wallet"))
    .values(lifetime_points=_WALLET.c.lifetime_points + bindparam("earned"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose points: a customer's, or a family group's."""

    organisation_id: int
    customer_id: int | None = None
    family_group_id: int | None = None

    @property
    def column(self) -> str:
        """The column of `wallet` that names her."""
        return "customer_id" if self.customer_id is not None else "family_group_id"

    @property
    def owner_id(self) -> int | None:
        """Her number."""
        return self.customer_id if self.customer_id is not None else self.family_group_id


def find_wallet(connection: Connection, owner: Owner, program_id: int) -> int | None:
    """The number of an owner's wallet in a program; None when she has none."""
    found: int | None = connection.execute(
        select(_WALLET.c.id).where(
            _WALLET.c.org == owner.organisation_id,
            _WALLET.c[owner.column] == owner.owner_id,
            _WALLET.c.program_id == program_id,
        )
    ).scalar_one_or_none()
    return found


def wallet_for(connection: Connection, owner: Owner, program_id: int) -> int:
    """The number of an owner's wallet, which is made when it is missing.

    Raises:
        LostRaceError: somebody else just made it; run the work again.
    """
    found = find_wallet(connection, owner, program_id)
    if found is not None:
        return found
    row = {
        "org": owner.organisation_id,
        owner.column: owner.owner_id,
        "program_id": program_id,
        "head_hash": FIRST_HASH,
    }
    try:
        return made_id(connection.execute(_WALLET.insert(), row))
    except IntegrityError as error:
        raise LostRaceError from error


def give(connection: Connection, entry: Entry, points: Points, awarded_on: date, expires_on: date | None) -> int:
    """Give a wallet points in a lot of their own; returns the lot.

    `entry` names the wallet and why; its lot and its points are filled in. Only points that were earned count as such.
    """
    hold_wallets(connection, {entry.wallet_id})
    lot = {
        "wallet_id": entry.wallet_id,
        "awarded_on": awarded_on.isoformat(),
        "expires_on": None if expires_on is None else expires_on.isoformat(),
        "rem": points.thousandths,
    }
    lot_id = made_id(connection.execute(schema.lot.insert(), lot))
    append(connection, [replace(entry, lot_id=lot_id, delta=points.thousandths)])
    if entry.kind is EntryKind.EARN:
        connection.execute(_EARN, {"wallet": entry.wallet_id, "earned": points.thousandths})
    return lot_id
