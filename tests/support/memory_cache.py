"""A cache that keeps `services.ports.Cache`'s promise in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pos_app.domain.facts import Customer, CustomerRecord, FamilyRecord, Organisation, Program, Wallet
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind


class MemoryCache:
    """Customers by each of their identifiers, programs and the organisation's switches."""

    def __init__(self, country_code: str = "91") -> None:
        self._country_code = country_code
        self._customers: dict[int, CustomerRecord] = {}
        self._names: dict[tuple[IdentifierKind, str], int] = {}
        self._programs: dict[int, Program] = {}
        self._organisation: Organisation | None = None

    def keep_customer(self, record: CustomerRecord, named: CustomerRef | None, at: datetime) -> None:
        her = record.customer
        self._customers[her.customer_id] = replace(record, as_of=at)
        refs = [
            CustomerRef(IdentifierKind.MOBILE, her.mobile),
            CustomerRef(IdentifierKind.EMAIL, her.email),
            CustomerRef(IdentifierKind.EXTERNAL_ID, her.external_id),
            CustomerRef(IdentifierKind.ID, str(her.customer_id)),
            *(CustomerRef(IdentifierKind.CARD_NUMBER, card) for card in her.cards),
            *([named] if named is not None else []),
        ]
        for ref in refs:
            if ref.value:
                self._names[self._name(ref)] = her.customer_id

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        customer_id = self._names.get(self._name(customer))
        return None if customer_id is None else self._customers[customer_id]

    def keep_wallet(self, customer_id: int, wallet: Wallet, version: int, at: datetime | None) -> None:
        record = self._customers[customer_id]
        wallets = tuple(wallet if each.program_id == wallet.program_id else each for each in record.wallets)
        self._customers[customer_id] = replace(record, wallets=wallets, as_of=at or record.as_of)

    def find_family(self, named: FamilyGroupRef, customer: Customer) -> FamilyRecord | None:
        return None

    def keep_program(self, program: Program, at: datetime) -> None:
        self._programs[program.program_id] = program

    def programs(self) -> Sequence[Program]:
        return sorted(self._programs.values(), key=lambda program: (not program.is_default, program.name))

    def program(self, program_id: int) -> Program | None:
        return self._programs.get(program_id)

    def keep_organisation(self, organisation: Organisation, at: datetime) -> None:
        self._organisation = organisation

    def organisation(self) -> Organisation | None:
        return self._organisation

    def _name(self, ref: CustomerRef) -> tuple[IdentifierKind, str]:
        if ref.kind is IdentifierKind.MOBILE:
            digits = "".join(each for each in ref.value if each.isdigit())
            return ref.kind, digits.removeprefix(self._country_code)[-10:]
        return ref.kind, ref.value.strip().lower()
