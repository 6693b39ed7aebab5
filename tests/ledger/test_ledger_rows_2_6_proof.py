"""Contract 2.6 at the HTTP face, row by row: the proof that the customer agrees."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.http_counter import FORMATS, HttpCounter
from support.ledger_server import a_till
from support.row_ledgers import Ledgers
from support.row_shops import KEY, OTHERS, TOM, a_shop


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_shop()) as found:
        yield found


@pytest.mark.parametrize("word", ["true", "false", "null", "", "TRUE", "False"])
def test_2_6_words_that_stand_where_a_code_would(counter: HttpCounter, word: str) -> None:
    assert counter.check(f"{TOM}&points=10&validation_code={word}").code == 800
    assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code={word}").code == 800
    assert len(counter.sender.codes) == 1


def test_2_6_a_check_does_not_use_a_code_up_and_a_redemption_does(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert [counter.check(f"{TOM}&points=10&validation_code={code}").code for _ in range(3)] == [800, 800, 800]
    assert counter.check(f"{TOM}&points=10&validation_code=%20{code.lower()}%20").code == 800
    assert counter.redeem(validation_code=code).code == 800
    used = counter.check(f"{TOM}&points=10&validation_code={code}")
    assert (used.row, used.item["is_redeemable"]) == ((200, 500, "false", 808), "false")


def test_2_6_a_wrong_and_an_expired_code_are_808(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert counter.check(f"{TOM}&points=10&validation_code=WRONG1").code == 808
    counter.clock.advance(10 * 60 - 1)
    assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 800
    counter.clock.advance(1)
    assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 808


def test_2_6_a_code_goes_out_only_after_everything_else_has_passed(counter: HttpCounter) -> None:
    assert counter.check(f"{TOM}&points=11&issue_otp=true").code == 807
    assert counter.check(f"{TOM}&points=600&issue_otp=true").code == 818
    assert counter.sender.codes == []
    assert counter.check(f"{TOM}&points=10&issue_otp=true").code == 800
    assert counter.check(f"{TOM}&points=10&issue_otp=true").code == 800
    first, again = counter.sender.codes
    assert first == again


def test_2_6_a_customer_who_gives_a_code_is_sent_none(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code={code}").code == 800
    assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code=WRONG1").code == 808
    assert len(counter.sender.codes) == 1


@pytest.mark.parametrize(
    ("organisation", "query", "code", "sends"),
    [
        ({}, "skip_validation=true", 824, 0),
        ({}, "skip_validation=true&issue_otp=true", 824, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&issue_otp=true", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&validation_code=WRONG1", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&validation_type=MISSED_CALL", 800, 0),
        ({"skip_validation_allowed": True}, "skip_validation=true&validation_type=INVALID", 800, 0),
        ({}, "validation_type=INVALID", 800, 0),
        ({}, "validation_type=INVALID&issue_otp=true", 800, 1),
        ({}, "validation_type=SMS&issue_otp=true", 800, 1),
        ({}, "validation_type=sms", 800, 0),
        ({}, "validation_type=MISSED_CALL", 823, 0),
        ({}, "validation_type=missed_call&issue_otp=true", 823, 0),
        ({"missed_call_enabled": True}, "validation_type=MISSED_CALL", 822, 0),
        ({"missed_call_enabled": True}, "validation_type=MISSED_CALL&issue_otp=true", 822, 0),
        ({"validation_required": True}, "issue_otp=false", 800, 0),
        ({"validation_required": True}, "issue_otp=true", 800, 1),
    ],
)
@pytest.mark.parametrize("fmt", FORMATS)
def test_2_6_each_way_to_validate(
    ledgers: Ledgers, fmt: str, organisation: dict[str, Any], query: str, code: int, sends: int
) -> None:
    with ledgers.counter(a_shop(**organisation), fmt=fmt) as counter:
        assert counter.check(f"{TOM}&points=10&{query}").code == code
        assert len(counter.sender.codes) == sends


@pytest.mark.parametrize("word", ["Sms", "Missed_Call", "invalid%20x", "EMAIL", "1"])
def test_2_6_another_spelling_of_a_type_is_malformed(reader: HttpCounter, word: str) -> None:
    assert reader.check(f"{TOM}&points=10&validation_type={word}").status == 400


def test_2_6_a_code_serves_up_to_its_points_and_only_its_program(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=20&program_id=973")
    for query, found in (
        *(("points=20&program_id=973", 800), ("points=10", 800), ("points=30", 808)),
        *(("points=10&program_id=974", 808), ("points=20&user_group2_id=77", 800)),
    ):
        assert counter.check(f"{TOM}&{query}&validation_code={code}").code == found, query


def test_2_6_a_code_for_a_user_group_serves_only_it(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=20&user_group2_id=77")
    assert counter.check(f"{TOM}&points=20&user_group2_external_id=FG-1&validation_code={code}").code == 800
    assert counter.check(f"{TOM}&points=20&validation_code={code}").code == 808


# --- Missed calls, and the sentences under the table ------------------------------------------------------------------

MISSED = f"{TOM}&points=10&validation_type=MISSED_CALL"


def phone(counter: HttpCounter, number: str) -> None:
    """The telephony service tells that somebody called (sync-api 12)."""
    body = json.dumps({"from": number}).encode()
    kind = {"Content-Type": "application/json"}
    assert counter.send("POST", "/telephony/v1/missed-calls", "", body, kind).status == 202


def test_2_6_a_missed_call_is_seen_by_checks_and_used_up_by_a_redemption(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop(missed_call_enabled=True)) as counter:
        phone(counter, "+919000000002")
        assert counter.check(MISSED).code == 822  # Somebody else's.
        phone(counter, "+919777785205")
        assert [counter.check(MISSED).code for _ in range(2)] == [800, 800]
        assert counter.check(f"{MISSED}&issue_otp=true").code == 800
        assert counter.sender.codes == []
        assert counter.redeem("validation_type=MISSED_CALL").code == 800
        assert (counter.check(MISSED).code, counter.redeem("validation_type=MISSED_CALL").code) == (822, 822)


def test_2_6_a_missed_call_is_seen_within_the_validity_of_a_code(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop(missed_call_enabled=True, otp={"validity_minutes": 3})) as counter:
        phone(counter, "9777785205")
        counter.clock.advance(3 * 60 - 1)
        assert counter.check(MISSED).code == 800
        counter.clock.advance(1)
        assert counter.check(MISSED).code == 822


def test_2_6_a_missed_call_is_the_proof_an_organisation_demands(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop(missed_call_enabled=True, validation_required=True)) as counter:
        assert counter.redeem("validation_type=MISSED_CALL").code == 824
        phone(counter, "9777785205")
        assert counter.redeem().code == 824
        assert counter.redeem("validation_type=MISSED_CALL").code == 800


def enrol(counter: HttpCounter) -> None:
    """Make the till one of ours (sync-api 4.1)."""
    body = json.dumps(
        {
            "public_key": base64.b64encode(bytes(range(32))).decode(),
            "enrolment_code": None,
            "software": "1.4.0",
            "platform": "linux",
        }
    )
    reply = counter.send("POST", "/sync/v1/enrol", "", body.encode(), {"Content-Type": "application/json"})
    assert (reply.status, reply.json["till"]["till_epoch"]) == (200, 1)


def test_2_6_skipping_at_redeem_needs_a_second_person_at_an_enrolled_till_only(ledgers: Ledgers) -> None:
    skip = "skip_validation=true&validation_type=INVALID"
    with ledgers.counter(a_shop(skip_validation_allowed=True)) as counter:
        assert counter.redeem(skip).code == 800  # A till of another maker.
        enrol(counter)
        assert counter.check(f"{TOM}&points=10&{skip}").code == 800  # A check moves nothing.
        assert counter.redeem(skip).row == (200, 500, "false", 824)
        assert counter.extended().redeem(skip, external_reference_number=KEY).reason == "approval_missing"
        assert counter.balance() == "490"


def test_2_6_a_code_belongs_to_one_customer(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    assert counter.check(f"{OTHERS}&points=10&validation_code={code}").code == 808
    assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 800


def test_2_6_a_code_is_not_tied_to_a_till(ledgers: Ledgers) -> None:
    with ledgers.counter([*a_shop(), a_till(login="till.015.1", store="015")]) as counter:
        code = counter.code(f"{TOM}&points=10")
        counter.login = "till.015.1"
        assert counter.redeem(validation_code=code).code == 800


def test_2_6_another_program_or_group_needs_another_code_and_the_old_one_dies(counter: HttpCounter) -> None:
    first = counter.code(f"{TOM}&points=10&program_id=973")
    second = counter.code(f"{TOM}&points=10&user_group2_id=77")
    third = counter.code(f"{TOM}&points=10&program_id=974")
    assert len({first, second, third}) == 3
    assert counter.check(f"{TOM}&points=10&program_id=973&validation_code={first}").code == 808
    assert counter.check(f"{TOM}&points=10&program_id=974&validation_code={third}").code == 800


@pytest.mark.parametrize(
    ("otp", "length", "alphabet"),
    [
        ({}, 6, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"),
        ({"length": 8, "alphabet": "digits"}, 8, "0123456789"),
        ({"length": 50}, 50, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"),
    ],
)
def test_2_6_what_a_code_looks_like(ledgers: Ledgers, otp: dict[str, Any], length: int, alphabet: str) -> None:
    with ledgers.counter(a_shop(otp=otp)) as counter:
        code = counter.code(f"{TOM}&points=10")
        assert (len(code), set(code) - set(alphabet)) == (length, set())
        assert counter.redeem(validation_code=code).code == 800


def test_2_6_a_code_lives_for_less_where_the_organisation_says_so(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop(otp={"validity_minutes": "2.5"})) as counter:
        code = counter.code(f"{TOM}&points=10")
        counter.clock.advance(149)
        assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 800
        counter.clock.advance(1)
        assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 808
