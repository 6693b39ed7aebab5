"""The light balance call: what one customer or family group has, in one program or in all (contract 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from pos_app.domain.facts import Program
from pos_app.domain.family_groups import Balance
from pos_app.domain.points import total
from pos_app.domain.request import CustomerRef, FamilyGroupRef
from pos_app.ledger.facts import KeptWallet, family_wallets, own_wallets
from pos_app.ledger.people import find_family_group, find_person
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools


class BalanceFault(StrEnum):
    """Why there is no balance to tell."""

    CUSTOMER_UNKNOWN = "customer_unknown"
    GROUP_UNKNOWN = "group_unknown"
    PROGRAM_UNKNOWN = "program_unknown"
    NO_PROGRAM_HERE = "no_program_here"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceQuestion:
    """Whose balance: a customer's or a family group's. `program_id` None is the default program's.

    Unlike a redemption this call never looks at the program of the till (contract 5).
    """

    owner: CustomerRef | FamilyGroupRef
    program_id: int | None = None
    all_programs: bool = False


def find_balance(tools: Tools, till: Till, asked: BalanceQuestion) -> Balance | BalanceFault:
    """The balance asked for. An owner without a wallet there has nothing, which is an answer as well."""
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        program = _program(moment, asked)
        if isinstance(program, BalanceFault):
            return program
        owned = _owned(connection, moment, asked.owner)
        if isinstance(owned, BalanceFault):
            return owned
        owner_id, wallets = owned
        counted = [each for each in wallets if program is None or each.program_id == program.program_id]
        return Balance(
            owner_id=owner_id,
            program_id=None if program is None else program.program_id,
            redeemable=total(each.balance for each in counted),
            promised=total(each.promised_points for each in counted),
        )


def _program(moment: Moment, asked: BalanceQuestion) -> Program | BalanceFault | None:
    """The program that counts; None: all of them."""
    rules = moment.rules
    if asked.all_programs:
        return None
    if asked.program_id is None:
        return rules.default_program or BalanceFault.NO_PROGRAM_HERE
    return rules.programs.get(asked.program_id) or BalanceFault.PROGRAM_UNKNOWN


def _owned(
    connection: Connection, moment: Moment, owner: CustomerRef | FamilyGroupRef
) -> tuple[int, Iterable[KeptWallet]] | BalanceFault:
    """The owner's id and wallets."""
    rules, today = moment.rules, moment.rules.day_of(moment.now)
    org, country_code = rules.organisation.organisation_id, rules.organisation.country_code
    if isinstance(owner, CustomerRef):
        person, _ = find_person(connection, org, owner, country_code)
        if person is None:
            return BalanceFault.CUSTOMER_UNKNOWN
        customer_id = person.customer.customer_id
        return customer_id, own_wallets(connection, org, customer_id, today)
    group = find_family_group(connection, org, owner, None, country_code)
    if group is None:
        return BalanceFault.GROUP_UNKNOWN
    return group.group_id, family_wallets(connection, rules, group.group_id, today)
