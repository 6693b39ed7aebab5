"""Failures of the ledger that are no answer to the customer's question."""

from __future__ import annotations


class LedgerBusyError(Exception):
    """Another writer held the database for too long: nothing was done, and the same call may come again."""

    def __init__(self) -> None:
        super().__init__("another writer holds the ledger's database")


class TillChangedError(LedgerBusyError):
    """The till was let in by rules that no longer hold: it must prove itself again."""


class UnknownKeyError(Exception):
    """This key belongs to another till, or to none that may cancel it (sync-api 8: 404)."""


class UnknownTillError(LookupError):
    """No till has this login."""


class BadDatabaseUrlError(ValueError):
    """The `--db` text names no database this ledger can use."""
