"""The leases of a ledger as administrators see them (sync-api 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from pos_app.domain.leases import Lease
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.leases.document import read_document
from pos_app.ledger.rulebook import from_ms

_LEASE: Final = schema.lease


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLease:
    """A lease, and how it stands now. `number` is its place in the list."""

    number: int
    lease: Lease
    store: str
    state: str
    settled: Points
    held: Points
    returned: Points
    revoked_at: datetime | None
    wanted_at: datetime | None


def list_leases(
    connection: Connection,
    *,
    org: int | None = None,
    till: str | None = None,
    state: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[ListedLease]:
    """Leases, oldest first, behind the number `after`."""
    asked = select(_LEASE).where(_LEASE.c.id > after)
    if org is not None:
        asked = asked.where(_LEASE.c.org == org)
    if till is not None:
        asked = asked.where(_LEASE.c.till == till)
    if state is not None:
        asked = asked.where(_LEASE.c.state == state)
    rows: Sequence[Any] = connection.execute(asked.order_by(_LEASE.c.id).limit(limit)).all()
    return [
        ListedLease(
            number=row.id,
            lease=read_document(row.document),
            store=row.store,
            state=row.state,
            settled=Points(row.settled),
            held=Points(row.held),
            returned=Points(row.returned),
            revoked_at=None if row.revoked_at is None else from_ms(row.revoked_at),
            wanted_at=None if row.wanted_at is None else from_ms(row.wanted_at),
        )
        for row in rows
    ]
