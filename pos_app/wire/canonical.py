"""The one way JSON is written where it is hashed or signed (sync-api 15)."""

from __future__ import annotations

import json
from typing import Final

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(document: object) -> str:
    """JSON with keys sorted by code point, without spaces or needless escapes."""
    return _CANONICAL.encode(document)


def canonical_bytes(document: object) -> bytes:
    """The same as UTF-8: the bytes a signature is made over."""
    return canonical_json(document).encode("utf-8")
