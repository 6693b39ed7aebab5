"""The tills of a ledger: who calls, and what her login fixes (contract 1.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

BLOCKED: Final = frozenset({"DISABLED", "LOST"})
"""States in which a till may only ask what is known of it, and enrol or settle. FROZEN only keeps it from leases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """The till that calls. Its login fixes the organisation; its program is the default of its questions (2.3)."""

    login: str
    organisation_id: int
    store: str
    name: str = ""
    program_id: int | None = None
    currency: str = ""
    currency_rate: Decimal = Decimal(1)
    """From the base currency to the till's."""
    state: str = "ACTIVE"
    till_epoch: int = 0
    proof: str = field(default="", repr=False)
    """What the ledger keeps of the digest of her password (`proof_of`)."""

    @property
    def is_blocked(self) -> bool:
        """Say whether head office took it out of service."""
        return self.state in BLOCKED


def digest_of(password: str) -> str:
    """The lower-case hexadecimal MD5 digest that travels instead of the password (contract 1.2)."""
    return hashlib.md5(password.encode("utf-8"), usedforsecurity=False).hexdigest()


def proof_of(digest: str, pepper: bytes) -> str:
    """What the ledger stores of a digest: cheap to check on every request, useless without the pepper."""
    return hmac.digest(pepper, digest.encode("utf-8", "surrogatepass"), "sha256").hex()
