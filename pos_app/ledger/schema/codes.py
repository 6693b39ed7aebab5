"""How customers prove themselves: one-time codes, their sendings and tries, and calls."""

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
    LargeBinary,
    String,
    Table,
    Text,
)

from pos_app.ledger.schema.people import metadata, organisation

otp: Final = Table(
    "otp",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("program_id", BigInteger),
    Column("family_group_id", BigInteger),
    Column("program_group", Boolean, nullable=False, default=False),
    Column("points_max", BigInteger),
    Column("nonce", LargeBinary, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("sends", Integer, nullable=False, default=1),
    Column("state", String(6), nullable=False, default="LIVE"),
    Column("channel", Text, nullable=False, default=""),
    CheckConstraint("attempts >= 0 AND attempts <= 5", name="otp_tries"),
    Index("otp_by_customer", "org", "customer_id", "id"),
)
"""One-time codes without the code: it is derived from `id`, `nonce` and the pepper. LIVE, USED, DEAD or OLD."""

code_send: Final = Table(
    "code_send",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", BigInteger, nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("till", Text),
    Column("cashier", BigInteger),
    Index("code_send_by_customer", "org", "customer_id", "day"),
)
"""Sendings, and at which till who asked for them."""

code_try: Final = Table(
    "code_try",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", BigInteger, nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("till", Text, nullable=False),
    Column("cashier", BigInteger),
    Column("at", BigInteger, nullable=False),
    Index("code_try_by_customer", "org", "customer_id", "at"),
    Index("code_try_by_till", "till", "at"),
    Index("code_try_by_cashier", "org", "cashier", "at"),
)
"""Wrong tries. A row is written before the code is looked at and taken back when the code was right."""

missed_call: Final = Table(
    "missed_call",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("number", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used_by_key", Text),
    Column("used_at", BigInteger),
    Index("missed_call_by_number", "org", "number", "at", unique=True),
    Index("missed_call_by_time", "at"),
)
"""Calls reported by telephony (sync-api 12). `number` is kept as `identifier` keeps mobiles; a call serves once.

The same call reported twice is one call. `used_by_key` is empty text for a redemption that had no key.
"""
