"""`enrol`, `sign_in`, `approve`, `lease` and `sync`: what keeps a till able to work (reliability 5.2)."""

from __future__ import annotations

from typing import Any

from pos_app.domain.commands import ApprovalPurpose, ApprovalReason
from pos_app.domain.held import HeldLease
from pos_app.domain.trouble import SyncRefusedError, Trouble
from pos_app.headless.asking import named_customer
from pos_app.headless.desk import Asked, Desk
from pos_app.headless.parameters import BadParameterError, flag_of, number_of, number_or_none, text_of, text_or_none
from pos_app.headless.results import OK, REFUSED, UNCLEAR, Result, of_trouble
from pos_app.headless.telling import as_text
from pos_app.wire.leases import lease_tree


def enrol(desk: Desk, asked: Asked) -> Result:
    """Make this machine a till of its ledger, or make it one again with a code."""
    code = text_or_none(asked.given, "code")
    try:
        desk.services.enrolment.enrol(code)
    except SyncRefusedError as refused:
        return _refused(refused)
    except Trouble as trouble:
        return of_trouble(trouble)
    return Result(outcome=OK, detail={"till_epoch": desk.services.enrolment.till_epoch})


def sign_in(desk: Desk, asked: Asked) -> Result:
    """Sign an operator in, for as long as this process lives."""
    operator_id, pin = number_of(asked.given, "operator_id"), text_of(asked.given, "pin")
    try:
        operator = desk.services.operators.sign_in(operator_id, pin)
    except SyncRefusedError as refused:
        return _refused(refused)
    except Trouble as trouble:
        return of_trouble(trouble)
    detail: dict[str, Any] = {
        "operator_id": operator.operator_id,
        "role": operator.role,
        "must_change_pin": operator.must_change_pin,
        "proved_here": operator.is_proved_here,
    }
    return Result(outcome=OK, detail=detail)


def approve(desk: Desk, asked: Asked) -> Result:
    """A second person's word for one later command of this process."""
    operator_id, pin = number_of(asked.given, "operator_id"), text_of(asked.given, "pin")
    purpose = _word(ApprovalPurpose, asked, "purpose")
    reason = _word(ApprovalReason, asked, "reason")
    note = text_or_none(asked.given, "note") or ""
    try:
        approval = desk.services.operators.approve(operator_id, pin, purpose, reason, note)
    except SyncRefusedError as refused:
        return _refused(refused)
    except Trouble as trouble:
        return of_trouble(trouble)
    return Result(outcome=OK, detail={"approval": desk.session.keep(approval)})


def _word(words: Any, asked: Asked, name: str) -> Any:
    """One of the words of a list.

    Raises:
        BadParameterError: another one.
    """
    text = text_of(asked.given, name)
    try:
        return words(text)
    except ValueError:
        raise BadParameterError(f"{name}: expected one of {', '.join(words)}.") from None


def lease(desk: Desk, asked: Asked) -> Result:
    """Ask for a lease of this wallet now, or give back the one that is held."""
    customer = named_customer(desk, asked)
    group, program_id = number_or_none(asked.given, "user_group2_id"), number_or_none(asked.given, "program_id")
    try:
        wish = desk.wish(customer, group, program_id)
        if wish is None:
            return Result(outcome=REFUSED, detail={"reason": "not_known_here"})
        if flag_of(asked.given, "close"):
            is_told = desk.services.leases.close(wish.owner, wish.program_id)
            return Result(outcome=OK, detail={"told": is_told})
        answer = desk.services.leases.ask_now(wish)
    except SyncRefusedError as refused:
        return _refused(refused)
    except Trouble as trouble:
        return of_trouble(trouble)
    if answer.held is not None:
        return Result(outcome=OK, points=answer.held.lease.amount, detail={"lease": held_tree(answer.held)})
    if answer.reason is not None:
        return Result(outcome=REFUSED, detail={"reason": answer.reason})
    return Result(outcome=UNCLEAR, detail={"reason": "no_answer"})


def held_tree(held: HeldLease) -> dict[str, Any]:
    """A lease as the wire writes it, and what this till spent of it."""
    return {**lease_tree(held.lease), "spent": str(held.spent)}


def go_offline(desk: Desk, _asked: Asked) -> Result:
    """Pull the plug of this till's line."""
    desk.plug.pull()
    desk.is_line_news = False
    desk.services.line.probe()  # At once: nothing is sent.
    return Result(outcome=OK)


def go_online(desk: Desk, _asked: Asked) -> Result:
    """Put it in again; whether the line is there is asked before the next command."""
    desk.plug.put_in()
    desk.is_line_news = True
    return Result(outcome=OK)


def sync(desk: Desk, _asked: Asked) -> Result:
    """Do everything a till does by itself, once, now."""
    is_done = desk.services.rounds.run_all()
    desk.learn()
    troubles = {name: type(each).__name__ for name, each in desk.services.rounds.troubles.items()}
    line = desk.services.line.view.state.value
    return Result(outcome=OK if is_done else UNCLEAR, detail={"line": line, "troubles": troubles})


def _refused(refused: SyncRefusedError) -> Result:
    result = of_trouble(refused)
    return Result(outcome=REFUSED, shown=result.shown, detail={"reason": refused.reason, **as_text(refused.told)})
