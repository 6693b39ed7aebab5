"""Looks a customer up by the rows of the feed, where the service has the extension (sync-api 5).

So a card that was never seen here is fetched with everything the feed would tell of it, wallets with their versions and
family groups among it, and an answer given later without a line is as good as one of a customer who came with the feed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pos_app.domain.facts import CustomerRecord
from pos_app.domain.request import CustomerRef
from pos_app.services.feed_port import FeedCache
from pos_app.services.sync_port import SyncLedger


class RowLookup:
    """One till's lookups by rows."""

    def __init__(self, ledger: SyncLedger, cache: FeedCache, can_sync: Callable[[], bool]) -> None:
        """`can_sync` says whether the service has told since the start that it has the extension; it asks nobody."""
        self._ledger = ledger
        self._cache = cache
        self._can_sync = can_sync

    @property
    def is_offered(self) -> bool:
        """Whether to ask this way."""
        return self._can_sync()

    def find(self, customer: CustomerRef, now: Callable[[], datetime]) -> CustomerRecord | None:
        """Ask the ledger and keep what it tells; None: it says nobody has this identifier.

        Raises: as `Ledger.find_customer`.
        """
        told = self._ledger.customer_rows(customer)
        return None if told is None else self._cache.keep_rows(told.items, customer, now())
