"""The end of leases that nobody gave back: reclaimed when the ledger has waited long enough, or written off.

What comes later is charged to free points as far as they go, and the rest is the store's loss (reliability 4.3). In
strict mode nothing is reclaimed by itself: an administrator who knows that a till is gone writes its leases off.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.leases import LeaseState
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.errors import CareRefusedError, UnknownIdError
from pos_app.ledger.figures import Happening
from pos_app.ledger.leases.closing import end
from pos_app.ledger.leases.kept import HELD_STATES, Part, allocs_of, hold_lease
from pos_app.ledger.rulebook import from_ms, to_ms
from pos_app.ledger.tools import Moment, Tools

_BATCH: Final = 500
_LEASE: Final = schema.lease
_DUE: Final = (
    select(_LEASE.c.id, _LEASE.c.lease_id)
    .where(_LEASE.c.settle_until <= bindparam("now"), _LEASE.c.state.in_(HELD_STATES), _LEASE.c.id > bindparam("after"))
    .order_by(_LEASE.c.id)
    .limit(_BATCH)
)


def reclaim(tools: Tools, now: datetime, after_step: Callable[[], None]) -> int:
    """Reclaim every lease whose waiting time is over; returns how many. In strict mode none.

    `after_step` is called between transactions; what it raises ends the work where it is, and nothing is lost.

    Raises:
        LedgerBusyError: the database was not had in time; what is left is done the next time.
    """
    if tools.lease_settings.strict:
        return 0
    count, after = 0, 0
    while True:
        with tools.store.read() as connection:
            due = connection.execute(_DUE, {"now": to_ms(now), "after": after}).all()
        for row in due:
            if tools.store.writing(partial(_reclaim, tools, lease_id=row.lease_id, now=now)):
                tools.store.figures.count(Happening.LEASE, "reclaimed")
                count += 1
            after = row.id
            after_step()
        if len(due) < _BATCH:
            return count


def write_off(tools: Tools, lease_id: str, *, who: str) -> int:
    """Take back what a lease still holds, whatever its till may have spent; returns the thousandths that are free.

    Raises:
        UnknownIdError: there is no such lease.
        CareRefusedError: it ended already, or its till may still spend under it.
        LedgerBusyError: nothing was done.
    """

    def work(connection: Connection) -> int:
        row = hold_lease(connection, lease_id)
        if row is None:
            raise UnknownIdError("There is no lease of this name in this ledger: see lease list.")
        if row.state not in HELD_STATES:
            raise CareRefusedError(f"Lease {lease_id} is {row.state} and holds nothing.")
        now = tools.clock.wall()
        if row.state == LeaseState.OPEN and from_ms(row.expires_at) > now:
            raise CareRefusedError(
                f"Lease {lease_id} runs until {from_ms(row.expires_at).isoformat(timespec='minutes')}, and its till may"
                " spend until then: revoke it, and write it off when it has expired."
            )
        _end(connection, _moment(tools, connection, row, now), row)
        detail = {"till": row.till, "points": row.held}
        audit.record(connection, at=now, org=row.org, act="lease.write_off", who=who, target=lease_id, detail=detail)
        return int(row.held)

    freed = tools.store.writing(work)
    tools.store.figures.count(Happening.LEASE, "written_off")
    return freed


def _reclaim(tools: Tools, connection: Connection, *, lease_id: str, now: datetime) -> bool:
    row = hold_lease(connection, lease_id)
    if row is None or row.state not in HELD_STATES or row.settle_until > to_ms(now):
        return False
    _end(connection, _moment(tools, connection, row, now), row)
    return True


def _end(connection: Connection, moment: Moment, row: Any) -> None:
    parts = [Part(alloc, alloc.held) for alloc in allocs_of(connection, row.id) if alloc.held]
    end(connection, moment, row, parts, LeaseState.RECLAIMED)


def _moment(tools: Tools, connection: Connection, row: Any, now: datetime) -> Moment:
    rules = tools.rulebook.at(connection)
    return Moment(now=now, epoch=rules.epoch, rules=rules.organisations[row.org])
