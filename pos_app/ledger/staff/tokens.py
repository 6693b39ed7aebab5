"""`PT1.`: the ledger's word that an operator proved her PIN at a till (sync-api 4.2).

A token is `PT1.` + base64url of the payload + `.` + base64url of the signature over the payload's bytes, both without
padding. Only the ledger reads it; the till keeps it and sends it back inside an approval.
"""

from __future__ import annotations

import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.ledger.staff.signing import Signer
from pos_app.ledger.tills import Till
from pos_app.wire.canonical import canonical_bytes
from pos_app.wire.faults import MalformedError
from pos_app.wire.moments import read_moment, write_moment

PREFIX: Final = "PT1."
VERSION: Final = 1
LIFETIME: Final = timedelta(hours=12)
TOKEN_MAX_CHARACTERS: Final = 2048

_FORM: Final = re.compile(r"PT1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES: Final[dict[str, type]] = {
    "v": int,
    "key_id": str,
    "org": int,
    "store": str,
    "till": str,
    "till_epoch": int,
    "operator": int,
    "role": str,
    "proved_at": str,
    "not_after": str,
    "nonce": str,
}


class BadTokenError(ValueError):
    """This is no token of this ledger. Its text is a secret and stays out of the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedPin:
    """What a token says: who proved her PIN, where and when."""

    organisation_id: int
    store: str
    login: str
    """The till's."""
    till_epoch: int
    operator_id: int
    role: str
    proved_at: datetime
    not_after: datetime
    """Twelve hours later: the token proves nothing after it."""


def proved_now(till: Till, operator_id: int, role: str, now: datetime) -> ProvedPin:
    """An operator has just proved her PIN at `till`."""
    return ProvedPin(
        organisation_id=till.organisation_id,
        store=till.store,
        login=till.login,
        till_epoch=till.till_epoch,
        operator_id=operator_id,
        role=role,
        proved_at=now,
        not_after=now + LIFETIME,
    )


def write_token(proved: ProvedPin, signer: Signer) -> str:
    """Make the token; no two are alike."""
    payload = canonical_bytes(
        {
            "v": VERSION,
            "key_id": signer.key_id,
            "org": proved.organisation_id,
            "store": proved.store,
            "till": proved.login,
            "till_epoch": proved.till_epoch,
            "operator": proved.operator_id,
            "role": proved.role,
            "proved_at": write_moment(proved.proved_at),
            "not_after": write_moment(proved.not_after),
            "nonce": key_from(os.urandom(KEY_BYTES)),
        }
    )
    return f"{PREFIX}{_encode(payload)}.{_encode(signer.sign_bytes(payload))}"


def read_token(token: str, signer: Signer) -> ProvedPin:
    """Read a token that this ledger signed. Whether it still proves anything is for the caller to say.

    Raises:
        BadTokenError: it has another form, another key signed it, or one byte of it differs.
    """
    payload, signature = _parts(token)
    if not signer.is_mine(payload, signature):
        raise BadTokenError
    document = _document(payload)
    if document["key_id"] != signer.key_id or document["v"] != VERSION:
        raise BadTokenError
    return _proved(document)


def unproved(token: str) -> ProvedPin:
    """What a token claims, whoever signed it: for a token that was accepted before.

    Raises:
        BadTokenError: it has another form.
    """
    payload, _ = _parts(token)
    return _proved(_document(payload))


def _proved(document: dict[str, Any]) -> ProvedPin:
    try:
        return ProvedPin(
            organisation_id=document["org"],
            store=document["store"],
            login=document["till"],
            till_epoch=document["till_epoch"],
            operator_id=document["operator"],
            role=document["role"],
            proved_at=read_moment(document["proved_at"]),
            not_after=read_moment(document["not_after"]),
        )
    except MalformedError:
        raise BadTokenError from None


def _parts(token: str) -> tuple[bytes, bytes]:
    if len(token) > TOKEN_MAX_CHARACTERS or not _FORM.fullmatch(token):
        raise BadTokenError
    _, payload, signature = token.split(".")
    return _decode(payload), _decode(signature)


def _document(payload: bytes) -> dict[str, Any]:
    try:
        document = json.loads(payload)
    except ValueError:
        raise BadTokenError from None
    if not isinstance(document, dict) or any(type(document.get(name)) is not kind for name, kind in _TYPES.items()):
        raise BadTokenError
    return document


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    """The bytes of base64url without padding, in its one right spelling: the last letter has bits to spare."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise BadTokenError from None
    if _encode(raw) != text:
        raise BadTokenError
    return raw
