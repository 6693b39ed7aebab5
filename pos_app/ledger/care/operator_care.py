"""Looking after operators: who may sign in at tills, and first or forgotten PINs (sync-api 4.2)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from pos_app.domain.request import ID_MAX
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.databases.locks import hold_setup
from pos_app.ledger.errors import CareRefusedError
from pos_app.ledger.loading.setup import ROLES
from pos_app.ledger.rulebook import Rules, to_ms
from pos_app.ledger.staff.pins import hash_pin
from pos_app.ledger.tools import Tools
from pos_app.wire.operators import PIN_LEAST, PIN_MOST, is_pin

_OPERATOR: Final = schema.operator
_WHO: Final = (_OPERATOR.c.org == bindparam("o"), _OPERATOR.c.id == bindparam("i"))
_READ: Final = select(_OPERATOR).where(*_WHO)
_LIST: Final = select(_OPERATOR).where(_OPERATOR.c.org == bindparam("o")).order_by(_OPERATOR.c.id)
_GREATEST: Final = select(func.coalesce(func.max(_OPERATOR.c.id), 0)).where(_OPERATOR.c.org == bindparam("o"))
_UNLOCKED: Final = {"wrong_pins": 0, "locks": 0, "locked_until": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperator:
    """An operator to be added. No stores: she may sign in at all of them. No number: the next free one."""

    name: str = field(repr=False)
    role: str
    operator_id: int | None = None
    stores: tuple[str, ...] = ()
    badge: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOperator:
    """An operator as administrators see her."""

    operator_id: int
    name: str = field(repr=False)
    role: str
    stores: tuple[str, ...]
    is_active: bool
    has_pin: bool
    must_change_pin: bool
    is_locked: bool


def random_pin() -> str:
    """A first PIN of six digits; it is to be changed when it has been used."""
    return f"{secrets.randbelow(10**PIN_MOST):0{PIN_MOST}d}"


def the_organisation(rules: Rules, given: int | None) -> int:
    """The organisation an administrator means; he need not say where there is one only.

    Raises:
        CareRefusedError: there is no such organisation, or he must say which.
    """
    if given is None and len(rules.organisations) == 1:
        return next(iter(rules.organisations))
    if given is None:
        raise CareRefusedError("This ledger has not one organisation: say which one with --organisation.")
    if given not in rules.organisations:
        raise CareRefusedError(f"There is no organisation {given} in this ledger.")
    return given


def add_operator(
    tools: Tools, organisation_id: int | None, operator: NewOperator, pin: str, *, must_change: bool, who: str
) -> int:
    """Add an operator with her first PIN; returns her number.

    Raises:
        CareRefusedError: number taken, role not known, name empty, or no PIN.
        LedgerBusyError: nothing was done.
    """
    if operator.role not in ROLES:
        raise CareRefusedError(f"The role must be one of {', '.join(ROLES)}.")
    if not operator.name.strip():
        raise CareRefusedError("An operator needs a name.")
    if operator.operator_id is not None and not 0 < operator.operator_id <= ID_MAX:
        raise CareRefusedError("An operator's number must be above zero.")
    pin_hash = _hashed(pin)

    def keep(connection: Connection) -> int:
        hold_setup(connection)
        org = the_organisation(tools.rulebook.at(connection), organisation_id)
        number = operator.operator_id or int(connection.execute(_GREATEST, {"o": org}).scalar_one()) + 1
        if connection.execute(_READ, {"o": org, "i": number}).first() is not None:
            raise CareRefusedError(f"There is an operator {number} already; choose another number.")
        connection.execute(
            _OPERATOR.insert(),
            {
                "org": org,
                "id": number,
                "name": operator.name,
                "role": operator.role,
                "stores": json.dumps(list(operator.stores)),
                "badge": operator.badge,
                "pin_hash": pin_hash,
                "must_change_pin": must_change,
                "pin_set_at": to_ms(tools.clock.wall()),
            },
        )
        detail = {"role": operator.role, "stores": list(operator.stores)}
        _note(tools, connection, org, number, "operator.add", who, detail)
        return number

    return tools.store.writing(keep)


def list_operators(tools: Tools, organisation_id: int | None) -> list[KnownOperator]:
    """All operators of an organisation by their numbers.

    Raises:
        CareRefusedError: there is no such organisation, or it must be named.
    """
    now = to_ms(tools.clock.wall())
    with tools.store.read() as connection:
        org = the_organisation(tools.rulebook.at(connection), organisation_id)
        return [
            KnownOperator(
                operator_id=row.id,
                name=row.name,
                role=row.role,
                stores=tuple(json.loads(row.stores)),
                is_active=row.is_active,
                has_pin=row.pin_hash is not None,
                must_change_pin=row.must_change_pin,
                is_locked=row.locked_until is not None and row.locked_until > now,
            )
            for row in connection.execute(_LIST, {"o": org})
        ]


def activate_operator(tools: Tools, organisation_id: int | None, operator_id: int, *, active: bool, who: str) -> None:
    """Let an operator sign in, or no longer: her tokens approve nothing from then on.

    Raises:
        CareRefusedError: there is no such operator.
        LedgerBusyError: nothing was done.
    """
    act = "operator.enable" if active else "operator.disable"
    _change(tools, organisation_id, operator_id, {"is_active": active}, act, who)


def give_pin(
    tools: Tools, organisation_id: int | None, operator_id: int, pin: str, *, must_change: bool, who: str
) -> None:
    """Give an operator another PIN, as when she forgot hers; that also ends a lock.

    Raises:
        CareRefusedError: there is no such operator, or it is no PIN.
        LedgerBusyError: nothing was done.
    """
    set_at = to_ms(tools.clock.wall())
    values = {"pin_hash": _hashed(pin), "must_change_pin": must_change, "pin_set_at": set_at, **_UNLOCKED}
    _change(tools, organisation_id, operator_id, values, "operator.new_pin", who)


def _hashed(pin: str) -> str:
    if not is_pin(pin):
        raise CareRefusedError(f"A PIN has {PIN_LEAST} to {PIN_MOST} digits and nothing else.")
    return hash_pin(pin)


def _change(
    tools: Tools, organisation_id: int | None, operator_id: int, values: dict[str, Any], act: str, who: str
) -> None:
    def keep(connection: Connection) -> None:
        hold_setup(connection)
        org = the_organisation(tools.rulebook.at(connection), organisation_id)
        changed = connection.execute(update(_OPERATOR).where(*_WHO).values(**values), {"o": org, "i": operator_id})
        if changed.rowcount != 1:
            raise CareRefusedError(f"There is no operator {operator_id} here: see operator list.")
        _note(tools, connection, org, operator_id, act, who, {})

    tools.store.writing(keep)


def _note(
    tools: Tools, connection: Connection, org: int, number: int, act: str, who: str, detail: Mapping[str, object]
) -> None:
    target = audit.operator(number)
    audit.record(connection, at=tools.clock.wall(), org=org, act=act, who=who, target=target, detail=detail)
