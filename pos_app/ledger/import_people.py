"""Imports customers and family groups, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import phonenumbers
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.import_fields import FaultyLineError, Fields
from pos_app.ledger.import_setup import Site
from pos_app.ledger.import_wallets import Holdings, KeptWallets, keep_wallets, read_wallets
from pos_app.ledger.people import kept_forms

_CUSTOMER: Final = schema.customer
_IDENTIFIER: Final = schema.identifier
_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member
_NAME_MAX: Final = 200
_PERMISSIONS: Final = (
    "allow_points_redemption",
    "block_points_redemption",
    "allow_points_transfer",
    "block_points_transfer",
)

Told = Callable[[int, FaultyLineError], None]
"""What to do about a faulty line: remember it, or give up."""

Name = tuple[str, str]
"""Kind and kept value of an identifier."""

_FORGET_NAME: Final = delete(_IDENTIFIER).where(
    _IDENTIFIER.c.org == bindparam("o"), _IDENTIFIER.c.kind == bindparam("k"), _IDENTIFIER.c.value == bindparam("v")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCustomer:
    """A `customer` line, read."""

    line: int
    row: dict[str, Any]
    names: dict[Name, bool]
    """Her identifiers, and whether each may be used."""
    fields_of_names: dict[Name, str]
    holdings: Holdings

    @property
    def key(self) -> tuple[int, int]:
        """Organisation and id."""
        return self.row["org"], self.row["id"]


def full_mobile(value: str, country_code: str) -> str:
    """A mobile number as it is kept: digits, with the country code where the number can be told to lack it (2.1)."""
    digits, completed = kept_forms(IdentifierKind.MOBILE, value, country_code)
    if digits == completed:
        return digits
    national = _national_digits(country_code)
    if digits.startswith(country_code) and len(digits) != national:
        return digits
    return completed


_LENGTHS: dict[str, int] = {}


def _national_digits(country_code: str) -> int:
    """How many digits a mobile number of a country has without its code; 0 where that is not known."""
    if country_code not in _LENGTHS:
        region = phonenumbers.region_code_for_country_code(int(country_code))
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        _LENGTHS[country_code] = 0 if example is None else len(str(example.national_number))
    return _LENGTHS[country_code]


def read_customer(site: Site, fields: Fields, line: int) -> StatedCustomer:
    """Read one `customer` line."""
    rules = site.rules(fields)
    org, customer_id = rules.organisation.organisation_id, fields.id("id")
    names: dict[Name, bool] = {}
    told: dict[Name, str] = {}

    def name(kind: IdentifierKind, value: str, field: str, *, is_active: bool = True) -> None:
        if value:
            if not CustomerRef(kind, value).is_well_formed:
                fields.refuse(field, value, f"something that can be of the kind {kind.value}", personal=True)
            kept = (kind.value, kept_forms(kind, value, "")[0])
            names[kept], told[kept] = is_active, field

    mobile = fields.text("mobile", personal=True)
    if mobile:
        if not CustomerRef(IdentifierKind.MOBILE, mobile).is_well_formed:
            fields.refuse("mobile", mobile, "a mobile number", personal=True)
        mobile = full_mobile(mobile, rules.organisation.country_code)
    email, external_id = fields.text("email", personal=True), fields.text("external_id", personal=True)
    name(IdentifierKind.MOBILE, mobile, "mobile")
    name(IdentifierKind.EMAIL, email, "email")
    name(IdentifierKind.EXTERNAL_ID, external_id, "external_id")
    for number, card in enumerate(fields.objects("cards")):
        is_active = card.boolean("active", default=True)
        own, outer = card.text("number", personal=True), card.text("external_id", personal=True)
        card.done()
        if not own and not outer:
            card.refuse("number", None, "a number or an external id")
        name(IdentifierKind.CARD_NUMBER, own, f"cards[{number}].number", is_active=is_active)
        name(IdentifierKind.CARD_EXTERNAL_ID, outer, f"cards[{number}].external_id", is_active=is_active)
    row = {
        "org": org,
        "id": customer_id,
        "mobile": mobile,
        "email": email,
        "external_id": external_id,
        "first_name": fields.text("first_name", personal=True, longest=_NAME_MAX),
        "last_name": fields.text("last_name", personal=True, longest=_NAME_MAX),
        "type": fields.choice("type", ("LOYALTY", "NON_LOYALTY"), default="LOYALTY"),
        "campaign_only": fields.boolean("campaign_only", default=False),
        "fraud_status": fields.text("fraud_status", default="NONE", longest=40),
        "tier": fields.text("tier", longest=_NAME_MAX) or None,
        "default_family_group_id": fields.integer("default_family_group_id", low=1),
    }
    wallets = read_wallets(fields, rules)
    fields.done()
    if not names:
        fields.refuse("mobile", None, "at least one identifier or card")
    holdings = Holdings(org=org, owner_column="customer_id", owner_id=customer_id, wallets=wallets)
    return StatedCustomer(line=line, row=row, names=names, fields_of_names=told, holdings=holdings)


def keep_customers(site: Site, batch: Sequence[StatedCustomer], now: datetime, tell: Told) -> list[StatedCustomer]:
    """Write a batch of customers with different ids; returns those that were taken."""
    connection = site.connection
    known = _KnownPeople(connection, batch)
    wallets = KeptWallets(connection, "customer_id", [each.key for each in batch])
    taken = []
    for each in batch:
        try:
            known.check(each)
            wallets.check(each.holdings)
        except FaultyLineError as fault:
            tell(each.line, fault)
        else:
            known.take(each)
            taken.append(each)
    known.write(connection)
    keep_wallets(connection, wallets, [each.holdings for each in taken], now)
    return taken


class _KnownPeople:
    """What the ledger has of the customers of one batch and of everybody their identifiers may belong to."""

    def __init__(self, connection: Connection, batch: Iterable[StatedCustomer]) -> None:
        self._rows: dict[tuple[int, int], Any] = {}
        self._owners: dict[tuple[int, Name], int] = {}
        self._names: dict[tuple[int, int], dict[Name, bool]] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._dropped: list[dict[str, Any]] = []
        self._named: list[dict[str, Any]] = []
        by_org: dict[int, list[StatedCustomer]] = {}
        for each in batch:
            by_org.setdefault(each.key[0], []).append(each)
        for org, people in by_org.items():
            ids = [each.key[1] for each in people]
            values = {value for each in people for _, value in each.names}
            for row in connection.execute(select(_CUSTOMER).where(_CUSTOMER.c.org == org, _CUSTOMER.c.id.in_(ids))):
                self._rows[org, row.id] = row
            of_these = _IDENTIFIER.c.customer_id.in_(ids) | _IDENTIFIER.c.value.in_(values)
            for row in connection.execute(select(_IDENTIFIER).where(_IDENTIFIER.c.org == org, of_these)):
                self._owners[org, (row.kind, row.value)] = row.customer_id
                self._names.setdefault((org, row.customer_id), {})[row.kind, row.value] = row.is_active

    def check(self, stated: StatedCustomer) -> None:
        """Check that no identifier belongs to somebody else.

        Raises:
            FaultyLineError: one does.
        """
        org, customer_id = stated.key
        for name in stated.names:
            if self._owners.get((org, name), customer_id) != customer_id:
                field = stated.fields_of_names[name]
                raise FaultyLineError(field, "an identifier of another customer", "one that is hers alone")

    def take(self, stated: StatedCustomer) -> None:
        """Remember what must be written for one customer."""
        org, customer_id = stated.key
        row = self._rows.get(stated.key)
        if row is None:
            self._new.append(stated.row)
        elif any(row._mapping[column] != value for column, value in stated.row.items()):
            self._changed.append(stated.row)
        had = self._names.get(stated.key, {})
        for name in had.keys() - stated.names.keys():
            self._dropped.append({"o": org, "k": name[0], "v": name[1]})
            del self._owners[org, name]
        for name, is_active in stated.names.items():
            self._owners[org, name] = customer_id
            if had.get(name) != is_active:
                if name in had:
                    self._dropped.append({"o": org, "k": name[0], "v": name[1]})
                self._named.append(
                    {"org": org, "kind": name[0], "value": name[1], "customer_id": customer_id, "is_active": is_active}
                )

    def write(self, connection: Connection) -> None:
        """Write what was taken: names are given up before they are given away."""
        if self._new:
            connection.execute(insert(_CUSTOMER), self._new)
        for row in self._changed:
            values = {column: value for column, value in row.items() if column not in ("org", "id")}
            at = (_CUSTOMER.c.org == row["org"], _CUSTOMER.c.id == row["id"])
            connection.execute(update(_CUSTOMER).where(*at).values(**values))
        if self._dropped:
            connection.execute(_FORGET_NAME, self._dropped)
        if self._named:
            connection.execute(insert(_IDENTIFIER), self._named)


# --- Family groups -------------------------------------------------------------------------------------------------


def keep_family_group(site: Site, fields: Fields, now: datetime) -> Holdings:
    """One `family_group` line; returns the wallets it states."""
    rules = site.rules(fields)
    org, group_id = rules.organisation.organisation_id, fields.id("id")
    row = {
        "external_id": fields.text("external_id") or None,
        "name": fields.text("name", required=True, personal=True, longest=_NAME_MAX),
        "status": fields.choice("status", ("ACTIVE", "INACTIVE", "DELETED"), default="ACTIVE"),
    }
    members = [_read_member(site.connection, org, each) for each in fields.objects("members", required=True)]
    _check_members(fields, members)
    wallets = read_wallets(fields, rules)
    fields.done()
    holdings = Holdings(org=org, owner_column="family_group_id", owner_id=group_id, wallets=wallets)
    connection = site.connection
    if row["external_id"] is not None:
        owner = select(_GROUP.c.id).where(_GROUP.c.org == org, _GROUP.c.external_id == row["external_id"])
        if connection.execute(owner).scalar_one_or_none() not in (None, group_id):
            fields.refuse("external_id", row["external_id"], "one that no other family group has")
    kept = KeptWallets(connection, "family_group_id", [(org, group_id)])
    kept.check(holdings)
    _write_group(connection, org, group_id, row, members)
    keep_wallets(connection, kept, [holdings], now)
    return holdings


def _read_member(connection: Connection, org: int, fields: Fields) -> dict[str, object]:
    customer_id = fields.id("customer_id")
    known = select(_CUSTOMER.c.id).where(_CUSTOMER.c.org == org, _CUSTOMER.c.id == customer_id)
    if connection.execute(known).scalar_one_or_none() is None:
        fields.refuse("customer_id", customer_id, "a customer that came before")
    member: dict[str, object] = {
        "customer_id": customer_id,
        "is_primary": fields.boolean("primary", default=False),
        "may_redeem": "block_points_redemption" not in fields.words("permissions", _PERMISSIONS),
        "is_active": fields.boolean("active", default=True),
    }
    fields.done()
    return member


def _check_members(fields: Fields, members: Sequence[dict[str, object]]) -> None:
    primaries = sum(1 for each in members if each["is_primary"])
    if primaries != 1:
        raise FaultyLineError(fields.path("members"), f"{primaries} primary members", "exactly one")
    if len({each["customer_id"] for each in members}) != len(members):
        raise FaultyLineError(fields.path("members"), "a customer twice", "each customer once")


def _write_group(
    connection: Connection, org: int, group_id: int, row: dict[str, Any], members: Sequence[dict[str, object]]
) -> None:
    at = (_GROUP.c.org == org, _GROUP.c.id == group_id)
    known = connection.execute(select(_GROUP.c.external_id, _GROUP.c.name, _GROUP.c.status).where(*at)).one_or_none()
    if known is None:
        connection.execute(insert(_GROUP).values(org=org, id=group_id, **row))
    elif dict(known._mapping) != row:
        connection.execute(update(_GROUP).where(*at).values(**row))
    of_group = (_MEMBER.c.org == org, _MEMBER.c.family_group_id == group_id)
    columns = (_MEMBER.c.customer_id, _MEMBER.c.is_primary, _MEMBER.c.may_redeem, _MEMBER.c.is_active)
    kept = [dict(each._mapping) for each in connection.execute(select(*columns).where(*of_group))]
    if sorted(kept, key=_by_customer) != sorted(members, key=_by_customer):
        connection.execute(delete(_MEMBER).where(*of_group))
        connection.execute(insert(_MEMBER), [{"org": org, "family_group_id": group_id, **each} for each in members])


def _by_customer(member: dict[str, Any]) -> int:
    return int(member["customer_id"])
