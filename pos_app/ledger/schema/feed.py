"""What tills that sync are told from: the change feed, and who was seen in which store (sync-api 5)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from pos_app.ledger.schema.people import metadata

change_feed: Final = Table(
    "change_feed",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("txid", BigInteger, nullable=False),
    Column("org", BigInteger, nullable=False),
    Column("type", String(16), nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("op", String(4), nullable=False),
    Column("store", Text),
    Index("change_feed_in_order", "txid", "seq"),
)
"""That something changed; what it is now is read when a till asks, so that rows are whole and never out of date.

`op`: `put` tells those who keep such a row. `look` tells everybody: who keeps it gets the row, the others that it is
gone. `all` (type `everything`) says that so much came in at once that a new snapshot is the way. `store`: only tills of
this store that keep their store's customers are told. `txid`: see `feed.places`.
"""

feed_muted: Final = Table(
    "feed_muted",
    metadata,
    Column("org", BigInteger, primary_key=True, autoincrement=False),
)
"""Organisations of which nothing new is noted, row by row, within the transaction that wrote this; 0: any."""

feed_mark: Final = Table(
    "feed_mark",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("txid", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
"""Where the feed stood at a moment: how old a row is, and so which may go. The oldest mark is where the feed begins."""

visit: Final = Table(
    "visit",
    metadata,
    Column("org", BigInteger, primary_key=True, autoincrement=False),
    Column("store", Text, primary_key=True),
    Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("last_on", String(10), nullable=False),
    Column("before_on", String(10)),
    Index("visit_by_last_day", "last_on"),
)
"""A customer whom tills of this store keep. `last_on`: the last day she was seen there; `before_on`: the one before."""
