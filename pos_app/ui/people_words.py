"""Names people of the store as lists and the header show them, and says why somebody was not accepted (ux B.8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.commands import ApprovalPurpose
from pos_app.domain.feed import OperatorTold
from pos_app.domain.roles import Act, Role, may
from pos_app.domain.trouble import Trouble
from pos_app.ui.formats import isolated_words
from pos_app.ui.person_form import Somebody
from pos_app.ui.wording import for_trouble

CONTEXT: Final = "people"
_ROLES: Final = {
    Role.CASHIER: "cashier",
    Role.SUPERVISOR: "supervisor",
    Role.MANAGER: "manager",
    Role.AUDITOR: "auditor",
    Role.TRAINER: "trainer",
}
_TASKS: Final = {
    ApprovalPurpose.SKIP_VALIDATION: "Redeem without confirming the customer by a code.",
    ApprovalPurpose.RISK: "Redeem at the shop's risk, without a line and without an allowance.",
    ApprovalPurpose.CANCEL: "Cancel a redemption whose receipt was printed.",
    ApprovalPurpose.REVERSE: "Give the points of a redemption back.",
}


def role_text(role: str) -> str:
    """A role in the language of the screen; a role nobody knows as it was told."""
    return QCoreApplication.translate(CONTEXT, _ROLES[Role(role)]) if role in set(Role) else role


def task_text(purpose: ApprovalPurpose) -> str:
    """What is approved, in a sentence."""
    return QCoreApplication.translate(CONTEXT, _TASKS[purpose])


def people_list(colleagues: Iterable[OperatorTold], act: Act | None = None) -> list[Somebody]:
    """The people of a list by name; with `act` only those who may do it."""
    found = [
        Somebody(each.operator_id, isolated_words(each.name), role_text(each.role))
        for each in colleagues
        if act is None or may(each.role, act)
    ]
    return sorted(found, key=lambda each: each.name.casefold())


def refusal_text(error: Exception) -> str:
    """Why a PIN or an approval was not accepted."""
    if not isinstance(error, Trouble):
        return QCoreApplication.translate(CONTEXT, "That did not work. Try again.")
    words = for_trouble(error)
    return " ".join(part for part in (f"{words.headline}.", words.reason, words.next_step) if part)
