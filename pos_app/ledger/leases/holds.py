"""What is held of a wallet, by whom, and asking for it back (sync-api 2 and 9, reliability 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, bindparam, func, select, update

from pos_app.domain.answers import WalletView
from pos_app.domain.leases import GiveBack, LeaseState
from pos_app.domain.points import ZERO, Points
from pos_app.ledger import schema
from pos_app.ledger.answering import wallet_view
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.facts import Hold, KeptWallet, Known, wallets_by_id
from pos_app.ledger.leases.closing import own_lease, parts_to_free
from pos_app.ledger.leases.kept import allocs_of
from pos_app.ledger.rulebook import from_ms, to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

_LEASE: Final = schema.lease
_ALLOC: Final = schema.lease_alloc
_OF_WALLETS: Final = _ALLOC.c.wallet_id.in_(bindparam("wallets", expanding=True))
_HELD: Final = func.sum(_ALLOC.c.held)
_LARGEST: Final = (
    select(_LEASE.c.store, _LEASE.c.settle_until, _HELD)
    .join_from(_ALLOC, _LEASE, _LEASE.c.id == _ALLOC.c.lease)
    .where(_OF_WALLETS, _ALLOC.c.held > 0, _LEASE.c.till != bindparam("login"))
    .group_by(_LEASE.c.id, _LEASE.c.store, _LEASE.c.settle_until)
    .order_by(_HELD.desc(), _LEASE.c.id)
    .limit(1)
)
_WANT: Final = (
    update(_LEASE)
    .where(
        _LEASE.c.id.in_(select(_ALLOC.c.lease).where(_OF_WALLETS, _ALLOC.c.held > 0)),
        _LEASE.c.till != bindparam("login"),
        _LEASE.c.state == LeaseState.OPEN.value,
        _LEASE.c.wanted_at.is_(None),
    )
    .values(wanted_at=bindparam("now"))
)


def largest_hold(connection: Connection, wallet_ids: Sequence[int], login: str) -> Hold | None:
    """The most any other till's lease holds of some wallets; None where no other till holds anything."""
    if not wallet_ids:
        return None
    row = connection.execute(_LARGEST, {"wallets": list(wallet_ids), "login": login}).first()
    return None if row is None else Hold(store=row.store, until=from_ms(row.settle_until))


def is_held(known: Known) -> bool:
    """Say whether any till holds anything of the wallets that would pay."""
    return any(each.reserved for each in known.wallets)


def with_hold(connection: Connection, known: Known, till: Till) -> Known:
    """What is known, and who holds most of the wallets that would pay; asked only where anything is held."""
    if not is_held(known):
        return known
    return replace(known, hold=largest_hold(connection, [each.wallet_id for each in known.wallets], till.login))


def view_of(connection: Connection, moment: Moment, till: Till, wallet_ids: Sequence[int]) -> WalletView | None:
    """What some wallets hold now, as the extension tells it."""
    wallets = wallets_by_id(connection, wallet_ids, moment.rules.day_of(moment.now))
    is_held = any(each.reserved for each in wallets)
    return wallet_view(wallets, hold=largest_hold(connection, wallet_ids, till.login) if is_held else None)


def with_free(
    connection: Connection, moment: Moment, known: Known, till: Till, given_back: Iterable[GiveBack]
) -> Known:
    """What is known as if leases of this till had been given back; a check counts them so and changes nothing."""
    freed: dict[int, Points] = {}
    for given in given_back:
        lease = own_lease(connection, till, given.lease_id)
        if lease is None or lease.state != LeaseState.OPEN:
            continue
        for part in parts_to_free(lease.settled, allocs_of(connection, lease.id), given.final_spent, moment.now):
            if part.alloc.is_usable_at(moment.now):
                freed[part.alloc.wallet_id] = freed.get(part.alloc.wallet_id, ZERO) + part.points
    if not freed:
        return known
    wallets = tuple(_with_less_reserved(each, freed.get(each.wallet_id, ZERO)) for each in known.wallets)
    facts = known.facts
    if facts.wallet is not None:
        held = sum(each.reserved.thousandths for each in wallets)
        wallet = replace(facts.wallet, available=facts.wallet.balance - Points(held))
        facts = replace(facts, wallet=wallet)
    return replace(known, facts=facts, wallets=wallets)


def _with_less_reserved(wallet: KeptWallet, freed: Points) -> KeptWallet:
    return replace(wallet, reserved=wallet.reserved - min(freed, wallet.reserved)) if freed else wallet


def want_back(connection: Connection, moment: Moment, till: Till, wallet_ids: Iterable[int]) -> int:
    """Ask the tills that hold points of these wallets to give their leases back; returns how many are asked anew."""
    ids = sorted(set(wallet_ids))
    if not ids:
        return 0
    asked = {"wallets": ids, "login": till.login, "now": to_ms(moment.now)}
    return connection.execute(_WANT, asked).rowcount


def ask_back(tools: Tools, till: Till, moment: Moment, known: Known) -> None:
    """The same for an online check that failed only because of a hold. It may be left to the next one."""
    wallets = [each.wallet_id for each in known.wallets]

    def work(connection: Connection) -> None:
        hold_wallets(connection, wallets)
        want_back(connection, moment, till, wallets)

    try:
        tools.store.writing(work)
    except LedgerBusyError:
        return  # The refusal itself was told; the next question asks again.
