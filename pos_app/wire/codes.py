"""Which number says which refusal, endpoint by endpoint (contract section 9).

The same number means different things at different endpoints, so every question is asked with its endpoint. Each
table is data: a code, the refusal it stands for. Where several codes say the same, the one we send is in `_SENT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pos_app.domain.answers import CAN_BE_REDEEMED, CODE_ISSUED, CODE_NOT_SENT_WARNING
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal

CUSTOMER_FOUND: Final = 1000
POINTS_REVERSED: Final = 200
"""The v2 answer of a reversal has no item code of its own: its HTTP status says yes (contract 7)."""


class Endpoint(StrEnum):
    """Calls with item codes of their own."""

    ISREDEEMABLE = "isredeemable"
    VALIDATIONCODE = "validationcode"
    REDEEM = "redeem"
    CUSTOMER_GET = "customer_get"
    CRITERIA = "criteria"
    REVERSE = "reverse"


YES_CODES: Final[Mapping[Endpoint, int]] = {
    Endpoint.ISREDEEMABLE: CAN_BE_REDEEMED,
    Endpoint.VALIDATIONCODE: CODE_ISSUED,
    Endpoint.REDEEM: CAN_BE_REDEEMED,
    Endpoint.CUSTOMER_GET: CUSTOMER_FOUND,
    Endpoint.CRITERIA: CAN_BE_REDEEMED,
    Endpoint.REVERSE: POINTS_REVERSED,
}

_POINTS: Final[Mapping[int, Refusal]] = {
    # 9.1, as an item code
    400: Refusal.OTHER,
    401: Refusal.OTHER,
    402: Refusal.OTHER,
    403: Refusal.OTHER,
    404: Refusal.OTHER,
    405: Refusal.OTHER,
    406: Refusal.OTHER,
    407: Refusal.OTHER,
    408: Refusal.OTHER,
    415: Refusal.OTHER,
    429: Refusal.TOO_MANY_CODES,
    500: Refusal.OTHER,
    521: Refusal.CUSTOMER_BUSY,
    # 9.2
    618: Refusal.NEEDS_SUPERVISOR,
    686: Refusal.NEVER_ENROLLED,
    801: Refusal.POINTS_NOT_POSITIVE,
    802: Refusal.IDENTIFIER_MALFORMED,
    803: Refusal.BALANCE_TOO_LOW,
    804: Refusal.BALANCE_BELOW_REQUIRED,
    805: Refusal.LIFETIME_POINTS_TOO_LOW,
    806: Refusal.LIFETIME_PURCHASES_TOO_LOW,
    807: Refusal.NOT_A_MULTIPLE,
    808: Refusal.CODE_WRONG,
    809: Refusal.NEEDS_SUPERVISOR,
    810: Refusal.CANNOT_UNDO,
    811: Refusal.BILL_NOT_ACCEPTED,
    812: Refusal.CANNOT_UNDO,
    813: Refusal.BALANCE_TOO_LOW,
    814: Refusal.CANNOT_UNDO,
    815: Refusal.SERVICE_BUSY,
    816: Refusal.CUSTOMER_UNKNOWN,
    817: Refusal.SERVICE_BUSY,
    818: Refusal.BALANCE_TOO_LOW,
    819: Refusal.ABOVE_MOST,
    820: Refusal.NEEDS_SUPERVISOR,
    821: Refusal.BELOW_LEAST,
    822: Refusal.NO_MISSED_CALL,
    823: Refusal.MISSED_CALL_OFF,
    824: Refusal.PROOF_MISSING,
    825: Refusal.SET_UP_WRONG,
    826: Refusal.SET_UP_WRONG,
    827: Refusal.REDEMPTION_OFF,
    828: Refusal.FAMILY_GROUP_NOT_USABLE,
    859: Refusal.TIME_NOT_ACCEPTED,
    860: Refusal.CODE_NOT_SENT,
    872: Refusal.RATIO_MISSING,
    873: Refusal.BILL_NOT_ACCEPTED,
    874: Refusal.CODE_NOT_SENT,
    875: Refusal.CODE_NOT_SENT,
    876: Refusal.CODE_NOT_SENT,
    877: Refusal.CANNOT_UNDO,
    878: Refusal.POINTS_TOO_FINE,
    881: Refusal.NOT_REGISTERED,
    885: Refusal.PROGRAM_UNKNOWN,
    886: Refusal.SERVICE_BUSY,
    887: Refusal.SERVICE_BUSY,
    888: Refusal.PROGRAM_GROUP_OFF,
    889: Refusal.CUSTOMER_UNKNOWN,
    894: Refusal.SERVICE_BUSY,
    895: Refusal.NO_PROGRAM_HERE,
    896: Refusal.SERVICE_BUSY,
    898: Refusal.SERVICE_BUSY,
    899: Refusal.SET_UP_WRONG,
    900: Refusal.EVENTS_PENDING,
    901: Refusal.CANNOT_UNDO,
    902: Refusal.CANNOT_UNDO,
    903: Refusal.POINTS_BLOCKED,
    904: Refusal.CUSTOMER_MISMATCH,
    905: Refusal.CANNOT_UNDO,
    1101: Refusal.PROGRAM_UNKNOWN,
    3045: Refusal.NEEDS_SUPERVISOR,
    3316: Refusal.PROGRAM_GROUP_REQUIRED,
    3802: Refusal.CANNOT_UNDO,
    8015: Refusal.CUSTOMER_UNKNOWN,
    # 9.3
    600: Refusal.OTHER,
    601: Refusal.OTHER,
    602: Refusal.OTHER,
    603: Refusal.OTHER,
    604: Refusal.CODE_MISSING,
    605: Refusal.CODE_WRONG,
    606: Refusal.CODE_NOT_SENT,
    9001: Refusal.CODE_WRONG,
    1011: Refusal.CUSTOMER_UNKNOWN,
    1012: Refusal.CUSTOMER_UNKNOWN,
    1013: Refusal.NOT_REGISTERED,
    1020: Refusal.NOT_REGISTERED,
    1044: Refusal.OTHER,
    1619: Refusal.FAMILY_GROUP_UNKNOWN,
    1620: Refusal.NOT_A_MEMBER,
    1632: Refusal.FAMILY_GROUP_UNKNOWN,
    1635: Refusal.FAMILY_GROUP_UNKNOWN,
    8069: Refusal.CUSTOMER_UNKNOWN,
    8109: Refusal.CUSTOMER_UNKNOWN,
    91015: Refusal.OTHER,
    **dict.fromkeys(range(412, 415), Refusal.OTHER),  # 412 to 419: points transfer only
    **dict.fromkeys(range(416, 420), Refusal.OTHER),
}
"""What the codes of section 9 mean at the points calls."""

_REVERSING: Final[Mapping[int, Refusal]] = {
    804: Refusal.CANNOT_UNDO,  # "cannot be processed", no balance that is too low
    817: Refusal.CANNOT_UNDO,  # not enough points
    818: Refusal.CANNOT_UNDO,  # reversal not allowed for the program
    903: Refusal.CANNOT_UNDO,  # limit exceeded: more than is left
    904: Refusal.CUSTOMER_BUSY,  # reversal locked
}
"""What numbers of section 9.2 mean at `reverse` and nowhere else (contract 7)."""

ALL_CODES: Final[Mapping[Endpoint, Mapping[int, Refusal]]] = {
    Endpoint.ISREDEEMABLE: _POINTS,
    Endpoint.VALIDATIONCODE: _POINTS,
    Endpoint.REDEEM: _POINTS,
    # There 1101 is an invalid channel type (2.3), and whom a till may not see (1044) is nobody to it.
    Endpoint.CUSTOMER_GET: {**_POINTS, 1101: Refusal.OTHER, 1044: Refusal.CUSTOMER_UNKNOWN},
    Endpoint.CRITERIA: _POINTS,
    Endpoint.REVERSE: {**_POINTS, **_REVERSING},
}
"""Every refusing code of section 9, by endpoint, and what it stands for. Successes (200, 201, 610, 800, 1000) apart."""

_SENT: Final[Mapping[Refusal, int]] = {
    **{refusal: code for code, refusal in reversed(list(_POINTS.items()))},
    Refusal.CUSTOMER_UNKNOWN: 816,
    Refusal.NEEDS_SUPERVISOR: 809,
    Refusal.BALANCE_TOO_LOW: 818,
    Refusal.CEILING_REACHED: 819,
    Refusal.CODE_WRONG: 808,
    Refusal.FAMILY_GROUP_UNKNOWN: 1632,
    Refusal.NOT_REGISTERED: 881,
    Refusal.PROGRAM_UNKNOWN: 1101,
    Refusal.CODE_NOT_SENT: 860,
    Refusal.TOO_MANY_CODES: 860,
    Refusal.BILL_NOT_ACCEPTED: 811,
    Refusal.SET_UP_WRONG: 826,
    Refusal.KEY_MISMATCH: 903,
    Refusal.KEY_CANCELLED: 903,
    Refusal.OTHER: 407,
}
"""The code we send for each refusal, unless the endpoint has its own."""

_SENT_AT: Final[Mapping[Endpoint, Mapping[Refusal, int]]] = {
    Endpoint.ISREDEEMABLE: {
        Refusal.CUSTOMER_UNKNOWN: 889,
        Refusal.CODE_NOT_SENT: CODE_NOT_SENT_WARNING,
        Refusal.TOO_MANY_CODES: CODE_NOT_SENT_WARNING,
    },
    Endpoint.VALIDATIONCODE: {},
    Endpoint.REDEEM: {Refusal.NEEDS_SUPERVISOR: 3045},
    Endpoint.CUSTOMER_GET: {Refusal.CUSTOMER_UNKNOWN: 1012},
    Endpoint.CRITERIA: {},
    Endpoint.REVERSE: {
        Refusal.CUSTOMER_BUSY: 904,
        Refusal.CUSTOMER_UNKNOWN: 8015,
        Refusal.PROGRAM_UNKNOWN: 885,
        Refusal.CANNOT_UNDO: 905,
        Refusal.CUSTOMER_MISMATCH: 901,
        Refusal.POINTS_NOT_POSITIVE: 901,
        Refusal.POINTS_TOO_FINE: 901,
    },
}

_BY_REASON: Final[Mapping[tuple[int, str], Refusal]] = {
    (903, "key_mismatch"): Refusal.KEY_MISMATCH,
    (903, "key_cancelled"): Refusal.KEY_CANCELLED,
    (860, "sends_used_up"): Refusal.TOO_MANY_CODES,
}
"""Codes that cover several cases, told apart by the extension's `reason` (sync-api 2)."""


def code_for(endpoint: Endpoint, refusal: Refusal) -> int:
    """The item code that says `refusal` at `endpoint`. CODE_NOT_SENT at ISREDEEMABLE is the warning 876 of a yes."""
    return _SENT_AT[endpoint].get(refusal) or _SENT[refusal]


def refusal_for(endpoint: Endpoint, code: int, reason: str | None = None) -> Refusal:
    """What `code` means at `endpoint`; `reason` is the extension's finer word. A code not known is OTHER."""
    if reason is not None and (code, reason) in _BY_REASON:
        return _BY_REASON[code, reason]
    return ALL_CODES[endpoint].get(code, Refusal.OTHER)


CODE_NOT_SENT_MESSAGE: Final = "Points Redeemable but OTP Generation failed"

_YES_MESSAGES: Final[Mapping[Endpoint, str]] = {
    Endpoint.ISREDEEMABLE: "Points can be redeemed",
    Endpoint.VALIDATIONCODE: "Validation Code Issued by SMS",
    Endpoint.REDEEM: "Points Redeemed",
    Endpoint.CUSTOMER_GET: "Customer successfully retrieved",
    Endpoint.CRITERIA: "Success",
    Endpoint.REVERSE: "Points Reversed",
}

_MESSAGES: Final[Mapping[Refusal, str]] = {
    Refusal.POINTS_NOT_POSITIVE: "Points must be a number greater than zero",
    Refusal.POINTS_TOO_FINE: "Points may have at most three decimals",
    Refusal.TIME_NOT_ACCEPTED: "Redemption time is invalid",
    Refusal.RATIO_MISSING: "Points currency ratio is not available",
    Refusal.IDENTIFIER_MALFORMED: "Customer identifier is invalid",
    Refusal.CUSTOMER_UNKNOWN: "Customer not found in the organization",
    Refusal.CUSTOMER_MISMATCH: "Customer details are invalid",
    Refusal.NEVER_ENROLLED: "Customer is not enrolled in the loyalty program",
    Refusal.NOT_REGISTERED: "Customer is not registered in the loyalty program",
    Refusal.NEEDS_SUPERVISOR: "Points cannot be redeemed for this customer",
    Refusal.NO_PROGRAM_HERE: "No loyalty program is configured",
    Refusal.PROGRAM_UNKNOWN: "Program id is invalid",
    Refusal.PROGRAM_GROUP_OFF: "Group redemption is not configured for the organization",
    Refusal.PROGRAM_GROUP_REQUIRED: "The organization redeems group points; the request does not ask for them",
    Refusal.FAMILY_GROUP_UNKNOWN: "User group is not valid",
    Refusal.NOT_A_MEMBER: "User does not belong to the group",
    Refusal.FAMILY_GROUP_NOT_USABLE: "Redemption is not configured for the user group",
    Refusal.POINTS_BLOCKED: "Unable to redeem points",
    Refusal.REDEMPTION_OFF: "Points redemption is not enabled",
    Refusal.BELOW_LEAST: "Points are below the minimum redemption limit",
    Refusal.ABOVE_MOST: "Points are above the maximum redemption limit",
    Refusal.NOT_A_MULTIPLE: "Points are not a multiple of the redemption step",
    Refusal.BALANCE_BELOW_REQUIRED: "Current points are below the balance required",
    Refusal.LIFETIME_POINTS_TOO_LOW: "Lifetime points are below the threshold",
    Refusal.LIFETIME_PURCHASES_TOO_LOW: "Lifetime purchases are below the threshold",
    Refusal.BALANCE_TOO_LOW: "Points are more than the available balance",
    Refusal.CEILING_REACHED: "Points are above the redemption limit of the period",
    Refusal.PROOF_MISSING: "Validation is mandatory",
    Refusal.MISSED_CALL_OFF: "Missed call validation is not enabled",
    Refusal.NO_MISSED_CALL: "No missed call was received",
    Refusal.CODE_WRONG: "Validation code is invalid",
    Refusal.CODE_NOT_SENT: "Unable to issue the validation code",
    Refusal.TOO_MANY_CODES: "No more validation codes can be issued for now",
    Refusal.CODE_MISSING: "Validation code is missing",
    Refusal.KEY_MISMATCH: "The external reference number was used for another redemption",
    Refusal.KEY_CANCELLED: "The external reference number was cancelled",
    Refusal.CUSTOMER_BUSY: "Another request for this customer is being processed",
    Refusal.SERVICE_BUSY: "Points cannot be processed now",
    Refusal.EVENTS_PENDING: "Events are pending for the customer",
    Refusal.SET_UP_WRONG: "Loyalty configuration is invalid",
    Refusal.BILL_NOT_ACCEPTED: "Transaction number is invalid",
    Refusal.CANNOT_UNDO: "The redemption cannot be reversed",
    Refusal.OTHER: "Points cannot be processed",
}

_MESSAGES_AT: Final[Mapping[tuple[Endpoint, Refusal], str]] = {
    (Endpoint.ISREDEEMABLE, Refusal.CUSTOMER_UNKNOWN): "Points processing failed, Please try again later",
    (Endpoint.ISREDEEMABLE, Refusal.CODE_NOT_SENT): CODE_NOT_SENT_MESSAGE,
    (Endpoint.ISREDEEMABLE, Refusal.TOO_MANY_CODES): CODE_NOT_SENT_MESSAGE,
    (Endpoint.CUSTOMER_GET, Refusal.CUSTOMER_UNKNOWN): "Customer not found",
}


def message_for(endpoint: Endpoint, refusal: Refusal | None, *, multiple_of: Points | None = None) -> str:
    """The item message: documented where a text is known, plain otherwise. `refusal` None is the yes.

    CODE_NOT_SENT at ISREDEEMABLE gives the text of the warning 876. `multiple_of` is the step NOT_A_MULTIPLE names.
    """
    if refusal is None:
        return _YES_MESSAGES[endpoint]
    if refusal is Refusal.NOT_A_MULTIPLE and multiple_of:
        return f"Points must be a multiple of {multiple_of}"
    return _MESSAGES_AT.get((endpoint, refusal)) or _MESSAGES[refusal]


_CHANNEL_NAMES: Final = {"EMAIL": "Email"}


def code_issued_message(channel: str) -> str:
    """`Validation Code Issued by SMS`, or by whatever channels are configured (section 3)."""
    return f"Validation Code Issued by {_CHANNEL_NAMES.get(channel, channel)}"
