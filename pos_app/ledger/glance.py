"""What nearly every question needs, in one look: the ledger's numbers, the customer, her own wallet and its sums.

One statement sees one moment, so a check needs no transaction around it. Whatever this look cannot answer, such as
family groups, program groups, ceilings over time, missed calls, rules that changed or a customer nobody knows, is
left to the longer way: `tools.moment` and `facts.gather`, whose answer is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, literal, select

from pos_app.domain.facts import Program
from pos_app.domain.request import IdentifierKind, RedemptionRequest, ValidationType
from pos_app.ledger import schema
from pos_app.ledger.databases.prepared import Prepared
from pos_app.ledger.facts import WALLET_ROW, Known, as_one, asked_program, facts_of, gather, kept_wallet
from pos_app.ledger.lots import alive
from pos_app.ledger.people import PERSON_ROW, kept_forms, named_so, person_in
from pos_app.ledger.rulebook import Rules
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

_CUSTOMER: Final = schema.customer
_IDENTIFIER: Final = schema.identifier
_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_META: Final = schema.meta

_NUMBERS: Final = 2
_PERSON_END: Final = _NUMBERS + len(PERSON_ROW) + 1


def _number(name: str) -> Any:
    return select(_META.c.number).where(_META.c.name == name).scalar_subquery()


def _sum(column: ColumnElement[Any]) -> Any:
    held = select(func.coalesce(func.sum(column), 0)).where(_LOT.c.wallet_id == _WALLET.c.id, alive)
    return held.correlate(_WALLET).scalar_subquery()


def _look(people: Any, is_active: ColumnElement[Any], *conditions: Any) -> Prepared:
    """The numbers, `PERSON_ROW` and whether the identifier may be used, `WALLET_ROW` and the sums of its lots."""
    own = (
        (_WALLET.c.org == _CUSTOMER.c.org)
        & (_WALLET.c.customer_id == _CUSTOMER.c.id)
        & (_WALLET.c.program_id == bindparam("program"))
    )
    columns = (_number("rules_version"), _number("epoch"), *PERSON_ROW, is_active, *WALLET_ROW)
    found: Select[Any] = select(*columns, _sum(_LOT.c.rem), _sum(_LOT.c.res))
    return Prepared(found.select_from(people.outerjoin(_WALLET, own)).where(*conditions))


_BY_ID: Final = _look(
    _CUSTOMER, literal(True), _CUSTOMER.c.org == bindparam("org"), _CUSTOMER.c.id == bindparam("value")
)
_OF_IDENTIFIER: Final = (_IDENTIFIER.c.org == _CUSTOMER.c.org) & (_IDENTIFIER.c.customer_id == _CUSTOMER.c.id)
_BY_IDENTIFIER: Final = _look(_IDENTIFIER.join(_CUSTOMER, _OF_IDENTIFIER), _IDENTIFIER.c.is_active, *named_so)


def see(tools: Tools, connection: Connection, till: Till, request: RedemptionRequest) -> tuple[Moment, Known]:
    """The moment, and all that `judge` may look at, as this transaction sees it.

    Raises:
        TillChangedError: the till is no longer what it was when it was let in.
    """
    found = glance(tools, connection, till, request)
    if found is not None:
        return found
    moment = tools.moment(connection, till)
    return moment, gather(connection, moment.rules, till, request, moment.now)


def glance(tools: Tools, connection: Connection, till: Till, request: RedemptionRequest) -> tuple[Moment, Known] | None:
    """The same in one statement, which needs no transaction; None where one statement cannot tell."""
    rules = tools.rulebook.newest
    if rules is None or not tools.is_kept(rules, till):
        return None
    moment = tools.now_by(rules, till)
    program = asked_program(moment.rules, till, request.program_id)
    if program is None or not _is_plain(request, program):
        return None
    parameters, statement = _named(moment, request)
    today = moment.rules.day_of(moment.now)
    parameters |= {"program": program.program_id, "today": today.isoformat()}
    rows = statement.rows(connection, parameters)
    if not rows or not _is_current(rules, rows[0]):
        return None
    person, is_usable = person_in([row[_NUMBERS:_PERSON_END] for row in rows])
    if person is not None and program.criteria_for(person.customer.tier).ceilings:
        return None
    own = rows[0][_PERSON_END:]
    wallets = () if person is None or own[0] is None else (kept_wallet(own),)
    facts = facts_of(moment.rules, program, person, as_one(wallets, program), today, is_usable=is_usable)
    return moment, Known(facts=facts, rules=moment.rules, person=person, wallets=wallets)


def _named(moment: Moment, request: RedemptionRequest) -> tuple[dict[str, Any], Prepared]:
    """The statement that finds a customer by what she is called, and its parameters."""
    organisation, ref = moment.rules.organisation, request.customer
    parameters: dict[str, Any] = {"org": organisation.organisation_id}
    if ref.kind is IdentifierKind.ID:
        return parameters | {"value": int(ref.value)}, _BY_ID
    value, other = kept_forms(ref.kind, ref.value, organisation.country_code)
    return parameters | {"kind": ref.kind.value, "value": value, "other": other}, _BY_IDENTIFIER


def _is_current(rules: Rules, row: Sequence[Any]) -> bool:
    return (rules.version, rules.epoch) == tuple(row[:_NUMBERS])


def _is_plain(request: RedemptionRequest, program: Program) -> bool:
    """Say whether one customer's own wallet in one program is all the question is about."""
    return (
        request.family_group is None
        and not request.program_group
        and request.validation_type is not ValidationType.MISSED_CALL
        and request.customer.is_well_formed
        and not program.criteria.ceilings
    )
