"""What an administrator's call asks for, read from its query or its body (sync-api 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import falcon

from pos_app.domain.points import NotANumberError, Points, TooFineError
from pos_app.ledger.http.call import Call
from pos_app.ledger.rulebook import OrganisationRules, Rules
from pos_app.wire.formats import MalformedError, check_text, kind_of, parse_json_body

LIMIT: Final = 100
LIMIT_MAX: Final = 1000
_ID_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """The members of a call: parameters of the query as text, or members of the body as they are."""

    members: Mapping[str, Any]

    @classmethod
    def of_query(cls, call: Call) -> Asked:
        """A reading call. Raises: MalformedError."""
        return cls({name: value for name, value in call.params().items() if value != ""})

    @classmethod
    def of_body(cls, call: Call) -> Asked:
        """A changing call; no body is an empty one. Raises: MalformedError."""
        return cls(parse_json_body(call.body) if call.body.strip() else {})

    def text(self, name: str) -> str | None:
        """A text, None where there is none. Raises: MalformedError."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, str):
            raise MalformedError(name, "text", kind_of(value))
        return None if value is None else check_text(value, name)

    def needed(self, name: str) -> str:
        """A text that must be there. Raises: MalformedError."""
        value = self.text(name)
        if not value:
            raise MalformedError(name, "text", "nothing")
        return value

    def number(self, name: str, *, least: int = 0, most: int = _ID_MAX) -> int | None:
        """A whole number, None where there is none. Raises: MalformedError."""
        return whole(self.members.get(name), name, least, most)

    def needed_number(self, name: str) -> int:
        """A whole number that must be there. Raises: MalformedError."""
        found = self.number(name)
        if found is None:
            raise MalformedError(name, "a whole number", "nothing")
        return found

    def points(self, name: str) -> Points:
        """More than no points. Raises: MalformedError."""
        value = self.members.get(name)
        try:
            points = Points.of(value) if isinstance(value, str | int) else Points(0)
        except (NotANumberError, TooFineError):
            points = Points(0)
        if points.thousandths <= 0:
            raise MalformedError(name, "points above zero, as text", kind_of(value))
        return points

    def day(self, name: str) -> date | None:
        """A day, None where there is none. Raises: MalformedError."""
        value = self.text(name)
        try:
            return None if value is None else date.fromisoformat(value)
        except ValueError:
            raise MalformedError(name, "a day as YYYY-MM-DD", "other text") from None

    def list_of(self, name: str) -> list[Any]:
        """A list; none is an empty one. Raises: MalformedError."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, list):
            raise MalformedError(name, "a list", kind_of(value))
        return value or []

    @property
    def limit(self) -> int:
        """How many rows at most. Raises: MalformedError."""
        return self.number("limit", least=1, most=LIMIT_MAX) or LIMIT

    def organisation(self, rules: Rules) -> int | None:
        """The organisation that was named, or the only one there is; None where all of several are meant.

        Raises:
            HTTPNotFound: there is none of this number.
            MalformedError: it is no number.
        """
        named = self.number("organisation")
        if named is not None and named not in rules.organisations:
            raise falcon.HTTPNotFound
        if named is None and len(rules.organisations) == 1:
            return next(iter(rules.organisations))
        return named

    def the_organisation(self, rules: Rules) -> OrganisationRules:
        """The one organisation a call is about.

        Raises:
            HTTPNotFound: there is none of this number.
            MalformedError: it was not named, and the ledger has several.
        """
        found = self.organisation(rules)
        if found is None:
            raise MalformedError("organisation", "the number of one of the ledger's organisations", "nothing")
        return rules.organisations[found]


def whole(value: object, name: str, least: int = 0, most: int = _ID_MAX) -> int | None:
    """A whole number of a query or a body. Raises: MalformedError."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise MalformedError(name, f"a whole number from {least} to {most}", kind_of(value))
    return value
