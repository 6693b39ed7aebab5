"""`status` and `journal`: what this till is and keeps; answered at once, whatever else waits (reliability 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pos_app.domain.held import HeldLease
from pos_app.domain.redemption import FINAL, Redemption, State
from pos_app.domain.trouble import StorageError
from pos_app.headless.desk import Asked, Desk, points_or_none
from pos_app.headless.results import OK, Result
from pos_app.wire.moments import write_moment

ROWS_MAX: Final = 100_000


def status(desk: Desk, _asked: Asked) -> Result:
    """How the till is."""
    return Result(outcome=OK, detail=status_detail(desk))


def status_detail(desk: Desk) -> dict[str, Any]:
    """The members of `ready` and `status`."""
    services = desk.services
    health = services.journal.health()
    is_blocked = services.journal.offline_blocked() is not None
    distrust = services.trust.distrust()
    cache = services.cache_status()
    return {
        "line": services.line.view.state.value,
        "till": _till(desk),
        "operator": desk.operator(),
        "clock": {"trusted": distrust is None, "reason": None if distrust is None else distrust.value},
        "cache": {"state": cache.state, "cursor": cache.cursor},
        "journal": {
            "state": health.state.value,
            "set_aside": health.set_aside,
            "export": health.export,
            "message": health.message or None,
        },
        "enrol_again": is_blocked or services.enrolment.must_enrol_again,
        "secrets_in_file": services.has_secrets_file,
        **_outbox(desk),
    }


def _till(desk: Desk) -> dict[str, Any]:
    service = desk.services.service.told
    told = desk.services.lookup.till() or (None if service is None else service.till)
    return {
        "login": desk.login,
        "store": None if told is None else told.store,
        "state": None if told is None else told.state,
        "till_epoch": desk.services.enrolment.till_epoch,
    }


def _outbox(desk: Desk) -> dict[str, Any]:
    """What is under way, and what a supervisor must decide; neither can be told of a journal that cannot be read."""
    journal = desk.services.journal
    try:
        rows = journal.open_redemptions()
        wanting = journal.attention()
    except StorageError:
        return {"outbox": None, "attention": None}
    return {
        "outbox": sum(row.state is not State.PARKED and row.state not in FINAL for row in rows),
        "attention": [
            {"key": row.key, "state": row.state.value, "why": why(row), "points": str(row.points)} for row in wanting
        ],
    }


def why(row: Redemption) -> str:
    """Why a row needs a supervisor, in a word."""
    if row.reason is not None:
        return row.reason
    if row.refusal is not None:
        return row.refusal.value
    return {State.SETTLED_SHORT: "store_loss", State.UNKNOWN: "no_answer"}.get(row.state, "answer_unclear")


def journal(desk: Desk, _asked: Asked) -> Result:
    """Every row and every lease, oldest first."""
    kept = desk.services.journal
    rows = sorted(kept.recent(ROWS_MAX), key=lambda row: row.created_at)
    leases = kept.leases(with_closed=True)
    detail = {"rows": [row_tree(row) for row in rows], "leases": [lease_tree(each) for each in leases]}
    return Result(outcome=OK, detail=detail)


def row_tree(row: Redemption) -> dict[str, Any]:
    """One row, without anything personal."""
    return {
        "key": row.key,
        "kind": row.kind.value,
        "state": row.state.value,
        "points": str(row.points),
        "customer_id": row.customer_id,
        "program_id": row.program_id,
        "lease_id": row.lease_id,
        "seq": row.seq,
        "redemption_id": row.redemption_id,
        "from_lease": points_or_none(row.from_lease),
        "from_free": points_or_none(row.from_free),
        "store_loss": points_or_none(row.store_loss),
        "printed": row.printed_at is not None,
    }


def lease_tree(held: HeldLease) -> dict[str, Any]:
    """One lease this till holds or held."""
    lease = held.lease
    return {
        "lease_id": lease.lease_id,
        "owner": {"kind": lease.owner.kind.value, "id": lease.owner.owner_id},
        "program_id": lease.program_id,
        "amount": str(lease.amount),
        "spent": str(held.spent),
        "state": held.state.value,
        "expires_at": moment_or_none(lease.expires_at),
    }


def moment_or_none(moment: datetime | None) -> str | None:
    """A moment as the wire writes it."""
    return None if moment is None else write_moment(moment)


def as_text(values: Mapping[str, object]) -> dict[str, object]:
    """Values a refusal told beside its word, as JSON can hold them."""
    return {name: write_moment(each) if isinstance(each, datetime) else each for name, each in values.items()}
