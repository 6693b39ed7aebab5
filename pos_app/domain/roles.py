"""Who may do what at a till: the table of reliability 4.7."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an operator is, in the words of the import format and of the feed."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    AUDITOR = "auditor"
    TRAINER = "trainer"


class Act(StrEnum):
    """What somebody may want to do at a till."""

    LOOK_UP = "look_up"
    CHECK = "check"
    SEND_CODE = "send_code"
    REDEEM = "redeem"
    CANCEL_BEFORE_RECEIPT = "cancel_before_receipt"
    REVEAL_IDENTIFIERS = "reveal_identifiers"
    APPROVE = "approve"
    """For somebody else: skipping the code, at the shop's risk, cancel after a receipt, reversal."""
    DECIDE_OPEN_ROWS = "decide_open_rows"
    CLOSE_DAY = "close_day"
    LEAVE_KIOSK = "leave_kiosk"
    SETTINGS = "settings"
    ENROL = "enrol"
    MARK_LOST = "mark_lost"
    OPERATORS = "operators"
    EXPORT = "export"
    DIAGNOSTICS = "diagnostics"
    READ_JOURNAL = "read_journal"
    READ_REPORTS = "read_reports"
    TRAIN = "train"
    """Start trainer mode, see its reports and use its scenario files."""


_CASHIERS: Final = frozenset(
    {
        Act.LOOK_UP,
        Act.CHECK,
        Act.SEND_CODE,
        Act.REDEEM,
        Act.CANCEL_BEFORE_RECEIPT,
        Act.REVEAL_IDENTIFIERS,
    }
)
_SUPERVISORS: Final = _CASHIERS | {
    Act.APPROVE,
    Act.DECIDE_OPEN_ROWS,
    Act.CLOSE_DAY,
    Act.LEAVE_KIOSK,
    Act.READ_REPORTS,
    Act.TRAIN,
}
_MANAGERS: Final = _SUPERVISORS | {
    Act.SETTINGS,
    Act.ENROL,
    Act.MARK_LOST,
    Act.OPERATORS,
    Act.EXPORT,
    Act.DIAGNOSTICS,
    Act.READ_JOURNAL,
}

MAY: Final = {
    Role.CASHIER: _CASHIERS,
    Role.SUPERVISOR: _SUPERVISORS,
    Role.MANAGER: _MANAGERS,
    Role.AUDITOR: frozenset({Act.READ_JOURNAL, Act.READ_REPORTS}),
    Role.TRAINER: frozenset({Act.TRAIN}),
}
"""A supervisor may do what a cashier may, a manager what a supervisor may; an auditor reads, and nothing else.

Closing the day shows its report, so a supervisor reads reports too; the journal itself is for managers and auditors.
"""


def may(role: str, act: Act) -> bool:
    """Say whether somebody of this role may do it; a role that nobody knows may do nothing."""
    return role in set(Role) and act in MAY[Role(role)]
