"""`redeem`, `enter_otp`, `cancel` and `reverse`: the same services as the window's, and what their rows say."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pos_app.domain.commands import Approval, ApprovalPurpose, CancelReason
from pos_app.domain.money import points_for
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import AskedPoints, AskedValue, RedemptionRequest, UnreadableAmount
from pos_app.domain.trouble import Trouble, UnclearAnswerError
from pos_app.headless.asking import named_customer
from pos_app.headless.desk import Asked, Desk
from pos_app.headless.offline_results import of_done, of_no_way
from pos_app.headless.parameters import BadParameterError, request_of, text_of, text_or_none, texts
from pos_app.headless.results import REFUSED, UNCLEAR, Result, of_row, of_trouble, shown_of
from pos_app.services.results import LineState
from pos_app.ui.verdict_words import amount_view
from pos_app.wire.codes import Endpoint, code_for

UNKNOWN_KEY: Final = "unknown_key"


def redeem(desk: Desk, asked: Asked) -> Result:
    """Redeem: at the service while the line is up, else under what is set aside here."""
    request = _request(desk, asked)
    approval = desk.session.take(text_or_none(asked.given, "approval"))
    if isinstance(request.amount, UnreadableAmount):
        code = code_for(Endpoint.REDEEM, request.amount.refusal)
        detail = {"reason": request.amount.refusal.value, "refusals": [code]}
        return Result(outcome=REFUSED, code=code, shown=shown_of(amount_view(request, desk.serving)), detail=detail)
    if desk.line_state() is LineState.OFFLINE:
        return _redeem_here(desk, asked, request, approval)
    points = _points(desk, request)
    if points is None:
        return Result(outcome=REFUSED, detail={"reason": "ratio_missing"})
    try:
        row = desk.services.redemptions.begin(
            request,
            points=points,
            program_id=request.program_id,
            customer_id=desk.serving.customer_id_of(request.customer),
            customer_label=desk.serving.label_of(request.customer),
            bill_number=_bill(asked),
            cashier=desk.cashier,
        )
    except Trouble as trouble:
        return of_trouble(trouble)
    asked.started(row.key)
    return _submit(desk, row.key, request.validation_code, approval)


def _request(desk: Desk, asked: Asked) -> RedemptionRequest:
    """The question, of a customer who may be named by her pass."""
    if asked.given.get("pass") is None or _names_somebody(asked):
        return request_of(asked.given)
    customer = named_customer(desk, asked)
    given = {**asked.given, customer.kind.value: customer.value}
    return request_of(given)


def _names_somebody(asked: Asked) -> bool:
    kinds = ("mobile", "email", "external_id", "card_number", "card_external_id", "id")
    return any(asked.given.get(each) is not None for each in kinds)


def _points(desk: Desk, request: RedemptionRequest) -> Points | None:
    """The points that are asked for; None: money was, and what a point is worth is not known here."""
    if isinstance(request.amount, AskedPoints):
        return request.amount.points
    program = desk.serving.program(request.program_id)
    if not isinstance(request.amount, AskedValue) or program is None or not program.ratio:
        return None
    return points_for(request.amount.value, program.ratio, program.decimals, program.rounding)


def _bill(asked: Asked) -> str | None:
    return texts(asked.given).get("bill")


def _submit(desk: Desk, key: str, code: str | None, approval: Approval | None) -> Result:
    """Send a row, and say what it is now."""
    redemptions = desk.services.redemptions
    try:
        row = redemptions.submit(key, code, approval=approval)
    except UnclearAnswerError as trouble:
        return replace(of_trouble(trouble, key=key, is_redeem=True), outcome=UNCLEAR)
    except Trouble as trouble:
        return _after_trouble(desk, redemptions.get(key), trouble)
    return of_row(row, desk.serving, desk.heard.about(key))


def _after_trouble(desk: Desk, row: Redemption, trouble: Trouble) -> Result:
    """Surely nothing was done, unless the row says that an earlier copy may have acted."""
    if row.state is State.READY:
        return replace(of_trouble(trouble, key=row.key), points=row.points)
    return of_row(row, desk.serving)


def _redeem_here(desk: Desk, asked: Asked, request: RedemptionRequest, approval: Approval | None) -> Result:
    """Without a line: under a lease, or at the shop's risk; one commit is the redemption."""
    try:
        spent = desk.services.spending.redeem(
            request,
            customer_label=desk.serving.label_of(request.customer),
            bill_number=_bill(asked),
            cashier=desk.cashier,
            pass_text=text_or_none(asked.given, "pass"),
            approval=approval,
        )
    except Trouble as trouble:
        return of_trouble(trouble)
    if spent.row is None:
        return of_no_way(spent.covered, desk.serving)
    return of_done(spent.row, spent.covered, desk.serving)


def enter_otp(desk: Desk, asked: Asked) -> Result:
    """Go on with a row that waits for the customer's code, under the same key."""
    key = text_of(asked.given, "key")
    code = texts(asked.given).get("validation_code")
    if code is None:
        raise BadParameterError("validation_code: expected the code the customer read out.")
    row = _row(desk, key)
    if row is None:
        return Result(outcome=REFUSED, detail={"reason": UNKNOWN_KEY})
    if row.state is not State.READY:
        return of_row(row, desk.serving)
    return _submit(desk, key, code, desk.session.take(text_or_none(asked.given, "approval")))


def _row(desk: Desk, key: str) -> Redemption | None:
    try:
        return desk.services.redemptions.get(key)
    except KeyError:
        return None


def cancel(desk: Desk, asked: Asked) -> Result:
    """Give a redemption up; what the service says of it decides."""
    key = text_of(asked.given, "key")
    word = text_or_none(asked.given, "reason") or CancelReason.CUSTOMER_LEFT.value
    if word not in {each.value for each in CancelReason}:
        raise BadParameterError(f"reason: expected one of {', '.join(CancelReason)}.")
    approval = desk.session.take(text_or_none(asked.given, "approval"))
    if _row(desk, key) is None:
        return Result(outcome=REFUSED, detail={"reason": UNKNOWN_KEY})
    if approval is not None and approval.purpose is not ApprovalPurpose.CANCEL:
        return Result(outcome=REFUSED, key=key, detail={"reason": "approval_refused"})
    try:
        row = desk.services.redemptions.give_up(key, CancelReason(word), approval=approval)
    except Trouble as trouble:
        return of_trouble(trouble, key=key)
    result = of_row(row, desk.serving)
    if row.state in {State.CANCELLING, State.CANCELLED, State.REVERSED}:
        return result
    reason = result.detail["reason"] or f"is_{row.state.value.lower()}"
    return replace(result, outcome=REFUSED, detail={**result.detail, "reason": reason})
