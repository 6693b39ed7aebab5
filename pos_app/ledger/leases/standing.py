"""Whether a till may hold leases at all (sync-api 1 and 6, reliability 4.3)."""

from __future__ import annotations

from pos_app.ledger.errors import ForbiddenError, TillStateError
from pos_app.ledger.tills import Till


def check_standing(till: Till, till_epoch: int, *, may_be_frozen: bool = False) -> None:
    """Make sure that a till is in service, and enrolled as it says.

    Raises:
        TillStateError: `till_disabled`, `till_lost`.
        ForbiddenError: `not_enrolled`, `stale_till_epoch`, `till_frozen`.
    """
    if till.is_blocked:
        raise TillStateError(f"till_{till.state.lower()}")
    if not till.till_epoch:
        raise ForbiddenError("not_enrolled")
    if till_epoch != till.till_epoch:
        raise ForbiddenError("stale_till_epoch")
    if till.state == "FROZEN" and not may_be_frozen:
        raise ForbiddenError("till_frozen")
