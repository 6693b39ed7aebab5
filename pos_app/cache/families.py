"""Family groups the feed told of, and whose points they spend (contract 2.5, import format: pooling)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pos_app.cache import rows, statements
from pos_app.domain.facts import Customer, FamilyGroup, FamilyRecord, Organisation, Pooling, Wallet
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind, PrimaryKind
from pos_app.files.database import DriverConnection

_PRIMARY_KINDS: Final = {
    PrimaryKind.MOBILE: IdentifierKind.MOBILE,
    PrimaryKind.EMAIL: IdentifierKind.EMAIL,
    PrimaryKind.CARD_NUMBER: IdentifierKind.CARD_NUMBER,
    PrimaryKind.CARD_EXTERNAL_ID: IdentifierKind.CARD_EXTERNAL_ID,
    PrimaryKind.ID: IdentifierKind.ID,
}

Find = Callable[[CustomerRef], int | None]


def find_family(
    reader: DriverConnection, named: FamilyGroupRef, customer: Customer, organisation: Organisation, find: Find
) -> FamilyRecord | None:
    """The family group a request names, with the wallets that pay; None: this till cannot say.

    A till keeps the family groups of its own scope: one it does not know may well exist. `find`: whom an identifier
    names.
    """
    if not named.is_explicit and customer.default_family_group_id is None:
        return FamilyRecord()
    group_id = customer.default_family_group_id if not named.is_explicit else _named_by_all(reader, named, find)
    row = None if group_id is None else reader.execute(statements.FIND_FAMILY_GROUP, (group_id,)).fetchone()
    if row is None:
        return None
    group = rows.family_group_of(row, group_id == customer.default_family_group_id)
    wallets = _paying(reader, group, organisation.family_group_pooling)
    return None if wallets is None else FamilyRecord(group=group, wallets=wallets)


def _named_by_all(reader: DriverConnection, named: FamilyGroupRef, find: Find) -> int | None:
    """The one group all routes of a request lead to."""
    routes: list[set[int]] = []
    if named.group_id is not None:
        routes.append(_ids(reader, "group_id", named.group_id))
    if named.external_id is not None:
        routes.append(_ids(reader, "external_id", named.external_id))
    if named.primary_user_id is not None:
        routes.append(_ids(reader, "primary", named.primary_user_id))
    if named.primary_kind is not None and named.primary_value is not None:
        primary = find(CustomerRef(_PRIMARY_KINDS[named.primary_kind], named.primary_value))
        routes.append(set() if primary is None else _ids(reader, "primary", primary))
    led_to = set.intersection(*routes) if routes else set()
    return led_to.pop() if len(led_to) == 1 else None


def _ids(reader: DriverConnection, route: str, value: int | str) -> set[int]:
    return {row[0] for row in reader.execute(statements.FED_GROUP_BY[route], (value,))}


def _paying(reader: DriverConnection, group: FamilyGroup, pooling: Pooling) -> tuple[Wallet, ...] | None:
    """The wallets the group spends from; None as soon as a member is not kept here, or the sum would be too small."""
    if pooling is Pooling.WALLET:
        return _wallets_of(reader, ~group.group_id)
    found: list[Wallet] = []
    for member in group.members:
        if not member.is_active:
            continue
        is_fed = reader.execute(statements.IS_FED, (member.customer_id,)).fetchone()
        if is_fed is None or not is_fed[0]:
            return None
        found += _wallets_of(reader, member.customer_id)
    return tuple(found)


def _wallets_of(reader: DriverConnection, owner: int) -> tuple[Wallet, ...]:
    return tuple(rows.wallet_of(row) for row in reader.execute(statements.WALLETS_OF, (owner,)).fetchall())
