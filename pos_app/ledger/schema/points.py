"""What there is to spend and what became of it: wallets, lots, entries, redemptions, keys."""

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

from pos_app.ledger.schema.people import metadata, organisation

_UNDER_A_LEASE: Final = text("lease_id IS NOT NULL")

wallet: Final = Table(
    "wallet",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("customer_id", BigInteger),
    Column("family_group_id", BigInteger),
    Column("program_id", BigInteger, nullable=False),
    Column("state", String(10), nullable=False, default="ACTIVE"),
    Column("version", Integer, nullable=False, default=1),
    Column("head_hash", String(64), nullable=False),
    Column("lifetime_points", BigInteger, nullable=False, default=0),
    Column("lifetime_purchases", Text, nullable=False, default="0"),
    Column("promised_points", BigInteger, nullable=False, default=0),
    Column("imported", String(64)),
    CheckConstraint("(customer_id IS NULL) <> (family_group_id IS NULL)", name="wallet_has_one_owner"),
    UniqueConstraint("org", "customer_id", "program_id"),
    UniqueConstraint("org", "family_group_id", "program_id"),
)
"""`imported` is a hash of the lots the first import stated: later files must state the same (import format)."""

lot: Final = Table(
    "lot",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("wallet_id", ForeignKey(wallet.c.id), nullable=False, index=True),
    Column("awarded_on", String(10)),
    Column("expires_on", String(10)),
    Column("rem", BigInteger, nullable=False),
    Column("res", BigInteger, nullable=False, default=0),
    CheckConstraint("rem >= 0", name="lot_never_overdrawn"),
    CheckConstraint("res >= 0 AND res <= rem", name="lot_reserves_what_it_has"),
)
"""`rem`: points left. `res`: of these, set aside under leases. Both can never pass their bounds, whatever the code."""

entry: Final = Table(
    "entry",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("wallet_id", ForeignKey(wallet.c.id), nullable=False, index=True),
    Column("lot_id", ForeignKey(lot.c.id), nullable=False),
    Column("delta", BigInteger, nullable=False),
    Column("redemption_id", Text, index=True),
    Column("key", Text, index=True),
    Column("lease_id", Text),
    Column("cashier", BigInteger),
    Column("till", Text),
    Column("supervisor", BigInteger),
    Column("reason", Text),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("entry_by_lease", "lease_id", sqlite_where=_UNDER_A_LEASE, postgresql_where=_UNDER_A_LEASE),
)
"""`lease_id`: the lease that paid; free points of the same redemption have entries without one."""

redemption: Final = Table(
    "redemption",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("redemption_id", Text, nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("program_id", BigInteger, nullable=False),
    Column("family_group_id", BigInteger),
    Column("points", BigInteger, nullable=False),
    Column("reversed", BigInteger, nullable=False, default=0),
    Column("at", BigInteger, nullable=False),
    Column("key", Text),
    Column("bill_number", Text),
    Column("till", Text),
    Column("cashier", BigInteger),
    Column("otp_id", BigInteger),
    Column("said_at", BigInteger),
    Column("till_said", Text),
    Column("notes", Text),
    Column("is_history", Boolean, nullable=False, default=False),
    Column("proof", String(8), nullable=False, default="none"),
    Column("supervisor", BigInteger),
    Column("approval", Text),
    CheckConstraint("reversed >= 0 AND reversed <= points", name="redemption_reversed_at_most_once"),
    UniqueConstraint("org", "redemption_id"),
)
"""`said_at`, `till_said` and `notes` are what the request told, kept only. `is_history`: imported, moved no points.

`proof` is how she confirmed: none, code, call or skip. `approval`: purpose, reason and note of the second person.
"""

share: Final = Table(
    "share",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("redemption", ForeignKey(redemption.c.id), nullable=False, index=True),
    Column("wallet_id", ForeignKey(wallet.c.id), nullable=False),
    Column("lot_id", BigInteger),
    Column("day", String(10), nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("reversed", BigInteger, nullable=False, default=0),
    Column("expires_on", String(10)),
    CheckConstraint("reversed >= 0 AND reversed <= points", name="share_reversed_at_most_once"),
    Index("share_by_wallet_and_day", "wallet_id", "day"),
)

reversal: Final = Table(
    "reversal",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("reversal_id", Text, nullable=False),
    Column("redemption", ForeignKey(redemption.c.id), nullable=False, index=True),
    Column("points", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False, default=0),
    Column("at", BigInteger, nullable=False),
    Column("key", Text),
    Column("till", Text),
    Column("cashier", BigInteger),
    Column("supervisor", BigInteger),
    Column("approval", Text),
    CheckConstraint("expired >= 0 AND expired <= points", name="reversal_expired_within_points"),
    UniqueConstraint("org", "reversal_id"),
)
"""Points given back, whole or in part; `expired` of them had passed their day and were not given (contract 7)."""

idem: Final = Table(
    "idem",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("customer_id", BigInteger),
    Column("till", Text),
    Column("outcome", Text, nullable=False),
    Column("cancel", Text),
    Column("redemption", ForeignKey(redemption.c.id)),
    Column("created_at", BigInteger, nullable=False),
)
"""What became of each key: REDEEMED, REFUSED, CANCELLED (never happened), REVERSED, HISTORY (imported), REVERSAL.

`redemption` is the one a REDEEMED, REVERSED or HISTORY key made, or the one a REVERSAL key gave back.
"""

loss: Final = Table(
    "loss",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("store", Text, nullable=False),
    Column("till", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Index("loss_by_store", "org", "store"),
)
"""Points a store gave away that no wallet could pay (reliability 4.3)."""
