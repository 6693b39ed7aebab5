"""Every refusal's sentence, as plain data (ux B.12). `wording.py` picks, fills and translates.

A text is a tuple of whole sentences, the most telling first: the first one whose every `{name}` is known is
shown, so that an unknown number never leaves a hole. Names are the fields of `WordingFacts`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pos_app.domain.refusals import Refusal
from pos_app.ui.wording_row import Row, VerdictState, Way

_NO: Final = VerdictState.REFUSED
_STEP: Final = VerdictState.OTP_FAILED
_ATTENTION: Final = VerdictState.CONFIG
_OFFLINE: Final = VerdictState.OFFLINE
_NOTHING_USED: Final = ("Nothing was used.",)
_SUPPORT: Final = ("Carry on without points. Copy the details for support.",)

_NOT_FOUND = Row(
    _NO,
    ("No customer found",),
    ("Nobody matches that {kind}.", "Nobody matches what was typed."),
    ("Check the {kind}, or try another kind.", "Check it, or try another kind."),
    (Way.CHANGE_CUSTOMER,),
)
_NOT_A_MEMBER_YET = Row(
    _NO,
    ("Not a member yet",),
    ("This person is known but has not joined the program.",),
    ("Offer to sign them up.",),
    (Way.CHANGE_CUSTOMER,),
)
_SET_UP = Row(
    _ATTENTION,
    ("This till needs attention",),
    ("Redemption is not set up right for this store.",),
    _SUPPORT,
    (Way.COPY_FOR_SUPPORT,),
)
_NOT_HERE = Row(
    _ATTENTION,
    ("Redemption is not available here",),
    ("This store is not part of the program yet.",),
    ("Carry on without points. Tell a supervisor.",),
    (Way.COPY_FOR_SUPPORT,),
)
_NOT_SENT = Row(
    _STEP,
    ("The code was not sent",),
    ("Something stopped the text.",),
    ("Try again, or confirm another way.",),
    (Way.SEND_CODE, Way.MISSED_CALL, Way.SUPERVISOR),
)
_RECEIPT = Row(
    _NO,
    ("Check the receipt number",),
    ("The service did not accept the receipt or time.",),
    ("Correct it, or copy the details for support.",),
    (Way.TRY_AGAIN, Way.COPY_FOR_SUPPORT),
)
_AMOUNT_BACK = (Way.BACK_TO_POINTS,)

REFUSALS: Final = MappingProxyType(
    {
        # B Amount
        Refusal.POINTS_NOT_POSITIVE: Row(
            _NO,
            ("Enter a number of points",),
            ("Points must be more than 0.",),
            ("Type the points again.",),
            _AMOUNT_BACK,
        ),
        Refusal.POINTS_TOO_FINE: Row(
            _NO,
            ("Too many decimals",),
            ("Points have at most three decimals.",),
            ("Type the points again.",),
            _AMOUNT_BACK,
        ),
        Refusal.NOT_A_MULTIPLE: Row(
            _NO,
            ("Use a multiple of {step}", "Points go in steps here"),
            (
                "{program} takes points in multiples of {step}. You asked for {points}.",
                "{program} takes points in multiples of {step}.",
                "{program} takes points in steps only.",
                "This program takes points in steps only.",
            ),
            ("Use {lower} or {higher} points.", "Use {lower} points.", "Change the number of points."),
            (Way.USE_NEAREST, Way.BACK_TO_POINTS),
        ),
        Refusal.ABOVE_MOST: Row(
            _NO,
            ("Too many at once",),
            (
                "{program} allows {most} points each time. You asked for {points}.",
                "{program} allows {most} points each time.",
                "That is more than may be used each time.",
            ),
            ("Use {lower} points.", "Use fewer points."),
            (Way.USE_NEAREST, Way.BACK_TO_POINTS),
        ),
        Refusal.CEILING_REACHED: Row(
            _NO,
            ("Too many at once",),
            ("{program} limits how many points are used over time.", "There is a limit on points used over time."),
            ("Use {lower} points.", "Use fewer points, or wait until the limit allows more."),
            (Way.USE_NEAREST, Way.BACK_TO_POINTS),
        ),
        Refusal.BELOW_LEAST: Row(
            _NO,
            ("Too few points",),
            (
                "{program} needs {least} points or more. You asked for {points}.",
                "{program} needs {least} points or more.",
                "This program needs more points each time.",
            ),
            ("Use {lower} points.", "Use more points, if the balance allows."),
            (Way.USE_NEAREST, Way.BACK_TO_POINTS),
        ),
        # C Balance
        Refusal.BALANCE_TOO_LOW: Row(
            _NO,
            ("Not enough points",),
            (
                "{name} has {balance} points in {program}. You asked for {points}.",
                "There are {balance} points in {program}. You asked for {points}.",
                "There are {balance} points. You asked for {points}.",
                "The balance is less than the {points} points asked for.",
                "The balance is less than what was asked for.",
            ),
            ("Offer {lower} points, or use another program.", "Use fewer points, or another program."),
            (Way.USE_NEAREST, Way.CHANGE_PROGRAM),
        ),
        Refusal.BALANCE_BELOW_REQUIRED: Row(
            _NO,
            ("Balance is too low to start",),
            (
                "{program} asks for a balance of {required} before points can be used.",
                "{program} asks for a higher balance before points can be used.",
                "The program asks for a higher balance before points can be used.",
            ),
            ("Tell them how many points are missing. Nobody can change this.",),
            (Way.CHANGE_PROGRAM,),
        ),
        # D Rules and family groups
        Refusal.LIFETIME_POINTS_TOO_LOW: Row(
            _NO,
            ("Not enough points earned so far",),
            ("This customer has not yet earned enough points in total to redeem.",),
            ("Tell them points keep adding up. Nobody can change this.",),
            (Way.CHANGE_PROGRAM,),
        ),
        Refusal.LIFETIME_PURCHASES_TOO_LOW: Row(
            _NO,
            ("Not enough spent so far",),
            ("This customer has not yet spent enough in total to redeem.",),
            ("Tell them purchases keep adding up. Nobody can change this.",),
            (Way.CHANGE_PROGRAM,),
        ),
        Refusal.FAMILY_GROUP_UNKNOWN: Row(
            _NO,
            ("Family group not known",),
            ("No such family group, or it is closed.",),
            ("Choose again, or use the customer's own points.",),
            (Way.CHOOSE_GROUP, Way.OWN_POINTS),
        ),
        Refusal.NOT_A_MEMBER: Row(
            _NO,
            ("Not in this family group",),
            ("{name} is not a member of it.", "This customer is not a member of it."),
            ("Choose again, or use the customer's own points.",),
            (Way.CHOOSE_GROUP, Way.OWN_POINTS),
        ),
        Refusal.FAMILY_GROUP_NOT_USABLE: Row(
            _NO,
            ("Family group cannot be used here",),
            ("{program} does not take family group points.", "This program does not take family group points."),
            ("Use the customer's own points, or another program.",),
            (Way.OWN_POINTS, Way.CHANGE_PROGRAM),
        ),
        Refusal.POINTS_BLOCKED: Row(
            _NO,
            ("These points cannot be used",),
            ("Redeeming is blocked for this member.",),
            ("Use the customer's own points. Tell a supervisor.",),
            (Way.OWN_POINTS,),
        ),
        Refusal.PROGRAM_GROUP_REQUIRED: Row(
            _NO,
            ("Use points of all programs",),
            ("This organisation redeems all programs together.",),
            ("Switch it on and check again.",),
            (Way.OTHER_PROGRAMS_ON,),
        ),
        Refusal.NEVER_ENROLLED: _NOT_A_MEMBER_YET,
        Refusal.NOT_REGISTERED: _NOT_A_MEMBER_YET,
        # E Customer
        Refusal.IDENTIFIER_MALFORMED: _NOT_FOUND,
        Refusal.CUSTOMER_UNKNOWN: _NOT_FOUND,
        Refusal.CUSTOMER_MISMATCH: _NOT_FOUND,
        # F Code
        Refusal.CODE_WRONG: Row(
            _STEP,
            ("That code did not match",),
            ("The code is wrong or has expired. {tries_left} tries left.", "The code is wrong or has expired."),
            ("Type it again, or send a new one.",),
            (Way.ENTER_CODE, Way.SEND_CODE),
        ),
        Refusal.CODE_MISSING: Row(
            _STEP, ("Enter the code",), ("The code is missing.",), ("Type the code.",), (Way.ENTER_CODE,)
        ),
        Refusal.PROOF_MISSING: Row(
            _STEP,
            ("Confirm the customer first",),
            ("{program} needs a confirmed phone.", "This program needs a confirmed phone."),
            ("Send a code.",),
            (Way.SEND_CODE,),
        ),
        Refusal.NO_MISSED_CALL: Row(
            _STEP,
            ("No call yet",),
            ("No missed call from {masked} was found.", "No missed call from the customer was found."),
            ("Ask them to ring again, then check for the call.",),
            (Way.CHECK_CALL, Way.SEND_CODE),
        ),
        Refusal.MISSED_CALL_OFF: Row(
            _STEP,
            ("Missed call is not offered here",),
            ("Use a text message.",),
            ("Send a code.",),
            (Way.SEND_CODE,),
        ),
        Refusal.CODE_NOT_SENT: _NOT_SENT,
        Refusal.TOO_MANY_CODES: Row(
            _STEP,
            ("Too many codes",),
            ("This number has had too many codes for now.",),
            ("Wait {minutes} minutes.", "Wait some minutes, or confirm another way."),
            (Way.MISSED_CALL,),
        ),
        # G Review
        Refusal.NEEDS_SUPERVISOR: Row(
            _NO,
            ("This account needs a supervisor",),
            ("It cannot be used for redeeming today.",),
            ("Call a supervisor.",),
            (Way.CHANGE_CUSTOMER,),
        ),
        # H Set-up
        Refusal.SET_UP_WRONG: _SET_UP,
        Refusal.PROGRAM_GROUP_OFF: _SET_UP,
        Refusal.PROGRAM_UNKNOWN: Row(
            _ATTENTION,
            ("Program not known",),
            ("Program {program_id} is not set up here.", "This program is not set up here."),
            ("Choose another program. Copy the details for support.",),
            (Way.CHANGE_PROGRAM, Way.COPY_FOR_SUPPORT),
        ),
        Refusal.NO_PROGRAM_HERE: _NOT_HERE,
        Refusal.REDEMPTION_OFF: _NOT_HERE,
        Refusal.RATIO_MISSING: Row(
            _NO,
            ("The value is not known",),
            ("Points work, but the worth cannot be shown.",),
            ("Enter points instead of value.",),
            (Way.ENTER_POINTS,),
        ),
        # I Busy
        Refusal.CUSTOMER_BUSY: Row(
            _NO, ("The service is busy",), _NOTHING_USED, ("Wait a moment, then try again.",), (Way.TRY_AGAIN,)
        ),
        Refusal.SERVICE_BUSY: Row(
            _NO, ("The service is busy",), _NOTHING_USED, ("Wait a moment, then try again.",), (Way.TRY_AGAIN,)
        ),
        Refusal.EVENTS_PENDING: Row(
            _NO,
            ("Earlier items are still being handled",),
            ("This customer has work waiting at the service.",),
            ("Try again in a minute.",),
            (Way.TRY_AGAIN,),
        ),
        # J Redeem and undo
        Refusal.TIME_NOT_ACCEPTED: _RECEIPT,
        Refusal.BILL_NOT_ACCEPTED: _RECEIPT,
        Refusal.CANNOT_UNDO: Row(
            _NO,
            ("This cannot be undone here",),
            ("The service does not allow it.",),
            ("Copy the details for support.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        # The key of a redemption
        Refusal.KEY_MISMATCH: Row(
            _ATTENTION,
            ("This redemption needs a supervisor",),
            ("The service knows this redemption in another form.",),
            ("Do not redeem again. Copy the details for support.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        Refusal.KEY_CANCELLED: Row(
            _NO, ("This redemption was cancelled",), _NOTHING_USED, ("Check the points again.",), (Way.TRY_AGAIN,)
        ),
        # L Any other
        Refusal.OTHER: Row(
            _NO,
            ("Not possible right now",),
            ("The service said: “{message}”.", "The service gave no reason."),
            ("Try again once. If it stays, copy the details for support.",),
            (Way.TRY_AGAIN, Way.COPY_FOR_SUPPORT),
        ),
    }
)
"""The sentence of every refusal; a test walks the enum so that none is left without one."""

_NO_MORE_TRIES = Row(
    _STEP,
    ("No more tries for now",),
    ("Too many wrong codes.",),
    ("Send a new code, or wait some minutes.",),
    (Way.SEND_CODE, Way.MISSED_CALL, Way.SUPERVISOR),
)
_SENDS_USED_UP = Row(
    _STEP,
    ("The code was not sent",),
    ("Too many codes for this number today.",),
    ("Confirm another way, or try tomorrow.",),
    (Way.MISSED_CALL,),
)

REFUSALS_BY_REASON: Final = MappingProxyType(
    {
        (Refusal.BALANCE_TOO_LOW, "held_offline"): Row(
            _NO,
            ("Some points are set aside",),
            (
                "{held} of {total} points are set aside at store {store} until {until}.",
                "{held} points are set aside at store {store} until {until}.",
                "{held} points are set aside at another till.",
                "Some of the points are set aside at another till.",
            ),
            ("Use {lower} points, or try again later.", "Try again later."),
            (Way.TRY_AGAIN, Way.USE_NEAREST),
        ),
        (Refusal.POINTS_BLOCKED, "wallet_paused"): Row(
            _NO,
            ("These points cannot be used",),
            ("Using these points is paused at present.",),
            ("Use another program, or tell a supervisor.",),
            (Way.CHANGE_PROGRAM,),
        ),
        (Refusal.CODE_WRONG, "code_dead"): _NO_MORE_TRIES,
        (Refusal.CODE_WRONG, "customer_limit"): _NO_MORE_TRIES,
        (Refusal.CODE_WRONG, "till_limit"): _NO_MORE_TRIES,
        (Refusal.CODE_WRONG, "code_not_for_this"): Row(
            _STEP,
            ("That code did not match",),
            ("It was sent for fewer points, another program or another family group.",),
            ("Send a new code.",),
            (Way.SEND_CODE,),
        ),
        (Refusal.CODE_NOT_SENT, "sends_used_up"): _SENDS_USED_UP,
        (Refusal.TOO_MANY_CODES, "sends_used_up"): _SENDS_USED_UP,
        (Refusal.PROOF_MISSING, "approval_missing"): Row(
            _STEP,
            ("Confirm the customer first",),
            ("Without a code a supervisor has to approve this.",),
            ("Send a code.",),
            (Way.SEND_CODE,),
        ),
        (Refusal.PROOF_MISSING, "approval_refused"): Row(
            _STEP,
            ("Confirm the customer first",),
            ("The supervisor's approval was not accepted.",),
            ("Send a code.",),
            (Way.SEND_CODE,),
        ),
    }
)
"""Where the ledger's own `reason` (sync-api 2) says more than the code."""

REFUSALS_BY_CODE: Final = MappingProxyType(
    {
        (Refusal.CUSTOMER_UNKNOWN, 889): Row(
            _NO,
            ("Could not read this customer",),
            ("The {kind} may be wrong, or the service is busy.", "The number may be wrong, or the service is busy."),
            ("Check the {kind}, then try again.", "Check it, then try again."),
            (Way.CHANGE_CUSTOMER, Way.TRY_AGAIN),
        )
    }
)
"""889 is answered for unknown customers and for trouble alike (ux W10)."""

CANNOT_UNDO_FACTS: Final = MappingProxyType(
    {
        810: "The points are not those of the earlier redemption.",
        812: "It was undone already.",
        814: "No points were used on that receipt.",
        877: "The service could not place the points.",
        901: "The redemption number is not known.",
        902: "The redemption number is not known.",
        905: "Giving points back is switched off here.",
        3802: "It was undone already.",
    }
)
"""The fact of family J, by code."""
