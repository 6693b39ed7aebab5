"""Every refusal of contract 2.8, the order they come in, and the examples of the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from support.builders import (
    CUSTOMER_ID,
    a_ceiling,
    a_customer,
    a_family_group,
    a_program,
    a_request,
    a_wallet,
    an_organisation,
    criteria,
    facts,
    points,
)

from pos_app.domain.facts import CeilingPeriod, Facts, Member, Program, ProgramGroupRule, Proof
from pos_app.domain.points import ZERO
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    RedemptionRequest,
    UnreadableAmount,
    ValidationType,
)
from pos_app.domain.rules import judge
from pos_app.domain.verdict import Purpose, Verdict

HER_FAMILY = FamilyGroupRef(group_id=77)
NOBODY = facts(customer=None, wallet=None)


def refusals(request: RedemptionRequest, known: Facts, purpose: Purpose = Purpose.CHECK) -> tuple[Refusal, ...]:
    return judge(request, known, purpose).refusals


def family_facts(**changes: Any) -> Facts:
    program = changes.pop("program", a_program(family_groups_enabled=True))
    return facts(program=program, family_group=changes.pop("family_group", a_family_group()), **changes)


# --- A yes ---


def test_a_plain_question_is_answered_with_worth_ratio_and_what_is_left() -> None:
    verdict = judge(a_request(120), facts(program=a_program(ratio="0.5")))
    assert verdict == Verdict(
        points=points(120), worth=Decimal("60.00"), ratio=Decimal("0.5"), points_after=points(380)
    )
    assert verdict.is_allowed


def test_without_a_ratio_points_may_be_redeemed_but_their_worth_is_not_known() -> None:
    verdict = judge(a_request(120), facts(program=a_program(ratio=None)))
    assert verdict.is_allowed
    assert verdict.worth is None
    assert verdict.ratio is None


def test_what_is_left_counts_points_set_aside_elsewhere_as_kept() -> None:
    verdict = judge(a_request(120), facts(wallet=a_wallet(500, available=200)))
    assert verdict.points_after == points(380)


def test_a_no_still_tells_the_worth_but_not_what_would_be_left() -> None:
    verdict = judge(a_request(501), facts())
    assert not verdict.is_allowed
    assert verdict.worth == Decimal("501.00")
    assert verdict.points_after is None


# --- The examples of the contract, section 10 ---

DOCUMENTED = a_program(lifetime_points_required=150, multiple_of=50, maximum=100)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (50, ()),
        (100, ()),
        (75, (Refusal.NOT_A_MULTIPLE,)),
        (150, (Refusal.ABOVE_MOST,)),
        (125, (Refusal.ABOVE_MOST, Refusal.NOT_A_MULTIPLE)),
    ],
)
def test_the_documented_example_of_three_rules(asked: int, said: tuple[Refusal, ...]) -> None:
    known = facts(program=DOCUMENTED, wallet=a_wallet(500, lifetime_points=150))
    assert refusals(a_request(asked), known) == said


def test_the_documented_example_wants_150_lifetime_points() -> None:
    known = facts(program=DOCUMENTED, wallet=a_wallet(500, lifetime_points="149.999"))
    assert refusals(a_request(50), known) == (Refusal.LIFETIME_POINTS_TOO_LOW,)


def test_the_documented_refusal_of_125_points_offers_120_and_130() -> None:
    verdict = judge(a_request(125), facts(program=a_program(multiple_of=10)))
    assert verdict.refusals == (Refusal.NOT_A_MULTIPLE,)
    assert verdict.nearest == (points(120), points(130))


# --- Every boundary is included, and a limit of none or zero is no rule ---


@pytest.mark.parametrize(
    ("rules", "asked", "said"),
    [
        ({"minimum": 100}, 100, None),
        ({"minimum": 100}, "99.999", Refusal.BELOW_LEAST),
        ({"minimum": 0}, "0.001", None),
        ({"maximum": 100}, 100, None),
        ({"maximum": 100}, "100.001", Refusal.ABOVE_MOST),
        ({"maximum": 0}, 500, None),
        ({"multiple_of": "2.5"}, "7.5", None),
        ({"multiple_of": "2.5"}, 7, Refusal.NOT_A_MULTIPLE),
        ({"multiple_of": 0}, "0.123", None),
        ({"balance_required": 500}, 100, None),
        ({"balance_required": "500.001"}, 100, Refusal.BALANCE_BELOW_REQUIRED),
        ({"balance_required": 0}, 100, None),
        ({"lifetime_points_required": 800}, 100, None),
        ({"lifetime_points_required": "800.001"}, 100, Refusal.LIFETIME_POINTS_TOO_LOW),
        ({"lifetime_points_required": 0}, 100, None),
        ({"lifetime_purchases_required": "9000"}, 100, None),
        ({"lifetime_purchases_required": "9000.01"}, 100, Refusal.LIFETIME_PURCHASES_TOO_LOW),
        ({"lifetime_purchases_required": "0"}, 100, None),
        ({}, 500, None),
        ({}, "500.001", Refusal.BALANCE_TOO_LOW),
        ({"ceilings": (a_ceiling(100),)}, 60, None),
        ({"ceilings": (a_ceiling(100),)}, "60.001", Refusal.CEILING_REACHED),
        ({"ceilings": (a_ceiling(0),)}, 500, None),
    ],
)
def test_each_rule_at_its_boundary(rules: dict[str, Any], asked: str | int, said: Refusal | None) -> None:
    wallet = a_wallet(
        500,
        lifetime_points=800,
        lifetime_purchases="9000",
        redeemed_days=((date(2026, 11, 22), points(40)),),
    )
    known = facts(program=a_program(**rules), wallet=wallet)
    assert refusals(a_request(asked), known) == (() if said is None else (said,))


def test_the_balance_required_counts_points_set_aside_but_they_cannot_be_redeemed() -> None:
    known = facts(program=a_program(balance_required=500), wallet=a_wallet(500, available=200))
    assert refusals(a_request(200), known) == ()
    assert refusals(a_request(201), known) == (Refusal.BALANCE_TOO_LOW,)


def test_promised_points_cannot_be_redeemed() -> None:
    known = facts(wallet=a_wallet(100, promised_points=900))
    assert refusals(a_request(101), known) == (Refusal.BALANCE_TOO_LOW,)


def test_no_wallet_is_an_empty_wallet() -> None:
    assert refusals(a_request(1), facts(wallet=None)) == (Refusal.BALANCE_TOO_LOW,)


def test_a_ceiling_is_not_judged_while_earlier_redemptions_are_unknown() -> None:
    known = facts(program=a_program(ceilings=(a_ceiling(10),)), wallet=a_wallet(500, redeemed_days=None))
    assert judge(a_request(100), known).is_allowed


def test_the_conditions_of_her_tier_replace_the_common_ones() -> None:
    program = a_program(minimum=50, maximum=100, tier_criteria={"Gold": criteria(maximum=300)})
    gold = facts(program=program, customer=a_customer(tier="Gold"))
    silver = facts(program=program, customer=a_customer(tier="Silver"))
    assert refusals(a_request(10), gold) == ()
    assert refusals(a_request(300), gold) == ()
    assert refusals(a_request(301), gold) == (Refusal.ABOVE_MOST,)
    assert refusals(a_request(10), silver) == (Refusal.BELOW_LEAST,)
    assert refusals(a_request(101), facts(program=program)) == (Refusal.ABOVE_MOST,)


# --- The amount ---


@pytest.mark.parametrize("refusal", [Refusal.POINTS_NOT_POSITIVE, Refusal.POINTS_TOO_FINE])
def test_an_unreadable_amount_is_refused_and_no_rule_about_amounts_is_judged(refusal: Refusal) -> None:
    known = facts(program=a_program(minimum=10, multiple_of=10), wallet=a_wallet(0))
    verdict = judge(a_request(UnreadableAmount(refusal, shown=points(-5))), known)
    assert verdict.refusals == (refusal,)
    assert verdict.points == points(-5)
    assert verdict.worth is None
    assert verdict.ratio == Decimal(1)


def test_rules_that_do_not_depend_on_the_amount_are_judged_beside_an_unreadable_one() -> None:
    known = facts(
        customer=a_customer(is_blocked=True),
        program=a_program(balance_required=1000, lifetime_points_required=1, lifetime_purchases_required="1"),
    )
    assert refusals(a_request(UnreadableAmount(Refusal.POINTS_TOO_FINE)), known) == (
        Refusal.POINTS_TOO_FINE,
        Refusal.NEEDS_SUPERVISOR,
        Refusal.BALANCE_BELOW_REQUIRED,
        Refusal.LIFETIME_POINTS_TOO_LOW,
        Refusal.LIFETIME_PURCHASES_TOO_LOW,
    )


@pytest.mark.parametrize("count", [0, -1])
def test_points_that_are_not_positive_are_refused_even_when_a_caller_let_them_through(count: int) -> None:
    assert refusals(a_request(count), facts()) == (Refusal.POINTS_NOT_POSITIVE,)


def test_money_is_turned_into_points_before_the_rules_are_asked() -> None:
    known = facts(program=a_program(ratio="0.3", multiple_of=10))
    verdict = judge(a_request(worth="10"), known)
    assert verdict.points == points(33)
    assert verdict.worth == Decimal("9.90")
    assert verdict.refusals == (Refusal.NOT_A_MULTIPLE,)
    assert verdict.nearest == (points(30), points(40))


def test_money_uses_the_decimals_of_the_program() -> None:
    known = facts(program=a_program(ratio="0.3", decimals=2))
    assert judge(a_request(worth="10"), known).points == points("33.33")


@pytest.mark.parametrize("ratio", [None, Decimal(0)])
def test_money_cannot_be_answered_without_a_ratio(ratio: Decimal | None) -> None:
    verdict = judge(a_request(worth="10"), facts(program=a_program(ratio=ratio, minimum=5)))
    assert verdict.refusals == (Refusal.RATIO_MISSING,)
    assert verdict.points == ZERO
    assert verdict.worth is None


def test_unreadable_money_and_a_missing_ratio_are_both_told() -> None:
    asked = a_request(UnreadableAmount(Refusal.POINTS_NOT_POSITIVE, by_value=True))
    assert refusals(asked, facts(program=a_program(ratio=None))) == (
        Refusal.POINTS_NOT_POSITIVE,
        Refusal.RATIO_MISSING,
    )
    assert refusals(asked, facts()) == (Refusal.POINTS_NOT_POSITIVE,)
    assert refusals(asked, facts(program=None, default_program=a_program())) == (
        Refusal.POINTS_NOT_POSITIVE,
        Refusal.PROGRAM_UNKNOWN,
    )


def test_a_missing_ratio_does_not_matter_when_points_are_asked_for() -> None:
    unreadable = a_request(UnreadableAmount(Refusal.POINTS_TOO_FINE))
    assert refusals(unreadable, facts(program=a_program(ratio=None))) == (Refusal.POINTS_TOO_FINE,)


@pytest.mark.parametrize("value", ["0.4", "99999999999999999999"])
def test_money_that_rounds_to_nothing_or_buys_impossibly_many_points_is_refused(value: str) -> None:
    assert refusals(a_request(worth=value), facts()) == (Refusal.POINTS_NOT_POSITIVE,)


def test_money_in_an_unknown_program_says_nothing_of_the_amount() -> None:
    known = facts(program=None, default_program=a_program(), wallet=None)
    verdict = judge(a_request(worth="10"), known)
    assert verdict.refusals == (Refusal.PROGRAM_UNKNOWN,)
    assert verdict.ratio is None


# --- The customer ---


@pytest.mark.parametrize(
    ("kind", "value"),
    [(IdentifierKind.MOBILE, "98123x5678"), (IdentifierKind.EMAIL, "ada.example.org"), (IdentifierKind.ID, "A1")],
)
def test_an_impossible_identifier_is_not_also_called_unknown(kind: IdentifierKind, value: str) -> None:
    asked = a_request(customer=CustomerRef(kind, value))
    assert refusals(asked, NOBODY) == (Refusal.IDENTIFIER_MALFORMED,)


def test_a_card_that_is_not_active_is_refused_like_an_impossible_identifier() -> None:
    asked = a_request(customer=CustomerRef(IdentifierKind.CARD_NUMBER, "4000123"))
    known = replace(NOBODY, is_identifier_usable=False)
    assert refusals(asked, known) == (Refusal.IDENTIFIER_MALFORMED,)


def test_an_unknown_customer_leaves_what_depends_on_her_unsaid() -> None:
    known = replace(
        NOBODY, program=a_program(balance_required=10**6, lifetime_points_required=1, ceilings=(a_ceiling(1),))
    )
    assert refusals(a_request(100), known) == (Refusal.CUSTOMER_UNKNOWN,)


def test_an_unknown_customer_and_a_wrong_amount_are_both_told() -> None:
    known = replace(NOBODY, program=a_program(multiple_of=10))
    verdict = judge(a_request(125), known)
    assert verdict.refusals == (Refusal.CUSTOMER_UNKNOWN, Refusal.NOT_A_MULTIPLE)
    assert verdict.nearest == ()


def test_conditions_that_differ_by_tier_are_not_judged_for_an_unknown_customer() -> None:
    known = replace(NOBODY, program=a_program(multiple_of=10, tier_criteria={"Gold": criteria()}))
    assert refusals(a_request(125), known) == (Refusal.CUSTOMER_UNKNOWN,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_campaign_only": True}, (Refusal.NEVER_ENROLLED,)),
        ({"is_registered": False}, (Refusal.NOT_REGISTERED,)),
        ({"is_blocked": True}, (Refusal.NEEDS_SUPERVISOR,)),
        (
            {"is_blocked": True, "is_registered": False, "is_campaign_only": True},
            (Refusal.NEVER_ENROLLED, Refusal.NOT_REGISTERED, Refusal.NEEDS_SUPERVISOR),
        ),
    ],
)
def test_how_she_stands_with_the_program(change: dict[str, bool], said: tuple[Refusal, ...]) -> None:
    assert refusals(a_request(), facts(customer=a_customer(**change))) == said


# --- The program ---


def test_an_organisation_without_any_program() -> None:
    assert refusals(a_request(), facts(program=None, default_program=None)) == (Refusal.NO_PROGRAM_HERE,)


@pytest.mark.parametrize("program", [None, a_program(is_active=False, multiple_of=7, redemption_enabled=False)])
def test_of_an_unknown_or_inactive_program_nothing_else_is_said(program: Program | None) -> None:
    known = facts(program=program, default_program=a_program(1), wallet=None)
    verdict = judge(a_request(), known)
    assert verdict.refusals == (Refusal.PROGRAM_UNKNOWN,)
    assert verdict.ratio is None
    assert verdict.nearest == ()


@pytest.mark.parametrize(
    ("rule", "asks_group", "said"),
    [
        (ProgramGroupRule.DISABLED, False, ()),
        (ProgramGroupRule.DISABLED, True, (Refusal.PROGRAM_GROUP_OFF,)),
        (ProgramGroupRule.ENABLED, False, ()),
        (ProgramGroupRule.ENABLED, True, ()),
        (ProgramGroupRule.REQUIRED, False, (Refusal.PROGRAM_GROUP_REQUIRED,)),
        (ProgramGroupRule.REQUIRED, True, ()),
    ],
)
def test_programs_that_redeem_for_each_other(
    rule: ProgramGroupRule, asks_group: bool, said: tuple[Refusal, ...]
) -> None:
    known = facts(organisation=an_organisation(program_group_redemption=rule))
    assert refusals(a_request(program_group=asks_group), known) == said


GROUPED = an_organisation(program_group_redemption=ProgramGroupRule.ENABLED)


def test_a_program_group_goes_by_the_ratio_and_conditions_of_the_default_program() -> None:
    known = facts(
        organisation=GROUPED,
        program=a_program(2, ratio="9", minimum=1000, redemption_enabled=False),
        default_program=a_program(1, ratio="0.5", multiple_of=20),
    )
    verdict = judge(a_request(110, program_group=True), known)
    assert verdict.refusals == (Refusal.NOT_A_MULTIPLE,)
    assert verdict.nearest == (points(100), points(120))
    assert verdict.ratio == Decimal("0.5")
    assert verdict.worth == Decimal("55.00")


def test_a_program_group_still_needs_a_valid_program() -> None:
    known = facts(organisation=GROUPED, program=None, default_program=a_program(multiple_of=20))
    assert refusals(a_request(110, program_group=True), known) == (
        Refusal.PROGRAM_UNKNOWN,
        Refusal.NOT_A_MULTIPLE,
    )


# --- Family groups ---


def test_a_member_redeems_from_the_wallet_of_her_family_group() -> None:
    verdict = judge(a_request(300, family_group=HER_FAMILY), family_facts(wallet=a_wallet(300)))
    assert verdict.is_allowed
    assert verdict.points_after == ZERO


@pytest.mark.parametrize("group", [None, a_family_group(is_active=False, members=())])
def test_a_family_group_that_is_unknown_or_inactive_leaves_its_wallet_unjudged(group: Any) -> None:
    known = family_facts(family_group=group, wallet=a_wallet(0, is_paused=True))
    assert refusals(a_request(family_group=HER_FAMILY), known) == (Refusal.FAMILY_GROUP_UNKNOWN,)


@pytest.mark.parametrize("members", [(), (Member(1),), (Member(CUSTOMER_ID, is_active=False),)])
def test_who_is_no_active_member_may_not_redeem_for_the_family(members: tuple[Member, ...]) -> None:
    known = family_facts(family_group=a_family_group(members=members))
    assert refusals(a_request(family_group=HER_FAMILY), known) == (Refusal.NOT_A_MEMBER,)


def test_membership_of_an_unknown_customer_is_not_judged() -> None:
    known = family_facts(customer=None)
    assert refusals(a_request(family_group=HER_FAMILY), known) == (Refusal.CUSTOMER_UNKNOWN,)


def test_a_member_may_be_blocked_from_redeeming() -> None:
    known = family_facts(family_group=a_family_group(members=(Member(CUSTOMER_ID, may_redeem=False),)))
    assert refusals(a_request(family_group=HER_FAMILY), known) == (Refusal.POINTS_BLOCKED,)


@pytest.mark.parametrize(
    ("program", "default"),
    [
        (a_program(family_groups_enabled=False), None),
        (a_program(2, family_groups_enabled=True), a_program(1)),
    ],
)
def test_family_groups_redeem_only_in_a_default_program_that_wants_them(
    program: Program, default: Program | None
) -> None:
    known = replace(family_facts(program=program), default_program=default or program)
    assert refusals(a_request(family_group=HER_FAMILY), known) == (Refusal.FAMILY_GROUP_NOT_USABLE,)


@pytest.mark.parametrize("default", [None, a_program(1)])
def test_whether_a_family_group_is_usable_is_not_said_of_an_unknown_program(default: Program | None) -> None:
    known = replace(family_facts(program=None), default_program=default)
    assert Refusal.FAMILY_GROUP_NOT_USABLE not in refusals(a_request(family_group=HER_FAMILY), known)


def test_without_a_family_group_in_the_question_none_is_judged() -> None:
    known = family_facts(family_group=a_family_group(members=()), program=a_program())
    assert refusals(a_request(), known) == ()


def test_a_paused_wallet_is_blocked() -> None:
    assert refusals(a_request(), facts(wallet=a_wallet(500, is_paused=True))) == (Refusal.POINTS_BLOCKED,)


def test_a_blocked_member_of_a_paused_wallet_is_told_once() -> None:
    known = family_facts(
        family_group=a_family_group(members=(Member(CUSTOMER_ID, may_redeem=False),)),
        wallet=a_wallet(500, is_paused=True),
    )
    assert refusals(a_request(family_group=HER_FAMILY), known) == (Refusal.POINTS_BLOCKED,)


# --- Switches ---


@pytest.mark.parametrize(
    "known",
    [
        facts(organisation=an_organisation(redemptions_enabled=False)),
        facts(program=a_program(redemption_enabled=False)),
        facts(organisation=an_organisation(redemptions_enabled=False), program=a_program(redemption_enabled=False)),
    ],
)
def test_redemption_may_be_switched_off(known: Facts) -> None:
    assert refusals(a_request(), known) == (Refusal.REDEMPTION_OFF,)


# --- Ceilings over time, on Sunday 22 November 2026 ---

HISTORY = (
    (date(2026, 10, 31), points(1)),
    (date(2026, 11, 1), points(2)),
    (date(2026, 11, 15), points(4)),
    (date(2026, 11, 16), points(8)),
    (date(2026, 11, 20), points(16)),
    (date(2026, 11, 22), points(32)),
)


@pytest.mark.parametrize(
    ("ceiling", "room"),
    [
        (a_ceiling(100, CeilingPeriod.DAY), 100 - 32),
        (a_ceiling(100, CeilingPeriod.CALENDAR_WEEK), 100 - 32 - 16 - 8),
        (a_ceiling(100, CeilingPeriod.CALENDAR_MONTH), 100 - 32 - 16 - 8 - 4 - 2),
        (a_ceiling(100, CeilingPeriod.PAST_DAYS, 3), 100 - 32 - 16),
        (a_ceiling(100, CeilingPeriod.PAST_DAYS, 2), 100 - 32),
    ],
)
def test_a_ceiling_counts_the_days_of_its_period(ceiling: Any, room: int) -> None:
    known = facts(program=a_program(ceilings=(ceiling,)), wallet=a_wallet(500, redeemed_days=HISTORY))
    assert refusals(a_request(room), known) == ()
    verdict = judge(a_request(room + 1), known)
    assert verdict.refusals == (Refusal.CEILING_REACHED,)
    assert verdict.nearest == (points(room),)


# --- Proof (2.6) ---


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("proof", Proof)
def test_skipping_beats_whatever_else_was_sent(purpose: Purpose, proof: Proof) -> None:
    asked = a_request(
        skip_validation=True, validation_type=ValidationType.MISSED_CALL, validation_code="Q7XK2M", issue_otp=True
    )
    allowed = facts(organisation=an_organisation(skip_validation_allowed=True, validation_required=True), proof=proof)
    forbidden = facts(organisation=an_organisation(), proof=proof)
    assert refusals(asked, allowed, purpose) == ()
    assert refusals(asked, forbidden, purpose) == (Refusal.PROOF_MISSING,)


PROOF_TABLE = [
    # validation_type, proof, what a check says, what a redemption says where validation is required
    (None, Proof.NONE, (), (Refusal.PROOF_MISSING,)),
    (None, Proof.CODE_RIGHT, (), ()),
    (None, Proof.CODE_WRONG, (Refusal.CODE_WRONG,), (Refusal.CODE_WRONG,)),
    (None, Proof.CANNOT_TELL, (), ()),
    (ValidationType.SMS, Proof.NONE, (), (Refusal.PROOF_MISSING,)),
    (ValidationType.SMS, Proof.CODE_WRONG, (Refusal.CODE_WRONG,), (Refusal.CODE_WRONG,)),
    (ValidationType.INVALID, Proof.NONE, (), (Refusal.PROOF_MISSING,)),
    (ValidationType.MISSED_CALL, Proof.CALL_SEEN, (), ()),
    (ValidationType.MISSED_CALL, Proof.CODE_RIGHT, (), ()),
    (ValidationType.MISSED_CALL, Proof.CANNOT_TELL, (), ()),
    (
        ValidationType.MISSED_CALL,
        Proof.NO_CALL,
        (Refusal.NO_MISSED_CALL,),
        (Refusal.PROOF_MISSING, Refusal.NO_MISSED_CALL),
    ),
    (
        ValidationType.MISSED_CALL,
        Proof.NONE,
        (Refusal.NO_MISSED_CALL,),
        (Refusal.PROOF_MISSING, Refusal.NO_MISSED_CALL),
    ),
    (
        ValidationType.MISSED_CALL,
        Proof.CODE_WRONG,
        (Refusal.NO_MISSED_CALL, Refusal.CODE_WRONG),
        (Refusal.NO_MISSED_CALL, Refusal.CODE_WRONG),
    ),
]


@pytest.mark.parametrize(("kind", "proof", "check", "redeem"), PROOF_TABLE)
def test_the_proof_of_the_customer(
    kind: ValidationType | None, proof: Proof, check: tuple[Refusal, ...], redeem: tuple[Refusal, ...]
) -> None:
    known = facts(organisation=an_organisation(missed_call_enabled=True, validation_required=True), proof=proof)
    asked = a_request(validation_type=kind)
    assert refusals(asked, known) == check
    assert refusals(asked, known, Purpose.REDEEM) == redeem


@pytest.mark.parametrize(("kind", "proof", "check", "redeem"), PROOF_TABLE)
def test_where_no_proof_is_required_a_redemption_is_judged_like_a_check(
    kind: ValidationType | None, proof: Proof, check: tuple[Refusal, ...], redeem: tuple[Refusal, ...]
) -> None:
    known = facts(organisation=an_organisation(missed_call_enabled=True), proof=proof)
    assert refusals(a_request(validation_type=kind), known, Purpose.REDEEM) == check


def test_calls_are_refused_where_the_organisation_does_not_use_them() -> None:
    asked = a_request(validation_type=ValidationType.MISSED_CALL)
    assert refusals(asked, facts(proof=Proof.NO_CALL)) == (Refusal.MISSED_CALL_OFF,)
    required = facts(organisation=an_organisation(validation_required=True), proof=Proof.NO_CALL)
    assert refusals(asked, required, Purpose.REDEEM) == (Refusal.PROOF_MISSING, Refusal.MISSED_CALL_OFF)


# --- The order ---


def test_everything_that_can_be_wrong_at_once_comes_in_the_order_of_the_contract() -> None:
    program = a_program(
        2,
        redemption_enabled=False,
        minimum=200,
        maximum=50,
        multiple_of=30,
        balance_required=100,
        lifetime_points_required=1,
        lifetime_purchases_required="1",
        ceilings=(a_ceiling(5),),
    )
    known = facts(
        organisation=an_organisation(
            program_group_redemption=ProgramGroupRule.REQUIRED, validation_required=True, redemptions_enabled=False
        ),
        customer=a_customer(is_campaign_only=True, is_registered=False, is_blocked=True),
        program=program,
        default_program=a_program(1),
        wallet=a_wallet(10, is_paused=True),
        family_group=a_family_group(members=()),
        proof=Proof.NO_CALL,
    )
    asked = a_request(
        100,
        customer=CustomerRef(IdentifierKind.MOBILE, "no number"),
        family_group=HER_FAMILY,
        validation_type=ValidationType.MISSED_CALL,
    )
    assert refusals(asked, known, Purpose.REDEEM) == (
        Refusal.IDENTIFIER_MALFORMED,
        Refusal.NEVER_ENROLLED,
        Refusal.NOT_REGISTERED,
        Refusal.NEEDS_SUPERVISOR,
        Refusal.PROGRAM_GROUP_REQUIRED,
        Refusal.NOT_A_MEMBER,
        Refusal.FAMILY_GROUP_NOT_USABLE,
        Refusal.POINTS_BLOCKED,
        Refusal.REDEMPTION_OFF,
        Refusal.BELOW_LEAST,
        Refusal.ABOVE_MOST,
        Refusal.NOT_A_MULTIPLE,
        Refusal.BALANCE_BELOW_REQUIRED,
        Refusal.LIFETIME_POINTS_TOO_LOW,
        Refusal.LIFETIME_PURCHASES_TOO_LOW,
        Refusal.BALANCE_TOO_LOW,
        Refusal.CEILING_REACHED,
        Refusal.PROOF_MISSING,
        Refusal.MISSED_CALL_OFF,
    )


def test_an_unreadable_amount_and_an_unknown_customer_come_first() -> None:
    known = facts(customer=None, program=None, default_program=None, proof=Proof.CODE_WRONG, wallet=None)
    asked = a_request(UnreadableAmount(Refusal.POINTS_TOO_FINE), program_group=True, family_group=HER_FAMILY)
    assert refusals(asked, known) == (
        Refusal.POINTS_TOO_FINE,
        Refusal.CUSTOMER_UNKNOWN,
        Refusal.NO_PROGRAM_HERE,
        Refusal.PROGRAM_GROUP_OFF,
        Refusal.FAMILY_GROUP_UNKNOWN,
        Refusal.CODE_WRONG,
    )


# --- What would pass ---


@pytest.mark.parametrize(
    ("rules", "balance", "asked", "offered"),
    [
        ({"minimum": 100, "multiple_of": 30}, 500, 10, [120]),
        ({"maximum": 200, "multiple_of": 30}, 500, 300, [180]),
        ({"multiple_of": 10}, 500, 5, [10]),
        ({"multiple_of": 10}, 127, 125, [120]),
        ({"multiple_of": 10, "minimum": 125}, 500, 125, [130]),
        ({"multiple_of": 10, "maximum": 128}, 500, 125, [120]),
        ({}, "499.999", 600, [499]),
        ({"decimals": 2}, "499.999", 600, ["499.99"]),
        ({"decimals": 3}, "499.999", 600, ["499.999"]),
        ({"minimum": "10.5"}, 500, 1, [11]),
        ({"minimum": 600}, 500, 100, []),
        ({"minimum": 50}, 40, 45, []),
        ({}, 0, 1, []),
        ({}, "0.9", 1, []),
        ({"multiple_of": 10, "ceilings": (a_ceiling(75),)}, 500, 100, [70]),
        ({"ceilings": (a_ceiling(75), a_ceiling(60, CeilingPeriod.CALENDAR_WEEK))}, 500, 100, [60]),
    ],
)
def test_the_nearest_amounts_that_pass(rules: dict[str, Any], balance: Any, asked: int, offered: list[Any]) -> None:
    verdict = judge(a_request(asked), facts(program=a_program(**rules), wallet=a_wallet(balance)))
    assert verdict.refusals
    assert list(verdict.nearest) == [points(each) for each in offered]


@pytest.mark.parametrize(
    "known",
    [
        facts(program=a_program(multiple_of=10), customer=a_customer(is_blocked=True)),
        facts(program=a_program(multiple_of=10, lifetime_points_required=1)),
        facts(program=a_program(multiple_of=10, balance_required=501)),
        facts(program=a_program(multiple_of=10), wallet=a_wallet(500, is_paused=True)),
        facts(program=a_program(multiple_of=10), proof=Proof.CODE_WRONG),
    ],
)
def test_nothing_is_offered_when_another_amount_would_not_help(known: Facts) -> None:
    verdict = judge(a_request(125), known)
    assert Refusal.NOT_A_MULTIPLE in verdict.refusals
    assert verdict.nearest == ()


@pytest.mark.parametrize(
    "known",
    [
        facts(program=a_program(are_rules_known=False)),
        facts(program=a_program(ceilings=(a_ceiling(10),)), wallet=a_wallet(500, redeemed_days=None)),
    ],
)
def test_nothing_is_offered_while_a_rule_is_not_known(known: Facts) -> None:
    verdict = judge(a_request(600), known)
    assert verdict.refusals == (Refusal.BALANCE_TOO_LOW,)
    assert verdict.nearest == ()


def test_a_yes_offers_nothing_else() -> None:
    assert judge(a_request(120), facts(program=a_program(multiple_of=10))).nearest == ()
