"""What the panel says of redeeming without a line, and of giving points back: what was done, and why not (ux B.4)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pos_app.services.covered import NoWay
from pos_app.ui.wording_row import Row, Situation, Text, VerdictState, Way

_S = VerdictState
_WAIT: Final[Text] = ("Try again when the line is back.",)
_NO: Final[Text] = ("Cannot be redeemed offline",)
_PASS: Final[Text] = ("The pass does not count",)
_PASS_ELSE: Final[Text] = ("Scan another pass, ask a supervisor, or try again when the line is back.",)
_AT_RISK: Final[Text] = ("Nothing is set aside for this till, and the shop's own limit is reached.",)
_CAN: Final[Text] = ("Can be redeemed offline",)
_SET_ASIDE: Final[Text] = (
    "Set aside for this till: {allowance} until {until}.",
    "Set aside for this till: {allowance}.",
)
_SKIPPED: Final[Text] = ("Confirmation skipped by {approver}: {why}.", "Confirmation skipped by a supervisor.")
_CHANGE: Final = (Way.BACK_TO_POINTS,)
_ASK: Final = (Way.SCAN_PASS, Way.SUPERVISOR)
_DONE: Final[Text] = ("Done offline. {points} points used", "Done offline")
_LEFT: Final[Text] = (
    "Redemption {redemption_id}. {allowance} points of the allowance left.",
    "Redemption {redemption_id}.",
)
_SLIP: Final[Text] = ("Give the slip to the customer.",)

OFFLINE_SITUATIONS: Final = MappingProxyType(
    {
        Situation.OFFLINE_COVERED: Row(
            _S.OFFLINE,
            _CAN,
            _SET_ASIDE,
            ("Redeem when the customer agrees.",),
            _CHANGE,
        ),
        Situation.OFFLINE_BY_PASS: Row(
            _S.OFFLINE, _CAN, _SET_ASIDE, ("Confirmed by her pass. Redeem when the customer agrees.",), _CHANGE
        ),
        Situation.OFFLINE_SKIPPED: Row(_S.OFFLINE, _CAN, _SET_ASIDE, _SKIPPED, _CHANGE),
        Situation.OFFLINE_AT_RISK: Row(
            _S.OFFLINE,
            ("Redeem at the shop's risk",),
            ("Nothing is set aside for this till. {allowance} points at most.", "Nothing is set aside for this till."),
            ("Approved by {approver}: {why}.", "Approved by a supervisor."),
            _CHANGE,
        ),
        Situation.DONE_OFFLINE: Row(_S.REDEEMED, _DONE, _LEFT, _SLIP, (Way.NEW_CUSTOMER,)),
        Situation.SETTLED: Row(
            _S.REDEEMED,
            _DONE,
            ("Redemption {redemption_id}. The service has it now.", "The service has it now."),
            (),
            (Way.NEW_CUSTOMER,),
        ),
        Situation.GIVING_BACK: Row(
            _S.CHECKING,
            ("Giving points back. Do not repeat",),
            ("Waiting for the answer.",),
        ),
        Situation.GIVEN_BACK: Row(
            _S.REDEEMED,
            ("Done. {points} points given back", "Done. The points were given back"),
            ("Reversal {redemption_id}.",),
            ("Give the slip to the customer.",),
            (Way.NEW_CUSTOMER,),
        ),
        Situation.SETTLED_SHORT: Row(
            _S.REDEEMED,
            _DONE,
            ("The wallet no longer held all of it: {loss} points are the store's.", "The wallet no longer held it."),
            ("The customer keeps what she got. A supervisor looks at it.",),
            (Way.NEW_CUSTOMER,),
        ),
    }
)

NO_WAYS: Final = MappingProxyType(
    {
        NoWay.NOT_OFFERED: Row(_S.OFFLINE, _NO, ("This till may not redeem without a line.",), _WAIT),
        NoWay.ENROL_AGAIN: Row(
            _S.OFFLINE,
            _NO,
            ("The records of this till were damaged: it has to be enrolled again first.",),
            _WAIT,
            (Way.TRY_ONLINE,),
        ),
        NoWay.PROGRAM_GROUP: Row(
            _S.OFFLINE, _NO, ("Points of other programs can only be used with a line.",), _WAIT, (Way.OWN_POINTS,)
        ),
        NoWay.NOT_KNOWN_HERE: Row(
            _S.OFFLINE,
            _NO,
            ("This customer or program has not been seen on this till yet.",),
            _WAIT,
            (Way.TRY_ONLINE, Way.CHANGE_CUSTOMER),
        ),
        NoWay.NO_LEASE: Row(
            _S.OFFLINE,
            _NO,
            ("Nothing is set aside for this till, so it cannot be redeemed now.",),
            _WAIT,
            (Way.TRY_ONLINE,),
        ),
        NoWay.PAST_TERM: Row(
            _S.OFFLINE,
            _NO,
            ("What was set aside for this till ended at {until}.", "What was set aside for this till has ended."),
            _WAIT,
            (Way.TRY_ONLINE,),
        ),
        NoWay.CLOCK_NOT_TRUSTED: Row(
            _S.OFFLINE,
            _NO,
            ("This till's clock is not trusted; connect to refresh allowances.",),
            _WAIT,
            (Way.TRY_ONLINE,),
        ),
        NoWay.LEASE_NOT_GENUINE: Row(
            _S.CONFIG,
            _NO,
            ("What is set aside here is not as the service signed it.",),
            ("Call a supervisor.",),
            (Way.COPY_FOR_SUPPORT,),
        ),
        NoWay.ALLOWANCE_TOO_SMALL: Row(
            _S.OFFLINE,
            ("Not enough set aside",),
            (
                "Set aside for this till: {allowance}. You asked for {points}.",
                "Less than that is set aside for this till.",
            ),
            ("Use {lower} points.", "Use fewer points, or try again when the line is back."),
            (Way.USE_NEAREST, Way.BACK_TO_POINTS),
        ),
        NoWay.RULES: Row(_S.REFUSED, _NO, ("The rules do not allow it.",), ("Change the points.",)),
        NoWay.PROOF_NEEDED: Row(
            _S.OFFLINE,
            ("Confirm the customer first",),
            (
                "A code cannot be checked while this till is offline. Set aside for it: {allowance} until {until}.",
                "A code cannot be checked while this till is offline.",
            ),
            ("Wait, scan a pass, or ask a supervisor.",),
            _ASK,
        ),
        NoWay.PASS_NOT_READ: Row(
            _S.OFFLINE, _PASS, ("It cannot be read, or nobody we know signed it.",), _PASS_ELSE, _ASK
        ),
        NoWay.PASS_OTHER_TILL: Row(_S.OFFLINE, _PASS, ("It was made for another till.",), _PASS_ELSE, _ASK),
        NoWay.PASS_OTHER_LEASE: Row(_S.OFFLINE, _PASS, ("It belongs to another allowance.",), _PASS_ELSE, _ASK),
        NoWay.PASS_EXPIRED: Row(_S.OFFLINE, _PASS, ("Its time is over.",), _PASS_ELSE, _ASK),
        NoWay.PASS_USED_UP: Row(_S.OFFLINE, _PASS, ("It allows fewer points than that.",), _PASS_ELSE, _ASK),
        NoWay.RISK_APPROVAL_NEEDED: Row(
            _S.OFFLINE,
            ("A supervisor has to agree",),
            ("Nothing is set aside for this till: the shop would carry the risk.",),
            ("Ask a supervisor, or try again when the line is back.",),
            (Way.SUPERVISOR, Way.TRY_ONLINE),
        ),
        NoWay.RISK_BALANCE_OLD: Row(_S.OFFLINE, _NO, ("What was seen last is too old to take the risk.",), _WAIT),
        NoWay.RISK_PER_REDEMPTION: Row(
            _S.OFFLINE, _NO, _AT_RISK, ("Use fewer points, or try again when the line is back.",), (Way.BACK_TO_POINTS,)
        ),
        NoWay.RISK_PER_CUSTOMER_DAY: Row(_S.OFFLINE, _NO, _AT_RISK, _WAIT),
        NoWay.RISK_PER_OUTAGE: Row(_S.OFFLINE, _NO, _AT_RISK, _WAIT),
        NoWay.RISK_OWN_WALLET_ONLY: Row(
            _S.OFFLINE, _NO, ("A family group's points can only be used with a line.",), _WAIT, (Way.OWN_POINTS,)
        ),
    }
)
"""Why nothing can be redeemed here now; a test walks the enum."""
