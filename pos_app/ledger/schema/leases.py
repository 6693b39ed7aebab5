"""What tills hold, and what they settled: leases, their lots, passes, settled rows (reliability 4.3, sync-api 6, 7)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pos_app.ledger.schema.people import metadata, organisation, till
from pos_app.ledger.schema.points import lot, wallet

_IS_OPEN: Final = text("state = 'OPEN'")
_IS_HELD: Final = text("state IN ('OPEN', 'CLOSING')")

lease: Final = Table(
    "lease",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("lease_id", Text, nullable=False, unique=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("till", ForeignKey(till.c.login), nullable=False),
    Column("till_epoch", Integer, nullable=False),
    Column("store", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("owner_kind", String(12), nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("program_id", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False, default=0),
    Column("returned", BigInteger, nullable=False, default=0),
    Column("held", BigInteger, nullable=False),
    Column("final_spent", BigInteger),
    Column("spent_told", BigInteger),
    Column("granted_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("settle_until", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("wanted_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("document", Text, nullable=False),
    CheckConstraint("amount > 0", name="lease_of_something"),
    CheckConstraint("settled >= 0 AND returned >= 0 AND held >= 0", name="lease_parts_not_negative"),
    CheckConstraint("settled + returned + held = amount", name="lease_is_settled_returned_or_held"),
    CheckConstraint("held = 0 OR state = 'OPEN' OR state = 'CLOSING'", name="lease_ended_holds_nothing"),
    UniqueConstraint("till", "request_id"),
    Index(
        "lease_open_once",
        "till",
        "till_epoch",
        "owner_kind",
        "owner_id",
        "program_id",
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    ),
    Index("lease_to_reclaim", "settle_until", sqlite_where=_IS_HELD, postgresql_where=_IS_HELD),
)
"""`held` is what is set aside now; I3 is a check of the database itself. `document`: the lease as it was signed.

`final_spent`: what the till said when it gave the lease back; `spent_told`: what it said in its last heartbeat.
`wanted_at`: somebody online needs the points; `revoked_at`: an administrator wants an end of it.
One open lease per owner, program and enrolment of a till: a till that enrolled anew knows nothing of its old ones.
"""

lease_alloc: Final = Table(
    "lease_alloc",
    metadata,
    Column("lease", ForeignKey(lease.c.id), primary_key=True),
    Column("lot_id", ForeignKey(lot.c.id), primary_key=True, index=True),
    Column("wallet_id", ForeignKey(wallet.c.id), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("usable_until", BigInteger),
    CheckConstraint("held >= 0 AND held <= points", name="lease_alloc_holds_what_it_got"),
)
"""What a lease got of each lot, in the order of spending (`place`), and what it still holds of it."""

lease_pass: Final = Table(
    "lease_pass",
    metadata,
    Column("lease", ForeignKey(lease.c.id), primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("customer_id", BigInteger, nullable=False),
    Column("wallet_id", ForeignKey(wallet.c.id), nullable=False),
    Column("points_max", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False, default=0),
    Column("made_at", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    CheckConstraint("used >= 0 AND used <= points_max", name="lease_pass_used_within_bounds"),
)
"""Passes that were given out: what was confirmed under each (sync-api 10). Never the pass itself."""

settled: Final = Table(
    "settled",
    metadata,
    Column("till", ForeignKey(till.c.login), primary_key=True),
    Column("till_epoch", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), primary_key=True),
    Column("key", Text, nullable=False),
    Column("is_taken", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
)
"""Every row a till settled, by its number and hash, and the answer it got. Not `is_taken`: it was refused.

The same number with another hash is a till that was cloned or restored: both rows are here.
"""
