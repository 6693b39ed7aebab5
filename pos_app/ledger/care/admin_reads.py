"""What an administrator may look at (sync-api 13): entries, wallets, losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.crediting import Owner, find_wallet

_ENTRY: Final = schema.entry
_WALLET: Final = schema.wallet
_LOSS: Final = schema.loss


def read_entries(
    connection: Connection, *, org: int | None, key: str | None, wallet_id: int | None, after: int, limit: int
) -> Sequence[Any]:
    """Entries of a key or of a wallet, oldest first; those of other organisations than `org` are not there."""
    found: Select[Any] = select(_ENTRY).join_from(_ENTRY, _WALLET, _ENTRY.c.wallet_id == _WALLET.c.id)
    found = found.where(_ENTRY.c.id > after)
    if org is not None:
        found = found.where(_WALLET.c.org == org)
    if key is not None:
        found = found.where(_ENTRY.c.key == key)
    if wallet_id is not None:
        found = found.where(_ENTRY.c.wallet_id == wallet_id)
    return connection.execute(found.order_by(_ENTRY.c.id).limit(limit)).all()


def read_wallet(connection: Connection, *, org: int | None, wallet_id: int) -> Any | None:
    """A wallet's row; None where there is none, or not in `org`."""
    found = select(_WALLET).where(_WALLET.c.id == wallet_id)
    return connection.execute(found if org is None else found.where(_WALLET.c.org == org)).one_or_none()


def read_owned_wallet(connection: Connection, owner: Owner, program_id: int) -> Any | None:
    """The row of somebody's wallet in a program; None where there is none."""
    wallet_id = find_wallet(connection, owner, program_id)
    return None if wallet_id is None else read_wallet(connection, org=owner.organisation_id, wallet_id=wallet_id)


def read_losses(
    connection: Connection, *, org: int | None, store: str | None, after: int, limit: int
) -> tuple[Sequence[Any], Points]:
    """Losses, oldest first, and the total of all of them, whatever `after` and `limit` show."""
    conditions = []
    if org is not None:
        conditions.append(_LOSS.c.org == org)
    if store is not None:
        conditions.append(_LOSS.c.store == store)
    lost = connection.execute(select(func.coalesce(func.sum(_LOSS.c.points), 0)).where(*conditions)).scalar_one()
    rows = select(_LOSS).where(*conditions, _LOSS.c.id > after).order_by(_LOSS.c.id).limit(limit)
    return connection.execute(rows).all(), Points(int(lost))
