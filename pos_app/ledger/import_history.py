"""Imports earlier redemptions: they feed ceilings, reversals and keys, and move no points (import format)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.database import made_id
from pos_app.ledger.entries import FIRST_HASH, canonical_json
from pos_app.ledger.idempotency import HISTORY, find_key, history_fingerprint
from pos_app.ledger.import_fields import FaultyLineError, Fields
from pos_app.ledger.import_setup import Site
from pos_app.ledger.rulebook import OrganisationRules, to_ms

_REDEMPTION: Final = schema.redemption
_CUSTOMER: Final = schema.customer
_WALLET: Final = schema.wallet
_NOTHING: Final = Points(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """A `redemption` line, read."""

    row: dict[str, Any]
    day: str
    lots: tuple[tuple[Points, str | None], ...]


def keep_redemption(site: Site, fields: Fields, _line: int) -> None:
    """One `redemption` line."""
    rules = site.rules(fields)
    stated = _read(fields, rules)
    connection, row = site.connection, stated.row
    org = row["org"]
    owner = select(_CUSTOMER.c.id).where(_CUSTOMER.c.org == org, _CUSTOMER.c.id == row["customer_id"])
    if connection.execute(owner).scalar_one_or_none() is None:
        fields.refuse("customer_id", row["customer_id"], "a customer that came before")
    same_id = (_REDEMPTION.c.org == org, _REDEMPTION.c.redemption_id == row["redemption_id"])
    kept = connection.execute(select(_REDEMPTION).where(*same_id)).one_or_none()
    if kept is not None:
        _check_same(fields, kept, row)
        return
    if find_key(connection, org, row["key"]) is not None:
        fields.refuse("external_reference_number", "a reference", "one that is not known yet", personal=True)
    number = made_id(connection.execute(insert(_REDEMPTION).values(**row)))
    _keep_shares(connection, stated, number)
    if row["key"]:
        _keep_key(connection, row, number)


def _read(fields: Fields, rules: OrganisationRules) -> _Stated:
    points = fields.points("points", required=True, low=1) or _NOTHING
    given_back = fields.points("reversed_points") or _NOTHING
    if given_back > points:
        fields.refuse("reversed_points", str(given_back), "not more than points")
    at = fields.moment("at")
    row: dict[str, Any] = {
        "org": rules.organisation.organisation_id,
        "redemption_id": fields.text("redemption_id", required=True),
        "customer_id": fields.id("customer_id"),
        "program_id": fields.id("program_id"),
        "points": points.thousandths,
        "reversed": given_back.thousandths,
        "at": to_ms(at),
        "bill_number": fields.text("transaction_number") or None,
        "key": fields.text("external_reference_number") or None,
        "is_history": True,
    }
    if row["program_id"] not in rules.programs:
        fields.refuse("program_id", row["program_id"], "a program of this organisation that came before")
    lots = []
    for each in fields.objects("lots"):
        lots.append((each.points("points", required=True, low=1) or _NOTHING, each.day("expires_on")))
        each.done()
    if sum(each.thousandths for each, _ in lots) > points.thousandths:
        raise FaultyLineError(fields.path("lots"), "more points", "not more than points")
    fields.done()
    return _Stated(row=row, day=rules.day_of(at).isoformat(), lots=tuple(lots))


def _check_same(fields: Fields, kept: Any, row: dict[str, Any]) -> None:
    """History is not rewritten: the same again is no change, anything else is refused."""
    if any(kept._mapping[name] != value for name, value in row.items()):
        fields.refuse("redemption_id", row["redemption_id"], "one that is new, or the same redemption unchanged")


def _keep_shares(connection: Connection, stated: _Stated, number: int) -> None:
    """Where the points came from, as far as the file says; what it does not say is one share without a lot."""
    row = stated.row
    parts = [(points.thousandths, expires_on) for points, expires_on in stated.lots]
    rest = row["points"] - sum(count for count, _ in parts)
    if rest:
        parts.append((rest, None))
    wallet_id, given_back, rows = _wallet_of(connection, row), row["reversed"], []
    for count, expires_on in parts:
        returned = min(count, given_back)
        given_back -= returned
        rows.append(
            {
                "redemption": number,
                "wallet_id": wallet_id,
                "day": stated.day,
                "points": count,
                "reversed": returned,
                "expires_on": expires_on,
            }
        )
    connection.execute(insert(schema.share), rows)


def _wallet_of(connection: Connection, row: dict[str, Any]) -> int:
    """The customer's wallet; a program she has none in gets an empty one."""
    owned = {"org": row["org"], "customer_id": row["customer_id"], "program_id": row["program_id"]}
    conditions = [_WALLET.c[name] == value for name, value in owned.items()]
    known = connection.execute(select(_WALLET.c.id).where(*conditions)).scalar_one_or_none()
    if known is not None:
        return int(known)
    return made_id(connection.execute(insert(_WALLET).values(**owned, head_hash=FIRST_HASH)))


def _keep_key(connection: Connection, row: dict[str, Any], number: int) -> None:
    connection.execute(
        insert(schema.idem).values(
            org=row["org"],
            key=row["key"],
            state=HISTORY,
            fingerprint=history_fingerprint(row["customer_id"], row["program_id"], Points(row["points"])),
            customer_id=row["customer_id"],
            outcome=canonical_json({}),
            redemption=number,
            created_at=row["at"],
        )
    )
