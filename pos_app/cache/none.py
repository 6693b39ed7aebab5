"""A cache for a machine that is no till: it remembers nothing, so every question needs the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_app.domain.facts import Customer, CustomerRecord, FamilyRecord, Organisation, Program, Wallet
from pos_app.domain.request import CustomerRef, FamilyGroupRef


class NoCache:
    """Keeps `services.ports.Cache`'s promise by knowing nobody."""

    def keep_customer(self, record: CustomerRecord, named: CustomerRef | None, at: datetime) -> None:
        """Forget it."""

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """Never seen."""
        return None

    def keep_wallet(self, customer_id: int, wallet: Wallet, version: int, at: datetime | None) -> None:
        """Forget it."""

    def find_family(self, named: FamilyGroupRef, customer: Customer) -> FamilyRecord | None:
        """Cannot say."""
        return None

    def keep_program(self, program: Program, at: datetime) -> None:
        """Forget it."""

    def programs(self) -> Sequence[Program]:
        """None known."""
        return ()

    def program(self, program_id: int) -> Program | None:
        """Not known."""
        return None

    def keep_organisation(self, organisation: Organisation, at: datetime) -> None:
        """Forget it."""

    def organisation(self) -> Organisation | None:
        """Never told."""
        return None
