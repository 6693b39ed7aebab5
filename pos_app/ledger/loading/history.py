"""Imports earlier redemptions, a batch at a time: they feed ceilings, reversals and keys, and move no points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.databases.bulk import AlreadyThereError
from pos_app.ledger.entries import FIRST_HASH, canonical_json
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.feed.telling import WALLET, tell
from pos_app.ledger.idempotency import HISTORY, history_fingerprint
from pos_app.ledger.loading.customers import Told
from pos_app.ledger.loading.fields import FaultyLineError, Fields
from pos_app.ledger.loading.setup import Site
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_REDEMPTION: Final = schema.redemption
_WALLET: Final = schema.wallet
_NOTHING: Final = Points(0)
_ROW: Final = (
    "org",
    "redemption_id",
    "customer_id",
    "program_id",
    "family_group_id",
    "points",
    "at",
    "bill_number",
    "key",
    "reversed",
    "is_history",
)
_LASTING: Final = _ROW[:-2]
"""What never changes of a redemption: points may have been given back since it was first imported."""

_SHARE: Final = ("redemption", "wallet_id", "day", "points", "reversed", "expires_on")
_KEY: Final = ("org", "key", "state", "fingerprint", "customer_id", "outcome", "redemption", "created_at")
_NEW_WALLET: Final = ("id", "org", "customer_id", "family_group_id", "program_id", "head_hash")

Owned = tuple[int, int | None, int | None, int]
"""A wallet by its organisation, customer or family group, and program."""


@dataclass(slots=True, kw_only=True)
class _Part:
    """Points of one lot."""

    points: int
    expires_on: str | None
    returned: int
    wallet: Owned
    path: str


@dataclass(slots=True, kw_only=True)
class StatedRedemption:
    """A `redemption` line, read."""

    line: int
    row: tuple[Any, ...]
    """Of the columns `_ROW`."""
    day: str
    parts: list[_Part]
    points: int = 0
    """It moves none."""

    @property
    def key(self) -> tuple[int, str]:
        """Organisation and id."""
        return self.row[0], self.row[1]

    def value(self, name: str) -> Any:
        """What one column gets."""
        return self.row[_ROW.index(name)]


def read_redemption(site: Site, fields: Fields, line: int) -> StatedRedemption:
    """Read one `redemption` line."""
    rules = site.rules(fields)
    points = fields.points("points", required=True, low=1) or _NOTHING
    given_back = fields.points("reversed_points") or _NOTHING
    if given_back > points:
        fields.refuse("reversed_points", str(given_back), "not more than points")
    at = fields.moment("at")
    org, customer_id = rules.organisation.organisation_id, fields.id("customer_id")
    program_id = _program(fields, rules, fields.id("program_id"))
    row = (
        org,
        fields.text("redemption_id", required=True),
        customer_id,
        program_id,
        fields.integer("family_group_id", low=1),
        points.thousandths,
        to_ms(at),
        fields.exact("transaction_number"),
        fields.exact("external_reference_number"),
        given_back.thousandths,
        True,
    )
    parts = _read_parts(fields, rules, (org, customer_id, None, program_id), points.thousandths)
    _share_out(fields, parts, given_back.thousandths)
    fields.done()
    return StatedRedemption(line=line, row=row, day=rules.day_of(at).isoformat(), parts=parts)


def _program(fields: Fields, rules: OrganisationRules, program_id: int) -> int:
    if program_id not in rules.programs:
        fields.refuse("program_id", program_id, "a program of this organisation that came before")
    return program_id


def _read_parts(fields: Fields, rules: OrganisationRules, own: Owned, points: int) -> list[_Part]:
    """Where the points came from, as far as the file says; what it does not say is one part without a lot."""
    parts = []
    for each in fields.objects("lots"):
        count = (each.points("points", required=True, low=1) or _NOTHING).thousandths
        expires_on, returned = each.day("expires_on"), (each.points("reversed_points") or _NOTHING).thousandths
        if returned > count:
            each.refuse("reversed_points", str(Points(returned)), "not more than points")
        part = _Part(
            points=count, expires_on=expires_on, returned=returned, wallet=_wallet(each, rules, own), path=each.path("")
        )
        parts.append(part)
        each.done()
    rest = points - sum(part.points for part in parts)
    if rest < 0:
        raise FaultyLineError(fields.path("lots"), "more points", "not more than points")
    if rest:
        parts.append(_Part(points=rest, expires_on=None, returned=0, wallet=own, path=fields.path("")))
    return parts


def _wallet(fields: Fields, rules: OrganisationRules, own: Owned) -> Owned:
    """The wallet a lot was of: the customer's own of the program, unless the lot says otherwise."""
    org, customer_id, _, program_id = own
    other, group_id = fields.integer("customer_id", low=1), fields.integer("family_group_id", low=1)
    if other is not None and group_id is not None:
        fields.refuse("family_group_id", group_id, "a customer or a family group, not both")
    other_program = fields.integer("program_id", low=1)
    if other_program is not None:
        program_id = _program(fields, rules, other_program)
    return org, (None if group_id is not None else other or customer_id), group_id, program_id


def _share_out(fields: Fields, parts: Sequence[_Part], given_back: int) -> None:
    """Which of the points were given back: as the lots say, else those of the first lots."""
    stated = sum(part.returned for part in parts)
    if stated not in (0, given_back):
        found = f"{Points(stated)} in the lots"
        raise FaultyLineError(fields.path("reversed_points"), found, "the sum of what the lots say, or lots without it")
    if not stated:
        for part in parts:
            part.returned = min(part.points, given_back)
            given_back -= part.returned


def keep_redemptions(
    site: Site, batch: Sequence[StatedRedemption], _now: datetime, tell: Told
) -> list[StatedRedemption]:
    """Write a batch of redemptions with different ids; returns those that were taken, or were there already.

    Raises:
        LedgerBusyError: another import is writing the same redemptions.
    """
    known = _KnownHistory(site.connection, batch)
    taken, new = [], []
    for each in batch:
        try:
            is_new = known.check(each)
        except FaultyLineError as fault:
            tell(each.line, fault)
        else:
            taken.append(each)
            if is_new:
                new.append(each)
    try:
        _write(site, new, known.wallets)
    except AlreadyThereError:
        raise LedgerBusyError from None
    return taken


class _KnownHistory:
    """What the ledger has of the redemptions of one batch, their keys, and the wallets they were of."""

    def __init__(self, connection: Connection, batch: Iterable[StatedRedemption]) -> None:
        self.wallets: dict[Owned, int] = {}
        self._rows: dict[tuple[int, str], Any] = {}
        self._keys: set[tuple[int, str]] = set()
        self._customers: set[tuple[int, int]] = set()
        self._groups: set[tuple[int, int]] = set()
        by_org: dict[int, list[StatedRedemption]] = {}
        for each in batch:
            by_org.setdefault(each.key[0], []).append(each)
        for org, stated in by_org.items():
            self._read(connection, org, stated)

    def _read(self, connection: Connection, org: int, stated: Sequence[StatedRedemption]) -> None:
        ids = [each.key[1] for each in stated]
        keys = [key for each in stated if (key := each.value("key")) is not None]
        people = {each.value("customer_id") for each in stated}
        people |= {part.wallet[1] for each in stated for part in each.parts if part.wallet[1] is not None}
        groups = {part.wallet[2] for each in stated for part in each.parts if part.wallet[2] is not None}
        at = select(_REDEMPTION).where(_REDEMPTION.c.org == org, _REDEMPTION.c.redemption_id.in_(ids))
        self._rows |= {(org, row.redemption_id): row for row in connection.execute(at)}
        idem, customer, group = schema.idem, schema.customer, schema.family_group
        known = select(idem.c.key).where(idem.c.org == org, idem.c.key.in_(keys))
        self._keys |= {(org, key) for key in connection.execute(known).scalars()}
        of_people = select(customer.c.id).where(customer.c.org == org, customer.c.id.in_(people))
        self._customers |= {(org, number) for number in connection.execute(of_people).scalars()}
        of_groups = select(group.c.id).where(group.c.org == org, group.c.id.in_(groups))
        self._groups |= {(org, number) for number in connection.execute(of_groups).scalars()}
        columns = [_WALLET.c[name] for name in ("org", "customer_id", "family_group_id", "program_id", "id")]
        for owner, owners in ((_WALLET.c.customer_id, people), (_WALLET.c.family_group_id, groups)):
            rows = connection.execute(select(*columns).where(_WALLET.c.org == org, owner.in_(owners)))
            self.wallets |= {tuple(row[:4]): row[4] for row in rows}

    def check(self, stated: StatedRedemption) -> bool:
        """Check a redemption against what is known; says whether it is new.

        Raises:
            FaultyLineError: it names nobody, or history would be rewritten.
        """
        org = stated.key[0]
        if (org, stated.value("customer_id")) not in self._customers:
            raise FaultyLineError("customer_id", str(stated.value("customer_id")), "a customer that came before")
        for part in stated.parts:
            _, customer_id, group_id, _ = part.wallet
            if customer_id is not None and (org, customer_id) not in self._customers:
                raise FaultyLineError(f"{part.path}customer_id", str(customer_id), "a customer that came before")
            if group_id is not None and (org, group_id) not in self._groups:
                raise FaultyLineError(f"{part.path}family_group_id", str(group_id), "a family group that came before")
        kept = self._rows.get(stated.key)
        if kept is not None:
            _check_same(stated, kept)
            return False
        key = stated.value("key")
        if key is not None:
            if (org, key) in self._keys:
                field = "external_reference_number"
                raise FaultyLineError(field, f"a text of {len(key)} characters", "one that is not known yet")
            self._keys.add((org, key))
        return True


def _check_same(stated: StatedRedemption, kept: Any) -> None:
    """History is not rewritten: the same again is no change, anything else is refused."""
    differs = any(kept._mapping[name] != stated.value(name) for name in _LASTING)
    if differs or kept.reversed < stated.value("reversed"):
        found = f'"{stated.key[1][:40]}"'
        raise FaultyLineError("redemption_id", found, "one that is new, or the same redemption unchanged")


def _write(site: Site, new: Sequence[StatedRedemption], wallets: dict[Owned, int]) -> None:
    connection, bulk = site.connection, site.bulk
    missing = list(dict.fromkeys(part.wallet for each in new for part in each.parts if part.wallet not in wallets))
    made = dict(zip(missing, bulk.new_ids(connection, _WALLET, len(missing)), strict=True))
    bulk.insert(connection, _WALLET, _NEW_WALLET, [(number, *owned, FIRST_HASH) for owned, number in made.items()])
    wallets |= made
    numbers = bulk.new_ids(connection, _REDEMPTION, len(new))
    redemptions, shares, keys = [], [], []
    for number, each in zip(numbers, new, strict=True):
        redemptions.append((number, *each.row))
        for part in each.parts:
            shares.append((number, wallets[part.wallet], each.day, part.points, part.returned, part.expires_on))
        if each.value("key") is not None:
            keys.append(_key(each, number))
    bulk.insert(connection, _REDEMPTION, ("id", *_ROW), redemptions)
    bulk.insert(connection, schema.share, _SHARE, shares)
    # What was redeemed by day stands in the rows of wallets. A trigger on shares would be asked at every redemption.
    touched = {(part.wallet[0], wallets[part.wallet]) for each in new for part in each.parts}
    for org in {org for org, _ in touched if not site.is_muted(org)}:
        tell(connection, org, sorted((WALLET, number) for owner, number in touched if owner == org))
    bulk.insert(connection, schema.idem, _KEY, keys)


def _key(stated: StatedRedemption, number: int) -> tuple[Any, ...]:
    """A key replays as redeemed, and is compared by customer, program and points only."""
    customer_id, points = stated.value("customer_id"), Points(stated.value("points"))
    fingerprint = history_fingerprint(customer_id, stated.value("program_id"), points)
    owner = (stated.key[0], stated.value("key"), HISTORY, fingerprint, customer_id)
    return (*owner, canonical_json({}), number, stated.value("at"))
