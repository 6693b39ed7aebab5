"""Who calls: HTTP Basic with the till's login and the MD5 digest of its password (contract 1.2)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Final

_HEADER_MAX: Final = 2048


def read_login(header: str | None) -> tuple[str, str] | None:
    """Read an `Authorization` header: login and digest, or None when it holds no Basic login that can be read."""
    if header is None or len(header) > _HEADER_MAX:
        return None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    login, colon, digest = decoded.partition(":")
    if not colon or not login or not digest or not decoded.isprintable():
        return None
    return login, digest
