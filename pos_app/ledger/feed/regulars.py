"""Whom a store sees often: for whom its tills ask leases as the shift begins (sync-api 6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, exists, select

from pos_app.domain.leases import Owner, OwnerKind
from pos_app.ledger import schema
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools

REGULARS_MOST: Final = 2000
_WITHIN: Final = timedelta(days=30)
"""Two visits within so many days (sync-api 6)."""

_VISIT: Final = schema.visit
_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_MEMBER: Final = schema.family_member


def find_regulars(tools: Tools, till: Till) -> list[tuple[Owner, int]]:
    """Owners with a program that may be redeemed without a line, and free points in it; who came last, first.

    Raises:
        LedgerBusyError: the database could not be read in time.
    """
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        rules, today = moment.rules, moment.rules.day_of(moment.now)
        programs = [each.program_id for each in rules.programs.values() if each.is_active and each.offline_redemption]
        if not programs:
            return []
        since = (today - _WITHIN).isoformat()
        own = _own(till).where(_VISIT.c.before_on >= since, _WALLET.c.program_id.in_(programs))
        shared = _shared(till).where(_VISIT.c.before_on >= since, _WALLET.c.program_id.in_(programs))
        found = [
            (row.last_on, Owner(kind, row.owner), row.program_id)
            for kind, statement in ((OwnerKind.CUSTOMER, own), (OwnerKind.FAMILY_GROUP, shared))
            for row in connection.execute(_latest(statement))
        ]
    found.sort(key=lambda each: each[0], reverse=True)
    return list(dict.fromkeys((owner, program_id) for _, owner, program_id in found))[:REGULARS_MOST]


def _own(till: Till) -> Select[Any]:
    wallet_is_hers = (_WALLET.c.org == _VISIT.c.org) & (_WALLET.c.customer_id == _VISIT.c.customer_id)
    return (
        select(_VISIT.c.last_on, _WALLET.c.customer_id.label("owner"), _WALLET.c.program_id)
        .join_from(_VISIT, _WALLET, wallet_is_hers)
        .where(_VISIT.c.org == till.organisation_id, _VISIT.c.store == till.store)
    )


def _shared(till: Till) -> Select[Any]:
    """Wallets of family groups that a regular may redeem from."""
    is_member = (_MEMBER.c.org == _VISIT.c.org) & (_MEMBER.c.customer_id == _VISIT.c.customer_id)
    wallet_is_theirs = (_WALLET.c.org == _MEMBER.c.org) & (_WALLET.c.family_group_id == _MEMBER.c.family_group_id)
    return (
        select(_VISIT.c.last_on, _WALLET.c.family_group_id.label("owner"), _WALLET.c.program_id)
        .join_from(_VISIT, _MEMBER, is_member)
        .join(_WALLET, wallet_is_theirs)
        .where(_VISIT.c.org == till.organisation_id, _VISIT.c.store == till.store)
        .where(_MEMBER.c.is_active, _MEMBER.c.may_redeem)
    )


def _latest(statement: Select[Any]) -> Select[Any]:
    free = exists(select(_LOT.c.id).where(_LOT.c.wallet_id == _WALLET.c.id, _LOT.c.rem > _LOT.c.res))
    return (
        statement.where(free, _WALLET.c.state == "ACTIVE")
        .order_by(_VISIT.c.last_on.desc(), _WALLET.c.id)
        .limit(REGULARS_MOST)
    )
