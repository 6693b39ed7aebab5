"""Contract 3 at the HTTP face, row by row: sending codes, and its allowances sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.http_counter import CHECK, FORMATS, HttpCounter
from support.row_ledgers import Ledgers
from support.row_shops import (
    KEY,
    OTHER_KEY,
    TOM,
    a_moving_shop,
)


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        *((TOM, 200), ("email=TOM.sawyer@example.org", 200), ("external_id=434547", 200), ("card_number=6001", 200)),
        *(("card_external_id=X1", 200), ("id=50001", 200), ("user_id=50001", 200), ("id=50001&user_id=50001", 200)),
        *((f"{TOM}&points=10", 200), (f"{TOM}&points=11", 200), (f"{TOM}&points=9999", 200), (f"{TOM}&points=", 200)),
        *(
            (f"{TOM}&points=0", 801),
            (f"{TOM}&points=-100", 801),
            (f"{TOM}&points=ten", 801),
            (f"{TOM}&points=null", 200),
        ),
        *(("mobile=9000000001", 816), ("mobile=abc", 802), ("email=nobody", 802), ("user_id=abc", 802)),
        *(("mobile=9000000003", 881), ("mobile=9000000004", 881), ("mobile=9000000005", 809)),
    ],
)
def test_3_codes_are_sent_to_whom_they_may(ledgers: Ledgers, fmt: str, query: str, code: int) -> None:
    with ledgers.counter(a_moving_shop(), fmt=fmt) as counter:
        told = counter.send_code(query)
        assert told.row == ((200, 200, "true", 200) if code == 200 else (200, 500, "false", code))
        assert told.message == ("Operation Successful" if code == 200 else "All requests have failed due to errors")
        assert len(counter.sender.codes) == (code == 200)
        if code == 200:
            assert told.words == "Validation Code Issued by SMS"
            assert (told.item["mobile"], told.item["external_id"]) == ("919777785205", "434547")


@pytest.mark.parametrize("query", ["", "points=10", f"{TOM}&email=a@example.org", "id=50001&user_id=50002"])
def test_3_exactly_one_customer(counter: HttpCounter, query: str) -> None:
    assert counter.send_code(query).status == 400


@pytest.mark.parametrize("fmt", FORMATS)
def test_3_a_code_that_cannot_leave_is_860(counter: HttpCounter, fmt: str) -> None:
    counter.sender.is_broken = True
    assert counter.reading(fmt).send_code(f"{TOM}&points=10").row == (200, 500, "false", 860)


def test_3_the_code_itself_is_in_no_answer(counter: HttpCounter) -> None:
    counter.with_extension = True
    replies = [counter.send("GET", CHECK, f"{TOM}&points=10&issue_otp=true")]
    (code,) = counter.sender.codes
    replies += [
        counter.send("GET", "/v1.1/points/validationcode", f"{TOM}&points=10"),
        counter.send("GET", CHECK, f"{TOM}&points=10&validation_code={code}"),
    ]
    counter.redeem(validation_code=code, external_reference_number=KEY)
    assert all(code.encode() not in reply.body for reply in replies)


def test_3_the_same_code_goes_out_again_until_it_expires(counter: HttpCounter) -> None:
    counter.send_code(f"{TOM}&points=10")
    counter.clock.advance(9 * 60)
    counter.send_code(f"{TOM}&points=10")
    counter.clock.advance(60)
    counter.send_code(f"{TOM}&points=10")
    first, again, later = counter.sender.codes
    assert first == again != later


def test_3_a_larger_number_needs_another_code_and_a_smaller_one_does_not(counter: HttpCounter) -> None:
    for points in (20, 10, 30):
        counter.send_code(f"{TOM}&points={points}")
    first, smaller, larger = counter.sender.codes
    assert first == smaller != larger
    assert counter.check(f"{TOM}&points=10&validation_code={first}").code == 808
    assert counter.check(f"{TOM}&points=30&validation_code={larger}").code == 800


def test_3_a_code_without_points_has_no_bound_until_a_number_is_asked_for(counter: HttpCounter) -> None:
    counter.send_code(TOM)
    (code,) = counter.sender.codes
    assert counter.check(f"{TOM}&points=500&validation_code={code}").code == 800
    counter.send_code(f"{TOM}&points=20")
    assert counter.sender.codes == [code, code]
    assert counter.check(f"{TOM}&points=30&validation_code={code}").code == 808
    assert counter.check(f"{TOM}&points=20&validation_code={code}").code == 800


def test_3_ten_sendings_a_day_over_both_calls(counter: HttpCounter) -> None:
    for _ in range(5):
        assert counter.send_code(f"{TOM}&points=10").code == 200
        assert counter.check(f"{TOM}&points=10&issue_otp=true").code == 800
    assert counter.send_code(f"{TOM}&points=10").row == (200, 500, "false", 860)
    warned = counter.check(f"{TOM}&points=10&issue_otp=true")
    assert (warned.row, warned.item["is_redeemable"]) == ((200, 200, "true", 876), "true")
    assert len(counter.sender.codes) == 10
    assert counter.send_code("mobile=9000000002").code == 200  # The ceiling is hers alone ...
    counter.clock.advance(24 * 3600)
    assert counter.send_code(f"{TOM}&points=10").code == 200  # ... and of one day.


def test_3_five_wrong_tries_over_all_calls_close_every_check_for_a_quarter_of_an_hour(counter: HttpCounter) -> None:
    counter.with_extension = True
    counter.code(f"{TOM}&points=10")
    for _ in range(3):
        assert counter.check(f"{TOM}&points=10&validation_code=WRONG1").code == 808
    for key in (KEY, OTHER_KEY):
        assert counter.redeem(validation_code="WRONG2", external_reference_number=key).code == 808
    counter.clock.advance(60)
    fresh = counter.code(f"{TOM}&points=10")
    closed = counter.check(f"{TOM}&points=10&validation_code={fresh}")
    assert (closed.code, closed.reason) == (808, "customer_limit")
    counter.clock.advance(14 * 60)
    after = counter.code(f"{TOM}&points=10")
    assert counter.check(f"{TOM}&points=10&validation_code={after}").code == 800


def test_3_five_wrong_tries_of_one_code_kill_it(ledgers: Ledgers) -> None:
    with ledgers.counter(a_moving_shop(otp={"checks_per_window": 100})) as counter:
        code = counter.code(f"{TOM}&points=10")
        counter.with_extension = True
        reasons = [counter.check(f"{TOM}&points=10&validation_code=WRONG1").reason for _ in range(5)]
        assert reasons == ["code_wrong"] * 4 + ["code_dead"]
        assert counter.check(f"{TOM}&points=10&validation_code={code}").code == 808


def test_3_a_right_code_gives_its_try_back(counter: HttpCounter) -> None:
    code = counter.code(f"{TOM}&points=10")
    for given in ("WRONG1", code, "WRONG1", code, "WRONG1", code, "WRONG1", code):
        assert counter.check(f"{TOM}&points=10&validation_code={given}").code == (800 if given == code else 808)
    assert counter.redeem(validation_code=code).code == 800
