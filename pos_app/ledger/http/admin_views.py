"""How the ledger's rows look to an administrator (sync-api 13): points as text, moments in UTC."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pos_app.domain.facts import FamilyGroup
from pos_app.domain.points import Points
from pos_app.ledger.care.till_care import KnownTill
from pos_app.ledger.care.verify import Difference
from pos_app.ledger.leases.listing import ListedLease
from pos_app.ledger.rulebook import from_ms
from pos_app.ledger.wallet_rows import ShownWallet
from pos_app.wire.formats import plain_number
from pos_app.wire.leases import signed_part
from pos_app.wire.moments import write_moment


def entry_tree(row: Any) -> dict[str, Any]:
    """One entry."""
    return {
        "entry_id": row.id,
        "at": write_moment(from_ms(row.at)),
        "kind": row.kind,
        "wallet_id": row.wallet_id,
        "lot_id": row.lot_id,
        "delta": str(Points(row.delta)),
        "key": row.key,
        "lease_id": row.lease_id,
        "cashier": row.cashier,
        "till": row.till,
        "supervisor": row.supervisor,
        "reason": row.reason,
        "redemption_id": row.redemption_id,
    }


def wallet_tree(shown: ShownWallet) -> dict[str, Any]:
    """One wallet with all its lots, soonest to expire first."""
    row = shown.row
    is_customers = row.customer_id is not None
    kind, number = ("customer", row.customer_id) if is_customers else ("family_group", row.family_group_id)
    return {
        "wallet_id": row.id,
        "organisation": row.org,
        "owner": {"kind": kind, "id": number},
        "program_id": row.program_id,
        "version": row.version,
        "state": row.state,
        "balance": str(shown.balance),
        "available": str(shown.balance - shown.reserved),
        "held_offline": str(shown.reserved),
        "lifetime_points": str(Points(row.lifetime_points)),
        "lifetime_purchases": plain_number(Decimal(row.lifetime_purchases)),
        "promised_points": str(Points(row.promised_points)),
        "lots": [
            {
                "lot_id": lot.lot_id,
                "remaining": str(lot.remaining),
                "reserved": str(lot.reserved),
                "awarded_on": lot.awarded_on,
                "expires_on": lot.expires_on,
            }
            for lot in shown.lots
        ],
        "redeemed_days": [{"on": day.isoformat(), "points": str(points)} for day, points in shown.redeemed_days],
        "months": [{"month": month, "points": str(points)} for month, points in shown.months],
    }


def lease_tree(listed: ListedLease) -> dict[str, Any]:
    """One lease as it stands now; its signature is for its till alone."""
    return {
        "lease_number": listed.number,
        "store": listed.store,
        **signed_part(listed.lease),
        "state": listed.state,
        "settled": str(listed.settled),
        "held": str(listed.held),
        "returned": str(listed.returned),
        "revoked_at": None if listed.revoked_at is None else write_moment(listed.revoked_at),
        "wanted_at": None if listed.wanted_at is None else write_moment(listed.wanted_at),
    }


def loss_tree(row: Any) -> dict[str, Any]:
    """One loss of a store."""
    return {
        "loss_id": row.id,
        "store": row.store,
        "till": row.till,
        "key": row.key,
        "points": str(Points(row.points)),
        "at": write_moment(from_ms(row.at)),
        "why": row.why,
    }


def till_tree(till: KnownTill) -> dict[str, Any]:
    """One till."""
    return {
        "login": till.login,
        "organisation": till.organisation_id,
        "store": till.store,
        "name": till.name,
        "state": till.state,
        "till_epoch": till.till_epoch,
        "last_seen": None if till.last_seen is None else write_moment(till.last_seen),
        "outbox_count": till.outbox_count,
        "version": till.version,
    }


def difference_tree(difference: Difference) -> dict[str, Any]:
    """One thing that is not as the entries say."""
    return {"invariant": difference.invariant, "id": difference.about, "detail": difference.detail}


def family_group_tree(group: FamilyGroup, status: str) -> dict[str, Any]:
    """A family group, as its row of sync-api 5."""
    return {
        "id": group.group_id,
        "external_id": group.external_id or None,
        "name": group.name,
        "status": status,
        "members": [
            {
                "customer_id": each.customer_id,
                "primary": each.is_primary,
                "may_redeem": each.may_redeem,
                "active": each.is_active,
            }
            for each in group.members
        ],
    }
