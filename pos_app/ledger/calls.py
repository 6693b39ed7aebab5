"""Missed calls: a customer agrees by calling from her registered phone (contract 2.6, sync-api 12).

A call is a row. A check only looks whether one is there; a redemption takes it in its own transaction, by an update
that says "if nobody has", so that of two redemptions at the same moment one call serves one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.people import Person
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_CALL: Final = schema.missed_call
_FIND: Final = (
    select(_CALL.c.id)
    .where(
        _CALL.c.org == bindparam("org"),
        _CALL.c.number == bindparam("number"),
        _CALL.c.at > bindparam("since"),
        _CALL.c.used_by_key.is_(None),
    )
    .order_by(_CALL.c.at, _CALL.c.id)
    .limit(1)
)
_USE_UP: Final = (
    update(_CALL)
    .where(_CALL.c.id == bindparam("call"), _CALL.c.used_by_key.is_(None))
    .values(used_by_key=bindparam("by"), used_at=bindparam("now"))
)


def find_call(connection: Connection, rules: OrganisationRules, person: Person, now: datetime) -> int | None:
    """The oldest call of this customer that still serves: not used, and within the validity of codes."""
    organisation = rules.organisation
    if not organisation.missed_call_enabled or not person.customer.mobile:
        return None
    since = to_ms(now - timedelta(seconds=organisation.otp_validity_s))
    asked = {"org": organisation.organisation_id, "number": person.customer.mobile, "since": since}
    found: int | None = connection.execute(_FIND, asked).scalar_one_or_none()
    return found


def use_up(connection: Connection, call_id: int, key: str | None, now: datetime) -> None:
    """Take a call for the redemption of a key, in the redemption's own transaction.

    Raises:
        LostRaceError: another redemption has it; there may be a second call, so everything is looked at anew.
    """
    used = connection.execute(_USE_UP, {"call": call_id, "by": key or "", "now": to_ms(now)})
    if used.rowcount != 1:
        raise LostRaceError


def prune(connection: Connection, before: datetime) -> int:
    """Forget calls from before a moment, used or not: numbers of strangers must not pile up. Returns how many."""
    return connection.execute(delete(_CALL).where(_CALL.c.at < to_ms(before))).rowcount
