"""Leases, passes, settled rows; the end of each till's chain and audit; when a customer's contact was changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OPEN = sa.text("state = 'OPEN'")
_HELD = sa.text("state IN ('OPEN', 'CLOSING')")
_UNDER_A_LEASE = sa.text("lease_id IS NOT NULL")


def upgrade() -> None:
    """Add what version 3 has; what is there keeps its rows."""
    _tills()
    op.add_column("customer", sa.Column("contact_changed_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "entry_by_lease", "entry", ["lease_id"], sqlite_where=_UNDER_A_LEASE, postgresql_where=_UNDER_A_LEASE
    )
    _leases()
    _settled()
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("number", sa.BigInteger))
    op.execute(meta.update().where(meta.c.name == "schema").values(number=3))


def _add(table: str, column: sa.Column, filled: str) -> None:  # type: ignore[type-arg]
    """Add a column that is never NULL; rows that are there get `filled`, later ones what the program says."""
    column.server_default = sa.DefaultClause(filled)
    op.add_column(table, column)
    if op.get_bind().dialect.supports_alter:  # Elsewhere a default can only be dropped by copying the table.
        op.alter_column(table, column.name, server_default=None)


def _tills() -> None:
    _add("till_key", sa.Column("last_seq", sa.Integer(), nullable=False), "0")
    _add("till_key", sa.Column("last_hash", sa.String(length=64), nullable=False), "0" * 64)
    op.add_column("till_seen", sa.Column("oldest_s", sa.BigInteger(), nullable=True))
    op.add_column("till_seen", sa.Column("clock_ahead_ms", sa.BigInteger(), nullable=True))
    op.add_column("till_seen", sa.Column("audit_epoch", sa.Integer(), nullable=True))
    op.add_column("till_seen", sa.Column("audit_count", sa.Integer(), nullable=True))
    op.add_column("till_seen", sa.Column("audit_head", sa.Text(), nullable=True))


def _leases() -> None:
    op.create_table(
        "lease",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("lease_id", sa.Text(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("till_epoch", sa.Integer(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("owner_kind", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("final_spent", sa.BigInteger(), nullable=True),
        sa.Column("spent_told", sa.BigInteger(), nullable=True),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("settle_until", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("wanted_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0", name="lease_of_something"),
        sa.CheckConstraint("settled >= 0 AND returned >= 0 AND held >= 0", name="lease_parts_not_negative"),
        sa.CheckConstraint("settled + returned + held = amount", name="lease_is_settled_returned_or_held"),
        sa.CheckConstraint("held = 0 OR state = 'OPEN' OR state = 'CLOSING'", name="lease_ended_holds_nothing"),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["till"], ["till.login"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lease_id"),
        sa.UniqueConstraint("till", "request_id"),
    )
    op.create_index(
        "lease_open_once",
        "lease",
        ["till", "till_epoch", "owner_kind", "owner_id", "program_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("lease_to_reclaim", "lease", ["settle_until"], sqlite_where=_HELD, postgresql_where=_HELD)
    op.create_table(
        "lease_alloc",
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("wallet_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("usable_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("held >= 0 AND held <= points", name="lease_alloc_holds_what_it_got"),
        sa.ForeignKeyConstraint(["lease"], ["lease.id"]),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"]),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallet.id"]),
        sa.PrimaryKeyConstraint("lease", "lot_id"),
    )
    op.create_index("ix_lease_alloc_lot_id", "lease_alloc", ["lot_id"], unique=False)
    op.create_index("ix_lease_alloc_wallet_id", "lease_alloc", ["wallet_id"], unique=False)
    op.create_table(
        "lease_pass",
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("wallet_id", sa.BigInteger(), nullable=False),
        sa.Column("points_max", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0 AND used <= points_max", name="lease_pass_used_within_bounds"),
        sa.ForeignKeyConstraint(["lease"], ["lease.id"]),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallet.id"]),
        sa.PrimaryKeyConstraint("lease", "nonce"),
    )


def _settled() -> None:
    op.create_table(
        "settled",
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("till_epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["till"], ["till.login"]),
        sa.PrimaryKeyConstraint("till", "till_epoch", "seq", "hash"),
    )
