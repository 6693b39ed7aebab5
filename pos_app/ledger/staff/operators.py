"""Operators prove their PIN at a till (sync-api 4.2, reliability 4.7).

A try is counted in a commit of its own before the PIN is looked at, and the fifth locks there and then: however many
tries run side by side, five are looked at and no more. A right PIN takes the count back. Comparing is slow on purpose
and happens while no transaction is open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.answers import SignedIn
from pos_app.domain.commands import ChangePin, SignIn
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.databases.locks import hold
from pos_app.ledger.errors import OperatorRefusedError
from pos_app.ledger.rulebook import from_ms, to_ms
from pos_app.ledger.staff.pins import hash_pin, is_pin_right
from pos_app.ledger.staff.tokens import proved_now, write_token
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools
from pos_app.wire.moments import write_moment

TRIES_MAX: Final = 5
FIRST_LOCK: Final = timedelta(minutes=15)
_DOUBLINGS_MAX: Final = 12
"""Then a lock lasts six weeks; a manager ends it with a new PIN."""
_REPEAT: Final = timedelta(minutes=10)
"""So long after a change of her PIN the same call again is known as a repeat."""

_OPERATOR: Final = schema.operator
_WHO: Final = (_OPERATOR.c.org == bindparam("o"), _OPERATOR.c.id == bindparam("i"))
_READ: Final = select(_OPERATOR).where(*_WHO)
_COUNT: Final = (
    update(_OPERATOR)
    .where(*_WHO)
    .values(wrong_pins=bindparam("wrong"), locks=bindparam("times"), locked_until=bindparam("until"))
)
_SAME_PIN: Final = (*_WHO, _OPERATOR.c.is_active, _OPERATOR.c.pin_hash == bindparam("hash_was"))
_FORGIVE: Final = update(_OPERATOR).where(*_SAME_PIN).values(wrong_pins=0, locks=0, locked_until=None)
_SET_PIN: Final = (
    update(_OPERATOR)
    .where(*_SAME_PIN)
    .values(
        pin_hash=bindparam("hash_is"),
        must_change_pin=False,
        pin_set_at=bindparam("now"),
        wrong_pins=0,
        locks=0,
        locked_until=None,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A try that was counted as a wrong one; the PIN may be looked at now."""

    operator_id: int
    name: str = field(repr=False)
    role: str
    pin_hash: str = field(repr=False)
    must_change_pin: bool
    pin_set_at: int | None
    tries_left: int
    until: datetime | None
    """Until when she is locked, should this have been the fifth wrong PIN."""


@dataclass(frozen=True, slots=True)
class AtLedger:
    """Where a command of the ledger itself asks for a PIN: at no till, and in no store."""

    organisation_id: int
    login: str = audit.COMMAND_LINE


Place = Till | AtLedger


def prove_pin(tools: Tools, organisation_id: int, operator_id: int, pin: str) -> str:
    """Compare a PIN for a command of the ledger itself, counted as at a till; returns the operator's role.

    Raises:
        OperatorRefusedError: as `sign_in`.
        LedgerBusyError: as `sign_in`.
    """
    here = AtLedger(organisation_id)
    counted = _count_try(tools, here, operator_id)
    if not is_pin_right(counted.pin_hash, pin):
        raise _wrong(tools, here, counted)
    tools.store.writing(lambda connection: _forgive(tools, connection, here, counted))
    return counted.role


def sign_in(tools: Tools, till: Till, command: SignIn) -> SignedIn:
    """Compare the PIN, and sign that it was right.

    Raises:
        OperatorRefusedError: a wrong PIN, a locked or an unknown operator.
        LedgerBusyError: the try could not be counted or compared in time.
    """
    counted = _count_try(tools, till, command.operator_id)
    if not is_pin_right(counted.pin_hash, command.pin):
        raise _wrong(tools, till, counted)
    now = tools.store.writing(lambda connection: _forgive(tools, connection, till, counted))
    proved = proved_now(till, counted.operator_id, counted.role, now)
    return SignedIn(
        operator_id=counted.operator_id,
        name=counted.name,
        role=counted.role,
        token=write_token(proved, tools.signer),
        proved_at=proved.proved_at,
        not_after=proved.not_after,
        must_change_pin=counted.must_change_pin,
    )


def change_pin(tools: Tools, till: Till, command: ChangePin) -> None:
    """Keep another PIN for an operator who proves her present one. The same call again changes nothing.

    Raises:
        OperatorRefusedError: as `sign_in`.
        LedgerBusyError: as `sign_in`.
    """
    counted = _count_try(tools, till, command.operator_id)
    if not is_pin_right(counted.pin_hash, command.pin):
        if not _is_repeat(tools, till, counted, command):
            raise _wrong(tools, till, counted)
        tools.store.writing(lambda connection: _forgive(tools, connection, till, counted))
        return
    pin_hash = hash_pin(command.new_pin)
    tools.store.writing(lambda connection: _keep(tools, connection, till, counted, pin_hash))


def _is_repeat(tools: Tools, till: Till, counted: _Counted, command: ChangePin) -> bool:
    """Say whether this change was made a moment ago, and only its answer was lost.

    That looks at a second PIN, so it is counted as a second try: nobody learns more than five PINs a lock this way.
    """
    since = to_ms(tools.clock.wall() - _REPEAT)
    if counted.pin_set_at is None or counted.pin_set_at < since or counted.tries_left == 0:
        return False
    counted = _count_try(tools, till, counted.operator_id)
    if is_pin_right(counted.pin_hash, command.new_pin):
        return True
    raise _wrong(tools, till, counted)


# --- Counting ------------------------------------------------------------------------------------------------------


def _count_try(tools: Tools, till: Place, operator_id: int) -> _Counted:
    return tools.store.writing(lambda connection: _counted(tools, connection, till, operator_id))


def _counted(tools: Tools, connection: Connection, till: Place, operator_id: int) -> _Counted:
    """Count a wrong try, before it is known to be one."""
    now = _now(tools, connection, till)
    hold(connection, _OPERATOR, _OPERATOR.c.org == till.organisation_id, _OPERATOR.c.id == operator_id)
    row = connection.execute(_READ, {"o": till.organisation_id, "i": operator_id}).one_or_none()
    if row is None or not _may_sign_in(row, till):
        raise OperatorRefusedError("operator_unknown")
    was_locked = row.locked_until is not None
    if was_locked and row.locked_until > to_ms(now):
        raise OperatorRefusedError("operator_locked", {"until": write_moment(from_ms(row.locked_until))})
    wrong = 1 if was_locked else row.wrong_pins + 1
    is_last = wrong >= TRIES_MAX
    until = now + FIRST_LOCK * 2 ** min(row.locks, _DOUBLINGS_MAX) if is_last else None
    connection.execute(
        _COUNT,
        {
            "o": till.organisation_id,
            "i": operator_id,
            "wrong": wrong,
            "times": row.locks + is_last,
            "until": None if until is None else to_ms(until),
        },
    )
    return _Counted(
        operator_id=operator_id,
        name=row.name,
        role=row.role,
        pin_hash=row.pin_hash,
        must_change_pin=row.must_change_pin,
        pin_set_at=row.pin_set_at,
        tries_left=TRIES_MAX - wrong,
        until=until,
    )


def _may_sign_in(row: Any, till: Place) -> bool:
    """Active, with a PIN, and of this store; no stores named are all stores (import format)."""
    stores = json.loads(row.stores)
    is_here = not stores or isinstance(till, AtLedger) or till.store in stores
    return bool(row.is_active and row.pin_hash is not None and is_here)


def _now(tools: Tools, connection: Connection, till: Place) -> datetime:
    """This transaction's moment; at a till, as long as she is still who was let in."""
    return tools.clock.wall() if isinstance(till, AtLedger) else tools.moment(connection, till).now


def _wrong(tools: Tools, till: Place, counted: _Counted) -> OperatorRefusedError:
    """What a wrong PIN is told; the fifth in a row is also recorded, for somebody may be guessing."""
    if counted.until is None:
        return OperatorRefusedError("pin_wrong", {"tries_left": counted.tries_left})
    until = counted.until

    def note(connection: Connection) -> None:
        audit.record(
            connection,
            at=tools.clock.wall(),
            org=till.organisation_id,
            act="operator.locked",
            who=audit.operator(counted.operator_id),
            target=audit.operator(counted.operator_id),
            detail={"till": till.login, "until": to_ms(until)},
        )

    tools.store.writing(note)
    return OperatorRefusedError("pin_wrong", {"tries_left": 0, "until": write_moment(until)})


def _forgive(tools: Tools, connection: Connection, till: Place, counted: _Counted) -> datetime:
    """A right PIN takes every count back; returns the moment of the proof."""
    now = _now(tools, connection, till)
    _still_so(connection, _FORGIVE, _same(till, counted))
    return now


def _keep(tools: Tools, connection: Connection, till: Till, counted: _Counted, pin_hash: str) -> None:
    now = tools.moment(connection, till).now
    _still_so(connection, _SET_PIN, _same(till, counted) | {"hash_is": pin_hash, "now": to_ms(now)})
    audit.record(
        connection,
        at=now,
        org=till.organisation_id,
        act="operator.pin",
        who=audit.operator(counted.operator_id),
        target=audit.operator(counted.operator_id),
        detail={"till": till.login},
    )


def _same(till: Place, counted: _Counted) -> dict[str, object]:
    return {"o": till.organisation_id, "i": counted.operator_id, "hash_was": counted.pin_hash}


def _still_so(connection: Connection, statement: Any, values: dict[str, object]) -> None:
    """Change her row, unless somebody disabled her or set another PIN while this one was compared."""
    if connection.execute(statement, values).rowcount != 1:
        raise OperatorRefusedError("operator_unknown")
