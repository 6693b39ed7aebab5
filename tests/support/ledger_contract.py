"""What every ledger promises, in process or through HTTP: subclass and give a `ledger_kit` fixture.

    class TestThroughHttp(LedgerContract):
        @pytest.fixture
        def ledger_kit(self, ...) -> LedgerKit: ...

The ledger behind the kit must hold `CONTRACT_LINES`, send codes where `codes_sent` sees them, and be asked as the
till of `LOGIN`. Answers are compared by what the wire can carry: codes and numbers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from support.a_ledger import LedgerKit, by_id, redeeming
from support.ledger_server import CUSTOMER, EMAIL, MOBILE, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.domain.answers import CancelOutcome, CheckAnswer, Extension, RedeemAnswer
from pos_app.domain.commands import Cancel, CancelReason, SendCode
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import (
    AskedPoints,
    AskedValue,
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    RedemptionRequest,
    UnreadableAmount,
)

OTHER = 50002
BLOCKED = 50003
SILVER = 974
GROUP = 77
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
OTHER_KEY = "01J9ZQ4M7T8V2W3X5Y6A7B8C9D"


def _lot(points: int | str, expires_on: str | None = "2035-12-31") -> dict[str, Any]:
    return {"points": points, "expires_on": expires_on}


CONTRACT_LINES: list[dict[str, Any]] = [
    an_organisation(program_group_redemption="enabled", skip_validation_allowed=True),
    a_program(criteria={"multiple_of": 10, "minimum": 20, "maximum": 400}, family_groups_enabled=True),
    a_program(id=SILVER, name="Silver", default=False, points_currency_ratio="0.5", criteria={}),
    a_till(),
    a_customer(
        wallets=[{"program_id": PROGRAM, "lots": [_lot(200, "2034-06-30"), _lot(300), _lot(900, "2020-01-31")]}]
    ),
    a_customer(
        id=OTHER,
        mobile="919000000002",
        email=None,
        external_id=None,
        cards=[{"number": "6001", "active": False}, {"number": "6002"}],
        wallets=[{"program_id": PROGRAM, "lots": [_lot(50)]}, {"program_id": SILVER, "lots": [_lot("70.125")]}],
    ),
    a_customer(id=BLOCKED, mobile="919000000003", email=None, external_id=None, fraud_status="CONFIRMED"),
    {
        "kind": "family_group",
        "organisation": 1,
        "id": GROUP,
        "name": "Sawyer",
        "members": [{"customer_id": OTHER, "primary": True}, {"customer_id": CUSTOMER}],
        "wallets": [{"program_id": PROGRAM, "lots": [_lot(1000)]}],
    },
]


def _ask(points: int | str = 100, customer: CustomerRef | None = None, **changes: Any) -> RedemptionRequest:
    return RedemptionRequest(customer=customer or by_id(CUSTOMER), amount=AskedPoints(Points.of(points)), **changes)


def _extension(answer: CheckAnswer | RedeemAnswer) -> Extension:
    assert answer.extension is not None
    return answer.extension


def _lasting(answer: RedeemAnswer) -> RedeemAnswer:
    """The part of an answer that a repeat must repeat."""
    return replace(answer, extension=replace(_extension(answer), replayed=False, server_time=_SOME_TIME))


class LedgerContract:
    """The promises."""

    # --- Check -----------------------------------------------------------------------------------------------------

    def test_a_check_says_yes_and_moves_nothing(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.check(_ask(100))
        assert (answer.code, answer.is_redeemable, answer.points) == (800, True, Points.of(100))
        assert (answer.worth, answer.local_worth, answer.ratio) == (100, 100, 1)
        assert answer.identity.mobile == MOBILE
        assert _extension(answer).customer_id == CUSTOMER
        assert ledger_kit.balance(CUSTOMER, PROGRAM) == Points.of(1400)

    def test_expired_points_do_not_count(self, ledger_kit: LedgerKit) -> None:
        wallet = _extension(ledger_kit.ledger.check(_ask(100))).wallet
        assert wallet is not None
        assert wallet.balance == Points.of(500)

    def test_every_refusal_is_told_and_the_first_one_is_the_answer(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.check(_ask("605"))
        assert answer.code == 819
        assert _extension(answer).refusals == (819, 807, 818)
        assert (answer.worth, answer.is_redeemable) == (0, False)
        assert _extension(answer).nearest == (Points.of(400),)

    def test_a_mobile_number_is_found_with_and_without_its_country_code(self, ledger_kit: LedgerKit) -> None:
        for value in (MOBILE, MOBILE[2:], f"+{MOBILE}", f"00{MOBILE}", f"0{MOBILE[2:]}"):
            answer = ledger_kit.ledger.check(_ask(customer=CustomerRef(IdentifierKind.MOBILE, value)))
            assert _extension(answer).customer_id == CUSTOMER, value
            assert answer.identity.mobile == MOBILE

    def test_an_email_address_is_found_in_any_case(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.check(_ask(customer=CustomerRef(IdentifierKind.EMAIL, EMAIL.upper())))
        assert _extension(answer).customer_id == CUSTOMER

    def test_a_card_that_is_not_active_is_no_identifier(self, ledger_kit: LedgerKit) -> None:
        inactive = ledger_kit.ledger.check(_ask(customer=CustomerRef(IdentifierKind.CARD_NUMBER, "6001")))
        active = ledger_kit.ledger.check(_ask(50, customer=CustomerRef(IdentifierKind.CARD_NUMBER, "6002")))
        assert (inactive.code, active.code) == (802, 800)

    def test_an_unknown_customer_is_889_at_a_check_and_816_at_a_redemption(self, ledger_kit: LedgerKit) -> None:
        nobody = CustomerRef(IdentifierKind.MOBILE, "918888888888")
        check = ledger_kit.ledger.check(_ask(customer=nobody))
        command = redeeming(CUSTOMER, 100, KEY)
        redeem = ledger_kit.ledger.redeem(replace(command, request=replace(command.request, customer=nobody)))
        assert (check.code, redeem.code) == (889, 816)
        assert check.identity.mobile == "918888888888"

    def test_a_blocked_customer_is_809_at_a_check_and_3045_at_a_redemption(self, ledger_kit: LedgerKit) -> None:
        check = ledger_kit.ledger.check(_ask(customer=by_id(BLOCKED)))
        redeem = ledger_kit.ledger.redeem(redeeming(BLOCKED, 100, KEY))
        assert (check.code, redeem.code) == (809, 3045)

    def test_points_that_are_no_number_are_801(self, ledger_kit: LedgerKit) -> None:
        amount = UnreadableAmount(Refusal.POINTS_NOT_POSITIVE)
        answer = ledger_kit.ledger.check(replace(_ask(), amount=amount))
        assert (answer.code, answer.points) == (801, Points(0))

    def test_money_is_turned_into_points(self, ledger_kit: LedgerKit) -> None:
        asked = replace(_ask(program_id=SILVER, customer=by_id(OTHER)), amount=AskedValue(Points.of(25).decimal))
        answer = ledger_kit.ledger.check(asked)
        assert (answer.code, answer.points, answer.worth, answer.by_value) == (800, Points.of(50), 25, True)

    def test_another_program_has_its_own_points_and_worth(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.check(_ask("70.125", customer=by_id(OTHER), program_id=SILVER))
        assert (answer.code, answer.worth) == (800, Points.of("35.06").decimal)

    def test_an_unknown_program_is_1101(self, ledger_kit: LedgerKit) -> None:
        assert ledger_kit.ledger.check(_ask(program_id=4711)).code == 1101

    # --- Codes -----------------------------------------------------------------------------------------------------

    def test_a_code_is_sent_once_everything_else_has_passed(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.check(_ask(100, issue_otp=True))
        assert (answer.code, len(ledger_kit.codes_sent)) == (800, 1)
        otp = _extension(answer).otp
        assert otp is not None
        assert (otp.covers_points, otp.tries_left) == (Points.of(100), 5)

    def test_no_code_is_sent_when_a_rule_fails(self, ledger_kit: LedgerKit) -> None:
        assert ledger_kit.ledger.check(_ask(105, issue_otp=True)).code == 807
        assert ledger_kit.codes_sent == []

    def test_the_same_code_goes_out_again(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True, program_id=PROGRAM))
        answer = ledger_kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER), points=Points.of(100)))
        assert answer.code == 200
        assert "SMS" in answer.message
        first, second = ledger_kit.codes_sent
        assert first == second

    def test_a_right_code_is_right_any_number_of_times(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        for _ in range(7):
            answer = ledger_kit.ledger.check(_ask(100, validation_code=f" {code.lower()} "))
            assert answer.code == 800

    def test_five_wrong_codes_kill_the_code(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        for left in (4, 3, 2, 1, 0):
            answer = ledger_kit.ledger.check(_ask(100, validation_code="WRONG1"))
            otp = _extension(answer).otp
            assert otp is not None
            assert (answer.code, otp.tries_left) == (808, left)
        assert ledger_kit.ledger.check(_ask(100, validation_code=code)).code == 808

    def test_a_code_is_used_up_by_its_redemption(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        first = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, validation_code=code))
        second = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, OTHER_KEY, validation_code=code))
        assert (first.code, second.code) == (800, 808)
        assert ledger_kit.balance(CUSTOMER, PROGRAM) == Points.of(1300)

    def test_a_code_covers_no_more_points_than_the_customer_was_told(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        more = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 110, KEY, validation_code=code))
        less = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 90, OTHER_KEY, validation_code=code))
        assert (more.code, _extension(more).reason, less.code) == (808, "code_not_for_this", 800)

    def test_codes_for_unknown_customers_are_816(self, ledger_kit: LedgerKit) -> None:
        command = SendCode(customer=CustomerRef(IdentifierKind.EMAIL, "nobody@example.org"))
        assert ledger_kit.ledger.send_code(command).code == 816

    # --- Redeem ----------------------------------------------------------------------------------------------------

    def test_a_redemption_takes_the_points_soonest_to_expire(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 250, KEY, bill_number="B-77"))
        assert (answer.code, answer.points, answer.balance) == (800, Points.of(250), Points.of(250))
        assert answer.redemption_id
        assert answer.customer_id == CUSTOMER
        assert answer.effects[0].bill_number == "B-77"
        shares = [(str(share.points), str(share.expires_on)) for share in _extension(answer).breakdown]
        assert shares == [("200", "2034-06-30"), ("50", "2035-12-31")]
        assert ledger_kit.entry_count(KEY) == 2

    def test_the_same_key_again_is_answered_the_same_and_charged_once(self, ledger_kit: LedgerKit) -> None:
        command = redeeming(CUSTOMER, 100, KEY, bill_number="B-1")
        first, again = ledger_kit.ledger.redeem(command), ledger_kit.ledger.redeem(command)
        assert (_extension(first).replayed, _extension(again).replayed) == (False, True)
        assert _lasting(again) == _lasting(first)
        assert _extension(again).key == KEY
        assert (ledger_kit.entry_count(KEY), ledger_kit.balance(CUSTOMER, PROGRAM)) == (1, Points.of(1300))

    def test_a_repeat_whose_code_is_used_up_is_still_a_yes(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, validation_code=code))
        again = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, validation_code=code))
        without = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY))
        assert (again.code, without.code) == (800, 800)

    def test_a_known_key_with_other_content_moves_nothing(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, bill_number="B-1"))
        for other in (
            redeeming(CUSTOMER, 110, KEY, bill_number="B-1"),
            redeeming(CUSTOMER, 100, KEY, bill_number="B-2"),
            redeeming(OTHER, 100, KEY, bill_number="B-1"),
            redeeming(CUSTOMER, 100, KEY, bill_number="B-1", program_id=SILVER),
            redeeming(CUSTOMER, 100, KEY, bill_number="B-1", program_group=True),
            redeeming(CUSTOMER, 100, KEY, bill_number="B-1", family_group=FamilyGroupRef(group_id=GROUP)),
        ):
            answer = ledger_kit.ledger.redeem(other)
            assert (answer.code, answer.refusal, _extension(answer).reason) == (
                903,
                Refusal.KEY_MISMATCH,
                "key_mismatch",
            )
        assert ledger_kit.balance(CUSTOMER, PROGRAM) == Points.of(1300)

    def test_a_refused_redemption_stays_refused_under_its_key(self, ledger_kit: LedgerKit) -> None:
        first = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 390, KEY))
        assert first.code == 800
        refused = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 390, OTHER_KEY))
        assert refused.code == 818
        assert ledger_kit.ledger.cancel(Cancel(key=KEY)) is not None  # The points are back ...
        again = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 390, OTHER_KEY))
        assert (again.code, _extension(again).replayed) == (818, True)  # ... and the late copy changes nothing.

    def test_a_wrong_code_may_be_corrected_under_the_same_key(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        wrong = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, validation_code="WRONG1"))
        right = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, validation_code=code))
        assert (wrong.code, right.code, _extension(right).replayed) == (808, 800, False)

    def test_another_identifier_of_somebody_else_is_904(self, ledger_kit: LedgerKit) -> None:
        someone_else = CustomerRef(IdentifierKind.MOBILE, "919000000002")
        answer = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY, also_named=(someone_else,)))
        assert answer.code == 904

    def test_eight_copies_at_once_charge_once_and_answer_alike(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.check(_ask(100, issue_otp=True))
        (code,) = ledger_kit.codes_sent
        command = redeeming(CUSTOMER, 100, KEY, validation_code=code)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ledger_kit.ledger.redeem(command), range(8)))
        assert len({answer.redemption_id for answer in answers}) == 1
        assert all(_lasting(answer) == _lasting(answers[0]) for answer in answers)
        assert sorted(_extension(answer).replayed for answer in answers) == [False] + [True] * 7
        assert (ledger_kit.entry_count(KEY), ledger_kit.balance(CUSTOMER, PROGRAM)) == (1, Points.of(1300))

    # --- Groups ----------------------------------------------------------------------------------------------------

    def test_a_family_group_pays_from_its_own_wallet(self, ledger_kit: LedgerKit) -> None:
        command = redeeming(CUSTOMER, 400, KEY, family_group=FamilyGroupRef(group_id=GROUP))
        answer = ledger_kit.ledger.redeem(command)
        assert (answer.code, answer.balance) == (800, Points.of(600))
        assert ledger_kit.balance(CUSTOMER, PROGRAM) == Points.of(1400)

    def test_a_program_group_adds_up_all_programs_under_the_default_ones_rules(self, ledger_kit: LedgerKit) -> None:
        enough = ledger_kit.ledger.check(_ask(120, customer=by_id(OTHER), program_group=True))
        too_much = ledger_kit.ledger.check(_ask(130, customer=by_id(OTHER), program_group=True))
        assert (enough.code, enough.worth, too_much.code) == (800, 120, 818)

    # --- Cancel ----------------------------------------------------------------------------------------------------

    def test_cancelling_an_unknown_key_stops_a_late_copy(self, ledger_kit: LedgerKit) -> None:
        answer = ledger_kit.ledger.cancel(Cancel(key=KEY, reason=CancelReason.CUSTOMER_LEFT))
        assert answer is not None
        assert (answer.outcome, answer.redemption_id) == (CancelOutcome.CANCELLED, None)
        late = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 100, KEY))
        assert (late.code, late.refusal, _extension(late).reason) == (903, Refusal.KEY_CANCELLED, "key_cancelled")
        assert ledger_kit.entry_count(KEY) == 0

    def test_cancelling_a_redemption_gives_every_lot_back_once(self, ledger_kit: LedgerKit) -> None:
        redeemed = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 250, KEY))
        first = ledger_kit.ledger.cancel(Cancel(key=KEY, reason=CancelReason.UNKNOWN_RESULT))
        again = ledger_kit.ledger.cancel(Cancel(key=KEY, reason=CancelReason.UNKNOWN_RESULT))
        assert first is not None
        assert first.outcome is CancelOutcome.REVERSED
        assert first.redemption_id == redeemed.redemption_id
        assert again == first
        assert (ledger_kit.balance(CUSTOMER, PROGRAM), ledger_kit.entry_count(KEY)) == (Points.of(1400), 4)
        late = ledger_kit.ledger.redeem(redeeming(CUSTOMER, 250, KEY))
        assert (late.code, _extension(late).reason) == (903, "key_cancelled")

    def test_cancelling_a_refusal_changes_nothing(self, ledger_kit: LedgerKit) -> None:
        ledger_kit.ledger.redeem(redeeming(CUSTOMER, 105, KEY))
        answer = ledger_kit.ledger.cancel(Cancel(key=KEY))
        assert answer is not None
        assert answer.outcome is CancelOutcome.REFUSED

    # --- What a till may know --------------------------------------------------------------------------------------

    def test_a_customer_is_found_with_her_wallets_and_family_groups(self, ledger_kit: LedgerKit) -> None:
        record = ledger_kit.ledger.find_customer(CustomerRef(IdentifierKind.MOBILE, MOBILE))
        assert record is not None
        assert (record.customer.customer_id, record.customer.first_name) == (CUSTOMER, "Tom")
        wallet = next(each for each in record.wallets if each.program_id == PROGRAM)
        assert wallet.balance == Points.of(500)
        assert [str(lot.points) for lot in wallet.lots] == ["200", "300"]
        assert [group.group_id for group in record.family_groups] == [GROUP]

    def test_nobody_is_nobody(self, ledger_kit: LedgerKit) -> None:
        assert ledger_kit.ledger.find_customer(CustomerRef(IdentifierKind.MOBILE, "918888888888")) is None

    def test_a_program_comes_with_its_rules(self, ledger_kit: LedgerKit) -> None:
        program = ledger_kit.ledger.program(PROGRAM)
        assert program is not None
        assert (program.name, program.criteria.multiple_of) == ("Gold Rewards", Points.of(10))
        assert ledger_kit.ledger.program(4711) is None

    def test_the_ledger_says_what_it_can_do(self, ledger_kit: LedgerKit) -> None:
        capabilities = ledger_kit.ledger.capabilities()
        assert ledger_kit.ledger.is_up()
        assert capabilities.has_extension
        assert capabilities.idempotent_redeem
        assert capabilities.features >= {"cancel", "post_reads"}
        assert capabilities.till is not None
        assert capabilities.till.store == "014"

    def test_the_organisations_switches_are_told(self, ledger_kit: LedgerKit) -> None:
        organisation = ledger_kit.ledger.organisation()
        assert organisation is not None
        assert (organisation.currency, organisation.skip_validation_allowed) == ("INR", True)
