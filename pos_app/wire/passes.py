"""`PD1`: a pass as text for a QR code or a keyboard (sync-api 10).

`PD1` + Crockford's base32 of the payload's bytes and the 64 bytes of the signature, the first bit first, the last
character filled up with zeros; upper case, no padding. It is read without regard to case, and in its one right
spelling only: what would be filled up otherwise is no pass.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pos_app.domain.keys import ALPHABET
from pos_app.domain.passes import NotAPassError, Pass, SignedPass
from pos_app.domain.points import NotANumberError, Points, TooFineError
from pos_app.wire.canonical import canonical_bytes
from pos_app.wire.faults import MalformedError
from pos_app.wire.moments import read_moment, write_moment

PREFIX: Final = "PD1"
VERSION: Final = 1
SIGNATURE_BYTES: Final = 64
PASS_MAX_CHARACTERS: Final = 2048

_VALUE: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_TYPES: Final[dict[str, type]] = {
    "v": int,
    "k": str,
    "o": int,
    "w": int,
    "h": str,
    "l": str,
    "m": str,
    "x": str,
    "n": str,
}


def pass_payload(content: Pass) -> bytes:
    """The bytes that are signed: canonical JSON of what the pass says."""
    return canonical_bytes(
        {
            "v": VERSION,
            "k": content.key_id,
            "o": content.organisation_id,
            "w": content.wallet_id,
            "h": content.till,
            "l": content.lease_id,
            "m": str(content.max_points),
            "x": write_moment(content.not_after),
            "n": content.nonce,
        }
    )


def write_pass(payload: bytes, signature: bytes) -> str:
    """The text of a pass.

    Raises:
        ValueError: the signature has not 64 bytes, which is a fault of ours.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes")
    return PREFIX + _encoded(payload + signature)


def read_pass(text: str) -> SignedPass:
    """Read a pass as it was scanned or pasted. Who signed it, and whether it still counts, is for the caller.

    Raises:
        NotAPassError: it has another form.
    """
    trimmed = text.strip().upper()
    if not trimmed.isascii() or not trimmed.startswith(PREFIX) or len(trimmed) > PASS_MAX_CHARACTERS:
        raise NotAPassError("a pass begins with PD1")
    raw = _decoded(trimmed.removeprefix(PREFIX))
    if len(raw) <= SIGNATURE_BYTES:
        raise NotAPassError("a pass is longer")
    payload, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    return SignedPass(_content(payload), payload, signature)


def _content(payload: bytes) -> Pass:
    try:
        document: Any = json.loads(payload)
    except (ValueError, RecursionError):
        raise NotAPassError("a pass holds JSON") from None
    if not isinstance(document, dict) or any(type(document.get(name)) is not kind for name, kind in _TYPES.items()):
        raise NotAPassError("a pass has nine members")
    if document["v"] != VERSION:
        raise NotAPassError("a pass of another version")
    try:
        return Pass(
            key_id=document["k"],
            organisation_id=document["o"],
            wallet_id=document["w"],
            till=document["h"],
            lease_id=document["l"],
            max_points=Points.of(document["m"]),
            not_after=read_moment(document["x"]),
            nonce=document["n"],
        )
    except (MalformedError, NotANumberError, TooFineError):
        raise NotAPassError("a pass names points and a moment") from None


def _encoded(raw: bytes) -> str:
    spare = -len(raw) * 8 % 5
    number = int.from_bytes(raw, "big") << spare
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(len(raw) * 8 + spare - 5, -1, -5))


def _decoded(text: str) -> bytes:
    number = 0
    for letter in text:
        value = _VALUE.get(letter)
        if value is None:
            raise NotAPassError("a pass is letters and digits")
        number = number << 5 | value
    count, spare = divmod(len(text) * 5, 8)
    if spare >= 5 or number & ((1 << spare) - 1):
        raise NotAPassError("a pass ends otherwise")
    return (number >> spare).to_bytes(count, "big")
