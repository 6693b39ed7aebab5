"""Faults put into the product on purpose, each one function changed while it runs; the simulator must find them all.

The numbers are those of reliability 5.4.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from simulate.till import shown
from sqlalchemy import bindparam, select, update

from pos_app.domain.commands import Redeem
from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.refusals import Refusal
from pos_app.domain.rules import judge
from pos_app.domain.verdict import Purpose
from pos_app.journal import tables
from pos_app.journal.rows import row_of
from pos_app.journal.sql_journal import SqlJournal
from pos_app.ledger import cancelling, codes, idempotency, redeeming, schema
from pos_app.ledger.care import expiring
from pos_app.ledger.databases import sqlite
from pos_app.ledger.leases import closing, granting
from pos_app.ledger.leases.settings import LeaseSettings


@dataclass(frozen=True)
class Mutant:
    """One fault: the functions it replaces, by where they stand."""

    number: int
    what: str
    patches: tuple[tuple[Any, str, Callable[[Any], Any]], ...]
    """Owner, name, and what makes the faulty function of the right one."""
    seeds: tuple[int, ...] = ()
    """Where it was found before."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product has this fault until the end of the block."""
        kept = [(owner, name, getattr(owner, name)) for owner, name, _ in self.patches]
        for owner, name, make in self.patches:
            setattr(owner, name, make(getattr(owner, name)))
        try:
            yield
        finally:
            for owner, name, right in kept:
                setattr(owner, name, right)


def _no_key_is_known(_right: Any) -> Any:
    return lambda *_: None


def _keeps_keys_twice(right: Any) -> Any:
    def keep_key(connection: Any, row: Any) -> None:
        known = right.__globals__["find_key"](connection, row["org"], row["key"])
        if known is None:
            right(connection, row)

    return keep_key


def _new_key_per_retry(right: Any) -> Any:
    def as_command(row: Redemption, *given: Any, **named: Any) -> Redeem:
        command: Redeem = right(row, *given, **named)
        return command if row.attempts <= 1 else replace(command, key=key_from(secrets.token_bytes(KEY_BYTES)))

    return as_command


def _refusals_not_stored(right: Any) -> Any:
    def remember(tools: Any, connection: Any, attempt: Any, state: str, answer: Any, number: int | None) -> None:
        if state != idempotency.REFUSED:
            right(tools, connection, attempt, state, answer, number)

    return remember


def _nothing(_right: Any) -> Any:
    return lambda *_: None


def _counter_rolled_back(right: Any) -> Any:
    """The try is counted inside the transaction that a wrong code rolls back."""

    def compare(self: Any, rules: Any, person: Any, question: Any, code: str, counted: Any, now: Any) -> Any:
        proved = right(self, rules, person, question, code, counted, now)
        if not proved.is_right and counted.was_counted:
            self._store.writing(lambda connection: self._take_back(connection, counted, now))
        return proved

    return compare


def _code_before_replay(right: Any) -> Any:
    """The code is judged before anybody looks whether the key is known."""

    def redeem(tools: Any, till: Any, command: Redeem) -> Any:
        if command.request.validation_code is not None:
            with tools.store.read() as connection:
                attempt = redeeming._gathered(tools, connection, till, command)
            found = redeeming.judged(tools, till, command.request, attempt.known, Purpose.REDEEM, command.cashier)
            if found.proved is not None and not found.proved.is_right:
                verdict = judge(command.request, attempt.known.facts, Purpose.REDEEM)
                return redeeming._refused(attempt, verdict, (Refusal.CODE_WRONG,))
        return right(tools, till, command)

    return redeem


def _begins_at_the_first_write(right: Any) -> Any:
    """The driver's own default: nothing is begun before a row is written, so what was read before may have changed."""

    def prepare(connection: Any, record: object) -> None:
        right(connection, record)
        connection.isolation_level = "DEFERRED"

    return prepare


def _reclaimed_at_its_end(_right: Any) -> Any:
    """Nobody waits for what a till spent: the lease's points are free again when it expires."""
    return lambda _settings, expires_at: expires_at


def _nothing_is_set_aside(_right: Any) -> Any:
    return lambda _connection, _lot_id, _points: None


def _spent_before_it_is_kept(right: Any) -> Any:
    """The cashier is told that it is done, and then it is committed."""

    def spend(self: Any, redemption: Redemption, *rest: Any) -> Redemption:
        shown(self, redemption)
        kept: Redemption = right(self, redemption, *rest)
        return kept

    return spend


_PASSED = (schema.lot.c.expires_on < bindparam("today"), schema.lot.c.rem > 0)


def _finds_what_is_set_aside(_right: Any) -> Any:
    """Expiry looks for every lot whose day has passed."""
    return (
        select(schema.lot.c.wallet_id, schema.lot.c.id)
        .join_from(schema.lot, schema.wallet)
        .where(schema.wallet.c.org == bindparam("org"), schema.lot.c.id > bindparam("after"))
        .where(schema.lot.c.id <= bindparam("last"), *_PASSED)
    )


def _reads_what_is_set_aside(_right: Any) -> Any:
    lot = schema.lot.c
    wanted = lot.id.in_(bindparam("ids", expanding=True))
    return select(lot.id, lot.wallet_id, lot.rem, lot.res).where(wanted, *_PASSED).order_by(lot.wallet_id, lot.id)


def _takes_what_is_set_aside(_right: Any) -> Any:
    """Expiry empties the lot whole."""
    return (
        update(schema.lot)
        .where(schema.lot.c.id == bindparam("lot"), schema.lot.c.rem == bindparam("had"))
        .where(schema.lot.c.res == bindparam("held"))
        .values(rem=0, res=0)
    )


def _frees_what_is_not_settled(right: Any) -> Any:
    """A lease that is given back is free but for what was settled."""

    def parts_to_free(settled: int, allocs: Any, _final_spent: Any, now: Any) -> Any:
        return right(settled, allocs, Points(settled), now)

    return parts_to_free


def _stays_open(_right: Any) -> Any:
    """The till gives a lease back beside a redemption, and goes on spending from it."""

    def add_closing(self: Any, redemption: Redemption, given_back: Any) -> None:
        def work(commit: Any) -> None:
            commit.add(tables.REDEMPTION, row_of(redemption))
            for each in given_back:
                told = {"lease_id": each.lease_id, "final_spent": each.final_spent.thousandths}
                commit.add(tables.GIVEN_BACK, told | {"key": redemption.key})

        self._file.commit(work, begins=True)

    return add_closing


MUTANTS: dict[str, Mutant] = {
    "no_idempotency_check": Mutant(
        1,
        "a key that is known is acted on again",
        ((redeeming, "find_key", _no_key_is_known), (redeeming, "keep_key", _keeps_keys_twice)),
        seeds=(4, 10),
    ),
    "new_key_per_retry": Mutant(
        2,
        "each retry has a key of its own",
        ((Redemption, "as_command", _new_key_per_retry),),
        seeds=(4, 10),
    ),
    "reclaim_at_expiry": Mutant(
        3,
        "leases are reclaimed when they expire, whatever their till spent",
        ((LeaseSettings, "settle_until", _reclaimed_at_its_end),),
        seeds=(3,),
    ),
    "no_reservation": Mutant(
        4,
        "a lease sets nothing aside",
        ((granting, "reserve", _nothing_is_set_aside),),
        seeds=(2,),
    ),
    "lease_request_not_idempotent": Mutant(
        5,
        "a request id that is known is answered anew",
        ((granting, "find_request", _no_key_is_known),),
        seeds=(48,),
    ),
    "ok_before_commit": Mutant(
        6,
        "the cashier hears done before it is kept",
        ((SqlJournal, "spend", _spent_before_it_is_kept),),
        seeds=(24,),
    ),
    "refusals_not_stored": Mutant(
        7,
        "a refusal leaves no key",
        ((redeeming, "_remember", _refusals_not_stored),),
        seeds=(12,),
    ),
    "cancel_without_tombstone": Mutant(
        8,
        "a cancel of an unknown key leaves nothing",
        ((cancelling, "_leave_tombstone", _nothing),),
        seeds=(113,),
    ),
    "begin_deferred": Mutant(
        9,
        "a transaction begins at its first write",
        ((sqlite, "_prepare", _begins_at_the_first_write), (sqlite, "_begin", _nothing)),
        seeds=(182, 271),
    ),
    "counter_rolled_back": Mutant(
        10,
        "wrong tries of a code are not counted",
        ((codes.Codes, "_compare", _counter_rolled_back),),
        seeds=(48, 29),
    ),
    "expiry_takes_reserved": Mutant(
        12,
        "expiry takes points that leases hold",
        (
            (expiring, "_FIND", _finds_what_is_set_aside),
            (expiring, "_READ", _reads_what_is_set_aside),
            (expiring, "_EMPTY", _takes_what_is_set_aside),
        ),
        seeds=(0,),
    ),
    "give_back_frees_unsettled": Mutant(
        13,
        "giving back frees what is spent and not settled",
        ((closing, "parts_to_free", _frees_what_is_not_settled),),
        seeds=(101, 39),
    ),
    "given_back_stays_open": Mutant(
        14,
        "a lease given back beside a redemption is spent from",
        ((SqlJournal, "add_closing", _stays_open),),
        seeds=(15,),
    ),
    "code_before_replay": Mutant(
        11,
        "a used code hides a known key",
        ((redeeming, "redeem", _code_before_replay),),
        seeds=(48, 10),
    ),
}
