"""`reverse`: give redeemed points back, whole or in part, once under a key (contract 7, reliability 4.5).

The key is looked up first of all, so that a repeat gets its first answer even when reversals were switched off since.
A call without a key, as other makers' tills send it, is a reversal of its own each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.answers import Extension, ReversalRefusal, ReverseAnswer
from pos_app.domain.commands import ApprovalPurpose, Reverse
from pos_app.domain.points import ZERO, Points
from pos_app.domain.request import UnreadableAmount
from pos_app.ledger import schema
from pos_app.ledger.entries import canonical_json
from pos_app.ledger.errors import LedgerBusyError, TillChangedError
from pos_app.ledger.giving_back import Given, Redeemed, Returned, give_back, hold_redeemed
from pos_app.ledger.idempotency import CANCELLED, REVERSAL, find_key, keep_key, reversal_fingerprint
from pos_app.ledger.leases.holds import view_of
from pos_app.ledger.people import find_person
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.staff import approvals
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.extension import extension_tree, read_extension
from pos_app.wire.reversals import REVERSAL_CODES

_REDEMPTION: Final = schema.redemption
_NUMBER: Final = select(_REDEMPTION.c.id).where(
    _REDEMPTION.c.org == bindparam("org"), _REDEMPTION.c.redemption_id == bindparam("redemption_id")
)
_NOT_REMEMBERED: Final = frozenset({ReversalRefusal.APPROVAL_MISSING, ReversalRefusal.APPROVAL_REFUSED})
"""The second person may be asked again under the same key; every other refusal is final, as for a redemption."""

_REASONS: Final = frozenset(
    {
        ReversalRefusal.KEY_MISMATCH,
        ReversalRefusal.KEY_CANCELLED,
        ReversalRefusal.APPROVAL_MISSING,
        ReversalRefusal.APPROVAL_REFUSED,
    }
)
"""Refusals that share a code with others; the extension's `reason` tells them apart (sync-api 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One attempt at a reversal: who asked what, and when."""

    tools: Tools
    till: Till
    command: Reverse
    moment: Moment

    @property
    def organisation_id(self) -> int:
        """Whose redemptions may be given back."""
        return self.till.organisation_id


def reverse(tools: Tools, till: Till, command: Reverse) -> ReverseAnswer:
    """Give points of a redemption back. The same key again gets the first answer."""
    with tools.store.read() as connection:
        attempt = _Attempt(tools=tools, till=till, command=command, moment=tools.moment(connection, till))
        row = find_key(connection, till.organisation_id, command.key)
        if row is not None:
            return _repeat(attempt, row)
    try:
        return tools.store.writing(lambda connection: _once(tools, connection, till, command))
    except TillChangedError:
        raise
    except LedgerBusyError:
        return _refused(attempt, ReversalRefusal.BUSY)


def _once(tools: Tools, connection: Connection, till: Till, command: Reverse) -> ReverseAnswer:
    """The transaction itself."""
    attempt = _Attempt(tools=tools, till=till, command=command, moment=tools.moment(connection, till))
    row = find_key(connection, till.organisation_id, command.key)
    if row is not None:
        return _repeat(attempt, row)
    refusal = _refusal_of_call(connection, attempt)
    redeemed = None if refusal is not None else _find(connection, attempt)
    if redeemed is None:
        return _no(connection, attempt, refusal or ReversalRefusal.REDEMPTION_UNKNOWN, None)
    points = redeemed.left if command.points is None else command.points
    refusal = _refusal_of_redemption(connection, attempt, redeemed, points)
    if refusal is not None or isinstance(points, UnreadableAmount):
        return _no(connection, attempt, refusal or ReversalRefusal.POINTS_NOT_VALID, redeemed)
    returned = give_back(connection, attempt.moment, redeemed, points, _given(attempt))
    answer = _returned(connection, attempt, redeemed, points, returned)
    _remember(connection, attempt, answer, redeemed)
    return answer


# --- May it be? ----------------------------------------------------------------------------------------------------


def _refusal_of_call(connection: Connection, attempt: _Attempt) -> ReversalRefusal | None:
    """What stands against it whatever the redemption."""
    if not attempt.moment.rules.organisation.reversal_enabled:
        return ReversalRefusal.SWITCHED_OFF
    wrong = _refusal_of_approval(connection, attempt)
    if wrong is not None:
        return ReversalRefusal(wrong)
    return ReversalRefusal.POINTS_NOT_VALID if isinstance(attempt.command.points, UnreadableAmount) else None


def _refusal_of_approval(connection: Connection, attempt: _Attempt) -> str | None:
    """An enrolled till needs a second person; a till of another maker cannot send more (sync-api 4.3)."""
    if attempt.till.till_epoch == 0:
        return None
    command = attempt.command
    return approvals.approval_refusal(
        attempt.tools,
        connection,
        attempt.moment,
        attempt.till,
        command.cashier,
        command.approval,
        ApprovalPurpose.REVERSE,
    )


def _find(connection: Connection, attempt: _Attempt) -> Redeemed | None:
    named = {"org": attempt.organisation_id, "redemption_id": attempt.command.redemption_id}
    number = connection.execute(_NUMBER, named).scalar_one_or_none()
    return None if number is None else hold_redeemed(connection, number)


def _refusal_of_redemption(
    connection: Connection, attempt: _Attempt, redeemed: Redeemed, points: Points | UnreadableAmount
) -> ReversalRefusal | None:
    """What stands against giving so many points of this redemption back."""
    command, row = attempt.command, redeemed.row
    if command.program_id is not None and command.program_id != row.program_id:
        return ReversalRefusal.PROGRAM_DIFFERS
    if command.customer is not None:
        if not command.customer.is_well_formed:
            return ReversalRefusal.IDENTIFIER_MALFORMED
        country_code = attempt.moment.rules.organisation.country_code
        person, _ = find_person(connection, attempt.organisation_id, command.customer, country_code)
        if person is None:
            return ReversalRefusal.CUSTOMER_UNKNOWN
        if person.customer.customer_id != row.customer_id:
            return ReversalRefusal.OTHER_CUSTOMER
    if not redeemed.left:
        return ReversalRefusal.ALREADY_REVERSED
    if isinstance(points, Points) and points > redeemed.left:
        return ReversalRefusal.MORE_THAN_LEFT
    return None


def _given(attempt: _Attempt) -> Given:
    command = attempt.command
    approval = command.approval if attempt.till.till_epoch else None  # Another's word was not asked for, nor checked.
    return Given(
        till=attempt.till.login,
        key=command.key,
        cashier=command.cashier,
        supervisor=None if approval is None else approvals.operator_of(approval),
        approval=None if approval is None else approvals.approval_record(approval),
        reason="reverse",
    )


# --- Answers -------------------------------------------------------------------------------------------------------


def _returned(
    connection: Connection, attempt: _Attempt, redeemed: Redeemed, points: Points, returned: Returned
) -> ReverseAnswer:
    wallet = view_of(connection, attempt.moment, attempt.till, sorted(redeemed.wallet_ids))
    extension = _extension(attempt, None, redeemed.row.customer_id)
    return ReverseAnswer(
        redemption_id=redeemed.row.redemption_id,
        asked=points,
        available=returned.available,
        expired=returned.expired,
        reversal_id=returned.reversal_id,
        customer_id=redeemed.row.customer_id,
        organisation_id=attempt.organisation_id,
        extension=replace(extension, wallet=wallet),
    )


def _no(
    connection: Connection, attempt: _Attempt, refusal: ReversalRefusal, redeemed: Redeemed | None
) -> ReverseAnswer:
    answer = _refused(attempt, refusal)
    if refusal not in _NOT_REMEMBERED:
        _remember(connection, attempt, answer, redeemed)
    return answer


def _refused(attempt: _Attempt, refusal: ReversalRefusal) -> ReverseAnswer:
    points = attempt.command.points
    return ReverseAnswer(
        redemption_id=attempt.command.redemption_id,
        refusal=refusal,
        asked=points if isinstance(points, Points) else ZERO,
        organisation_id=attempt.organisation_id,
        extension=_extension(attempt, refusal, None),
    )


def _extension(attempt: _Attempt, refusal: ReversalRefusal | None, customer_id: int | None) -> Extension:
    return Extension(
        epoch=attempt.moment.epoch,
        server_time=attempt.moment.now,
        key=attempt.command.key,
        reason=refusal.value if refusal in _REASONS else None,
        refusals=() if refusal is None else (REVERSAL_CODES[refusal],),
        customer_id=customer_id,
    )


# --- The key -------------------------------------------------------------------------------------------------------


def _repeat(attempt: _Attempt, row: Any) -> ReverseAnswer:
    """The answer to a key that is known: the first one again, or why it cannot be (903)."""
    if row.state == CANCELLED:
        return _refused(attempt, ReversalRefusal.KEY_CANCELLED)
    if row.state != REVERSAL or row.fingerprint != _fingerprint(attempt):
        return _refused(attempt, ReversalRefusal.KEY_MISMATCH)
    answer = _read(row.outcome)
    if answer.extension is None:
        return answer
    again = replace(answer.extension, replayed=True, epoch=attempt.moment.epoch, server_time=attempt.moment.now)
    return replace(answer, extension=again)


def _remember(connection: Connection, attempt: _Attempt, answer: ReverseAnswer, redeemed: Redeemed | None) -> None:
    """Keep the answer under the key, in the transaction that made it true."""
    if not attempt.command.key:
        return
    keep_key(
        connection,
        {
            "org": attempt.organisation_id,
            "key": attempt.command.key,
            "state": REVERSAL,
            "fingerprint": _fingerprint(attempt),
            "customer_id": None if redeemed is None else redeemed.row.customer_id,
            "till": attempt.till.login,
            "outcome": _write(answer),
            "redemption": None if redeemed is None else redeemed.row.id,
            "created_at": to_ms(attempt.moment.now),
        },
    )


def _fingerprint(attempt: _Attempt) -> str:
    country_code = attempt.moment.rules.organisation.country_code
    return reversal_fingerprint(attempt.command, country_code, attempt.tools.pepper)


def _write(answer: ReverseAnswer) -> str:
    return canonical_json(
        {
            "redemption_id": answer.redemption_id,
            "refusal": answer.refusal,
            "asked": str(answer.asked),
            "available": str(answer.available),
            "expired": str(answer.expired),
            "reversal_id": answer.reversal_id,
            "customer_id": answer.customer_id,
            "organisation_id": answer.organisation_id,
            "extension": None if answer.extension is None else extension_tree(answer.extension),
        }
    )


def _read(text: str) -> ReverseAnswer:
    kept = json.loads(text)
    return ReverseAnswer(
        redemption_id=kept["redemption_id"],
        refusal=None if kept["refusal"] is None else ReversalRefusal(kept["refusal"]),
        asked=Points.of(kept["asked"]),
        available=Points.of(kept["available"]),
        expired=Points.of(kept["expired"]),
        reversal_id=kept["reversal_id"],
        customer_id=kept["customer_id"],
        organisation_id=kept["organisation_id"],
        extension=read_extension(kept["extension"]),
    )
