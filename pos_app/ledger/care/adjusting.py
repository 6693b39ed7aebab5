"""Points given or taken by hand, with a reason and a second person (reliability 4.7).

A deduction takes only what is free: it never goes below zero, nor touches what is set aside under a lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.request import CustomerRef
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.operator_care import the_organisation
from pos_app.ledger.crediting import Owner, find_wallet, give, wallet_for
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.entries import Entry, EntryKind, append
from pos_app.ledger.errors import CareRefusedError, OperatorRefusedError
from pos_app.ledger.facts import wallets_by_id
from pos_app.ledger.lots import find_lots, plan, take
from pos_app.ledger.people import find_person, get_family_group
from pos_app.ledger.rulebook import OrganisationRules, to_ms
from pos_app.ledger.staff.operators import prove_pin
from pos_app.ledger.tools import Tools

REASON_MAX: Final = 200
_APPROVERS: Final = frozenset({"supervisor", "manager"})
_NEWEST: Final = (
    select(schema.entry.c.id)
    .where(schema.entry.c.wallet_id == bindparam("wallet"))
    .order_by(schema.entry.c.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An operator and the PIN that proves it is she."""

    operator_id: int
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What is to be adjusted. Either a customer or a family group; points below zero are taken.

    `program_id` None: the default program. `expires_on` None: the points given never expire.
    """

    organisation_id: int | None
    customer: CustomerRef | None = field(default=None, repr=False)
    family_group_id: int | None = None
    program_id: int | None = None
    points: Points
    expires_on: date | None = None
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """What was done: the entries it left, and what the wallet has now."""

    wallet_id: int
    entry_ids: tuple[int, ...]
    balance: Points


def adjust(tools: Tools, wish: Adjustment, by: Person, approved_by: Person) -> Adjusted:
    """Adjust a wallet, once both people have proved their PINs.

    Raises:
        CareRefusedError: it cannot be done; the message says why.
        LedgerBusyError: the database was not had in time; nothing was adjusted.
    """
    reason = wish.reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise CareRefusedError(f"--reason: say in at most {REASON_MAX} characters why the points are adjusted.")
    if wish.points == ZERO:
        raise CareRefusedError("--points: 0 points change nothing; give +N or -N.")
    if wish.expires_on is not None and wish.points < ZERO:
        raise CareRefusedError("--expires-on: points that are taken have no day of their own; leave it out.")
    if by.operator_id == approved_by.operator_id:
        raise CareRefusedError("An adjustment needs two people: --by and --approved-by are the same one.")
    with tools.store.read() as connection:
        org = the_organisation(tools.rulebook.at(connection), wish.organisation_id)
    _prove(tools, org, by)
    if _prove(tools, org, approved_by) not in _APPROVERS:
        raise CareRefusedError(f"Operator {approved_by.operator_id} is no supervisor or manager and cannot approve.")
    people = (by.operator_id, approved_by.operator_id)
    return tools.store.writing(lambda connection: _adjust(tools, connection, org, wish, reason, people))


def _prove(tools: Tools, org: int, person: Person) -> str:
    try:
        return prove_pin(tools, org, person.operator_id, person.pin)
    except OperatorRefusedError as error:
        who = f"Operator {person.operator_id}"
        told = {
            "operator_unknown": f"{who} is not known here, is disabled, or has no PIN.",
            "operator_locked": f"{who} is locked after too many wrong PINs; try later, or give her a new PIN.",
        }
        raise CareRefusedError(told.get(error.reason, f"The PIN of operator {person.operator_id} is wrong.")) from error


def _adjust(
    tools: Tools, connection: Connection, org: int, wish: Adjustment, reason: str, people: tuple[int, int]
) -> Adjusted:
    now, rules = tools.clock.wall(), tools.rulebook.at(connection).organisations[org]
    owner, program_id = _owner(connection, rules, wish), _program(rules, wish.program_id)
    by, approved_by = people
    audit.record(
        connection,
        at=now,
        org=org,
        act="points.adjust",
        who=audit.operator(by),
        target=f"{owner.column} {owner.owner_id}",
        detail={"program_id": program_id, "points": str(wish.points), "approved_by": approved_by},
    )
    wallet_id = _wallet(connection, owner, program_id, wish.points)
    hold_wallets(connection, {wallet_id})
    entry = Entry(
        at=to_ms(now),
        kind=EntryKind.ADJUST,
        wallet_id=wallet_id,
        lot_id=0,
        delta=0,
        cashier=by,
        supervisor=approved_by,
        reason=reason,
    )
    if wish.points > ZERO:
        count = _give(connection, rules, entry, wish, now)
    else:
        count = _take(connection, rules, entry, ZERO - wish.points, now)
    newest: Sequence[int] = connection.execute(_NEWEST, {"wallet": wallet_id, "most": count}).scalars().all()
    today = rules.day_of(now)
    balance = total(each.balance for each in wallets_by_id(connection, {wallet_id}, today))
    return Adjusted(wallet_id=wallet_id, entry_ids=tuple(sorted(newest)), balance=balance)


def _owner(connection: Connection, rules: OrganisationRules, wish: Adjustment) -> Owner:
    org = rules.organisation.organisation_id
    if (wish.customer is None) == (wish.family_group_id is None):
        raise CareRefusedError("Name one customer by one identifier, or one family group.")
    if wish.customer is None:
        group_id = wish.family_group_id or 0
        if get_family_group(connection, org, group_id, None) is None:
            raise CareRefusedError(f"There is no family group {group_id} in organisation {org}.")
        return Owner(organisation_id=org, family_group_id=group_id)
    person, is_usable = find_person(connection, org, wish.customer, rules.organisation.country_code)
    if person is None:
        why = "nobody has it" if is_usable else "this card is not active"
        raise CareRefusedError(f"No customer was found by this {wish.customer.kind.value.replace('_', ' ')}: {why}.")
    return Owner(organisation_id=org, customer_id=person.customer.customer_id)


def _program(rules: OrganisationRules, program_id: int | None) -> int:
    if program_id is not None:
        if program_id not in rules.programs:
            raise CareRefusedError(f"Organisation {rules.organisation.organisation_id} has no program {program_id}.")
        return program_id
    if rules.default_program is None:
        raise CareRefusedError("This organisation has no default program: name one with --program-id.")
    return rules.default_program.program_id


def _wallet(connection: Connection, owner: Owner, program_id: int, points: Points) -> int:
    """The wallet; only points to be given make one that is missing."""
    if points > ZERO:
        return wallet_for(connection, owner, program_id)
    found = find_wallet(connection, owner, program_id)
    if found is None:
        raise CareRefusedError("There is no wallet in this program, so nothing can be taken.")
    return found


def _give(connection: Connection, rules: OrganisationRules, entry: Entry, wish: Adjustment, now: datetime) -> int:
    today = rules.day_of(now)
    if wish.expires_on is not None and wish.expires_on < today:
        raise CareRefusedError("--expires-on: this day has passed; the points would be gone at once.")
    give(connection, entry, wish.points, today, wish.expires_on)
    return 1


def _take(connection: Connection, rules: OrganisationRules, entry: Entry, points: Points, now: datetime) -> int:
    lots = find_lots(connection, [entry.wallet_id], rules.day_of(now))
    free = total(lot.free for lot in lots)
    if free < points:
        raise CareRefusedError(f"Only {free} points are free in this wallet, so {points} cannot be taken.")
    draws = plan(lots, points)
    take(connection, draws)
    append(connection, [replace(entry, lot_id=draw.lot.lot_id, delta=-draw.points.thousandths) for draw in draws])
    return len(draws)
