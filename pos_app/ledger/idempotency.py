"""A key is acted on once, and its first answer is given for ever (reliability 4.2, contract section 4).

The customer's identifiers are not kept with the answer: a repeat names her as she is known then.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from pos_app.domain.answers import Effect, Identity, RedeemAnswer
from pos_app.domain.commands import Redeem, Reverse
from pos_app.domain.points import Points
from pos_app.domain.refusals import PROOF_FAILURES, Refusal
from pos_app.domain.request import AskedPoints, AskedValue, CustomerRef, UnreadableAmount
from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.entries import canonical_json
from pos_app.ledger.facts import Known
from pos_app.ledger.people import kept_forms
from pos_app.wire.extension import extension_tree, read_extension

_IDEM: Final = schema.idem
_FIND: Final = select(_IDEM).where(_IDEM.c.org == bindparam("org"), _IDEM.c.key == bindparam("key"))

NOT_REMEMBERED: Final = PROOF_FAILURES | {Refusal.CUSTOMER_BUSY}
"""Refusals that may be mended under the same key; every other one is final (contract section 4)."""

REDEEMED: Final = "REDEEMED"
REFUSED: Final = "REFUSED"
CANCELLED: Final = "CANCELLED"
REVERSED: Final = "REVERSED"
HISTORY: Final = "HISTORY"
REVERSAL: Final = "REVERSAL"


def find_key(connection: Connection, org: int, key: str | None) -> Any | None:
    """What became of a key; None when it is new, or there is none."""
    if not key:
        return None
    return connection.execute(_FIND, {"org": org, "key": key}).one_or_none()


def keep_key(connection: Connection, row: Mapping[str, object]) -> None:
    """Remember a key.

    Raises:
        LostRaceError: another copy of the request was faster; it must be read, and its answer repeated.
    """
    try:
        connection.execute(_IDEM.insert(), dict(row))
    except IntegrityError as error:
        raise LostRaceError from error


def fingerprint(command: Redeem, known: Known, pepper: bytes, *, is_customer_known: bool) -> str:
    """What must be the same when a key comes again: who, how many points, of what, on which bill.

    Not the code, the time, the notes or the till. While nobody had the identifier, the identifier itself counts.
    """
    request, customer = command.request, request_customer(command.request.customer, known, pepper)
    if is_customer_known:
        customer = known.customer_id
    group: object = known.family_group_id
    if request.family_group is not None and group is None:
        ref = request.family_group
        group = [ref.group_id, ref.external_id, ref.primary_user_id, ref.primary_kind, ref.use_default]
    program = request.program_id if known.program_id is None else known.program_id
    return _hashed(["redeem", customer, program, request.program_group, group, _amount(command), command.bill_number])


def plain_fingerprint(
    customer_id: int, program_id: int, family_group_id: int | None, points: Points, bill_number: str | None
) -> str:
    """The same for a redemption of which all this is known: what a till settles (sync-api 7)."""
    return _hashed(["redeem", customer_id, program_id, False, family_group_id, str(points), bill_number])


def history_fingerprint(customer_id: int | None, program_id: int | None, points: Points) -> str:
    """What an imported key is compared by: customer, program and points only (import format)."""
    return _hashed(["history", customer_id, program_id, str(points)])


def reversal_fingerprint(command: Reverse, country_code: str, pepper: bytes) -> str:
    """What must be the same when the key of a reversal comes again: of what, how many points, whom it named."""
    customer = None if command.customer is None else _named(command.customer, country_code, pepper)
    points = command.points
    asked = f"{points.refusal.value} {points.shown}" if isinstance(points, UnreadableAmount) else str(points)
    return _hashed(["reverse", command.redemption_id, asked, customer, command.program_id])


def request_customer(ref: CustomerRef, known: Known, pepper: bytes) -> object:
    """Who was named by an identifier nobody had: a hash, because keys are kept for ever."""
    return _named(ref, known.rules.organisation.country_code, pepper)


def _named(ref: CustomerRef, country_code: str, pepper: bytes) -> str:
    value, _ = kept_forms(ref.kind, ref.value, country_code)
    return hmac.new(pepper, f"{ref.kind}:{value}".encode(), hashlib.sha256).hexdigest()


def is_same(row: Any, command: Redeem, known: Known, pepper: bytes) -> bool:
    """Say whether a key came again with the same content."""
    if row.state == HISTORY:
        amount = command.request.amount
        points = amount.points if isinstance(amount, AskedPoints) else Points(0)
        return bool(row.fingerprint == history_fingerprint(known.customer_id, known.program_id, points))
    is_customer_known = row.customer_id is not None
    return bool(row.fingerprint == fingerprint(command, known, pepper, is_customer_known=is_customer_known))


def _amount(command: Redeem) -> str:
    match command.request.amount:
        case AskedPoints(points):
            return str(points)
        case AskedValue(value):
            return f"value {value.normalize():f}"
        case UnreadableAmount(refusal, shown=shown):
            return f"{refusal.value} {shown}"


def _hashed(parts: list[object]) -> str:
    return hashlib.sha256(canonical_json(parts).encode("utf-8")).hexdigest()


# --- The kept answer -----------------------------------------------------------------------------------------------


def write_outcome(answer: RedeemAnswer) -> str:
    """An answer as it is kept: everything but the customer's identifiers."""
    return canonical_json(
        {
            "customer_id": answer.customer_id,
            "redemption_id": answer.redemption_id,
            "points": str(answer.points),
            "worth": str(answer.worth),
            "local_worth": str(answer.local_worth),
            "balance": str(answer.balance),
            "refusal": answer.refusal,
            "code": answer.code,
            "message": answer.message,
            "is_group_redemption": answer.is_group_redemption,
            "effects": [
                {
                    "id": each.effect_id,
                    "points": str(each.points),
                    "worth": str(each.worth),
                    "bill_number": each.bill_number,
                }
                for each in answer.effects
            ],
            "extension": None if answer.extension is None else extension_tree(answer.extension),
        }
    )


def read_outcome(text: str, identity: Identity) -> RedeemAnswer:
    """Read a kept answer; `identity` is the customer as she is known now."""
    kept = json.loads(text)
    extension = read_extension(kept["extension"])
    return RedeemAnswer(
        identity=identity,
        customer_id=kept["customer_id"],
        redemption_id=kept["redemption_id"],
        points=Points.of(kept["points"]),
        worth=Decimal(kept["worth"]),
        local_worth=Decimal(kept["local_worth"]),
        balance=Points.of(kept["balance"]),
        refusal=None if kept["refusal"] is None else Refusal(kept["refusal"]),
        code=kept["code"],
        message=kept["message"],
        is_group_redemption=kept["is_group_redemption"],
        effects=tuple(
            Effect(
                effect_id=each["id"],
                points=Points.of(each["points"]),
                worth=Decimal(each["worth"]),
                bill_number=each["bill_number"],
            )
            for each in kept["effects"]
        ),
        extension=None if extension is None else replace(extension, replayed=True),
    )
