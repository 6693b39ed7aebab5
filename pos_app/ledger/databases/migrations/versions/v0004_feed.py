"""What tills that sync are told from: the change feed with the triggers that fill it, and visits to stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pos_app.ledger.databases.backend import backend_of

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what version 4 has; no till had a place in a feed before, so that it may begin empty."""
    op.create_table(
        "change_feed",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("op", sa.String(length=4), nullable=False),
        sa.Column("store", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("change_feed_in_order", "change_feed", ["txid", "seq"], unique=False)
    op.create_table(
        "feed_muted",
        sa.Column("org", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("org"),
    )
    op.create_table(
        "feed_mark",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
    op.create_table(
        "visit",
        sa.Column("org", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_on", sa.String(length=10), nullable=False),
        sa.Column("before_on", sa.String(length=10), nullable=True),
        sa.PrimaryKeyConstraint("org", "store", "customer_id"),
    )
    op.create_index("visit_by_last_day", "visit", ["last_on"], unique=False)
    for statement in backend_of(op.get_bind()).feed_triggers():
        op.execute(statement)
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("number", sa.BigInteger))
    op.execute(meta.update().where(meta.c.name == "schema").values(number=4))
