"""What this till may redeem of a wallet by itself now: the lease it holds, what is left of it and until when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pos_app.domain.held import AskedLease, HeldLease
from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.points import ZERO, Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.services.clock_trust import ClockTrust, Distrust
from pos_app.services.offline_port import TillJournal
from pos_app.services.seals_port import Seals

NUMBER_DIGITS_LEAST = 8
"""Mobile numbers of so many digits or more are the same when one ends with the other (a country code apart)."""


class Unusable(StrEnum):
    """Why a lease that is held cannot be spent from."""

    PAST_TERM = "past_term"
    CLOCK = "clock_not_trusted"
    NOT_GENUINE = "lease_not_genuine"
    """It is not as the ledger signed it, or it was given to another till."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """An open lease. `left` counts its unexpired lots; it is zero, with the reason, where it cannot be spent from.

    `until` is when this till stops spending from it, by its own clock.
    """

    held: HeldLease
    left: Points
    until: datetime
    unusable: Unusable | None = None
    distrust: Distrust | None = None


class Allowances:
    """Reads the leases in the journal. Safe to use from any thread; asks nobody."""

    def __init__(self, journal: TillJournal, trust: ClockTrust, seals: Seals, *, login: str) -> None:
        self._journal = journal
        self._trust = trust
        self._seals = seals
        self._login = login

    def of(self, owner: Owner, program_id: int) -> Allowance | None:
        """What is left for this wallet; None: no open lease."""
        held = [
            each
            for each in self._journal.leases()
            if each.state is LeaseState.OPEN and each.lease.owner == owner and each.lease.program_id == program_id
        ]
        return self.look_at(held[-1]) if held else None

    def named(self, customer: CustomerRef, program_id: int | None = None) -> Sequence[HeldLease]:
        """Open leases of this customer's own wallets, found by what was kept with them."""
        return tuple(
            each
            for each in self._journal.leases()
            if each.state is LeaseState.OPEN
            and each.lease.owner.kind is OwnerKind.CUSTOMER
            and program_id in (None, each.lease.program_id)
            and is_named(customer, each.asked)
        )

    def look_at(self, held: HeldLease) -> Allowance:
        """What is left of one open lease, and whether it may be spent from."""
        time = self._trust.left(held.asked, held.lease.term_s)
        now = self._trust.hands().wall
        until = now + timedelta(seconds=time.left_s)
        unusable = None
        if time.distrust is not None:
            unusable = Unusable.CLOCK
        elif not time.is_usable:
            unusable = Unusable.PAST_TERM
        elif not self._is_genuine(held):
            unusable = Unusable.NOT_GENUINE
        left = ZERO if unusable is not None else self._left(held, now)
        return Allowance(held=held, left=left, until=until, unusable=unusable, distrust=time.distrust)

    def _is_genuine(self, held: HeldLease) -> bool:
        epoch = self._journal.chain_head().till_epoch  # An enrolment ends the leases of the one before.
        is_ours = (held.lease.till, held.lease.till_epoch) == (self._login, epoch)
        return is_ours and self._seals.is_lease(held.lease)

    def _left(self, held: HeldLease, now: datetime) -> Points:
        if all(each.usable_until is None or now < each.usable_until for each in held.lease.allocations):
            return held.left
        return left_of_lots(held, self.spends_of(held), now)

    def spends_of(self, held: HeldLease) -> Sequence[Redemption]:
        """The redemptions that were paid by this lease, oldest first."""
        since = min(held.lease.granted_at, held.asked.asked_wall) - timedelta(days=1)
        rows = {row.key: row for row in (*self._journal.day_rows(since), *self._journal.open_redemptions())}
        mine = [row for row in rows.values() if row.lease_id == held.lease.lease_id]
        return sorted(mine, key=lambda row: row.seq or 0)


def left_of_lots(held: HeldLease, spends: Iterable[Redemption], now: datetime) -> Points:
    """What is left in lots that have not expired: each spend took from the lots that had not, in their order.

    What the spends do not account for is taken from what is left: too strict is the safer fault.
    """
    lots = held.lease.allocations
    counts = [each.points.thousandths for each in lots]
    missing = held.spent.thousandths
    for row in spends:
        rest = row.points.thousandths
        missing -= rest
        for index, lot in enumerate(lots):
            if lot.usable_until is None or row.created_at < lot.usable_until:
                taken = min(counts[index], rest)
                counts[index] -= taken
                rest -= taken
    left = sum(
        count for count, lot in zip(counts, lots, strict=True) if lot.usable_until is None or now < lot.usable_until
    )
    return Points(max(0, min(left - max(0, missing), held.left.thousandths)))


def is_named(customer: CustomerRef, asked: AskedLease) -> bool:
    """Say whether an identifier is one of those kept with a lease."""
    if customer.kind is IdentifierKind.ID and customer.value.strip() == str(asked.customer_id):
        return True
    return any(_is_same(customer, each) for each in asked.identifiers)


def _is_same(one: CustomerRef, other: CustomerRef) -> bool:
    if one.kind is not other.kind:
        return False
    if one.kind is not IdentifierKind.MOBILE:
        return one.value.strip().casefold() == other.value.strip().casefold()
    short, long = sorted((_digits(one.value), _digits(other.value)), key=len)
    return short == long or (len(short) >= NUMBER_DIGITS_LEAST and long.endswith(short))


def _digits(number: str) -> str:
    return "".join(each for each in number if each.isdigit()).lstrip("0")
