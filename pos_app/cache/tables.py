"""The cache's tables. A file of another version is made anew, so there are no steps (reliability 4.4).

Lots, days and members stand in their row as JSON: they are only ever read and replaced with it, and a table of their
own would cost a lookup as much again. No table refers to another by a foreign key: a feed may tell of a wallet before
it tells of its owner.

What a search needs stands in three narrow tables in the order of what is looked for, so that every question is a range:
`identifier` by its beginning, `tail` by its last digits (the last one first), `name` by the beginning of any word.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, text

from pos_app.domain.request import IdentifierKind

VERSION: Final = 2
"""Of the file. A program that changes a table, or the meaning of a column, or how names are folded, counts it up."""

METADATA: Final = MetaData()

KIND_NUMBER: Final = {
    IdentifierKind.MOBILE: 1,
    IdentifierKind.EMAIL: 2,
    IdentifierKind.EXTERNAL_ID: 3,
    IdentifierKind.CARD_NUMBER: 4,
    IdentifierKind.CARD_EXTERNAL_ID: 5,
}
"""How the kind of an identifier stands in the file."""

CUSTOMER: Final = Table(
    "customer",
    METADATA,
    Column("customer_id", Integer, primary_key=True),
    Column("mobile", Text, nullable=False),  # As the ledger writes it; `identifier` has the form for comparing.
    Column("email", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("cards", Text, nullable=False),  # JSON: [[number, external id, active], ...]; empty text: none
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("tier", Text),
    Column("is_registered", Integer, nullable=False),
    Column("is_campaign_only", Integer, nullable=False),
    Column("is_blocked", Integer, nullable=False),
    Column("default_family_group_id", Integer),
    Column("is_fed", Integer, nullable=False),  # 1: a row of the feed; 0: only ever looked up with customer/get
    Column("extra", Text),  # JSON: members of the feed's row that this program does not know
    Column("named", Text, nullable=False),  # JSON: [[kind, value], ...] she was named by beside what she carries
    Column("family_groups", Text, nullable=False),  # JSON, where not fed: [[family group id, is it her default], ...]
    Column("programs", Text, nullable=False),  # JSON, where not fed: ids of the programs her record told of
    Column("seen_at", Text),  # When she was last looked up on this till
    Index("customer_seen", "seen_at", sqlite_where=text("seen_at IS NOT NULL")),
)
IDENTIFIER: Final = Table(
    "identifier",
    METADATA,
    Column("kind", Integer, primary_key=True),  # KIND_NUMBER
    Column("value", Text, primary_key=True),
    Column("customer_id", Integer, nullable=False),
    sqlite_with_rowid=False,
)
TAIL: Final = Table(
    "tail",
    METADATA,
    Column("digits", Text, primary_key=True),
    Column("customer_id", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
NAME: Final = Table(
    "name",
    METADATA,
    Column("words", Text, primary_key=True),
    Column("customer_id", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
WALLET: Final = Table(
    "wallet",
    METADATA,
    Column("owner", Integer, primary_key=True),  # A customer's id; the family group's, bitwise inverted
    Column("slot", Integer, primary_key=True),  # The wallet's id; less than zero where it was only looked up
    Column("program_id", Integer, nullable=False),
    Column("balance", Integer, nullable=False),  # thousandths, as all points
    Column("available", Integer, nullable=False),
    Column("lifetime_points", Integer, nullable=False),
    Column("lifetime_purchases", Text, nullable=False),  # a decimal, exactly
    Column("promised_points", Integer, nullable=False),
    Column("is_paused", Integer, nullable=False),
    Column("redeemed_days", Text),  # JSON: [[day, thousandths], ...]; null: unknown
    Column("lots", Text, nullable=False),  # JSON: [[thousandths, expires on, awarded on, lot id, program id], ...]
    Column("wallet_id", Integer),
    Column("version", Integer, nullable=False),  # 0: not told
    Column("held_offline", Integer, nullable=False),
    Column("months", Text, nullable=False),  # JSON: [[month, thousandths], ...]
    Column("extra", Text),
    Index("wallet_number", "wallet_id", sqlite_where=text("wallet_id IS NOT NULL")),
    sqlite_with_rowid=False,
)
FAMILY_GROUP: Final = Table(
    "family_group",
    METADATA,
    Column("group_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("is_active", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("members", Text, nullable=False),  # JSON: [[customer id, primary, may redeem, active], ...]
    Column("is_fed", Integer, nullable=False),
    Column("extra", Text),
    Index("family_group_external", "external_id"),
)
MEMBER: Final = Table(
    "member",
    METADATA,
    Column("customer_id", Integer, primary_key=True),
    Column("group_id", Integer, primary_key=True),
    Column("is_primary", Integer, nullable=False),
    Column("is_active", Integer, nullable=False),
    sqlite_with_rowid=False,
)
PROGRAM: Final = Table(
    "program",
    METADATA,
    Column("program_id", Integer, primary_key=True),
    Column("row", Text, nullable=False),
    Column("told", Text),  # JSON: the feed's row as it came
)
ORGANISATION: Final = Table(
    "organisation",
    METADATA,
    Column("only", Integer, primary_key=True),
    Column("row", Text, nullable=False),
    Column("told", Text),
)
OPERATOR: Final = Table(
    "operator",
    METADATA,
    Column("operator_id", Integer, primary_key=True),
    Column("told", Text, nullable=False),
)
FEED: Final = Table(
    "feed",
    METADATA,
    Column("only", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("scope", Text, nullable=False),
    Column("cursor", Text, nullable=False),
    Column("fresh_at", Text),  # When the feed last said that there is nothing more
    Column("stage", Text, nullable=False),  # services.feed_port.Stage
    Column("page", Text),  # The token of the snapshot's next page
    Column("rows_done", Integer, nullable=False),
    Column("rows_total", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("index_table", Integer, nullable=False),  # Which table of the search is being filled,
    Column("index_id", Integer, nullable=False),  # and up to which customer
)
