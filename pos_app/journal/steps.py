"""The steps that make the journal's tables (reliability 4.4).

A released step is never edited: a later program adds a step. `tables.py` holds what the statements know of the result.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from pos_app.files.database import Step
from pos_app.journal.hashes import row_hash


def _hash_rows(connection: Connection) -> None:
    """Step 2: the rows of version 1 get their hashes; SQL alone has none."""
    for table in ("redemption", "fact", "mark"):
        for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings().all():  # noqa: S608 - our own names
            told = (row_hash(table, dict(row)), row["id"])
            connection.exec_driver_sql(f"UPDATE {table} SET row_hash = ? WHERE id = ?", told)  # noqa: S608


STEPS: Final[tuple[Step, ...]] = (
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
    (
        # SQLite cannot change a CHECK: the table is made anew. What was `seq` is now `id`; `seq` is the chain's number.
        """
        CREATE TABLE redemption_2 (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE CHECK (key <> ''),
            state TEXT NOT NULL CHECK (state IN ('READY', 'SENT', 'UNKNOWN', 'CONFIRMED', 'REFUSED', 'CANCELLING',
                                                 'CANCELLED', 'REVERSED', 'PARKED', 'LOCAL_DONE', 'SETTLING',
                                                 'SETTLED', 'SETTLED_SHORT')),
            customer_kind TEXT NOT NULL,
            customer_value TEXT NOT NULL,
            customer_id INTEGER,
            customer_label TEXT NOT NULL,
            program_id INTEGER,
            points INTEGER NOT NULL CHECK (points > 0 OR (points = 0 AND kind = 'REVERSE')),
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
            cancel_reason TEXT,
            kind TEXT NOT NULL CHECK (kind IN ('ONLINE', 'LEASE', 'RISK', 'REVERSE')),
            lease_id TEXT,
            seq INTEGER,
            from_lease INTEGER,
            from_free INTEGER,
            store_loss INTEGER,
            printed_at TEXT,
            reverses TEXT,
            confirmed_epoch INTEGER,
            closed_by TEXT,
            sent_by_itself INTEGER NOT NULL CHECK (sent_by_itself IN (0, 1)),
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        """
        INSERT INTO redemption_2 (
            id, key, state, customer_kind, customer_value, customer_id, customer_label, program_id, points, worth,
            created_at, program_group, family_group, skip_validation, validation_type, bill_number, cashier, changed_at,
            attempts, next_try_at, redemption_id, balance_after, refusal, code, reason, message, cancel_reason, kind,
            sent_by_itself, commit_no, row_hash)
        SELECT
            seq, key, state, customer_kind, customer_value, customer_id, customer_label, program_id, points, worth,
            created_at, program_group, family_group, skip_validation, validation_type, bill_number, cashier, changed_at,
            attempts, next_try_at, redemption_id, balance_after, refusal, code, reason, message, cancel_reason,
            'ONLINE', 0, 0, ''
        FROM redemption ORDER BY seq
        """,
        "DROP TABLE redemption",
        "ALTER TABLE redemption_2 RENAME TO redemption",
        """
        CREATE INDEX redemption_open ON redemption (id)
            WHERE state NOT IN ('CONFIRMED', 'REFUSED', 'CANCELLED', 'REVERSED', 'SETTLED', 'SETTLED_SHORT')
        """,
        """
        CREATE TRIGGER redemption_final BEFORE UPDATE OF state ON redemption
            WHEN OLD.state IN ('CONFIRMED', 'REFUSED', 'CANCELLED', 'REVERSED', 'SETTLED', 'SETTLED_SHORT')
                AND NEW.state <> OLD.state AND NOT (OLD.state = 'CONFIRMED' AND NEW.state = 'CANCELLING')
            BEGIN SELECT RAISE(ABORT, 'a final redemption does not move'); END
        """,
        """
        CREATE INDEX redemption_attention ON redemption (id)
            WHERE closed_by IS NULL AND state IN ('PARKED', 'SETTLED_SHORT', 'REFUSED', 'UNKNOWN')
        """,
        "CREATE INDEX redemption_changed ON redemption (changed_at)",
        "CREATE INDEX redemption_created ON redemption (created_at)",
        """
        CREATE INDEX redemption_local ON redemption (customer_id, program_id, created_at)
            WHERE kind IN ('LEASE', 'RISK')
        """,
        # WITHOUT ROWID as before, salvage could not tell its rows by their hash.
        """
        CREATE TABLE fact_2 (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            value TEXT NOT NULL,
            kept_at TEXT NOT NULL,
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        """
        INSERT INTO fact_2 (name, value, kept_at, commit_no, row_hash)
        SELECT name, value, kept_at, 0, '' FROM fact ORDER BY name
        """,
        "DROP TABLE fact",
        "ALTER TABLE fact_2 RENAME TO fact",
        """
        CREATE TABLE mark (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            high_water TEXT,
            till_epoch INTEGER NOT NULL CHECK (till_epoch >= 0),
            offline_blocked TEXT,
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        """
        INSERT INTO mark (id, high_water, till_epoch, offline_blocked, commit_no, row_hash)
        VALUES (1, NULL, 0, NULL, 0, '')
        """,
        """
        CREATE TABLE lease_asked (
            id INTEGER PRIMARY KEY,
            request_id TEXT NOT NULL UNIQUE,
            asked TEXT NOT NULL,
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        # Invariant I4 is the second CHECK of `spent`.
        """
        CREATE TABLE lease (
            id INTEGER PRIMARY KEY,
            lease_id TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL CHECK (state IN ('OPEN', 'CLOSING', 'CLOSED')),
            amount INTEGER NOT NULL CHECK (amount >= 0),
            spent INTEGER NOT NULL CHECK (spent >= 0) CHECK (spent <= amount),
            lease TEXT NOT NULL,
            asked TEXT NOT NULL,
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX lease_held ON lease (id) WHERE state <> 'CLOSED'",
        """
        CREATE TRIGGER lease_goes_forward BEFORE UPDATE OF state ON lease
            WHEN (OLD.state = 'CLOSED' AND NEW.state <> 'CLOSED') OR (OLD.state = 'CLOSING' AND NEW.state = 'OPEN')
            BEGIN SELECT RAISE(ABORT, 'a lease never goes back'); END
        """,
        """
        CREATE TRIGGER lease_spent_rises BEFORE UPDATE OF spent ON lease
            WHEN NEW.spent < OLD.spent OR (NEW.spent > OLD.spent AND OLD.state <> 'OPEN')
            BEGIN SELECT RAISE(ABORT, 'what was spent of a lease only rises, and only while it is open'); END
        """,
        """
        CREATE TABLE given_back (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            lease_id TEXT NOT NULL,
            final_spent INTEGER NOT NULL CHECK (final_spent >= 0),
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL,
            UNIQUE (key, lease_id)
        ) STRICT
        """,
        """
        CREATE TABLE chain (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            till_epoch INTEGER NOT NULL,
            seq INTEGER NOT NULL CHECK (seq > 0),
            row TEXT NOT NULL,
            hash TEXT NOT NULL,
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL,
            UNIQUE (till_epoch, seq)
        ) STRICT
        """,
        """
        CREATE TABLE pass_use (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            nonce TEXT NOT NULL,
            points INTEGER NOT NULL CHECK (points > 0),
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX pass_use_nonce ON pass_use (nonce)",
        """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            number INTEGER NOT NULL UNIQUE CHECK (number > 0),
            at TEXT NOT NULL,
            act TEXT NOT NULL,
            who INTEGER,
            target TEXT NOT NULL,
            detail TEXT NOT NULL,
            prev_hash TEXT NOT NULL,
            hash TEXT NOT NULL,
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE operator (
            id INTEGER PRIMARY KEY,
            operator_id INTEGER NOT NULL UNIQUE,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            pin_hash TEXT,
            token TEXT,
            proved_at TEXT NOT NULL,
            not_after TEXT NOT NULL,
            tries_left INTEGER NOT NULL CHECK (tries_left >= 0),
            commit_no INTEGER NOT NULL,
            row_hash TEXT NOT NULL
        ) STRICT
        """,
        _hash_rows,
    ),
)
