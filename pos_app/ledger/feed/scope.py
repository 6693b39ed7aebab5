"""Which customers a till keeps: all, or those a visit to its store is kept of (sync-api 5).

With `store`, wallets and family groups go by their people: a wallet is kept with its owner, a family group and its
wallets while any of its members is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, func, select

from pos_app.domain.feed import Scope
from pos_app.ledger import schema
from pos_app.ledger.feed.places import Counts, Reader

_VISIT: Final = schema.visit
_CUSTOMER: Final = schema.customer
_WALLET: Final = schema.wallet
_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member


class Kept:
    """What one reader keeps, asked for by id."""

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self._connection = connection
        self._org = reader.till.organisation_id
        self._store = reader.till.store
        self.is_all = reader.scope is Scope.ALL

    def customers(self, ids: Collection[int]) -> set[int]:
        """Which of these customers are kept."""
        if self.is_all or not ids:
            return set(ids)
        visited = select(_VISIT.c.customer_id).where(*self._in_store(), _VISIT.c.customer_id.in_(ids))
        return set(self._connection.execute(visited).scalars())

    def family_groups(self, ids: Collection[int]) -> set[int]:
        """Which of these family groups are kept."""
        if self.is_all or not ids:
            return set(ids)
        known = (
            select(_MEMBER.c.family_group_id)
            .where(_MEMBER.c.org == self._org, _MEMBER.c.family_group_id.in_(ids), *self._in_store())
            .where(_VISIT.c.customer_id == _MEMBER.c.customer_id)
        )
        return set(self._connection.execute(known.distinct()).scalars())

    def wallets(self, ids: Collection[int]) -> set[int]:
        """Which of these wallets are kept."""
        if self.is_all or not ids:
            return set(ids)
        columns = (_WALLET.c.id, _WALLET.c.customer_id, _WALLET.c.family_group_id)
        rows = self._connection.execute(select(*columns).where(_WALLET.c.org == self._org, _WALLET.c.id.in_(ids))).all()
        customers = self.customers({row.customer_id for row in rows if row.customer_id is not None})
        groups = self.family_groups({row.family_group_id for row in rows if row.family_group_id is not None})
        return {row.id for row in rows if row.customer_id in customers or row.family_group_id in groups}

    def _in_store(self) -> tuple[ColumnElement[bool], ...]:
        return _VISIT.c.org == self._org, _VISIT.c.store == self._store


def has_visitor(reader: Reader, group_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a member of a family group was seen in the reader's store."""
    return exists(
        select(_MEMBER.c.customer_id)
        .where(_MEMBER.c.org == reader.till.organisation_id, _MEMBER.c.family_group_id == group_id)
        .where(_VISIT.c.org == _MEMBER.c.org, _VISIT.c.store == reader.till.store)
        .where(_VISIT.c.customer_id == _MEMBER.c.customer_id)
    )


def count_rows(connection: Connection, reader: Reader) -> Counts:
    """How many rows a snapshot of this reader has."""
    org = reader.till.organisation_id
    customers = select(func.count()).select_from(_CUSTOMER).where(_CUSTOMER.c.org == org)
    wallets = select(func.count()).select_from(_WALLET).where(_WALLET.c.org == org)
    groups = select(func.count()).select_from(_GROUP).where(_GROUP.c.org == org)
    if reader.scope is Scope.ALL:
        return Counts(*(connection.execute(each).scalar_one() for each in (customers, wallets, groups)))
    here = (_VISIT.c.org == org, _VISIT.c.store == reader.till.store)
    visited = select(func.count()).select_from(_VISIT).where(*here)
    own = wallets.where(_WALLET.c.customer_id.in_(select(_VISIT.c.customer_id).where(*here)))
    shared = wallets.where(_WALLET.c.family_group_id.is_not(None), has_visitor(reader, _WALLET.c.family_group_id))
    groups = groups.where(has_visitor(reader, _GROUP.c.id))
    counted = [connection.execute(each).scalar_one() for each in (visited, own, shared, groups)]
    return Counts(counted[0], counted[1] + counted[2], counted[3])
