"""Imports family groups, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from pos_app.ledger import schema
from pos_app.ledger.databases.bulk import AlreadyThereError
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.group_names import FORGET_WORDS, WORD_COLUMNS, WORDS, searchable, word_rows
from pos_app.ledger.loading.customers import Told
from pos_app.ledger.loading.fields import FaultyLineError, Fields
from pos_app.ledger.loading.setup import Site
from pos_app.ledger.loading.wallets import Holdings, KeptWallets, keep_wallets, read_wallets

_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member
_CUSTOMER: Final = schema.customer
_NAME_MAX: Final = 200
_PERMISSIONS: Final = (
    "allow_points_redemption",
    "block_points_redemption",
    "allow_points_transfer",
    "block_points_transfer",
)
_ROW: Final = ("org", "id", "external_id", "name", "name_key", "status")
_MEMBERSHIP: Final = ("org", "family_group_id", "customer_id", "is_primary", "may_redeem", "is_active")
_UPDATE: Final = (
    update(_GROUP)
    .where(_GROUP.c.org == bindparam("o"), _GROUP.c.id == bindparam("i"))
    .values({name: bindparam(f"new_{name}") for name in _ROW[2:]})
)
_FORGET_MEMBERS: Final = delete(_MEMBER).where(
    _MEMBER.c.org == bindparam("o"), _MEMBER.c.family_group_id == bindparam("g")
)


@dataclass(slots=True, kw_only=True)
class StatedGroup:
    """A `family_group` line, read."""

    line: int
    row: tuple[Any, ...]
    """Of the columns `_ROW`."""
    members: list[tuple[Any, ...]]
    """Of the columns `_MEMBERSHIP`, in the line's order."""
    holdings: Holdings

    @property
    def key(self) -> tuple[int, int]:
        """Organisation and id."""
        return self.row[0], self.row[1]

    @property
    def points(self) -> int:
        """All points stated, in thousandths."""
        return self.holdings.points


def read_group(site: Site, fields: Fields, line: int) -> StatedGroup:
    """Read one `family_group` line."""
    rules = site.rules(fields)
    org, group_id = rules.organisation.organisation_id, fields.id("id")
    external_id = fields.text("external_id") or None
    name = fields.text("name", required=True, personal=True, longest=_NAME_MAX)
    status = fields.choice("status", ("ACTIVE", "INACTIVE", "DELETED"), default="ACTIVE")
    members = [(org, group_id, *_read_member(each)) for each in fields.objects("members", required=True)]
    _check_members(fields, members)
    wallets = read_wallets(fields, rules)
    fields.done()
    return StatedGroup(
        line=line,
        row=(org, group_id, external_id, name, searchable(name), status),
        members=members,
        holdings=Holdings(org=org, is_family=True, owner_id=group_id, wallets=wallets),
    )


def _read_member(fields: Fields) -> tuple[int, bool, bool, bool]:
    member = (
        fields.id("customer_id"),
        fields.boolean("primary", default=False),
        "block_points_redemption" not in fields.words("permissions", _PERMISSIONS),
        fields.boolean("active", default=True),
    )
    fields.done()
    return member


def _check_members(fields: Fields, members: Sequence[tuple[Any, ...]]) -> None:
    primaries = sum(1 for _, _, _, is_primary, _, _ in members if is_primary)
    if primaries != 1:
        raise FaultyLineError(fields.path("members"), f"{primaries} primary members", "exactly one")
    if len({each[2] for each in members}) != len(members):
        raise FaultyLineError(fields.path("members"), "a customer twice", "each customer once")


def keep_groups(site: Site, batch: Sequence[StatedGroup], now: datetime, tell: Told) -> list[StatedGroup]:
    """Write a batch of family groups with different ids; returns those that were taken.

    Raises:
        LedgerBusyError: another import is writing the same groups.
    """
    known = _KnownGroups(site.connection, batch)
    wallets = KeptWallets.read(site.connection, is_family=True, owners=[each.key for each in batch])
    taken = []
    for each in batch:
        try:
            known.check(each)
            wallets.check(each.holdings)
        except FaultyLineError as fault:
            tell(each.line, fault)
        else:
            known.take(each)
            taken.append(each)
    try:
        known.write(site)
        keep_wallets(site.connection, site.bulk, wallets, [each.holdings for each in taken], now)
    except AlreadyThereError:
        raise LedgerBusyError from None
    return taken


class _KnownGroups:
    """What the ledger has of the groups of one batch, of their members, and of who has their external ids."""

    def __init__(self, connection: Connection, batch: Iterable[StatedGroup]) -> None:
        self._rows: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._owners: dict[tuple[int, str], int] = {}
        self._members: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
        self._customers: set[tuple[int, int]] = set()
        self._new: list[tuple[Any, ...]] = []
        self._changed: list[dict[str, Any]] = []
        self._dropped: list[dict[str, int]] = []
        self._joined: list[tuple[Any, ...]] = []
        self._renamed: list[dict[str, int]] = []
        self._words: list[tuple[Any, ...]] = []
        by_org: dict[int, list[StatedGroup]] = {}
        for each in batch:
            by_org.setdefault(each.key[0], []).append(each)
        for org, groups in by_org.items():
            self._read(connection, org, groups)

    def _read(self, connection: Connection, org: int, groups: Sequence[StatedGroup]) -> None:
        ids = [each.key[1] for each in groups]
        external_ids = [each.row[2] for each in groups if each.row[2] is not None]
        people = {member[2] for each in groups for member in each.members}
        columns, joined = [_GROUP.c[name] for name in _ROW], [_MEMBER.c[name] for name in _MEMBERSHIP]
        for row in connection.execute(select(*columns).where(_GROUP.c.org == org, _GROUP.c.id.in_(ids))):
            self._rows[org, row[1]] = tuple(row)
        named = select(_GROUP.c.external_id, _GROUP.c.id).where(
            _GROUP.c.org == org, _GROUP.c.external_id.in_(external_ids)
        )
        self._owners |= {(org, external_id): group_id for external_id, group_id in connection.execute(named)}
        of_these = select(*joined).where(_MEMBER.c.org == org, _MEMBER.c.family_group_id.in_(ids))
        for row in connection.execute(of_these):
            self._members.setdefault((org, row[1]), []).append(tuple(row))
        known = select(_CUSTOMER.c.id).where(_CUSTOMER.c.org == org, _CUSTOMER.c.id.in_(people))
        self._customers |= {(org, customer_id) for customer_id in connection.execute(known).scalars()}

    def check(self, stated: StatedGroup) -> None:
        """Check that the members are known and the external id is nobody else's.

        Raises:
            FaultyLineError: that is not so.
        """
        org, group_id = stated.key
        for number, (_, _, customer_id, *_) in enumerate(stated.members):
            if (org, customer_id) not in self._customers:
                field = f"members[{number}].customer_id"
                raise FaultyLineError(field, str(customer_id), "a customer that came before")
        external_id = stated.row[2]
        if external_id is not None and self._owners.get((org, external_id), group_id) != group_id:
            raise FaultyLineError("external_id", f'"{external_id[:40]}"', "one that no other family group has")

    def take(self, stated: StatedGroup) -> None:
        """Remember what must be written for one family group."""
        org, group_id = stated.key
        kept, external_id = self._rows.get(stated.key), stated.row[2]
        if kept is None:
            self._new.append(stated.row)
        elif kept != stated.row:
            if kept[2] is not None and kept[2] != external_id:
                self._owners.pop((org, kept[2]), None)
            new = {f"new_{name}": value for name, value in zip(_ROW[2:], stated.row[2:], strict=True)}
            self._changed.append({"o": org, "i": group_id, **new})
        if external_id is not None:
            self._owners[org, external_id] = group_id
        name_key = stated.row[4]
        if kept is None or kept[4] != name_key:
            if kept is not None:
                self._renamed.append({"o": org, "g": group_id})
            self._words += word_rows(org, group_id, name_key)
        had = self._members.get(stated.key, [])
        if sorted(had) != sorted(stated.members):
            if had:
                self._dropped.append({"o": org, "g": group_id})
            self._joined += stated.members

    def write(self, site: Site) -> None:
        """Write what was taken."""
        connection, bulk = site.connection, site.bulk
        if self._changed:
            connection.execute(_UPDATE, self._changed)
        bulk.insert(connection, _GROUP, _ROW, self._new)
        if self._renamed:
            connection.execute(FORGET_WORDS, self._renamed)
        bulk.insert(connection, WORDS, WORD_COLUMNS, self._words)
        if self._dropped:
            connection.execute(_FORGET_MEMBERS, self._dropped)
        bulk.insert(connection, _MEMBER, _MEMBERSHIP, self._joined)
