"""Imports customers, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from pos_app.domain.request import IdentifierKind, is_well_formed
from pos_app.ledger import schema
from pos_app.ledger.databases.bulk import AlreadyThereError
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.loading.customer_lines import Name, StatedCustomer, full_mobile
from pos_app.ledger.loading.fields import FaultyLineError, Fields
from pos_app.ledger.loading.setup import Site
from pos_app.ledger.loading.wallets import Holdings, KeptWallets, keep_wallets, read_wallets
from pos_app.ledger.people import kept_forms
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_CUSTOMER: Final = schema.customer
_IDENTIFIER: Final = schema.identifier
_NAME_MAX: Final = 200

Told = Callable[[int, FaultyLineError], None]
"""What to do about a faulty line: remember it, or give up."""

ROW: Final = (
    "org",
    "id",
    "mobile",
    "email",
    "external_id",
    "first_name",
    "last_name",
    "type",
    "campaign_only",
    "fraud_status",
    "tier",
    "default_family_group_id",
)
"""The columns a line fills."""

_NAMED: Final = ("org", "kind", "value", "customer_id", "is_active")
_UPDATE: Final = (
    update(_CUSTOMER)
    .where(_CUSTOMER.c.org == bindparam("o"), _CUSTOMER.c.id == bindparam("i"))
    .values({name: bindparam(f"new_{name}") for name in ROW[2:]})
)
_CONTACT_CHANGED: Final = (
    update(_CUSTOMER)
    .where(_CUSTOMER.c.org == bindparam("o"), _CUSTOMER.c.id == bindparam("i"))
    .values(contact_changed_at=bindparam("now"))
)
_CONTACT: Final = tuple(ROW.index(name) for name in ("mobile", "email"))
_FORGET_NAME: Final = delete(_IDENTIFIER).where(
    _IDENTIFIER.c.org == bindparam("o"), _IDENTIFIER.c.kind == bindparam("k"), _IDENTIFIER.c.value == bindparam("v")
)


def read_customer(site: Site, fields: Fields, line: int) -> StatedCustomer:
    """Read one `customer` line that was not read the quick way.

    Raises:
        FaultyLineError: a field cannot be taken.
    """
    return read_unusual_customer(site.rules(fields), fields, line)


def read_unusual_customer(rules: OrganisationRules, fields: Fields, line: int) -> StatedCustomer:
    """Read a line of any shape; what is wrong with it is said exactly.

    Raises:
        FaultyLineError: a field cannot be taken.
    """
    org, customer_id = rules.organisation.organisation_id, fields.id("id")
    names: dict[Name, bool] = {}
    told: dict[Name, str] = {}

    def name(kind: IdentifierKind, value: str, field: str, *, is_active: bool = True) -> None:
        if value:
            if not is_well_formed(kind, value):
                fields.refuse(field, value, f"something that can be of the kind {kind.value}", personal=True)
            kept = (kind.value, kept_forms(kind, value, "")[0])
            names[kept], told[kept] = is_active, field

    mobile = fields.text("mobile", personal=True)
    if mobile:
        if not is_well_formed(IdentifierKind.MOBILE, mobile):
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
    row = (
        org,
        customer_id,
        mobile,
        email,
        external_id,
        fields.text("first_name", personal=True, longest=_NAME_MAX),
        fields.text("last_name", personal=True, longest=_NAME_MAX),
        fields.choice("type", ("LOYALTY", "NON_LOYALTY"), default="LOYALTY"),
        fields.boolean("campaign_only", default=False),
        fields.text("fraud_status", default="NONE", longest=40),
        fields.text("tier", longest=_NAME_MAX) or None,
        fields.integer("default_family_group_id", low=1),
    )
    wallets = read_wallets(fields, rules)
    fields.done()
    if not names:
        fields.refuse("mobile", None, "at least one identifier or card")
    holdings = Holdings(org=org, is_family=False, owner_id=customer_id, wallets=wallets)
    key = (org, customer_id)
    return StatedCustomer(line=line, key=key, row=row, names=names, fields_of_names=told, holdings=holdings)


def keep_customers(site: Site, batch: Sequence[StatedCustomer], now: datetime, tell: Told) -> list[StatedCustomer]:
    """Write a batch of customers with different ids; returns those that were taken.

    While the ledger knows no customer of their organisations but those of this file, they are written without
    looking; what is there already, the database says itself, and then the batch is done over with care.

    Raises:
        LedgerBusyError: another import is writing the same customers.
    """
    if site.has_only_new_customers({each.key[0] for each in batch}):
        try:
            with site.connection.begin_nested():
                return _keep(site, batch, now, tell, _KnownPeople(), KeptWallets())
        except AlreadyThereError:
            site.look_for_customers()
    known = _KnownPeople.read(site.connection, batch)
    wallets = KeptWallets.read(site.connection, is_family=False, owners=[each.key for each in batch])
    try:
        return _keep(site, batch, now, tell, known, wallets)
    except AlreadyThereError:
        raise LedgerBusyError from None


def _keep(
    site: Site,
    batch: Sequence[StatedCustomer],
    now: datetime,
    tell: Told,
    known: _KnownPeople,
    wallets: KeptWallets,
) -> list[StatedCustomer]:
    taken, faults = [], []
    for each in batch:
        try:
            known.check(each)
            wallets.check(each.holdings)
        except FaultyLineError as fault:
            faults.append((each.line, fault))
        else:
            known.take(each)
            taken.append(each)
    known.write(site, now)
    keep_wallets(site.connection, site.bulk, wallets, [each.holdings for each in taken], now)
    for line, found in faults:  # Not before: what the database refuses is done over.
        tell(line, found)
    return taken


class _KnownPeople:
    """What the ledger has of the customers of one batch and of everybody their identifiers may belong to."""

    def __init__(self) -> None:
        """Of a ledger that has none of them."""
        self._rows: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._owners: dict[tuple[int, Name], int] = {}
        self._names: dict[tuple[int, int], dict[Name, bool]] = {}
        self._new: list[tuple[Any, ...]] = []
        self._changed: list[dict[str, Any]] = []
        self._reached_otherwise: list[dict[str, Any]] = []
        self._dropped: list[dict[str, Any]] = []
        self._named: list[tuple[Any, ...]] = []

    @classmethod
    def read(cls, connection: Connection, batch: Iterable[StatedCustomer]) -> _KnownPeople:
        """Read them: by id, and by each kind of identifier."""
        found = cls()
        ids: dict[int, list[int]] = {}
        values: dict[tuple[int, str], list[str]] = {}
        for each in batch:
            org, customer_id = each.key
            ids.setdefault(org, []).append(customer_id)
            for kind, value in each.names:
                values.setdefault((org, kind), []).append(value)
        columns = [_CUSTOMER.c[name] for name in ROW]
        named = [_IDENTIFIER.c[name] for name in _NAMED]
        for org, wanted in ids.items():
            rows = connection.execute(select(*columns).where(_CUSTOMER.c.org == org, _CUSTOMER.c.id.in_(wanted)))
            found._rows |= {(org, row[1]): tuple(row) for row in rows}
            of_these = (_IDENTIFIER.c.org == org, _IDENTIFIER.c.customer_id.in_(wanted))
            found._remember(connection.execute(select(*named).where(*of_these)))
        for (org, kind), texts in values.items():
            of_kind = (_IDENTIFIER.c.org == org, _IDENTIFIER.c.kind == kind, _IDENTIFIER.c.value.in_(texts))
            found._remember(connection.execute(select(*named).where(*of_kind)))
        return found

    def _remember(self, rows: Iterable[Any]) -> None:
        for org, kind, value, customer_id, is_active in rows:
            self._owners[org, (kind, value)] = customer_id
            self._names.setdefault((org, customer_id), {})[kind, value] = is_active

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
        elif row != stated.row:
            new = {f"new_{name}": value for name, value in zip(ROW[2:], stated.row[2:], strict=True)}
            self._changed.append({"o": org, "i": customer_id, **new})
            if any(row[place] != stated.row[place] for place in _CONTACT):
                self._reached_otherwise.append({"o": org, "i": customer_id})
        had = self._names.get(stated.key, {})
        for name in had.keys() - stated.names.keys():
            self._dropped.append({"o": org, "k": name[0], "v": name[1]})
            del self._owners[org, name]
        for name, is_active in stated.names.items():
            self._owners[org, name] = customer_id
            if had.get(name) != is_active:
                if name in had:
                    self._dropped.append({"o": org, "k": name[0], "v": name[1]})
                self._named.append((org, *name, customer_id, is_active))

    def write(self, site: Site, now: datetime) -> None:
        """Write what was taken: names are given up before they are given away.

        Who is reached otherwise from now on gets no lease for a day (reliability 4.3).
        """
        connection = site.connection
        site.bulk.insert(connection, _CUSTOMER, ROW, self._new)
        if self._changed:
            connection.execute(_UPDATE, self._changed)
        if self._reached_otherwise:
            connection.execute(_CONTACT_CHANGED, [each | {"now": to_ms(now)} for each in self._reached_otherwise])
        if self._dropped:
            connection.execute(_FORGET_NAME, self._dropped)
        site.bulk.insert(connection, _IDENTIFIER, _NAMED, self._named)
