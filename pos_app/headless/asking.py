"""`lookup` and `check`: questions that move nothing (reliability 5.2)."""

from __future__ import annotations

from typing import Any

from pos_app.domain.facts import Wallet
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef, UnreadableAmount
from pos_app.domain.trouble import Trouble
from pos_app.headless.desk import Asked, Desk
from pos_app.headless.offline_results import allowance_words, of_covered_check
from pos_app.headless.parameters import customer_of, number_or_none, request_of, text_or_none
from pos_app.headless.results import OK, REFUSED, Result, of_check, of_trouble, shown_of
from pos_app.services.results import Found
from pos_app.ui.card_words import card_view
from pos_app.ui.verdict_words import amount_view, view_of_words
from pos_app.ui.wording import WordingFacts, for_refusal, kind_words
from pos_app.wire.codes import Endpoint, code_for


def lookup(desk: Desk, asked: Asked) -> Result:
    """Find a customer by one identifier, or by the pass she shows."""
    customer = named_customer(desk, asked)
    try:
        found = desk.services.lookup.find(customer)
    except Trouble as trouble:
        return of_trouble(trouble)
    desk.learn()
    desk.serving.asked, desk.serving.found = customer, found
    if found is None:
        facts = WordingFacts(kind=kind_words(customer.kind.value))
        words = for_refusal(Refusal.CUSTOMER_UNKNOWN, facts)
        code = code_for(Endpoint.CUSTOMER_GET, Refusal.CUSTOMER_UNKNOWN)
        detail = {"reason": Refusal.CUSTOMER_UNKNOWN.value}
        return Result(outcome=REFUSED, code=code, shown=shown_of(view_of_words(words, facts)), detail=detail)
    return _found(desk, found, number_or_none(asked.given, "program_id"))


def named_customer(desk: Desk, asked: Asked) -> CustomerRef:
    """Whom a command names: by an identifier, or by a pass.

    Raises:
        BadParameterError: by neither, or by several identifiers.
        NotAPassError: the pass is none.
    """
    text = text_or_none(asked.given, "pass")
    if text is None:
        return customer_of(asked.given)
    return desk.customer_of_pass(text)


def _found(desk: Desk, found: Found, program_id: int | None) -> Result:
    now = desk.services.clock.wall()
    wallet = _wallet(desk, found, program_id)
    chosen = None if wallet is None else wallet.program_id
    card = card_view(found, desk.serving.programs, chosen, desk.serving.organisation, now)
    allowance = None if chosen is None else desk.allowance(found.record.customer.customer_id, chosen)
    lines = [f"{each.name} {each.points}" for each in card.lines]
    shown = [card.name, card.identifiers, card.family, *lines, card.age]
    detail: dict[str, Any] = {
        "customer_id": found.record.customer.customer_id,
        "source": found.source.value,
        "age_s": max(0, int((now - found.as_of).total_seconds())),
        "wallet": None if wallet is None else _wallet_tree(wallet),
        "allowance": None if allowance is None else str(allowance.left),
        "reason": None,
    }
    if allowance is not None:
        shown.append(allowance_words(allowance, desk.serving))
        detail["allowance_until"] = allowance.until.isoformat()
    return Result(outcome=OK, shown=". ".join(part.rstrip(".") for part in shown if part), detail=detail)


def _wallet(desk: Desk, found: Found, program_id: int | None) -> Wallet | None:
    """The wallet of the program that was named, else of the default one."""
    wallets = {each.program_id: each for each in found.record.wallets}
    if program_id is not None:
        return wallets.get(program_id)
    default = next((each.program_id for each in desk.serving.programs if each.is_default), None)
    if default in wallets:
        return wallets[default]
    return next(iter(wallets.values()), None)


def _wallet_tree(wallet: Wallet) -> dict[str, Any]:
    """A wallet as far as a lookup tells of it; null where it does not."""
    return {
        "program_id": wallet.program_id,
        "wallet_id": None,
        "version": None,
        "balance": str(wallet.balance),
        "available": str(wallet.available),
        "held_offline": str(wallet.balance - wallet.available),
    }


def check(desk: Desk, asked: Asked) -> Result:
    """Ask whether it may be redeemed; `issue_otp` sends a code."""
    request = request_of(asked.given)
    if isinstance(request.amount, UnreadableAmount):
        code = code_for(Endpoint.ISREDEEMABLE, request.amount.refusal)
        detail = {"reason": request.amount.refusal.value, "refusals": [code]}
        return Result(outcome=REFUSED, code=code, shown=shown_of(amount_view(request, desk.serving)), detail=detail)
    validation = desk.services.validation
    try:
        checked = validation.check(request) if request.validation_code is None else validation.check_code(request)
    except Trouble as trouble:
        return of_trouble(trouble)
    desk.learn()
    result = of_check(checked, desk.serving, desk.services.clock.wall(), desk.heard.last)
    if checked.offline is None:
        return result
    return of_covered_check(checked, checked.offline, desk.serving, result)
