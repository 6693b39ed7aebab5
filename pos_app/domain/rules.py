"""One implementation of "may she redeem N now?": the till, the training and the ledger all call `judge`.

Each `_judge_*` adds the refusals of some steps of contract 2.8 to one list, in that order, and `judge` calls them in
that order. What is not known refuses nothing: no rule of a program that was not found, no balance of a customer who
was not found, no size of an amount that could not be read. Amounts are compared as whole thousandths, because this
runs at every keystroke and for every request of every till.
"""

from __future__ import annotations

from typing import Final

from pos_app.domain.ceilings import room_left
from pos_app.domain.facts import Criteria, Facts, Program, ProgramGroupRule, Proof, Wallet
from pos_app.domain.money import points_for, worth_of
from pos_app.domain.nearest import nearest, whole_step
from pos_app.domain.points import ZERO, NotANumberError, Points
from pos_app.domain.refusals import AMOUNT_RULES, Refusal
from pos_app.domain.request import AskedPoints, RedemptionRequest, UnreadableAmount, ValidationType
from pos_app.domain.verdict import Purpose, Verdict

_NO_RULES: Final = Criteria()
_GOOD_PROOFS: Final = frozenset({Proof.CODE_RIGHT, Proof.CALL_SEEN, Proof.CANNOT_TELL})


def judge(request: RedemptionRequest, facts: Facts, purpose: Purpose = Purpose.CHECK) -> Verdict:
    """Say whether the request may be granted, with every reason it may not (contract 2.8, section 4).

    Pure: nothing is read or written. The first refusal is the answer on the wire. The two refusals of a redemption
    that only a ledger can know, TIME_NOT_ACCEPTED and CUSTOMER_MISMATCH, are the ledger's to add.
    """
    refusals: list[Refusal] = []
    program = _ruling_program(request, facts)
    criteria = _criteria(program, facts)
    wallet = _paying_wallet(request, facts, program)
    asked = _read_amount(request, program, refusals)
    _judge_customer(request, facts, refusals)
    _judge_program(request, facts, refusals)
    _judge_family_group(request, facts, refusals)
    _judge_switches(facts, program, wallet, refusals)
    if asked is not None:
        _judge_size(asked, criteria, refusals)
    room: Points | None = None
    if wallet is not None:
        _judge_standing(wallet, criteria, refusals)
        if criteria.ceilings and wallet.redeemed_days is not None:
            room = room_left(criteria.ceilings, wallet.redeemed_days, facts.today)
        if asked is not None:
            _judge_cover(asked, wallet, room, refusals)
    _judge_proof(request, facts, purpose, refusals)
    ratio = program.ratio if program is not None else None
    if asked is None:
        echo = request.amount.shown if isinstance(request.amount, UnreadableAmount) else ZERO
        return Verdict(refusals=tuple(refusals), points=echo, ratio=ratio)
    worth = None if ratio is None else worth_of(asked, ratio, facts.organisation.currency)
    if refusals:
        near = _offers(asked, program, criteria, wallet, room) if AMOUNT_RULES.issuperset(refusals) else ()
        return Verdict(refusals=tuple(refusals), points=asked, worth=worth, ratio=ratio, nearest=near)
    after = None if wallet is None else wallet.balance - asked
    return Verdict(points=asked, worth=worth, ratio=ratio, points_after=after)


def _ruling_program(request: RedemptionRequest, facts: Facts) -> Program | None:
    """The program whose ratio and conditions apply: a program group is ruled by the default program (2.4)."""
    if request.program_group:
        return facts.default_program
    program = facts.program
    return program if program is not None and program.is_active else None


def _criteria(program: Program | None, facts: Facts) -> Criteria:
    """The conditions that apply. Without the customer her tier is unknown, and with it which conditions are hers."""
    if program is None:
        return _NO_RULES
    if facts.customer is None:
        return _NO_RULES if program.tier_criteria else program.criteria
    return program.criteria_for(facts.customer.tier)


def _paying_wallet(request: RedemptionRequest, facts: Facts, program: Program | None) -> Wallet | None:
    """The wallet that would pay; a program without a wallet is an empty one (import format)."""
    if program is None or facts.customer is None:
        return None
    if request.family_group is not None and (facts.family_group is None or not facts.family_group.is_active):
        return None
    return facts.wallet if facts.wallet is not None else Wallet(program_id=program.program_id)


def _read_amount(request: RedemptionRequest, program: Program | None, refusals: list[Refusal]) -> Points | None:
    """The points asked for, worked out of money where money was asked (2.7). Step 3."""
    amount = request.amount
    if isinstance(amount, AskedPoints):
        asked = amount.points
    elif isinstance(amount, UnreadableAmount):
        refusals.append(amount.refusal)
        if amount.by_value and program is not None and not program.ratio:
            refusals.append(Refusal.RATIO_MISSING)
        return None
    elif program is None:
        return None
    elif not program.ratio:
        refusals.append(Refusal.RATIO_MISSING)
        return None
    else:
        try:
            asked = points_for(amount.value, program.ratio, program.decimals, program.rounding)
        except NotANumberError:
            asked = ZERO
    if asked.thousandths <= 0:  # A value may round to nothing, or be worth more points than there can be.
        refusals.append(Refusal.POINTS_NOT_POSITIVE)
        return None
    return asked


def _judge_customer(request: RedemptionRequest, facts: Facts, refusals: list[Refusal]) -> None:
    """Steps 4 to 6: the identifier, her enrolment, her standing (2.1, section 5)."""
    customer = facts.customer
    if not facts.is_identifier_usable or not request.customer.is_well_formed:
        refusals.append(Refusal.IDENTIFIER_MALFORMED)
    elif customer is None:
        refusals.append(Refusal.CUSTOMER_UNKNOWN)
    if customer is None:
        return
    if customer.is_campaign_only:
        refusals.append(Refusal.NEVER_ENROLLED)
    if not customer.is_registered:
        refusals.append(Refusal.NOT_REGISTERED)
    if customer.is_blocked:
        refusals.append(Refusal.NEEDS_SUPERVISOR)


def _judge_program(request: RedemptionRequest, facts: Facts, refusals: list[Refusal]) -> None:
    """Step 7: the program, and whether programs redeem for each other here (2.3, 2.4)."""
    if facts.default_program is None:
        refusals.append(Refusal.NO_PROGRAM_HERE)
    elif facts.program is None or not facts.program.is_active:
        refusals.append(Refusal.PROGRAM_UNKNOWN)
    rule = facts.organisation.program_group_redemption
    if request.program_group and rule is ProgramGroupRule.DISABLED:
        refusals.append(Refusal.PROGRAM_GROUP_OFF)
    elif not request.program_group and rule is ProgramGroupRule.REQUIRED:
        refusals.append(Refusal.PROGRAM_GROUP_REQUIRED)


def _judge_family_group(request: RedemptionRequest, facts: Facts, refusals: list[Refusal]) -> None:
    """Step 8: the family group whose points are to be spent (2.5)."""
    if request.family_group is None:
        return
    group = facts.family_group
    member = None
    if group is None or not group.is_active:
        refusals.append(Refusal.FAMILY_GROUP_UNKNOWN)
    elif facts.customer is not None:
        member = group.member(facts.customer.customer_id)
        if member is None:
            refusals.append(Refusal.NOT_A_MEMBER)
    program, default = facts.program, facts.default_program
    if program is not None and default is not None and program.is_active:
        is_default = program.program_id == default.program_id
        if not (is_default and program.family_groups_enabled):
            refusals.append(Refusal.FAMILY_GROUP_NOT_USABLE)
    if member is not None and not member.may_redeem:
        refusals.append(Refusal.POINTS_BLOCKED)


def _judge_switches(facts: Facts, program: Program | None, wallet: Wallet | None, refusals: list[Refusal]) -> None:
    """The rest of step 8, a paused wallet, and step 9: redemption is switched off (section 10, import format)."""
    if wallet is not None and wallet.is_paused and Refusal.POINTS_BLOCKED not in refusals:
        refusals.append(Refusal.POINTS_BLOCKED)
    if not facts.organisation.redemptions_enabled or (program is not None and not program.redemption_enabled):
        refusals.append(Refusal.REDEMPTION_OFF)


def _judge_size(asked: Points, criteria: Criteria, refusals: list[Refusal]) -> None:
    """Step 10: the size of one redemption. A limit of None or zero is no rule."""
    if criteria.minimum and asked.thousandths < criteria.minimum.thousandths:
        refusals.append(Refusal.BELOW_LEAST)
    if criteria.maximum and asked.thousandths > criteria.maximum.thousandths:
        refusals.append(Refusal.ABOVE_MOST)
    if criteria.multiple_of and not asked.is_multiple_of(criteria.multiple_of):
        refusals.append(Refusal.NOT_A_MULTIPLE)


def _judge_standing(wallet: Wallet, criteria: Criteria, refusals: list[Refusal]) -> None:
    """Step 11: what the wallet must hold, and must have earned and bought, before anything is redeemed."""
    if criteria.balance_required and wallet.balance.thousandths < criteria.balance_required.thousandths:
        refusals.append(Refusal.BALANCE_BELOW_REQUIRED)
    earned = criteria.lifetime_points_required
    if earned and wallet.lifetime_points.thousandths < earned.thousandths:
        refusals.append(Refusal.LIFETIME_POINTS_TOO_LOW)
    bought = criteria.lifetime_purchases_required
    if bought and wallet.lifetime_purchases < bought:
        refusals.append(Refusal.LIFETIME_PURCHASES_TOO_LOW)


def _judge_cover(asked: Points, wallet: Wallet, room: Points | None, refusals: list[Refusal]) -> None:
    """Steps 12 and 13: enough points that are free, and room under the ceilings over time."""
    if asked.thousandths > wallet.available.thousandths:
        refusals.append(Refusal.BALANCE_TOO_LOW)
    if room is not None and asked.thousandths > room.thousandths:
        refusals.append(Refusal.CEILING_REACHED)


def _offers(
    asked: Points, program: Program | None, criteria: Criteria, wallet: Wallet | None, room: Points | None
) -> tuple[Points, ...]:
    """The nearest amounts that pass; none where a rule that counts is not known, for nothing is promised then."""
    if program is None or wallet is None or not program.are_rules_known:
        return ()
    if criteria.ceilings and wallet.redeemed_days is None:
        return ()
    most = wallet.available
    if room is not None:
        most = min(most, room)
    if criteria.maximum:
        most = min(most, criteria.maximum)
    step = criteria.multiple_of or whole_step(program.decimals)
    return nearest(asked, least=criteria.minimum or ZERO, most=most, step=step)


def _judge_proof(request: RedemptionRequest, facts: Facts, purpose: Purpose, refusals: list[Refusal]) -> None:
    """Step 14: the proof that the customer agrees (2.6). A wish to skip it beats whatever else was sent."""
    if request.skip_validation:
        if not facts.organisation.skip_validation_allowed:
            refusals.append(Refusal.PROOF_MISSING)
        return
    is_proven = facts.proof in _GOOD_PROOFS
    is_code_wrong = facts.proof is Proof.CODE_WRONG
    # A wrong code is 808 and no more: "send one" (824) would be the wrong advice to somebody who has one.
    if purpose is Purpose.REDEEM and facts.organisation.validation_required and not (is_proven or is_code_wrong):
        refusals.append(Refusal.PROOF_MISSING)
    if request.validation_type is ValidationType.MISSED_CALL:
        if not facts.organisation.missed_call_enabled:
            refusals.append(Refusal.MISSED_CALL_OFF)
        elif not is_proven:
            refusals.append(Refusal.NO_MISSED_CALL)
    if is_code_wrong:
        refusals.append(Refusal.CODE_WRONG)
