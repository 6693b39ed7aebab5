"""Which customers were seen in which store (sync-api 5 and 6): who a till keeps, and who comes often.

A check is one SELECT and stays one: who was seen is noted in memory and written down a moment later by whoever has
time. Only the first time on a day costs a write. What a stop of the machine loses is a visit, never points.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError, Store
from pos_app.ledger.feed.telling import CUSTOMER, FAMILY_GROUP, LOOK, PUT, WALLET, tell
from pos_app.ledger.tills import Till

KEPT_DAYS: Final = 90
"""A customer not seen in a store for so long leaves its tills (sync-api 5)."""

_NOTED_MOST: Final = 100_000
"""Beyond this the memory of today's visits begins anew: some are then written twice, which changes nothing."""

_BATCH: Final = 500
_VISIT: Final = schema.visit
_WALLET: Final = schema.wallet
_MEMBER: Final = schema.family_member
_RETURNED: Final = (
    update(_VISIT)
    .where(
        _VISIT.c.org == bindparam("o"),
        _VISIT.c.store == bindparam("s"),
        _VISIT.c.customer_id == bindparam("c"),
        _VISIT.c.last_on < bindparam("day"),
    )
    .values(before_on=_VISIT.c.last_on, last_on=bindparam("day"))
)
_Person = tuple[int, str, int]
"""Organisation, store, customer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer at a till, on a day of the organisation."""

    organisation_id: int
    store: str
    customer_id: int
    day: date

    @property
    def person(self) -> _Person:
        """Who, where."""
        return self.organisation_id, self.store, self.customer_id


class Visits:
    """Visits of this process: noted in memory, and written down later or at once. Safe to use from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[_Person, date] = {}
        """Noted or written on their latest day."""
        self._waiting: dict[_Person, date] = {}

    def note(self, till: Till, customer_id: int, day: date) -> None:
        """A customer was seen; takes no time and never fails."""
        person = (till.organisation_id, till.store, customer_id)
        known = self._known.get(person)
        if known is not None and known >= day:
            return
        with self._lock:
            if len(self._known) >= _NOTED_MOST:
                self._known.clear()
            self._known[person] = self._waiting[person] = day

    def write(self, till: Till, customer_ids: Iterable[int], day: date) -> None:
        """Customers were looked up: their tills keep them from now on.

        Raises:
            LedgerBusyError: the database was not had in time; they are written down later.
        """
        for each in customer_ids:
            self.note(till, each, day)
        self.write_down()

    def write_down(self) -> None:
        """Write what was noted since the last time.

        Raises:
            LedgerBusyError: the database was not had in time; the notes are kept.
        """
        while True:
            with self._lock:
                batch = dict(islice(self._waiting.items(), _BATCH))
            if not batch:
                return
            seen = [Seen(*person, day) for person, day in sorted(batch.items())]
            self._store.writing(lambda connection, seen=seen: keep(connection, seen))  # type: ignore[misc]
            with self._lock:
                for person, day in batch.items():
                    if self._waiting.get(person) == day:
                        del self._waiting[person]


def keep(connection: Connection, seen: Sequence[Seen]) -> None:
    """Write visits in this transaction, and tell tills of those their store did not keep before.

    Raises:
        LostRaceError: another process was faster.
    """
    by_store: dict[tuple[int, str], dict[int, str]] = {}
    for each in seen:
        by_store.setdefault((each.organisation_id, each.store), {})[each.customer_id] = each.day.isoformat()
    for (org, store), days in by_store.items():
        here = (_VISIT.c.org == org, _VISIT.c.store == store)
        known = set(
            connection.execute(select(_VISIT.c.customer_id).where(*here, _VISIT.c.customer_id.in_(days))).scalars()
        )
        returned = [{"o": org, "s": store, "c": each, "day": day} for each, day in days.items() if each in known]
        if returned:
            connection.execute(_RETURNED, returned)
        new = [
            {"org": org, "store": store, "customer_id": each, "last_on": day}
            for each, day in days.items()
            if each not in known
        ]
        if new:
            try:
                connection.execute(insert(_VISIT), new)
            except IntegrityError as error:
                raise LostRaceError from error
            tell(connection, org, _all_of(connection, org, days.keys() - known), op=PUT, store=store)


def forget_quiet(store: Store, today: date, after_step: Callable[[], None]) -> int:
    """Let go of who was not seen in a store for `KEPT_DAYS`, and tell its tills; returns how many.

    Raises:
        LedgerBusyError: the database was not had in time; the rest goes the next time.
    """
    before = (today - timedelta(days=KEPT_DAYS)).isoformat()
    count = 0
    while went := store.writing(lambda connection: _forget_some(connection, before)):
        count += went
        after_step()
    return count


def _forget_some(connection: Connection, before: str) -> int:
    columns = (_VISIT.c.org, _VISIT.c.store, _VISIT.c.customer_id)
    quiet = connection.execute(
        select(*columns).where(_VISIT.c.last_on < before).order_by(_VISIT.c.last_on, *columns).limit(_BATCH)
    ).all()
    by_store: dict[tuple[int, str], list[int]] = {}
    for org, shop, customer_id in quiet:
        by_store.setdefault((org, shop), []).append(customer_id)
    count = 0
    for (org, shop), ids in by_store.items():
        gone = delete(_VISIT).where(_VISIT.c.org == org, _VISIT.c.store == shop, _VISIT.c.customer_id.in_(ids))
        # Whoever came back this very moment stays: told about, she is found among those who are kept.
        count += connection.execute(gone.where(_VISIT.c.last_on < before)).rowcount
        tell(connection, org, _all_of(connection, org, ids), op=LOOK, store=shop)
    return count


def _all_of(connection: Connection, org: int, customer_ids: Iterable[int]) -> list[tuple[str, int]]:
    """Customers with all that is kept because of them: their wallets, their family groups and the wallets of those."""
    ids = sorted(customer_ids)
    groups = _ids(
        connection,
        select(_MEMBER.c.family_group_id).where(_MEMBER.c.org == org, _MEMBER.c.customer_id.in_(ids)).distinct(),
    )
    own = _ids(connection, select(_WALLET.c.id).where(_WALLET.c.org == org, _WALLET.c.customer_id.in_(ids)))
    shared = select(_WALLET.c.id).where(_WALLET.c.org == org, _WALLET.c.family_group_id.in_(groups))
    wallets = own + (_ids(connection, shared) if groups else [])
    return [
        *((CUSTOMER, each) for each in ids),
        *((WALLET, each) for each in wallets),
        *((FAMILY_GROUP, each) for each in groups),
    ]


def _ids(connection: Connection, statement: Any) -> list[int]:
    return sorted(connection.execute(statement).scalars())
