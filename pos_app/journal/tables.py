"""The journal's tables: the steps that make them, and the statements, built once.

A released step is never edited: a later program adds a step. `test_journal_tables.py` holds the steps against the
tables below. `seq` is the order in which redemptions began; the clock may jump, it does not.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert

STEPS: Final = (
    (
        """
        CREATE TABLE redemption (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE CHECK (key <> ''),
            state TEXT NOT NULL CHECK (state IN ('READY', 'SENT', 'UNKNOWN', 'CONFIRMED', 'REFUSED', 'CANCELLING',
                                                 'CANCELLED', 'REVERSED', 'PARKED')),
            customer_kind TEXT NOT NULL,
            customer_value TEXT NOT NULL,
            customer_id INTEGER,
            customer_label TEXT NOT NULL,
            program_id INTEGER,
            points INTEGER NOT NULL CHECK (points > 0),
            worth TEXT NOT NULL,
            created_at TEXT NOT NULL,
            program_group INTEGER NOT NULL CHECK (program_group IN (0, 1)),
            family_group TEXT,
            skip_validation INTEGER NOT NULL CHECK (skip_validation IN (0, 1)),
            validation_type TEXT,
            bill_number TEXT,
            cashier INTEGER,
            changed_at TEXT,
            attempts INTEGER NOT NULL CHECK (attempts >= 0),
            next_try_at TEXT,
            redemption_id TEXT,
            balance_after INTEGER,
            refusal TEXT,
            code INTEGER,
            reason TEXT,
            message TEXT NOT NULL,
            cancel_reason TEXT
        ) STRICT
        """,
        """
        CREATE INDEX redemption_open ON redemption (seq)
            WHERE state NOT IN ('CONFIRMED', 'REFUSED', 'CANCELLED', 'REVERSED')
        """,
        # The moves are the domain's (its table of moves); that a final state stays is worth a second lock.
        """
        CREATE TRIGGER redemption_final BEFORE UPDATE OF state ON redemption
            WHEN OLD.state IN ('CONFIRMED', 'REFUSED', 'CANCELLED', 'REVERSED') AND NEW.state <> OLD.state
            BEGIN SELECT RAISE(ABORT, 'a final redemption does not move'); END
        """,
        "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL, kept_at TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ),
)

METADATA: Final = MetaData()
REDEMPTION: Final = Table(
    "redemption",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("key", Text),
    Column("state", Text),  # domain.redemption.State
    Column("customer_kind", Text),  # domain.request.IdentifierKind
    Column("customer_value", Text),
    Column("customer_id", Integer),
    Column("customer_label", Text),
    Column("program_id", Integer),
    Column("points", Integer),  # thousandths
    Column("worth", Text),  # a decimal, exactly
    Column("created_at", Text),  # moments: UTC, fixed width
    Column("program_group", Boolean),
    Column("family_group", Text),  # JSON of a FamilyGroupRef
    Column("skip_validation", Boolean),
    Column("validation_type", Text),
    Column("bill_number", Text),
    Column("cashier", Integer),
    Column("changed_at", Text),
    Column("attempts", Integer),
    Column("next_try_at", Text),
    Column("redemption_id", Text),
    Column("balance_after", Integer),  # thousandths
    Column("refusal", Text),  # domain.refusals.Refusal
    Column("code", Integer),
    Column("reason", Text),
    Column("message", Text),
    Column("cancel_reason", Text),
)
FACT: Final = Table(
    "fact", METADATA, Column("name", Text, primary_key=True), Column("value", Text), Column("kept_at", Text)
)

_KEPT: Final = [column for column in REDEMPTION.columns if column.name != "seq"]

ADD: Final = insert(REDEMPTION).values({column.name: bindparam(column.name) for column in _KEPT})
PUT: Final = (
    update(REDEMPTION)
    .where(REDEMPTION.c.key == bindparam("of_key"))
    .values({column.name: bindparam(column.name) for column in _KEPT if column.name != "key"})
)
GET: Final = select(*_KEPT).where(REDEMPTION.c.key == bindparam("of_key"))
OPEN_IN_ORDER: Final = (
    # Written out, as in the index: with bound states SQLite could not see that the index fits.
    select(*_KEPT)
    .where(text("state NOT IN ('CONFIRMED', 'REFUSED', 'CANCELLED', 'REVERSED')"))
    .order_by(REDEMPTION.c.seq)
)
RECENT: Final = select(*_KEPT).order_by(REDEMPTION.c.seq.desc()).limit(bindparam("limit"))

REMOVE: Final = delete(REDEMPTION).where(REDEMPTION.c.key == bindparam("of_key"))

_fact = upsert(FACT).values({column.name: bindparam(column.name) for column in FACT.columns})
REMEMBER: Final = _fact.on_conflict_do_update(
    index_elements=["name"], set_={"value": _fact.excluded.value, "kept_at": _fact.excluded.kept_at}
)
RECALL: Final = select(FACT.c.value).where(FACT.c.name == bindparam("of_name"))
