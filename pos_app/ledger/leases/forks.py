"""A till whose rows fork was cloned, or its files were put back: it is frozen until it enrols again (sync-api 7)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.databases.locks import hold_setup
from pos_app.ledger.figures import Happening
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools

_TILL: Final = schema.till
_READ: Final = select(_TILL.c.state, _TILL.c.till_epoch).where(_TILL.c.login == bindparam("till_login"))
_FREEZE: Final = update(_TILL).where(_TILL.c.login == bindparam("till_login")).values(state="FROZEN")


def freeze(tools: Tools, till: Till, till_epoch: int, seq: int) -> None:
    """Freeze a till: no new lease until it is enrolled again. A fork of an earlier enrolment only is reported.

    Raises:
        LedgerBusyError: the database was not had in time; nothing was done.
    """
    tools.store.writing(lambda connection: _freeze(tools, connection, till, till_epoch, seq))
    tools.store.figures.count(Happening.SETTLED, "fork")


def _freeze(tools: Tools, connection: Connection, till: Till, till_epoch: int, seq: int) -> None:
    hold_setup(connection)
    row = connection.execute(_READ, {"till_login": till.login}).one()
    if row.state == "ACTIVE" and row.till_epoch == till_epoch:
        connection.execute(_FREEZE, {"till_login": till.login})
        raise_rules_version(connection)
    audit.record(
        connection,
        at=tools.clock.wall(),
        org=till.organisation_id,
        act="till.fork",
        who=f"till {till.login}",
        target=till.login,
        detail={"till_epoch": till_epoch, "seq": seq, "state_before": row.state},
    )
