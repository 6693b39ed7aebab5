"""Which wallets a till wants a lease of, and which of its leases stand in the way of a redemption online."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pos_app.domain.facts import CustomerRecord, Pooling
from pos_app.domain.held import HeldLease
from pos_app.domain.leases import GiveBack, LeaseState, Owner, OwnerKind
from pos_app.domain.masking import mask_mobile, short_name
from pos_app.domain.request import CustomerRef, IdentifierKind, RedemptionRequest
from pos_app.services.allowances import is_named
from pos_app.services.leasing import Wish
from pos_app.services.offline_port import OfflineJournal
from pos_app.services.ports import Cache

GIVE_BACK_MAX: Final = 8
"""So many leases may be given back beside one call (sync-api 2)."""


def wishes_for(record: CustomerRecord, named: CustomerRef | None) -> Sequence[Wish]:
    """A lease of each of her own wallets that has something; whether a program allows it is for the ledger to say.

    A line that drops between check and redeem is the commonest of all (4.3, grant at lookup).
    """
    mine = (each for each in record.wallets if each.available)
    return tuple(
        _wish(record, named, Owner(OwnerKind.CUSTOMER, record.customer.customer_id), each.program_id) for each in mine
    )


def wish_for(record: CustomerRecord, named: CustomerRef | None, owner: Owner, program_id: int) -> Wish:
    """One wish, for her own wallet or a family group's."""
    return _wish(record, named, owner, program_id)


def wishes_of_regulars(told: Iterable[tuple[Owner, int]], cache: Cache) -> Sequence[Wish]:
    """A lease of each wallet this store sees often; how a customer is found comes from the cache (4.3)."""
    wishes = []
    for owner, program_id in told:
        record = None
        if owner.kind is OwnerKind.CUSTOMER:
            record = cache.find_customer(CustomerRef(IdentifierKind.ID, str(owner.owner_id)))
        if record is not None:
            wishes.append(_wish(record, None, owner, program_id))
        else:
            customer_id = owner.owner_id if owner.kind is OwnerKind.CUSTOMER else 0
            wishes.append(Wish(owner=owner, program_id=program_id, customer_id=customer_id))
    return wishes


def _wish(record: CustomerRecord, named: CustomerRef | None, owner: Owner, program_id: int) -> Wish:
    her = record.customer
    known = (
        CustomerRef(IdentifierKind.MOBILE, her.mobile),
        CustomerRef(IdentifierKind.EMAIL, her.email),
        CustomerRef(IdentifierKind.EXTERNAL_ID, her.external_id),
        *(CustomerRef(IdentifierKind.CARD_NUMBER, card) for card in her.cards),
    )
    refs = dict.fromkeys(each for each in (*known, *([named] if named is not None else [])) if each.value)
    return Wish(
        owner=owner,
        program_id=program_id,
        customer_id=her.customer_id,
        customer_label=", ".join(filter(None, (short_name(her.first_name, her.last_name), mask_mobile(her.mobile)))),
        identifiers=tuple(refs),
    )


class InTheWay:
    """Finds the leases of this till that a check counts as free and a redemption gives back (sync-api 2)."""

    def __init__(self, journal: OfflineJournal, cache: Cache) -> None:
        self._journal = journal
        self._cache = cache

    def of(self, request: RedemptionRequest) -> Sequence[HeldLease]:
        """Leases that hold points this request would spend, at most eight."""
        held = [each for each in self._journal.leases() if each.state is LeaseState.OPEN]
        if not held:
            return ()
        record = self._cache.find_customer(request.customer)
        organisation = self._cache.organisation()
        is_pooled = organisation is not None and organisation.family_group_pooling is Pooling.MEMBERS
        takes_group = request.family_group is not None
        found = [
            each
            for each in held
            if self._is_hers(each, request.customer, record)
            and (request.program_group or request.program_id in (None, each.lease.program_id))
            and (is_pooled or takes_group == (each.lease.owner.kind is OwnerKind.FAMILY_GROUP))
        ]
        return tuple(found[:GIVE_BACK_MAX])

    def give_back(self, request: RedemptionRequest) -> tuple[GiveBack, ...]:
        """The same, as they go over the wire: with all that was ever spent of each."""
        return tuple(GiveBack(each.lease.lease_id, each.spent) for each in self.of(request))

    def _is_hers(self, held: HeldLease, customer: CustomerRef, record: CustomerRecord | None) -> bool:
        if record is None:
            return is_named(customer, held.asked)
        her_id = record.customer.customer_id
        return her_id == held.asked.customer_id or her_id in held.lease.customer_ids
