"""A journal that keeps `services.offline_port.TillJournal`'s promise in memory; it can fail as a full disk does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime

from support.clock import FakeClock

from pos_app.domain.held import AskedLease, HeldLease, KeptOperator
from pos_app.domain.leases import GiveBack, Lease, LeaseState
from pos_app.domain.points import Points, total
from pos_app.domain.redemption import FINAL, Kind, Redemption, State
from pos_app.domain.settling import FIRST_PREV_HASH, Spend
from pos_app.domain.trouble import StorageError
from pos_app.files.columns import moment_text
from pos_app.journal.audit import audit_hash
from pos_app.services.offline_port import AuditHead, AuditRow, ChainHead, JournalHealth, JournalState, PassUse, Seal
from pos_app.services.ports import Clock
from pos_app.wire.canonical import canonical_json

_WAY: tuple[LeaseState, ...] = (LeaseState.OPEN, LeaseState.CLOSING, LeaseState.CLOSED)
_MADE_HERE = (Kind.LEASE, Kind.RISK)


@dataclass
class _Content:
    """All that one commit may change."""

    rows: dict[str, Redemption] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    asked: dict[str, AskedLease] = field(default_factory=dict)
    leases: dict[str, HeldLease] = field(default_factory=dict)
    given_back: dict[str, list[GiveBack]] = field(default_factory=dict)
    links: dict[str, tuple[int, Spend]] = field(default_factory=dict)
    passes: list[tuple[str, Points]] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    operators: dict[int, KeptOperator] = field(default_factory=dict)
    till_epoch: int = 0
    high_water: datetime | None = None
    blocked: str | None = None


class MemoryJournal:
    """`commits` are the states in the order they were committed; while `is_full` none is.

    Each commit raises the mark to what `clock` shows, as on disk.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.commits: list[tuple[str, State]] = []
        self.is_full = False
        self._clock = clock or FakeClock()
        self._content = _Content()
        self._is_rebased = False
        self._lock = threading.RLock()

    # --- Redemptions ------------------------------------------------------------------------------------------------

    def add(self, redemption: Redemption) -> None:
        with self._commit() as now:
            self._add(now, redemption)

    def put(self, redemption: Redemption) -> None:
        with self._commit() as now:
            before = now.rows[redemption.key]
            is_cancelled_late = (before.state, redemption.state) == (State.CONFIRMED, State.CANCELLING)
            is_left = before.state in FINAL and before.state is not redemption.state
            assert not is_left or is_cancelled_late, "a final row stays"
            now.rows[redemption.key] = redemption
            self.commits.append((redemption.key, redemption.state))

    def get(self, key: str) -> Redemption:
        with self._lock:
            return self._content.rows[key]

    def open_redemptions(self) -> Sequence[Redemption]:
        return self._where(lambda row: row.state not in FINAL)

    def recent(self, limit: int) -> Sequence[Redemption]:
        return list(reversed(self._where(lambda _row: True)))[:limit]

    def attention(self) -> Sequence[Redemption]:
        def is_waiting(row: Redemption) -> bool:
            if row.state is State.REFUSED:
                return row.sent_by_itself
            if row.state is State.UNKNOWN:
                return row.next_try_at is None
            return row.state in (State.PARKED, State.SETTLED_SHORT)

        return self._where(lambda row: row.closed_by is None and is_waiting(row))

    def confirmed_since(self, moment: datetime) -> Sequence[Redemption]:
        states = (State.CONFIRMED, State.SETTLED, State.SETTLED_SHORT)
        return self._where(
            lambda row: (
                row.state in states
                and row.kind is not Kind.REVERSE
                and row.changed_at is not None
                and row.changed_at >= moment
            )
        )

    def ended_since(self, moment: datetime) -> Sequence[Redemption]:
        states = (State.CONFIRMED, State.SETTLED, State.SETTLED_SHORT, State.CANCELLED, State.REVERSED)
        everything = self._where(lambda _row: True)
        newest = {row.key for row in everything[-1000:]}
        return [
            row
            for row in everything
            if row.state in states
            and row.kind is not Kind.REVERSE
            and (row.key in newest or (row.changed_at is not None and row.changed_at >= moment))
        ]

    def day_rows(self, since: datetime) -> Sequence[Redemption]:
        return self._where(lambda row: max(row.created_at, row.changed_at or row.created_at) >= since)

    def spent_today(self, customer_id: int, program_id: int, since: datetime) -> Points:
        rows = self._where(
            lambda row: (
                row.kind in _MADE_HERE
                and (row.customer_id, row.program_id) == (customer_id, program_id)
                and row.created_at >= since
            )
        )
        return total(row.points for row in rows)

    def mark_printed(self, key: str, at: datetime) -> Redemption:
        return self._changed(key, lambda row: replace(row, printed_at=at))

    def close_row(self, key: str, closed_by: str) -> Redemption:
        return self._changed(key, lambda row: replace(row, closed_by=closed_by))

    # --- Leases -----------------------------------------------------------------------------------------------------

    def ask_lease(self, asked: AskedLease) -> None:
        with self._commit() as now:
            if asked.request_id in now.asked:
                raise ValueError("asked before")
            now.asked[asked.request_id] = asked
            if asked.renews is not None:
                self._close(now, asked.renews)

    def asked_leases(self) -> Sequence[AskedLease]:
        with self._lock:
            return list(self._content.asked.values())

    def answer_lease(self, request_id: str, lease: Lease | None) -> None:
        with self._commit() as now:
            if lease is not None and lease.lease_id not in now.leases:
                now.leases[lease.lease_id] = HeldLease(lease=lease, asked=now.asked[request_id])
            now.asked.pop(request_id, None)

    def leases(self, *, with_closed: bool = False) -> Sequence[HeldLease]:
        with self._lock:
            held = self._content.leases.values()
            return [each for each in held if with_closed or each.state is not LeaseState.CLOSED]

    def lease(self, lease_id: str) -> HeldLease:
        with self._lock:
            return self._content.leases[lease_id]

    def mark_lease(self, lease_id: str, state: LeaseState) -> None:
        with self._commit() as now:
            held = now.leases[lease_id]
            if state not in _WAY or _WAY.index(state) < _WAY.index(held.state):
                raise ValueError("a lease never goes back")
            asked = held.asked
            if state is LeaseState.CLOSED:
                asked = replace(asked, customer_label="", identifiers=())
            now.leases[lease_id] = replace(held, state=state, asked=asked)

    def add_closing(self, redemption: Redemption, given_back: Sequence[GiveBack]) -> None:
        with self._commit() as now:
            self._add(now, redemption)
            for each in given_back:
                if self._close(now, each.lease_id) != each.final_spent:
                    raise ValueError("a lease is given back with exactly what was spent of it")
                now.given_back.setdefault(redemption.key, []).append(each)

    def given_back(self, key: str) -> Sequence[GiveBack]:
        with self._lock:
            return list(self._content.given_back.get(key, ()))

    # --- The chain --------------------------------------------------------------------------------------------------

    def spend(self, redemption: Redemption, seal: Seal, pass_use: PassUse | None = None) -> Redemption:
        if redemption.kind not in _MADE_HERE or redemption.state is not State.LOCAL_DONE:
            raise ValueError("only a LEASE or RISK row that is LOCAL_DONE is spent")
        if (redemption.kind is Kind.LEASE) != (redemption.lease_id is not None):
            raise ValueError("a LEASE row names its lease, a RISK row none")
        with self._commit() as now:
            if redemption.lease_id is not None:
                held = now.leases.get(redemption.lease_id)
                if held is None or redemption.points > held.left:
                    raise ValueError("this lease is not open, or has not so much left")
                now.leases[redemption.lease_id] = replace(held, spent=held.spent + redemption.points)
            if pass_use is not None:
                if self.pass_spent(pass_use.nonce) + redemption.points > pass_use.at_most:
                    raise ValueError("this pass has not so much left")
                now.passes.append((pass_use.nonce, redemption.points))
            kept = replace(redemption, seq=self._seal(now, redemption.key, seal).seq)
            self._add(now, kept)
            return kept

    def pass_spent(self, nonce: str) -> Points:
        with self._lock:
            return total(points for each, points in self._content.passes if each == nonce)

    def sealed(self, key: str) -> Spend:
        with self._lock:
            return self._content.links[key][1]

    def epoch_of(self, key: str) -> int:
        with self._lock:
            return self._content.links[key][0]

    def sealed_from(self, till_epoch: int, seq: int, limit: int) -> Sequence[Spend]:
        with self._lock:
            links = self._content.links.values()
            return [spend for epoch, spend in links if epoch == till_epoch and spend.seq >= seq][:limit]

    def seal_online(self, key: str, seal: Seal) -> Spend:
        with self._commit() as now:
            row = now.rows[key]
            if key not in now.links:
                now.rows[key] = replace(row, seq=self._seal(now, key, seal).seq)
            return now.links[key][1]

    def chain_head(self) -> ChainHead:
        with self._lock:
            return self._head(self._content)

    def begin_epoch(self, till_epoch: int) -> None:
        with self._commit() as now:
            if till_epoch < now.till_epoch:
                raise ValueError("an older epoch")
            if till_epoch > now.till_epoch:
                now.till_epoch, now.blocked = till_epoch, None

    # --- Facts, the clock, the audit, operators ----------------------------------------------------------------------

    def remember(self, name: str, value: str) -> None:
        with self._commit() as now:
            now.facts[name] = value

    def recall(self, name: str) -> str | None:
        with self._lock:
            return self._content.facts.get(name)

    def high_water(self) -> datetime | None:
        with self._lock:
            return self._content.high_water

    def mark_clock(self, wall: datetime, *, rebase: bool = False) -> None:
        with self._commit() as now:
            now.high_water = wall if rebase or now.high_water is None else max(now.high_water, wall)
            self._is_rebased = rebase

    def note(self, act: str, who: int | None, target: str, detail: dict[str, object]) -> None:
        with self._commit() as now:
            head = self.audit_head()
            row = {
                "number": head.count + 1,
                "at": moment_text(self._clock.wall()),
                "act": act,
                "who": who,
                "target": target,
                "detail": canonical_json(detail),
            }
            now.audit.append(
                AuditRow(
                    number=head.count + 1,
                    at=self._clock.wall(),
                    act=act,
                    who=who,
                    target=target,
                    detail=deepcopy(detail),
                    prev_hash=head.hash,
                    hash=audit_hash(head.hash, row),
                )
            )

    def audit_head(self) -> AuditHead:
        with self._lock:
            rows = self._content.audit
            return AuditHead(len(rows), rows[-1].hash) if rows else AuditHead(0, FIRST_PREV_HASH)

    def audit_rows(self, after: int = 0, limit: int = 1000) -> Sequence[AuditRow]:
        with self._lock:
            return self._content.audit[after : after + limit]

    def keep_operator(self, operator: KeptOperator) -> None:
        with self._commit() as now:
            now.operators[operator.operator_id] = operator

    def operator(self, operator_id: int) -> KeptOperator | None:
        with self._lock:
            return self._content.operators.get(operator_id)

    def take_pin_try(self, operator_id: int) -> KeptOperator | None:
        with self._commit() as now:
            kept = now.operators.get(operator_id)
            if kept is None or kept.tries_left == 0 or kept.pin_hash is None:
                return None
            counted = replace(kept, tries_left=kept.tries_left - 1)
            dropped = counted if counted.tries_left else replace(counted, pin_hash=None, token=None)
            now.operators[operator_id] = dropped
            return counted

    def forget_operator(self, operator_id: int) -> None:
        with self._commit() as now:
            now.operators.pop(operator_id, None)

    # --- The file ---------------------------------------------------------------------------------------------------

    def health(self) -> JournalHealth:
        if self.is_full:
            return JournalHealth(JournalState.FULL)
        blocked = self.offline_blocked()
        return JournalHealth(JournalState.OK if blocked is None else JournalState(blocked))

    def offline_blocked(self) -> str | None:
        with self._lock:
            return self._content.blocked

    def block(self, why: JournalState) -> None:
        """As after damage: nothing is spent until the till is enrolled again."""
        self._content.blocked = why.value

    def recover(self) -> bool:
        return not self.is_full

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Whatever is done within is taken back at the end."""
        before, noted = self._content, len(self.commits)
        try:
            yield
        finally:
            self._content = before
            del self.commits[noted:]

    # --- Within a commit --------------------------------------------------------------------------------------------

    @contextmanager
    def _commit(self) -> Iterator[_Content]:
        """All of it is kept, or nothing."""
        with self._lock:
            if self.is_full:
                raise StorageError("the disk is full")
            before, noted, self._is_rebased = self._content, len(self.commits), False
            self._content = _copied(before)
            try:
                yield self._content
                if not self._is_rebased:
                    self._saw_clock(self._content)
            except BaseException:
                self._content = before
                del self.commits[noted:]
                raise

    def _saw_clock(self, now: _Content) -> None:
        wall = self._clock.wall()
        now.high_water = wall if now.high_water is None else max(now.high_water, wall)

    def _add(self, now: _Content, redemption: Redemption) -> None:
        assert redemption.key not in now.rows, "a new redemption has a new key"
        now.rows[redemption.key] = redemption
        self.commits.append((redemption.key, redemption.state))

    def _changed(self, key: str, change: Callable[[Redemption], Redemption]) -> Redemption:
        with self._commit() as now:
            now.rows[key] = change(now.rows[key])
            return now.rows[key]

    def _where(self, is_one: Callable[[Redemption], bool]) -> list[Redemption]:
        with self._lock:
            return [row for row in self._content.rows.values() if is_one(row)]

    @staticmethod
    def _close(now: _Content, lease_id: str) -> Points:
        held = now.leases[lease_id]
        if held.state is LeaseState.OPEN:
            now.leases[lease_id] = replace(held, state=LeaseState.CLOSING)
        return held.spent

    @staticmethod
    def _head(now: _Content) -> ChainHead:
        spends = [spend for epoch, spend in now.links.values() if epoch == now.till_epoch]
        last = max(spends, key=lambda each: each.seq, default=None)
        return (
            ChainHead(now.till_epoch, 0, FIRST_PREV_HASH)
            if last is None
            else ChainHead(now.till_epoch, last.seq, last.hash)
        )

    def _seal(self, now: _Content, key: str, seal: Seal) -> Spend:
        if now.blocked is not None:
            raise ValueError(f"nothing is spent without a line on this till: {now.blocked}")
        head = self._head(now)
        sealed = seal(head.seq + 1, head.hash)
        if (sealed.key, sealed.seq, sealed.prev_hash) != (key, head.seq + 1, head.hash):
            raise ValueError("what was sealed is another row, or stands at another place of the chain")
        now.links[key] = (now.till_epoch, sealed)
        return sealed


def _copied(content: _Content) -> _Content:
    """A copy whose tables may change; their values never do."""
    return replace(
        content,
        rows=dict(content.rows),
        facts=dict(content.facts),
        asked=dict(content.asked),
        leases=dict(content.leases),
        given_back={key: list(each) for key, each in content.given_back.items()},
        links=dict(content.links),
        passes=list(content.passes),
        audit=list(content.audit),
        operators=dict(content.operators),
    )
