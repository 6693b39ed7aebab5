"""The shared check: at the ledger, and from the cache when there is no line."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from support.builders import (
    MOBILE,
    NOW,
    PROGRAM_ID,
    a_lot,
    a_program,
    a_record,
    a_request,
    a_wallet,
    an_organisation,
    by_mobile,
    points,
)
from support.clock import FakeClock
from support.fake_ledger import ScriptedLedger, a_check_answer, a_wallet_view, an_extension
from support.service_kit import ADA, Till

from pos_app.domain.answers import CodeAnswer, Identity
from pos_app.domain.commands import SendCode
from pos_app.domain.facts import Organisation, ProgramGroupRule
from pos_app.domain.points import ZERO
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import FamilyGroupRef, ValidationType
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    WrongAddressError,
)
from pos_app.services.learning import keep_balance
from pos_app.services.offline import facts_from
from pos_app.services.results import CannotJudgeOfflineError, CannotLookUpOfflineError, LineState, Source


def a_till(*answers: Any, organisation: Organisation | None = None, **known: Any) -> Till:
    """A till that saw Ada a while ago, with 500 points; `answers` are those of the next checks."""
    till = Till(ScriptedLedger(check=answers))
    till.cache.keep_customer(known.pop("record", a_record()), ADA, NOW)
    till.cache.keep_program(known.pop("program", a_program(multiple_of=10)), NOW)
    till.cache.keep_organisation(organisation or an_organisation(), NOW)
    return till


# --- With a line -----------------------------------------------------------------------------------------------------


def test_the_ledgers_yes_is_told_as_it_was_given() -> None:
    extension = an_extension(wallet=a_wallet_view(500))
    till = a_till(a_check_answer(120, worth=Decimal(60), ratio=Decimal("0.5"), message="Fine", extension=extension))
    till.clock.advance(5)
    checked = till.validation.check(a_request(120))
    assert (checked.source, checked.is_redeemable, checked.refusals) == (Source.LEDGER, True, ())
    assert (checked.points, checked.worth, checked.points_after) == (points(120), Decimal(60), points(380))
    assert (checked.code, checked.message) == (800, "Fine")
    assert checked.as_of == till.clock.wall()
    assert checked.program == a_program(multiple_of=10)
    assert checked.trouble is None


def test_the_ledgers_no_carries_its_code_and_the_nearest_amounts() -> None:
    extension = an_extension(nearest=(points(120), points(130)), reason="held_offline")
    answer = a_check_answer(125, refusal=Refusal.NOT_A_MULTIPLE, code=807, extension=extension)
    checked = a_till(answer).validation.check(a_request(125))
    assert not checked.is_redeemable
    assert checked.refusals == (Refusal.NOT_A_MULTIPLE,)
    assert checked.nearest == (points(120), points(130))
    assert (checked.code, checked.reason) == (807, "held_offline")
    assert checked.worth is None


def test_a_service_that_tells_no_nearest_amount_gets_it_worked_out_here() -> None:
    checked = a_till(a_check_answer(125, refusal=Refusal.NOT_A_MULTIPLE, code=807)).validation.check(a_request(125))
    assert checked.nearest == (points(120), points(130))


def test_a_refusal_that_no_amount_mends_has_no_nearest_amount() -> None:
    answer = a_check_answer(125, refusal=Refusal.NEEDS_SUPERVISOR, code=809)
    assert a_till(answer).validation.check(a_request(125)).nearest == ()


@pytest.mark.parametrize("asked", [{"customer": by_mobile("919999999999")}, {"program_id": 4711}])
def test_no_amount_is_offered_where_nothing_is_known(asked: dict[str, Any]) -> None:
    answer = a_check_answer(125, refusal=Refusal.NOT_A_MULTIPLE, code=807)
    assert a_till(answer).validation.check(a_request(125, **asked)).nearest == ()


def test_the_worth_is_unknown_while_the_ratio_is() -> None:
    checked = a_till(a_check_answer(100, ratio=Decimal(0), worth=Decimal(0))).validation.check(a_request())
    assert checked.is_redeemable
    assert checked.worth is None


def test_a_busy_customer_is_asked_about_again_after_1_2_and_4_seconds() -> None:
    busy = a_check_answer(refusal=Refusal.CUSTOMER_BUSY)
    till = a_till(busy, busy, a_check_answer())
    began = till.clock.mono()
    assert till.validation.check(a_request()).is_redeemable
    assert till.clock.mono() - began == 1 + 2


def test_a_customer_who_stays_busy_is_told_as_busy() -> None:
    till = a_till(*[a_check_answer(refusal=Refusal.CUSTOMER_BUSY)] * 4)
    began = till.clock.mono()
    assert till.validation.check(a_request()).refusals == (Refusal.CUSTOMER_BUSY,)
    assert till.clock.mono() - began == 1 + 2 + 4


def test_a_question_that_sends_a_code_is_not_repeated_for_a_busy_customer() -> None:
    till = a_till(a_check_answer(refusal=Refusal.CUSTOMER_BUSY))
    assert till.validation.check(a_request(issue_otp=True)).refusals == (Refusal.CUSTOMER_BUSY,)


def test_a_code_is_out_when_one_was_asked_for_and_the_answer_is_800() -> None:
    assert a_till(a_check_answer()).validation.check(a_request(issue_otp=True)).is_code_out


@pytest.mark.parametrize(
    "asked",
    [
        {"issue_otp": False},
        {"issue_otp": True, "validation_code": "Q7XK2M"},
        {"issue_otp": True, "skip_validation": True},
        {"issue_otp": True, "validation_type": ValidationType.MISSED_CALL},
    ],
)
def test_no_code_is_out_when_none_was_to_be_sent(asked: dict[str, Any]) -> None:
    assert not a_till(a_check_answer()).validation.check(a_request(**asked)).is_code_out


def test_a_code_that_could_not_be_sent_is_missing_and_not_out() -> None:
    checked = a_till(a_check_answer(code=876)).validation.check(a_request(issue_otp=True))
    assert checked.is_redeemable
    assert checked.is_code_missing
    assert not checked.is_code_out


def test_no_code_is_out_after_a_no() -> None:
    answer = a_check_answer(refusal=Refusal.BALANCE_TOO_LOW)
    assert not a_till(answer).validation.check(a_request(issue_otp=True)).is_code_out


def test_a_right_code_confirms_the_customer_and_a_wrong_one_does_not() -> None:
    wrong = a_check_answer(refusal=Refusal.CODE_WRONG, code=808)
    till = a_till(a_check_answer(), wrong)
    assert till.validation.check_code(a_request(validation_code="Q7XK2M")).is_confirmed
    assert not till.validation.check_code(a_request(validation_code="AAAAAA")).is_confirmed


def test_a_seen_call_confirms_and_a_skip_does_not() -> None:
    till = a_till(a_check_answer(), a_check_answer())
    assert till.validation.check(a_request(validation_type=ValidationType.MISSED_CALL)).is_confirmed
    skipped = a_request(skip_validation=True, validation_code="Q7XK2M")
    assert not till.validation.check(skipped).is_confirmed


def test_the_organisations_wish_for_a_proof_is_told() -> None:
    wish = an_organisation(validation_required=True)
    assert a_till(a_check_answer(), organisation=wish).validation.check(a_request()).needs_proof
    assert not a_till(a_check_answer()).validation.check(a_request()).needs_proof


def test_every_check_has_a_reference_of_its_own_that_stands_in_the_log_beside_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    till = a_till(a_check_answer(), a_check_answer())
    with caplog.at_level(logging.INFO):
        first, second = till.validation.check(a_request()), till.validation.check(a_request())
    assert first.reference != second.reference
    assert len(first.reference) == 4
    assert int(first.reference, 16) >= 0
    assert first.reference in caplog.text
    assert MOBILE not in caplog.text


# --- What an answer teaches ------------------------------------------------------------------------------------------


def test_a_checks_balance_is_kept_for_the_time_without_a_line() -> None:
    till = a_till(a_check_answer(extension=an_extension(wallet=a_wallet_view(80, 70))), LineDownError())
    till.clock.advance(60)
    learnt_at = till.clock.wall()
    till.validation.check(a_request(50))
    till.clock.advance(600)
    offline = till.validation.check(a_request(80))
    assert offline.refusals == (Refusal.BALANCE_TOO_LOW,)
    assert offline.as_of == learnt_at


def test_a_balance_is_not_made_younger_than_the_other_wallets_it_stands_with() -> None:
    record = a_record(wallets=(a_wallet(500), a_wallet(300, program_id=7)))
    till = a_till(a_check_answer(extension=an_extension(wallet=a_wallet_view(80))), record=record)
    till.clock.advance(60)
    till.validation.check(a_request(50))
    kept = till.cache.find_customer(ADA)
    assert kept is not None
    assert [wallet.balance for wallet in kept.wallets] == [points(80), points(300)]
    assert kept.as_of == NOW


def test_what_was_spent_came_from_the_points_soonest_to_expire() -> None:
    soon, late, never = date(2026, 12, 1), date(2030, 1, 1), None
    lots = (a_lot(50, never), a_lot(200, late), a_lot(250, soon))
    record = a_record(wallets=(a_wallet(500, lots=lots),))
    till = a_till(a_check_answer(extension=an_extension(wallet=a_wallet_view(180))), record=record)
    till.validation.check(a_request(50))
    kept = till.cache.find_customer(ADA)
    assert kept is not None
    assert [(lot.points, lot.expires_on) for lot in kept.wallets[0].lots] == [(points(130), late), (points(50), never)]


def test_a_balance_needs_a_wallet_it_belongs_to() -> None:
    extension = an_extension(wallet=a_wallet_view(80))
    till = a_till(a_check_answer(extension=extension), a_check_answer(extension=extension))
    till.validation.check(a_request(50, program_id=4711))
    assert till.cache.find_customer(ADA) == a_record()
    keep_balance(till.cache, ADA, None, balance=points(80), available=points(80), at=NOW)
    kept = till.cache.find_customer(ADA)
    assert kept is not None
    assert kept.wallets[0].balance == points(80)  # She has one wallet only.


@pytest.mark.parametrize("asked", [{"program_group": True}, {"family_group": FamilyGroupRef(group_id=77)}])
def test_another_wallets_balance_is_not_taken_for_her_own(asked: dict[str, Any]) -> None:
    till = a_till(a_check_answer(extension=an_extension(wallet=a_wallet_view(9000))))
    till.validation.check(a_request(50, **asked))
    kept = till.cache.find_customer(ADA)
    assert kept is not None
    assert kept.wallets[0].balance == points(500)


# --- Without a line --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [LineDownError(), NotTheServiceError(), SlowDownError(30)])
def test_without_an_answer_the_cache_answers_with_its_age_and_the_reason(trouble: Exception) -> None:
    till = a_till(trouble)
    till.clock.advance(47 * 60)
    checked = till.validation.check(a_request(100))
    assert (checked.source, checked.is_redeemable, checked.as_of) == (Source.CACHE, True, NOW)
    assert checked.trouble is trouble
    assert checked.code is None
    assert checked.points_after == points(400)


def test_once_the_line_is_down_checks_are_answered_at_once_until_a_probe_finds_it_back() -> None:
    till = a_till(LineDownError(), a_check_answer())
    for _ in range(4):
        assert till.validation.check(a_request()).source is Source.CACHE
    assert len(till.ledger.calls("check")) == 1
    till.ledger.says("is_up", True)
    till.line.probe()
    assert till.validation.check(a_request()).source is Source.LEDGER


def test_the_cache_refuses_by_the_same_rules_and_offers_the_nearest_amounts() -> None:
    checked = a_till(LineDownError()).validation.check(a_request(125))
    assert checked.refusals == (Refusal.NOT_A_MULTIPLE,)
    assert checked.nearest == (points(120), points(130))


@pytest.mark.parametrize(
    "trouble",
    [NotAcceptedError(), WrongAddressError(), NotUnderstoodError(), ServiceTroubleError(), NotSafeError()],
)
def test_trouble_that_somebody_must_mend_is_no_offline_answer(trouble: Exception) -> None:
    with pytest.raises(type(trouble)):
        a_till(trouble).validation.check(a_request())


def test_an_unsafe_connection_stays_unsafe_for_the_next_check() -> None:
    till = a_till(NotSafeError("not trusted"))
    for _ in range(2):
        with pytest.raises(NotSafeError):
            till.validation.check(a_request())
    assert till.line.view.state is LineState.OFFLINE


def test_a_customer_never_seen_cannot_be_judged_without_a_line() -> None:
    till = Till(ScriptedLedger(check=[LineDownError()]))
    with pytest.raises(CannotLookUpOfflineError):
        till.validation.check(a_request())
    with pytest.raises(CannotLookUpOfflineError):
        till.validation.check(a_request())


def test_a_busy_service_says_so_where_the_till_knows_nothing_either() -> None:
    till = Till(ScriptedLedger(check=[SlowDownError(30)]))
    with pytest.raises(SlowDownError):
        till.validation.check(a_request())


def test_a_code_is_never_judged_without_a_line() -> None:
    wish = an_organisation(validation_required=True)
    till = a_till(LineDownError(), LineDownError(), organisation=wish)
    checked = till.validation.check(a_request(validation_code="WRONGX"))
    assert checked.is_redeemable
    assert not checked.is_confirmed
    assert checked.needs_proof
    with pytest.raises(LineDownError):
        till.validation.check_code(a_request(validation_code="Q7XK2M"))


def test_points_that_expired_since_they_were_seen_do_not_count() -> None:
    lots = (a_lot(300, date(2026, 11, 22)), a_lot(200, date(2027, 1, 1)))
    till = a_till(LineDownError(), record=a_record(wallets=(a_wallet(500, lots=lots),)))
    till.clock.advance(8 * 3600)
    assert till.validation.check(a_request(300)).is_redeemable  # Still the 22nd in Kolkata, until 18:30 UTC.
    till.clock.advance(3600)
    late = till.validation.check(a_request(300))
    assert late.refusals == (Refusal.BALANCE_TOO_LOW,)
    assert late.nearest == (points(200),)


def test_a_day_begins_where_the_organisation_is() -> None:
    clock = FakeClock(datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    for zone, is_yes in (("America/Los_Angeles", True), ("UTC", True), ("Asia/Tokyo", False), ("Not/AZone", True)):
        till = Till(ScriptedLedger(check=[LineDownError()]), clock=clock)
        lots = (a_lot(500, date(2026, 11, 22)),)
        till.cache.keep_customer(a_record(wallets=(a_wallet(500, lots=lots),)), ADA, NOW)
        till.cache.keep_program(a_program(), NOW)
        till.cache.keep_organisation(an_organisation(time_zone=zone), NOW)
        assert till.validation.check(a_request(100)).is_redeemable is is_yes


def test_a_program_group_is_judged_over_all_her_wallets() -> None:
    days = ((date(2026, 11, 22), points(30)),)
    wallets = (a_wallet(100, redeemed_days=days), a_wallet(300, program_id=7, redeemed_days=days))
    record = a_record(wallets=wallets, programs=(a_program(), a_program(7, is_default=False)))
    switched_on = an_organisation(program_group_redemption=ProgramGroupRule.ENABLED)
    till = a_till(LineDownError(), record=record, program=a_program(), organisation=switched_on)
    assert till.validation.check(a_request(400, program_group=True)).is_redeemable
    assert not till.validation.check(a_request(401, program_group=True)).is_redeemable
    assert not till.validation.check(a_request(101)).is_redeemable


def test_what_was_redeemed_is_unknown_for_all_programs_as_soon_as_it_is_for_one() -> None:
    wallets = (a_wallet(100), replace(a_wallet(300, program_id=7), redeemed_days=None))
    record = a_record(wallets=wallets)
    request = a_request(100, program_group=True)
    facts = facts_from(record, request, organisation=an_organisation(), programs=(), now=NOW)
    assert facts.wallet is not None
    assert facts.wallet.redeemed_days is None


def test_a_family_groups_points_are_not_known_here() -> None:
    till = a_till(LineDownError())
    with pytest.raises(CannotJudgeOfflineError):
        till.validation.check(a_request(family_group=FamilyGroupRef(group_id=77)))


def test_a_program_never_seen_here_is_not_called_unknown_to_the_ledger() -> None:
    till = a_till(LineDownError())
    with pytest.raises(CannotJudgeOfflineError):
        till.validation.check(a_request(program_id=4711))


def test_the_only_program_is_the_default_one_and_several_need_one_that_says_so() -> None:
    plain = a_program(is_default=False)
    till = a_till(LineDownError(), record=a_record(programs=(plain,)), program=plain)
    assert till.validation.check(a_request(100, program_id=None)).is_redeemable
    till.cache.keep_program(a_program(7, is_default=False), NOW)
    with pytest.raises(CannotJudgeOfflineError):
        till.validation.check(a_request(100, program_group=True))


def test_without_a_program_the_default_one_counts() -> None:
    checked = a_till(LineDownError()).validation.check(a_request(125, program_id=None))
    assert checked.refusals == (Refusal.NOT_A_MULTIPLE,)
    assert checked.program is not None
    assert checked.program.program_id == PROGRAM_ID


# --- Codes -----------------------------------------------------------------------------------------------------------


def test_a_code_is_sent_once_and_its_trouble_is_told() -> None:
    answer = CodeAnswer(identity=Identity(), points=ZERO, refusal=None, code=200, message="")
    till = Till(ScriptedLedger(send_code=[answer, LineDownError()]))
    assert till.validation.send_code(SendCode(customer=ADA, points=points(100))) is answer
    with pytest.raises(LineDownError):
        till.validation.send_code(SendCode(customer=ADA, points=points(100)))
    assert len(till.ledger.calls("send_code")) == 2
    assert till.line.view.state is LineState.OFFLINE
