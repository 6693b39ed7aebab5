from __future__ import annotations

import re
from dataclasses import fields, replace
from string import Formatter

import pytest
from support.builders import NOW
from support.service_kit import a_checked

from pos_app.domain import trouble as troubles
from pos_app.domain.answers import WalletView
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    ServiceTroubleError,
    SlowDownError,
    SyncRefusedError,
    Trouble,
    UnclearAnswerError,
)
from pos_app.services.covered import NoWay
from pos_app.services.results import CannotLookUpOfflineError
from pos_app.ui.formats import time_text
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import check_view
from pos_app.ui.wording import (
    Grade,
    Note,
    Situation,
    VerdictState,
    Way,
    WordingFacts,
    Words,
    age_phrase,
    age_text,
    all_texts,
    for_no_way,
    for_offline,
    for_refusal,
    for_situation,
    for_success,
    for_trouble,
    kind_words,
    note,
    way_labels,
)
from pos_app.ui.wording_row import Row
from pos_app.ui.wording_situations import SINGULAR, SITUATIONS, TROUBLES, WAYS
from pos_app.ui.wording_table import REFUSALS, REFUSALS_BY_CODE, REFUSALS_BY_REASON
from pos_app.wire.codes import Endpoint, refusal_for

NEVER_ON_SCREEN = re.compile(
    r"\b(invalid|errors?|fraud|forbidden|oops|please|sorry|otp|validation|sync failed|group redemption)\b",
    re.IGNORECASE,
)
LONGER_BY_DESIGN = {"We do not know if it went through", "Points are fine. The code was not sent"}
"""Two headlines of ux B.4 and B.12 that are longer than six words there too."""

CONTRACT_CODES = (
    "400 401 402 403 404 405 406 407 408 415 429 521 686 801 802 803 804 805 806 807 808 809 810 811 812 813 814 815 "
    "816 817 818 819 820 821 822 823 824 825 826 827 828 859 860 872 873 874 875 876 877 878 881 885 886 887 888 889 "
    "894 895 896 898 899 900 901 902 903 904 905 1101 3045 3316 3802 8015 1619 1620 1632 1635 8069 8109 91015 1011 "
    "1012 1013 1020 1044 600 601 602 603 604 605 606 9001"
).split()


def every_row() -> list[Row]:
    return [
        *REFUSALS.values(),
        *REFUSALS_BY_REASON.values(),
        *REFUSALS_BY_CODE.values(),
        *SITUATIONS.values(),
        *TROUBLES.values(),
    ]


@pytest.fixture
def full_facts() -> WordingFacts:
    texts = {each.name: f"<{each.name}>" for each in fields(WordingFacts) if each.type == "str"}
    return WordingFacts(
        **texts, nearest=("240", "250"), tries_left=4, minutes=5, seconds=9, code=None, has_missed_call=True
    )


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_a_headline_a_reason_and_a_next_step(refusal: Refusal, full_facts: WordingFacts) -> None:
    for facts in (WordingFacts(), full_facts):
        words = for_refusal(refusal, facts)
        assert words.headline
        assert words.reason
        assert words.next_step
        assert "{" not in f"{words}"


@pytest.mark.parametrize("situation", list(Situation))
def test_every_situation_has_words_with_and_without_facts(situation: Situation, full_facts: WordingFacts) -> None:
    for facts in (WordingFacts(points="250"), full_facts):
        words = for_situation(situation, facts)
        assert words.headline
        assert "{" not in f"{words}"


def test_the_ten_states_are_all_reachable() -> None:
    assert {row.state for row in every_row()} == set(VerdictState)


def every_trouble() -> list[type[Trouble]]:
    members = [each for each in vars(troubles).values() if isinstance(each, type) and issubclass(each, Trouble)]
    return [*members, CannotLookUpOfflineError]


@pytest.mark.parametrize("kind", every_trouble())
@pytest.mark.parametrize("is_redeem", [True, False])
def test_every_trouble_has_words(kind: type[Trouble], *, is_redeem: bool) -> None:
    words = for_trouble(kind("unknown") if kind is SyncRefusedError else kind(), is_redeem=is_redeem)
    assert words.headline
    assert words.reason
    assert words.next_step


def test_offline_is_never_told_as_nobody_found() -> None:
    words = for_trouble(CannotLookUpOfflineError())
    assert words.headline == "Cannot look up while offline"
    assert words.state is VerdictState.OFFLINE
    assert words.headline != for_refusal(Refusal.CUSTOMER_UNKNOWN).headline


@pytest.mark.parametrize("lost", [UnclearAnswerError(), ServiceTroubleError()])
def test_a_lost_answer_after_redeem_is_not_known_and_never_a_no(lost: Trouble) -> None:
    words = for_trouble(lost, is_redeem=True)
    assert words.headline == "We do not know if it went through"
    assert words.state is VerdictState.UNKNOWN
    assert words.buttons == (Way.FIND_OUT, Way.CANCEL_REDEMPTION)
    assert for_trouble(lost).headline == "The service has a problem"


def test_a_login_that_was_not_accepted_during_redeem_surely_did_nothing() -> None:
    assert for_trouble(NotAcceptedError(), is_redeem=True).state is VerdictState.CONFIG


def test_slowing_down_says_how_long() -> None:
    assert for_trouble(SlowDownError(12.4)).next_step == "Wait 12 seconds, then try again."
    assert for_trouble(SlowDownError(0.2)).next_step == "Wait 1 second, then try again."


@pytest.mark.parametrize("code", CONTRACT_CODES)
@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_every_code_of_the_contract_reaches_words(code: str, endpoint: Endpoint) -> None:
    refusal = refusal_for(endpoint, int(code))
    words = for_refusal(refusal, WordingFacts(code=int(code), message="Something"))
    assert words.headline
    assert words.reason


@pytest.mark.parametrize(
    ("code", "headline"),
    [
        (801, "Enter a number of points"),
        (878, "Too many decimals"),
        (807, "Use a multiple of 10"),
        (819, "Too many at once"),
        (821, "Too few points"),
        (803, "Not enough points"),
        (818, "Not enough points"),
        (804, "Balance is too low to start"),
        (805, "Not enough points earned so far"),
        (806, "Not enough spent so far"),
        (1632, "Family group not known"),
        (1620, "Not in this family group"),
        (828, "Family group cannot be used here"),
        (903, "These points cannot be used"),
        (3316, "Use points of all programs"),
        (686, "Not a member yet"),
        (881, "Not a member yet"),
        (802, "No customer found"),
        (889, "Could not read this customer"),
        (808, "That code did not match"),
        (824, "Confirm the customer first"),
        (822, "No call yet"),
        (823, "Missed call is not offered here"),
        (860, "The code was not sent"),
        (809, "This account needs a supervisor"),
        (826, "This till needs attention"),
        (888, "This till needs attention"),
        (1101, "Program not known"),
        (895, "Redemption is not available here"),
        (827, "Redemption is not available here"),
        (872, "The value is not known"),
        (521, "The service is busy"),
        (900, "Earlier items are still being handled"),
        (859, "Check the receipt number"),
        (810, "This cannot be undone here"),
        (77777, "Not possible right now"),
    ],
)
def test_the_headlines_of_a_check_are_those_of_the_table(code: int, headline: str) -> None:
    refusal = refusal_for(Endpoint.ISREDEEMABLE, code)
    assert for_refusal(refusal, WordingFacts(code=code, step="10")).headline == headline


def test_words_that_are_never_used_on_screen_appear_in_no_sentence() -> None:
    found = [text for text in all_texts() if NEVER_ON_SCREEN.search(text)]
    assert found == []


def test_headlines_have_at_most_six_words() -> None:
    headlines = {text for row in every_row() for text in row.headline} - LONGER_BY_DESIGN
    assert [text for text in headlines if len(text.split()) > 6] == []


def test_no_row_offers_more_than_two_buttons_beside_the_one_of_f7(full_facts: WordingFacts) -> None:
    for refusal in Refusal:
        assert len(_beside_f7(for_refusal(refusal, replace(full_facts, has_supervisor=True)).buttons)) <= 2
    assert all(len(_beside_f7(row.ways)) <= 2 for row in every_row())


def _beside_f7(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    """The first way may be the one of the send code button, which is always there."""
    return ways[1:] if ways[:1] in ((Way.SEND_CODE,), (Way.ENTER_CODE,)) else ways


def test_every_name_in_a_sentence_is_a_fact() -> None:
    known = {each.name for each in fields(WordingFacts)} | {"lower", "higher", "nearest_one"}
    for text in all_texts():
        assert {name for _, name, _, _ in Formatter().parse(text) if name} <= known, text


def test_every_way_has_a_label() -> None:
    assert set(WAYS) == set(Way)


def test_not_enough_points_names_the_program_both_numbers_and_the_amount_that_fits() -> None:
    facts = WordingFacts(name="Tom S.", program="Gold Rewards", balance="180", points="250", nearest=("180",))
    words = for_refusal(Refusal.BALANCE_TOO_LOW, facts)
    assert words == Words(
        "Not enough points",
        "Tom S. has 180 points in Gold Rewards. You asked for 250.",
        "Offer 180 points, or use another program.",
        (Way.USE_NEAREST, Way.CHANGE_PROGRAM),
        VerdictState.REFUSED,
    )
    assert way_labels(words.buttons, facts) == ("Use 180 points", "Change program")


def test_a_wrong_step_offers_the_amounts_below_and_above() -> None:
    facts = WordingFacts(program="Gold Rewards", points="245", step="10", nearest=("240", "250"))
    words = for_refusal(Refusal.NOT_A_MULTIPLE, facts)
    assert words.headline == "Use a multiple of 10"
    assert way_labels(words.buttons, facts) == ("Use 240 points", "Use 250 points")


def test_an_amount_that_is_not_known_is_neither_offered_nor_left_as_a_hole() -> None:
    words = for_refusal(Refusal.NOT_A_MULTIPLE)
    assert words.headline == "Points go in steps here"
    assert words.buttons == (Way.BACK_TO_POINTS,)


def test_one_point_is_not_called_points() -> None:
    assert for_success(WordingFacts(points="1")).headline == "1 point can be used"
    assert for_success(WordingFacts(points="21")).headline == "21 points can be used"
    assert way_labels((Way.USE_NEAREST,), WordingFacts(nearest=("1",))) == ("Use 1 point",)


def test_every_singular_belongs_to_a_sentence_that_is_used() -> None:
    assert set(SINGULAR) <= set(all_texts())


def test_missed_call_is_offered_only_where_it_exists() -> None:
    assert Way.MISSED_CALL not in for_refusal(Refusal.CODE_NOT_SENT).buttons
    assert Way.MISSED_CALL in for_refusal(Refusal.CODE_NOT_SENT, WordingFacts(has_missed_call=True)).buttons


def test_points_are_fine_although_the_code_was_not_sent() -> None:
    words = for_situation(Situation.CODE_NOT_SENT, WordingFacts(has_missed_call=True))
    assert words.headline == "Points are fine. The code was not sent"
    assert words.state is VerdictState.OTP_FAILED
    assert words.buttons == (Way.SEND_CODE, Way.MISSED_CALL)


@pytest.mark.parametrize("reason", ["code_dead", "customer_limit", "till_limit"])
def test_a_dead_code_offers_a_new_one(reason: str) -> None:
    words = for_refusal(Refusal.CODE_WRONG, reason=reason)
    assert words.headline == "No more tries for now"
    assert Way.SEND_CODE in words.buttons


def test_used_up_sendings_are_told_as_such() -> None:
    words = for_refusal(Refusal.CODE_NOT_SENT, reason="sends_used_up")
    assert words.reason == "Too many codes for this number today."


def test_points_set_aside_elsewhere_are_told_with_store_and_time() -> None:
    facts = WordingFacts(held="120", balance="60", total="180", store="014", until="18:40")
    words = for_refusal(Refusal.BALANCE_TOO_LOW, facts, reason="held_offline")
    assert words.headline == "Some points are set aside"
    assert words.reason == "120 of 180 points are set aside at store 014 until 18:40."


def test_an_account_under_review_gives_no_reason() -> None:
    words = for_refusal(Refusal.NEEDS_SUPERVISOR, WordingFacts(message="Customer marked as fraud", code=809))
    assert "fraud" not in f"{words}".lower()


def test_an_unmapped_code_shows_what_the_service_said() -> None:
    words = for_refusal(Refusal.OTHER, WordingFacts(message="Come back {tomorrow}", code=77777))
    assert words.reason == "The service said: “Come back {tomorrow}”."


def test_what_cannot_be_undone_says_why() -> None:
    assert for_refusal(Refusal.CANNOT_UNDO, WordingFacts(code=3802)).reason == "It was undone already."


def test_a_yes_says_what_comes_next() -> None:
    facts = WordingFacts(points="250", worth="Rs250.00", left="990")
    assert for_success(facts).reason == "Worth Rs250.00. 990 points stay."
    assert for_success(facts, needs_proof=True).next_step == "Confirm the customer first."
    assert for_success(facts, confirmed_at="10:44").next_step == "Confirmed by code at 10:44."
    done = for_success(WordingFacts(points="250", left="990", redemption_id="R-7"), is_redeemed=True)
    assert done.headline == "Done. 250 points used"
    assert done.reason == "Redemption R-7. 990 points left."


@pytest.mark.parametrize(
    ("seconds", "text", "grade"),
    [
        (-5, "live", Grade.LIVE),
        (60, "live", Grade.LIVE),
        (61, "1 min ago", Grade.RECENT),
        (900, "15 min ago", Grade.RECENT),
        (47 * 60, "ageing, 47 min old", Grade.AGEING),
        (4 * 3600, "ageing, 4 h old", Grade.AGEING),
        (4 * 3600 + 1, "old, from 4 h ago", Grade.OLD),
        (24 * 3600, "old, from 24 h ago", Grade.OLD),
        (72 * 3600, "too old to show, from 3 days ago", Grade.HIDDEN),
    ],
)
def test_age_is_told_in_words_and_graded(seconds: float, text: str, grade: Grade) -> None:
    assert age_text(seconds) == (text, grade)


def test_data_over_four_hours_old_never_say_probably_yes() -> None:
    facts = WordingFacts(as_of="10:42", age=age_phrase(47 * 60))
    ageing = for_offline(facts, is_yes=True, grade=Grade.AGEING)
    assert ageing.headline == "Probably yes (offline)"
    assert ageing.reason == "Worked out on this till from data of 10:42, 47 min old."
    for grade in (Grade.OLD, Grade.HIDDEN):
        assert for_offline(facts, is_yes=True, grade=grade).headline == "Cannot say while offline"
    assert for_offline(facts, is_yes=False, grade=Grade.OLD).headline == "Probably no (offline)"


def test_a_probable_no_tells_its_reason_too() -> None:
    facts = WordingFacts(balance="180", points="250", program="Gold", as_of="10:42", age="2 min")
    words = for_offline(facts, is_yes=False, grade=Grade.RECENT, refusal=Refusal.BALANCE_TOO_LOW)
    assert words.reason.startswith("There are 180 points in Gold. You asked for 250.")
    assert "10:42" in words.reason


def test_notes_and_kinds_have_words() -> None:
    for each in Note:
        assert note(each, WordingFacts(name="Tom", points="250", time="10:44"))
    assert note(Note.SCAN_ASKS, WordingFacts(name="Tom")) == "A code was sent to Tom. Scan again to change customer."
    assert kind_words("mobile") == "mobile number"


def test_facts_keep_people_out_of_their_repr() -> None:
    assert "Tom" not in repr(WordingFacts(name="Tom", masked="98.....5205", message="Tom"))


def test_no_line_names_the_line_and_nothing_else() -> None:
    assert for_trouble(LineDownError()).state is VerdictState.OFFLINE


def test_paused_points_lead_to_another_program_and_not_back_to_themselves() -> None:
    words = for_refusal(Refusal.POINTS_BLOCKED, reason="wallet_paused")
    assert words.headline == "These points cannot be used"
    assert words.buttons == (Way.CHANGE_PROGRAM,)


def test_points_set_aside_are_told_against_the_whole_balance() -> None:
    wallet = WalletView(
        wallet_id=1,
        version=1,
        balance=Points.of(500),
        available=Points.of(380),
        held_offline=Points.of(120),
        held_until=NOW,
        held_store="021",
    )
    checked = a_checked(400, is_redeemable=False, refusals=(Refusal.BALANCE_TOO_LOW,), wallet=wallet)
    view = check_view(replace(checked, reason="held_offline"), Serving(), now=NOW)
    assert view.title == "Some points are set aside"
    assert view.reason == f"120 of 500 points are set aside at store 021 until {time_text(NOW)}."


@pytest.mark.parametrize("reason", list(NoWay))
def test_every_reason_why_nothing_can_be_redeemed_offline_has_words(reason: NoWay, full_facts: WordingFacts) -> None:
    for facts in (full_facts, WordingFacts()):
        words = for_no_way(reason, facts)
        assert words.headline
        assert words.reason
        assert words.next_step
        assert len(words.buttons) <= 2


def test_what_the_rules_refuse_offline_is_told_in_their_own_words() -> None:
    words = for_no_way(NoWay.RULES, WordingFacts(), refusal=Refusal.NOT_A_MULTIPLE)
    assert words == for_refusal(Refusal.NOT_A_MULTIPLE)
