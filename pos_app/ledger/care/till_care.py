"""Looking after tills: out of service and back, new passwords, enrolment codes (sync-api 4.1 and 13).

The command line and `/admin` both come here; each change leaves an audit row that says who it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.new_till import new_password
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.databases.locks import hold_setup
from pos_app.ledger.errors import CareRefusedError
from pos_app.ledger.rulebook import from_ms, to_ms
from pos_app.ledger.staff.enrolment import CODE_LIFETIME, code_proof, new_code
from pos_app.ledger.tills import digest_of, proof_of
from pos_app.ledger.tools import Tools

_TILL: Final = schema.till
_SEEN: Final = schema.till_seen
_KEY: Final = schema.till_key
_READ: Final = select(_TILL).where(_TILL.c.login == bindparam("till_login"))
_LIST: Final = (
    select(
        _TILL.c.login,
        _TILL.c.org,
        _TILL.c.store,
        _TILL.c.name,
        _TILL.c.state,
        _TILL.c.till_epoch,
        _SEEN.c.at,
        _SEEN.c.outbox_count,
        func.coalesce(_SEEN.c.version, _KEY.c.software).label("version"),
    )
    .join_from(_TILL, _SEEN, _SEEN.c.login == _TILL.c.login, isouter=True)
    .join(_KEY, (_KEY.c.login == _TILL.c.login) & (_KEY.c.till_epoch == _TILL.c.till_epoch), isouter=True)
    .order_by(_TILL.c.login)
)


class TillAction(StrEnum):
    """What may be done to a till's state (sync-api 13)."""

    DISABLE = "disable"
    ENABLE = "enable"
    LOST = "lost"
    FOUND = "found"


_MOVES: Final[dict[TillAction, frozenset[str]]] = {
    TillAction.DISABLE: frozenset({"ACTIVE", "FROZEN", "LOST"}),
    TillAction.ENABLE: frozenset({"DISABLED"}),
    TillAction.LOST: frozenset({"ACTIVE", "FROZEN"}),
    TillAction.FOUND: frozenset({"LOST"}),
}
"""From which states each may be done. Only a new enrolment thaws a frozen till."""

_AFTER: Final = {TillAction.DISABLE: "DISABLED", TillAction.LOST: "LOST", TillAction.FOUND: "ACTIVE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTill:
    """A till as administrators see it. `outbox_count` is what it last told; `version` too, or told at enrolment."""

    login: str
    organisation_id: int
    store: str
    name: str
    state: str
    till_epoch: int
    last_seen: datetime | None = None
    outbox_count: int | None = None
    version: str | None = None


def list_tills(connection: Connection, organisation_id: int | None = None) -> list[KnownTill]:
    """All tills by their logins, of one organisation or of all."""
    rows = connection.execute(_LIST if organisation_id is None else _LIST.where(_TILL.c.org == organisation_id))
    return [
        KnownTill(
            login=row.login,
            organisation_id=row.org,
            store=row.store,
            name=row.name,
            state=row.state,
            till_epoch=row.till_epoch,
            last_seen=None if row.at is None else from_ms(row.at),
            outbox_count=row.outbox_count,
            version=row.version,
        )
        for row in rows
    ]


def change_till(tools: Tools, login: str, action: TillAction, *, who: str) -> str:
    """Take a till out of service or back; returns its new state. What is so already stays so.

    Raises:
        CareRefusedError: there is no such till, or it is in no state for that.
        LedgerBusyError: the database was not had in time; nothing was done.
    """
    return tools.store.writing(lambda connection: _change(tools, connection, login, action, who))


def _change(tools: Tools, connection: Connection, login: str, action: TillAction, who: str) -> str:
    row = _held(connection, login)
    after: str = _AFTER.get(action) or row.disabled_from or "ACTIVE"
    is_done = row.state == after if action in _AFTER else row.state not in _MOVES[action]
    if is_done:
        return str(row.state)
    if row.state not in _MOVES[action]:
        raise CareRefusedError(f"Till {login} is {row.state}, which {action.value} does not change{_advice(row.state)}")
    before = row.state if action is TillAction.DISABLE else None
    _keep(connection, login, {"state": after, "disabled_from": before})
    detail = {"from": row.state, "to": after}
    _note(tools, connection, row, f"till.{action.value}", who, detail)
    return after


def _advice(state: str) -> str:
    return {
        "DISABLED": ": enable it first.",
        "FROZEN": ": enrol it again with an enrolment code.",
    }.get(state, ".")


def rotate_password(tools: Tools, login: str, *, who: str) -> str:
    """Give a till another random password, shown once and kept nowhere; the old one is no longer let in.

    Raises:
        CareRefusedError: there is no such till.
        LedgerBusyError: nothing was done.
    """
    password = new_password()

    def keep(connection: Connection) -> None:
        row = _held(connection, login)
        _keep(connection, login, {"proof": proof_of(digest_of(password), tools.pepper)})
        _note(tools, connection, row, "till.rotate", who, {})

    tools.store.writing(keep)
    return password


def give_enrolment_code(tools: Tools, login: str, *, who: str) -> str:
    """Make a till's enrolment code: used once, good for 72 hours; one given before is dead from now on.

    Raises:
        CareRefusedError: there is no such till, or it is disabled.
        LedgerBusyError: nothing was done.
    """
    code = new_code()

    def keep(connection: Connection) -> None:
        row = _held(connection, login)
        if row.state == "DISABLED":
            raise CareRefusedError(f"Till {login} is DISABLED, and no code would enrol it: enable it first.")
        until = to_ms(tools.clock.wall() + CODE_LIFETIME)
        values = {"enrolment_code": code_proof(login, code, tools.pepper), "enrolment_code_until": until}
        _keep(connection, login, values | {"enrolment_tries": 0})
        _note(tools, connection, row, "till.enrolment_code", who, {"until": until})

    tools.store.writing(keep)
    return code


def _held(connection: Connection, login: str) -> Any:
    hold_setup(connection)
    row = connection.execute(_READ, {"till_login": login}).one_or_none()
    if row is None:
        raise CareRefusedError("There is no till of this login in this ledger: see till list.")
    return row


def _keep(connection: Connection, login: str, values: dict[str, Any]) -> None:
    connection.execute(update(_TILL).where(_TILL.c.login == login).values(**values))
    raise_rules_version(connection)


def _note(tools: Tools, connection: Connection, row: Any, act: str, who: str, detail: dict[str, object]) -> None:
    audit.record(connection, at=tools.clock.wall(), org=row.org, act=act, who=who, target=row.login, detail=detail)
