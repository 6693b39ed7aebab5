"""What the presenters know together: who stands at the counter, and what the till knows of its organisation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pos_app.domain.facts import Organisation, Program
from pos_app.domain.masking import mask, mask_mobile, short_name
from pos_app.domain.redemption import Kind, Redemption
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.services.results import Found

MADE_HERE: Final = frozenset({Kind.LEASE, Kind.RISK})
"""Redeemed without a line: done, and told to the ledger by itself."""


@dataclass(slots=True)
class Serving:
    """One window's memory; plain values, no behaviour beyond reading them.

    `asked` is the identifier that was looked up or checked last, `found` the customer it led to.
    """

    organisation: Organisation = field(default_factory=Organisation)
    programs: tuple[Program, ...] = ()
    open_rows: tuple[Redemption, ...] = ()
    asked: CustomerRef | None = None
    found: Found | None = None

    @property
    def unanswered(self) -> tuple[Redemption, ...]:
        """The open rows whose answer is still to come from the ledger."""
        return tuple(row for row in self.open_rows if row.kind not in MADE_HERE)

    def found_for(self, customer: CustomerRef) -> Found | None:
        """The customer on the card, when this identifier is the one she was found by."""
        return self.found if self.asked == customer else None

    def name_of(self, customer: CustomerRef) -> str:
        """`Tom S.`, empty while not known."""
        found = self.found_for(customer)
        return short_name(found.record.customer.first_name, found.record.customer.last_name) if found else ""

    def masked_of(self, customer: CustomerRef) -> str:
        """The mobile number a code goes to, masked; the identifier asked by while no number is known."""
        found = self.found_for(customer)
        if found is not None and found.record.customer.mobile:
            return mask_mobile(found.record.customer.mobile)
        return mask(customer.kind, customer.value)

    def label_of(self, customer: CustomerRef) -> str:
        """How the journal and the screen name her: first name and initial, masked identifier."""
        name = self.name_of(customer)
        masked = mask(customer.kind, customer.value)
        return f"{name}, {masked}" if name else masked

    def customer_id_of(self, customer: CustomerRef) -> int | None:
        """Her number at the ledger, None while not known."""
        found = self.found_for(customer)
        return found.record.customer.customer_id if found else None

    def settled(self, question: RedemptionRequest) -> RedemptionRequest:
        """The same question with the till's own program named, once it is known: no program means that one (2.3).

        Questions are compared so, or a till that learns its program between a check and its answer would take the
        same question for another one.
        """
        if question.program_id is not None or not self.programs:
            return question
        return replace(question, program_id=self.programs[0].program_id)

    def program(self, program_id: int | None) -> Program | None:
        """The program of this number, or the till's own."""
        if program_id is None:
            return self.programs[0] if self.programs else None
        return next((each for each in self.programs if each.program_id == program_id), None)
