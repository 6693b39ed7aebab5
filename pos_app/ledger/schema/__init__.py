"""The ledger's tables (reliability 4.5). Points are whole thousandths; moments are UTC milliseconds; days are text.

`entry` is the truth: one immutable line for every movement, chained per wallet by its hash. `lot.rem` and
`wallet.version` are caches of it, kept in the same transaction, and `verify` recomputes them.

A redemption is three things: its row, one `share` for each lot it drew from, and one entry for each share. Shares
carry the day, so that a ceiling over time is one indexed sum, and the expiry, so that a reversal can give back.
"""

from __future__ import annotations

from typing import Final

from pos_app.ledger.schema.care import audit, job, meta
from pos_app.ledger.schema.codes import code_send, code_try, missed_call, otp
from pos_app.ledger.schema.feed import change_feed, feed_mark, feed_muted, visit
from pos_app.ledger.schema.leases import lease, lease_alloc, lease_pass, settled
from pos_app.ledger.schema.people import (
    customer,
    family_group,
    family_group_word,
    family_member,
    identifier,
    metadata,
    operator,
    organisation,
    program,
    till,
    till_key,
    till_seen,
)
from pos_app.ledger.schema.points import entry, idem, loss, lot, redemption, reversal, share, wallet

__all__ = [
    "SCHEMA",
    "audit",
    "change_feed",
    "code_send",
    "code_try",
    "customer",
    "entry",
    "family_group",
    "family_group_word",
    "family_member",
    "feed_mark",
    "feed_muted",
    "idem",
    "identifier",
    "job",
    "lease",
    "lease_alloc",
    "lease_pass",
    "loss",
    "lot",
    "meta",
    "metadata",
    "missed_call",
    "operator",
    "organisation",
    "otp",
    "program",
    "redemption",
    "reversal",
    "settled",
    "share",
    "till",
    "till_key",
    "till_seen",
    "visit",
    "wallet",
]

SCHEMA: Final = 4
"""The version of these tables. 1: the first cut, without reversals, calls, enrolment, jobs and audit. 2: no leases.

3: no change feed.
"""
