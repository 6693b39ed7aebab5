"""What stands for the customer's code: a scanned pass, or a second person's word (ux B.5, reliability 4.6).

A pass is a secret of the customer's and an approval is good for one redemption: both live in memory only and are
forgotten with the customer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.services.covered import Covered
from pos_app.services.results import Checked
from pos_app.ui.serving import Serving

PASS_PREFIX: Final = "PD1"  # noqa: S105 - how a scanned proof begins


def is_pass(text: str) -> bool:
    """Say whether a scanned text is a pass (sync-api 10): no identifier begins so."""
    return text.strip().upper().startswith(PASS_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """What there is for one question. `approver` and `why` are as the screen says them."""

    pass_text: str | None = field(default=None, repr=False)
    approval: Approval | None = None
    approver: str = field(default="", repr=False)
    why: str = ""

    @property
    def skips(self) -> bool:
        """Say whether a second person let the confirmation be skipped."""
        return self.approval is not None and self.approval.purpose is ApprovalPurpose.SKIP_VALIDATION

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing."""
        return self.pass_text is None and self.approval is None


def seen_with(checked: Checked, covered: Covered) -> Checked:
    """An answer that was made here, looked at again: with a proof, or after something was spent."""
    return replace(
        checked,
        is_redeemable=covered.is_covered,
        points=covered.points or checked.points,
        worth=covered.worth if covered.worth is not None else checked.worth,
        refusals=() if covered.is_covered else covered.refusals,
        nearest=covered.nearest,
        needs_proof=covered.needs_proof,
        offline=covered,
    )


class ProofMemory:
    """One window's memory of passes and approvals."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._customer: CustomerRef | None = None
        self._pass_text: str | None = None
        self._question: RedemptionRequest | None = None
        self._approved = Proofs()

    def take_pass(self, customer: CustomerRef, text: str) -> None:
        """A pass was scanned while this customer was served; it confirms her until another one comes."""
        self._customer, self._pass_text = customer, text

    def take_approval(self, question: RedemptionRequest, approved: Proofs) -> None:
        """Somebody approved this question, and no other."""
        self._question, self._approved = self._settled(question), approved

    def for_question(self, question: RedemptionRequest) -> Proofs:
        """What there is for this question."""
        approved = self._approved if self._question == self._settled(question) else Proofs()
        has_pass = self._customer == question.customer and approved.approval is None
        return replace(approved, pass_text=self._pass_text if has_pass else None)

    def forget(self) -> None:
        """Redeemed, or another customer."""
        self._customer, self._pass_text = None, None
        self._question, self._approved = None, Proofs()

    def _settled(self, question: RedemptionRequest) -> RedemptionRequest:
        """The question without what only says how it is confirmed."""
        plain = replace(question, issue_otp=False, validation_code=None, validation_type=None, skip_validation=False)
        return self._serving.settled(plain)
