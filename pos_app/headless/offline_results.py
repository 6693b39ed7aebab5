"""What an answer made without a line says: covered by what is set aside here, or why not (ux B.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pos_app.domain.redemption import Redemption
from pos_app.headless.results import OK, REFUSED, Result, of_row, shown_of
from pos_app.services.allowances import Allowance
from pos_app.services.covered import Covered, NoWay
from pos_app.services.results import Checked
from pos_app.ui.formats import points_text, time_text
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import facts_of_question, view_of_words
from pos_app.ui.wording import Situation, WordingFacts, for_no_way, for_situation
from pos_app.wire.codes import Endpoint, code_for


def facts_of_covered(covered: Covered, serving: Serving) -> WordingFacts:
    """What the sentences may say."""
    program = covered.payer.program if covered.payer is not None else serving.program(covered.request.program_id)
    decimals = program.decimals if program is not None else 0
    return replace(
        facts_of_question(covered.request, serving),
        program=program.name if program is not None else "",
        points=points_text(covered.points, decimals),
        allowance=points_text(covered.allowance, decimals) if covered.allowance is not None else "",
        until=time_text(covered.until) if covered.until is not None else "",
        nearest=tuple(points_text(each, decimals) for each in covered.nearest),
    )


def of_no_way(covered: Covered, serving: Serving) -> Result:
    """Nothing can be redeemed here now."""
    reason = covered.reason or NoWay.RULES
    facts = facts_of_covered(covered, serving)
    refusal = covered.refusals[0] if covered.refusals else None
    detail = _told_of(covered)
    return Result(
        outcome=REFUSED,
        code=next(iter(detail["refusals"]), None),
        points=covered.points,
        shown=shown_of(view_of_words(for_no_way(reason, facts, refusal=refusal), facts)),
        detail=detail,
    )


def of_done(row: Redemption, covered: Covered, serving: Serving) -> Result:
    """It was redeemed here; what is left of the allowance is told too."""
    left = covered.allowance_after
    program = covered.payer.program if covered.payer is not None else None
    decimals = program.decimals if program is not None else 0
    facts = replace(
        facts_of_covered(covered, serving),
        redemption_id=row.redemption_id or "",
        allowance="" if left is None else points_text(left, decimals),
    )
    plain = of_row(row, serving)
    shown = shown_of(view_of_words(for_situation(Situation.DONE_OFFLINE, facts), facts))
    return replace(plain, shown=shown, detail={**plain.detail, "allowance": None if left is None else str(left)})


def of_covered_check(checked: Checked, covered: Covered, serving: Serving, plain: Result) -> Result:
    """A check that was answered here: firm where something is set aside, else `plain`, which is advice."""
    detail = {**plain.detail, **_told_of(covered)}
    if covered.allowance is None:
        return replace(plain, detail={**detail, "reason": plain.detail["reason"], "offline": detail["reason"]})
    facts = facts_of_covered(covered, serving)
    words = for_situation(Situation.OFFLINE_COVERED, facts)
    if covered.reason is not None:
        refusal = covered.refusals[0] if covered.refusals else None
        words = for_no_way(covered.reason, facts, refusal=refusal)
    shown = shown_of(view_of_words(words, facts))
    return replace(plain, outcome=OK if checked.is_redeemable else REFUSED, shown=shown, detail=detail)


def _told_of(covered: Covered) -> dict[str, Any]:
    """What is set aside here, and why it cannot be used."""
    detail: dict[str, Any] = {
        "reason": None if covered.reason is None else covered.reason.value,
        "refusals": [code_for(Endpoint.REDEEM, each) for each in covered.refusals],
        "nearest": [str(each) for each in covered.nearest],
        "allowance": None if covered.allowance is None else str(covered.allowance),
        "lease_id": covered.lease_id,
    }
    if covered.distrust is not None:
        detail["clock"] = covered.distrust.value
    return detail


def allowance_words(allowance: Allowance, serving: Serving) -> str:
    """How the card tells of a lease: what is set aside here, and until when."""
    if allowance.unusable is not None:
        reason = {"past_term": NoWay.PAST_TERM, "clock_not_trusted": NoWay.CLOCK_NOT_TRUSTED}.get(
            allowance.unusable.value, NoWay.LEASE_NOT_GENUINE
        )
        return for_no_way(reason, WordingFacts(until=time_text(allowance.until))).reason
    program = serving.program(allowance.held.lease.program_id)
    decimals = program.decimals if program is not None else 0
    facts = WordingFacts(allowance=points_text(allowance.left, decimals), until=time_text(allowance.until))
    return for_situation(Situation.OFFLINE_COVERED, facts).reason
