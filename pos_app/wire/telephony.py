"""What a telephony service reports (sync-api 12): somebody called."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.wire.formats import MalformedError, kind_of, parse_json_body
from pos_app.wire.moments import read_moment

ACCEPTED = b"{}"
"""The answer to every report that could be read, whoever called."""


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """A call nobody answered. `at` None: just now."""

    number: str = field(repr=False)
    at: datetime | None = None


def read_missed_call(body: bytes) -> ReportedCall:
    """Read `POST /telephony/v1/missed-calls`.

    Raises:
        MalformedError: no JSON object, no number that can be a mobile's, or a moment without its offset.
    """
    tree = parse_json_body(body)
    number, at = tree.get("from"), tree.get("at")
    if not isinstance(number, str) or not CustomerRef(IdentifierKind.MOBILE, number.strip()).is_well_formed:
        raise MalformedError("from", "a mobile number", kind_of(number))
    if at is not None and not isinstance(at, str):
        raise MalformedError("at", "a moment with its offset", kind_of(at))
    try:
        return ReportedCall(number.strip(), None if at is None else read_moment(at))
    except MalformedError:
        raise MalformedError("at", "a moment with its offset", "something else") from None
