from __future__ import annotations

import pytest

from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.wire.codes import ALL_CODES, Endpoint, code_for, code_issued_message, message_for, refusal_for

# Typed from section 9 of the contract: 9.1 without successes, 9.2, 9.3 without successes.
SECTION_9 = [
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 415, 429, 500, 521),
    *(686, 801, 802, 803, 804, 805, 806, 807, 808, 809, 810, 811, 812, 813, 814, 815, 816, 817, 818, 819, 820, 821),
    *(822, 823, 824, 825, 826, 827, 828, 859, 860, 872, 873, 874, 875, 876, 877, 878, 881, 885, 886, 887, 894, 896),
    *(898, 888, 899, 889, 895, 900, 901, 902, 903, 904, 905, 1101, 3045, 3316, 3802, 8015),
    *(1619, 1620, 1632, 1635, 8069, 8109, 91015, 1011, 1012, 1013, 1020, 1044, 600, 601, 602, 603, 604, 605, 606),
    *(9001, 412, 413, 414, 416, 417, 418, 419),
]

# Typed from sections 2.1 to 2.8, 3, 4 and 5: which refusal arises where, and its number there.
CHECK = {
    Refusal.POINTS_NOT_POSITIVE: 801,
    Refusal.POINTS_TOO_FINE: 878,
    Refusal.RATIO_MISSING: 872,
    Refusal.IDENTIFIER_MALFORMED: 802,
    Refusal.CUSTOMER_UNKNOWN: 889,
    Refusal.NEVER_ENROLLED: 686,
    Refusal.NOT_REGISTERED: 881,
    Refusal.NEEDS_SUPERVISOR: 809,
    Refusal.NO_PROGRAM_HERE: 895,
    Refusal.PROGRAM_UNKNOWN: 1101,
    Refusal.PROGRAM_GROUP_OFF: 888,
    Refusal.PROGRAM_GROUP_REQUIRED: 3316,
    Refusal.FAMILY_GROUP_UNKNOWN: 1632,
    Refusal.NOT_A_MEMBER: 1620,
    Refusal.FAMILY_GROUP_NOT_USABLE: 828,
    Refusal.POINTS_BLOCKED: 903,
    Refusal.REDEMPTION_OFF: 827,
    Refusal.BELOW_LEAST: 821,
    Refusal.ABOVE_MOST: 819,
    Refusal.NOT_A_MULTIPLE: 807,
    Refusal.BALANCE_BELOW_REQUIRED: 804,
    Refusal.LIFETIME_POINTS_TOO_LOW: 805,
    Refusal.LIFETIME_PURCHASES_TOO_LOW: 806,
    Refusal.BALANCE_TOO_LOW: 818,
    Refusal.CEILING_REACHED: 819,
    Refusal.PROOF_MISSING: 824,
    Refusal.MISSED_CALL_OFF: 823,
    Refusal.NO_MISSED_CALL: 822,
    Refusal.CODE_WRONG: 808,
    Refusal.CODE_NOT_SENT: 876,
    Refusal.TOO_MANY_CODES: 876,
    Refusal.CUSTOMER_BUSY: 521,
}
SEND = {
    Refusal.POINTS_NOT_POSITIVE: 801,
    Refusal.POINTS_TOO_FINE: 878,
    Refusal.IDENTIFIER_MALFORMED: 802,
    Refusal.CUSTOMER_UNKNOWN: 816,
    Refusal.NEEDS_SUPERVISOR: 809,
    Refusal.NOT_REGISTERED: 881,
    Refusal.CODE_NOT_SENT: 860,
    Refusal.TOO_MANY_CODES: 860,
}
REDEEM = {
    **{refusal: code for refusal, code in CHECK.items() if code != 876},
    Refusal.CUSTOMER_UNKNOWN: 816,
    Refusal.NEEDS_SUPERVISOR: 3045,
    Refusal.TIME_NOT_ACCEPTED: 859,
    Refusal.CUSTOMER_MISMATCH: 904,
    Refusal.KEY_MISMATCH: 903,
    Refusal.KEY_CANCELLED: 903,
}
ARISING = [
    *((Endpoint.ISREDEEMABLE, refusal, code) for refusal, code in CHECK.items()),
    *((Endpoint.VALIDATIONCODE, refusal, code) for refusal, code in SEND.items()),
    *((Endpoint.REDEEM, refusal, code) for refusal, code in REDEEM.items()),
    (Endpoint.CUSTOMER_GET, Refusal.CUSTOMER_UNKNOWN, 1012),
    (Endpoint.CRITERIA, Refusal.PROGRAM_UNKNOWN, 1101),
]


@pytest.mark.parametrize(("endpoint", "refusal", "code"), ARISING)
def test_each_refusal_has_the_number_its_endpoint_gives_it(endpoint, refusal, code):
    assert code_for(endpoint, refusal) == code


@pytest.mark.parametrize(("endpoint", "refusal", "code"), ARISING)
def test_what_we_send_is_read_as_what_it_meant(endpoint, refusal, code):
    told_apart = {
        Refusal.CEILING_REACHED: Refusal.ABOVE_MOST,  # One number for both; only the rules know which.
        Refusal.TOO_MANY_CODES: Refusal.CODE_NOT_SENT,
        Refusal.KEY_MISMATCH: Refusal.POINTS_BLOCKED,
        Refusal.KEY_CANCELLED: Refusal.POINTS_BLOCKED,
    }
    assert refusal_for(endpoint, code) is told_apart.get(refusal, refusal)


@pytest.mark.parametrize("code", SECTION_9)
@pytest.mark.parametrize("endpoint", Endpoint)
def test_every_code_of_the_contract_is_in_every_endpoints_table(endpoint, code):
    assert code in ALL_CODES[endpoint]
    assert refusal_for(endpoint, code) is ALL_CODES[endpoint][code]


@pytest.mark.parametrize("endpoint", Endpoint)
def test_no_table_holds_a_code_that_means_success(endpoint):
    assert not ALL_CODES[endpoint].keys() & {200, 201, 610, 800, 1000}


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        (803, Refusal.BALANCE_TOO_LOW),
        (813, Refusal.BALANCE_TOO_LOW),
        (820, Refusal.NEEDS_SUPERVISOR),
        (3045, Refusal.NEEDS_SUPERVISOR),
        (8015, Refusal.CUSTOMER_UNKNOWN),
        (904, Refusal.CUSTOMER_MISMATCH),
        (9001, Refusal.CODE_WRONG),
        (605, Refusal.CODE_WRONG),
        (604, Refusal.CODE_MISSING),
        (606, Refusal.CODE_NOT_SENT),
        (874, Refusal.CODE_NOT_SENT),
        (429, Refusal.TOO_MANY_CODES),
        (521, Refusal.CUSTOMER_BUSY),
        (896, Refusal.SERVICE_BUSY),
        (900, Refusal.EVENTS_PENDING),
        (899, Refusal.SET_UP_WRONG),
        (1619, Refusal.FAMILY_GROUP_UNKNOWN),
        (3802, Refusal.CANNOT_UNDO),
        (91015, Refusal.OTHER),
        (77777, Refusal.OTHER),
        (-1, Refusal.OTHER),
    ],
)
def test_codes_of_other_services_are_understood(code, refusal):
    assert refusal_for(Endpoint.REDEEM, code) is refusal


@pytest.mark.parametrize(
    ("code", "reason", "refusal"),
    [
        (903, "key_mismatch", Refusal.KEY_MISMATCH),
        (903, "key_cancelled", Refusal.KEY_CANCELLED),
        (903, "member_blocked", Refusal.POINTS_BLOCKED),
        (903, "wallet_paused", Refusal.POINTS_BLOCKED),
        (903, None, Refusal.POINTS_BLOCKED),
        (860, "sends_used_up", Refusal.TOO_MANY_CODES),
        (860, "sender_failed", Refusal.CODE_NOT_SENT),
        (808, "key_mismatch", Refusal.CODE_WRONG),
    ],
)
def test_the_reason_tells_cases_of_one_code_apart(code, reason, refusal):
    assert refusal_for(Endpoint.REDEEM, code, reason) is refusal


def test_1101_is_no_program_id_where_customers_are_asked_for():
    assert refusal_for(Endpoint.ISREDEEMABLE, 1101) is Refusal.PROGRAM_UNKNOWN
    assert refusal_for(Endpoint.CUSTOMER_GET, 1101) is Refusal.OTHER


@pytest.mark.parametrize("endpoint", Endpoint)
@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_has_a_code_and_a_message_everywhere(endpoint, refusal):
    assert code_for(endpoint, refusal) in ALL_CODES[endpoint]
    assert message_for(endpoint, refusal)


def test_documented_messages_are_used_word_for_word():
    assert message_for(Endpoint.ISREDEEMABLE, None) == "Points can be redeemed"
    assert message_for(Endpoint.REDEEM, None) == "Points Redeemed"
    assert message_for(Endpoint.VALIDATIONCODE, None) == "Validation Code Issued by SMS"
    assert code_issued_message("SMS/Email") == "Validation Code Issued by SMS/Email"
    assert (
        message_for(Endpoint.ISREDEEMABLE, Refusal.NOT_A_MULTIPLE, multiple_of=Points.of(10))
        == "Points must be a multiple of 10"
    )
    assert message_for(Endpoint.ISREDEEMABLE, Refusal.CODE_NOT_SENT) == "Points Redeemable but OTP Generation failed"
    assert message_for(Endpoint.ISREDEEMABLE, Refusal.CUSTOMER_UNKNOWN).startswith(
        "Points processing failed, Please try again later"
    )


def test_no_message_about_a_blocked_customer_says_why():
    said = {message_for(endpoint, Refusal.NEEDS_SUPERVISOR).lower() for endpoint in Endpoint}
    assert not any("fraud" in each for each in said)
