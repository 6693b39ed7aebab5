"""Writes a ledger in the import format: one consistent read, a page at a time, while others go on writing.

Export, import into an empty ledger, export again: the two files are the same, byte for byte. What a file cannot know
in plain (passwords, PINs, the first lots of a wallet) goes along as the hashes the ledger keeps. What belongs to one
ledger's own days stays behind: its entries, answers kept under keys, codes, locks, sign-ins, tills' keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, func, select

from pos_app.domain.points import Points
from pos_app.domain.request import IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.databases.database import Store
from pos_app.ledger.loading.customer_lines import full_mobile
from pos_app.ledger.loading.export_wallets import KeptHoldings
from pos_app.ledger.loading.fields import FaultyLineError, Fields
from pos_app.ledger.loading.setup import organisation_settings, program_settings
from pos_app.ledger.rulebook import from_ms

PAGE: Final = 1000
_CUSTOMER: Final = schema.customer
_IDENTIFIER: Final = schema.identifier
_GROUP: Final = schema.family_group
_MEMBER: Final = schema.family_member
_REDEMPTION: Final = schema.redemption
_SHARE: Final = schema.share
_WALLET: Final = schema.wallet

_CARDS: Final = (
    select(_IDENTIFIER.c.customer_id, _IDENTIFIER.c.kind, _IDENTIFIER.c.value, _IDENTIFIER.c.is_active)
    .where(
        _IDENTIFIER.c.org == bindparam("org"),
        _IDENTIFIER.c.customer_id.between(bindparam("first"), bindparam("last")),
        _IDENTIFIER.c.kind.in_([IdentifierKind.CARD_NUMBER.value, IdentifierKind.CARD_EXTERNAL_ID.value]),
    )
    .order_by(_IDENTIFIER.c.customer_id)
)
_MEMBERS: Final = (
    select(_MEMBER)
    .where(_MEMBER.c.org == bindparam("org"), _MEMBER.c.family_group_id.between(bindparam("first"), bindparam("last")))
    .order_by(_MEMBER.c.family_group_id, _MEMBER.c.customer_id)
)
_SHARES: Final = (
    select(
        _SHARE.c.redemption,
        _SHARE.c.points,
        _SHARE.c.reversed,
        _SHARE.c.expires_on,
        _WALLET.c.customer_id,
        _WALLET.c.family_group_id,
        _WALLET.c.program_id,
    )
    .join_from(_SHARE, _WALLET)
    .where(_SHARE.c.redemption.in_(bindparam("redemptions", expanding=True)))
    .order_by(_SHARE.c.redemption, _SHARE.c.id)
)

Document = dict[str, Any]
Progress = Callable[[int], None]


class UnknownOrganisationError(LookupError):
    """There is no organisation of this number."""

    def __init__(self, organisation_id: int) -> None:
        super().__init__(f"There is no organisation {organisation_id} in this ledger.")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is being read, and of whom."""

    connection: Connection
    organisations: tuple[Row[Any], ...]

    @property
    def ids(self) -> list[int]:
        """The numbers of the organisations."""
        return [row.id for row in self.organisations]


def export_ledger(
    store: Store,
    write: Callable[[bytes], object],
    *,
    organisation_id: int | None = None,
    progress: Progress | None = None,
) -> int:
    """Write every line of a ledger, or of one organisation; returns how many there were.

    `progress` hears that number so far, now and then.

    Raises:
        UnknownOrganisationError: there is no such organisation.
        LedgerBusyError: the database could not be read in time.
        OSError: `write` failed.
    """
    count = 0
    with store.read() as connection:
        scope = _scope(connection, organisation_id)
        for document in _documents(scope):
            write(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n")
            count += 1
            if progress is not None and not count % PAGE:
                progress(count)
    return count


def count_rows(store: Store, organisation_id: int | None = None) -> int:
    """About how many lines an export will have: what there may be many of."""
    count = 0
    with store.read() as connection:
        for table in (_CUSTOMER, _GROUP, _REDEMPTION):
            counted = select(func.count()).select_from(table)
            if organisation_id is not None:
                counted = counted.where(table.c.org == organisation_id)
            count += connection.execute(counted).scalar_one()
    return count


def _scope(connection: Connection, organisation_id: int | None) -> _Scope:
    organisation = schema.organisation
    found = select(organisation).order_by(organisation.c.id)
    if organisation_id is not None:
        found = found.where(organisation.c.id == organisation_id)
    rows = tuple(connection.execute(found))
    if organisation_id is not None and not rows:
        raise UnknownOrganisationError(organisation_id)
    return _Scope(connection, rows)


def _documents(scope: _Scope) -> Iterator[Document]:
    for kind, read in _KINDS.items():
        for document in read(scope):
            yield {"kind": kind} | document


# --- What there is little of: organisations, programs, tills, operators ---------------------------------------------


def _organisations(scope: _Scope) -> Iterator[Document]:
    for row in scope.organisations:
        document = {"id": row.id} | _as_read(organisation_settings, row.settings)
        if row.telephony_login is not None:
            document["telephony"] = {"login": row.telephony_login, "proof": row.telephony_proof}
        yield document


def _programs(scope: _Scope) -> Iterator[Document]:
    for row in _rows(scope, schema.program, "org", "id"):
        yield {"organisation": row.org, "id": row.id} | _as_read(program_settings, row.settings)


def _as_read(read: Callable[[Fields], Document], settings: str) -> Document:
    """Kept settings with what later versions added; as they are where this version would refuse them."""
    try:
        return read(Fields(json.loads(settings)))
    except FaultyLineError:
        return dict(json.loads(settings))


def _tills(scope: _Scope) -> Iterator[Document]:
    for row in _rows(scope, schema.till, "org", "login"):
        document = {"organisation": row.org, "login": row.login, "proof": row.proof, "store": row.store}
        document |= _given({"name": row.name, "program_id": row.program_id})
        document |= {"currency": row.currency, "currency_rate": row.currency_rate}
        if row.state != "ACTIVE":
            document["state"] = row.state
        yield document | _given({"enrolments": row.till_epoch})


def _operators(scope: _Scope) -> Iterator[Document]:
    for row in _rows(scope, schema.operator, "org", "id"):
        document = {"organisation": row.org, "id": row.id, "name": row.name, "role": row.role}
        document |= _given({"stores": json.loads(row.stores), "badge": row.badge})
        document |= {} if row.is_active else {"active": False}
        if row.pin_hash is not None:
            document |= {"pin_hash": row.pin_hash} | _given({"must_change_pin": row.must_change_pin})
        yield document


def _rows(scope: _Scope, table: Table, *order: str) -> Iterator[Row[Any]]:
    found = select(table).where(table.c.org.in_(scope.ids)).order_by(*(table.c[name] for name in order))
    yield from scope.connection.execute(found)


def _given(members: Mapping[str, object]) -> Document:
    """Only the members that say something."""
    return {name: value for name, value in members.items() if value}


# --- What there may be millions of ---------------------------------------------------------------------------------


def _pages(scope: _Scope, table: Table, org: int) -> Iterator[list[Row[Any]]]:
    """The rows of an organisation in order of their ids, a page at a time, each found behind the last one's id."""
    page = (
        select(table)
        .where(table.c.org == bindparam("org"), table.c.id > bindparam("behind"))
        .order_by(table.c.id)
        .limit(PAGE)
    )
    behind = 0
    while rows := scope.connection.execute(page, {"org": org, "behind": behind}).all():
        yield list(rows)
        behind = rows[-1].id


def _customers(scope: _Scope) -> Iterator[Document]:
    for organisation in scope.organisations:
        country_code = json.loads(organisation.settings).get("country_code", "")
        for page in _pages(scope, _CUSTOMER, organisation.id):
            bounds = {"org": organisation.id, "first": page[0].id, "last": page[-1].id}
            cards = _by(scope.connection.execute(_CARDS, bounds))
            kept = KeptHoldings.read(scope.connection, bounds, is_family=False)
            for row in page:
                yield _customer(row, country_code, cards.get(row.id, []), kept.of(row.id))


def _customer(row: Row[Any], country_code: str, cards: Iterable[Row[Any]], wallets: list[Document]) -> Document:
    plain = {"email": row.email, "external_id": row.external_id}
    mobile = _mobile(row.mobile, country_code)
    shown = [(each.kind, each.value, bool(each.is_active)) for each in cards]
    document = {"organisation": row.org, "id": row.id} | _given({"mobile": mobile} | plain)
    document |= _given({"cards": [_card(*each) for each in sorted(shown)]})
    document |= _given({"first_name": row.first_name, "last_name": row.last_name})
    if row.type != "LOYALTY":
        document["type"] = row.type
    document |= _given({"campaign_only": bool(row.campaign_only)})
    if row.fraud_status != "NONE":
        document["fraud_status"] = row.fraud_status
    document |= _given({"tier": row.tier, "default_family_group_id": row.default_family_group_id})
    return document | _given({"wallets": wallets})


def _mobile(kept: str, country_code: str) -> str:
    """A number in a form that is read as the kept one: another country's needs its plus sign."""
    return kept if not kept or full_mobile(kept, country_code) == kept else f"+{kept}"


def _card(kind: str, value: str, is_active: bool) -> Document:
    """One of a card's two names: which belong together is not kept, and nothing asks for it."""
    name = "number" if kind == IdentifierKind.CARD_NUMBER.value else "external_id"
    return {name: value} | ({} if is_active else {"active": False})


def _family_groups(scope: _Scope) -> Iterator[Document]:
    for org in scope.ids:
        for page in _pages(scope, _GROUP, org):
            bounds = {"org": org, "first": page[0].id, "last": page[-1].id}
            members = _by(scope.connection.execute(_MEMBERS, bounds), column=1)
            kept = KeptHoldings.read(scope.connection, bounds, is_family=True)
            for row in page:
                document = {"organisation": org, "id": row.id} | _given({"external_id": row.external_id})
                document |= {"name": row.name}
                if row.status != "ACTIVE":
                    document["status"] = row.status
                document["members"] = [_member(each) for each in members.get(row.id, [])]
                yield document | _given({"wallets": kept.of(row.id)})


def _member(row: Row[Any]) -> Document:
    member = {"customer_id": row.customer_id} | _given({"primary": bool(row.is_primary)})
    if not row.may_redeem:
        member["permissions"] = ["block_points_redemption"]
    return member | ({} if row.is_active else {"active": False})


def _redemptions(scope: _Scope) -> Iterator[Document]:
    for org in scope.ids:
        for page in _pages(scope, _REDEMPTION, org):
            shares = _by(scope.connection.execute(_SHARES, {"redemptions": [row.id for row in page]}))
            for row in page:
                yield _redemption(row, shares.get(row.id, []))


def _redemption(row: Row[Any], shares: list[Row[Any]]) -> Document:
    document = {"organisation": row.org, "redemption_id": row.redemption_id, "customer_id": row.customer_id}
    document |= {"program_id": row.program_id} | _given({"family_group_id": row.family_group_id})
    document |= {"points": _points(row.points), "at": from_ms(row.at).isoformat(timespec="milliseconds")}
    document |= _given({"transaction_number": row.bill_number, "external_reference_number": row.key})
    if row.reversed:
        document["reversed_points"] = _points(row.reversed)
    lots = [_part(row, each) for each in shares]
    rest = row.points - sum(each.points for each in shares)
    if rest:  # What no lot paid for.
        lots.append({"points": _points(rest), "expires_on": None})
    document["lots"] = lots
    return document


def _part(row: Row[Any], share: Row[Any]) -> Document:
    """Points of one lot, and whose it was where it was not the customer's own of this program."""
    part: Document = {"points": _points(share.points), "expires_on": share.expires_on}
    if share.reversed:
        part["reversed_points"] = _points(share.reversed)
    if share.family_group_id is not None:
        part["family_group_id"] = share.family_group_id
    elif share.customer_id != row.customer_id:
        part["customer_id"] = share.customer_id
    if share.program_id != row.program_id:
        part["program_id"] = share.program_id
    return part


def _by(rows: Iterable[Row[Any]], *, column: int = 0) -> dict[Any, list[Row[Any]]]:
    """Rows by their owner; they come in that order."""
    return {owner: list(owned) for owner, owned in groupby(rows, key=lambda row: row[column])}


def _points(thousandths: int) -> str:
    return str(Points(thousandths))


_KINDS: Final[dict[str, Callable[[_Scope], Iterator[Document]]]] = {
    "organisation": _organisations,
    "program": _programs,
    "till": _tills,
    "operator": _operators,
    "customer": _customers,
    "family_group": _family_groups,
    "redemption": _redemptions,
}
"""In the order the format has them in."""
