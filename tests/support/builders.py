"""Domain values with valid defaults: a test names only what it is about.

Points may be given as an int, a text or `Points`. Everybody is made up, and so are the numbers and addresses.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pos_app.domain.facts import (
    Ceiling,
    CeilingPeriod,
    Criteria,
    Customer,
    CustomerRecord,
    Facts,
    FamilyGroup,
    Lot,
    Member,
    Organisation,
    Program,
    Proof,
    Wallet,
)
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import (
    AskedPoints,
    AskedValue,
    CustomerRef,
    IdentifierKind,
    RedemptionRequest,
    UnreadableAmount,
)

CUSTOMER_ID = 50001
FAMILY_GROUP_ID = 77
PROGRAM_ID = 973
MOBILE = "919812345678"
A_KEY = "01J9ZQ4M7T8V2W3X5Y6A7B8C9D"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
"""A Sunday: the last day of its calendar week."""

AnyPoints = int | str | Points


def points(count: AnyPoints) -> Points:
    """Read points however a test writes them."""
    return count if isinstance(count, Points) else Points.of(count)


def by_mobile(value: str = MOBILE) -> CustomerRef:
    """A customer named by her mobile number."""
    return CustomerRef(IdentifierKind.MOBILE, value)


def an_organisation(**changes: Any) -> Organisation:
    """A retailer with every switch at its default."""
    plain = Organisation(
        organisation_id=1, name="Kalpana Stores", currency="INR", time_zone="Asia/Kolkata", country_code="91"
    )
    return replace(plain, **changes)


def criteria(**rules: Any) -> Criteria:
    """Redeem conditions; points rules are read as points, purchases as money."""
    read: dict[str, Any] = {}
    for name, rule in rules.items():
        if rule is None or name == "ceilings":
            read[name] = rule
        elif name == "lifetime_purchases_required":
            read[name] = Decimal(rule)
        else:
            read[name] = points(rule)
    return Criteria(**read)


def a_ceiling(limit: AnyPoints, period: CeilingPeriod = CeilingPeriod.DAY, days: int = 0) -> Ceiling:
    """At most `limit` over a period."""
    return Ceiling(period, points(limit), days)


def a_program(program_id: int = PROGRAM_ID, **changes: Any) -> Program:
    """An active default program whose points are worth one unit each and that has no rules.

    Names of rules (`multiple_of=10`, `maximum=200`, ...) may be given beside the program's own fields.
    """
    rules = {name: changes.pop(name) for name in Criteria.__dataclass_fields__ if name in changes}
    if rules:
        changes["criteria"] = criteria(**rules)
    if isinstance(changes.get("ratio"), str | int):
        changes["ratio"] = Decimal(changes["ratio"])
    plain = Program(program_id=program_id, name="Gold Rewards", is_default=True, ratio=Decimal(1))
    return replace(plain, **changes)


def a_customer(customer_id: int = CUSTOMER_ID, **changes: Any) -> Customer:
    """A registered customer in good standing."""
    plain = Customer(
        customer_id=customer_id,
        mobile=MOBILE,
        email="ada@example.org",
        external_id="C-1001",
        first_name="Ada",
        last_name="Fernandes",
    )
    return replace(plain, **changes)


def a_lot(count: AnyPoints, expires_on: date | None = date(2030, 12, 31), **changes: Any) -> Lot:
    """Points that expire together."""
    return replace(Lot(points=points(count), expires_on=expires_on, program_id=PROGRAM_ID), **changes)


def a_wallet(balance: AnyPoints = 500, program_id: int = PROGRAM_ID, **changes: Any) -> Wallet:
    """A wallet whose whole balance is available, in one lot, with nothing redeemed yet."""
    held = points(balance)
    changes.setdefault("available", held)
    changes.setdefault("lots", (a_lot(held, program_id=program_id),) if held else ())
    for name in ("available", "lifetime_points", "promised_points"):
        if name in changes:
            changes[name] = points(changes[name])
    if "lifetime_purchases" in changes:
        changes["lifetime_purchases"] = Decimal(changes["lifetime_purchases"])
    return Wallet(program_id=program_id, balance=held, **changes)


def a_family_group(group_id: int = FAMILY_GROUP_ID, **changes: Any) -> FamilyGroup:
    """An active family group whose primary member is `a_customer()`."""
    plain = FamilyGroup(
        group_id=group_id, name="Fernandes", external_id="FG-1", members=(Member(CUSTOMER_ID, is_primary=True),)
    )
    return replace(plain, **changes)


def a_record(**changes: Any) -> CustomerRecord:
    """A customer as looked up: one wallet of 500 points in one program."""
    plain = CustomerRecord(customer=a_customer(), wallets=(a_wallet(),), programs=(a_program(),), as_of=NOW)
    return replace(plain, **changes)


def a_request(
    amount: AnyPoints | Decimal | UnreadableAmount = 100, *, worth: str | None = None, **changes: Any
) -> RedemptionRequest:
    """A plain question: may Ada redeem this many points? With `worth`, points worth so much money."""
    asked: Any
    if worth is not None:
        asked = AskedValue(Decimal(worth))
    elif isinstance(amount, UnreadableAmount):
        asked = amount
    else:
        asked = AskedPoints(Points.of(amount) if isinstance(amount, Decimal) else points(amount))
    return replace(RedemptionRequest(customer=by_mobile(), amount=asked, program_id=PROGRAM_ID), **changes)


def facts(**changes: Any) -> Facts:
    """What is known when Ada, with 500 points and no rule against her, asks.

    `default_program` follows `program` unless given, since most organisations have one program.
    """
    program = changes.pop("program", a_program())
    default = changes.pop("default_program", program)
    plain = Facts(
        organisation=an_organisation(),
        today=TODAY,
        customer=a_customer(),
        program=program,
        default_program=default,
        wallet=a_wallet(),
        proof=Proof.NONE,
    )
    return replace(plain, **changes)


def a_redemption(count: AnyPoints = 100, *, key: str = A_KEY, state: State = State.READY, **changes: Any) -> Redemption:
    """A redemption of Ada's as the journal keeps it."""
    asked = points(count)
    plain = Redemption(
        key=key,
        state=state,
        customer=by_mobile(),
        customer_id=CUSTOMER_ID,
        customer_label="Ada F., +91 ••••• •5678",
        program_id=PROGRAM_ID,
        points=asked,
        worth=asked.decimal,
        created_at=NOW,
    )
    return replace(plain, **changes)
