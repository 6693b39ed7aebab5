"""Contract 7 at the HTTP face: redeemed points are given back, whole or in part."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from support.a_ledger import encoded
from support.http_counter import HttpCounter
from support.ledger_server import a_customer, a_program, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import HOME, KEY, OTHER, OTHER_KEY, SILVER, TOMS, a_family, a_moving_shop, a_person, lots
from support.wsgi import Reply

from pos_app.ledger import schema
from pos_app.ledger.loading.importer import import_file

REVERSE = "/v2/points/reverse"
MOBILE = {"type": "mobile", "value": "9777785205"}


def an_earlier_redemption(**changes: Any) -> dict[str, Any]:
    """An import line: Tom redeemed 100 points before this ledger came."""
    who = {"organisation": 1, "customer_id": TOMS, "program_id": 973, "external_reference_number": OTHER_KEY}
    plain = {"redemption_id": "OLD-1", "points": 100, "at": "2026-11-01T10:00:00+05:30"}
    return {"kind": "redemption", **who, **plain, **changes}


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found
        assert found.book.verify() == []


def _redeem(counter: HttpCounter, points: object = 100, query: str = "", **members: Any) -> str:
    told = counter.redeem(query, points_redeemed=points, **members)
    assert told.code == 800, told
    return str(told.item["redemption_id"])


def _send(counter: HttpCounter, body: object, *, key: str | None = None, query: str = "", **header: Any) -> Reply:
    headers = {"Content-Type": "application/json"}
    if key is not None or header:
        raw = json.dumps({"v": 1, "key": key, **header}).encode()
        headers["X-Pos-Extension"] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return counter.send("POST", REVERSE, query, content, headers)


def _reverse(counter: HttpCounter, redemption_id: str, points: object = None, **more: Any) -> dict[str, Any]:
    """Give back `points` of a redemption, or all of it; the answer must be a yes."""
    body = {"redemptionId": redemption_id, "identifier": MOBILE}
    reply = _send(counter, body if points is None else {**body, "pointsToBeReversed": points}, **more)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json; charset=utf-8"), reply.body
    answer: dict[str, Any] = reply.json
    return answer


def _code(reply: Reply) -> int:
    """The one code of a v2 error, which is HTTP 400."""
    (error,) = reply.json["errors"]
    assert (reply.status, error["status"], set(error)) == (400, False, {"status", "code", "message"})
    return int(error["code"])


def _parts(answer: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    details = answer["pointsReversedDetails"]
    return answer["pointsToBeReversed"], answer["pointsReversed"], details["available"], details["expired"]


# --- What goes back ------------------------------------------------------------------------------------------------


def test_a_whole_redemption_is_given_back(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    assert counter.balance() == "400"
    answer = _reverse(counter, redemption_id)
    assert answer == {
        "redemptionId": redemption_id,
        "pointsToBeReversed": 100,
        "pointsReversed": 100,
        "pointsReversedDetails": {"available": 100, "expired": 0},
        "reversalId": answer["reversalId"],
        "customerId": 50001,
        "orgId": 1,
        "identifier": {"type": "mobile", "value": "9777785205"},
        "warnings": [],
        "errors": [],
    }
    assert (len(answer["reversalId"]), counter.balance()) == (10, "500")


def test_parts_are_given_back_until_the_total_is_reached(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    first, second = _reverse(counter, redemption_id, 30), _reverse(counter, redemption_id, "12.5")
    assert (_parts(first), _parts(second)) == ((30, 30, 30, 0), (12.5, 12.5, 12.5, 0))
    assert first["reversalId"] != second["reversalId"]
    body = {"redemptionId": redemption_id, "identifier": MOBILE}
    assert _code(_send(counter, {**body, "pointsToBeReversed": 57.501})) == 903
    assert _parts(_reverse(counter, redemption_id)) == (57.5, 57.5, 57.5, 0)
    assert counter.balance() == "500"
    assert [_code(_send(counter, each)) for each in (body, {**body, "pointsToBeReversed": 1})] == [3802, 3802]


@pytest.mark.parametrize(
    "identifier",
    [
        {"type": "mobile", "value": "9777785205"},
        {"type": "MOBILE", "value": "+919777785205"},
        {"type": "PHONE", "value": "919777785205"},
        {"type": "email", "value": "TOM.SAWYER@example.org"},
        {"type": "EMAIL", "value": "tom.sawyer@example.org"},
        {"type": "externalId", "value": "434547"},
        {"type": "EXTERNAL_ID", "value": "434547"},
        {"type": "ID", "value": 50001},
        {"type": "id", "value": "50001"},
        {"type": "cardNumber", "value": "6001"},
    ],
)
def test_the_customer_is_named_in_the_words_of_both_pages(counter: HttpCounter, identifier: dict[str, Any]) -> None:
    reply = _send(counter, {"redemptionId": _redeem(counter), "identifier": identifier})
    assert reply.status == 200
    assert reply.json["identifier"] == {"type": identifier["type"], "value": str(identifier["value"])}


@pytest.mark.parametrize("identifier", [{}, {"identifier": None}, {"identifier": {}}])
def test_the_older_page_does_not_name_the_customer(counter: HttpCounter, identifier: dict[str, Any]) -> None:
    reply = _send(counter, {"redemptionId": _redeem(counter), **identifier})
    assert (reply.status, reply.json["identifier"]) == (200, {"type": "ID", "value": "50001"})


def test_a_redemption_across_programs_goes_back_to_each_the_last_drawn_first(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter, 530, group_redemption="true")
    assert _parts(_reverse(counter, redemption_id, 50)) == (50, 50, 50, 0)
    _reverse(counter, redemption_id)
    told = counter.send("GET", "/v1.1/customer/get", "id=50001&points_summary=true").json["response"]["customers"]
    summaries = told["customer"][0]["points_summaries"]["points_summary"]
    assert [each["loyalty_points"] for each in summaries] == [500, 40.125]


def test_a_family_groups_points_go_back_to_the_family_group(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter, 100, "user_group2_id=77")
    assert _parts(_reverse(counter, redemption_id, 40)) == (40, 40, 40, 0)
    told = counter.send("GET", "/v2/customers/points/balance", "entityType=FLEET&id=77").json
    assert (told["mainPoints"], counter.balance()) == (940, "500")


def test_points_whose_day_has_passed_are_not_available_again(ledgers: Ledgers) -> None:
    wallet = {
        "program_id": 973,
        "lots": [{"points": 60, "expires_on": "2026-11-22"}, {"points": 500, "expires_on": "2026-11-23"}],
    }
    lines = [an_organisation(), a_program(), a_till(), a_customer(wallets=[wallet])]
    with ledgers.counter(lines) as counter:
        redemption_id = _redeem(counter)
        counter.clock.advance(24 * 3600)  # The first lot's last day is over, the second's is today.
        assert _parts(_reverse(counter, redemption_id, 30)) == (30, 30, 30, 0)
        assert counter.balance() == "490"
        assert _parts(_reverse(counter, redemption_id, 20)) == (20, 20, 10, 10)
        assert _parts(_reverse(counter, redemption_id)) == (50, 50, 0, 50)
        assert counter.balance() == "500"
        assert counter.redeem(points_redeemed=510).code == 818
        assert counter.book.verify() == []


def test_the_day_that_counts_is_the_organisations(ledgers: Ledgers) -> None:
    wallet = {"program_id": 973, "lots": [{"points": 60, "expires_on": "2026-11-22"}]}
    lines = [an_organisation(), a_program(), a_till(), a_customer(wallets=[wallet])]
    with ledgers.counter(lines) as counter:
        redemption_id = _redeem(counter, 60)
        counter.clock.advance(8 * 3600)  # 18:00 in UTC, 23:30 in Kolkata.
        assert _parts(_reverse(counter, redemption_id, 10)) == (10, 10, 10, 0)
        counter.clock.advance(3600)
        assert _parts(_reverse(counter, redemption_id, 10)) == (10, 10, 0, 10)


def test_a_ceiling_counts_redemptions_less_what_was_given_back(ledgers: Ledgers) -> None:
    program = a_program(criteria={"ceilings": [{"period": "day", "points": 100}]})
    with ledgers.counter([an_organisation(), program, a_till(), a_customer()]) as counter:
        redemption_id = _redeem(counter)
        assert counter.redeem(points_redeemed=1).code == 819
        _reverse(counter, redemption_id, 40)
        assert counter.redeem(points_redeemed=41).code == 819
        assert counter.redeem(points_redeemed=40).code == 800


def test_a_redemption_of_before_is_given_back_with_the_days_it_told(ledgers: Ledgers) -> None:
    history = an_earlier_redemption(
        reversed_points=10,
        lots=[{"points": 40, "expires_on": "2026-11-10"}, {"points": 50, "expires_on": "2026-12-31"}],
    )
    lines = [an_organisation(), a_program(criteria={}), a_till(), a_customer(points=5), history]
    with ledgers.counter(lines) as counter:
        assert _parts(_reverse(counter, "OLD-1", 35)) == (35, 35, 35, 0)
        assert counter.balance() == "40"
        body = {"redemptionId": "OLD-1", "identifier": MOBILE}
        assert _code(_send(counter, {**body, "pointsToBeReversed": 56})) == 903
        assert _parts(_reverse(counter, "OLD-1")) == (55, 55, 25, 30)
        assert (counter.balance(), _code(_send(counter, body))) == ("65", 3802)
        reply = counter.send("GET", "/v1.1/customer/get", "id=50001&expiry_schedule=true")
        (told,) = reply.json["response"]["customers"]["customer"]
        schedule = [(each["points"], each["expiry_date"]) for each in told["expiry_schedule"]["schedule"]]
        assert schedule == [(50, "2026-12-31"), (5, "2035-12-31")]
        assert counter.redeem(points_redeemed=65).code == 800
        assert counter.book.verify() == []


# --- Why it may not be ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redemptionId": "never"}, 902),
        ({"redemptionId": None}, 403),
        ({"redemptionId": ""}, 403),
        ({"redemptionId": ["x"]}, 403),
        ({"identifier": {"type": "mobile"}}, 403),
        ({"identifier": {"value": "9777785205"}}, 403),
        ({"identifier": {"type": "shoe", "value": "42"}}, 400),
        ({"identifier": "9777785205"}, 400),
        ({"identifier": {"type": "mobile", "value": "9000000002"}}, 901),
        ({"identifier": {"type": "mobile", "value": "9000000999"}}, 8015),
        ({"identifier": {"type": "mobile", "value": "abc"}}, 802),
        ({"identifier": {"type": "email", "value": "tom"}}, 802),
        ({"pointsToBeReversed": 0}, 901),
        ({"pointsToBeReversed": -10}, 901),
        ({"pointsToBeReversed": 1.0001}, 901),
        ({"pointsToBeReversed": "ten"}, 901),
        ({"pointsToBeReversed": True}, 901),
        ({"pointsToBeReversed": [10]}, 901),
        ({"pointsToBeReversed": 100.001}, 903),
        ({"pointsToBeReversed": 10**15}, 901),
        ({"programId": 974}, 885),
        ({"programId": "gold"}, 885),
    ],
)
def test_what_may_not_be_has_a_code_and_moves_nothing(ledgers: Ledgers, changes: dict[str, Any], code: int) -> None:
    counter = ledgers.reader([*a_moving_shop(), an_earlier_redemption()])
    assert _code(_send(counter, {"redemptionId": "OLD-1", "identifier": MOBILE, **changes})) == code
    assert counter.balance() == "500"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"<root/>", b"\xff", b"null"])
def test_a_body_that_cannot_be_read_is_told_in_the_shape_of_v2(ledgers: Ledgers, body: bytes) -> None:
    assert _code(_send(ledgers.reader(a_moving_shop()), body)) == 400


def test_the_right_program_may_be_named(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    assert _send(counter, {"redemptionId": redemption_id, "programId": 973}).status == 200
    redemption_id = _redeem(counter)
    assert _code(_send(counter, {"redemptionId": redemption_id}, query=f"programId={SILVER}")) == 885


def test_an_organisation_may_switch_giving_back_off(ledgers: Ledgers) -> None:
    with ledgers.counter(a_moving_shop(reversal_enabled=False)) as counter:
        redemption_id = _redeem(counter)
        assert _code(_send(counter, {"redemptionId": redemption_id})) == 905
        assert _code(_send(counter, {"redemptionId": "never"})) == 905


def test_a_reversal_is_no_get(counter: HttpCounter) -> None:
    reply = counter.send("GET", REVERSE)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_another_organisations_redemption_is_not_known(ledgers: Ledgers) -> None:
    lines = [
        *a_moving_shop(),
        an_organisation(id=2, name="Elsewhere"),
        a_program(organisation=2),
        a_till(organisation=2, login="till.elsewhere"),
        a_customer(organisation=2, wallets=[lots(500)]),
    ]
    with ledgers.counter(lines) as counter:
        elsewhere = replace(counter, login="till.elsewhere")
        redemption_id = _redeem(counter)
        assert _code(_send(elsewhere, {"redemptionId": redemption_id, "identifier": MOBILE})) == 902
        assert _code(_send(elsewhere, {"redemptionId": redemption_id}, key=KEY)) == 902
        assert (counter.balance(), elsewhere.balance()) == ("400", "500")
        answer = _reverse(counter, redemption_id, key=KEY)  # The key of another organisation is another key.
        assert (answer["orgId"], answer["extension"]["replayed"]) == (1, False)
        assert counter.book.verify() == []


# --- Once under a key ----------------------------------------------------------------------------------------------


def test_a_key_is_acted_on_once_and_echoed(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    first = _reverse(counter, redemption_id, 30, key=KEY, cashier=7)
    extension = first.pop("extension")
    assert extension == {
        "v": 1,
        "epoch": 1,
        "server_time": "2026-11-22T10:00:00.000Z",
        "key": KEY,
        "replayed": False,
        "reason": None,
        "refusals": [],
        "nearest": [],
        "wallet": {
            "wallet_id": extension["wallet"]["wallet_id"],
            "version": 3,
            "balance": "430",
            "available": "430",
            "held_offline": "0",
            "held_until": None,
            "held_store": None,
        },
        "customer_id": 50001,
        "otp": None,
        "breakdown": [],
    }
    counter.clock.advance(60)
    again = _reverse(counter, redemption_id, 30, key=KEY, cashier=8)
    assert again.pop("extension") == {**extension, "replayed": True, "server_time": "2026-11-22T10:01:00.000Z"}
    assert (again, counter.balance()) == (first, "430")


def test_without_a_key_each_call_is_a_reversal_of_its_own(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    ids = {_reverse(counter, redemption_id, 10)["reversalId"] for _ in range(3)}
    assert (len(ids), counter.balance()) == (3, "430")


def test_the_extension_is_told_only_to_who_asked(counter: HttpCounter) -> None:
    assert "extension" not in _reverse(counter, _redeem(counter))
    reply = _send(counter, {"redemptionId": "never"}, key=KEY)
    assert (_code(reply), reply.json["extension"]["refusals"], reply.json["extension"]["reason"]) == (902, [902], None)


@pytest.mark.parametrize(
    "changes",
    [
        {"pointsToBeReversed": 31},
        {"pointsToBeReversed": None},
        {"redemptionId": "other"},
        {"identifier": {"type": "mobile", "value": "9000000002"}},
        {"programId": 973},
    ],
)
def test_a_key_with_another_content_moves_nothing(counter: HttpCounter, changes: dict[str, Any]) -> None:
    body = {"redemptionId": _redeem(counter), "identifier": MOBILE, "pointsToBeReversed": 30}
    assert _send(counter, body, key=KEY).status == 200
    reply = _send(counter, {**body, **changes}, key=KEY)
    extension = reply.json["extension"]
    assert (_code(reply), extension["reason"], extension["key"]) == (903, "key_mismatch", KEY)
    assert counter.balance() == "430"


def test_keys_of_redemptions_and_of_reversals_do_not_mix(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter, external_reference_number=KEY)
    reply = _send(counter, {"redemptionId": redemption_id}, key=KEY)
    assert (_code(reply), reply.json["extension"]["reason"]) == (903, "key_mismatch")
    _reverse(counter, redemption_id, 10, key=OTHER_KEY)
    told = replace(counter, with_extension=True).redeem(external_reference_number=OTHER_KEY)
    assert (told.code, told.reason) == (903, "key_mismatch")
    assert counter.cancel(OTHER_KEY).status == 404
    assert counter.balance() == "410"


def test_a_key_that_was_cancelled_gives_nothing_back(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    assert counter.cancel(KEY).json["outcome"] == "cancelled"
    reply = _send(counter, {"redemptionId": redemption_id}, key=KEY)
    assert (_code(reply), reply.json["extension"]["reason"], counter.balance()) == (903, "key_cancelled", "400")


def test_a_refused_reversal_stays_refused_under_its_key(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    body = {"redemptionId": redemption_id, "pointsToBeReversed": 1000}
    assert _code(_send(counter, body, key=KEY)) == 903
    again = _send(counter, body, key=KEY)
    assert (_code(again), again.json["extension"]["replayed"]) == (903, True)
    assert _code(_send(counter, {"redemptionId": redemption_id}, key=KEY)) == 903


def test_the_first_answer_is_given_even_when_reversals_are_switched_off(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter)
    first = _reverse(counter, redemption_id, 30, key=KEY)
    import_file(counter.book, encoded([an_organisation(reversal_enabled=False)]), file_name="later")
    assert _reverse(counter, redemption_id, 30, key=KEY)["reversalId"] == first["reversalId"]
    assert _code(_send(counter, {"redemptionId": redemption_id}, key=OTHER_KEY)) == 905


@pytest.mark.parametrize("header", [{"cashier": 7}, {"key": "short"}, {"key": 5}, {"key": KEY, "cashier": "x"}])
def test_with_the_header_a_key_is_needed(counter: HttpCounter, header: dict[str, Any]) -> None:
    redemption_id = _redeem(counter)
    raw = base64.urlsafe_b64encode(json.dumps({"v": 1, **header}).encode()).decode().rstrip("=")
    reply = counter.send(
        "POST", REVERSE, "", json.dumps({"redemptionId": redemption_id}).encode(), {"X-Pos-Extension": raw}
    )
    assert (_code(reply), counter.balance()) == (400, "400")


def test_without_the_extension_the_header_is_not_read(ledgers: Ledgers) -> None:
    with ledgers.counter(a_moving_shop(), extension=False) as counter:
        answers = [_reverse(counter, _redeem(counter), 10, key=KEY) for _ in range(2)]
    assert ["extension" in each for each in answers] == [False, False]
    assert answers[0]["reversalId"] != answers[1]["reversalId"]


# --- Beside a cancel -----------------------------------------------------------------------------------------------


def test_a_cancel_gives_back_what_a_reversal_left(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter, external_reference_number=KEY)
    _reverse(counter, redemption_id, 30)
    cancelled = counter.cancel(KEY).json
    assert (cancelled["outcome"], cancelled["wallet"]["balance"], counter.balance()) == ("reversed", "500", "500")
    assert _code(_send(counter, {"redemptionId": redemption_id})) == 3802


def test_a_cancel_after_a_whole_reversal_moves_nothing_and_names_it(counter: HttpCounter) -> None:
    redemption_id = _redeem(counter, external_reference_number=KEY)
    reversal_id = _reverse(counter, redemption_id)["reversalId"]
    assert counter.redeem(external_reference_number=KEY, points_redeemed=100).code == 800  # It did happen.
    cancelled = counter.cancel(KEY).json
    assert (cancelled["outcome"], cancelled["reversal_id"]) == ("reversed", reversal_id)
    assert counter.balance() == "500"


def test_a_cancel_is_written_down_as_a_reversal(counter: HttpCounter) -> None:
    _redeem(counter, external_reference_number=KEY)
    told = counter.cancel(KEY).json
    with counter.book.store.read() as connection:
        (row,) = connection.execute(select(schema.reversal))
    assert (row.reversal_id, row.points, row.expired, row.key, row.cashier) == (told["reversal_id"], 100_000, 0, KEY, 7)


def test_members_points_go_back_to_those_who_gave_them(ledgers: Ledgers) -> None:
    lines = [
        an_organisation(family_group_pooling="members"),
        a_program(family_groups_enabled=True, criteria={}),
        a_till(),
        a_customer(points=10),
        a_person(OTHER, 2, wallets=[{"program_id": 973, "lots": [{"points": 30, "expires_on": "2027-01-31"}]}]),
        a_family(HOME, {"customer_id": TOMS, "primary": True}, {"customer_id": OTHER}, name="Pool"),
    ]
    with ledgers.counter(lines) as counter:
        redemption_id = _redeem(counter, 35, "user_group2_id=77")
        _reverse(counter, redemption_id, 10)
        assert (counter.balance(), counter.balance("mobile=9000000002")) == ("10", "5")
        _reverse(counter, redemption_id)
        assert (counter.balance(), counter.balance("mobile=9000000002")) == ("10", "30")
        assert counter.book.verify() == []
