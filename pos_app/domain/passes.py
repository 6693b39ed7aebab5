"""A pass: the ledger's signed word that a customer may confirm what is redeemed under one lease (sync-api 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pos_app.domain.points import Points


class NotAPassError(ValueError):
    """What was scanned or typed has not the form of a pass. It is a secret and stays out of the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a pass says. `nonce` tells it from others: the points spent under one nonce stay within `max_points`."""

    key_id: str
    organisation_id: int
    wallet_id: int
    till: str
    lease_id: str
    max_points: Points
    not_after: datetime
    nonce: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedPass:
    """A pass as it was read: what it says, the very bytes that were signed, and the 64 bytes of the signature."""

    content: Pass
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)
