"""One customer, looked up online by a till that syncs (sync-api 5): she comes into its store's scope."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy import Connection, or_, select

from pos_app.domain.feed import CustomerRows, FeedItem
from pos_app.domain.request import CustomerRef
from pos_app.ledger import schema
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.feed.rows import Rows
from pos_app.ledger.feed.telling import CUSTOMER, FAMILY_GROUP, WALLET
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.people import find_person
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

_WALLET: Final = schema.wallet
_MEMBER: Final = schema.family_member


def look_up(tools: Tools, till: Till, ref: CustomerRef) -> CustomerRows | None:
    """Her row, her wallets, her family groups and their wallets; None: nobody has this identifier, or not any more.

    Raises:
        LedgerBusyError: the database could not be read in time.
    """
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        organisation = moment.rules.organisation
        person, is_usable = find_person(connection, organisation.organisation_id, ref, organisation.country_code)
        if person is None or not is_usable:
            return None
        customer_id = person.customer.customer_id
        items = _items(connection, moment, tools.lease_settings, customer_id)
    with suppress(LedgerBusyError):  # Then it is written a moment later.
        tools.visits.write(till, [customer_id], moment.rules.day_of(moment.now))
    return CustomerRows(epoch=moment.epoch, server_time=moment.now, items=items)


def _items(connection: Connection, moment: Moment, leases: LeaseSettings, customer_id: int) -> list[FeedItem]:
    org = moment.rules.organisation.organisation_id
    member = select(_MEMBER.c.family_group_id).where(_MEMBER.c.org == org, _MEMBER.c.customer_id == customer_id)
    groups = sorted(connection.execute(member).scalars())
    hers = or_(_WALLET.c.customer_id == customer_id, _WALLET.c.family_group_id.in_(groups))
    wallets = sorted(connection.execute(select(_WALLET.c.id).where(_WALLET.c.org == org, hers)).scalars())
    read = Rows(connection, moment, leases)
    return [*read.read(CUSTOMER, [customer_id]), *read.read(WALLET, wallets), *read.read(FAMILY_GROUP, groups)]
