"""The whole ledger: reversals, calls, enrolment, approvals, jobs, audit, losses, names that can be searched."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what version 2 has; what is there keeps its rows."""
    _people()
    _points()
    _codes()
    _care()
    _write_down_reversals()
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("number", sa.BigInteger))
    op.bulk_insert(meta, [{"name": "audit", "number": 0}])
    op.execute(meta.update().where(meta.c.name == "schema").values(number=2))


def _add(table: str, column: sa.Column, filled: str | sa.ColumnElement[bool]) -> None:  # type: ignore[type-arg]
    """Add a column that is never NULL; rows that are there get `filled`, later ones what the program says."""
    column.server_default = sa.DefaultClause(filled)
    op.add_column(table, column)
    if op.get_bind().dialect.supports_alter:  # Elsewhere a default can only be dropped by copying the table.
        op.alter_column(table, column.name, server_default=None)


def _write_down_reversals() -> None:
    """Version 1 kept what a cancel gave back with its key and in entries only; every reversal is a row now."""
    there = sa.MetaData()
    there.reflect(op.get_bind(), only=["idem", "redemption", "entry", "reversal"])
    idem, redemption, entry, reversal = (there.tables[name] for name in ("idem", "redemption", "entry", "reversal"))
    cancelled = (
        sa.select(idem.c.org, idem.c.key, idem.c.till, idem.c.cancel, idem.c.redemption, redemption.c.reversed)
        .join_from(idem, redemption, idem.c.redemption == redemption.c.id)
        .where(idem.c.state == "REVERSED")
        .order_by(idem.c.org, idem.c.key)
    )
    for row in op.get_bind().execute(cancelled).all():
        reversal_id = json.loads(row.cancel)["reversal_id"]
        gave_back = (
            sa.select(entry.c.at, entry.c.cashier, entry.c.supervisor)
            .where(entry.c.key == row.key, entry.c.kind == "REVERSAL")
            .order_by(entry.c.id)
            .limit(1)
        )
        given = op.get_bind().execute(gave_back).one()
        kept = {name: row._mapping[name] for name in ("org", "key", "till", "redemption")}
        kept |= {"reversal_id": reversal_id, "points": row.reversed, "expired": 0, **given._mapping}
        op.execute(reversal.insert().values(**kept))


def _people() -> None:
    _add("family_group", sa.Column("name_key", sa.Text(), nullable=False), "")
    op.create_index("family_group_by_name", "family_group", ["org", "name_key"], unique=False)
    op.create_table(
        "family_group_word",
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("shared", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("family_group_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("org", "word", "shared", "family_group_id"),
    )
    op.create_index("family_group_word_by_group", "family_group_word", ["org", "family_group_id"], unique=False)
    _add("operator", sa.Column("must_change_pin", sa.Boolean(), nullable=False), sa.false())
    _add("operator", sa.Column("wrong_pins", sa.Integer(), nullable=False), "0")
    _add("operator", sa.Column("locks", sa.Integer(), nullable=False), "0")
    op.add_column("operator", sa.Column("locked_until", sa.BigInteger(), nullable=True))
    op.add_column("operator", sa.Column("pin_set_at", sa.BigInteger(), nullable=True))
    op.add_column("till", sa.Column("public_key", sa.Text(), nullable=True))
    op.add_column("till", sa.Column("enrolment_code", sa.String(length=64), nullable=True))
    op.add_column("till", sa.Column("enrolment_code_until", sa.BigInteger(), nullable=True))
    _add("till", sa.Column("enrolment_tries", sa.Integer(), nullable=False), "0")
    op.add_column("till", sa.Column("disabled_from", sa.String(length=10), nullable=True))
    op.create_table(
        "till_key",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("till_epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["till.login"]),
        sa.PrimaryKeyConstraint("login", "till_epoch"),
    )
    op.create_table(
        "till_seen",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outbox_count", sa.Integer(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["till.login"]),
        sa.PrimaryKeyConstraint("login"),
    )


def _points() -> None:
    op.create_table(
        "loss",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("loss_by_store", "loss", ["org", "store"], unique=False)
    _add("redemption", sa.Column("proof", sa.String(length=8), nullable=False), "none")
    op.add_column("redemption", sa.Column("supervisor", sa.BigInteger(), nullable=True))
    op.add_column("redemption", sa.Column("approval", sa.Text(), nullable=True))
    op.create_table(
        "reversal",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("reversal_id", sa.Text(), nullable=False),
        sa.Column("redemption", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("expired", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("till", sa.Text(), nullable=True),
        sa.Column("cashier", sa.BigInteger(), nullable=True),
        sa.Column("supervisor", sa.BigInteger(), nullable=True),
        sa.Column("approval", sa.Text(), nullable=True),
        sa.CheckConstraint("expired >= 0 AND expired <= points", name="reversal_expired_within_points"),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["redemption"], ["redemption.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("org", "reversal_id"),
    )
    op.create_index("ix_reversal_redemption", "reversal", ["redemption"], unique=False)


def _codes() -> None:
    op.add_column("code_send", sa.Column("till", sa.Text(), nullable=True))
    op.add_column("code_send", sa.Column("cashier", sa.BigInteger(), nullable=True))
    op.create_index("code_try_by_cashier", "code_try", ["org", "cashier", "at"], unique=False)
    op.create_table(
        "missed_call",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("used_by_key", sa.Text(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["org"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("missed_call_by_number", "missed_call", ["org", "number", "at"], unique=True)
    op.create_index("missed_call_by_time", "missed_call", ["at"], unique=False)


def _care() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("org", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("ran_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
