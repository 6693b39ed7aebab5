"""Contract 2 as a whole: whatever parameters are put together, the answer is one that the contract documents.

`test_ledger_http_hostile.py` sends what no client would; here every name is one of section 2, and what comes back is
held against its whole shape, in both formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.http_counter import CHECK, HttpCounter, Told, read
from support.row_ledgers import Ledgers
from support.row_shops import GONE, MOST, PAUSED, SHUT, STEP, WORTHLESS, a_rule_shop

REFUSALS = {
    *(801, 878, 872, 802, 889, 686, 881, 809, 895, 1101, 888, 3316, 1632, 1620, 828, 903, 827, 821, 819, 807),
    *(804, 805, 806, 818, 824, 823, 822, 808, 521),
}
"""What section 2 may say no with."""

MEMBERS = [
    *("mobile", "email", "external_id", "points", "is_redeemable", "points_redeem_value", "points_redeem_local_value"),
    *("input_type", "points_currency_ratio", "item_status"),
]

BOOLEANS = ("true", "false", "1", "0", "TRUE", "", "null", "perhaps")
NUMBERS = ("10", "20", "10.5", "500", "501", "0", "-5", "", "null", "ten", "1.2345", " 10 ", "+10", "1e3", "9" * 40)
PROGRAMS = ("981", str(STEP), str(MOST), str(SHUT), str(GONE), str(WORTHLESS), str(PAUSED), "999", "abc", "", "null")
PEOPLE: dict[str, tuple[str, ...]] = {
    "mobile": ("9777785205", "919000000002", "9000000003", "9000000005", "9000000001", "letters", "", "null"),
    "email": ("tom.sawyer@example.org", "nobody@example.org", "nobody", ""),
    "external_id": ("434547", "1", ""),
    "card_number": ("6001", ""),
    "card_external_id": ("X1", "null"),
    "id": ("50001", "50004", "7", "abc", ""),
}
REST: dict[str, tuple[str, ...]] = {
    "points": NUMBERS,
    "program_id": PROGRAMS,
    "group_redemption": BOOLEANS,
    "user_group2_id": ("77", "99", "x", "", "null"),
    "user_group2_external_id": ("FG-1", ""),
    "user_group2_primary_user_id": ("50001", "50002", "x", ""),
    "user_group2_primary_user_identifier_type": ("mobile", "email", "cardnumber", "cardExternalId", "id", "Mobile", ""),
    "user_group2_primary_user_identifier_value": ("9777785205", "50001", ""),
    "user_group2_primary_user_source": ("INSTORE", "WECHAT", "instore", ""),
    "user_group2_primary_user_accountId": ("shop-1", ""),
    "use_default_user_group2": BOOLEANS,
    "issue_otp": BOOLEANS,
    "validation_code": ("WRONG1", "true", "null", "", "x" * 60),
    "skip_validation": BOOLEANS,
    "validation_type": ("SMS", "sms", "MISSED_CALL", "INVALID", "EMAIL", ""),
    "currency_input": BOOLEANS,
    "currency_value": NUMBERS,
}


@st.composite
def questions(draw: st.DrawFn) -> dict[str, str]:
    """Mostly one customer and some of the other parameters, each with a value somebody might send."""
    names = draw(st.lists(st.sampled_from(sorted(PEOPLE)), min_size=0, max_size=2, unique=True) | st.just(["mobile"]))
    names += draw(st.lists(st.sampled_from(sorted(REST)), max_size=6, unique=True))
    return {name: draw(st.sampled_from({**PEOPLE, **REST}[name])) for name in names}


def query_of(question: dict[str, str], *more: tuple[str, str]) -> str:
    return "&".join(f"{name}={quote(value)}" for name, value in (*question.items(), *more))


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    """No wrong code ever closes the checks of a customer here, and no code is one too many."""
    otp = {"checks_per_window": 100, "sends_per_day": 1000}
    with ledgers.counter(a_rule_shop(program_group_redemption="enabled", otp=otp)) as found:
        yield found


def held_against_the_contract(told: Told) -> None:
    """Contract 1.5 and 2.9."""
    if told.http == 400:
        assert (told.status, told.success, told.item) == (400, "false", {})
        return
    assert list(told.item) == MEMBERS
    item: Any = told.item
    if told.code in REFUSALS:
        assert (told.http, told.status, told.success) == (200, 500, "false")
        assert (item["is_redeemable"], item["item_status"]["success"]) == ("false", "false")
        assert (float(item["points_redeem_value"]), float(item["points_redeem_local_value"])) == (0, 0)
    else:
        assert told.code in (800, 876)
        assert (told.http, told.status, told.success) == (200, 200, "true")
        assert (item["is_redeemable"], item["item_status"]["success"]) == ("true", "true")
        assert float(item["points"]) > 0
    assert item["input_type"] in ("points", "currency")


LEFT_ALONE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@LEFT_ALONE
@given(question=questions())
def test_2_any_question_gets_a_documented_answer_and_moves_nothing(
    counter: HttpCounter, question: dict[str, str]
) -> None:
    in_json = counter.send("GET", CHECK, query_of(question, ("format", "json")))
    in_xml = counter.send("GET", CHECK, query_of(question, ("format", "xml")))
    told, told_in_xml = read(in_json), read(in_xml)
    held_against_the_contract(told)
    held_against_the_contract(told_in_xml)
    assert (told.http, told.status, told.success, told.message) == (
        told_in_xml.http,
        told_in_xml.status,
        told_in_xml.success,
        told_in_xml.message,
    )
    for name, value in told.item.items():
        if name != "item_status":
            assert str(value) == told_in_xml.item[name]
    assert counter.balance() == "500"


@LEFT_ALONE
@given(question=questions(), order=st.randoms(use_true_random=False))
def test_2_neither_the_order_nor_what_is_unknown_changes_an_answer(
    counter: HttpCounter, question: dict[str, str], order: Any
) -> None:
    plain = read(counter.send("GET", CHECK, query_of(question)))
    shuffled = list(question.items())
    order.shuffle(shuffled)
    again = read(counter.send("GET", CHECK, "&<query&Points=7&" + query_of(dict(shuffled), ("colour", "red"))))
    assert (again.http, again.status, again.item) == (plain.http, plain.status, plain.item)


@LEFT_ALONE
@given(question=questions())
def test_2_a_question_may_come_as_a_form_with_the_same_answer(counter: HttpCounter, question: dict[str, str]) -> None:
    asked = read(counter.send("GET", CHECK, query_of(question)))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = read(counter.send("POST", CHECK, "", query_of(question).encode(), kind))
    assert (posted.http, posted.status, posted.item) == (asked.http, asked.status, asked.item)
