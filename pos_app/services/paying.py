"""Who would pay for a redemption without a line, and what is known of her: from the cache, else from the lease itself.

The lease's row is enough (reliability 4.1): it keeps the customer's number and the identifiers she was found by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from pos_app.domain.facts import Customer, CustomerRecord, Facts, FamilyGroup, Member, Organisation, Program, Proof
from pos_app.domain.facts import Wallet as WalletFacts
from pos_app.domain.held import HeldLease
from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.request import CustomerRef, FamilyGroupRef, RedemptionRequest
from pos_app.services.allowances import is_named
from pos_app.services.kept_rules import KeptRules
from pos_app.services.offline import today_of
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Cache

_TAKES: Final = frozenset({State.CONFIRMED, State.LOCAL_DONE, State.SETTLING, State.SETTLED, State.SETTLED_SHORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """A customer, the owner of the wallet that pays, and the program. `record` None: she is not in the cache."""

    owner: Owner
    customer_id: int
    program: Program
    organisation: Organisation
    record: CustomerRecord | None = None
    group: FamilyGroup | None = None


class Payers:
    """Finds them. Asks nobody."""

    def __init__(self, journal: TillJournal, cache: Cache, rules: KeptRules) -> None:
        self._journal = journal
        self._cache = cache
        self._rules = rules

    def find(self, request: RedemptionRequest) -> Payer | None:
        """Who pays for this request; None: what is kept here does not tell."""
        record = self._cache.find_customer(request.customer)
        held = [each for each in self._journal.leases() if each.state is LeaseState.OPEN]
        known = [each for each in held if self._is_hers(each, request.customer, record)]
        program = self._program(request, known)
        customer_id = record.customer.customer_id if record is not None else _customer_of(known)
        organisation = self._rules.organisation()
        if program is None or customer_id is None or organisation is None:
            return None
        owner, group = Owner(OwnerKind.CUSTOMER, customer_id), None
        if request.family_group is not None:
            group = self._group(request.family_group, record, held)
            if group is None:
                return None
            owner = Owner(OwnerKind.FAMILY_GROUP, group.group_id)
        return Payer(
            owner=owner,
            customer_id=customer_id,
            program=program,
            organisation=organisation,
            record=record,
            group=group,
        )

    def _is_hers(self, held: HeldLease, customer: CustomerRef, record: CustomerRecord | None) -> bool:
        if record is not None:
            return record.customer.customer_id in (held.asked.customer_id, *held.lease.customer_ids)
        return is_named(customer, held.asked)

    def _program(self, request: RedemptionRequest, known: Sequence[HeldLease]) -> Program | None:
        """The program that was asked for, else the default one, else the only one she has a lease in."""
        if request.program_id is not None:
            return self._rules.program(request.program_id)
        programs = self._cache.programs()
        default = next((each for each in programs if each.is_default), None)
        if default is not None or programs:
            return default if default is not None else programs[0] if len(programs) == 1 else None
        ids = {each.lease.program_id for each in known}
        return self._rules.program(ids.pop()) if len(ids) == 1 else None

    def _group(
        self, named: FamilyGroupRef, record: CustomerRecord | None, held: Sequence[HeldLease]
    ) -> FamilyGroup | None:
        """The family group that is named, as the cache knows it, else from a lease it has here; None: not known."""
        family = self._cache.find_family(named, record.customer) if record is not None else None
        if family is not None or named.group_id is None:
            return None if family is None else family.group
        for each in held:
            if each.lease.owner == Owner(OwnerKind.FAMILY_GROUP, named.group_id):
                return FamilyGroup(group_id=named.group_id, members=tuple(map(Member, each.lease.customer_ids)))
        return None

    def facts(self, payer: Payer, left: Points, proof: Proof, now: datetime) -> Facts:
        """What the rules are judged by: her wallet as last seen, of which `left` may be spent."""
        today = today_of(payer.organisation, now)
        wallet = self._wallet(payer, left, today)
        known = payer.record.customer if payer.record is not None else Customer(customer_id=payer.customer_id)
        default = payer.program
        if not default.is_default:
            default = next((each for each in self._cache.programs() if each.is_default), payer.program)
        return Facts(
            organisation=payer.organisation,
            today=today,
            customer=known,
            program=payer.program,
            default_program=default,
            wallet=wallet,
            family_group=payer.group,
            proof=proof,
        )

    def _wallet(self, payer: Payer, left: Points, today: date) -> WalletFacts:
        seen = None
        if payer.record is not None and payer.group is None:
            mine = (each for each in payer.record.wallets if each.program_id == payer.program.program_id)
            seen = next(mine, None)
        rows = self.rows_since_seen(payer)
        days = _days_of(seen, rows, payer.organisation)
        if seen is None:
            return WalletFacts(program_id=payer.program.program_id, balance=left, available=left, redeemed_days=days)
        spent = total(row.points for row in rows if row.kind in {Kind.LEASE, Kind.RISK})
        balance = max(seen.balance - spent, ZERO)
        return replace(seen, balance=max(balance, left), available=left, redeemed_days=days)

    def rows_since_seen(self, payer: Payer) -> Sequence[Redemption]:
        """What this till took of the wallet and the cache does not know of yet: the ceilings count it as well."""
        seen_at = payer.record.as_of if payer.record is not None else None
        recent = self._journal.day_rows(seen_at) if seen_at is not None else ()
        rows = {row.key: row for row in (*recent, *self._journal.open_redemptions())}
        return [row for row in rows.values() if row.state in _TAKES and _is_of(row, payer)]


def _is_of(row: Redemption, payer: Payer) -> bool:
    if row.kind is Kind.REVERSE or row.program_id != payer.program.program_id:
        return False
    if payer.group is not None:
        return row.family_group is not None and row.family_group.group_id == payer.group.group_id
    return row.family_group is None and row.customer_id == payer.customer_id


def _days_of(
    seen: WalletFacts | None, rows: Sequence[Redemption], organisation: Organisation
) -> tuple[tuple[date, Points], ...]:
    """What was redeemed by day, as far as it is known: the lease's size already stays under each ceiling."""
    days = dict(seen.redeemed_days or ()) if seen is not None else {}
    for row in rows:
        day = today_of(organisation, row.created_at)
        days[day] = days.get(day, ZERO) + row.points
    return tuple(sorted(days.items()))


def _customer_of(known: Sequence[HeldLease]) -> int | None:
    ids = {each.asked.customer_id for each in known}
    return ids.pop() if len(ids) == 1 else None
