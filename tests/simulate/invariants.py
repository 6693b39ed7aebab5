"""I1 to I6 and P1 to P5, looked up in the ledger's file past the product (reliability 0 and 4.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from simulate.shop_lines import CEILING, OTHER

if TYPE_CHECKING:
    from simulate.till import SimTill
    from simulate.world import World

_LOTS = "SELECT id, rem, res FROM lot WHERE rem < 0 OR res < 0 OR res > rem"
_ENTRIES = """
    SELECT lot.id, lot.rem, coalesce(sum(entry.delta), 0) AS told FROM lot LEFT JOIN entry ON entry.lot_id = lot.id
    GROUP BY lot.id HAVING lot.rem <> told
"""
_TWICE = (
    "SELECT key, count(*) FROM redemption WHERE key IS NOT NULL AND NOT is_history GROUP BY key HAVING count(*) > 1"
)
_OVER_CEILING = """
    SELECT share.wallet_id, share.day, sum(share.points - share.reversed) AS taken FROM share
    JOIN redemption ON redemption.id = share.redemption AND redemption.program_id = ? AND NOT redemption.is_history
    WHERE NOT EXISTS (SELECT 1 FROM settled WHERE settled.key = redemption.key)
    GROUP BY share.wallet_id, share.day HAVING taken > ?
"""
"""A ceiling is no promise of P1, but online it holds, unless two judge at once by what they read before."""

_CHARGES = "SELECT key, -sum(delta) FROM entry WHERE key IS NOT NULL GROUP BY key"
"""By entries: what a redemption took, less what was given back under its key."""

_EXPIRED = """
    SELECT redemption.key, sum(reversal.expired) FROM reversal JOIN redemption ON redemption.id = reversal.redemption
    WHERE redemption.key IS NOT NULL GROUP BY redemption.key HAVING sum(reversal.expired) > 0
"""
"""Points that expired before they were given back: gone as if they had never been redeemed (contract 7)."""
_RESERVED = """
    SELECT lot.id, lot.res, coalesce(sum(part.held), 0) AS lent FROM lot LEFT JOIN (
        SELECT lease_alloc.lot_id, lease_alloc.held FROM lease_alloc
        JOIN lease ON lease.id = lease_alloc.lease AND lease.state IN ('OPEN', 'CLOSING')
    ) AS part ON part.lot_id = lot.id
    GROUP BY lot.id HAVING lot.res <> lent
"""
_LEASES = """
    SELECT lease.lease_id, lease.amount, lease.settled, lease.returned, lease.held, coalesce(sum(lease_alloc.held), 0)
    FROM lease LEFT JOIN lease_alloc ON lease_alloc.lease = lease.id GROUP BY lease.id
"""
_FREED_TOO_MUCH = """
    SELECT lease_id, settled, held, final_spent FROM lease
    WHERE final_spent IS NOT NULL AND state <> 'RECLAIMED' AND settled + held < min(final_spent, amount)
"""
"""Giving back never frees what was spent and is not settled yet (reliability 4.3)."""

_RECLAIMED = "SELECT lease_id, expires_at FROM lease WHERE state = 'RECLAIMED' AND expires_at + ? > ?"
_GIVEN_BACK = "SELECT lease_id, final_spent FROM lease WHERE final_spent IS NOT NULL"
_ASKED_TWICE = "SELECT till, request_id, count(*) FROM lease GROUP BY till, request_id HAVING count(*) > 1"
_LOST_UNDER = """
    SELECT loss.key, loss.points, loss.at, lease.lease_id, lease.amount, lease.expires_at FROM loss
    JOIN settled ON settled.key = loss.key AND settled.till = loss.till
    JOIN lease ON lease.till = loss.till AND lease.lease_id = ?
    WHERE loss.key = ?
"""
_HELD_TOO_LONG = "SELECT lease_id, state, held FROM lease WHERE state IN ('OPEN', 'CLOSING') AND settle_until < ?"
_LOSS = "SELECT key, sum(points) FROM loss GROUP BY key"


def check_ledger(world: World) -> None:
    """After every event that wrote to the ledger."""
    rows = world.central.rows
    for lot_id, rem, res in rows(_LOTS):
        world.fail("P1", f"lot {lot_id} has {rem} left and {res} set aside")
    for lot_id, rem, told in rows(_ENTRIES):
        world.fail("I5", f"lot {lot_id} has {rem} left, its entries say {told}")
    for key, count in rows(_TWICE):
        world.fail("P2", f"{key} was charged {count} times")
    for lot_id, res, held in rows(_RESERVED):
        world.fail("I1", f"lot {lot_id} has {res} set aside, its leases hold {held}")
    for lease_id, amount, settled, returned, held, by_lot in rows(_LEASES):
        if settled + returned + held != amount or held != by_lot:
            world.fail("I3", f"{lease_id}: {settled} settled, {returned} returned, {held} ({by_lot}) held of {amount}")
    for lease_id, settled, held, final_spent in rows(_FREED_TOO_MUCH):
        world.fail("I3", f"{lease_id}: {final_spent} were spent, {settled} are settled, and only {held} are held")
    now, window_ms = int(world.central.clock.wall().timestamp() * 1000), world.settings.settle_window_s * 1000
    for lease_id, expires_at in rows(_RECLAIMED, now if world.settings.strict else window_ms, now):
        world.fail("I6", f"{lease_id} ended at {expires_at} and is reclaimed at {now}, before its till could tell")
    for login, request_id, count in rows(_ASKED_TWICE):
        world.fail("I3", f"{login} got {count} leases under {request_id}")
    for wallet_id, day, taken in rows(_OVER_CEILING, OTHER, CEILING * 1000):
        world.fail("RULES", f"wallet {wallet_id} redeemed {taken} on {day}, past the ceiling")
    _check_slips(world)


def _charged(world: World) -> dict[str, int]:
    """What each key costs its customer, in thousandths."""
    charged: dict[str, int] = dict(world.central.rows(_CHARGES))  # type: ignore[arg-type]
    for key, expired in world.central.rows(_EXPIRED):
        charged[key] -= expired
    return charged


def _check_slips(world: World) -> None:
    """What was confirmed by the ledger is charged once, what was not done is not charged, at any time."""
    charged = _charged(world)
    for slip in world.slips.by_key.values():
        if world.is_excused(slip):
            continue
        net = charged.get(slip.key, 0)
        if slip.is_not_done and net:
            world.fail("P4", f"{slip.key} was told not done, and {net} were charged")
        if slip.is_printed and slip.kind == "ONLINE" and net != slip.points:
            world.fail("P2", f"{slip.key} has a receipt of {slip.points}, and {net} were charged")


def check_tills(world: World, acted: Iterable[SimTill]) -> None:
    """I4 on the tills that did something, and I6: an honest till that tells within the window loses nothing."""
    given_back: dict[str, int] = dict(world.central.rows(_GIVEN_BACK))  # type: ignore[arg-type]
    for till in acted:
        for held in till.leases():
            lease, spent = held.lease, held.spent.thousandths
            if spent > lease.amount.thousandths:
                world.fail("I4", f"{till.name} spent {spent} of {lease.lease_id}, which is of {lease.amount}")
            if spent > given_back.get(lease.lease_id, spent) and till.login not in world.cloned:
                world.fail("I4", f"{till.name} spent {spent} of {lease.lease_id}, which it gave back before")
    lost: Counter[str] = Counter()
    for key, points in world.central.rows(_LOSS):
        slip = world.slips.by_key.get(key)
        if slip is None or slip.lease_id is None or slip.login in world.cloned or world.central.restores:
            continue
        lost[slip.lease_id] += points
        for _, _, at, lease_id, amount, expires_at in world.central.rows(_LOST_UNDER, slip.lease_id, key):
            if at < expires_at + world.settings.settle_window_s * 1000:
                world.fail("I6", f"{key} was told in time and lost {points}")
            if lost[lease_id] > amount:
                world.fail("I6", f"{lease_id} of {amount} lost {lost[lease_id]}")


def check_let_go(world: World) -> None:
    """Long after the heal: no lease is held beyond its time."""
    if world.settings.strict:
        return
    now = int(world.central.clock.wall().timestamp() * 1000)
    for lease_id, state, held in world.central.rows(_HELD_TOO_LONG, now):
        world.fail("STUCK", f"{lease_id} is still {state} and holds {held}")


def check_drained(world: World) -> None:
    """After the heal: nothing is open, and every receipt is paid or a loss of the store."""
    for till in world.living():
        for row in till.open_rows():
            world.fail("STUCK", f"{till.name} still has {row.kind} {row.key} {row.state} since {row.created_at}")
    charged = _charged(world)
    lost: dict[str, int] = dict(world.central.rows(_LOSS))  # type: ignore[arg-type]
    for slip in world.slips.by_key.values():
        if world.is_excused(slip, after_heal=True):
            continue
        if slip.is_not_done and charged.get(slip.key, 0):
            world.fail("P4", f"{slip.key} was told not done, and {charged[slip.key]} are charged after the heal")
        if not slip.is_printed:
            continue
        told = charged.get(slip.key, 0) + lost.get(slip.key, 0)
        if told != slip.points:
            world.fail("P5", f"{slip.key} has a receipt of {slip.points}; charged and lost are {told}")
    _check_phantoms(world, charged)


def _check_phantoms(world: World, charged: dict[str, int]) -> None:
    """Nobody was charged without a receipt."""
    for key, net in charged.items():
        slip = world.slips.by_key.get(key)
        if net and (slip is None or not slip.is_printed) and not world.is_excused_key(key):
            world.fail("P4", f"{key} was charged {net}, and nobody has a receipt")


def check_books(world: World) -> None:
    """At the end: the product's own recompute finds nothing."""
    for difference in world.central.book.verify():
        world.fail("VERIFY", str(difference))
