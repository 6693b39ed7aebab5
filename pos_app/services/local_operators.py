"""Operators that belong to this till: where the service has no extension, nobody else knows them (sync-api 4.2)."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from pos_app.domain.roles import Role
from pos_app.domain.trouble import SyncRefusedError
from pos_app.services.ports import Clock, Journal
from pos_app.services.secret_ports import Pins

TRIES_MAX: Final = 5
FIRST_LOCK: Final = timedelta(minutes=15)
PIN_LENGTHS: Final = range(4, 7)

_KEPT: Final = "operators.local"
_DOUBLINGS_MAX: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOperator:
    """One of them. The journal keeps a hash of her PIN only."""

    operator_id: int
    name: str = field(repr=False)
    role: str
    pin_hash: str = field(repr=False)
    is_active: bool = True
    wrong_pins: int = 0
    locks: int = 0
    locked_until: str | None = None


class LocalOperators:
    """Makes, lists and proves them. Safe to use from any thread."""

    def __init__(self, journal: Journal, clock: Clock, pins: Pins) -> None:
        self._journal = journal
        self._clock = clock
        self._pins = pins
        self._lock = threading.Lock()

    @property
    def has_any(self) -> bool:
        """Say whether any was ever made here."""
        return bool(self.everybody())

    def everybody(self) -> Sequence[LocalOperator]:
        """All of them, by number."""
        kept = self._journal.recall(_KEPT)
        return () if kept is None else tuple(LocalOperator(**each) for each in json.loads(kept))

    def add(self, name: str, role: Role, pin: str) -> LocalOperator:
        """Make an operator. The first one must be a manager, or nobody could make others.

        Raises:
            SyncRefusedError: `name_needed`, `pin_malformed`: 4 to 6 digits; `manager_first`.
            StorageError: nothing was kept.
        """
        if not name.strip():
            raise SyncRefusedError("name_needed")
        _check_pin(pin)
        pin_hash = self._pins.hash(pin)
        with self._lock:
            known = self.everybody()
            if not known and role is not Role.MANAGER:
                raise SyncRefusedError("manager_first")
            number = 1 + max((each.operator_id for each in known), default=0)
            made = LocalOperator(operator_id=number, name=name.strip(), role=role.value, pin_hash=pin_hash)
            self._put(made)
        return made

    def disable(self, operator_id: int) -> None:
        """She cannot sign in any more. Raises: SyncRefusedError, `operator_unknown`."""
        with self._lock:
            self._put(replace(self._get(operator_id), is_active=False))

    def prove(self, operator_id: int, pin: str) -> LocalOperator:
        """Compare a PIN. Five wrong ones in a row lock her for 15 minutes, then for twice as long each time.

        Raises:
            SyncRefusedError: `pin_wrong` (`tries_left`), `operator_locked` (`until`), `operator_unknown`.
            StorageError: the try could not be written down, so no PIN was compared.
        """
        with self._lock:
            found = self._get(operator_id)
            now = self._clock.wall()
            was_locked = found.locked_until is not None
            if found.locked_until is not None and now < datetime.fromisoformat(found.locked_until):
                raise SyncRefusedError("operator_locked", {"until": datetime.fromisoformat(found.locked_until)})
            wrong = 1 if was_locked else found.wrong_pins + 1
            is_last = wrong >= TRIES_MAX
            until = now + FIRST_LOCK * 2 ** min(found.locks, _DOUBLINGS_MAX) if is_last else None
            self._put(
                replace(
                    found,
                    wrong_pins=wrong,
                    locks=found.locks + is_last,
                    locked_until=None if until is None else until.isoformat(),
                )
            )
            if not self._pins.is_right(found.pin_hash, pin):
                raise SyncRefusedError("pin_wrong", {"tries_left": TRIES_MAX - wrong})
            right = replace(found, wrong_pins=0, locks=0, locked_until=None)
            self._put(right)
            return right

    def change_pin(self, operator_id: int, pin: str, new_pin: str) -> None:
        """Keep another PIN for an operator who proves her present one. Raises: as `prove` and `add`."""
        _check_pin(new_pin)
        found = self.prove(operator_id, pin)
        pin_hash = self._pins.hash(new_pin)
        with self._lock:
            self._put(replace(found, pin_hash=pin_hash))

    def _get(self, operator_id: int) -> LocalOperator:
        found = next((each for each in self.everybody() if each.operator_id == operator_id and each.is_active), None)
        if found is None:
            raise SyncRefusedError("operator_unknown")
        return found

    def _put(self, operator: LocalOperator) -> None:
        kept = {each.operator_id: each for each in self.everybody()} | {operator.operator_id: operator}
        self._journal.remember(_KEPT, json.dumps([asdict(kept[number]) for number in sorted(kept)]))


def _check_pin(pin: str) -> None:
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTHS):
        raise SyncRefusedError("pin_malformed")
