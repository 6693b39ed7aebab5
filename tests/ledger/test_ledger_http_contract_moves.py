"""What moves or finds at the HTTP face, row by row: contract 3 to 5, sync-api 3, 8, 11 and 12, literally."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.http_counter import CANCEL, CHECK, CUSTOMER, FORMATS, REDEEM, HttpCounter, a_counter, read
from support.ledger_server import a_customer, a_program, a_till, an_organisation

GOLD, SILVER = 973, 974
OTHER, JOINED_NOT, CAMPAIGN, MARKED = 50002, 50003, 50004, 50005
TOM = "mobile=9777785205"
KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
OTHER_KEY = "01J9ZQ4M7T8V2W3X5Y6A7B8C9D"


def lots(points: int | str, program: int = GOLD) -> dict[str, Any]:
    """A wallet with one lot."""
    return {"program_id": program, "lots": [{"points": points, "expires_on": "2035-12-31"}]}


def a_person(customer_id: int, last_digit: int, **changes: Any) -> dict[str, Any]:
    """Another customer, whose mobile number ends in `last_digit`."""
    plain = {"id": customer_id, "mobile": f"91900000000{last_digit}", "email": None, "external_id": None}
    return a_customer(**{**plain, **changes})


def a_shop(**organisation: Any) -> list[dict[str, Any]]:
    """Two programs, five customers, one family group, two tills."""
    return [
        an_organisation(**{"program_group_redemption": "enabled", **organisation}),
        a_program(family_groups_enabled=True, criteria={"multiple_of": 10}),
        a_program(id=SILVER, name="Silver", default=False, points_currency_ratio="0.25", criteria={}),
        a_till(),
        a_till(login="till.014.4"),
        a_customer(
            wallets=[lots(500), lots("40.125", SILVER)],
            default_family_group_id=77,
            cards=[{"number": "6001", "external_id": "X1"}],
            tier="Gold Plus",
        ),
        a_person(OTHER, 2, wallets=[lots(500)]),
        a_person(JOINED_NOT, 3, type="NON_LOYALTY"),
        a_person(CAMPAIGN, 4, campaign_only=True),
        a_person(MARKED, 5, fraud_status="Confirmed"),
        {
            "kind": "family_group",
            "organisation": 1,
            "id": 77,
            "name": "Sawyer",
            "external_id": "FG-1",
            "members": [{"customer_id": 50001, "primary": True}, {"customer_id": OTHER}],
            "wallets": [lots(1000)],
        },
    ]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[HttpCounter]:
    with a_counter(tmp_path, a_shop()) as found:
        yield found


# --- 3: codes -------------------------------------------------------------------------------------------------------


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
def test_3_codes_are_sent_to_whom_they_may(tmp_path: Path, fmt: str, query: str, code: int) -> None:
    with a_counter(tmp_path, a_shop(), fmt=fmt) as counter:
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


def test_3_five_wrong_tries_of_one_code_kill_it(tmp_path: Path) -> None:
    with a_counter(tmp_path, a_shop(otp={"checks_per_window": 100})) as counter:
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


# --- 4: the body ----------------------------------------------------------------------------------------------------

ITEM = {"points_redeemed": "10", "customer": {"mobile": "9777785205"}}
XML_ITEM = "<points_redeemed>10</points_redeemed><customer><mobile>9777785205</mobile></customer>"


@pytest.mark.parametrize(
    ("body", "http"),
    [
        *(({"root": {"redeem": [ITEM]}}, 200), ({"root": {"redeem": ITEM}}, 200), ({"redeem": [ITEM]}, 200)),
        *(({"root": {"redeem": [ITEM, ITEM]}}, 400), ({"root": {"redeem": []}}, 400), ({"root": {}}, 400)),
        *(({}, 400), ([ITEM], 400), ({"root": {"redeem": "10"}}, 400), ({"root": {"redeem": [[ITEM]]}}, 400)),
        *((b"", 400), (b"{", 400), (b"redeem=10", 400), (b'"x"', 400)),
        (f"<root><redeem>{XML_ITEM}</redeem></root>".encode(), 200),
        (f"<root><redeem>{XML_ITEM}</redeem><redeem>{XML_ITEM}</redeem></root>".encode(), 400),
        (f"<root><redeem><element>{XML_ITEM}</element></redeem></root>".encode(), 200),
        (f"<root><redeem><element>{XML_ITEM}</element><element>{XML_ITEM}</element></redeem></root>".encode(), 400),
        (b"<root></root>", 400),
    ],
)
@pytest.mark.parametrize("fmt", FORMATS)
def test_4_one_redemption_in_an_array_or_bare(counter: HttpCounter, body: object, http: int, fmt: str) -> None:
    told = counter.reading(fmt).redeem_body(body)
    assert told.http == http
    assert counter.balance() == ("490" if http == 200 else "500")


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        *((10, 800), ("10", 800), ("10.000", 800), (" 10 ", 800), ("+10", 800), (10.0, 800), (None, 801), ("", 801)),
        *((0, 801), (-10, 801), ("ten", 801), ("1e1", 801), (True, 801), ([], 801), ("10.1255", 878), (10.1255, 878)),
        *((11, 807), (510, 818)),
    ],
)
def test_4_points_redeemed(counter: HttpCounter, asked: object, code: int, fmt: str) -> None:
    told = counter.reading(fmt).redeem(points_redeemed=asked)
    assert told.row == ((200, 200, "true", 800) if code == 800 else (200, 500, "false", code))


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("customer", "code"),
    [
        *(({"mobile": "9777785205", "email": "", "external_id": "", "card_number": None}, 800), ({"id": 50001}, 800)),
        *(({"email": "tom.sawyer@example.org"}, 800), ({"external_id": "434547"}, 800), ({"card_number": "6001"}, 800)),
        *(({"card_external_id": "X1"}, 800), ({"mobile": 9777785205}, 800), ({"mobile": "null", "id": "50001"}, 800)),
        # Two filled ones of one customer; then one of nobody, who is not someone else; then of someone else.
        ({"mobile": "9777785205", "email": "tom.sawyer@example.org", "id": "50001"}, 800),
        ({"mobile": "9777785205", "external_id": "nobody's"}, 800),
        *(({"mobile": "9777785205", "id": 50002}, 904), ({"id": 50001, "mobile": "9000000002"}, 904)),
        ({"mobile": "9000000009", "id": "50001"}, 816),
        *(({"mobile": "9000000009"}, 816), ({"mobile": "abc"}, 802), ({"email": "nobody"}, 802), ({"id": "x"}, 802)),
        *(({"mobile": "9000000003"}, 881), ({"mobile": "9000000004"}, 686), ({"mobile": "9000000005"}, 3045)),
    ],
)
def test_4_the_first_filled_identifier_wins(
    counter: HttpCounter, customer: dict[str, object], code: int, fmt: str
) -> None:
    told = counter.reading(fmt).redeem(customer=customer)
    assert told.row == ((200, 200, "true", 800) if code == 800 else (200, 500, "false", code))


@pytest.mark.parametrize("customer", [None, {}, "9777785205", {"mobile": ""}, {"phone": "9777785205"}, [], 5])
def test_4_a_redemption_of_nobody_is_malformed(counter: HttpCounter, customer: object) -> None:
    assert counter.redeem(customer=customer).http == 400


@pytest.mark.parametrize("fmt", FORMATS)
def test_4_a_failure_keeps_the_shape(counter: HttpCounter, fmt: str) -> None:
    item = dict(counter.reading(fmt).redeem(points_redeemed="11").item)
    status = item.pop("item_status")
    assert (status["success"], int(status["code"])) == ("false", 807)
    effects = item.pop("side_effects")
    assert effects in ({"effect": []}, "")
    assert {name: "" if value is None else str(value) for name, value in item.items()} == {
        "mobile": "919777785205",
        "email": "tom.sawyer@example.org",
        "external_id": "434547",
        "user_id": "",
        "points_redeemed": "11",
        "redemption_purpose": "",
        "redeemed_value": "0",
        "redeemed_local_value": "0",
        "balance": "500",
    }


@pytest.mark.parametrize("fmt", FORMATS)
def test_4_a_success_in_both_formats(counter: HttpCounter, fmt: str) -> None:
    told = counter.reading(fmt).redeem(transaction_number="B-77", external_reference_number=KEY)
    item = dict(told.item)
    assert (told.row, told.words) == ((200, 200, "true", 800), "Points Redeemed")
    effect = item["side_effects"]["effect"]
    (effect,) = effect if isinstance(effect, list) else [effect]
    assert {name: str(value) for name, value in effect.items()} == {
        "id": str(effect["id"]),
        "case_value": "false",
        "num_points": "10",
        "currency_value": "10",
        "validation_code": "",
        "points_redemption_summary_id": str(effect["id"]),
        "redeemed_on_bill_number": "B-77",
        "redeemed_on_bill_id": "-1",
        "type": "points",
    }
    assert (item["user_id"], item["points_redeemed"], str(item["balance"])) == ("50001", "10", "490")
    assert "is_group_redemption" not in item


@pytest.mark.parametrize(
    ("time", "code"),
    [
        *((None, 800), ("", 800), ("null", 800), ("2026-11-22 15:30:00", 800), ("2026-11-22T10:00:00Z", 800)),
        *(("2026-11-22 15:35:00", 800), ("2026-11-22 15:35:01", 859), ("2026-11-22T10:05:00+00:00", 800)),
        *(("2026-11-19 15:30:00", 800), ("2026-11-19 15:29:59", 859), ("0001-01-01 00:00:00", 859)),
        *(("9999-12-31 23:59:59", 859), ("2026-11-22T15:30:00.1234567+05:30", 800)),
    ],
)
def test_4_the_time_of_a_redemption_lies_in_a_window(counter: HttpCounter, time: str | None, code: int) -> None:
    assert counter.redeem(redemption_time=time).code == code


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01 00:00:00", "22.11.2026", "1763805600", {"a": 1}])
def test_4_a_time_that_is_none_is_malformed(counter: HttpCounter, time: object) -> None:
    assert counter.redeem(redemption_time=time).http == 400


def test_4_other_members_and_custom_fields_are_taken_or_ignored(counter: HttpCounter) -> None:
    told = counter.redeem(
        till_id="t-1",
        notes="",
        colour="red",
        custom_fields={"field": [{"name": "a", "value": "b"}, {"name": "c", "value": None}]},
    )
    assert told.code == 800


# --- 4: the query ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "members", "code", "left"),
    [
        ("program_id=974", {}, 800, ("500", "30.125")),
        ("", {"program_id": 974}, 800, ("500", "30.125")),
        ("program_id=974", {"program_id": "973"}, 800, ("500", "30.125")),
        ("program_id=", {"program_id": 974}, 800, ("500", "30.125")),
        ("program_id=abc", {"program_id": 974}, 1101, ("500", "40.125")),
        ("", {}, 800, ("490", "40.125")),
        # The other members belong into the body: in the query they are unknown parameters.
        ("points_redeemed=20&transaction_number=Q&mobile=9000000002", {}, 800, ("490", "40.125")),
        ("", {"group_redemption": True, "points_redeemed": 540}, 800, ("0", "0.125")),
        ("", {"group_redemption": "true", "points_redeemed": 540}, 800, ("0", "0.125")),
        ("", {"group_redemption": "false", "points_redeemed": 540}, 818, ("500", "40.125")),
        ("user_group2_id=77", {"points_redeemed": 540}, 800, ("500", "40.125")),
        ("use_default_user_group2=true", {"points_redeemed": 540}, 800, ("500", "40.125")),
        ("", {"user_group2_external_id": "FG-1", "points_redeemed": 540}, 800, ("500", "40.125")),
        ("user_group2_id=77", {"user_group2_id": 99, "points_redeemed": 540}, 800, ("500", "40.125")),
        ("user_group2_id=99", {"user_group2_id": 77, "points_redeemed": 540}, 1632, ("500", "40.125")),
    ],
)
def test_4_the_query_wins_over_the_body(
    counter: HttpCounter, query: str, members: dict[str, object], code: int, left: tuple[str, str]
) -> None:
    assert counter.redeem(query, **members).code == code
    reply = counter.send("GET", CUSTOMER, f"{TOM}&points_summary=true")
    summaries = reply.json["response"]["customers"]["customer"][0]["points_summaries"]["points_summary"]
    assert tuple(str(each["loyalty_points"]) for each in summaries) == left


@pytest.mark.parametrize(
    ("query", "members"),
    [
        ("user_group2_id=77", {"group_redemption": True}),
        ("user_group2_id=x", {}),
        ("skip_validation=perhaps", {}),
        ("validation_type=EMAIL", {}),
        ("", {"group_redemption": "perhaps"}),
        ("", {"transaction_number": {"a": 1}}),
        ("", {"external_reference_number": "TR-6Q2P0V8RJX4M1TZC9WD3HKYB5E"}),
        ("", {"external_reference_number": "tr-1"}),
        ("format=yaml", {}),
    ],
)
def test_4_what_cannot_be_understood_is_400(counter: HttpCounter, query: str, members: dict[str, object]) -> None:
    body = json.dumps({"root": {"redeem": [{**ITEM, **members}]}}).encode()
    told = read(counter.send("POST", REDEEM, query, body, {"Content-Type": "application/json"}))
    assert (told.http, told.status, told.success, told.item) == (400, 400, "false", {})


@pytest.mark.parametrize(
    ("organisation", "query", "members", "code"),
    [
        ({"validation_required": True}, "", {}, 824),
        ({"validation_required": True}, "", {"validation_code": "true"}, 824),
        ({"validation_required": True}, "", {"validation_code": "WRONG1"}, 808),
        ({"validation_required": True}, "skip_validation=true", {}, 824),
        ({"validation_required": True}, "validation_type=SMS", {}, 824),
        ({"validation_required": True, "skip_validation_allowed": True}, "skip_validation=true", {}, 800),
        (
            {"validation_required": True, "skip_validation_allowed": True},
            "skip_validation=true&validation_type=INVALID",
            {"validation_code": "WRONG1"},
            800,
        ),
        ({"validation_required": True, "missed_call_enabled": True}, "validation_type=MISSED_CALL", {}, 824),
        ({"missed_call_enabled": True}, "validation_type=MISSED_CALL", {}, 822),
        ({}, "validation_type=MISSED_CALL", {}, 823),
        ({}, "validation_type=INVALID", {}, 800),
        ({"redemptions_enabled": False}, "", {}, 827),
        ({"program_group_redemption": "required"}, "", {}, 3316),
    ],
)
def test_4_proof_and_switches(
    tmp_path: Path, organisation: dict[str, Any], query: str, members: dict[str, Any], code: int
) -> None:
    with a_counter(tmp_path, a_shop(**organisation)) as counter:
        assert counter.redeem(query, **members).code == code


# --- 4: idempotency, sentence by sentence -----------------------------------------------------------------------------


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


def test_4_a_failed_proof_is_corrected_under_the_same_reference(tmp_path: Path) -> None:
    with a_counter(tmp_path, a_shop(validation_required=True)) as counter:
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


# --- sync-api 8: cancel -----------------------------------------------------------------------------------------------


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


# --- 5: customer/get --------------------------------------------------------------------------------------------------

ALL = "user_id=true&mlp=true&points_summary=true&expiry_schedule=true&user_group=true&program_summary=true"


def test_5_everything_a_till_asks_for(counter: HttpCounter) -> None:
    reply = counter.send("GET", CUSTOMER, f"{TOM}&format=json&{ALL}")
    (customer,) = reply.json["response"]["customers"]["customer"]
    assert reply.json["response"]["status"] == {"success": "true", "code": 200, "message": "Success"}
    named = ("firstname", "lastname", "mobile", "email", "external_id", "user_id", "type", "current_slab")
    assert [customer[name] for name in named] == [
        *("Tom", "Sawyer", "919777785205", "tom.sawyer@example.org", "434547", "50001", "LOYALTY", "Gold Plus")
    ]
    assert (customer["loyalty_points"], customer["item_status"]["code"]) == (500, "1000")
    assert customer["fraud_details"]["status"] == "NONE"
    assert [(each["id"], each["groupName"]) for each in customer["user_groups2"]] == [(77, "Sawyer")]
    assert customer["points_summaries"]["points_summary"][1] == {
        "program_id": "974",
        "program_name": "Silver",
        "loyalty_points": 40.125,
        "lifetime_points": 0,
        "promised_points": 0,
        "points_currency_ratio": "0.25",
        "is_default": "false",
    }
    assert customer["expiry_schedule"]["schedule"] == [
        {"program_id": "973", "points": 500, "expiry_date": "2035-12-31"},
        {"program_id": "974", "points": 40.125, "expiry_date": "2035-12-31"},
    ]
    assert customer["programs_list"]["program"][0] == {
        "programId": "973",
        "programName": "Gold Rewards",
        "programDescription": "",
        "isDefault": "true",
        "pointsToCurrencyRatio": "1",
    }


def test_5_lists_come_only_when_they_were_asked_for(counter: HttpCounter) -> None:
    (customer,) = counter.send("GET", CUSTOMER, TOM).json["response"]["customers"]["customer"]
    asked = ("user_id", "user_groups2", "points_summaries", "expiry_schedule", "programs_list")
    assert [name for name in asked if name in customer] == []


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("query", "row", "codes"),
    [
        (TOM, (200, 200, "true"), ["1000"]),
        ("id=50001,50002", (200, 200, "true"), ["1000", "1000"]),
        ("mobile=9777785205,%209000000009,9000000002", (200, 201, "true"), ["1000", "1012", "1000"]),
        ("mobile=9000000009", (200, 500, "false"), ["1012"]),
        ("mobile=abc", (200, 500, "false"), ["1012"]),
        ("email=a@example.org,b@example.org", (200, 500, "false"), ["1012", "1012"]),
        ("mobile=9000000005", (200, 200, "true"), ["1000"]),
    ],
)
def test_5_one_or_several_are_found_or_not(
    counter: HttpCounter, fmt: str, query: str, row: tuple[int, int, str], codes: list[str]
) -> None:
    reply = counter.send("GET", CUSTOMER, f"{query}&format={fmt}")
    if fmt == "json":
        status = reply.json["response"]["status"]
        found = [each["item_status"]["code"] for each in reply.json["response"]["customers"]["customer"]]
    else:
        tree = ElementTree.fromstring(reply.body)
        status = {each.tag: str(each.text) for each in tree.iterfind("status/*")}
        found = [each.findtext("item_status/code") for each in tree.iterfind("customers/customer")]
    assert (reply.status, int(status["code"]), status["success"]) == row
    assert found == codes


@pytest.mark.parametrize("query", ["", f"{TOM}&id=50001", "mobile=,", "id=" + ",".join(["1"] * 51), f"{TOM}&mlp=maybe"])
def test_5_who_is_asked_for_must_be_clear(counter: HttpCounter, query: str) -> None:
    assert counter.send("GET", CUSTOMER, query).status == 400


def test_5_four_fraud_statuses_block_in_whatever_case_they_were_imported(counter: HttpCounter) -> None:
    (customer,) = counter.send("GET", CUSTOMER, "mobile=9000000005").json["response"]["customers"]["customer"]
    assert customer["fraud_details"]["status"] == "MARKED"
    assert counter.check("mobile=9000000005&points=10").code == 809


# --- sync-api 3, 11, 12 -----------------------------------------------------------------------------------------------


def test_sync_3_capabilities_member_by_member(counter: HttpCounter) -> None:
    told = counter.send("GET", "/sync/v1/capabilities").json
    version = told.pop("version")
    assert version
    assert told == {
        "service": "pos-app-ledger",
        "api": 1,
        "schema": 1,
        "epoch": 1,
        "idempotent_redeem": True,
        "server_time": "2026-11-22T10:00:00.000Z",
        "features": ["cancel", "post_reads"],
        "ledger_keys": [],
        "till": {
            "login": "till.014.3",
            "store": "014",
            "name": "Till 3",
            "program_id": 973,
            "currency": "INR",
            "currency_rate": "1",
            "state": "ACTIVE",
            "till_epoch": 0,
        },
    }


@pytest.mark.parametrize("fmt", FORMATS)
def test_sync_11_rules_of_a_program(counter: HttpCounter, fmt: str) -> None:
    known = counter.reading(fmt).get("/v1.1/program/criteria", "program_id=973")
    unknown = counter.reading(fmt).get("/v1.1/program/criteria", "program_id=4711")
    assert known.row == (200, 200, "true", 800)
    named = ("program_id", "program_name", "points_currency_ratio", "decimals", "rounding", "redemption_enabled")
    assert [known.item[name] for name in named] == ["973", "Gold Rewards", "1", "0", "half_up", "true"]
    assert known.item["criteria"] == {"multiple_of": "10"}
    assert unknown.row == (200, 500, "false", 1101)


@pytest.mark.parametrize("fmt", FORMATS)
def test_sync_11_settings_of_the_organisation_are_twelve_texts(counter: HttpCounter, fmt: str) -> None:
    body = counter.send("GET", "/v1.1/organization/configs", f"format={fmt}").body.decode()
    for key in (
        *("currency", "time_zone", "country_code", "validation_required", "skip_validation_allowed"),
        *("missed_call_enabled", "missed_call_number", "otp_length", "otp_alphabet", "otp_validity_minutes"),
        *("reversal_enabled", "program_group_redemption"),
    ):
        assert body.count(f'"key":"{key}"' if fmt == "json" else f"<key>{key}</key>") == 1


def test_sync_12_health_needs_no_login(counter: HttpCounter) -> None:
    for path in ("/healthz", "/readyz"):
        reply = counter.send("GET", path, headers={"Authorization": "Basic eDp5"})
        assert (reply.status, reply.json) == (200, {"status": "ok"})
