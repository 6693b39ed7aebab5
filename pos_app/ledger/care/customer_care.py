"""Looking after a customer from the ledger's side: what it keeps of her, and lifting the lock of her codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.facts import Customer
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.operator_care import the_organisation
from pos_app.ledger.code_rows import COUNT_FAILURES
from pos_app.ledger.databases.locks import hold_customer
from pos_app.ledger.errors import CareRefusedError
from pos_app.ledger.facts import KeptWallet, family_wallets, own_wallets
from pos_app.ledger.lots import KeptLot, find_lots
from pos_app.ledger.people import Person, cards_of, family_groups_of, find_person
from pos_app.ledger.rulebook import OrganisationRules, from_ms, to_ms
from pos_app.ledger.tools import Tools

ENTRIES_SHOWN: Final = 10

_CUSTOMER: Final = schema.customer
_ENTRY: Final = schema.entry
_LAST: Final = (
    select(_ENTRY)
    .where(_ENTRY.c.wallet_id.in_(bindparam("wallets", expanding=True)))
    .order_by(_ENTRY.c.id.desc())
    .limit(ENTRIES_SHOWN)
)
_UNLOCK: Final = (
    update(_CUSTOMER)
    .where(_CUSTOMER.c.org == bindparam("o"), _CUSTOMER.c.id == bindparam("c"))
    .values(codes_locked=False, code_right_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEntry:
    """One movement of points, newest first in lists."""

    entry_id: int
    at: datetime
    kind: str
    wallet_id: int
    points: Points
    till: str | None
    cashier: int | None
    supervisor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCustomer:
    """Everything an administrator may see of a customer."""

    customer: Customer = field(repr=False)
    codes_locked: bool
    wrong_codes: int
    """Straight wrong codes since the last right one."""
    wallets: tuple[tuple[str, KeptWallet], ...]
    """Each with whose it is: `own`, or `family group N`."""
    lots: tuple[KeptLot, ...]
    entries: tuple[ShownEntry, ...]
    family_group_ids: tuple[int, ...] = ()


def show_customer(
    tools: Tools, organisation_id: int | None, ref: CustomerRef, *, reveals: bool, who: str
) -> ShownCustomer:
    """Find a customer by anything that names her. Revealing her identifiers is recorded (reliability 4.7).

    Raises:
        CareRefusedError: nobody has this identifier, or the organisation must be named.
        LedgerBusyError: the database was not had in time.
    """
    with tools.store.read() as connection:
        rules, person = _found(tools, connection, organisation_id, ref)
        shown = _shown(tools, connection, rules, person)
    if reveals:
        org = rules.organisation.organisation_id
        tools.store.writing(lambda writer: _note(tools, writer, org, person, "customer.reveal", who))
    return shown


def unlock_customer(tools: Tools, organisation_id: int | None, ref: CustomerRef, *, who: str) -> ShownCustomer:
    """Lift the lock of her codes and forget the wrong codes that led to it; returns her as she was before.

    Raises:
        CareRefusedError: as `show_customer`.
        LedgerBusyError: nothing was done.
    """

    def unlock(connection: Connection) -> ShownCustomer:
        rules, person = _found(tools, connection, organisation_id, ref)
        org, customer_id = rules.organisation.organisation_id, person.customer.customer_id
        hold_customer(connection, org, customer_id)
        before = _shown(tools, connection, rules, person)
        connection.execute(_UNLOCK, {"o": org, "c": customer_id, "now": to_ms(tools.clock.wall())})
        _note(tools, connection, org, person, "customer.unlock", who)
        return before

    return tools.store.writing(unlock)


def _found(
    tools: Tools, connection: Connection, organisation_id: int | None, ref: CustomerRef
) -> tuple[OrganisationRules, Person]:
    known = tools.rulebook.at(connection)
    rules = known.organisations[the_organisation(known, organisation_id)]
    organisation = rules.organisation
    person, is_usable = find_person(connection, organisation.organisation_id, ref, organisation.country_code)
    if person is None:
        why = "nobody has it" if is_usable else "this card is not active"
        raise CareRefusedError(f"No customer was found by this {ref.kind.value.replace('_', ' ')}: {why}.")
    return rules, person


def _shown(tools: Tools, connection: Connection, rules: OrganisationRules, person: Person) -> ShownCustomer:
    now = tools.clock.wall()
    org, customer_id, today = rules.organisation.organisation_id, person.customer.customer_id, rules.day_of(now)
    groups = [each.group_id for each in family_groups_of(connection, org, person)]
    wallets = [("own", each) for each in own_wallets(connection, org, customer_id, today)]
    for group_id in groups:
        owned = family_wallets(connection, rules, group_id, today)
        known = {each.wallet_id for _, each in wallets}
        wallets += [(f"family group {group_id}", each) for each in owned if each.wallet_id not in known]
    ids = [each.wallet_id for _, each in wallets]
    since = {"org": org, "customer": customer_id, "since": person.code_right_at}
    return ShownCustomer(
        customer=replace(person.customer, cards=cards_of(connection, org, customer_id)),
        codes_locked=person.codes_locked,
        wrong_codes=int(connection.execute(COUNT_FAILURES, since).scalar_one()),
        wallets=tuple(wallets),
        lots=tuple(find_lots(connection, ids, today)) if ids else (),
        entries=tuple(_entry(row) for row in connection.execute(_LAST, {"wallets": ids})) if ids else (),
        family_group_ids=tuple(groups),
    )


def _entry(row: Any) -> ShownEntry:
    return ShownEntry(
        entry_id=row.id,
        at=from_ms(row.at),
        kind=row.kind,
        wallet_id=row.wallet_id,
        points=Points(row.delta),
        till=row.till,
        cashier=row.cashier,
        supervisor=row.supervisor,
    )


def _note(tools: Tools, connection: Connection, org: int, person: Person, act: str, who: str) -> None:
    target = f"customer {person.customer.customer_id}"
    audit.record(connection, at=tools.clock.wall(), org=org, act=act, who=who, target=target)
