"""Failures of the ledger that are no answer to the customer's question."""

from __future__ import annotations

from collections.abc import Mapping


class LedgerBusyError(Exception):
    """Another writer held the database for too long: nothing was done, and the same call may come again."""

    def __init__(self) -> None:
        super().__init__("another writer holds the ledger's database")


class TillChangedError(LedgerBusyError):
    """The till was let in by rules that no longer hold: it must prove itself again."""


class UnknownKeyError(Exception):
    """This key belongs to another till, or to none that may cancel it (sync-api 8: 404)."""


class NobodyError(Exception):
    """Nobody has the identifier a till asked for (sync-api 5: 404)."""


class UnknownTillError(LookupError):
    """No till has this login."""


class BadDatabaseUrlError(ValueError):
    """The `--db` text names no database this ledger can use."""


class CareRefusedError(ValueError):
    """An administrator's wish that cannot be met; the message is a sentence for him, without people's data."""


class UnknownIdError(CareRefusedError):
    """An administrator named a number nobody has; the message is a sentence for him."""


class ForbiddenError(Exception):
    """The caller is known and may not do this: 403 with a `reason` of sync-api 1.

    `more` are members that go beside the reason, such as `tries_left`: never anything personal.
    """

    def __init__(self, reason: str, more: Mapping[str, object] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.more = dict(more or {})


class TillStateError(ForbiddenError):
    """The till's password is right, but it is disabled or marked lost: `till_disabled`, `till_lost`."""


class EnrolmentRefusedError(ForbiddenError):
    """Another key needs a code: `enrolment_code_needed`, `enrolment_code_wrong` (sync-api 4.1)."""


class OperatorRefusedError(ForbiddenError):
    """Not signed in: `pin_wrong`, `operator_locked` or `operator_unknown` (sync-api 4.2)."""


class GoneError(Exception):
    """What a till names is no more, and it must begin again: 410 with a `reason` of sync-api 1."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConflictError(Exception):
    """The call does not fit what the ledger knows: 409 with a `reason` of sync-api 1, such as `gap`.

    `more` are members that go beside the reason, such as `next_seq`: never anything personal.
    """

    def __init__(self, reason: str, more: Mapping[str, object] | None = None, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.more = dict(more or {})
        self.field = field
