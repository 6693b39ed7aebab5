"""Makes the panel's view of what may be redeemed here without a line, and of what was (ux B.4, reliability 4.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.redemption import Kind
from pos_app.services.covered import Covered, NoWay
from pos_app.ui.formats import points_text, time_text
from pos_app.ui.wording import Situation, WordingFacts, Words, for_no_way, for_situation

if TYPE_CHECKING:
    from pos_app.services.allowances import Allowance
    from pos_app.ui.proofs import Proofs

CONTEXT: Final = "offline"
_UNUSABLE: Final = {"past_term": NoWay.PAST_TERM, "clock_not_trusted": NoWay.CLOCK_NOT_TRUSTED}


def is_firm(covered: Covered | None) -> bool:
    """Say whether an answer made here stands on a lease or on the shop's risk: it is no advice then."""
    return covered is not None and covered.allowance is not None


def facts_with(covered: Covered, facts: WordingFacts) -> WordingFacts:
    """What the sentences may say of a question, and of what is set aside for it."""
    program = covered.payer.program if covered.payer is not None else None
    decimals = program.decimals if program is not None else 0
    return replace(
        facts,
        program=program.name if program is not None else facts.program,
        points=points_text(covered.points, decimals) if covered.points else facts.points,
        allowance=points_text(covered.allowance, decimals) if covered.allowance is not None else "",
        until=time_text(covered.until) if covered.until is not None else "",
        nearest=tuple(points_text(each, decimals) for each in covered.nearest),
        has_supervisor=covered.can_skip or covered.reason is NoWay.RISK_APPROVAL_NEEDED,
    )


def covered_words(covered: Covered, facts: WordingFacts, proofs: Proofs | None) -> Words:
    """What the panel says of a firm answer; `proofs` is how the customer was confirmed for this question."""
    facts = facts_with(covered, facts)
    if covered.reason is not None:
        refusal = covered.refusals[0] if covered.refusals else None
        return for_no_way(covered.reason, facts, refusal=refusal)
    if proofs is not None and proofs.approval is not None:
        facts = replace(facts, approver=proofs.approver, why=proofs.why)
        at_risk = covered.kind is Kind.RISK
        return for_situation(Situation.OFFLINE_AT_RISK if at_risk else Situation.OFFLINE_SKIPPED, facts)
    by_pass = proofs is not None and proofs.pass_text is not None and covered.needs_proof
    return for_situation(Situation.OFFLINE_BY_PASS if by_pass else Situation.OFFLINE_COVERED, facts)


def why_not_here(covered: Covered, facts: WordingFacts) -> str:
    """Why a "probably yes" cannot be redeemed here: the exact reason; "" where none is known."""
    if covered.reason in {None, NoWay.RULES, NoWay.PROOF_NEEDED}:
        return ""
    return for_no_way(covered.reason or NoWay.NO_LEASE, facts_with(covered, facts)).reason


def allowance_text(allowance: Allowance) -> str:
    """How the card tells until when points are set aside, or why they cannot be used."""
    if allowance.unusable is None:
        return QCoreApplication.translate(CONTEXT, "until {time}").format(time=time_text(allowance.until))
    reason = _UNUSABLE.get(allowance.unusable.value, NoWay.LEASE_NOT_GENUINE)
    return for_no_way(reason, WordingFacts(until=time_text(allowance.until))).reason
