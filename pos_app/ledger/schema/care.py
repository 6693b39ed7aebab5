"""What the ledger keeps for those who look after it: its numbers, jobs, audit and losses."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    String,
    Table,
    Text,
)

from pos_app.ledger.schema.people import metadata

meta: Final = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""`schema`; `epoch` counts restores; `rules_version` changes of organisations, programs and tills; `audit` its rows."""

job: Final = Table(
    "job",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("ran_at", BigInteger, nullable=False, default=0),
    Column("outcome", Text, nullable=False, default=""),
    Column("claimed_until", BigInteger, nullable=False, default=0),
)
"""What runs by itself; of several processes the one that claims the row runs it (reliability 4.5)."""

audit: Final = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("org", BigInteger),
    Column("act", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("target", Text, nullable=False, default=""),
    Column("detail", Text, nullable=False, default="{}"),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""What administrators and operators changed, chained like entries; ids and numbers only, no personal data."""
