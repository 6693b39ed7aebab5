"""What a command leads to, in the outcomes and the words of the protocol (reliability 5.2).

`shown` is what a cashier would read on the window's panel: it comes from the window's own wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pos_app.domain.answers import Extension
from pos_app.domain.points import Points
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.trouble import StorageError, SyncRefusedError, Trouble
from pos_app.services.results import CannotLookUpOfflineError, Checked, Source
from pos_app.ui.panel import PanelView
from pos_app.ui.redemption_words import redemption_view, refusal_of
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import check_view, trouble_view
from pos_app.wire.codes import Endpoint, code_for
from pos_app.wire.extension import extension_tree

OK: Final = "ok"
DONE: Final = "done"
DONE_OFFLINE: Final = "done_offline"
REFUSED: Final = "refused"
UNCLEAR: Final = "unclear"
CANCELLING: Final = "cancelling"
CANCELLED: Final = "cancelled"
BLOCKED: Final = "blocked"

_BY_STATE: Final[Mapping[State, str]] = {
    State.READY: REFUSED,
    State.SENT: UNCLEAR,
    State.UNKNOWN: UNCLEAR,
    State.CONFIRMED: DONE,
    State.REFUSED: REFUSED,
    State.CANCELLING: CANCELLING,
    State.CANCELLED: CANCELLED,
    State.REVERSED: CANCELLED,
    State.PARKED: UNCLEAR,
    State.LOCAL_DONE: DONE_OFFLINE,
    State.SETTLING: DONE_OFFLINE,
    State.SETTLED: DONE_OFFLINE,
    State.SETTLED_SHORT: DONE_OFFLINE,
}
_TOLD_BESIDE: Final = ("reason", "refusals", "nearest", "wallet", "otp", "breakdown", "replayed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The members of an `answer` event but its id."""

    outcome: str
    code: int | None = None
    key: str | None = None
    points: Points | None = None
    shown: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def members(self) -> dict[str, Any]:
        """As they stand in the line."""
        return {
            "outcome": self.outcome,
            "code": self.code,
            "key": self.key,
            "points": None if self.points is None else str(self.points),
            "shown": self.shown or None,
            "detail": dict(self.detail),
        }


def shown_of(view: PanelView) -> str:
    """The words of a panel in one line: headline, fact, next step."""
    title = view.title if not view.title or view.title.endswith((".", "?", "!")) else f"{view.title}."
    return " ".join(part for part in (title, view.reason, view.next_step) if part)


def of_row(row: Redemption, serving: Serving, told: Extension | None = None) -> Result:
    """What became of a redemption, by its committed row; `told` is what the ledger said beside its answer."""
    return Result(
        outcome=_BY_STATE[row.state],
        code=row.code,
        key=row.key,
        points=row.points,
        shown=shown_of(redemption_view(row, serving)),
        detail=row_detail(row) | beside(told),
    )


def row_detail(row: Redemption) -> dict[str, Any]:
    """What a row tells beside its outcome."""
    refusal = refusal_of(row)
    detail: dict[str, Any] = {
        "state": row.state.value,
        "kind": row.kind.value,
        "redemption_id": row.redemption_id,
        "reason": row.reason if row.reason is not None or refusal is None else refusal.value,
    }
    if row.balance_after is not None:
        detail["balance"] = str(row.balance_after)
    if row.kind in (Kind.LEASE, Kind.RISK):
        detail |= {"lease_id": row.lease_id, "seq": row.seq}
    return detail


def beside(told: Extension | None) -> dict[str, Any]:
    """What the service sent in its extension."""
    if told is None:
        return {}
    tree = extension_tree(told)
    return {name: tree[name] for name in _TOLD_BESIDE if tree[name] is not None}


def of_check(checked: Checked, serving: Serving, now: datetime, told: Extension | None = None) -> Result:
    """The answer to a check, by whoever gave it."""
    refusals = [code_for(Endpoint.ISREDEEMABLE, each) for each in checked.refusals]
    detail: dict[str, Any] = {
        "source": checked.source.value,
        "age_s": max(0, int((now - checked.as_of).total_seconds())),
        "reason": checked.reason if checked.reason is not None or not checked.refusals else checked.refusals[0].value,
        "refusals": refusals,
        "nearest": [str(each) for each in checked.nearest],
        "worth": None if checked.worth is None else str(checked.worth),
        "points_after": None if checked.points_after is None else str(checked.points_after),
        "code_sent": checked.is_code_out,
        "confirmed": checked.is_confirmed,
        "needs_proof": checked.needs_proof,
    }
    if checked.source is Source.LEDGER:
        detail |= beside(told)
    view = check_view(checked, serving, now=now, is_code_out=checked.is_code_out)
    return Result(
        outcome=OK if checked.is_redeemable else REFUSED,
        code=checked.code if checked.code is not None else next(iter(refusals), None),
        points=checked.points,
        shown=shown_of(view),
        detail=detail,
    )


def of_trouble(trouble: Exception, *, key: str | None = None, is_redeem: bool = False) -> Result:
    """What a failure of the world leaves: surely nothing was done, so far as it says so."""
    return Result(
        outcome=REFUSED,
        key=key,
        shown=shown_of(trouble_view(trouble, is_redeem=is_redeem)),
        detail={"reason": reason_of(trouble)},
    )


def reason_of(trouble: Exception) -> str:
    """A word to decide on: the ledger's own where it gave one, else the kind of trouble (`line_down`, `storage`)."""
    if isinstance(trouble, SyncRefusedError):
        return trouble.reason
    if isinstance(trouble, CannotLookUpOfflineError):
        return "offline"
    if isinstance(trouble, StorageError):
        return "storage"
    if not isinstance(trouble, Trouble):
        return "fault"
    name = type(trouble).__name__.removesuffix("Error")
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")
