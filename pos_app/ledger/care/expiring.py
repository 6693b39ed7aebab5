"""Points whose day has passed leave their lots (reliability 4.3, 4.5): one EXPIRE entry a lot, in its wallet's chain.

Nobody could spend them any more, so it may come late and in small steps: a step is one short transaction over a few
wallets, in the order everybody locks them. What a lease holds stays until the lease gives it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError, Store
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.entries import Entry, EntryKind, append
from pos_app.ledger.rulebook import OrganisationRules, Rulebook, to_ms

_LOT: Final = schema.lot
_WALLET: Final = schema.wallet
_LOOKED_AT: Final = 20_000
"""Lots looked at in one reading transaction."""

_STEP: Final = 50
"""Lots emptied in one writing transaction."""

_PASSED: Final = (_LOT.c.expires_on < bindparam("today"), _LOT.c.rem > _LOT.c.res)
_FIND: Final = (
    select(_LOT.c.wallet_id, _LOT.c.id)
    .join_from(_LOT, _WALLET)
    .where(_WALLET.c.org == bindparam("org"), _LOT.c.id > bindparam("after"), _LOT.c.id <= bindparam("last"), *_PASSED)
    .order_by(_LOT.c.wallet_id, _LOT.c.id)
)
_LAST: Final = select(func.coalesce(func.max(_LOT.c.id), 0))
_READ: Final = (
    select(_LOT.c.id, _LOT.c.wallet_id, _LOT.c.rem, _LOT.c.res)
    .where(_LOT.c.id.in_(bindparam("ids", expanding=True)), *_PASSED)
    .order_by(_LOT.c.wallet_id, _LOT.c.id)
)
_EMPTY: Final = (
    update(_LOT)
    .where(_LOT.c.id == bindparam("lot"), _LOT.c.rem == bindparam("had"), _LOT.c.res == bindparam("held"))
    .values(rem=_LOT.c.res)
)


def expire(store: Store, rulebook: Rulebook, now: datetime, after_step: Callable[[], None]) -> int:
    """Empty every lot whose day has passed in its organisation's time zone; returns how many were emptied.

    `after_step` is called between transactions; what it raises ends the work where it is, and nothing is lost.

    Raises:
        LedgerBusyError: the database was not had in time; what is left is done the next time.
    """
    with store.read() as connection:
        organisations = rulebook.at(connection).organisations
    count = 0
    for rules in organisations.values():
        today = rules.day_of(now).isoformat()
        for found in _found(store, rules, today, after_step):
            for start in range(0, len(found), _STEP):
                step = partial(empty_lots, lots=found[start : start + _STEP], today=today, now=now)
                count += store.writing(step)
                after_step()
    return count


def _found(
    store: Store, rules: OrganisationRules, today: str, after_step: Callable[[], None]
) -> Iterator[Sequence[tuple[int, int]]]:
    """Wallets and lots to empty, as many at a time as a short look finds."""
    org, after = rules.organisation.organisation_id, 0
    with store.read() as connection:
        last = connection.execute(_LAST).scalar_one()
    while after < last:
        bounds = {"org": org, "today": today, "after": after, "last": after + _LOOKED_AT}
        with store.read() as connection:
            found = [(wallet_id, lot_id) for wallet_id, lot_id in connection.execute(_FIND, bounds)]
        if found:
            yield found
        after += _LOOKED_AT
        after_step()


def empty_lots(connection: Connection, lots: Sequence[tuple[int, int]], *, today: str, now: datetime) -> int:
    """Empty those of some lots (wallet, lot) whose day has passed; what a lease holds stays.

    What somebody else spent or emptied meanwhile is left to him.

    Raises:
        LostRaceError: a lot moved since it was read.
    """
    hold_wallets(connection, {wallet_id for wallet_id, _ in lots})
    passed: Sequence[Any] = connection.execute(_READ, {"ids": [lot_id for _, lot_id in lots], "today": today}).all()
    for lot in passed:
        emptied = connection.execute(_EMPTY, {"lot": lot.id, "had": lot.rem, "held": lot.res})
        if emptied.rowcount != 1:
            raise LostRaceError
    append(
        connection,
        [
            Entry(
                at=to_ms(now),
                kind=EntryKind.EXPIRE,
                wallet_id=lot.wallet_id,
                lot_id=lot.id,
                delta=lot.res - lot.rem,
                reason="expired",
            )
            for lot in passed
        ],
    )
    return len(passed)
