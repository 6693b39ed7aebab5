"""Passes: the customer's signed word for one lease of one till, made by an app or a person (sync-api 10)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.domain.leases import LeaseState, OwnerKind
from pos_app.domain.passes import Pass
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.crediting import Owner, find_wallet
from pos_app.ledger.errors import ConflictError
from pos_app.ledger.leases.proofs import pass_row
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tools import Tools
from pos_app.wire.passes import pass_payload, write_pass

VALID_MAX_S: Final = 86_400
NONCE_CHARACTERS: Final = 16

_LEASE: Final = schema.lease
_OPEN: Final = (
    select(_LEASE)
    .where(
        _LEASE.c.org == bindparam("org"),
        _LEASE.c.till == bindparam("login"),
        _LEASE.c.owner_kind == OwnerKind.CUSTOMER.value,
        _LEASE.c.owner_id == bindparam("customer"),
        _LEASE.c.program_id == bindparam("program"),
        _LEASE.c.state == LeaseState.OPEN.value,
        _LEASE.c.revoked_at.is_(None),
        _LEASE.c.expires_at > bindparam("now"),
    )
    .order_by(_LEASE.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassWish:
    """For whom a pass is made, at which till, and how far it goes."""

    organisation_id: int
    customer_id: int
    program_id: int
    till: str
    max_points: Points
    valid_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePass:
    """A pass as it is given out; it is a secret of the customer's."""

    text: str = field(repr=False)
    lease_id: str
    not_after: datetime


def make_pass(tools: Tools, wish: PassWish, *, who: str) -> MadePass:
    """Make a pass for an open lease of the customer's wallet at a till.

    Raises:
        ConflictError: `no_open_lease`.
        LedgerBusyError: nothing was done.
    """
    return tools.store.writing(lambda connection: _make(tools, connection, wish, who))


def _make(tools: Tools, connection: Connection, wish: PassWish, who: str) -> MadePass:
    now = tools.clock.wall()
    owner = Owner(organisation_id=wish.organisation_id, customer_id=wish.customer_id)
    wallet_id = find_wallet(connection, owner, wish.program_id)
    lease = _open_lease(connection, wish, now)
    if wallet_id is None or lease is None:
        raise ConflictError("no_open_lease")
    not_after = now.replace(microsecond=now.microsecond // 1000 * 1000) + timedelta(seconds=wish.valid_s)
    content = Pass(
        key_id=tools.signer.key_id,
        organisation_id=wish.organisation_id,
        wallet_id=wallet_id,
        till=wish.till,
        lease_id=lease.lease_id,
        max_points=wish.max_points,
        not_after=not_after,
        nonce=key_from(os.urandom(KEY_BYTES))[:NONCE_CHARACTERS],
    )
    payload = pass_payload(content)
    connection.execute(schema.lease_pass.insert(), pass_row(lease.id, wish.customer_id, content, now))
    audit.record(
        connection,
        at=now,
        org=wish.organisation_id,
        act="pass.make",
        who=who,
        target=lease.lease_id,
        detail={"till": wish.till, "points_max": str(wish.max_points), "valid_s": wish.valid_s},
    )
    return MadePass(
        text=write_pass(payload, tools.signer.sign_bytes(payload)), lease_id=lease.lease_id, not_after=not_after
    )


def _open_lease(connection: Connection, wish: PassWish, now: datetime) -> Any | None:
    asked = {
        "org": wish.organisation_id,
        "login": wish.till,
        "customer": wish.customer_id,
        "program": wish.program_id,
        "now": to_ms(now),
    }
    return connection.execute(_OPEN, asked).one_or_none()
