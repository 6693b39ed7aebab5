"""The feed as the book offers it (sync-api 5, 6 and 9)."""

from __future__ import annotations

from pos_app.domain.feed import ChangesPage, CustomerRows, Scope, SnapshotPage
from pos_app.domain.leases import Owner
from pos_app.domain.request import CustomerRef
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.feed.changes import has_changes, read_changes
from pos_app.ledger.feed.looking import look_up
from pos_app.ledger.feed.places import Place, Seals
from pos_app.ledger.feed.regulars import find_regulars
from pos_app.ledger.feed.snapshot import read_snapshot
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools


class Feed:
    """Tells tills. Remembers only up to where each till was told, and only to spare it questions."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._seals = Seals(tools.pepper)
        self._told: dict[str, tuple[Place, Scope]] = {}

    def snapshot(self, till: Till, scope: Scope, page: str | None, limit: int) -> SnapshotPage:
        """One page of all rows. Raises: GoneError, LedgerBusyError."""
        return read_snapshot(self._tools, self._seals, till, scope, page, limit)

    def changes(self, till: Till, cursor: str, limit: int, scope: Scope | None) -> ChangesPage:
        """One page of changes. Raises: GoneError, LedgerBusyError."""
        page, self._told[till.login] = read_changes(self._tools, self._seals, till, cursor, limit, scope)
        return page

    def has_changes(self, till: Till) -> bool:
        """Say whether this till should ask for changes now, as far as this process can tell (sync-api 9)."""
        told = self._told.get(till.login)
        try:
            return told is None or has_changes(self._tools, till, *told)
        except LedgerBusyError:
            return True  # It may as well ask.

    def customer_rows(self, till: Till, ref: CustomerRef) -> CustomerRows | None:
        """The rows of one customer; None: nobody has the identifier. Raises: LedgerBusyError."""
        return look_up(self._tools, till, ref)

    def regulars(self, till: Till) -> list[tuple[Owner, int]]:
        """Whom this store sees often. Raises: LedgerBusyError."""
        return find_regulars(self._tools, till)
