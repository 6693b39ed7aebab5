"""Keeps whom the till looked up: records of a service without a feed, and what was typed to find them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from pos_app.cache import rows, statements
from pos_app.cache.entries import Person, identifiers_of, person_of
from pos_app.cache.feeding import change_people, known_people, put_family_groups, run
from pos_app.cache.identifiers import forms_of, kept_value
from pos_app.cache.tables import KIND_NUMBER
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.feed import FeedItem
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.files.columns import moment_text
from pos_app.wire.feed_reading import read_customer, read_family_group, read_wallet
from pos_app.wire.formats import UnreadableAnswerError

Seen = tuple[CustomerRecord, CustomerRef | None]


def put_seen(connection: Connection, seen: Sequence[Seen], at: datetime) -> None:
    """Write customers as a service without a feed told of them. Of one the feed told, only her figures are newer."""
    known = known_people(connection, [record.customer.customer_id for record, _named in seen])
    fed = {each.customer_id for each in known.values() if each.is_fed}
    new = [each for each in seen if each[0].customer.customer_id not in fed]
    _put_new(connection, new, known, at)
    for record, _named in seen:
        customer_id = record.customer.customer_id
        if customer_id in fed:
            figures = [rows.figures_tuple(customer_id, each, 0) for each in record.wallets]
            run(connection, statements.PUT_FIGURES_LOOKED_UP, figures)
            run(connection, statements.SEEN, [(moment_text(at), customer_id)])


def _put_new(connection: Connection, seen: Sequence[Seen], known: dict[int, Person], at: datetime) -> None:
    customers: dict[int, tuple[Any, ...]] = {}
    changes: list[tuple[Person | None, Person | None]] = []
    wallets: dict[int, list[tuple[Any, ...]]] = {}
    groups: dict[int, tuple[Any, ...] | None] = {}
    for record, named in seen:
        customer_id = record.customer.customer_id
        before = known.get(customer_id)
        row = rows.customer_tuple(record, "", at)
        also = _also_named(person_of(row), before, named)
        customers[customer_id] = rows.customer_tuple(record, also, at)
        changes.append((before, person_of(row, also)))
        wallets[customer_id] = rows.wallet_tuples(record)
        groups |= {each.group_id: rows.family_group_tuple(each) for each in record.family_groups}
    run(connection, statements.PUT_CUSTOMER, list(customers.values()))
    change_people(connection, changes, anew=True)
    run(connection, statements.DROP_WALLETS_OF, [(customer_id,) for customer_id in wallets])
    run(connection, statements.PUT_WALLET, [row for each in wallets.values() for row in each])
    if groups:
        put_family_groups(connection, groups)


def _also_named(her: Person, before: Person | None, named: CustomerRef | None) -> str:
    """What she was named by beside what she carries, as JSON.

    Only kinds her record does not carry stay: a card number typed once remains hers when a service tells of no cards.
    """
    carried = identifiers_of(her)
    kinds = {kind for kind, _value in carried}
    names = {(kind, value) for kind, value in rows.parsed(before.named if before is not None else "")}
    kept = {(kind, value) for kind, value in names if kind not in kinds}
    if named is not None and named.kind is not IdentifierKind.ID:
        value = kept_value(named.kind, named.value)
        if value and (KIND_NUMBER[named.kind], value) not in carried:
            kept.add((KIND_NUMBER[named.kind], value))
    return rows.list_text(sorted(kept))


def put_named(connection: Connection, customer_id: int, named: CustomerRef, organisation: Organisation | None) -> None:
    """Let what was typed find a customer of the feed again, where nothing she carries reads like it."""
    if named.kind is IdentifierKind.ID:
        return
    before = known_people(connection, [customer_id])[customer_id]
    kind = KIND_NUMBER[named.kind]
    forms = forms_of(named, "" if organisation is None else organisation.country_code)
    if not forms[0] or any((kind, form) in identifiers_of(before) for form in forms):
        return
    after = before._replace(named=rows.list_text(sorted({*map(tuple, rows.parsed(before.named)), (kind, forms[0])})))
    run(connection, statements.PUT_NAMED, [(after.named, customer_id)])
    change_people(connection, [(before, after)])


def record_in(
    items: Sequence[FeedItem], customer_id: int, programs: tuple[Program, ...], at: datetime
) -> CustomerRecord | None:
    """The record rows tell of, for a till that cannot keep them. None: her row cannot be read."""
    her, own = Owner(OwnerKind.CUSTOMER, customer_id), []
    customer, groups = None, []
    for item in items:
        if item.row is None:
            continue
        tree = dict(item.row)
        try:
            if item.type == "customer" and item.id == customer_id:
                customer = read_customer(item.id, tree)
            elif item.type == "wallet":
                told = read_wallet(item.id, tree)
                own += [told.wallet] if told.owner == her else []
            elif item.type == "family_group":
                groups.append(read_family_group(item.id, tree))
        except UnreadableAnswerError:
            continue
    if customer is None:
        return None
    return CustomerRecord(
        customer=customer,
        wallets=tuple(sorted(own, key=lambda wallet: wallet.wallet_id or 0)),
        family_groups=tuple(each for each in groups if each.member(customer_id) is not None),
        programs=programs,
        as_of=at,
    )
