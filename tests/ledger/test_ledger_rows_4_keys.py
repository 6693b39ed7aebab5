"""Contract 4, "Idempotency", at the HTTP face, sentence by sentence; and cancelling (sync-api 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.http_counter import CANCEL, HttpCounter
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


def test_4_a_repeat_gets_the_first_answer_and_moves_nothing(counter: HttpCounter) -> None:
    first = counter.redeem("program_id=973", external_reference_number=KEY, transaction_number="B-1")
    # The same customer, program and group of programs, said in other words; the code, the time and the notes differ.
    for query, members in (
        ("program_id=973", {}),
        ("", {}),
        ("", {"customer": {"email": "tom.sawyer@example.org"}, "program_id": "973"}),
        ("", {"customer": {"id": 50001}, "points_redeemed": 10, "group_redemption": False}),
        ("", {"validation_code": "WRONG1", "notes": "again", "redemption_time": "2020-01-01 00:00:00", "till_id": "9"}),
        ("skip_validation=true&validation_type=MISSED_CALL", {"custom_fields": {"field": []}}),
    ):
        again = counter.redeem(query, **{"external_reference_number": KEY, "transaction_number": "B-1", **members})
        assert (again.row, again.item) == (first.row, first.item), (query, members)
    assert counter.balance() == "490"


def test_4_another_till_of_the_organisation_gets_the_first_answer_too(counter: HttpCounter) -> None:
    first = counter.redeem(external_reference_number=KEY)
    counter.login = "till.014.4"
    assert counter.redeem(external_reference_number=KEY).item == first.item
    assert counter.balance() == "490"


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        *(("", {"mobile": "9000000002"}), ("", {"points_redeemed": "20"}), ("program_id=974", {})),
        *(("", {"group_redemption": True}), ("user_group2_id=77", {}), ("", {"transaction_number": "B-2"})),
        *(("", {"transaction_number": None}), ("", {"mobile": "9000000001"}), ("", {"points_redeemed": "nonsense"})),
    ],
)
def test_4_the_same_reference_with_other_content_is_903(
    counter: HttpCounter, query: str, changes: dict[str, Any]
) -> None:
    counter.redeem(external_reference_number=KEY, transaction_number="B-1")
    counter.with_extension = True
    told = counter.redeem(query, **{"external_reference_number": KEY, "transaction_number": "B-1", **changes})
    assert (told.row, told.reason, told.refusals) == ((200, 500, "false", 903), "key_mismatch", [903])
    assert counter.balance() == "490"


def test_4_a_shape_that_was_refused_is_not_another_shape(counter: HttpCounter) -> None:
    assert counter.redeem(points_redeemed="-5", external_reference_number=KEY).code == 801
    assert counter.redeem(points_redeemed="-5", external_reference_number=KEY).code == 801
    assert counter.redeem(points_redeemed="-6", external_reference_number=KEY).code == 903


@pytest.mark.parametrize(
    ("members", "code"),
    [
        *(({"points_redeemed": "600"}, 818), ({"points_redeemed": "11"}, 807), ({"points_redeemed": "0"}, 801)),
        *(({"mobile": "9000000009"}, 816), ({"mobile": "9000000005"}, 3045), ({"program_id": 999}, 1101)),
        *(({"redemption_time": "2020-01-01 00:00:00"}, 859), ({"user_group2_id": 99}, 1632)),
    ],
)
def test_4_a_refusal_is_remembered(counter: HttpCounter, members: dict[str, Any], code: int) -> None:
    first = counter.redeem(external_reference_number=KEY, **members)
    counter.with_extension = True
    again = counter.redeem(external_reference_number=KEY, **members)
    assert (first.code, again.code, again.item) == (code, code, first.item)
    assert again.extension is not None
    assert (again.extension["replayed"], again.extension["key"]) == (True, KEY)


def test_4_a_failed_proof_is_corrected_under_the_same_reference(ledgers: Ledgers) -> None:
    with ledgers.counter(a_moving_shop(validation_required=True)) as counter:
        code = counter.code(f"{TOM}&points=10")
        asked: dict[str, Any] = {"external_reference_number": KEY}
        assert counter.redeem(**asked).code == 824
        assert counter.redeem(validation_code="WRONG1", **asked).code == 808
        assert counter.redeem("validation_type=MISSED_CALL", **asked).code == 824
        right = counter.redeem(validation_code=code, **asked)
        assert right.code == 800
        assert counter.redeem(**asked).item == right.item  # Known now: no code is looked at.


@pytest.mark.parametrize("reference", ["1", "B-77/2 #\u20ac", "x" * 5000, "6q2p0v8rjx4m1tzc9wd3hkyb5e"])
def test_4_other_makers_references_are_of_any_kind_and_length(counter: HttpCounter, reference: str) -> None:
    first = counter.redeem(external_reference_number=reference)
    assert counter.redeem(external_reference_number=reference).item == first.item
    assert counter.balance() == "490"


@pytest.mark.parametrize("reference", [None, "", "null", "  "])
def test_4_without_a_reference_each_redemption_is_a_new_one(counter: HttpCounter, reference: str | None) -> None:
    numbers = {counter.redeem(external_reference_number=reference).item["redemption_id"] for _ in range(2)}
    assert (len(numbers), counter.balance()) == (2, "480")


def test_4_a_known_reference_is_answered_before_any_rule(counter: HttpCounter) -> None:
    first = counter.redeem(points_redeemed="500", external_reference_number=KEY)
    counter.clock.advance(400 * 24 * 3600)  # References never expire.
    assert counter.redeem(points_redeemed="500", external_reference_number=KEY).item == first.item
    assert counter.redeem(points_redeemed="500", external_reference_number=OTHER_KEY).code == 818


def test_8_an_unknown_key_is_cancelled_and_a_late_copy_gets_903(counter: HttpCounter) -> None:
    reply = counter.cancel(KEY)
    told = reply.json
    assert (reply.status, told["key"], told["outcome"]) == (200, KEY, "cancelled")
    assert (told["redemption_id"], told["reversal_id"], told["wallet"]) == (None, None, None)
    assert told["server_time"] == "2026-11-22T10:00:00.000Z"
    counter.with_extension = True
    for mobile in ("9777785205", "9000000002"):
        late = counter.redeem(mobile=mobile, external_reference_number=KEY)
        assert (late.row, late.reason) == ((200, 500, "false", 903), "key_cancelled")
    assert counter.balance() == "500"


def test_8_a_redeemed_key_is_reversed_once_with_the_first_answer_again(counter: HttpCounter) -> None:
    redeemed = counter.redeem(external_reference_number=KEY)
    first = counter.cancel(KEY)
    counter.clock.advance(60)
    again = counter.cancel(KEY, reason="other", cashier=None)
    told = first.json
    assert (told["outcome"], told["redemption_id"]) == ("reversed", redeemed.item["redemption_id"])
    assert told["reversal_id"]
    assert told["wallet"]["balance"] == "500"
    assert (again.body, counter.balance()) == (first.body, "500")
    counter.with_extension = True
    late = counter.redeem(external_reference_number=KEY)
    assert (late.code, late.reason) == (903, "key_cancelled")


def test_8_a_refused_key_is_refused_still(counter: HttpCounter) -> None:
    counter.redeem(points_redeemed="600", external_reference_number=KEY)
    assert [counter.cancel(KEY).json["outcome"] for _ in range(2)] == ["refused", "refused"]


@pytest.mark.parametrize("is_refused", [True, False])
def test_8_a_key_of_another_till_is_404(counter: HttpCounter, is_refused: bool) -> None:
    counter.redeem(points_redeemed="600" if is_refused else "10", external_reference_number=KEY)
    counter.login = "till.014.4"
    reply = counter.cancel(KEY)
    assert (reply.status, reply.json["errors"][0]["reason"]) == (404, "unknown")
    assert counter.balance() == ("500" if is_refused else "490")


@pytest.mark.parametrize(
    "order",
    [
        {"key": KEY.lower()},
        {"key": "TR-" + KEY},
        {"key": None},
        {"reason": "bored"},
        {"reason": None},
        {"cashier": "7"},
        {"cashier": True},
    ],
)
def test_8_an_order_that_cannot_be_read_is_malformed(counter: HttpCounter, order: dict[str, Any]) -> None:
    reply = counter.cancel(**{"key": KEY, **order})
    error = reply.json["errors"][0]
    assert (reply.status, error["status"], error["code"], error["reason"]) == (400, False, 400, "malformed")
    assert error["field"] in order


def test_8_sync_speaks_json_only(counter: HttpCounter) -> None:
    body = f"<root><key>{KEY}</key><reason>other</reason></root>".encode()
    assert counter.send("POST", CANCEL, "", body, {"Content-Type": "application/xml"}).status == 400
