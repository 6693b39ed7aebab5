"""The journal's tables as `steps.py` makes them, and the statements of each row, built once.

`id` is the order in which rows began; the clock may jump, it does not. `commit_no` is the commit that wrote the row
last, `row_hash` covers the rest (`hashes.py`): salvage needs both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

METADATA: Final = MetaData()


class Kept:
    """A table whose rows carry their hash, and the statements for one row by its key."""

    def __init__(self, name: str, key: tuple[str, ...], *columns: Column[Any]) -> None:
        self.name = name
        self.key = key
        self.table = Table(
            name,
            METADATA,
            Column("id", Integer, primary_key=True),
            *columns,
            Column("commit_no", Integer),
            Column("row_hash", Text),
        )
        names = [column.name for column in self.table.columns]
        new = [each for each in names if each != "id"]
        is_it = and_(*(self.table.c[each] == bindparam(f"of_{each}") for each in key))
        self._add = insert(self.table).values({each: bindparam(each) for each in new})
        self._restore = insert(self.table).values({each: bindparam(each) for each in names})
        self._put = update(self.table).where(is_it).values({each: bindparam(each) for each in new if each not in key})
        self._get = select(self.table).where(is_it)
        self._remove = delete(self.table).where(is_it)

    def key_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a row that names it."""
        return {f"of_{each}": row[each] for each in self.key}

    def get(self, connection: Connection, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row of this key as it stands, None when there is none."""
        found = connection.execute(self._get, self.key_of(row)).mappings().one_or_none()
        return None if found is None else dict(found)

    def add(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Add a row; with `id` in it, at that place."""
        connection.execute(self._restore if "id" in row else self._add, row)

    def put(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Change all of a row but its key."""
        connection.execute(self._put, self.key_of(row) | dict(row))

    def remove(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Take a row away."""
        connection.execute(self._remove, self.key_of(row))


REDEMPTION: Final = Kept(
    "redemption",
    ("key",),
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
    Column("program_group", Integer),  # 0, 1
    Column("family_group", Text),  # JSON of a FamilyGroupRef
    Column("skip_validation", Integer),
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
    Column("kind", Text),  # domain.redemption.Kind
    Column("lease_id", Text),
    Column("seq", Integer),  # the chain's number
    Column("from_lease", Integer),  # thousandths
    Column("from_free", Integer),
    Column("store_loss", Integer),
    Column("printed_at", Text),
    Column("reverses", Text),
    Column("confirmed_epoch", Integer),
    Column("closed_by", Text),
    Column("sent_by_itself", Integer),
)
FACT: Final = Kept("fact", ("name",), Column("name", Text), Column("value", Text), Column("kept_at", Text))
MARK: Final = Kept(
    "mark", ("id",), Column("high_water", Text), Column("till_epoch", Integer), Column("offline_blocked", Text)
)
LEASE_ASKED: Final = Kept(
    "lease_asked",
    ("request_id",),
    Column("request_id", Text),
    Column("asked", Text),  # JSON of an AskedLease
)
LEASE: Final = Kept(
    "lease",
    ("lease_id",),
    Column("lease_id", Text),
    Column("state", Text),  # domain.leases.LeaseState
    Column("amount", Integer),  # thousandths
    Column("spent", Integer),
    Column("lease", Text),  # JSON as the ledger signed it
    Column("asked", Text),
)
GIVEN_BACK: Final = Kept(
    "given_back",
    ("key", "lease_id"),
    Column("key", Text),
    Column("lease_id", Text),
    Column("final_spent", Integer),
)
CHAIN: Final = Kept(
    "chain",
    ("key",),
    Column("key", Text),
    Column("till_epoch", Integer),
    Column("seq", Integer),
    Column("row", Text),  # JSON of the sealed row, as it is sent
    Column("hash", Text),
)
PASS_USE: Final = Kept("pass_use", ("key",), Column("key", Text), Column("nonce", Text), Column("points", Integer))
AUDIT: Final = Kept(
    "audit",
    ("number",),
    Column("number", Integer),
    Column("at", Text),
    Column("act", Text),
    Column("who", Integer),
    Column("target", Text),
    Column("detail", Text),  # canonical JSON
    Column("prev_hash", Text),
    Column("hash", Text),
)
OPERATOR: Final = Kept(
    "operator",
    ("operator_id",),
    Column("operator_id", Integer),
    Column("name", Text),
    Column("role", Text),
    Column("pin_hash", Text),
    Column("token", Text),
    Column("proved_at", Text),
    Column("not_after", Text),
    Column("tries_left", Integer),
)
KEPT: Final = (
    REDEMPTION,
    FACT,
    MARK,
    LEASE_ASKED,
    LEASE,
    GIVEN_BACK,
    CHAIN,
    PASS_USE,
    AUDIT,
    OPERATOR,
)
