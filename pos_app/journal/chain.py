"""What this till redeemed by itself: the spend, and its sealed place in the chain that is settled (sync-api 7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from pos_app.domain.keys import PRACTICE_PREFIX
from pos_app.domain.points import Points
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.settling import FIRST_PREV_HASH, Spend
from pos_app.journal.commit import MARK_KEY, Commit
from pos_app.journal.leases import spend_in
from pos_app.journal.part import Part
from pos_app.journal.rows import redemption_of, row_of
from pos_app.journal.tables import CHAIN, MARK, PASS_USE, REDEMPTION
from pos_app.services.offline_port import ChainHead, PassUse, Seal
from pos_app.wire.canonical import canonical_json
from pos_app.wire.settling import read_spend_tree, spend_tree

_C: Final = CHAIN.table.c
_ONE: Final = select(CHAIN.table).where(_C.key == bindparam("of_key"))
_FROM: Final = (
    select(_C.key, _C.row)
    .where(_C.till_epoch == bindparam("of_epoch"), _C.seq >= bindparam("from_seq"))
    .order_by(_C.seq)
    .limit(bindparam("limit"))
)
_LAST: Final = select(_C.seq, _C.hash).where(_C.till_epoch == bindparam("of_epoch")).order_by(_C.seq.desc()).limit(1)
_OF_PASS: Final = select(func.coalesce(func.sum(PASS_USE.table.c.points), 0)).where(
    PASS_USE.table.c.nonce == bindparam("of_nonce")
)
_MADE_HERE: Final = frozenset({Kind.LEASE, Kind.RISK})


class Chain(Part):
    """The spends and the settle chain of `services.offline_port.OfflineJournal`."""

    def spend(self, redemption: Redemption, seal: Seal, pass_use: PassUse | None = None) -> Redemption:
        """Keep a redemption that is made here and now (LOCAL_DONE), in one commit (crash point C10).

        The row, its place in the chain, and for a lease `spent` raised. `seal` is called within the commit, on the
        journal's thread, and must not call the journal. Returns the row as it was committed.

        Raises:
            StorageError: nothing was spent.
            ValueError: the lease is not OPEN or has not so much left (I4), the pass has not, or spending is blocked
                (`offline_blocked`); nothing was spent.
        """
        if redemption.kind not in _MADE_HERE or redemption.state is not State.LOCAL_DONE:
            raise ValueError("only a LEASE or RISK row that is LOCAL_DONE is spent")
        if (redemption.kind is Kind.LEASE) != (redemption.lease_id is not None):
            raise ValueError("a LEASE row names its lease, a RISK row none")

        def work(commit: Commit) -> Redemption:
            if redemption.lease_id is not None:
                spend_in(commit, redemption.lease_id, redemption.points)
            if pass_use is not None:
                _use_pass(commit, redemption, pass_use)
            sealed = _seal_in(commit, redemption.key, seal)
            kept = replace(redemption, seq=sealed.seq)
            commit.add(REDEMPTION, row_of(kept))
            return kept

        return self._file.commit(work, begins=True)

    def pass_spent(self, nonce: str) -> Points:
        """What was spent under a pass so far."""
        return Points(self._scalar(_OF_PASS, {"of_nonce": nonce}))

    def sealed(self, key: str) -> Spend:
        """The row to be settled of a redemption that was made here, as it was sealed.

        Raises:
            KeyError: there is none.
        """
        return spend_of(key, self._link(key)["row"])

    def epoch_of(self, key: str) -> int:
        """The till epoch a sealed row belongs to: it is sent under that one.

        Raises:
            KeyError: there is none.
        """
        return int(self._link(key)["till_epoch"])

    def sealed_from(self, till_epoch: int, seq: int, limit: int) -> Sequence[Spend]:
        """Sealed rows of an epoch from a number on, by number: what a `gap` asks for again."""
        rows = self._rows(_FROM, {"of_epoch": till_epoch, "from_seq": seq, "limit": limit})
        return [spend_of(row["key"], row["row"]) for row in rows]

    def seal_online(self, key: str, seal: Seal) -> Spend:
        """Give a confirmed redemption a place in the chain, to offer it to a ledger that was restored (4.4).

        One that has a place keeps it. A row made here whose sealed row was lost with a damaged journal gets a new one.

        Raises:
            StorageError: nothing was kept.
            KeyError: no such redemption.
            ValueError: sealing is blocked: the chain may have lost its end (`offline_blocked`).
        """

        def work(commit: Commit) -> Spend:
            row = commit.get(REDEMPTION, {"key": key})
            link = commit.find(CHAIN, {"key": key})
            if link is not None:
                return spend_of(key, link["row"])
            sealed = _seal_in(commit, key, seal)
            commit.put(REDEMPTION, row_of(replace(redemption_of(row), seq=sealed.seq)))
            return sealed

        return self._file.commit(work)

    def chain_head(self) -> ChainHead:
        """Where the chain stands; number 0 and 64 zeros before the first row of an epoch."""
        return self._file.read(lambda connection: _head(connection, self._epoch(connection)))

    def begin_epoch(self, till_epoch: int) -> None:
        """A new enrolment: the chain begins anew; rows of the old epoch keep their numbers and are still sent.

        A greater epoch also ends `offline_blocked`. The same again changes nothing.

        Raises:
            StorageError: nothing was kept.
            ValueError: it is an older epoch.
        """

        def work(commit: Commit) -> None:
            if till_epoch < commit.till_epoch:
                raise ValueError(f"this till is in epoch {commit.till_epoch}, {till_epoch} is over")
            if till_epoch > commit.till_epoch:
                commit.mark(till_epoch=till_epoch, offline_blocked=None)

        self._file.commit(work)

    @staticmethod
    def _epoch(connection: Any) -> int:
        mark = MARK.get(connection, MARK_KEY)
        return 0 if mark is None else int(mark["till_epoch"])

    def _link(self, key: str) -> Any:
        rows = self._rows(_ONE, {"of_key": key})
        if not rows:
            raise KeyError(key)
        return rows[0]


def _head(connection: Any, till_epoch: int) -> ChainHead:
    last = connection.execute(_LAST, {"of_epoch": till_epoch}).one_or_none()
    return ChainHead(till_epoch, 0, FIRST_PREV_HASH) if last is None else ChainHead(till_epoch, last.seq, last.hash)


def _seal_in(commit: Commit, key: str, seal: Seal) -> Spend:
    """Give a row the next number of the chain.

    Raises:
        ValueError: the chain is blocked, or a bug: what was sealed is not this row, or could not be read back.
    """
    if commit.offline_blocked is not None:
        raise ValueError(f"nothing is spent without a line on this till: {commit.offline_blocked}")
    head = _head(commit.connection, commit.till_epoch)
    sealed = seal(head.seq + 1, head.hash)
    if (sealed.key, sealed.seq, sealed.prev_hash) != (key, head.seq + 1, head.hash):
        raise ValueError("what was sealed is another row, or stands at another place of the chain")
    row = canonical_json(spend_tree(sealed))
    kept = spend_of(key, row)
    if spend_tree(kept) != spend_tree(sealed):
        raise ValueError("a sealed row must be read back as it was written")
    commit.add(CHAIN, {"key": key, "till_epoch": commit.till_epoch, "seq": sealed.seq, "row": row, "hash": sealed.hash})
    return kept


def spend_of(key: str, row: str) -> Spend:
    """The sealed row in this column; what the wire reads strictly has no room for the prefix of practice keys."""
    tree = json.loads(row)
    return replace(read_spend_tree(tree | {"key": key.removeprefix(PRACTICE_PREFIX)}), key=key)


def _use_pass(commit: Commit, redemption: Redemption, use: PassUse) -> None:
    used = Points(commit.connection.execute(_OF_PASS, {"of_nonce": use.nonce}).scalar_one())
    if used + redemption.points > use.at_most:
        raise ValueError("this pass has not so much left")
    commit.add(PASS_USE, {"key": redemption.key, "nonce": use.nonce, "points": redemption.points.thousandths})
