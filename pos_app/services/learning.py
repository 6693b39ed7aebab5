"""What an answer teaches: the till keeps the newest balance it was told, so that its next offline answer is better.

The cache is advice (reliability 4.1). Nothing here can fail a check or a redemption.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from pos_app.domain.facts import Lot, Wallet
from pos_app.domain.points import Points, total
from pos_app.domain.request import CustomerRef
from pos_app.services.ports import Cache


def keep_balance(
    cache: Cache,
    customer: CustomerRef,
    program_id: int | None,
    *,
    balance: Points,
    available: Points,
    at: datetime,
    version: int = 0,
) -> None:
    """Keep the balance of a customer's own wallet, told by the ledger at `at`. Nothing when she was never looked up.

    `version` is the wallet's, where the answer told it: rows of the feed that are older do not undo it (sync-api 5).

    `program_id` None: her only wallet, else nothing. Where she has other wallets too, the record keeps its older age:
    an old number must never look newer than it is (reliability, P8).
    """
    record = cache.find_customer(customer)
    if record is None:
        return
    if program_id is None and len(record.wallets) == 1:
        program_id = record.wallets[0].program_id
    told = next((each for each in record.wallets if each.program_id == program_id), None)
    if told is None:
        return
    changed = _with_balance(told, balance, available)
    cache.keep_wallet(record.customer.customer_id, changed, version, at if len(record.wallets) == 1 else None)


def _with_balance(wallet: Wallet, balance: Points, available: Points) -> Wallet:
    """The wallet with another balance; what was spent came from the lots soonest to expire (contract section 10)."""
    spent = total(lot.points for lot in wallet.lots).thousandths - balance.thousandths
    lots: list[Lot] = []
    for lot in sorted(wallet.lots, key=lambda lot: lot.expires_on or date.max):
        taken = min(max(spent, 0), lot.points.thousandths)
        spent -= taken
        if lot.points.thousandths > taken:
            lots.append(replace(lot, points=Points(lot.points.thousandths - taken)))
    return replace(wallet, balance=balance, available=available, lots=tuple(lots))
