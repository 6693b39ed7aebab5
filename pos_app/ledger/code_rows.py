"""The rows behind one-time codes: what is read and written of them, and what a row is good for."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select, update

from pos_app.domain.answers import CodeView
from pos_app.domain.facts import Organisation
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.rulebook import from_ms, to_ms

LETTERS_AND_DIGITS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 characters: none of I, O, 0 and 1, which people mistake for each other."""
TRIES_MAX: Final = 5

_OTP: Final = schema.otp
_TRY: Final = schema.code_try
_SEND: Final = schema.code_send
_CUSTOMER: Final = schema.customer

LATEST: Final = (
    select(_OTP)
    .where(_OTP.c.org == bindparam("org"), _OTP.c.customer_id == bindparam("customer"))
    .order_by(_OTP.c.id.desc())
    .limit(1)
)
COUNT_TRY: Final = (
    update(_OTP)
    .where(_OTP.c.id == bindparam("otp"), _OTP.c.attempts < TRIES_MAX, _OTP.c.state == "LIVE")
    .values(attempts=_OTP.c.attempts + 1)
)
GIVE_TRY_BACK: Final = (
    update(_OTP).where(_OTP.c.id == bindparam("otp"), _OTP.c.attempts > 0).values(attempts=_OTP.c.attempts - 1)
)
KILL: Final = update(_OTP).where(_OTP.c.id == bindparam("otp"), _OTP.c.state == "LIVE").values(state="DEAD")
USE_UP: Final = (
    update(_OTP)
    .where(_OTP.c.id == bindparam("otp"), _OTP.c.state == "LIVE", _OTP.c.expires_at > bindparam("now"))
    .values(state="USED")
)
RETIRE: Final = (
    update(_OTP)
    .where(_OTP.c.org == bindparam("o"), _OTP.c.customer_id == bindparam("c"), _OTP.c.state == "LIVE")
    .values(state="OLD")
)
COUNT_SENDS: Final = (
    select(func.count())
    .select_from(_SEND)
    .where(
        _SEND.c.org == bindparam("org"), _SEND.c.customer_id == bindparam("customer"), _SEND.c.day == bindparam("day")
    )
)
COUNT_FAILURES: Final = (
    select(func.count())
    .select_from(_TRY)
    .where(_TRY.c.org == bindparam("org"), _TRY.c.customer_id == bindparam("customer"), _TRY.c.at > bindparam("since"))
)
COUNT_TILL_FAILURES: Final = (
    select(func.count()).select_from(_TRY).where(_TRY.c.till == bindparam("till"), _TRY.c.at > bindparam("since"))
)
COUNT_CASHIER_FAILURES: Final = (
    select(func.count())
    .select_from(_TRY)
    .where(_TRY.c.org == bindparam("org"), _TRY.c.cashier == bindparam("cashier"), _TRY.c.at > bindparam("since"))
)
STANDING: Final = select(_CUSTOMER.c.codes_locked, _CUSTOMER.c.code_right_at).where(
    _CUSTOMER.c.org == bindparam("org"), _CUSTOMER.c.id == bindparam("customer")
)
FORGET_TRY: Final = delete(_TRY).where(_TRY.c.id == bindparam("failure"))
NOTE_RIGHT: Final = (
    update(_CUSTOMER)
    .where(_CUSTOMER.c.org == bindparam("o"), _CUSTOMER.c.id == bindparam("c"))
    .values(code_right_at=bindparam("now"))
)
LOCK_CODES: Final = (
    update(_CUSTOMER)
    .where(_CUSTOMER.c.org == bindparam("o"), _CUSTOMER.c.id == bindparam("c"))
    .values(codes_locked=True)
)
NOTE_CHANNEL: Final = update(_OTP).where(_OTP.c.id == bindparam("otp")).values(channel=bindparam("by"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a code is for: the program and family group the call named, and how many points (2.6).

    `program_id` is None where the call named none; `effective_program_id` is the one it is about all the same.
    `names_scope` is False for `validationcode`, which cannot name any: then whatever live code there is serves it.
    """

    points: Points | None
    program_id: int | None = None
    effective_program_id: int | None = None
    family_group_id: int | None = None
    program_group: bool = False
    names_scope: bool = True


def derive(pepper: bytes, otp_id: int, nonce: bytes, organisation: Organisation) -> str:
    """The code of a row: the same every time, and nothing without the pepper."""
    length = organisation.otp_length
    stream = b"".join(
        hmac.new(pepper, b"otp" + part.to_bytes(2) + otp_id.to_bytes(8) + nonce, hashlib.sha256).digest()
        for part in range(length // 32 + 1)
    )
    if organisation.otp_alphabet == "digits":
        return f"{int.from_bytes(stream) % 10**length:0{length}d}"
    return "".join(LETTERS_AND_DIGITS[byte & 31] for byte in stream[:length])


def is_live(row: Any, now: datetime) -> bool:
    """Say whether a code may still be tried."""
    return bool(row.state == "LIVE" and row.expires_at > to_ms(now) and row.attempts < TRIES_MAX)


def why_not_live(row: Any, now: datetime) -> str:
    """Why a code may not be tried, as `reason` says it; `code_wrong` where it may."""
    if row.state == "DEAD" or row.attempts >= TRIES_MAX:
        return "code_dead"
    return "code_expired" if row.state != "LIVE" or row.expires_at <= to_ms(now) else "code_wrong"


def covers(live: Any, question: Question) -> bool:
    """Say whether a live code may go out again for this question (2.6): never under a larger number."""
    if live.points_max is not None and (question.points is None or question.points.thousandths > live.points_max):
        return False
    if not question.names_scope:
        return True
    return (
        live.program_id in (None, question.effective_program_id)
        and live.family_group_id == question.family_group_id
        and live.program_group == question.program_group
    )


def bindings(live: Any, question: Question) -> dict[str, object]:
    """What an unbound code is bound to from its next sending on: the customer has read the narrower message."""
    bound: dict[str, object] = {}
    if live.points_max is None and question.points is not None:
        bound["points_max"] = question.points.thousandths
    if live.program_id is None and question.program_id is not None:
        bound["program_id"] = question.program_id
    return bound


def serves(row: Any, question: Question) -> bool:
    """Say whether a right code was given for this: its program, its family group, not more than its points."""
    if row.points_max is not None and (question.points is None or question.points.thousandths > row.points_max):
        return False
    if row.family_group_id is not None and row.family_group_id != question.family_group_id:
        return False
    if row.program_group and not question.program_group:
        return False
    return row.program_id is None or (
        row.program_id == question.effective_program_id and row.program_group == question.program_group
    )


def view_of(row: Any, *, channel: str | None = None, tries: int | None = None) -> CodeView:
    """What the extension tells of a row; `channel` and `tries` where they are newer than the row."""
    used = row.attempts if tries is None else tries
    return CodeView(
        otp_id=row.id,
        sent_at=from_ms(row.sent_at),
        expires_at=from_ms(row.expires_at),
        channel=row.channel if channel is None else channel,
        covers_points=None if row.points_max is None else Points(row.points_max),
        tries_left=max(0, TRIES_MAX - used),
    )
