"""`cancel`: this redemption must not happen (sync-api 8, reliability 4.2).

A key nobody has seen gets a tombstone, so that a late copy of its request finds it. A redemption that happened is
undone whole, each lot getting back what it gave, in the transaction that marks the key.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.answers import CancelAnswer, CancelOutcome, WalletView
from pos_app.domain.commands import Cancel
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.answering import wallet_view
from pos_app.ledger.code_rows import LETTERS_AND_DIGITS
from pos_app.ledger.entries import Entry, EntryKind, append, canonical_json
from pos_app.ledger.errors import UnknownKeyError
from pos_app.ledger.facts import wallets_by_id
from pos_app.ledger.idempotency import CANCELLED, HISTORY, REFUSED, REVERSED, find_key, keep_key
from pos_app.ledger.lots import put_back
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.moments import read_moment, write_moment

_IDEM: Final = schema.idem
_SHARES: Final = (
    select(schema.share).where(schema.share.c.redemption == bindparam("number")).order_by(schema.share.c.id)
)
_REVERSE_REDEMPTION: Final = (
    update(schema.redemption)
    .where(schema.redemption.c.id == bindparam("number"))
    .values(reversed=schema.redemption.c.points)
)
_REVERSE_SHARES: Final = (
    update(schema.share).where(schema.share.c.redemption == bindparam("number")).values(reversed=schema.share.c.points)
)
_MARK_KEY: Final = (
    update(_IDEM)
    .where(_IDEM.c.org == bindparam("o"), _IDEM.c.key == bindparam("k"))
    .values(state=bindparam("now_is"), cancel=bindparam("said"))
)
_ID_LENGTH: Final = 10


def cancel(tools: Tools, till: Till, command: Cancel) -> CancelAnswer:
    """Make sure that the redemption under this key does not stand. The same key again gets the first answer.

    Raises:
        UnknownKeyError: the key belongs to another till.
        LedgerBusyError: the database was not had in time; nothing was done.
    """
    return tools.store.writing(lambda connection: _once(tools, connection, till, command))


def _once(tools: Tools, connection: Connection, till: Till, command: Cancel) -> CancelAnswer:
    moment = tools.moment(connection, till)
    row = find_key(connection, till.organisation_id, command.key)
    if row is None:
        answer = CancelAnswer(key=command.key, outcome=CancelOutcome.CANCELLED, server_time=moment.now)
        _leave_tombstone(connection, till, command, moment, answer)
        return answer
    if row.till != till.login or row.state == HISTORY:
        raise UnknownKeyError
    if row.cancel is not None:
        return _read(command.key, row.cancel)
    if row.state == REFUSED:
        return CancelAnswer(key=command.key, outcome=CancelOutcome.REFUSED, server_time=moment.now)
    answer = _reverse(connection, till, command, moment, row)
    _mark(connection, till, command, REVERSED, answer)
    return answer


def _leave_tombstone(connection: Connection, till: Till, command: Cancel, moment: Moment, answer: CancelAnswer) -> None:
    keep_key(
        connection,
        {
            "org": till.organisation_id,
            "key": command.key,
            "state": CANCELLED,
            "fingerprint": "",
            "till": till.login,
            "outcome": canonical_json({"reason": command.reason, "cashier": command.cashier}),
            "cancel": _write(answer),
            "created_at": to_ms(moment.now),
        },
    )


def _mark(connection: Connection, till: Till, command: Cancel, state: str, answer: CancelAnswer) -> None:
    connection.execute(
        _MARK_KEY, {"o": till.organisation_id, "k": command.key, "now_is": state, "said": _write(answer)}
    )


def _reverse(connection: Connection, till: Till, command: Cancel, moment: Moment, row: Any) -> CancelAnswer:
    """Undo a whole redemption: every lot gets back what it gave, with its own expiry."""
    kept = connection.execute(select(schema.redemption).where(schema.redemption.c.id == row.redemption)).one()
    shares = connection.execute(_SHARES, {"number": row.redemption}).all()
    returned = [(share, share.points - share.reversed) for share in shares if share.points > share.reversed]
    for share, count in returned:
        put_back(connection, share.lot_id, Points(count))
    append(
        connection,
        [
            Entry(
                at=to_ms(moment.now),
                kind=EntryKind.REVERSAL,
                wallet_id=share.wallet_id,
                lot_id=share.lot_id,
                delta=count,
                redemption_id=kept.redemption_id,
                key=command.key,
                cashier=command.cashier,
                till=till.login,
                reason=command.reason.value,
            )
            for share, count in returned
        ],
    )
    connection.execute(_REVERSE_SHARES, {"number": row.redemption})
    connection.execute(_REVERSE_REDEMPTION, {"number": row.redemption})
    today = moment.rules.day_of(moment.now)
    return CancelAnswer(
        key=command.key,
        outcome=CancelOutcome.REVERSED,
        redemption_id=kept.redemption_id,
        reversal_id="".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(_ID_LENGTH)),
        server_time=moment.now,
        wallet=wallet_view(wallets_by_id(connection, {share.wallet_id for share in shares}, today)),
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
