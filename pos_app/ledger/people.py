"""Finds customers and family groups by what people call them (contract 2.1, 2.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, or_, select

from pos_app.domain.answers import Identity
from pos_app.domain.facts import Customer, FamilyGroup, Member
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind, PrimaryKind
from pos_app.ledger import schema
from pos_app.ledger.databases.prepared import Prepared

BLOCKING_FRAUD: Final = frozenset({"MARKED", "CONFIRMED", "RECONFIRMED", "FRAUD"})
"""The fraud values that block redemption (contract section 5), in whatever case they were imported."""

_NO_DIGIT: Final = re.compile(r"[^0-9]")
_CUSTOMER: Final = schema.customer
_IDENTIFIER: Final = schema.identifier
_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member

PERSON_ROW: Final = (
    _CUSTOMER.c.id,
    _CUSTOMER.c.mobile,
    _CUSTOMER.c.email,
    _CUSTOMER.c.external_id,
    _CUSTOMER.c.first_name,
    _CUSTOMER.c.last_name,
    _CUSTOMER.c.type,
    _CUSTOMER.c.campaign_only,
    _CUSTOMER.c.fraud_status,
    _CUSTOMER.c.tier,
    _CUSTOMER.c.default_family_group_id,
    _CUSTOMER.c.code_right_at,
    _CUSTOMER.c.codes_locked,
)
named_so: Final = (
    _IDENTIFIER.c.org == bindparam("org"),
    _IDENTIFIER.c.kind == bindparam("kind"),
    or_(_IDENTIFIER.c.value == bindparam("value"), _IDENTIFIER.c.value == bindparam("other")),
)
"""Identifiers of one kind that read like one of the two forms a value may be kept in (`kept_forms`)."""

_BY_ID: Final = Prepared(
    select(*PERSON_ROW).where(_CUSTOMER.c.org == bindparam("org"), _CUSTOMER.c.id == bindparam("id"))
)
_BY_IDENTIFIER: Final = Prepared(
    select(*PERSON_ROW, _IDENTIFIER.c.is_active)
    .join_from(
        _IDENTIFIER,
        _CUSTOMER,
        (_IDENTIFIER.c.org == _CUSTOMER.c.org) & (_IDENTIFIER.c.customer_id == _CUSTOMER.c.id),
    )
    .where(*named_so)
)
_CARDS: Final = select(_IDENTIFIER.c.value).where(
    _IDENTIFIER.c.org == bindparam("org"),
    _IDENTIFIER.c.customer_id == bindparam("id"),
    _IDENTIFIER.c.kind == IdentifierKind.CARD_NUMBER.value,
    _IDENTIFIER.c.is_active,
)
_GROUP_IDS: Final = {
    "group_id": select(_GROUP.c.id).where(_GROUP.c.org == bindparam("org"), _GROUP.c.id == bindparam("value")),
    "external_id": select(_GROUP.c.id).where(
        _GROUP.c.org == bindparam("org"), _GROUP.c.external_id == bindparam("value")
    ),
    "primary": select(_MEMBER.c.family_group_id).where(
        _MEMBER.c.org == bindparam("org"), _MEMBER.c.customer_id == bindparam("value"), _MEMBER.c.is_primary
    ),
    "member": select(_MEMBER.c.family_group_id).where(
        _MEMBER.c.org == bindparam("org"), _MEMBER.c.customer_id == bindparam("value"), _MEMBER.c.is_active
    ),
}
_READ_GROUP: Final = select(_GROUP).where(_GROUP.c.org == bindparam("org"), _GROUP.c.id == bindparam("id"))
_READ_MEMBERS: Final = (
    select(_MEMBER)
    .where(_MEMBER.c.org == bindparam("org"), _MEMBER.c.family_group_id == bindparam("id"))
    .order_by(_MEMBER.c.customer_id)
)
_PRIMARY_KINDS: Final = {
    PrimaryKind.MOBILE: IdentifierKind.MOBILE,
    PrimaryKind.EMAIL: IdentifierKind.EMAIL,
    PrimaryKind.CARD_NUMBER: IdentifierKind.CARD_NUMBER,
    PrimaryKind.CARD_EXTERNAL_ID: IdentifierKind.CARD_EXTERNAL_ID,
    PrimaryKind.ID: IdentifierKind.ID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer as found, with what only the ledger may know of her."""

    customer: Customer
    codes_locked: bool
    code_right_at: int

    @property
    def identity(self) -> Identity:
        """As answers name her."""
        return Identity(mobile=self.customer.mobile, email=self.customer.email, external_id=self.customer.external_id)


def sent_identity(ref: CustomerRef) -> Identity:
    """The identifier that was sent, echoed where nobody was found (2.9)."""
    match ref.kind:
        case IdentifierKind.MOBILE:
            return Identity(mobile=ref.value)
        case IdentifierKind.EMAIL:
            return Identity(email=ref.value)
        case IdentifierKind.EXTERNAL_ID:
            return Identity(external_id=ref.value)
        case _:
            return Identity()


def kept_forms(kind: IdentifierKind, value: str, country_code: str) -> tuple[str, str]:
    """The two forms an identifier may be kept in; often the same (2.1).

    Mobile numbers are kept as digits with the country code where it is known: without one the number may be asked
    for as it is or as the country would complete it. E-mail is compared without regard to case.
    """
    if kind is IdentifierKind.EMAIL:
        plain = value.strip().casefold()
        return plain, plain
    if kind is not IdentifierKind.MOBILE:
        return value, value
    digits = _NO_DIGIT.sub("", value)
    if digits.startswith("00") or value.lstrip().startswith("+"):
        return digits.lstrip("0"), digits.lstrip("0")
    if not country_code:
        return digits, digits
    return digits, country_code + digits.lstrip("0")


def find_person(connection: Connection, org: int, ref: CustomerRef, country_code: str) -> tuple[Person | None, bool]:
    """Find whom an identifier names, and whether the identifier may be used at all (an inactive card may not).

    Two people behind the two readings of a number are nobody: guessing which customer pays is worse than refusing.
    """
    if not ref.is_well_formed:
        return None, True
    if ref.kind is IdentifierKind.ID:
        return get_person(connection, org, int(ref.value)), True
    value, other = kept_forms(ref.kind, ref.value, country_code)
    rows = _BY_IDENTIFIER.rows(connection, {"org": org, "kind": ref.kind.value, "value": value, "other": other})
    return person_in(rows)


def person_in(rows: Sequence[Sequence[Any]]) -> tuple[Person | None, bool]:
    """Whom rows of `PERSON_ROW` and "may be used" name, and whether the identifier may be used."""
    if not rows or any(row[0] != rows[0][0] for row in rows):
        return None, True
    *person, is_active = rows[0]
    return (_person_from(person), True) if is_active else (None, False)


def get_person(connection: Connection, org: int, customer_id: int) -> Person | None:
    """The customer of an id, None when there is none."""
    rows = _BY_ID.rows(connection, {"org": org, "id": customer_id})
    return _person_from(rows[0]) if rows else None


def _person_from(row: Sequence[Any]) -> Person:
    """Read the columns of `PERSON_ROW`."""
    id_, mobile, email, external_id, first, last, kind, campaign_only, fraud, tier, family_group, right_at, locked = row
    return Person(
        customer=Customer(
            customer_id=id_,
            mobile=mobile,
            email=email,
            external_id=external_id,
            first_name=first,
            last_name=last,
            tier=tier,
            is_registered=kind == "LOYALTY",
            is_campaign_only=bool(campaign_only),
            is_blocked=fraud.strip().upper() in BLOCKING_FRAUD,
            fraud_status=fraud.strip(),
            default_family_group_id=family_group,
        ),
        codes_locked=bool(locked),
        code_right_at=right_at,
    )


def cards_of(connection: Connection, org: int, customer_id: int) -> tuple[str, ...]:
    """The numbers of her active cards."""
    return tuple(connection.execute(_CARDS, {"org": org, "id": customer_id}).scalars())


# --- Family groups -------------------------------------------------------------------------------------------------


def find_family_group(
    connection: Connection, org: int, ref: FamilyGroupRef, person: Person | None, country_code: str
) -> FamilyGroup | None:
    """The family group a request names; None when it names none, or several routes name different ones (2.5)."""
    if not ref.is_explicit:
        default = None if person is None else person.customer.default_family_group_id
        return None if default is None else get_family_group(connection, org, default, person)
    routes: list[set[int]] = []

    def follow(route: str, value: object) -> None:
        routes.append(family_group_ids(connection, org, route, value))

    if ref.group_id is not None:
        follow("group_id", ref.group_id)
    if ref.external_id is not None:
        follow("external_id", ref.external_id)
    if ref.primary_user_id is not None:
        follow("primary", ref.primary_user_id)
    if ref.primary_kind is not None and ref.primary_value is not None:
        named = CustomerRef(_PRIMARY_KINDS[ref.primary_kind], ref.primary_value)
        primary, _ = find_person(connection, org, named, country_code)
        follow("primary", None if primary is None else primary.customer.customer_id)
    named_by_all = set.intersection(*routes) if routes else set()
    if len(named_by_all) != 1:
        return None
    return get_family_group(connection, org, named_by_all.pop(), person)


def family_group_ids(connection: Connection, org: int, route: str, value: object) -> set[int]:
    """The family groups a route leads to: their `group_id` or `external_id`, a customer as `primary` or `member`."""
    return set(connection.execute(_GROUP_IDS[route], {"org": org, "value": value}).scalars())


def get_family_group(connection: Connection, org: int, group_id: int, person: Person | None) -> FamilyGroup | None:
    """A family group with its members; `is_default` says whether it is `person`'s own default."""
    row = connection.execute(_READ_GROUP, {"org": org, "id": group_id}).one_or_none()
    if row is None:
        return None
    members = connection.execute(_READ_MEMBERS, {"org": org, "id": group_id})
    return FamilyGroup(
        group_id=row.id,
        name=row.name,
        external_id=row.external_id or "",
        is_active=row.status == "ACTIVE",
        status=row.status,
        is_default=person is not None and person.customer.default_family_group_id == row.id,
        members=tuple(
            Member(
                customer_id=each.customer_id,
                is_primary=each.is_primary,
                may_redeem=each.may_redeem,
                is_active=each.is_active,
            )
            for each in members
        ),
    )


def family_groups_of(connection: Connection, org: int, person: Person) -> tuple[FamilyGroup, ...]:
    """The family groups a customer is an active member of, by id."""
    ids = family_group_ids(connection, org, "member", person.customer.customer_id)
    found = (get_family_group(connection, org, each, person) for each in sorted(ids))
    return tuple(group for group in found if group is not None)
