"""Every way a question can be answered "no", by meaning. Numbers belong to `wire`, sentences to `ui`."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """One reason for a "no". Members stand in the order of the checks (contract 2.8), later families after."""

    # Shape of the amount
    POINTS_NOT_POSITIVE = "points_not_positive"  # 801
    POINTS_TOO_FINE = "points_too_fine"  # 878
    TIME_NOT_ACCEPTED = "time_not_accepted"  # 859, redeem only
    RATIO_MISSING = "ratio_missing"  # 872
    # Customer
    IDENTIFIER_MALFORMED = "identifier_malformed"  # 802
    CUSTOMER_UNKNOWN = "customer_unknown"  # 889 isredeemable; 816 validationcode, redeem; 1012 customer/get
    CUSTOMER_MISMATCH = "customer_mismatch"  # 904, redeem only
    NEVER_ENROLLED = "never_enrolled"  # 686
    NOT_REGISTERED = "not_registered"  # 881
    NEEDS_SUPERVISOR = "needs_supervisor"  # 809, 820, 3045: fraud; never say that word to a customer
    # Program
    NO_PROGRAM_HERE = "no_program_here"  # 895
    PROGRAM_UNKNOWN = "program_unknown"  # 1101
    PROGRAM_GROUP_OFF = "program_group_off"  # 888
    PROGRAM_GROUP_REQUIRED = "program_group_required"  # 3316
    # Family group
    FAMILY_GROUP_UNKNOWN = "family_group_unknown"  # 1632
    NOT_A_MEMBER = "not_a_member"  # 1620
    FAMILY_GROUP_NOT_USABLE = "family_group_not_usable"  # 828
    POINTS_BLOCKED = "points_blocked"  # 903: member_blocked or wallet_paused
    # Rules
    REDEMPTION_OFF = "redemption_off"  # 827
    BELOW_LEAST = "below_least"  # 821
    ABOVE_MOST = "above_most"  # 819
    NOT_A_MULTIPLE = "not_a_multiple"  # 807
    BALANCE_BELOW_REQUIRED = "balance_below_required"  # 804
    LIFETIME_POINTS_TOO_LOW = "lifetime_points_too_low"  # 805
    LIFETIME_PURCHASES_TOO_LOW = "lifetime_purchases_too_low"  # 806
    BALANCE_TOO_LOW = "balance_too_low"  # 818, and its twins 803 and 813
    CEILING_REACHED = "ceiling_reached"  # 819
    # Proof of the customer
    PROOF_MISSING = "proof_missing"  # 824
    MISSED_CALL_OFF = "missed_call_off"  # 823
    NO_MISSED_CALL = "no_missed_call"  # 822
    CODE_WRONG = "code_wrong"  # 808
    # Sending a code
    CODE_NOT_SENT = "code_not_sent"  # 860, 874, 875, 606
    TOO_MANY_CODES = "too_many_codes"  # 429 of the code calls
    CODE_MISSING = "code_missing"  # 604
    # The key of a redemption
    KEY_MISMATCH = "key_mismatch"  # 903 with reason key_mismatch
    KEY_CANCELLED = "key_cancelled"  # 903 with reason key_cancelled
    # Trouble at the service, told as an item code
    CUSTOMER_BUSY = "customer_busy"  # 521
    SERVICE_BUSY = "service_busy"  # 815, 817, 886, 887, 894, 896, 898
    EVENTS_PENDING = "events_pending"  # 900
    SET_UP_WRONG = "set_up_wrong"  # 826, 899, 825
    BILL_NOT_ACCEPTED = "bill_not_accepted"  # 811, 873
    CANNOT_UNDO = "cannot_undo"  # 810, 812, 814, 901, 902, 905, 3802, 877
    OTHER = "other"  # an unmapped code: its message is shown


PROOF_FAILURES = frozenset({Refusal.PROOF_MISSING, Refusal.MISSED_CALL_OFF, Refusal.NO_MISSED_CALL, Refusal.CODE_WRONG})
"""A failed proof may be corrected under the same key (contract section 4, "Idempotency")."""

AMOUNT_RULES = frozenset(
    {
        Refusal.BELOW_LEAST,
        Refusal.ABOVE_MOST,
        Refusal.NOT_A_MULTIPLE,
        Refusal.BALANCE_TOO_LOW,
        Refusal.CEILING_REACHED,
    }
)
"""Asking for another amount can mend these, and only these (section 10)."""
