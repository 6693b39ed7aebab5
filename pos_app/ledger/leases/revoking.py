"""Revoking: an administrator wants the end of a lease. An offline till cannot be revoked at once (reliability 4.3).

The till hears of it with its next heartbeat, stops spending and gives the lease back; until then, or until it expires
and is reclaimed, its points stay held.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select, update

from pos_app.domain.leases import LeaseState
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.errors import CareRefusedError, UnknownIdError
from pos_app.ledger.figures import Happening
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tools import Tools

_LEASE: Final = schema.lease


def revoke_lease(tools: Tools, lease_id: str, *, who: str) -> None:
    """Revoke one lease; one that is revoked already stays so.

    Raises:
        UnknownIdError: there is no such lease.
        CareRefusedError: it is no longer open.
        LedgerBusyError: nothing was done.
    """

    def work(connection: Connection) -> None:
        row = connection.execute(select(_LEASE).where(_LEASE.c.lease_id == lease_id)).one_or_none()
        if row is None:
            raise UnknownIdError("There is no lease of this name in this ledger: see lease list.")
        if row.state != LeaseState.OPEN:
            raise CareRefusedError(f"Lease {lease_id} is {row.state}: nothing is spent under it any more.")
        _revoke(tools, connection, _LEASE.c.id == row.id, org=row.org, who=who, target=lease_id)

    tools.store.writing(work)


def revoke_till(tools: Tools, login: str, *, who: str) -> int:
    """Revoke every open lease of a till; returns how many were not revoked before.

    Raises:
        CareRefusedError: there is no such till.
        LedgerBusyError: nothing was done.
    """

    def work(connection: Connection) -> int:
        till = schema.till
        org = connection.execute(select(till.c.org).where(till.c.login == login)).scalar_one_or_none()
        if org is None:
            raise CareRefusedError("There is no till of this login in this ledger: see till list.")
        return _revoke(tools, connection, _LEASE.c.till == login, org=org, who=who, target=login)

    return tools.store.writing(work)


def _revoke(
    tools: Tools, connection: Connection, which: ColumnElement[bool], *, org: Any, who: str, target: str
) -> int:
    now = tools.clock.wall()
    revoked = connection.execute(
        update(_LEASE)
        .where(which, _LEASE.c.state == LeaseState.OPEN.value, _LEASE.c.revoked_at.is_(None))
        .values(revoked_at=to_ms(now))
    ).rowcount
    audit.record(connection, at=now, org=org, act="lease.revoke", who=who, target=target, detail={"leases": revoked})
    for _ in range(revoked):
        tools.store.figures.count(Happening.LEASE, "revoked")
    return revoked
