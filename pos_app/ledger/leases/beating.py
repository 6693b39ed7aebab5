"""The heartbeat: what a till tells of itself every 30 seconds, and what the ledger wants of it (sync-api 9).

The ledger countersigns the end of the till's audit. A till that later tells of a shorter audit, or of another end of
the same length, had its files put back or cut: the manager is told, once.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from pos_app.domain.feed import Countersigned, Heartbeat, HeartbeatAnswer
from pos_app.domain.leases import LeaseState
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.databases.locks import hold_till
from pos_app.ledger.errors import ForbiddenError
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.heartbeats import countersigned_part

_SEEN: Final = schema.till_seen
_LEASE: Final = schema.lease
_READ: Final = select(_SEEN).where(_SEEN.c.login == bindparam("name"))
_WRITE: Final = update(_SEEN).where(_SEEN.c.login == bindparam("name"))
_OPEN: Final = select(_LEASE.c.lease_id, _LEASE.c.revoked_at, _LEASE.c.wanted_at).where(
    _LEASE.c.till == bindparam("name"), _LEASE.c.state == LeaseState.OPEN.value
)
_TOLD: Final = (
    update(_LEASE)
    .where(_LEASE.c.till == bindparam("name"), _LEASE.c.lease_id == bindparam("which"))
    .values(spent_told=bindparam("spent"))
)
_OUT_OF_SERVICE: Final = frozenset({"LOST", "FROZEN", "DISABLED"})


def heartbeat(tools: Tools, till: Till, beat: Heartbeat) -> HeartbeatAnswer:
    """Note what a till tells, in whatever state it is, and say what is wanted of it. What changed the feed knows.

    Raises:
        ForbiddenError: `stale_till_epoch`: the till was enrolled again since; this is an older copy of it.
        LedgerBusyError: the database was not had in time; the next one comes soon.
    """
    if beat.till_epoch != till.till_epoch:
        raise ForbiddenError("stale_till_epoch")
    return tools.store.writing(lambda connection: _beat(tools, connection, till, beat))


def _beat(tools: Tools, connection: Connection, till: Till, beat: Heartbeat) -> HeartbeatAnswer:
    moment = tools.moment(connection, till)
    hold_till(connection, till.login)
    seen = connection.execute(_READ, {"name": till.login}).one_or_none()
    is_cut = seen is not None and _is_cut(seen, beat)
    _note(connection, moment, till, beat, is_new=seen is None)
    _note_spent(connection, till, beat)
    wanted, revoked = _wishes(connection, till)
    if is_cut and seen is not None:
        _report_cut(connection, moment, till, beat, seen)
    countersigned = Countersigned(head=beat.audit_head, count=beat.audit_count, at=moment.now, signature="")
    return HeartbeatAnswer(
        server_time=moment.now,
        epoch=moment.epoch,
        redemptions_enabled=moment.rules.organisation.redemptions_enabled,
        till_state=till.state,
        give_back_wanted=wanted,
        revoked=revoked,
        countersigned=Countersigned(
            head=beat.audit_head,
            count=beat.audit_count,
            at=moment.now,
            signature=tools.signer.sign(countersigned_part(countersigned)),
        ),
    )


def _is_cut(seen: Any, beat: Heartbeat) -> bool:
    """Say whether the audit is not a longer copy of the one countersigned last; a new enrolment begins a new one."""
    if seen.audit_epoch != beat.till_epoch or seen.audit_count is None:
        return False
    if beat.audit_count == seen.audit_count:
        return bool(beat.audit_head != seen.audit_head)
    return bool(beat.audit_count < seen.audit_count)


def _note(connection: Connection, moment: Moment, till: Till, beat: Heartbeat, *, is_new: bool) -> None:
    values = {
        "at": to_ms(moment.now),
        "outbox_count": beat.outbox_count,
        "version": beat.version,
        "oldest_s": beat.oldest_s,
        "clock_ahead_ms": to_ms(beat.wall_clock) - to_ms(moment.now),
        "audit_epoch": beat.till_epoch,
        "audit_count": beat.audit_count,
        "audit_head": beat.audit_head,
    }
    if not is_new:
        connection.execute(_WRITE.values(**values), {"name": till.login})
        return
    try:
        connection.execute(_SEEN.insert(), {"login": till.login, **values})
    except IntegrityError as error:  # Another process saw it first.
        raise LostRaceError from error


def _note_spent(connection: Connection, till: Till, beat: Heartbeat) -> None:
    told = [
        {"name": till.login, "which": lease_id, "spent": spent.thousandths}
        for lease_id, spent in sorted(beat.leases.items())
    ]
    if told:
        connection.execute(_TOLD, told)


def _wishes(connection: Connection, till: Till) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Leases somebody online needs, and leases that must end: all of a till that is out of service."""
    wanted, revoked = [], []
    for lease_id, revoked_at, wanted_at in connection.execute(_OPEN, {"name": till.login}):
        if revoked_at is not None or till.state in _OUT_OF_SERVICE:
            revoked.append(lease_id)
        elif wanted_at is not None:
            wanted.append(lease_id)
    return tuple(sorted(wanted)), tuple(sorted(revoked))


def _report_cut(connection: Connection, moment: Moment, till: Till, beat: Heartbeat, seen: Any) -> None:
    audit.record(
        connection,
        at=moment.now,
        org=till.organisation_id,
        act="till.audit_cut",
        who=f"till {till.login}",
        target=till.login,
        detail={"till_epoch": beat.till_epoch, "had": seen.audit_count, "told": beat.audit_count},
    )
