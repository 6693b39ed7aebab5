"""Makes the panel's view of an answer to a check: `wording` has the sentences, here they get their facts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.facts import Criteria
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import AskedPoints, RedemptionRequest, UnreadableAmount
from pos_app.domain.trouble import Trouble
from pos_app.services.covered import Covered
from pos_app.services.results import Checked, Source
from pos_app.ui.formats import isolated_words, money_text, points_text, time_s_text, time_text
from pos_app.ui.offline_words import covered_words, facts_with, is_firm, why_not_here
from pos_app.ui.panel import PanelButton, PanelView
from pos_app.ui.proofs import Proofs
from pos_app.ui.serving import Serving
from pos_app.ui.wording import (
    BUTTONS_MAX,
    F7_WAYS,
    Note,
    Situation,
    VerdictState,
    Way,
    WordingFacts,
    Words,
    age_phrase,
    age_text,
    for_offline,
    for_refusal,
    for_situation,
    for_success,
    for_trouble,
    kind_words,
    note,
    way_labels,
)

CONTEXT: Final = "verdict"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The customer was confirmed at `at`: by a code, kept here in memory for the redemption, or by a call ("")."""

    at: datetime
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OverBill:
    """Points worth more than the sale: what is due, and the most points that fit (None: none do)."""

    due: Decimal
    fits: Points | None


def idle_view(open_count: int = 0) -> PanelView:
    """Nothing is asked. Redemptions without an answer are not forgotten."""
    view = _view(for_situation(Situation.IDLE), WordingFacts())
    if not open_count:
        return view
    waiting = _translated("{count} redemption has no answer yet. Ctrl+Shift+U finds out.")
    return replace(view, next_step=waiting.format(count=open_count))


def checking_view(*, is_long: bool) -> PanelView:
    """A check is under way."""
    return _view(for_situation(Situation.STILL_CHECKING if is_long else Situation.CHECKING), WordingFacts())


def trouble_view(trouble: Exception, *, is_redeem: bool = False) -> PanelView:
    """A failure of the world; a bug of ours is told as "needs attention"."""
    if isinstance(trouble, Trouble):
        return _view(for_trouble(trouble, is_redeem=is_redeem), WordingFacts())
    return _view(for_situation(Situation.CONFIG), WordingFacts())


def amount_view(question: RedemptionRequest, serving: Serving) -> PanelView:
    """An amount of the wrong shape is refused here: the ledger would say the same."""
    refusal = question.amount.refusal if isinstance(question.amount, UnreadableAmount) else Refusal.POINTS_NOT_POSITIVE
    facts = facts_of_question(question, serving)
    return _view(for_refusal(refusal, facts), facts)


def check_view(
    checked: Checked,
    serving: Serving,
    *,
    now: datetime,
    confirmation: Confirmation | None = None,
    is_code_out: bool = False,
    over_bill: OverBill | None = None,
    proofs: Proofs | None = None,
    wants_skip: bool = False,
    code_sent_at: datetime | None = None,
) -> PanelView:
    """The panel's view of an answer, with what has been learnt since: a code, a confirmation, the amount due.

    `proofs` is what stands for the code; `wants_skip`: a supervisor is to be asked instead of sending one.
    `code_sent_at` is when the code that is out was sent: without a line it waits.
    """
    facts = facts_of(checked, serving)
    if checked.source is Source.CACHE:
        return _with_note(_offline_view(checked, facts, now, proofs, over_bill), code_sent_at)
    meta = _meta(checked)
    if not checked.is_redeemable:
        refusal = checked.refusals[0] if checked.refusals else Refusal.OTHER
        return _view(for_refusal(refusal, facts, reason=checked.reason), facts, checked, meta=meta)
    skipped = proofs if proofs is not None and proofs.skips else None
    is_ready = confirmation is not None or skipped is not None or not checked.needs_proof
    if over_bill is not None:
        return _over_bill_view(checked, facts, over_bill)
    words = _yes_words(checked, facts, confirmation, skipped, is_code_out=is_code_out)
    if wants_skip and not is_ready and facts.has_supervisor:
        ways = (Way.SUPERVISOR, *(way for way in words.buttons if way not in {*F7_WAYS, Way.SUPERVISOR}))
        words = replace(words, buttons=ways[:BUTTONS_MAX])
    view = _view(words, facts, checked, meta=meta)
    if view.state == VerdictState.OTP_FAILED:  # 876: the code of this very check was not sent.
        view = replace(view, send_code=way_labels((Way.TRY_AGAIN,), facts)[0])
        if not is_ready:
            return view
    return replace(
        view,
        redeem=_translated("Redeem {points} points").format(points=facts.points),
        redeem_name=_redeem_name(facts),
        is_redeem_ready=is_ready,
        has_bill=True,
    )


def _over_bill_view(checked: Checked, facts: WordingFacts, over_bill: OverBill) -> PanelView:
    fits = over_bill.fits
    facts = replace(
        facts,
        due=money_text(over_bill.due, checked.organisation.currency),
        fits=points_text(fits, _decimals(checked)) if fits is not None else "",
    )
    view = _view(for_situation(Situation.OVER_BILL, facts), facts, checked, meta=_meta(checked), fits=fits)
    return replace(view, has_bill=True)


def _yes_words(
    checked: Checked,
    facts: WordingFacts,
    confirmation: Confirmation | None,
    skipped: Proofs | None,
    *,
    is_code_out: bool,
) -> Words:
    if skipped is not None:
        return for_situation(Situation.CONFIRMATION_SKIPPED, replace(facts, approver=skipped.approver, why=skipped.why))
    if confirmation is not None:
        if not confirmation.code:
            return for_situation(Situation.CONFIRMED_BY_CALL, replace(facts, time=time_text(confirmation.at)))
        return for_success(facts, confirmed_at=time_text(confirmation.at))
    if is_code_out:
        return for_situation(Situation.CODE_OUT, facts)
    if checked.is_code_missing:
        return for_situation(Situation.CODE_NOT_SENT, facts)
    return for_success(facts, needs_proof=checked.needs_proof)


def _offline_view(
    checked: Checked, facts: WordingFacts, now: datetime, proofs: Proofs | None, over_bill: OverBill | None
) -> PanelView:
    """Worked out here. Advice has the age of its data and never F8 (check C32); under a lease it is firm (B.4)."""
    covered = checked.offline
    if covered is not None and is_firm(covered):
        return _firm_view(checked, covered, facts, proofs, over_bill)
    age_s = (now - checked.as_of).total_seconds()
    facts = replace(facts, as_of=time_text(checked.as_of), age=age_phrase(age_s))
    if checked.as_of.year == 1:
        facts = replace(facts, as_of="", age="")
    _, grade = age_text(age_s)
    refusal = checked.refusals[0] if checked.refusals else None
    words = for_offline(facts, is_yes=checked.is_redeemable, grade=grade, refusal=refusal)
    why = why_not_here(covered, facts) if covered is not None and checked.is_redeemable else ""
    return _view(replace(words, next_step=why or words.next_step), facts, meta=_meta(checked))


def _with_note(view: PanelView, code_sent_at: datetime | None) -> PanelView:
    """A code that is out is not lost with the line (ux B.4)."""
    if code_sent_at is None:
        return view
    kept = note(Note.CODE_STILL_OUT, WordingFacts(time=time_text(code_sent_at)))
    return replace(view, next_step=f"{view.next_step}\n{kept}".strip())


def _firm_view(
    checked: Checked, covered: Covered, facts: WordingFacts, proofs: Proofs | None, over_bill: OverBill | None
) -> PanelView:
    """A plain yes or no, whatever the age of the data; F8 works once nothing is missing."""
    if covered.is_allowed and over_bill is not None:
        return _over_bill_view(checked, facts, over_bill)
    words = covered_words(covered, facts, proofs)
    facts = facts_with(covered, facts)
    view = _view(words, facts, checked, meta=_meta(checked))
    if not covered.is_allowed:
        return view
    return replace(
        view,
        redeem=_translated("Redeem {points} points").format(points=facts.points),
        redeem_name=_redeem_name(facts),
        is_redeem_ready=True,
        is_firm=True,
        has_bill=True,
    )


def facts_of_question(question: RedemptionRequest, serving: Serving) -> WordingFacts:
    """What the sentences may say before anybody answered."""
    program = serving.program(question.program_id)
    asked = question.amount.points if isinstance(question.amount, AskedPoints) else None
    return WordingFacts(
        name=isolated_words(serving.name_of(question.customer)),
        masked=serving.masked_of(question.customer),
        kind=kind_words(question.customer.kind.value),
        program=program.name if program is not None else "",
        program_id="" if question.program_id is None else str(question.program_id),
        points=points_text(asked, program.decimals if program is not None else 0) if asked is not None else "",
        has_missed_call=serving.organisation.missed_call_enabled,
    )


def facts_of(checked: Checked, serving: Serving) -> WordingFacts:
    """Everything an answer tells that a sentence may use."""
    decimals = _decimals(checked)
    rules = _rules(checked, serving)
    wallet = checked.wallet
    held = wallet is not None and bool(wallet.held_offline)
    base = facts_of_question(checked.request, serving)
    return replace(
        base,
        program=checked.program.name if checked.program is not None else base.program,
        points=points_text(checked.points, decimals) if checked.points else base.points,
        worth=money_text(checked.worth, checked.organisation.currency) if checked.worth is not None else "",
        balance=_balance(checked, serving, decimals),
        total=points_text(wallet.balance, decimals) if held and wallet is not None else "",
        left=_shown(checked.points_after, decimals),
        step=_shown(rules.multiple_of, decimals),
        least=_shown(rules.minimum, decimals),
        most=_shown(rules.maximum, decimals),
        required=_shown(rules.balance_required, decimals),
        nearest=tuple(points_text(each, decimals) for each in checked.nearest),
        held=points_text(wallet.held_offline, decimals) if held and wallet is not None else "",
        store=(wallet.held_store or "") if wallet is not None else "",
        until=time_text(wallet.held_until) if wallet is not None and wallet.held_until is not None else "",
        tries_left=checked.otp.tries_left if checked.otp is not None else None,
        reference=checked.reference,
        message=checked.message,
        code=checked.code,
        has_missed_call=checked.organisation.missed_call_enabled,
        has_supervisor=checked.organisation.skip_validation_allowed,
    )


def _rules(checked: Checked, serving: Serving) -> Criteria:
    if checked.program is None or not checked.program.are_rules_known:
        return Criteria()
    found = serving.found_for(checked.request.customer)
    return checked.program.criteria_for(found.record.customer.tier if found is not None else None)


def _balance(checked: Checked, serving: Serving, decimals: int) -> str:
    """What the paying wallet can spend: from the answer, else her own wallet on the card."""
    if checked.wallet is not None:
        return points_text(checked.wallet.available, decimals)
    found = serving.found_for(checked.request.customer)
    is_own = checked.request.family_group is None and not checked.request.program_group
    if found is None or not is_own or checked.program is None:
        return ""
    wallets = (each for each in found.record.wallets if each.program_id == checked.program.program_id)
    own = next(wallets, None)
    return points_text(own.available, decimals) if own is not None else ""


def _decimals(checked: Checked) -> int:
    return checked.program.decimals if checked.program is not None else 0


def _shown(points: Points | None, decimals: int) -> str:
    return points_text(points, decimals) if points is not None else ""


def _redeem_name(facts: WordingFacts) -> str:
    if facts.name:
        return _translated("Redeem {points} points for {name}").format(points=facts.points, name=facts.name)
    return _translated("Redeem {points} points").format(points=facts.points)


def _meta(checked: Checked) -> str:
    time = time_s_text(checked.asked_at)
    if checked.code is None:
        return _translated("Reference {reference}, asked {time}").format(reference=checked.reference, time=time)
    return _translated("Code {code}, reference {reference}, checked {time}").format(
        code=checked.code, reference=checked.reference, time=time
    )


def _view(
    words: Words,
    facts: WordingFacts,
    checked: Checked | None = None,
    *,
    meta: str = "",
    fits: Points | None = None,
) -> PanelView:
    """A view of words: each way becomes a button that carries what it needs."""
    nearest = iter(checked.nearest if checked is not None else ())
    buttons: list[PanelButton] = []
    send_code = ""
    for way, label in zip(words.buttons, way_labels(words.buttons, facts), strict=True):
        if way in F7_WAYS:
            send_code = label
        elif way is Way.USE_NEAREST:
            buttons.append(PanelButton(way, label, str(next(nearest, ""))))
        elif way is Way.USE_FITTING:
            buttons.append(PanelButton(way, label, str(fits) if fits is not None else ""))
        elif way is not Way.REDEEM:
            buttons.append(PanelButton(way, label))
    return PanelView(
        state=words.state.value,
        title=words.headline,
        reason=words.reason,
        next_step=words.next_step,
        meta=meta,
        buttons=tuple(buttons),
        send_code=send_code,
    )


def view_of_words(words: Words, facts: WordingFacts, meta: str = "") -> PanelView:
    """A view of words that belong to no check: a redemption's."""
    return replace(_view(words, facts, meta=meta), is_about_inputs=False)


def _translated(sentence: str) -> str:
    return QCoreApplication.translate(CONTEXT, sentence)
