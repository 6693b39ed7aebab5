"""Redeeming at the shop's risk, without line and lease: off unless the organisation switched it on (reliability 4.3).

Still nothing is overdrawn: at settlement the ledger takes what is there, and the store bears the rest. The caps bound
what that can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pos_app.domain.feed import RiskLimits
from pos_app.domain.leases import OwnerKind
from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.services.covered import NoWay
from pos_app.services.offline import today_of
from pos_app.services.offline_port import TillJournal
from pos_app.services.paying import Payer

BALANCE_AGE_MOST: Final = timedelta(hours=4)
_A_DAY: Final = timedelta(hours=24)
_UNSETTLED: Final = frozenset({State.LOCAL_DONE, State.SETTLING})


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRoom:
    """What the caps leave. `balance` is what was last seen, less what this till took since."""

    balance: Points
    per_redemption: Points
    customer_day: Points
    outage: Points
    is_balance_old: bool
    is_own_wallet: bool

    @property
    def most(self) -> Points:
        """The most that may be redeemed now."""
        if self.is_balance_old or not self.is_own_wallet:
            return ZERO
        return max(min(self.balance, self.per_redemption, self.customer_day, self.outage), ZERO)

    def why_not(self, points: Points) -> NoWay | None:
        """The first cap against so many points; None: none."""
        checks = (
            (not self.is_own_wallet, NoWay.RISK_OWN_WALLET_ONLY),
            (self.is_balance_old, NoWay.RISK_BALANCE_OLD),
            (points > self.per_redemption, NoWay.RISK_PER_REDEMPTION),
            (points > self.customer_day, NoWay.RISK_PER_CUSTOMER_DAY),
            (points > self.outage, NoWay.RISK_PER_OUTAGE),
        )
        return next((why for stands, why in checks if stands), None)


class Risking:
    """Counts what was already redeemed at the shop's risk.

    `limits` are the organisation's as the feed told them last; `is_off` is the till's own setting, which can only
    switch the mode off.
    """

    def __init__(self, journal: TillJournal, limits: Callable[[], RiskLimits], *, is_off: bool = False) -> None:
        self._journal = journal
        self._limits = limits
        self._is_off = is_off

    def room(self, payer: Payer, now: datetime) -> RiskRoom | None:
        """What may be redeemed of this wallet at the shop's risk; None: the mode is off, or her balance is not known.

        An outage is counted from the journal and not from the line, so that a new start does not begin it anew: all
        that has not been settled yet belongs to it.
        """
        limits = self._limits()
        if self._is_off or not limits.enabled or payer.record is None:
            return None
        program_id = payer.program.program_id
        wallet = next((each for each in payer.record.wallets if each.program_id == program_id), None)
        if wallet is None:
            return None
        seen_at = payer.record.as_of
        rows = [row for row in self._rows(now) if row.kind is Kind.RISK]
        today = today_of(payer.organisation, now)
        hers = [row for row in rows if row.customer_id == payer.customer_id]
        unsettled = total(row.points for row in rows if row.state in _UNSETTLED)
        unsettled_hers = total(row.points for row in hers if row.state in _UNSETTLED)
        of_today = total(row.points for row in hers if today_of(payer.organisation, row.created_at) == today)
        return RiskRoom(
            balance=max(wallet.available - unsettled_hers, ZERO),
            per_redemption=limits.per_redemption,
            customer_day=limits.per_customer_day - of_today,
            outage=limits.per_till_outage - unsettled,
            is_balance_old=seen_at is None or not timedelta(0) <= now - seen_at <= BALANCE_AGE_MOST,
            is_own_wallet=payer.owner.kind is OwnerKind.CUSTOMER,
        )

    def _rows(self, now: datetime) -> list[Redemption]:
        rows = {row.key: row for row in (*self._journal.day_rows(now - _A_DAY), *self._journal.open_redemptions())}
        return list(rows.values())
