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
from pos_app.services.results import Checked, Source
from pos_app.ui.formats import isolated_words, money_text, points_text, time_s_text, time_text
from pos_app.ui.panel import PanelButton, PanelView
from pos_app.ui.serving import Serving
from pos_app.ui.wording import (
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
    way_labels,
)

CONTEXT: Final = "verdict"
F7_WAYS: Final = frozenset({Way.SEND_CODE, Way.ENTER_CODE})
"""Ways that belong to the send code button, whatever it says."""


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
) -> PanelView:
    """The panel's view of an answer, with what has been learnt since: a code, a confirmation, the amount due."""
    facts = facts_of(checked, serving)
    if checked.source is Source.CACHE:
        return _offline_view(checked, facts, now)
    meta = _meta(checked)
    if not checked.is_redeemable:
        refusal = checked.refusals[0] if checked.refusals else Refusal.OTHER
        return _view(for_refusal(refusal, facts, reason=checked.reason), facts, checked, meta=meta)
    is_ready = confirmation is not None or not checked.needs_proof
    if over_bill is not None:
        fits = over_bill.fits
        facts = replace(
            facts,
            due=money_text(over_bill.due, checked.organisation.currency),
            fits=points_text(fits, _decimals(checked)) if fits is not None else "",
        )
        view = _view(for_situation(Situation.OVER_BILL, facts), facts, checked, meta=meta, fits=fits)
        return replace(view, has_bill=True)
    words = _yes_words(checked, facts, confirmation, is_code_out=is_code_out)
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


def _yes_words(checked: Checked, facts: WordingFacts, confirmation: Confirmation | None, *, is_code_out: bool) -> Words:
    if confirmation is not None:
        if not confirmation.code:
            return for_situation(Situation.CONFIRMED_BY_CALL, replace(facts, time=time_text(confirmation.at)))
        return for_success(facts, confirmed_at=time_text(confirmation.at))
    if is_code_out:
        return for_situation(Situation.CODE_OUT, facts)
    if checked.is_code_missing:
        return for_situation(Situation.CODE_NOT_SENT, facts)
    return for_success(facts, needs_proof=checked.needs_proof)


def _offline_view(checked: Checked, facts: WordingFacts, now: datetime) -> PanelView:
    """Worked out here: always with the age of the data, never with F8 (check C32)."""
    age_s = (now - checked.as_of).total_seconds()
    facts = replace(facts, as_of=time_text(checked.as_of), age=age_phrase(age_s))
    if checked.as_of.year == 1:
        facts = replace(facts, as_of="", age="")
    _, grade = age_text(age_s)
    refusal = checked.refusals[0] if checked.refusals else None
    words = for_offline(facts, is_yes=checked.is_redeemable, grade=grade, refusal=refusal)
    return _view(words, facts, meta=_meta(checked))


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
