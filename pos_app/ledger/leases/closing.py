"""Giving leases back: one rule in three places, and the end of every lease (reliability 4.3, sync-api 6).

A till that gives a lease back says all it ever spent of it. What it has not settled of that stays held until its rows
come; the rest is free at once. Closing is a promise of the till, so nothing that comes later frees more than it said.

Which lots stay held? Those that are spent first. Points of lots whose moment has passed are different: an unsettled
spend may have been made before that moment or after it. So as much as is unsettled stays held of both, which costs
nobody anything, because points that have passed are of no use to anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from pos_app.domain.leases import Freed, GiveBack, LeaseState
from pos_app.domain.points import ZERO, Points, total
from pos_app.ledger import schema
from pos_app.ledger.care.expiring import empty_lots
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.figures import Happening
from pos_app.ledger.leases.kept import (
    HELD_STATES,
    KeptAlloc,
    Part,
    allocs_of,
    find_lease,
    raise_versions,
    return_reserved,
    wallets_of,
)
from pos_app.ledger.leases.standing import check_standing
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

_LEASE: Final = schema.lease
_SAY_SPENT: Final = (
    update(_LEASE)
    .where(_LEASE.c.id == bindparam("number"))
    .values(final_spent=bindparam("spent"), closed_at=bindparam("now"))
)


def close_leases(tools: Tools, till: Till, till_epoch: int, given_back: Sequence[GiveBack]) -> list[Freed]:
    """Give leases of this till back, each in a transaction of its own (sync-api 6).

    Raises:
        ForbiddenError: the till is out of service, or this is no longer its enrolment.
        LedgerBusyError: the database was not had in time; the same call may come again.
    """
    check_standing(till, till_epoch, may_be_frozen=True)

    def close(connection: Connection, given: GiveBack) -> Freed:
        moment = tools.moment(connection, till)
        return give_back_in(connection, moment, till, [given])[0]

    freed = [tools.store.writing(lambda connection, one=each: close(connection, one)) for each in given_back]  # type: ignore[misc]
    for _ in given_back:
        tools.store.figures.count(Happening.LEASE, "closed")
    return freed


def give_back_in(connection: Connection, moment: Moment, till: Till, given_back: Sequence[GiveBack]) -> list[Freed]:
    """The same inside another transaction, which locked the wallets of the leases with its own, all in one order."""
    hold_wallets(connection, wallets_of(connection, [each.lease_id for each in given_back]))
    return [_close(connection, moment, till, each) for each in given_back]


def _close(connection: Connection, moment: Moment, till: Till, given: GiveBack) -> Freed:
    lease = own_lease(connection, till, given.lease_id)
    if lease is None or lease.state not in HELD_STATES:
        return Freed(given.lease_id, ZERO, ZERO)  # Not known after a restore, another till's, reclaimed, or closed.
    if lease.state == LeaseState.CLOSING:
        return Freed(given.lease_id, ZERO, Points(lease.held))
    connection.execute(
        _SAY_SPENT, {"number": lease.id, "spent": given.final_spent.thousandths, "now": to_ms(moment.now)}
    )
    parts = parts_to_free(lease.settled, allocs_of(connection, lease.id), given.final_spent, moment.now)
    freed = total(part.points for part in parts)
    still_held = Points(lease.held) - freed
    end(connection, moment, lease, parts, LeaseState.CLOSING if still_held else LeaseState.CLOSED)
    return Freed(given.lease_id, freed, still_held)


def own_lease(connection: Connection, till: Till, lease_id: str) -> Any | None:
    """A lease of this till, whichever enrolment got it; None where it has none of this name."""
    lease = find_lease(connection, lease_id)
    return lease if lease is not None and lease.till == till.login else None


def parts_to_free(settled: int, allocs: Sequence[KeptAlloc], final_spent: Points, now: datetime) -> list[Part]:
    """What is free once a till says that it spent `final_spent` in all; `settled` thousandths of that are settled."""
    unsettled = Points(max(0, final_spent.thousandths - settled))
    return [
        *_beyond(unsettled, [each for each in allocs if not each.is_usable_at(now)]),
        *_beyond(unsettled, [each for each in allocs if each.is_usable_at(now)]),
    ]


def _beyond(kept: Points, allocs: Iterable[KeptAlloc]) -> list[Part]:
    """What is left of some allocations when the first `kept` points stay."""
    parts = []
    for alloc in allocs:
        stays = min(kept, alloc.held)
        kept = kept - stays
        if alloc.held > stays:
            parts.append(Part(alloc, alloc.held - stays))
    return parts


def end(connection: Connection, moment: Moment, lease: Any, parts: Sequence[Part], state: LeaseState) -> None:
    """Free parts of a lease, which is in `state` then; points whose day has passed expire at once (reliability 4.3)."""
    return_reserved(connection, lease.id, parts, state)
    raise_versions(connection, {part.alloc.wallet_id for part in parts})
    today = moment.rules.day_of(moment.now).isoformat()
    lots = sorted({(part.alloc.wallet_id, part.alloc.lot_id) for part in parts})
    if lots:
        empty_lots(connection, lots, today=today, now=moment.now)


def end_when_settled(connection: Connection, moment: Moment, lease_id: str) -> None:
    """Close a lease that was given back, once all its till spent of it is settled."""
    lease = find_lease(connection, lease_id)
    if lease is None or lease.state != LeaseState.CLOSING:
        return
    if lease.held and lease.settled < lease.final_spent:
        return
    rest = [Part(alloc, alloc.held) for alloc in allocs_of(connection, lease.id) if alloc.held]
    end(connection, moment, lease, rest, LeaseState.CLOSED)
