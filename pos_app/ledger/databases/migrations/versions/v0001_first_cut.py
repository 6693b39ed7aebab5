"""The first cut: who there is, points, redemptions, keys, one-time codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pos_app.ledger.databases.backend import backend_of

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of version 1."""
    _people()
    _points()
    _codes()
    _care()
    for statement in backend_of(op.get_bind()).guards():
        op.execute(statement)
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("number", sa.BigInteger))
    numbers = {"schema": 1, "epoch": 1, "rules_version": 1}
    op.bulk_insert(meta, [{"name": name, "number": number} for name, number in numbers.items()])


def _people() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("telephony_login", sa.Text(), nullable=True),
        sa.Column("telephony_proof", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "customer",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("campaign_only", sa.Boolean(), nullable=False),
        sa.Column("fraud_status", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("default_family_group_id", sa.BigInteger(), nullable=True),
        sa.Column("code_right_at", sa.BigInteger(), nullable=False),
        sa.Column("codes_locked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "id"),
    )
    op.create_table(
        "family_group",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "id"),
        sa.UniqueConstraint("org", "external_id"),
    )
    op.create_table(
        "family_member",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("family_group_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("may_redeem", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "family_group_id", "customer_id"),
    )
    op.create_index("family_member_by_customer", "family_member", ["org", "customer_id"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "kind", "value"),
    )
    op.create_index("identifier_by_customer", "identifier", ["org", "customer_id"], unique=False)
    op.create_table(
        "operator",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("stores", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("badge", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "id"),
    )
    op.create_table(
        "program",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "id"),
    )
    op.create_table(
        "till",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("currency_rate", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("till_epoch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("login"),
    )


def _points() -> None:
    op.create_table(
        "redemption",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("family_group_id", sa.BigInteger(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("reversed", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("bill_number", sa.Text(), nullable=True),
        sa.Column("till", sa.Text(), nullable=True),
        sa.Column("cashier", sa.BigInteger(), nullable=True),
        sa.Column("otp_id", sa.BigInteger(), nullable=True),
        sa.Column("said_at", sa.BigInteger(), nullable=True),
        sa.Column("till_said", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.CheckConstraint("reversed >= 0 AND reversed <= points", name="redemption_reversed_at_most_once"),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("org", "redemption_id"),
    )
    op.create_table(
        "wallet",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("family_group_id", sa.BigInteger(), nullable=True),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("lifetime_points", sa.BigInteger(), nullable=False),
        sa.Column("lifetime_purchases", sa.Text(), nullable=False),
        sa.Column("promised_points", sa.BigInteger(), nullable=False),
        sa.Column("imported", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(customer_id IS NULL) <> (family_group_id IS NULL)", name="wallet_has_one_owner"),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("org", "customer_id", "program_id"),
        sa.UniqueConstraint("org", "family_group_id", "program_id"),
    )
    op.create_table(
        "idem",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("till", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cancel", sa.Text(), nullable=True),
        sa.Column("redemption", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["redemption"], ["redemption.id"]),
        sa.PrimaryKeyConstraint("org", "key"),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("wallet_id", sa.BigInteger(), nullable=False),
        sa.Column("awarded_on", sa.String(length=10), nullable=True),
        sa.Column("expires_on", sa.String(length=10), nullable=True),
        sa.Column("rem", sa.BigInteger(), nullable=False),
        sa.Column("res", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rem >= 0", name="lot_never_overdrawn"),
        sa.CheckConstraint("res >= 0 AND res <= rem", name="lot_reserves_what_it_has"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallet.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_lot_wallet_id", "lot", ["wallet_id"], unique=False)
    op.create_table(
        "share",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("redemption", sa.BigInteger(), nullable=False),
        sa.Column("wallet_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("reversed", sa.BigInteger(), nullable=False),
        sa.Column("expires_on", sa.String(length=10), nullable=True),
        sa.CheckConstraint("reversed >= 0 AND reversed <= points", name="share_reversed_at_most_once"),
        sa.ForeignKeyConstraint(["redemption"], ["redemption.id"]),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallet.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_share_redemption", "share", ["redemption"], unique=False)
    op.create_index("share_by_wallet_and_day", "share", ["wallet_id", "day"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("wallet_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("redemption_id", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("lease_id", sa.Text(), nullable=True),
        sa.Column("cashier", sa.BigInteger(), nullable=True),
        sa.Column("till", sa.Text(), nullable=True),
        sa.Column("supervisor", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"]),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallet.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_entry_key", "entry", ["key"], unique=False)
    op.create_index("ix_entry_redemption_id", "entry", ["redemption_id"], unique=False)
    op.create_index("ix_entry_wallet_id", "entry", ["wallet_id"], unique=False)


def _codes() -> None:
    op.create_table(
        "code_send",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("code_send_by_customer", "code_send", ["org", "customer_id", "day"], unique=False)
    op.create_table(
        "code_try",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("cashier", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("code_try_by_customer", "code_try", ["org", "customer_id", "at"], unique=False)
    op.create_index("code_try_by_till", "code_try", ["till", "at"], unique=False)
    op.create_table(
        "otp",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column("family_group_id", sa.BigInteger(), nullable=True),
        sa.Column("program_group", sa.Boolean(), nullable=False),
        sa.Column("points_max", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.CheckConstraint("attempts >= 0 AND attempts <= 5", name="otp_tries"),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("otp_by_customer", "otp", ["org", "customer_id", "id"], unique=False)


def _care() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
