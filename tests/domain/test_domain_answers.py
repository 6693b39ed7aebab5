"""Answers, verdicts and troubles: small values others decide on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.builders import points

from pos_app.domain import trouble
from pos_app.domain.answers import Capabilities, CheckAnswer, Identity
from pos_app.domain.refusals import AMOUNT_RULES, PROOF_FAILURES, Refusal
from pos_app.domain.verdict import Verdict


def an_answer(refusal: Refusal | None, code: int) -> CheckAnswer:
    return CheckAnswer(
        identity=Identity(mobile="919812345678", email="ada@example.org", external_id="C-1001"),
        points=points(120),
        worth=Decimal(60),
        local_worth=Decimal(60),
        by_value=False,
        ratio=Decimal("0.5"),
        refusal=refusal,
        code=code,
        message="",
    )


@pytest.mark.parametrize(
    ("refusal", "code", "is_redeemable", "is_code_missing"),
    [
        (None, 800, True, False),
        (None, 876, True, True),
        (Refusal.BALANCE_TOO_LOW, 818, False, False),
        (Refusal.CODE_NOT_SENT, 876, False, False),
    ],
)
def test_a_warning_about_the_code_is_still_a_yes(
    refusal: Refusal | None, code: int, is_redeemable: bool, is_code_missing: bool
) -> None:
    answer = an_answer(refusal, code)
    assert answer.is_redeemable is is_redeemable
    assert answer.is_code_missing is is_code_missing


def test_an_answer_keeps_the_customer_out_of_its_repr() -> None:
    shown = repr(an_answer(None, 800))
    assert "9198" not in shown
    assert "ada@" not in shown
    assert "C-1001" not in shown


def test_a_verdict_without_refusals_is_a_yes() -> None:
    assert Verdict().is_allowed
    assert not Verdict(refusals=(Refusal.OTHER,)).is_allowed


def test_a_service_that_says_nothing_can_do_nothing_beyond_the_contract() -> None:
    plain = Capabilities()
    assert not plain.has_extension
    assert not plain.idempotent_redeem
    assert plain.features == frozenset()


def test_a_failed_proof_and_a_wrong_amount_are_different_things() -> None:
    assert {
        Refusal.PROOF_MISSING,
        Refusal.MISSED_CALL_OFF,
        Refusal.NO_MISSED_CALL,
        Refusal.CODE_WRONG,
    } == PROOF_FAILURES
    assert not PROOF_FAILURES & AMOUNT_RULES


def test_slowing_down_says_for_how_long() -> None:
    slow = trouble.SlowDownError(2.5)
    assert slow.retry_after_s == 2.5
    assert str(slow) == "wait 2.5 s"
    assert trouble.SlowDownError().retry_after_s == 1.0


def test_every_failure_of_the_world_is_a_trouble_and_stands_in_the_tree() -> None:
    errors = [each for name, each in vars(trouble).items() if name.endswith("Error")]
    assert trouble.LineDownError in errors
    for each in errors:
        assert issubclass(each, trouble.Trouble)
        assert f"+-- {each.__name__} " in (trouble.__doc__ or "")
