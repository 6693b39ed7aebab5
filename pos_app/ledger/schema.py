"""The ledger's tables (reliability 4.5). Points are whole thousandths; moments are UTC milliseconds; days are text.

`entry` is the truth: one immutable line for every movement, chained per wallet by its hash. `lot.rem` and
`wallet.version` are caches of it, kept in the same transaction, and `verify` recomputes them.

A redemption is three things: its row, one `share` for each lot it drew from, and one entry for each share. Shares
carry the day, so that a ceiling over time is one indexed sum, and the expiry, so that a reversal can give back.
"""

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
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA: Final = 1

metadata: Final = MetaData()

meta: Final = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""`schema`, `epoch` (counts restores) and `rules_version` (counts changes of organisations, programs and tills)."""

organisation: Final = Table(
    "organisation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False),
    Column("telephony_login", Text),
    Column("telephony_proof", String(64)),
)
"""`settings` is the import line's object, without the telephony password, in canonical JSON."""

program: Final = Table(
    "program",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_default", Boolean, nullable=False),
    Column("settings", Text, nullable=False),
)

till: Final = Table(
    "till",
    metadata,
    Column("login", Text, primary_key=True),
    Column("org", ForeignKey(organisation.c.id), nullable=False),
    Column("proof", String(64), nullable=False),
    Column("store", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("program_id", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("currency_rate", Text, nullable=False, default="1"),
    Column("state", String(10), nullable=False, default="ACTIVE"),
    Column("till_epoch", Integer, nullable=False, default=0),
)

operator: Final = Table(
    "operator",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("role", String(12), nullable=False),
    Column("stores", Text, nullable=False, default="[]"),
    Column("pin_hash", Text),
    Column("badge", Text),
    Column("is_active", Boolean, nullable=False, default=True),
)

customer: Final = Table(
    "customer",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("mobile", Text, nullable=False, default=""),
    Column("email", Text, nullable=False, default=""),
    Column("external_id", Text, nullable=False, default=""),
    Column("first_name", Text, nullable=False, default=""),
    Column("last_name", Text, nullable=False, default=""),
    Column("type", String(12), nullable=False, default="LOYALTY"),
    Column("campaign_only", Boolean, nullable=False, default=False),
    Column("fraud_status", Text, nullable=False, default="NONE"),
    Column("tier", Text),
    Column("default_family_group_id", BigInteger),
    Column("code_right_at", BigInteger, nullable=False, default=0),
    Column("codes_locked", Boolean, nullable=False, default=False),
)
"""`code_right_at`: wrong codes before it are forgiven. `codes_locked`: 100 straight failures (reliability 4.6)."""

identifier: Final = Table(
    "identifier",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("customer_id", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False, default=True),
    Index("identifier_by_customer", "org", "customer_id"),
)
"""Every way to name a customer but her own id; the key makes each unique in its organisation."""

family_group: Final = Table(
    "family_group",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("external_id", Text),
    Column("name", Text, nullable=False),
    Column("status", String(10), nullable=False, default="ACTIVE"),
    UniqueConstraint("org", "external_id"),
)

family_member: Final = Table(
    "family_member",
    metadata,
    Column("org", ForeignKey(organisation.c.id), primary_key=True),
    Column("family_group_id", BigInteger, primary_key=True, autoincrement=False),
    Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("is_primary", Boolean, nullable=False, default=False),
    Column("may_redeem", Boolean, nullable=False, default=True),
    Column("is_active", Boolean, nullable=False, default=True),
    Index("family_member_by_customer", "org", "customer_id"),
)

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
)

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
    CheckConstraint("reversed >= 0 AND reversed <= points", name="redemption_reversed_at_most_once"),
    UniqueConstraint("org", "redemption_id"),
)
"""`said_at`, `till_said` and `notes` are what the request told, kept only. `is_history`: imported, moved no points."""

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
"""What became of each key: REDEEMED, REFUSED, CANCELLED (never happened), REVERSED, HISTORY (imported). For ever."""

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
    Index("code_send_by_customer", "org", "customer_id", "day"),
)

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
)
"""Wrong tries. A row is written before the code is looked at and taken back when the code was right."""
