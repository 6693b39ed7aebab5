"""Notes for tills that no trigger makes: what is not a change of a row they keep (see `databases.watched`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, Insert, bindparam, delete, insert, select

from pos_app.ledger import schema
from pos_app.ledger.databases.backend import backend_of

ORGANISATION, PROGRAM, OPERATOR = "organisation", "program", "operator"
CUSTOMER, WALLET, FAMILY_GROUP = "customer", "wallet", "family_group"
TYPES: Final = (ORGANISATION, PROGRAM, OPERATOR, CUSTOMER, WALLET, FAMILY_GROUP)
"""In the order of a snapshot (sync-api 5)."""

PUT, LOOK, ALL = "put", "look", "all"
"""See `schema.change_feed`."""

_EVERYTHING: Final = "everything"
_FEED: Final = schema.change_feed
_MUTED: Final = schema.feed_muted
_FORGET_MUTED: Final = delete(_MUTED)


def tell(
    connection: Connection, org: int, what: Iterable[tuple[str, int]], *, op: str = PUT, store: str | None = None
) -> None:
    """Note rows by type and id, in this transaction."""
    rows = [{"o": org, "t": kind, "i": number, "p": op, "s": store} for kind, number in what]
    if rows:
        connection.execute(_note(connection), rows)


def mute(connection: Connection, org: int) -> None:
    """From now on and until `unmute` note nothing that is new in this organisation: too much is coming in.

    One note at the end says so instead: tills with an older cursor take a new snapshot, which is the faster way for
    them too, and the ledger keeps no million notes of what nobody had before.
    """
    if connection.execute(select(_MUTED.c.org).where(_MUTED.c.org == org)).first() is None:
        connection.execute(insert(_MUTED), {"org": org})


def unmute(connection: Connection) -> None:
    """End what `mute` began, before the transaction ends."""
    for org in connection.execute(select(_MUTED.c.org).order_by(_MUTED.c.org)).scalars().all():
        tell(connection, org, [(_EVERYTHING, 0)], op=ALL)
    connection.execute(_FORGET_MUTED)


def _note(connection: Connection) -> Insert:
    return insert(_FEED).values(
        txid=backend_of(connection).feed_transaction(),
        org=bindparam("o"),
        type=bindparam("t"),
        id=bindparam("i"),
        op=bindparam("p"),
        store=bindparam("s"),
    )
