"""`cancel`: this redemption must not happen (sync-api 8, reliability 4.2).

A key nobody has seen gets a tombstone, so that a late copy of its request finds it. A redemption that happened is
undone whole (`giving_back`), in the transaction that marks the key.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from pos_app.domain.answers import CancelAnswer, CancelOutcome, WalletView
from pos_app.domain.commands import Cancel
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.entries import canonical_json
from pos_app.ledger.errors import UnknownKeyError
from pos_app.ledger.giving_back import Given, give_back, hold_redeemed, last_reversal_id
from pos_app.ledger.idempotency import CANCELLED, HISTORY, REFUSED, REVERSAL, REVERSED, find_key, keep_key
from pos_app.ledger.leases.holds import view_of
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.staff.approvals import SecondPerson, cancel_approved
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.moments import read_moment, write_moment

_IDEM: Final = schema.idem
_MARK_KEY: Final = (
    update(_IDEM)
    .where(_IDEM.c.org == bindparam("o"), _IDEM.c.key == bindparam("k"))
    .values(state=bindparam("now_is"), cancel=bindparam("said"))
)


def cancel(tools: Tools, till: Till, command: Cancel) -> CancelAnswer:
    """Make sure that the redemption under this key does not stand. The same key again gets the first answer.

    Raises:
        UnknownKeyError: the key belongs to another till.
        LedgerBusyError: the database was not had in time; nothing was done.
    """
    return tools.store.writing(lambda connection: _once(tools, connection, till, command))


def _once(tools: Tools, connection: Connection, till: Till, command: Cancel) -> CancelAnswer:
    moment = tools.moment(connection, till)
    row = _held(connection, till, command.key)
    second = cancel_approved(tools, connection, moment, till, command)
    if row is None:
        answer = CancelAnswer(key=command.key, outcome=CancelOutcome.CANCELLED, server_time=moment.now)
        _leave_tombstone(connection, till, command, moment, second, answer)
        return answer
    if row.till != till.login or row.state in (HISTORY, REVERSAL):
        raise UnknownKeyError
    if row.cancel is not None:
        return _read(command.key, row.cancel)
    if row.state == REFUSED:
        return CancelAnswer(key=command.key, outcome=CancelOutcome.REFUSED, server_time=moment.now)
    answer = _reverse(connection, till, command, moment, second, row)
    _mark(connection, till, command, REVERSED, answer)
    return answer


def _held(connection: Connection, till: Till, key: str) -> Any | None:
    """What became of a key, read behind the lock of the wallets its redemption drew from."""
    row = find_key(connection, till.organisation_id, key)
    if row is None or row.redemption is None:
        return row
    hold_redeemed(connection, row.redemption)
    return find_key(connection, till.organisation_id, key)


def _leave_tombstone(
    connection: Connection, till: Till, command: Cancel, moment: Moment, second: SecondPerson, answer: CancelAnswer
) -> None:
    keep_key(
        connection,
        {
            "org": till.organisation_id,
            "key": command.key,
            "state": CANCELLED,
            "fingerprint": "",
            "till": till.login,
            "outcome": canonical_json(
                {
                    "reason": command.reason,
                    "cashier": command.cashier,
                    "supervisor": second.supervisor,
                    "approval": second.record,
                }
            ),
            "cancel": _write(answer),
            "created_at": to_ms(moment.now),
        },
    )


def _mark(connection: Connection, till: Till, command: Cancel, state: str, answer: CancelAnswer) -> None:
    connection.execute(
        _MARK_KEY, {"o": till.organisation_id, "k": command.key, "now_is": state, "said": _write(answer)}
    )


def _reverse(
    connection: Connection, till: Till, command: Cancel, moment: Moment, second: SecondPerson, row: Any
) -> CancelAnswer:
    """Undo a redemption: what is left of it goes back."""
    redeemed = hold_redeemed(connection, row.redemption)
    if redeemed.left:
        given = Given(
            till=till.login,
            key=command.key,
            cashier=command.cashier,
            supervisor=second.supervisor,
            approval=second.record,
            reason=command.reason.value,
        )
        reversal_id: str | None = give_back(connection, moment, redeemed, redeemed.left, given).reversal_id
    else:
        reversal_id = last_reversal_id(connection, redeemed)  # All of it went back before, by `reverse`.
    return CancelAnswer(
        key=command.key,
        outcome=CancelOutcome.REVERSED,
        redemption_id=redeemed.row.redemption_id,
        reversal_id=reversal_id,
        server_time=moment.now,
        wallet=view_of(connection, moment, till, sorted(redeemed.wallet_ids)),
    )


# --- The kept answer -----------------------------------------------------------------------------------------------


def _write(answer: CancelAnswer) -> str:
    wallet = answer.wallet
    return canonical_json(
        {
            "outcome": answer.outcome,
            "redemption_id": answer.redemption_id,
            "reversal_id": answer.reversal_id,
            "server_time": None if answer.server_time is None else write_moment(answer.server_time),
            "wallet": None
            if wallet is None
            else {
                "wallet_id": wallet.wallet_id,
                "version": wallet.version,
                "balance": str(wallet.balance),
                "available": str(wallet.available),
                "held_offline": str(wallet.held_offline),
            },
        }
    )


def _read(key: str, text: str) -> CancelAnswer:
    kept = json.loads(text)
    wallet = kept["wallet"]
    return CancelAnswer(
        key=key,
        outcome=CancelOutcome(kept["outcome"]),
        redemption_id=kept["redemption_id"],
        reversal_id=kept["reversal_id"],
        server_time=None if kept["server_time"] is None else read_moment(kept["server_time"]),
        wallet=None
        if wallet is None
        else WalletView(
            wallet_id=wallet["wallet_id"],
            version=wallet["version"],
            balance=Points.of(wallet["balance"]),
            available=Points.of(wallet["available"]),
            held_offline=Points.of(wallet["held_offline"]),
        ),
    )
