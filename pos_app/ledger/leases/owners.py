"""Whose points a lease sets aside: the owner, her wallets, and why there may be none (reliability 4.3, sync-api 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.facts import Criteria, Pooling, Program
from pos_app.domain.leases import NoLease, Owner, OwnerKind
from pos_app.ledger import schema
from pos_app.ledger.facts import KeptWallet, family_wallets, own_wallets
from pos_app.ledger.people import Person, get_family_group, get_person
from pos_app.ledger.rulebook import OrganisationRules, to_ms
from pos_app.ledger.tools import Moment

CONTACT_IS_NEW_FOR: Final = timedelta(hours=24)
"""Who took over a customer's number must not spend without the customer hearing of it (reliability 4.3)."""

_CUSTOMER: Final = schema.customer
_CONTACTS: Final = select(_CUSTOMER.c.id).where(
    _CUSTOMER.c.org == bindparam("org"),
    _CUSTOMER.c.id.in_(bindparam("ids", expanding=True)),
    _CUSTOMER.c.contact_changed_at > bindparam("since"),
)


@dataclass(frozen=True, slots=True)
class Entitled:
    """Who may spend under a lease of an owner, and by which conditions its size is measured."""

    customer_ids: tuple[int, ...]
    criteria: Criteria


def wallets_of_owner(
    connection: Connection, rules: OrganisationRules, owner: Owner, program_id: int, now: datetime
) -> list[KeptWallet]:
    """The wallets an owner's redemptions are paid from in one program; those of members where a family group pools."""
    org, today = rules.organisation.organisation_id, rules.day_of(now)
    if owner.kind is OwnerKind.CUSTOMER:
        found = own_wallets(connection, org, owner.owner_id, today)
    else:
        found = family_wallets(connection, rules, owner.owner_id, today)
    return [each for each in found if each.program_id == program_id]


def entitled_to(connection: Connection, moment: Moment, owner: Owner, program: Program) -> Entitled | NoLease:
    """Who may spend under a lease of this owner, or why nobody may."""
    if owner.kind is OwnerKind.FAMILY_GROUP:
        return _family_group(connection, moment, owner.owner_id, program)
    person = get_person(connection, moment.rules.organisation.organisation_id, owner.owner_id)
    refusal = _refusal_of(person)
    if refusal is not None or person is None:
        return refusal or NoLease.NOT_REGISTERED
    if _with_new_contact(connection, moment, [owner.owner_id]):
        return NoLease.CONTACT_CHANGED
    return Entitled((owner.owner_id,), program.criteria_for(person.customer.tier))


def paying(wallets: Sequence[KeptWallet], rules: OrganisationRules, owner: Owner) -> list[KeptWallet]:
    """Those that may pay: where members pool, a paused wallet stays out; its owner wants it left alone."""
    pools = owner.kind is OwnerKind.FAMILY_GROUP and rules.organisation.family_group_pooling is Pooling.MEMBERS
    awake = [each for each in wallets if not each.is_paused]
    return awake if pools or len(awake) == len(wallets) else []


def _refusal_of(person: Person | None) -> NoLease | None:
    if person is None or not person.customer.is_registered or person.customer.is_campaign_only:
        return NoLease.NOT_REGISTERED
    return NoLease.BLOCKED if person.customer.is_blocked else None


def _family_group(connection: Connection, moment: Moment, group_id: int, program: Program) -> Entitled | NoLease:
    """All members who may redeem. Its size goes by the program's plain conditions: members may be of several tiers."""
    org = moment.rules.organisation.organisation_id
    group = get_family_group(connection, org, group_id, None)
    if group is None:
        return NoLease.NOT_REGISTERED
    if not program.family_groups_enabled:
        return NoLease.OFFLINE_OFF
    if not group.is_active:
        return NoLease.BLOCKED
    members = [each.customer_id for each in group.members if each.is_active and each.may_redeem]
    usable = [each for each in members if _refusal_of(get_person(connection, org, each)) is None]
    if not usable:
        return NoLease.BLOCKED
    new = _with_new_contact(connection, moment, usable)
    known = tuple(each for each in usable if each not in new)
    return Entitled(known, program.criteria) if known else NoLease.CONTACT_CHANGED


def _with_new_contact(connection: Connection, moment: Moment, customer_ids: Sequence[int]) -> set[int]:
    asked = {
        "org": moment.rules.organisation.organisation_id,
        "ids": list(customer_ids),
        "since": to_ms(moment.now - CONTACT_IS_NEW_FOR),
    }
    return set(connection.execute(_CONTACTS, asked).scalars())
