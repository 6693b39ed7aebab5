"""Reads the rows tills keep as they are now, many of one type at once (sync-api 5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.facts import Customer, FamilyGroup, Lot, Member, Wallet
from pos_app.domain.feed import CardTold, FeedItem, OperatorTold, OrganisationTold, RiskLimits, WalletTold
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.request import IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.feed.telling import CUSTOMER, FAMILY_GROUP, OPERATOR, ORGANISATION, PROGRAM, WALLET
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.people import BLOCKING_FRAUD
from pos_app.ledger.rulebook import from_day
from pos_app.ledger.tools import Moment
from pos_app.ledger.wallet_rows import ShownWallet, show_wallets
from pos_app.wire.feed_rows import (
    customer_row,
    family_group_row,
    operator_row,
    organisation_row,
    program_row,
    wallet_row,
)

_ORGANISATION: Final = schema.organisation
_OPERATOR: Final = schema.operator
_CUSTOMER: Final = schema.customer
_IDENTIFIER: Final = schema.identifier
_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member
_WALLET: Final = schema.wallet
_NEVER: Final = "9999-12-31"
_CARD_KINDS: Final = (IdentifierKind.CARD_NUMBER.value, IdentifierKind.CARD_EXTERNAL_ID.value)

_SETTINGS: Final = select(_ORGANISATION.c.settings).where(_ORGANISATION.c.id == bindparam("org"))
_OPERATORS: Final = select(
    _OPERATOR.c.id, _OPERATOR.c.name, _OPERATOR.c.role, _OPERATOR.c.badge, _OPERATOR.c.is_active, _OPERATOR.c.stores
).where(_OPERATOR.c.org == bindparam("org"), _OPERATOR.c.id.in_(bindparam("ids", expanding=True)))
_CUSTOMERS: Final = select(
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
).where(_CUSTOMER.c.org == bindparam("org"), _CUSTOMER.c.id.in_(bindparam("ids", expanding=True)))
_CARDS: Final = (
    select(_IDENTIFIER.c.customer_id, _IDENTIFIER.c.kind, _IDENTIFIER.c.value, _IDENTIFIER.c.is_active)
    .where(
        _IDENTIFIER.c.org == bindparam("org"),
        _IDENTIFIER.c.customer_id.in_(bindparam("ids", expanding=True)),
        _IDENTIFIER.c.kind.in_(_CARD_KINDS),
    )
    .order_by(_IDENTIFIER.c.kind.desc(), _IDENTIFIER.c.value)
)
_WALLETS: Final = select(
    _WALLET.c.id,
    _WALLET.c.customer_id,
    _WALLET.c.family_group_id,
    _WALLET.c.program_id,
    _WALLET.c.state,
    _WALLET.c.version,
    _WALLET.c.lifetime_points,
    _WALLET.c.lifetime_purchases,
    _WALLET.c.promised_points,
).where(_WALLET.c.org == bindparam("org"), _WALLET.c.id.in_(bindparam("ids", expanding=True)))
_GROUPS: Final = select(_GROUP.c.id, _GROUP.c.external_id, _GROUP.c.name, _GROUP.c.status).where(
    _GROUP.c.org == bindparam("org"), _GROUP.c.id.in_(bindparam("ids", expanding=True))
)
_MEMBERS: Final = (
    select(
        _MEMBER.c.family_group_id,
        _MEMBER.c.customer_id,
        _MEMBER.c.is_primary,
        _MEMBER.c.may_redeem,
        _MEMBER.c.is_active,
    )
    .where(_MEMBER.c.org == bindparam("org"), _MEMBER.c.family_group_id.in_(bindparam("ids", expanding=True)))
    .order_by(_MEMBER.c.family_group_id, _MEMBER.c.customer_id)
)


class Rows:
    """Rows of one organisation, as one transaction sees them at one moment."""

    def __init__(self, connection: Connection, moment: Moment, leases: LeaseSettings) -> None:
        self._connection = connection
        self._leases = leases
        self._moment = moment
        self._org = moment.rules.organisation.organisation_id

    def read(self, kind: str, ids: Sequence[int]) -> list[FeedItem]:
        """The rows of one type with these ids, in the order asked; those that are not there are left out."""
        if not ids:
            return []
        read = {
            ORGANISATION: self._organisation,
            PROGRAM: self._programs,
            OPERATOR: self._operators,
            CUSTOMER: self._customers,
            WALLET: self._wallets,
            FAMILY_GROUP: self._family_groups,
        }[kind]
        found = dict(read(ids))
        return [FeedItem(kind, each, found[each]) for each in ids if each in found]

    def _asked(self, ids: Sequence[int]) -> dict[str, Any]:
        return {"org": self._org, "ids": list(ids)}

    def _organisation(self, ids: Sequence[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        if self._org not in ids:
            return
        settings = json.loads(self._connection.execute(_SETTINGS, {"org": self._org}).scalar_one())
        told = OrganisationTold(
            organisation=self._moment.rules.organisation,
            lease_term_s=self._leases.term_s,
            settle_window_s=self._leases.settle_window_s,
            risk=_risk(settings.get("risk") or {}),
        )
        yield self._org, organisation_row(told)

    def _programs(self, ids: Sequence[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        programs = self._moment.rules.programs
        return ((each, program_row(programs[each])) for each in ids if each in programs)

    def _operators(self, ids: Sequence[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        for row in self._connection.execute(_OPERATORS, self._asked(ids)):
            yield (
                row.id,
                operator_row(
                    OperatorTold(
                        operator_id=row.id,
                        name=row.name,
                        role=row.role,
                        badge=row.badge or "",
                        is_active=bool(row.is_active),
                        stores=tuple(json.loads(row.stores)),
                    )
                ),
            )

    def _customers(self, ids: Sequence[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        cards: dict[int, list[CardTold]] = {}
        for customer_id, kind, value, is_active in self._connection.execute(_CARDS, self._asked(ids)):
            named = {"number": value} if kind == IdentifierKind.CARD_NUMBER.value else {"external_id": value}
            cards.setdefault(customer_id, []).append(replace(CardTold(is_active=bool(is_active)), **named))
        for row in self._connection.execute(_CUSTOMERS, self._asked(ids)):
            yield row.id, customer_row(_customer(row), tuple(cards.get(row.id, ())))

    def _wallets(self, ids: Sequence[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        rows = self._connection.execute(_WALLETS, self._asked(ids)).all()
        moment = self._moment
        today = moment.rules.day_of(moment.now).isoformat()
        for each in show_wallets(self._connection, moment.rules, rows, moment.now, with_empty_lots=False):
            yield each.row.id, wallet_row(_wallet(each, today))

    def _family_groups(self, ids: Sequence[int]) -> Iterable[tuple[int, dict[str, Any]]]:
        members: dict[int, list[Member]] = {}
        for row in self._connection.execute(_MEMBERS, self._asked(ids)):
            members.setdefault(row.family_group_id, []).append(
                Member(
                    customer_id=row.customer_id,
                    is_primary=bool(row.is_primary),
                    may_redeem=bool(row.may_redeem),
                    is_active=bool(row.is_active),
                )
            )
        for number, external_id, name, status in self._connection.execute(_GROUPS, self._asked(ids)):
            group = FamilyGroup(
                group_id=number,
                name=name,
                external_id=external_id or "",
                is_active=status == "ACTIVE",
                status=status,
                members=tuple(members.get(number, ())),
            )
            yield number, family_group_row(group)


def _risk(settings: dict[str, Any]) -> RiskLimits:
    """The kept settings of the capped-risk mode; the importer has checked them."""
    limits = {name: Points.of(text) for name, text in settings.items() if name != "enabled"}
    return RiskLimits(enabled=settings.get("enabled", False), **limits)


def _customer(row: Any) -> Customer:
    return Customer(
        customer_id=row.id,
        mobile=row.mobile,
        email=row.email,
        external_id=row.external_id,
        first_name=row.first_name,
        last_name=row.last_name,
        tier=row.tier,
        is_registered=row.type == "LOYALTY",
        is_campaign_only=bool(row.campaign_only),
        is_blocked=row.fraud_status.strip().upper() in BLOCKING_FRAUD,
        default_family_group_id=row.default_family_group_id,
    )


def _wallet(shown: ShownWallet, today: str) -> WalletTold:
    """The lots that count: some points are left, and their day has not passed."""
    row = shown.row
    owner = (
        Owner(OwnerKind.FAMILY_GROUP, row.family_group_id)
        if row.customer_id is None
        else Owner(OwnerKind.CUSTOMER, row.customer_id)
    )
    return WalletTold(
        owner=owner,
        version=row.version,
        wallet=Wallet(
            program_id=row.program_id,
            balance=shown.balance,
            available=shown.balance - shown.reserved,
            lifetime_points=Points(row.lifetime_points),
            lifetime_purchases=Decimal(row.lifetime_purchases),
            promised_points=Points(row.promised_points),
            is_paused=row.state == "PAUSED",
            redeemed_days=shown.redeemed_days,
            lots=tuple(
                Lot(
                    points=lot.remaining,
                    expires_on=from_day(lot.expires_on),
                    awarded_on=from_day(lot.awarded_on),
                    lot_id=lot.lot_id,
                    program_id=row.program_id,
                )
                for lot in shown.lots
                if (lot.expires_on or _NEVER) >= today
            ),
            wallet_id=row.id,
        ),
        held_offline=shown.reserved,
        months=shown.months,
    )
