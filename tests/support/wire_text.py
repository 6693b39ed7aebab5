"""Comparing bodies field for field: order and kind of every value count, spaces between them do not."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree


def fields(text: str | bytes) -> Any:
    """JSON as nested pairs, so that two texts are equal only with the same members, in order, of the same kinds."""
    return json.loads(text, object_pairs_hook=lambda pairs: ("object", [(name, _kind(v), v) for name, v in pairs]))


def _kind(value: object) -> str:
    return type(value).__name__


def elements(text: str | bytes) -> str:
    """XML without the spaces between elements."""
    return ElementTree.canonicalize(text.decode("utf-8") if isinstance(text, bytes) else text, strip_text=True)


def as_body(tree: object) -> bytes:
    """A tree of plain Python values as some other program would write it."""
    return json.dumps(tree).encode("utf-8")
