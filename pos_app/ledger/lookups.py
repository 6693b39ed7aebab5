"""`customer/get`, programs and configuration: questions that are only read (contract 5 and 8, sync-api 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from pos_app.domain.facts import CustomerRecord, Lot, Organisation, Program, Wallet
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef
from pos_app.ledger.facts import KeptWallet, own_wallets, redeemed_days
from pos_app.ledger.lots import KeptLot, find_lots
from pos_app.ledger.people import Person, cards_of, family_groups_of, find_person
from pos_app.ledger.rulebook import from_day
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools


def find_customers(tools: Tools, till: Till, refs: Sequence[CustomerRef]) -> list[CustomerRecord | None]:
    """Each customer with her wallets, family groups and programs; None where nobody has the identifier."""
    found: list[CustomerRecord | None] = []
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        organisation = moment.rules.organisation
        for ref in refs:
            person, _ = find_person(connection, organisation.organisation_id, ref, organisation.country_code)
            found.append(None if person is None else _record(connection, moment, person))
    for record in found:
        if record is not None:
            tools.visits.note(till, record.customer.customer_id, moment.rules.day_of(moment.now))
    return found


def find_program(tools: Tools, till: Till, program_id: int) -> Program | None:
    """A program of the till's organisation, with its rules."""
    with tools.store.read() as connection:
        return tools.moment(connection, till).rules.programs.get(program_id)


def active_programs(tools: Tools, till: Till) -> list[Program]:
    """The active programs of the till's organisation, the default one first (contract 8)."""
    with tools.store.read() as connection:
        return _active_programs(tools.moment(connection, till))


def find_organisation(tools: Tools, till: Till) -> tuple[Organisation, list[str]]:
    """The till's organisation, and the currencies it counts in: its own first, then those of its tills (contract 8)."""
    with tools.store.read() as connection:
        organisation = tools.moment(connection, till).rules.organisation
        tills = tools.rulebook.at(connection).tills.values()
    of_tills = {each.currency for each in tills if each.organisation_id == organisation.organisation_id}
    return organisation, [organisation.currency, *sorted(of_tills - {"", organisation.currency})]


def _active_programs(moment: Moment) -> list[Program]:
    return sorted(
        (each for each in moment.rules.programs.values() if each.is_active),
        key=lambda program: (not program.is_default, program.program_id),
    )


def _record(connection: Connection, moment: Moment, person: Person) -> CustomerRecord:
    rules, today = moment.rules, moment.rules.day_of(moment.now)
    org, customer_id = rules.organisation.organisation_id, person.customer.customer_id
    kept = own_wallets(connection, org, customer_id, today)
    lots = find_lots(connection, [each.wallet_id for each in kept], today)
    return CustomerRecord(
        customer=replace(person.customer, cards=cards_of(connection, org, customer_id)),
        wallets=tuple(_wallet(connection, moment, person, each, lots) for each in kept),
        family_groups=family_groups_of(connection, org, person),
        programs=tuple(_active_programs(moment)),
        as_of=moment.now,
    )


def _wallet(
    connection: Connection, moment: Moment, person: Person, kept: KeptWallet, lots: Sequence[KeptLot]
) -> Wallet:
    program = moment.rules.programs.get(kept.program_id)
    today = moment.rules.day_of(moment.now)
    days: tuple[tuple[date, Points], ...] = ()
    if program is not None:
        days = redeemed_days(connection, [kept.wallet_id], program.criteria_for(person.customer.tier), today)
    return Wallet(
        program_id=kept.program_id,
        balance=kept.balance,
        available=kept.balance - kept.reserved,
        lifetime_points=kept.lifetime_points,
        lifetime_purchases=kept.lifetime_purchases,
        promised_points=kept.promised_points,
        is_paused=kept.is_paused,
        redeemed_days=days,
        lots=tuple(
            Lot(
                points=lot.remaining,
                expires_on=from_day(lot.expires_on),
                awarded_on=from_day(lot.awarded_on),
                lot_id=lot.lot_id,
                program_id=lot.program_id,
            )
            for lot in lots
            if lot.wallet_id == kept.wallet_id
        ),
        wallet_id=kept.wallet_id,
    )
