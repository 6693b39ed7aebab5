"""`reverse`: gives redeemed points back, under a key of its own (reliability 5.2, contract 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import AskedPoints
from pos_app.domain.trouble import Trouble, UnclearAnswerError
from pos_app.headless.desk import Asked, Desk
from pos_app.headless.parameters import BadParameterError, text_or_none, texts
from pos_app.headless.redeeming import UNKNOWN_KEY
from pos_app.headless.results import DONE, REFUSED, UNCLEAR, Result, of_row, of_trouble
from pos_app.wire.parameters import read_points

_MAY_BE_GIVEN_BACK: Final = frozenset({State.CONFIRMED, State.SETTLED, State.SETTLED_SHORT})


def reverse(desk: Desk, asked: Asked) -> Result:
    """Give a redemption back, named by its key here or by its number; whole, or so many points of it."""
    key, number = text_or_none(asked.given, "key"), text_or_none(asked.given, "redemption_id")
    if (key is None) == (number is None):
        raise BadParameterError("key: expected either a key or a redemption_id.")
    points = _points(asked)
    approval = desk.session.take(text_or_none(asked.given, "approval"))
    of = _row(desk, key, number)
    if key is not None:
        if of is None:
            return Result(outcome=REFUSED, detail={"reason": UNKNOWN_KEY})
        if of.redemption_id is None or of.state not in _MAY_BE_GIVEN_BACK:
            return Result(outcome=REFUSED, key=key, detail={"reason": f"is_{of.state.value.lower()}"})
        number = of.redemption_id
    try:
        row = desk.services.reversals.start(number or "", points=points, of=of, cashier=desk.cashier)
    except Trouble as trouble:
        return of_trouble(trouble)
    asked.started(row.key)
    try:
        row = desk.services.reversals.submit(row.key, approval=approval)
    except UnclearAnswerError as trouble:
        return replace(of_trouble(trouble, key=row.key, is_redeem=True), outcome=UNCLEAR)
    except Trouble as trouble:
        return of_trouble(trouble, key=row.key)
    return _of_reversal(desk, row)


def _points(asked: Asked) -> Points | None:
    text = texts(asked.given).get("points")
    if text is None:
        return None
    amount = read_points(text)
    if not isinstance(amount, AskedPoints):
        raise BadParameterError("points: expected points above zero with at most three decimals, or none for all.")
    return amount.points


def _row(desk: Desk, key: str | None, number: str | None) -> Redemption | None:
    """The redemption as this till has it, None where it was made elsewhere."""
    if key is not None:
        try:
            return desk.services.redemptions.get(key)
        except KeyError:
            return None
    return next((row for row in desk.services.journal.recent(1_000) if row.redemption_id == number), None)


def _of_reversal(desk: Desk, row: Redemption) -> Result:
    result = of_row(row, desk.serving, desk.heard.about(row.key))
    if row.state is not State.CONFIRMED:
        return result
    back = row.from_free if row.from_free is not None else row.points
    detail: dict[str, Any] = {
        "reversal_id": row.redemption_id,
        "available": str(back),
        "expired": str(row.points - back),
    }
    return replace(result, outcome=DONE, detail={**result.detail, **detail})
