"""What only a ledger in test mode lets an administrator do over HTTP (sync-api 13): points and family groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from pos_app.domain.facts import FamilyGroup
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.crediting import Owner, give, wallet_for
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.databases.locks import hold
from pos_app.ledger.entries import Entry, EntryKind
from pos_app.ledger.errors import UnknownIdError
from pos_app.ledger.people import get_family_group
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tools import Tools

_CUSTOMER: Final = schema.customer
_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Points to be earned; `awarded_on` None: today."""

    owner: Owner
    program_id: int
    points: Points
    expires_on: date | None
    awarded_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What becomes of a family group. `add`: customers, and whether each may redeem."""

    organisation_id: int
    group_id: int
    add: Sequence[tuple[int, bool]] = ()
    remove: Sequence[int] = ()
    status: str | None = None


def earn(tools: Tools, credit: Credit) -> int:
    """Give points by one earn entry; returns the wallet's number.

    Raises:
        UnknownIdError: there is no such owner or program.
        LedgerBusyError: nothing was done.
    """
    return tools.store.writing(lambda connection: _earn(tools, connection, credit))


def _earn(tools: Tools, connection: Connection, credit: Credit) -> int:
    now, owner = tools.clock.wall(), credit.owner
    rules = tools.rulebook.at(connection).organisations[owner.organisation_id]
    if credit.program_id not in rules.programs:
        raise UnknownIdError(f"There is no program {credit.program_id} in this organisation.")
    if not _exists(connection, owner):
        raise UnknownIdError("There is no such customer or family group in this organisation.")
    detail = {"program_id": credit.program_id, "points": str(credit.points), owner.column: owner.owner_id}
    audit.record(
        connection, at=now, org=owner.organisation_id, act="test.credit", who=audit.ADMIN, target="", detail=detail
    )
    wallet_id = wallet_for(connection, owner, credit.program_id)
    entry = Entry(at=to_ms(now), kind=EntryKind.EARN, wallet_id=wallet_id, lot_id=0, delta=0, reason="credit")
    give(connection, entry, credit.points, credit.awarded_on or rules.day_of(now), credit.expires_on)
    return wallet_id


def _exists(connection: Connection, owner: Owner) -> bool:
    table = _CUSTOMER if owner.customer_id is not None else _GROUP
    found = select(table.c.id).where(table.c.org == owner.organisation_id, table.c.id == owner.owner_id)
    return connection.execute(found).first() is not None


def change_family_group(tools: Tools, change: GroupChange) -> tuple[FamilyGroup, str]:
    """Change who belongs to a family group, or its status; returns it and its status as they are then.

    Raises:
        UnknownIdError: there is no such family group, or no such customer.
        LedgerBusyError: nothing was done.
    """
    return tools.store.writing(lambda connection: _change(tools, connection, change))


def _change(tools: Tools, connection: Connection, change: GroupChange) -> tuple[FamilyGroup, str]:
    org, group_id = change.organisation_id, change.group_id
    detail = {
        "add": [number for number, _ in change.add],
        "remove": list(change.remove),
        "status": change.status,
    }
    act = {"org": org, "act": "test.family_group", "who": audit.ADMIN, "target": str(group_id)}
    audit.record(connection, at=tools.clock.wall(), detail=detail, **act)  # type: ignore[arg-type]
    is_it = (_GROUP.c.org == org, _GROUP.c.id == group_id)
    hold(connection, _GROUP, *is_it)
    if change.status is not None:
        connection.execute(update(_GROUP).where(*is_it).values(status=change.status))
    status = connection.execute(select(_GROUP.c.status).where(*is_it)).scalar_one_or_none()
    if status is None:
        raise UnknownIdError(f"There is no family group {group_id} in this organisation.")
    for number, may_redeem in change.add:
        _add(connection, org, group_id, number, may_redeem=may_redeem)
    if change.remove:
        connection.execute(delete(_MEMBER).where(*_of(org, group_id), _MEMBER.c.customer_id.in_(change.remove)))
    changed = get_family_group(connection, org, group_id, None)
    if changed is None:
        raise LostRaceError
    return changed, status


def _add(connection: Connection, org: int, group_id: int, number: int, *, may_redeem: bool) -> None:
    if not _exists(connection, Owner(organisation_id=org, customer_id=number)):
        raise UnknownIdError(f"There is no customer {number} in this organisation.")
    values: dict[str, Any] = {"may_redeem": may_redeem, "is_active": True}
    member = update(_MEMBER).where(*_of(org, group_id), _MEMBER.c.customer_id == number).values(**values)
    if connection.execute(member).rowcount == 0:
        named = {"org": org, "family_group_id": group_id, "customer_id": number}
        connection.execute(insert(_MEMBER).values(**named, **values))


def _of(org: int, group_id: int) -> tuple[Any, Any]:
    return _MEMBER.c.org == org, _MEMBER.c.family_group_id == group_id
