"""Signatures as the services need them: the ledger's are looked at, the till's own are made (sync-api 7, 10, 15).

How a lease or a row becomes the bytes that are signed is `wire`'s, who holds which key is `files`': here are values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pos_app.domain.answers import LedgerKey
from pos_app.domain.feed import Countersigned
from pos_app.domain.leases import Lease
from pos_app.domain.passes import Pass
from pos_app.domain.settling import Spend


class Seals(Protocol):
    """Tells what the ledger signed, and signs for this till. Safe to use from any thread."""

    def learn(self, keys: Sequence[LedgerKey]) -> None:
        """The ledger's keys as it told them last: no others count from now on."""
        ...

    def is_lease(self, lease: Lease) -> bool:
        """Say whether the ledger signed this lease, as it stands here."""
        ...

    def is_countersigned(self, head: Countersigned) -> bool:
        """Say whether the ledger signed this head of the till's audit (sync-api 9)."""
        ...

    def read_pass(self, text: str) -> Pass:
        """Read a pass that the ledger signed.

        Raises:
            NotAPassError: it has not the form of a pass, or somebody else signed it.
        """
        ...

    def seal(self, spend: Spend) -> Spend:
        """The row with its hash over `prev_hash` and the rest, and this till's signature over the hash."""
        ...
