"""What the panel says while nothing is refused: waiting, yes, done, offline, trouble (ux B.4, B.12 A and K)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    StorageError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.services.results import CannotLookUpOfflineError
from pos_app.ui.wording_offline import OFFLINE_SITUATIONS
from pos_app.ui.wording_row import Note, Row, Situation, Text, VerdictState, Way

_S = VerdictState
_YES: Final = ("{points} points can be used",)
_WORTH: Final = (
    "Worth {worth}. {left} points stay.",
    "Worth {worth}.",
    "{left} points stay.",
)
_CHANGE: Final = Way.BACK_TO_POINTS
_WORKED_OUT: Final = (
    "Worked out on this till from data of {as_of}, {age} old.",
    "Worked out on this till from what was seen last.",
)
_NOT_SET_ASIDE: Final = ("Nothing is set aside for this till, so it cannot be redeemed now.",)
_SIGN_IN_PAGE = Row(
    _S.CONFIG,
    ("Wrong address or a sign-in page",),
    ("The network answered, not the service.",),
    ("Look for the network's own sign-in page, then check the address of the service.",),
    (Way.TRY_AGAIN, Way.COPY_FOR_SUPPORT),
)

UNKNOWN_ROW = Row(
    _S.UNKNOWN,
    ("We do not know if it went through",),
    ("The answer got lost. Do not redeem again.",),
    (
        "This till keeps asking, reference {reference}. It cannot be charged twice.",
        "This till keeps asking. It cannot be charged twice.",
    ),
    (Way.FIND_OUT, Way.CANCEL_REDEMPTION),
)

SITUATIONS: Final = MappingProxyType(
    {
        Situation.IDLE: Row(_S.IDLE, ("Ready",), ("Scan or type the customer.",)),
        Situation.CHECKING: Row(_S.CHECKING, ("Checking",), (), (), (Way.CANCEL_CHECK,)),
        Situation.STILL_CHECKING: Row(
            _S.CHECKING, ("Checking",), ("Still checking. You can cancel.",), (), (Way.CANCEL_CHECK,)
        ),
        Situation.REDEEMABLE: Row(_S.REDEEMABLE, _YES, _WORTH, ("Redeem when the customer agrees.",), (_CHANGE,)),
        Situation.CONFIRM_FIRST: Row(
            _S.REDEEMABLE, _YES, _WORTH, ("Confirm the customer first.",), (Way.SEND_CODE, _CHANGE)
        ),
        Situation.CODE_OUT: Row(
            _S.REDEEMABLE,
            _YES,
            _WORTH,
            ("A code was sent to {masked}. Ask for it.", "A code was sent. Ask for it."),
            (Way.ENTER_CODE, _CHANGE),
        ),
        Situation.CONFIRMED_BY_CODE: Row(
            _S.REDEEMABLE, _YES, _WORTH, ("Confirmed by code at {time}.", "Confirmed by code."), (Way.REDEEM, _CHANGE)
        ),
        Situation.CONFIRMED_BY_CALL: Row(
            _S.REDEEMABLE, _YES, _WORTH, ("Confirmed by call at {time}.", "Confirmed by call."), (Way.REDEEM, _CHANGE)
        ),
        Situation.CONFIRMATION_SKIPPED: Row(
            _S.REDEEMABLE,
            _YES,
            _WORTH,
            ("Confirmation skipped by {approver}: {why}.", "Confirmation skipped by a supervisor."),
            (Way.REDEEM, _CHANGE),
        ),
        Situation.CODE_NOT_SENT: Row(
            _S.OTP_FAILED,
            ("Points are fine. The code was not sent",),
            ("The points check passed. The code could not be made.",),
            ("Try again, or confirm another way.",),
            (Way.SEND_CODE, Way.MISSED_CALL, Way.SUPERVISOR),
        ),
        Situation.PROBABLY_YES: Row(
            _S.OFFLINE, ("Probably yes (offline)",), _WORKED_OUT, _NOT_SET_ASIDE, (Way.TRY_ONLINE,)
        ),
        Situation.PROBABLY_NO: Row(
            _S.OFFLINE,
            ("Probably no (offline)",),
            _WORKED_OUT,
            ("Try again when the line is back.",),
            (Way.TRY_ONLINE,),
        ),
        Situation.TOO_OLD_TO_SAY: Row(
            _S.OFFLINE,
            ("Cannot say while offline",),
            ("The data of {as_of} are {age} old, too old to say.", "What was seen last is too old to say."),
            ("Try again when the line is back.",),
            (Way.TRY_ONLINE,),
        ),
        Situation.NOT_SURE_OFFLINE: Row(
            _S.OFFLINE,
            ("Cannot say while offline",),
            ("This till does not know the rules of {program}.", "This till does not know the rules of this program."),
            ("Try again when the line is back.",),
            (Way.TRY_ONLINE,),
        ),
        Situation.PENDING: Row(
            _S.PENDING,
            ("Saved, waiting to send",),
            ("{points} points, {name}. It can still be refused.", "It can still be refused."),
            ("It is sent by itself when the line is back.",),
            (Way.NEW_CUSTOMER,),
        ),
        Situation.REDEEMING: Row(
            _S.CHECKING,
            ("Redeeming. Do not repeat",),
            ("Waiting for the answer to {points} points.", "Waiting for the answer."),
        ),
        Situation.UNKNOWN: UNKNOWN_ROW,
        Situation.REDEEMED: Row(
            _S.REDEEMED,
            ("Done. {points} points used", "Done"),
            (
                "Redemption {redemption_id}. {left} points left.",
                "Redemption {redemption_id}.",
                "{left} points left.",
            ),
            ("Give the slip to the customer.",),
            (Way.NEW_CUSTOMER,),
        ),
        Situation.CANCELLING: Row(
            _S.UNKNOWN,
            ("Cancelling. Not answered yet",),
            ("The service has not said yet what became of it. Do not redeem again.",),
            ("This till keeps asking.",),
            (Way.FIND_OUT,),
        ),
        Situation.CANCELLED: Row(
            _S.REFUSED,
            ("Cancelled. Nothing was used",),
            ("The service says that no points were taken.",),
            ("Check again, or serve the next customer.",),
            (Way.TRY_AGAIN, Way.NEW_CUSTOMER),
        ),
        Situation.REVERSED: Row(
            _S.REFUSED,
            ("Cancelled. Points were given back",),
            ("The points had been taken and were put back.",),
            ("Check again, or serve the next customer.",),
            (Way.TRY_AGAIN, Way.NEW_CUSTOMER),
        ),
        Situation.PARKED: Row(
            _S.UNKNOWN,
            ("This redemption needs a supervisor",),
            ("The service has to be asked by hand whether the points were taken.",),
            ("Do not redeem again. Call a supervisor.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        Situation.OVER_BILL: Row(
            _S.REFUSED,
            ("More than the bill",),
            ("{points} points are worth {worth}; {due} is due.", "The points are worth more than what is due."),
            ("Use {fits} points.", "Use fewer points."),
            (Way.USE_FITTING, Way.BACK_TO_POINTS),
        ),
        Situation.CONFIG: Row(
            _S.CONFIG,
            ("This till needs attention",),
            ("Redemption is not set up right.",),
            ("Ask a supervisor.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        **OFFLINE_SITUATIONS,
    }
)

SERVICE_PROBLEM = Row(
    _S.REFUSED,
    ("The service has a problem",),
    ("Nothing was used.",),
    ("Try again.",),
    (Way.TRY_AGAIN, Way.COPY_FOR_SUPPORT),
)

TROUBLES: Final[MappingProxyType[type[Trouble], Row]] = MappingProxyType(
    {
        LineDownError: Row(
            _S.OFFLINE,
            ("No line to the service",),
            ("The service did not answer.",),
            ("Try again when the line is back.",),
            (Way.TRY_ONLINE,),
        ),
        CannotLookUpOfflineError: Row(
            _S.OFFLINE,
            ("Cannot look up while offline",),
            ("This customer has not been seen on this till yet.",),
            ("Try again when the line is back.",),
            (Way.TRY_ONLINE, Way.CHANGE_CUSTOMER),
        ),
        UnclearAnswerError: SERVICE_PROBLEM,
        NotAcceptedError: Row(
            _S.CONFIG,
            ("Sign-in for this till failed",),
            ("The till's user or password was not accepted.",),
            ("Call a supervisor: the connection has to be set up again.",),
            (Way.TRY_AGAIN, Way.COPY_FOR_SUPPORT),
        ),
        WrongAddressError: _SIGN_IN_PAGE,
        NotTheServiceError: _SIGN_IN_PAGE,
        NotSafeError: Row(
            _S.CONFIG,
            ("Connection is not safe",),
            ("The address is not https, or its certificate is not trusted here.",),
            ("Stop, and call a supervisor.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        SlowDownError: Row(
            _S.REFUSED,
            ("Too many requests",),
            ("The service asked us to slow down.",),
            ("Wait {seconds} seconds, then try again.", "Wait a minute, then try again."),
            (Way.TRY_AGAIN,),
        ),
        ServiceTroubleError: SERVICE_PROBLEM,
        NotUnderstoodError: Row(
            _S.CONFIG,
            ("This till needs attention",),
            ("The service did not understand this till. Nothing was used.",),
            ("Carry on without points. Copy the details for support.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        StorageError: Row(
            _S.CONFIG,
            ("This till needs attention",),
            ("It cannot save its records, so nothing was sent.",),
            ("Call a supervisor: the disk may be full.",),
            (Way.TRY_AGAIN, Way.COPY_FOR_SUPPORT),
        ),
    }
)
"""The row of every member of `domain.trouble`; the nearest base class counts."""

REDEEM_MAY_HAVE_ACTED: Final = (UnclearAnswerError, ServiceTroubleError, NotTheServiceError, WrongAddressError)
"""After a redemption was sent these leave its result open (B.12 K: "lost answer, 5xx or garbage after redeem")."""

NOTES: Final[MappingProxyType[Note, Text]] = MappingProxyType(
    {
        Note.CHANGED_SINCE_CHECK: ("Changed since this check",),
        Note.CODE_STILL_OUT: (
            "A code was sent at {time} and can still be used when the line is back.",
            "A code was sent and can still be used when the line is back.",
        ),
        Note.CODE_COVERS: ("The code is for {points} points. More points need a new code.",),
        Note.SCAN_ASKS: (
            "A code was sent to {name}. Scan again to change customer.",
            "A code was sent. Scan again to change customer.",
        ),
        Note.GROUP_OFF: ("The family group was switched off: it cannot be used with points from another program.",),
        Note.PROGRAMS_OFF: ("Points from another program were switched off: a family group has its own points.",),
        Note.CONFIRM_TO_NEW_CUSTOMER: ("The last redemption has no answer yet. It stays saved on this till.",),
        Note.COPIED: ("Copied. Paste it into a message to support.",),
    }
)

WAYS: Final[MappingProxyType[Way, Text]] = MappingProxyType(
    {
        Way.USE_NEAREST: ("Use {nearest_one} points",),
        Way.USE_FITTING: ("Use {fits} points",),
        Way.CHANGE_PROGRAM: ("Change program",),
        Way.BACK_TO_POINTS: ("Change points",),
        Way.TRY_AGAIN: ("Try again",),
        Way.TRY_ONLINE: ("Try online",),
        Way.CHOOSE_GROUP: ("Choose family group",),
        Way.OWN_POINTS: ("Use own points",),
        Way.CHANGE_CUSTOMER: ("Change customer",),
        Way.SEND_CODE: ("Send code",),
        Way.MISSED_CALL: ("Missed call",),
        Way.CHECK_CALL: ("Check for the call",),
        Way.SCAN_PASS: ("Scan a pass",),
        Way.SUPERVISOR: ("Supervisor…",),
        Way.ENTER_CODE: ("Enter the code",),
        Way.ENTER_POINTS: ("Enter points",),
        Way.OTHER_PROGRAMS_ON: ("Use points of all programs",),
        Way.COPY_FOR_SUPPORT: ("Copy for support",),
        Way.REDEEM: ("Redeem",),
        Way.NEW_CUSTOMER: ("New customer",),
        Way.FIND_OUT: ("Find out now",),
        Way.CANCEL_REDEMPTION: ("Cancel redemption",),
        Way.CANCEL_CHECK: ("Cancel",),
    }
)

SINGULAR: Final = MappingProxyType(
    {
        "{points} points can be used": ("points", "{points} point can be used"),
        "Done. {points} points given back": ("points", "Done. {points} point given back"),
        "Done offline. {points} points used": ("points", "Done offline. {points} point used"),
        "Done. {points} points used": ("points", "Done. {points} point used"),
        "Use {nearest_one} points": ("nearest_one", "Use {nearest_one} point"),
        "Use {fits} points": ("fits", "Use {fits} point"),
        "Use {fits} points.": ("fits", "Use {fits} point."),
        "Use {lower} points.": ("lower", "Use {lower} point."),
        "{left} points stay.": ("left", "{left} point stays."),
        "Worth {worth}. {left} points stay.": ("left", "Worth {worth}. {left} point stays."),
        "{left} points left.": ("left", "{left} point left."),
        "Redemption {redemption_id}. {left} points left.": ("left", "Redemption {redemption_id}. {left} point left."),
        "The code is wrong or has expired. {tries_left} tries left.": (
            "tries_left",
            "The code is wrong or has expired. {tries_left} try left.",
        ),
        "{tries_left} tries left.": ("tries_left", "{tries_left} try left."),
        "Wait {minutes} minutes.": ("minutes", "Wait {minutes} minute."),
        "Wait {seconds} seconds, then try again.": ("seconds", "Wait {seconds} second, then try again."),
    }
)
"""A sentence, the fact that counts in it, and the sentence for exactly one."""

KIND_WORDS: Final = MappingProxyType(
    {
        "mobile": "mobile number",
        "email": "e-mail address",
        "external_id": "external ID",
        "card_number": "card number",
        "card_external_id": "card external ID",
        "id": "customer number",
    }
)
"""How a sentence names the kind of an identifier."""
