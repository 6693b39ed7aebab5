"""Leases this till asked for, holds and gives back (reliability 4.3). Giving back is committed before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import bindparam, select, text

from pos_app.domain.held import AskedLease, HeldLease
from pos_app.domain.leases import GiveBack, Lease, LeaseState, Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.files.columns import moment_text
from pos_app.journal.commit import Commit
from pos_app.journal.part import Part
from pos_app.journal.rows import row_of
from pos_app.journal.tables import GIVEN_BACK, LEASE, LEASE_ASKED, REDEMPTION
from pos_app.wire.canonical import canonical_json
from pos_app.wire.leases import lease_tree, read_lease_tree

_HELD_AT_MOST: Final = 4096
"""How many leases are kept read: a till holds those of 2,000 regulars and of today's lookups."""

_ASKED: Final = select(LEASE_ASKED.table).order_by(LEASE_ASKED.table.c.id)
_ALL: Final = select(LEASE.table).order_by(LEASE.table.c.id)
_HELD: Final = _ALL.where(text("state <> 'CLOSED'"))  # Written out, as in the index.
_ONE: Final = select(LEASE.table).where(LEASE.table.c.lease_id == bindparam("of_lease"))
_OF_KEY: Final = (
    select(GIVEN_BACK.table).where(GIVEN_BACK.table.c.key == bindparam("of_key")).order_by(GIVEN_BACK.table.c.id)
)


class Leases(Part):
    """The leases of `services.offline_port.OfflineJournal`."""

    def ask_lease(self, asked: AskedLease) -> None:
        """Keep a request for a lease before it is first sent; with `renews` that lease becomes CLOSING, at once.

        Raises:
            StorageError: nothing was kept; nothing may be sent.
            KeyError: the lease to be renewed is not held here.
            ValueError: a bug: the request is not new.
        """
        row = {"request_id": asked.request_id, "asked": asked_text(asked)}

        def work(commit: Commit) -> None:
            commit.add(LEASE_ASKED, row)
            if asked.renews is not None:
                close_in(commit, asked.renews)

        self._file.commit(work, begins=True)

    def asked_leases(self) -> Sequence[AskedLease]:
        """Requests that have no answer yet, oldest first."""
        return [asked_of(row["asked"]) for row in self._rows(_ASKED)]

    def answer_lease(self, request_id: str, lease: Lease | None) -> None:
        """Keep what the ledger answered; None: it gave none. The request is answered, its lease OPEN.

        An answer that comes twice changes nothing: a lease that was closed meanwhile stays closed.

        Raises:
            StorageError: nothing was kept; the request is still open.
            KeyError: this lease was never asked for.
        """

        def work(commit: Commit) -> None:
            request = {"request_id": request_id}
            if lease is not None and commit.find(LEASE, {"lease_id": lease.lease_id}) is None:
                commit.add(LEASE, _row_of(lease, commit.get(LEASE_ASKED, request)["asked"]))
            commit.remove(LEASE_ASKED, request)

        self._file.commit(work)

    def leases(self, *, with_closed: bool = False) -> Sequence[HeldLease]:
        """Leases that are OPEN or CLOSING, oldest first."""
        return [held_of(row) for row in self._rows(_ALL if with_closed else _HELD)]

    def lease(self, lease_id: str) -> HeldLease:
        """One lease.

        Raises:
            KeyError: there is none.
        """
        rows = self._rows(_ONE, {"of_lease": lease_id})
        if not rows:
            raise KeyError(lease_id)
        return held_of(rows[0])

    def mark_lease(self, lease_id: str, state: LeaseState) -> None:
        """CLOSING: never spent again. CLOSED: the ledger was told. A lease never goes back.

        A closed one forgets how its customer can be found and is called: nobody looks for her here any more.

        Raises:
            StorageError: nothing was kept.
            KeyError: there is none.
            ValueError: it would go back.
        """

        def work(commit: Commit) -> None:
            row = commit.get(LEASE, {"lease_id": lease_id}) | {"state": state.value}
            if state is LeaseState.CLOSED:
                row["asked"] = asked_text(replace(asked_of(row["asked"]), customer_label="", identifiers=()))
            commit.put(LEASE, row)

        self._file.commit(work)

    def add_closing(self, redemption: Redemption, given_back: Sequence[GiveBack]) -> None:
        """Keep a new redemption and make the leases it gives back CLOSING, in one commit (4.3, redeem while holding).

        Raises:
            StorageError: nothing was kept; nothing may be sent.
            KeyError: a lease is not held here.
            ValueError: `final_spent` is not what was spent of a lease: the ledger would free what is owed.
        """
        row = row_of(redemption)

        def work(commit: Commit) -> None:
            commit.add(REDEMPTION, row)
            for each in given_back:
                if close_in(commit, each.lease_id) != each.final_spent:
                    raise ValueError("a lease is given back with exactly what was spent of it")
                told = {"lease_id": each.lease_id, "final_spent": each.final_spent.thousandths}
                commit.add(GIVEN_BACK, told | {"key": redemption.key})

        self._file.commit(work, begins=True)

    def given_back(self, key: str) -> Sequence[GiveBack]:
        """The leases that the redemption under this key gives back, as `add_closing` kept them."""
        rows = self._rows(_OF_KEY, {"of_key": key})
        return [GiveBack(row["lease_id"], Points(row["final_spent"])) for row in rows]


def close_in(commit: Commit, lease_id: str) -> Points:
    """Make a lease CLOSING, unless it is on its way out already; returns what was spent of it.

    Raises:
        KeyError: there is none.
    """
    row = commit.get(LEASE, {"lease_id": lease_id})
    if row["state"] == LeaseState.OPEN:
        commit.put(LEASE, row | {"state": LeaseState.CLOSING.value})
    return Points(row["spent"])


def spend_in(commit: Commit, lease_id: str, points: Points) -> None:
    """Raise what was spent of a lease.

    Raises:
        ValueError: it is not held here, not OPEN, or has not so much left (I4).
    """
    row = commit.find(LEASE, {"lease_id": lease_id})
    if row is None or row["state"] != LeaseState.OPEN:
        raise ValueError("this lease is not open on this till")
    if points > Points(row["amount"] - row["spent"]):
        raise ValueError("this lease has not so much left")
    commit.put(LEASE, row | {"spent": row["spent"] + points.thousandths})


# --- Columns -------------------------------------------------------------------------------------------------------


def _row_of(lease: Lease, asked: str) -> dict[str, Any]:
    return {
        "lease_id": lease.lease_id,
        "state": LeaseState.OPEN.value,
        "amount": lease.amount.thousandths,
        "spent": 0,
        "lease": canonical_json(lease_tree(lease)),
        "asked": asked,
    }


def held_of(row: Mapping[str, Any]) -> HeldLease:
    """The lease that stands in these columns."""
    held = _read(row["lease"], row["asked"])
    return replace(held, state=LeaseState(row["state"]), spent=Points(row["spent"]))


@lru_cache(maxsize=_HELD_AT_MOST)
def _read(lease: str, asked: str) -> HeldLease:
    """What never changes of a lease: reading 2,000 of them takes a tenth of a second."""
    return HeldLease(lease=read_lease_tree(json.loads(lease)), asked=asked_of(asked))


def asked_text(asked: AskedLease) -> str:
    """A request for a lease as JSON."""
    return canonical_json(
        {
            "request_id": asked.request_id,
            "owner": [asked.owner.kind.value, asked.owner.owner_id],
            "program_id": asked.program_id,
            "customer_id": asked.customer_id,
            "customer_label": asked.customer_label,
            "identifiers": _pairs(asked.identifiers),
            "asked_wall": moment_text(asked.asked_wall),
            "asked_mono": repr(asked.asked_mono),  # A text: canonical JSON holds no fractions.
            "boot": asked.boot,
            "renews": asked.renews,
        }
    )


def asked_of(told: str) -> AskedLease:
    """Read what `asked_text` wrote."""
    tree = json.loads(told)
    kind, owner_id = tree["owner"]
    return AskedLease(
        request_id=tree["request_id"],
        owner=Owner(OwnerKind(kind), owner_id),
        program_id=tree["program_id"],
        customer_id=tree["customer_id"],
        customer_label=tree["customer_label"],
        identifiers=tuple(CustomerRef(IdentifierKind(each), value) for each, value in tree["identifiers"]),
        asked_wall=datetime.fromisoformat(tree["asked_wall"]),
        asked_mono=float(tree["asked_mono"]),
        boot=tree["boot"],
        renews=tree["renews"],
    )


def _pairs(identifiers: Iterable[CustomerRef]) -> list[list[str]]:
    return [[each.kind.value, each.value] for each in identifiers]
