"""Makes the panel's view of a redemption from its committed row: the word "used" comes from nowhere else (4.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.keys import PRACTICE_PREFIX
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.services.covered import Covered
from pos_app.ui.formats import isolated_words, points_text, time_s_text
from pos_app.ui.panel import PanelView
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import view_of_words
from pos_app.ui.wording import Situation, WordingFacts, for_refusal, for_situation, kind_words

CONTEXT: Final = "redemption"
_SITUATIONS: Final = {
    State.READY: Situation.REDEEMING,
    State.SENT: Situation.REDEEMING,
    State.UNKNOWN: Situation.UNKNOWN,
    State.CONFIRMED: Situation.REDEEMED,
    State.CANCELLING: Situation.CANCELLING,
    State.CANCELLED: Situation.CANCELLED,
    State.REVERSED: Situation.REVERSED,
    State.PARKED: Situation.PARKED,
    State.LOCAL_DONE: Situation.DONE_OFFLINE,
    State.SETTLING: Situation.DONE_OFFLINE,
    State.SETTLED: Situation.SETTLED,
    State.SETTLED_SHORT: Situation.SETTLED_SHORT,
}

_OF_REVERSALS: Final = {
    Situation.REDEEMING: Situation.GIVING_BACK,
    Situation.REDEEMED: Situation.GIVEN_BACK,
}


def redemption_view(row: Redemption, serving: Serving) -> PanelView:
    """What the panel says of a row as the journal has it."""
    facts = _facts(row, serving)
    meta = _meta(row)
    refusal = refusal_of(row)
    if refusal is not None:
        return view_of_words(for_refusal(refusal, facts, reason=row.reason), facts, meta)
    situation = _SITUATIONS[row.state]
    if row.kind is Kind.REVERSE:
        situation = _OF_REVERSALS.get(situation, situation)
    return view_of_words(for_situation(situation, facts), facts, meta)


def done_view(row: Redemption, covered: Covered, serving: Serving) -> PanelView:
    """What was redeemed here, from its committed row, and what is left of the allowance."""
    view = redemption_view(row, serving)
    left = covered.allowance_after
    if covered.kind is not Kind.LEASE or left is None:
        return view
    program = serving.program(row.program_id)
    decimals = program.decimals if program is not None else 0
    facts = WordingFacts(
        points=points_text(row.points, decimals),
        redemption_id=row.redemption_id or "",
        allowance=points_text(left, decimals),
    )
    return replace(view, reason=for_situation(Situation.DONE_OFFLINE, facts).reason)


def refusal_of(row: Redemption) -> Refusal | None:
    """The "no" a row tells of: final, or a proof that failed and may be tried again under the same key."""
    if row.state is State.REFUSED:
        return row.refusal or Refusal.OTHER
    return row.refusal if row.state is State.READY else None


def reference_of(key: str) -> str:
    """Four characters to talk about a redemption by; practice says so in front."""
    return f"{PRACTICE_PREFIX if key.startswith(PRACTICE_PREFIX) else ''}{key[-4:]}"


def unsent_view(view: PanelView) -> PanelView:
    """The same words, but about the inputs: the redemption was not begun, so F5 asks again."""
    return replace(view, is_about_inputs=True)


def _facts(row: Redemption, serving: Serving) -> WordingFacts:
    program = serving.program(row.program_id)
    decimals = program.decimals if program is not None else 0
    return WordingFacts(
        name=isolated_words(row.customer_label),
        masked=serving.masked_of(row.customer),
        kind=kind_words(row.customer.kind.value),
        program=program.name if program is not None else "",
        points=points_text(row.points, decimals),
        left=points_text(row.balance_after, decimals) if row.balance_after is not None else "",
        loss=points_text(row.store_loss, decimals) if row.store_loss is not None else "",
        redemption_id=row.redemption_id or "",
        reference=reference_of(row.key),
        message=row.message,
        code=row.code,
        has_missed_call=serving.organisation.missed_call_enabled,
    )


def _meta(row: Redemption) -> str:
    at = time_s_text(row.changed_at or row.created_at)
    if row.code is None:
        return QCoreApplication.translate(CONTEXT, "Reference {key}, {time}").format(key=row.key, time=at)
    return QCoreApplication.translate(CONTEXT, "Code {code}, reference {key}, {time}").format(
        code=row.code, key=row.key, time=at
    )
