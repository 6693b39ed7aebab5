"""Moments as our own JSON writes them: ISO 8601 in UTC with milliseconds (sync-api 1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pos_app.wire.formats import MalformedError


def write_moment(moment: datetime) -> str:
    """`2026-11-22T10:00:00.000Z`: UTC, milliseconds; what is finer is cut off.

    Raises:
        ValueError: a moment without a time zone, which is a fault of ours.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(text: str) -> datetime:
    """Read a moment, in UTC. Another offset than `Z` is accepted, none is not.

    Raises:
        MalformedError: it is none.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", text, re.ASCII):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise MalformedError("moment", "YYYY-MM-DDTHH:MM:SS.mmmZ", "something else")
