"""What holds of `judge` for any rules and any amount, against an oracle written out plainly from section 10."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.builders import TODAY, a_program, a_request, a_wallet, facts

from pos_app.domain.facts import Ceiling, CeilingPeriod, Criteria, Facts
from pos_app.domain.points import Points
from pos_app.domain.refusals import AMOUNT_RULES, Refusal
from pos_app.domain.rules import judge

HIGHEST = 120
"""Amounts in these tests are 0.5 to 60 points in steps of a half, so that brute force can try them all."""


def halves(least: int = 0) -> st.SearchStrategy[Points]:
    return st.integers(least, HIGHEST).map(lambda count: Points(count * 500))


asked_points = halves(1)
limits = st.none() | halves()
days = st.integers(0, 40).map(lambda back: TODAY - timedelta(days=back))
histories = st.lists(st.tuples(days, halves()), max_size=4).map(tuple)
ceilings = st.lists(st.builds(Ceiling, st.sampled_from(CeilingPeriod), halves(), st.integers(1, 40)), max_size=2).map(
    tuple
)
purchases = st.integers(0, 10).map(Decimal)
all_criteria = st.builds(
    Criteria,
    minimum=limits,
    maximum=limits,
    multiple_of=limits,
    balance_required=limits,
    lifetime_points_required=limits,
    lifetime_purchases_required=st.none() | purchases,
    ceilings=ceilings,
)


@st.composite
def situations(draw: st.DrawFn) -> Facts:
    balance = draw(halves())
    wallet = a_wallet(
        balance,
        available=Points(draw(st.integers(0, balance.thousandths // 500)) * 500),
        lifetime_points=draw(halves()),
        lifetime_purchases=draw(purchases),
        redeemed_days=draw(histories),
    )
    program = replace(a_program(), criteria=draw(all_criteria), decimals=draw(st.sampled_from([0, 3])))
    return facts(program=program, wallet=wallet)


def is_in_period(day: date, ceiling: Ceiling) -> bool:
    match ceiling.period:
        case CeilingPeriod.DAY:
            return day == TODAY
        case CeilingPeriod.CALENDAR_WEEK:
            return day.isocalendar()[:2] == TODAY.isocalendar()[:2]
        case CeilingPeriod.CALENDAR_MONTH:
            return (day.year, day.month) == (TODAY.year, TODAY.month)
        case CeilingPeriod.PAST_DAYS:
            return (TODAY - day).days < ceiling.days


def oracle(asked: Points, known: Facts) -> list[Refusal]:
    """Each rule of section 10 as its row says it, in the order of 2.8; nothing here is shared with the code."""
    program, wallet = known.program, known.wallet
    assert program is not None
    assert wallet is not None
    rules, count = program.criteria, asked.decimal
    said = []
    if rules.minimum is not None and count < rules.minimum.decimal:
        said.append(Refusal.BELOW_LEAST)
    if rules.maximum is not None and rules.maximum.decimal != 0 and count > rules.maximum.decimal:
        said.append(Refusal.ABOVE_MOST)
    if rules.multiple_of is not None and rules.multiple_of.decimal != 0 and count % rules.multiple_of.decimal != 0:
        said.append(Refusal.NOT_A_MULTIPLE)
    if rules.balance_required is not None and wallet.balance.decimal < rules.balance_required.decimal:
        said.append(Refusal.BALANCE_BELOW_REQUIRED)
    earned, bought = rules.lifetime_points_required, rules.lifetime_purchases_required
    if earned is not None and wallet.lifetime_points.decimal < earned.decimal:
        said.append(Refusal.LIFETIME_POINTS_TOO_LOW)
    if bought is not None and wallet.lifetime_purchases < bought:
        said.append(Refusal.LIFETIME_PURCHASES_TOO_LOW)
    if count > wallet.available.decimal:
        said.append(Refusal.BALANCE_TOO_LOW)
    assert wallet.redeemed_days is not None
    for ceiling in rules.ceilings:
        before = sum(points.decimal for day, points in wallet.redeemed_days if is_in_period(day, ceiling))
        if ceiling.points.decimal != 0 and before + count > ceiling.points.decimal:
            said.append(Refusal.CEILING_REACHED)
            break
    return said


@given(asked_points, situations())
def test_every_refusal_is_really_violated_and_none_is_forgotten(asked: Points, known: Facts) -> None:
    assert list(judge(a_request(asked), known).refusals) == oracle(asked, known)


@given(asked_points, situations())
def test_an_offered_amount_passes_and_stands_on_its_side(asked: Points, known: Facts) -> None:
    offered = judge(a_request(asked), known).nearest
    assert len(offered) <= 2
    assert sorted(offered) == list(offered)
    assert len([each for each in offered if each < asked]) <= 1
    assert len([each for each in offered if each > asked]) <= 1
    for each in offered:
        assert judge(a_request(each), known).is_allowed


@given(asked_points, situations())
def test_offered_amounts_are_the_closest_that_pass(asked: Points, known: Facts) -> None:
    verdict = judge(a_request(asked), known)
    program = known.program
    assert program is not None
    if program.criteria.multiple_of:
        grain = program.criteria.multiple_of.thousandths
    else:  # With three decimals the closest is still a multiple of a half, because every limit here is one.
        grain = 1000 if program.decimals == 0 else 500
    passing = [Points(each) for each in range(grain, HIGHEST * 500 + 1, grain) if not oracle(Points(each), known)]
    lower = [each for each in passing if each < asked][-1:]
    higher = [each for each in passing if each > asked][:1]
    expected: list[Points] = []
    if verdict.refusals and AMOUNT_RULES.issuperset(verdict.refusals):
        expected = lower + higher
    assert list(verdict.nearest) == expected


RULE_NAMES = [
    "minimum",
    "maximum",
    "multiple_of",
    "balance_required",
    "lifetime_points_required",
    "lifetime_purchases_required",
    "ceilings",
]


@given(asked_points, situations(), all_criteria, st.sampled_from(RULE_NAMES))
def test_adding_a_rule_never_turns_a_no_into_a_yes(asked: Points, known: Facts, other: Criteria, name: str) -> None:
    program = known.program
    assert program is not None
    without: Any = () if name == "ceilings" else None
    lax = replace(program, criteria=replace(program.criteria, **{name: without}))
    strict = replace(program, criteria=replace(program.criteria, **{name: getattr(other, name)}))
    before = set(judge(a_request(asked), replace(known, program=lax)).refusals)
    after = set(judge(a_request(asked), replace(known, program=strict)).refusals)
    assert before <= after


@given(asked_points, situations())
def test_a_richer_wallet_is_never_refused_for_more(asked: Points, known: Facts) -> None:
    wallet = known.wallet
    assert wallet is not None
    more = Points(1000)
    richer = replace(
        wallet,
        balance=wallet.balance + more,
        available=wallet.available + more,
        lifetime_points=wallet.lifetime_points + more,
        lifetime_purchases=wallet.lifetime_purchases + 1,
        redeemed_days=(),
    )
    poor = judge(a_request(asked), known).refusals
    rich = judge(a_request(asked), replace(known, wallet=richer)).refusals
    assert set(rich) <= set(poor)


@given(asked_points, situations())
def test_a_yes_never_takes_more_than_is_there(asked: Points, known: Facts) -> None:
    verdict = judge(a_request(asked), known)
    assert (verdict.points_after is not None) == verdict.is_allowed
    if verdict.points_after is not None:
        assert verdict.points_after >= Points(0)


@given(asked_points, situations())
def test_refusals_come_once_each_and_in_the_order_of_the_checks(asked: Points, known: Facts) -> None:
    order = list(Refusal)
    places = [order.index(each) for each in judge(a_request(asked), known).refusals]
    assert places == sorted(set(places))


def test_the_ways_to_mend_an_amount_are_exactly_the_rules_about_amounts() -> None:
    about_amounts = (Refusal.BELOW_LEAST, Refusal.ABOVE_MOST, Refusal.NOT_A_MULTIPLE)
    about_cover = (Refusal.BALANCE_TOO_LOW, Refusal.CEILING_REACHED)
    assert set(chain(about_amounts, about_cover)) == AMOUNT_RULES
