"""One-time codes: counted before they are looked at, bound to what they were sent for, never stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.a_ledger import BookKit, CollectingSender, a_book, a_kit, asking, by_id, everything_kept, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, PROGRAM, a_customer, a_program, a_small_ledger, a_till, an_organisation

from pos_app.domain.commands import SendCode
from pos_app.domain.facts import Organisation
from pos_app.domain.points import Points
from pos_app.domain.request import FamilyGroupRef, ValidationType
from pos_app.ledger import redeeming as redeeming_module
from pos_app.ledger.code_rows import LETTERS_AND_DIGITS, derive
from pos_app.ledger.sending.spool import SpoolSender

OTHER = 50002
SILVER = 974


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str, clock: FakeClock) -> Iterator[BookKit]:
    lines = [
        an_organisation(skip_validation_allowed=True),
        a_program(criteria={}, family_groups_enabled=True),
        a_program(id=SILVER, default=False, criteria={}),
        a_till(),
        a_till(login="till.015.1", store="015"),
        a_customer(
            wallets=[
                {"program_id": PROGRAM, "lots": [{"points": 5000}]},
                {"program_id": SILVER, "lots": [{"points": 5000}]},
            ]
        ),
        a_customer(id=OTHER, mobile="919000000002", email=None, external_id=None),
    ]
    with a_kit(tmp_path, url=ledger_url, lines=lines, clock=clock) as made:
        yield made


def _wrong(kit: BookKit, times: int, customer: int = CUSTOMER) -> list[str | None]:
    answers = [kit.ledger.check(asking(customer, 100, validation_code="WRONG1")) for _ in range(times)]
    assert {answer.code for answer in answers} == {808}
    return [answer.extension.reason for answer in answers if answer.extension is not None]


def _reason(kit: BookKit, code: str, points: int = 100) -> tuple[int, str | None]:
    answer = kit.ledger.check(asking(CUSTOMER, points, validation_code=code))
    assert answer.extension is not None
    return answer.code, answer.extension.reason


def _issue(kit: BookKit, points: int = 100) -> str:
    assert kit.ledger.check(asking(CUSTOMER, points, issue_otp=True)).code == 800
    return kit.codes_sent[-1]


def test_a_code_is_six_of_thirty_two_characters_or_as_many_digits_as_the_organisation_says() -> None:
    plain = derive(b"p" * 32, 7, b"n" * 16, Organisation())
    digits = derive(b"p" * 32, 7, b"n" * 16, Organisation(otp_alphabet="digits", otp_length=8))
    long = derive(b"p" * 32, 7, b"n" * 16, Organisation(otp_length=50))
    assert (len(plain), set(plain) <= set(LETTERS_AND_DIGITS), len(LETTERS_AND_DIGITS)) == (6, True, 32)
    assert (len(digits), digits.isdigit()) == (8, True)
    assert len(long) == 50
    assert len({derive(b"p" * 32, number, b"n" * 16, Organisation()) for number in range(1000)}) == 1000


def test_the_code_is_nowhere_in_the_database(kit: BookKit, tmp_path: Path) -> None:
    code = _issue(kit)
    kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1", validation_code=code))
    assert code not in everything_kept(kit.book)
    files = [each for each in tmp_path.iterdir() if each.is_file()]
    assert all(code.encode() not in each.read_bytes() for each in files)


def test_the_message_names_the_store_and_the_points(kit: BookKit) -> None:
    _issue(kit, 120)
    (message,) = kit.sender.messages
    assert "120 points" in message.text
    assert "store 014" in message.text
    assert (message.channel, message.points, message.customer_id) == ("SMS", Points.of(120), CUSTOMER)
    assert message.code not in repr(message)


def test_a_try_is_counted_even_when_everything_after_it_fails(kit: BookKit, monkeypatch: pytest.MonkeyPatch) -> None:
    _issue(kit)

    def crash(*_: object) -> None:
        raise RuntimeError("the ledger died here")

    with monkeypatch.context() as patched:
        patched.setattr(redeeming_module, "_once", crash)
        for number in range(5):
            with pytest.raises(RuntimeError):
                kit.ledger.redeem(redeeming(CUSTOMER, 100, f"K{number}", validation_code="WRONG1"))
    answer = kit.ledger.check(asking(CUSTOMER, 100, validation_code=kit.codes_sent[0]))
    assert answer.code == 808


def test_a_crash_between_the_count_and_the_look_costs_a_try(kit: BookKit, monkeypatch: pytest.MonkeyPatch) -> None:
    code = _issue(kit)

    def crash(*_: object) -> None:
        raise RuntimeError("the ledger died here")

    with monkeypatch.context() as patched:
        patched.setattr("pos_app.ledger.codes.derive", crash)
        with pytest.raises(RuntimeError):
            kit.ledger.check(asking(CUSTOMER, 100, validation_code=code))
    answer = kit.ledger.check(asking(CUSTOMER, 100, validation_code=code))
    assert answer.extension is not None
    assert answer.extension.otp is not None
    assert (answer.code, answer.extension.otp.tries_left) == (800, 4)


def test_a_right_code_gives_its_try_back(kit: BookKit) -> None:
    code = _issue(kit)
    _wrong(kit, 4)
    assert _reason(kit, code) == (800, None)
    assert _reason(kit, code) == (800, None)
    assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1", validation_code=code)).code == 800


def test_sending_again_does_not_reset_the_tries(kit: BookKit) -> None:
    code = _issue(kit)
    _wrong(kit, 3)
    assert _issue(kit) == code
    answer = kit.ledger.check(asking(CUSTOMER, 100, validation_code="WRONG1"))
    assert answer.extension is not None
    assert answer.extension.otp is not None
    assert answer.extension.otp.tries_left == 1


def test_wrong_checks_of_one_customer_are_limited_over_all_her_codes(kit: BookKit, clock: FakeClock) -> None:
    _issue(kit)
    assert _wrong(kit, 5) == ["code_wrong"] * 4 + ["code_dead"]
    fresh = _issue(kit)
    assert _reason(kit, fresh) == (808, "customer_limit")
    clock.advance(15 * 60 + 1)
    assert _reason(kit, _issue(kit)) == (800, None)


def test_checks_while_no_code_is_out_count_for_the_customer_too(kit: BookKit) -> None:
    _wrong(kit, 5)
    assert _reason(kit, _issue(kit)) == (808, "customer_limit")


def test_another_customer_is_not_touched_by_the_limit(kit: BookKit) -> None:
    _wrong(kit, 5, OTHER)
    assert _reason(kit, _issue(kit)) == (800, None)


def test_a_till_that_guesses_is_stopped_for_an_hour(tmp_path: Path, ledger_url: str, clock: FakeClock) -> None:
    people = [
        a_customer(id=number, mobile=f"91900000{number}", email=None, external_id=None) for number in range(1001, 1009)
    ]
    with a_kit(tmp_path, url=ledger_url, lines=[an_organisation(), a_program(), a_till(), *people], clock=clock) as kit:
        for number in range(1001, 1006):
            _wrong(kit, 4, number)
        answer = kit.ledger.check(asking(1007, 100, validation_code="WRONG1"))
        assert answer.extension is not None
        assert answer.extension.reason == "till_limit"
        clock.advance(3601)
        assert _wrong(kit, 1, 1007) == ["code_wrong"]


def test_a_hundred_straight_failures_lock_her_codes(kit: BookKit, clock: FakeClock) -> None:
    for _ in range(100):
        _wrong(kit, 1)
        clock.advance(3700)
    assert _reason(kit, _issue(kit)) == (808, "customer_limit")
    clock.advance(40 * 86400)
    assert _reason(kit, _issue(kit)) == (808, "customer_limit")


def test_a_code_expires(kit: BookKit, clock: FakeClock) -> None:
    code = _issue(kit)
    clock.advance(601)
    assert _reason(kit, code) == (808, "code_expired")


def test_an_expired_but_right_code_is_no_wrong_try(kit: BookKit, clock: FakeClock) -> None:
    code = _issue(kit)
    clock.advance(601)
    for _ in range(6):
        assert _reason(kit, code) == (808, "code_expired")
    assert _reason(kit, _issue(kit)) == (800, None)


def test_a_larger_number_needs_a_new_code_and_the_old_one_dies(kit: BookKit) -> None:
    first = _issue(kit, 100)
    second = _issue(kit, 200)
    assert first != second
    assert _reason(kit, first) == (808, "code_wrong")
    assert _reason(kit, second) == (800, None)


def test_a_smaller_number_is_covered_by_the_live_code(kit: BookKit) -> None:
    assert _issue(kit, 100) == _issue(kit, 60)


def test_a_code_without_points_is_bound_to_the_number_it_is_next_asked_with(kit: BookKit) -> None:
    kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER)))
    code = _issue(kit, 100)
    assert kit.codes_sent == [code, code]
    assert _reason(kit, code, 110) == (808, "code_not_for_this")
    assert _reason(kit, code, 100) == (800, None)


def test_a_code_serves_only_in_the_program_the_issuing_call_named(kit: BookKit) -> None:
    kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True, program_id=SILVER))
    (code,) = kit.codes_sent
    assert _reason(kit, code) == (808, "code_not_for_this")
    answer = kit.ledger.check(asking(CUSTOMER, 100, validation_code=code, program_id=SILVER))
    assert answer.code == 800


def test_a_code_sent_for_a_family_group_serves_only_it(tmp_path: Path, ledger_url: str) -> None:
    group = {
        "kind": "family_group",
        "organisation": 1,
        "id": 77,
        "name": "Sawyer",
        "members": [{"customer_id": CUSTOMER, "primary": True}],
        "wallets": [{"program_id": PROGRAM, "lots": [{"points": 500}]}],
    }
    lines = [an_organisation(), a_program(family_groups_enabled=True), a_till(), a_customer(), group]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        family = FamilyGroupRef(group_id=77)
        assert kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True, family_group=family)).code == 800
        (code,) = kit.codes_sent
        assert _reason(kit, code) == (808, "code_not_for_this")
        assert kit.ledger.check(asking(CUSTOMER, 100, validation_code=code, family_group=family)).code == 800


def test_a_code_of_another_customer_is_wrong(kit: BookKit) -> None:
    code = _issue(kit)
    answer = kit.ledger.check(asking(OTHER, 100, validation_code=code))
    assert answer.code == 808


def test_another_till_may_use_the_code(kit: BookKit) -> None:
    code = _issue(kit)
    other = BookKit(kit.book, kit.sender, "till.015.1")
    assert other.ledger.redeem(redeeming(CUSTOMER, 100, "K1", validation_code=code)).code == 800


def test_sendings_of_a_day_are_limited(kit: BookKit, clock: FakeClock) -> None:
    for _ in range(10):
        _issue(kit)
    check = kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True))
    code = kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER)))
    assert check.extension is not None
    assert (check.code, check.is_redeemable, check.extension.reason) == (876, True, "sends_used_up")
    assert (code.code, len(kit.codes_sent)) == (860, 10)
    clock.advance(86400)
    _issue(kit)


def test_a_sender_that_fails_leaves_the_points_redeemable_and_the_code_ready(kit: BookKit) -> None:
    kit.sender.is_broken = True
    answer = kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True))
    assert answer.extension is not None
    assert (answer.code, answer.is_redeemable, answer.extension.reason) == (876, True, "sender_failed")
    kit.sender.is_broken = False
    _issue(kit)


def test_no_sender_at_all_is_876(tmp_path: Path, ledger_url: str) -> None:
    with a_book(tmp_path, url=ledger_url, lines=a_small_ledger()) as book:
        assert BookKit(book).ledger.check(asking(CUSTOMER, 100, issue_otp=True)).code == 876


def test_a_slow_sender_holds_no_lock(tmp_path: Path, ledger_url: str) -> None:
    class AskingSender(CollectingSender):
        """Redeems from another customer while it sends, as a second till would."""

        def send(self, message: object) -> str:
            self.seen = BookKit(self.book).ledger.redeem(redeeming(OTHER, 100, "K-meanwhile"))  # type: ignore[attr-defined]
            return "SMS"

    sender = AskingSender()
    lines = [*a_small_ledger(), a_customer(id=OTHER, mobile="919000000002", email=None, external_id=None)]
    with a_book(tmp_path, url=ledger_url, lines=lines, sender=sender) as book:
        sender.book = book  # type: ignore[attr-defined]
        assert BookKit(book).ledger.check(asking(CUSTOMER, 100, issue_otp=True)).code == 800
        assert sender.seen.code == 800


def test_skipping_needs_no_code_and_checks_none(kit: BookKit) -> None:
    _issue(kit)
    answer = kit.ledger.check(asking(CUSTOMER, 100, skip_validation=True, validation_code="WRONG1"))
    assert answer.code == 800
    assert _wrong(kit, 4) == ["code_wrong"] * 4


def test_missed_calls_are_823_where_they_are_not_used_and_822_while_none_came(tmp_path: Path) -> None:
    for is_enabled, code in ((False, 823), (True, 822)):
        folder = tmp_path / str(code)
        folder.mkdir()
        lines = [an_organisation(missed_call_enabled=is_enabled), a_program(), a_till(), a_customer()]
        with a_kit(folder, lines) as kit:
            request = asking(CUSTOMER, 100, validation_type=ValidationType.MISSED_CALL, issue_otp=True)
            assert kit.ledger.check(request).code == code
            assert kit.codes_sent == []


def test_a_redemption_needs_a_code_where_the_organisation_wants_one(tmp_path: Path, ledger_url: str) -> None:
    lines = [an_organisation(validation_required=True), a_program(), a_till(), a_customer()]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        assert kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True)).code == 800
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1")).code == 824
        (code,) = kit.codes_sent
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1", validation_code=code)).code == 800


def test_a_repeat_under_a_known_key_looks_at_no_code(kit: BookKit) -> None:
    kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1"))
    code = _issue(kit)
    for _ in range(6):
        assert kit.ledger.redeem(redeeming(CUSTOMER, 100, "K1", validation_code="WRONG1")).code == 800
    answer = kit.ledger.check(asking(CUSTOMER, 100, validation_code=code))
    assert answer.extension is not None
    assert answer.extension.otp is not None
    assert (answer.code, answer.extension.otp.tries_left) == (800, 5)


def test_a_code_refused_for_another_reason_stays_live(kit: BookKit) -> None:
    kit.ledger.send_code(SendCode(customer=by_id(CUSTOMER)))
    (code,) = kit.codes_sent
    assert kit.ledger.redeem(redeeming(CUSTOMER, 6000, "K1", validation_code=code)).code == 818
    assert kit.ledger.redeem(redeeming(CUSTOMER, 5000, "K2", validation_code=code)).code == 800


def test_the_spool_holds_one_whole_file_a_message(tmp_path: Path, ledger_url: str) -> None:
    spool = tmp_path / "spool"
    with a_book(tmp_path, url=ledger_url, lines=a_small_ledger(), sender=SpoolSender(spool)) as book:
        BookKit(book).ledger.check(asking(CUSTOMER, 100, issue_otp=True))
    (file,) = spool.iterdir()
    message = json.loads(file.read_text())
    assert file.suffix == ".json"
    assert set(message) == {
        "organisation",
        "customer_id",
        "channel",
        "to",
        "code",
        "points",
        "text",
        "issued_at",
        "expires_at",
    }
    assert (message["points"], message["expires_at"]) == ("100", "2026-11-22T10:10:00.000Z")


def test_an_organisations_own_sender_wins(tmp_path: Path, ledger_url: str) -> None:
    own = tmp_path / "own"
    lines = [an_organisation(otp={"sender": f"spool:{own}"}), a_program(), a_till(), a_customer()]
    with a_kit(tmp_path, url=ledger_url, lines=lines) as kit:
        kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True))
        assert (kit.codes_sent, len(list(own.iterdir()))) == ([], 1)
