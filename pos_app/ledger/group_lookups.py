"""Family groups, as the group form looks them up (contract 6). Every way to find one is a few steps down an index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, select

from pos_app.domain.answers import Identity
from pos_app.domain.facts import Pooling
from pos_app.domain.family_groups import Expiring, GroupDetails, GroupFound, GroupMember, GroupStatus
from pos_app.domain.points import Points, total
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.facts import family_wallets
from pos_app.ledger.group_names import SEARCHED, searchable
from pos_app.ledger.lots import find_lots
from pos_app.ledger.people import family_group_ids, find_family_group, find_person
from pos_app.ledger.rulebook import from_day
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member
_CUSTOMER: Final = schema.customer
_WORD: Final = schema.family_group_word
_ID_MAX: Final = 2**31 - 1
"""Ids of family groups are integers of 32 bits (import format)."""

_LAST: Final = "\U0010ffff"
_BEGINS_SO: Final = and_(
    _WORD.c.org == bindparam("org"),
    _WORD.c.word >= bindparam("q"),
    _WORD.c.word < bindparam("z"),
    _WORD.c.shared < bindparam("length"),  # Each group once, however many of its words begin so.
)
_COUNT_NAMED: Final = select(func.count()).select_from(_WORD).where(_BEGINS_SO)
_NAMED: Final = (
    select(_WORD.c.family_group_id)
    .where(_BEGINS_SO, _WORD.c.family_group_id.not_in(bindparam("but", expanding=True)))
    .order_by(_WORD.c.word, _WORD.c.shared, _WORD.c.family_group_id)
    .limit(bindparam("most"))
    .offset(bindparam("after"))
)
_ALSO_NAMED: Final = _COUNT_NAMED.where(_WORD.c.family_group_id.in_(bindparam("these", expanding=True)))
_GROUPS: Final = select(_GROUP).where(
    _GROUP.c.org == bindparam("org"), _GROUP.c.id.in_(bindparam("ids", expanding=True))
)
_MEMBERS: Final = (
    select(
        _MEMBER,
        _CUSTOMER.c.first_name,
        _CUSTOMER.c.last_name,
        _CUSTOMER.c.mobile,
        _CUSTOMER.c.email,
        _CUSTOMER.c.external_id,
        _CUSTOMER.c.default_family_group_id,
    )
    .join_from(_MEMBER, _CUSTOMER, (_MEMBER.c.org == _CUSTOMER.c.org) & (_MEMBER.c.customer_id == _CUSTOMER.c.id))
    .where(_MEMBER.c.org == bindparam("org"), _MEMBER.c.family_group_id.in_(bindparam("ids", expanding=True)))
    .order_by(_MEMBER.c.family_group_id, _MEMBER.c.is_primary.desc(), _MEMBER.c.customer_id)
)
_SEARCHED_KINDS: Final = (IdentifierKind.MOBILE, IdentifierKind.EMAIL, IdentifierKind.CARD_NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """Some of the family groups that were found, and how many there are."""

    found: tuple[GroupFound, ...]
    count: int


def search_groups(tools: Tools, till: Till, text: str, *, offset: int, limit: int) -> GroupPage:
    """Family groups by id, external id or an identifier of the primary member; then those whose name says so.

    A name is found by the beginning of any of its words, without regard to case. Those of one exact match come first.
    """
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        org = moment.rules.organisation.organisation_id
        exact = _exactly(connection, moment, text)
        key = searchable(text)[:SEARCHED]
        named = {"org": org, "q": key, "z": key + _LAST, "length": len(key)}
        count = len(exact) + connection.execute(_COUNT_NAMED, named).scalar_one()
        if exact:
            count -= connection.execute(_ALSO_NAMED, {**named, "these": exact}).scalar_one()
        ids = exact[offset : offset + limit]
        if len(ids) < limit:
            rest = {"but": exact, "most": limit - len(ids), "after": max(0, offset - len(exact))}
            ids += connection.execute(_NAMED, {**named, **rest}).scalars()
        return GroupPage(found=tuple(_found(connection, org, ids)), count=count)


def _exactly(connection: Connection, moment: Moment, text: str) -> list[int]:
    """The family groups that `text` names and nothing less, by id."""
    organisation = moment.rules.organisation
    org = organisation.organisation_id
    ids = family_group_ids(connection, org, "external_id", text)
    number = group_id_from(text)
    if number is not None:
        ids |= family_group_ids(connection, org, "group_id", number)
    for kind in _SEARCHED_KINDS:
        person, _ = find_person(connection, org, CustomerRef(kind, text), organisation.country_code)
        if person is not None:
            ids |= family_group_ids(connection, org, "primary", person.customer.customer_id)
    return sorted(ids)


def group_id_from(text: str) -> int | None:
    """A family group's id; None where the text cannot be one."""
    number = int(text) if re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) else 0
    return number if 0 < number <= _ID_MAX else None


def _found(connection: Connection, org: int, ids: Sequence[int]) -> Iterable[GroupFound]:
    rows = {row.id: row for row in connection.execute(_GROUPS, {"org": org, "ids": list(ids)})}
    members: dict[int, list[GroupMember]] = {}
    for row in connection.execute(_MEMBERS, {"org": org, "ids": list(ids)}):
        members.setdefault(row.family_group_id, []).append(_member(row))
    for each in ids:
        row, people = rows[each], members.get(each, [])
        yield GroupFound(
            group_id=row.id,
            name=row.name,
            external_id=row.external_id or "",
            status=GroupStatus(row.status),
            member_count=sum(member.is_active for member in people),
            primary=next((member for member in people if member.is_primary), None),
        )


def find_group(
    tools: Tools, till: Till, ref: FamilyGroupRef, *, with_expiring: bool = False, with_contributed: bool = False
) -> GroupDetails | None:
    """One family group with its members; None where there is none, or the ways to name it lead to different ones.

    `with_expiring` tells when its points expire, `with_contributed` what each member brings in.
    """
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        organisation = moment.rules.organisation
        org = organisation.organisation_id
        found = find_family_group(connection, org, ref, None, organisation.country_code)
        if found is None:
            return None
        named = {"org": org, "ids": [found.group_id]}
        row = connection.execute(_GROUPS, named).one()
        members = [_member(each) for each in connection.execute(_MEMBERS, named)]
        if with_contributed:
            members = _contributing(connection, moment, row.id, members)
        return GroupDetails(
            group_id=row.id,
            name=row.name,
            external_id=row.external_id or "",
            status=GroupStatus(row.status),
            members=tuple(members),
            expiring=_expiring(connection, moment, row.id) if with_expiring else (),
        )


def _member(row: Any) -> GroupMember:
    return GroupMember(
        customer_id=row.customer_id,
        first_name=row.first_name,
        last_name=row.last_name,
        identity=Identity(mobile=row.mobile, email=row.email, external_id=row.external_id),
        is_primary=row.is_primary,
        is_active=row.is_active,
        is_default=row.default_family_group_id == row.family_group_id,
        may_redeem=row.may_redeem,
    )


def _contributing(
    connection: Connection, moment: Moment, group_id: int, members: Sequence[GroupMember]
) -> list[GroupMember]:
    """With what each brings in: her own points where members' points are drawn together, else nothing of her own."""
    if moment.rules.organisation.family_group_pooling is not Pooling.MEMBERS:
        return list(members)
    default, today = moment.rules.default_program, moment.rules.day_of(moment.now)
    wallets = family_wallets(connection, moment.rules, group_id, today)
    brought: dict[int | None, list[Points]] = {}
    for lot in find_lots(connection, [each.wallet_id for each in wallets], today):
        if default is not None and lot.program_id == default.program_id:
            brought.setdefault(lot.customer_id, []).append(lot.remaining)
    return [replace(each, contributed=total(brought.get(each.customer_id, ()))) for each in members]


def _expiring(connection: Connection, moment: Moment, group_id: int) -> tuple[Expiring, ...]:
    """Points of its wallets by the day they expire; those that never do have no place in a schedule."""
    today = moment.rules.day_of(moment.now)
    wallets = family_wallets(connection, moment.rules, group_id, today)
    days: dict[tuple[str, int], list[Points]] = {}
    for lot in find_lots(connection, [each.wallet_id for each in wallets], today):
        if lot.expires_on is not None:
            days.setdefault((lot.expires_on, lot.program_id), []).append(lot.remaining)
    schedule = []
    for (text, program_id), points in sorted(days.items()):
        day = from_day(text)
        if day is not None:
            schedule.append(Expiring(points=total(points), expires_on=day, program_id=program_id))
    return tuple(schedule)
