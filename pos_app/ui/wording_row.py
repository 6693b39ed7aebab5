"""The words the wording is made of: states, ways, situations, and one row of the table (ux B.4, B.12)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Text = tuple[str, ...]


class VerdictState(StrEnum):
    """The ten states of the verdict panel (ux B.4); each has a shape of its own there."""

    IDLE = "idle"
    CHECKING = "checking"
    REDEEMABLE = "redeemable"
    REFUSED = "refused"
    OTP_FAILED = "otp_failed"
    OFFLINE = "offline"
    PENDING = "pending"
    UNKNOWN = "unknown"
    REDEEMED = "redeemed"
    CONFIG = "config"


class Way(StrEnum):
    """What a button of the verdict panel does next."""

    USE_NEAREST = "use_nearest"
    USE_FITTING = "use_fitting"
    CHANGE_PROGRAM = "change_program"
    BACK_TO_POINTS = "back_to_points"
    TRY_AGAIN = "try_again"
    TRY_ONLINE = "try_online"
    CHOOSE_GROUP = "choose_group"
    OWN_POINTS = "own_points"
    CHANGE_CUSTOMER = "change_customer"
    SEND_CODE = "send_code"
    MISSED_CALL = "missed_call"
    SCAN_PASS = "scan_pass"  # noqa: S105 - a scanned proof
    SUPERVISOR = "supervisor"
    CHECK_CALL = "check_call"
    ENTER_CODE = "enter_code"
    ENTER_POINTS = "enter_points"
    OTHER_PROGRAMS_ON = "other_programs_on"
    COPY_FOR_SUPPORT = "copy_for_support"
    REDEEM = "redeem"
    NEW_CUSTOMER = "new_customer"
    FIND_OUT = "find_out"
    CANCEL_REDEMPTION = "cancel_redemption"
    CANCEL_CHECK = "cancel_check"


class Situation(StrEnum):
    """What the panel says when the answer is neither a refusal nor trouble."""

    IDLE = "idle"
    CHECKING = "checking"
    STILL_CHECKING = "still_checking"
    REDEEMABLE = "redeemable"
    CONFIRM_FIRST = "confirm_first"
    CONFIRMED_BY_CODE = "confirmed_by_code"
    CONFIRMED_BY_CALL = "confirmed_by_call"
    CONFIRMATION_SKIPPED = "confirmation_skipped"
    CODE_OUT = "code_out"
    CODE_NOT_SENT = "code_not_sent"
    PROBABLY_YES = "probably_yes"
    PROBABLY_NO = "probably_no"
    TOO_OLD_TO_SAY = "too_old_to_say"
    NOT_SURE_OFFLINE = "not_sure_offline"
    PENDING = "pending"
    REDEEMING = "redeeming"
    UNKNOWN = "unknown"
    REDEEMED = "redeemed"
    OFFLINE_COVERED = "offline_covered"
    OFFLINE_BY_PASS = "offline_by_pass"  # noqa: S105 - a scanned proof
    OFFLINE_SKIPPED = "offline_skipped"
    OFFLINE_AT_RISK = "offline_at_risk"
    DONE_OFFLINE = "done_offline"
    SETTLED = "settled"
    SETTLED_SHORT = "settled_short"
    GIVING_BACK = "giving_back"
    GIVEN_BACK = "given_back"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    REVERSED = "reversed"
    PARKED = "parked"
    OVER_BILL = "over_bill"
    CONFIG = "config"


class Note(StrEnum):
    """Short lines beside fields and under the verdict."""

    CHANGED_SINCE_CHECK = "changed_since_check"
    CODE_STILL_OUT = "code_still_out"
    CODE_COVERS = "code_covers"
    SCAN_ASKS = "scan_asks"
    GROUP_OFF = "group_off"
    PROGRAMS_OFF = "programs_off"
    CONFIRM_TO_NEW_CUSTOMER = "confirm_to_new_customer"
    COPIED = "copied"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of ux B.12: what the panel shows and which buttons it offers, at most two."""

    state: VerdictState
    headline: Text
    reason: Text = ()
    next_step: Text = ()
    ways: tuple[Way, ...] = ()
