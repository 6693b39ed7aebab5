"""Contract 5, 6 and 8 at the HTTP face: family groups, balances, programs and the organisation, for any till."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from support.a_ledger import encoded
from support.http_counter import HttpCounter
from support.ledger_server import a_customer, a_program, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import CLOSED, HOME, OTHER, SILVER, TOMS, a_family, a_moving_shop, a_person, a_shop, lots

from pos_app.ledger.loading.importer import import_file

SEARCH = "/v2/userGroup2/search"
GROUP = "/v2/userGroup2"
MEMBERS = "/v2/userGroup2/members"
BY_ENTITY = "/v2/customers/points/balance"
PROGRAMS = "/v2/organization/programs"
ORGANISATION = "/v1.1/organization/get"
ELSEWHERE = "till.elsewhere"


def _balance_path(customer_id: object) -> str:
    return f"/v2/customers/{customer_id}/points/balance"


def _second_organisation() -> list[dict[str, Any]]:
    """Another retailer whose customer, family group and program have the same numbers."""
    wallets = [lots(7)]
    person = {"organisation": 2, "first_name": "Other", "email": None, "external_id": None, "wallets": wallets}
    return [
        an_organisation(id=2, name="Elsewhere", currency="USD", time_zone="America/New_York"),
        a_program(organisation=2, name="Theirs"),
        a_till(organisation=2, login=ELSEWHERE),
        a_customer(**{**person, "mobile": "919000000077"}),
        a_family(HOME, {"customer_id": TOMS, "primary": True}, organisation=2, name="Theirs", external_id="FG-2"),
    ]


def _many_families() -> list[dict[str, Any]]:
    names = {
        80: "The Smith-Jones family",
        81: "Smith",
        82: "SMITHSON & sons",
        83: "Blacksmith",
        84: "Straße Öl",
        85: "jones  smith",
        86: "smith smith",
    }
    return [
        *a_shop(),
        *_second_organisation(),
        *(a_family(each, {"customer_id": OTHER, "primary": True}, name=name) for each, name in names.items()),
        a_family(973, {"customer_id": OTHER, "primary": True}, name="81", external_id="82"),
    ]


@pytest.fixture
def counter(ledgers: Ledgers) -> HttpCounter:
    return ledgers.reader(_many_families())


@pytest.fixture
def elsewhere(counter: HttpCounter) -> HttpCounter:
    return replace(counter, login=ELSEWHERE)


def _ok(counter: HttpCounter, path: str, query: str = "") -> Any:
    reply = counter.send("GET", path, query)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json; charset=utf-8"), reply.body
    return reply.json


def _code(counter: HttpCounter, path: str, query: str = "") -> int:
    """The one code of a v2 error, which is HTTP 400."""
    reply = counter.send("GET", path, query)
    (error,) = reply.json["errors"]
    assert (reply.status, error["status"], bool(error["message"])) == (400, False, True)
    assert set(error) == {"status", "code", "message"}
    return int(error["code"])


def _found(counter: HttpCounter, text: str, more: str = "") -> list[int]:
    return [each["groupId"] for each in _ok(counter, SEARCH, f"q={quote(text)}{more}")["data"]]


# --- Search --------------------------------------------------------------------------------------------------------


def test_a_family_group_that_was_found_is_told_with_its_primary_member(counter: HttpCounter) -> None:
    assert _ok(counter, SEARCH, "q=sawyer&offset=0&limit=5") == {
        "pagination": {"limit": 5, "offset": 0, "total": 1},
        "data": [
            {
                "groupId": 77,
                "groupName": "Sawyer",
                "groupStatus": "ACTIVE",
                "groupExternalId": "FG-1",
                "firstName": "Tom",
                "lastName": "Sawyer",
                "primaryMemberId": 50001,
                "email": "tom.sawyer@example.org",
                "mobile": "919777785205",
                "totalMembers": 2,
            }
        ],
    }


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("77", [77]),
        ("FG-1", [77]),
        ("tom.sawyer@example.org", [77]),
        ("TOM.SAWYER@example.org", [77]),
        ("9777785205", [77]),
        ("+91 97777 85205", [77]),
        ("6002", [77]),
        ("sawyer", [77]),
        ("clos", [78]),
        ("smith", [81, 86, 82, 80, 85]),
        ("Smith-J", [80]),
        ("jones", [85, 80]),
        ("jones fam", [80]),
        ("JONES  SMITH", [85]),
        ("the", [80]),
        ("sons", [82]),
        ("strasse", [84]),
        ("öl", [84]),
        ("mith", []),
        ("smith%", []),
        ("_mith", []),
        ("nobody", []),
        ("6001", []),
        ("FG-", []),
    ],
)
def test_a_family_group_is_found_by_every_name_it_has(counter: HttpCounter, text: str, ids: list[int]) -> None:
    assert sorted(_found(counter, text)) == sorted(ids)


def test_names_come_in_the_order_of_the_word_that_was_found(counter: HttpCounter) -> None:
    assert _found(counter, "smith") == [81, 85, 86, 80, 82]


def test_what_is_named_exactly_comes_first_and_only_once(counter: HttpCounter) -> None:
    answer = _ok(counter, SEARCH, "q=82")
    assert ([each["groupId"] for each in answer["data"]], answer["pagination"]["total"]) == ([82, 973], 2)
    answer = _ok(counter, SEARCH, "q=81")
    assert ([each["groupId"] for each in answer["data"]], answer["pagination"]["total"]) == ([81, 973], 2)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_follow_each_other_without_gap_or_repeat(counter: HttpCounter, limit: int) -> None:
    pages = [_ok(counter, SEARCH, f"q=smith&offset={at}&limit={limit}") for at in range(0, 7, limit)]
    assert {page["pagination"]["total"] for page in pages} == {5}
    assert [each["groupId"] for page in pages for each in page["data"]] == [81, 85, 86, 80, 82]


def test_a_page_has_ten_unless_asked_otherwise_and_never_more_than_a_hundred(counter: HttpCounter) -> None:
    assert _ok(counter, SEARCH, "q=smith")["pagination"] == {"limit": 10, "offset": 0, "total": 5}
    assert _ok(counter, SEARCH, "q=smith&limit=5000&offset=5")["pagination"] == {"limit": 100, "offset": 5, "total": 5}
    assert _ok(counter, SEARCH, "q=smith&limit=0")["data"] == []


def test_a_group_that_cannot_redeem_is_found_with_its_status(counter: HttpCounter) -> None:
    (group,) = _ok(counter, SEARCH, "q=closed")["data"]
    assert (group["groupId"], group["groupStatus"], group["groupExternalId"]) == (CLOSED, "DELETED", "")


def test_a_search_may_have_fifty_characters(counter: HttpCounter) -> None:
    assert _found(counter, "x" * 50) == []
    assert _found(counter, "ß" * 50) == []
    assert _code(counter, SEARCH, "q=" + "x" * 51) == 91015


@pytest.mark.parametrize("query", ["", "q=", "q=null", "q=%20%20", "Q=smith"])
def test_a_search_needs_something_to_search_for(counter: HttpCounter, query: str) -> None:
    assert _code(counter, SEARCH, query) == 403


@pytest.mark.parametrize("query", ["q=a&limit=-1", "q=a&offset=x", "q=a&limit=1.5", "q=%00", "q=%ff", "q=%"])
def test_a_search_that_cannot_be_read_is_told_in_the_shape_of_v2(counter: HttpCounter, query: str) -> None:
    assert _code(counter, SEARCH, query) == 400


def test_a_group_is_found_by_its_new_name_and_no_longer_by_the_old_one(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop()) as counter:
        renamed = [
            a_family(CLOSED, {"customer_id": OTHER, "primary": True}, name="Finn and friends", status="INACTIVE"),
            *(a_family(90, {"customer_id": OTHER, "primary": True}, name=name) for name in ("Twice", "Twice told")),
        ]
        for line in renamed:
            import_file(counter.book, encoded([line]), file_name="later")
        assert (_found(counter, "closed"), _found(counter, "friends"), _found(counter, "finn")) == ([], [78], [78])
        assert (_found(counter, "twice"), _found(counter, "told")) == ([90], [90])


# --- One group and its members -------------------------------------------------------------------------------------


def test_a_family_group_is_told_whole(counter: HttpCounter) -> None:
    told = {
        "id": 77,
        "externalId": "FG-1",
        "groupName": "Sawyer",
        "groupStatus": "ACTIVE",
        "maxGroupSize": 0,
        "fleetGroupUsers": [
            {"userId": 50001, "groupId": 77, "defaultGroup": True, "active": True, "primaryMember": True},
            {"userId": 50002, "groupId": 77, "defaultGroup": False, "active": True, "primaryMember": False},
        ],
        "warnings": [],
    }
    assert _ok(counter, GROUP, "id=77") == told
    assert _ok(counter, GROUP, "externalId=FG-1&expirySchedules=false") == told
    schedule = [{"points": 1000, "expiryDate": "2035-12-31", "programId": 973}]
    assert _ok(counter, GROUP, "id=77&externalId=FG-1&expirySchedules=true") == {**told, "expirySchedules": schedule}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 1635),
        ("id=&externalId=null", 1635),
        ("expirySchedules=true", 1635),
        ("id=x", 1619),
        ("id=0", 1619),
        ("id=-77", 1619),
        ("id=7.7", 1619),
        ("id=99999999999999999999", 1619),
        ("id=79", 1632),
        ("externalId=FG-9", 1632),
        ("id=77&externalId=FG-9", 1632),
        ("id=78&externalId=FG-1", 1632),
        ("id=77&expirySchedules=perhaps", 400),
    ],
)
def test_a_group_that_is_not_there_has_a_code(counter: HttpCounter, query: str, code: int) -> None:
    assert _code(counter, GROUP, query) == code


def test_members_are_told_with_what_they_may_do(counter: HttpCounter) -> None:
    query = "source=INSTORE&identifierName=id&identifierValue=77&paginationDetails=true"
    assert _ok(counter, MEMBERS, query) == {
        "pagination": {"limit": 100, "offset": 0, "total": 2},
        "data": [
            {
                "fleetUserId": 50001,
                "firstName": "Tom",
                "lastName": "Sawyer",
                "role": "PRIMARY",
                "primaryMember": True,
                "inActive": False,
                "permissions": ["allow_points_redemption"],
                "pointsContributed": 0,
                "email": "tom.sawyer@example.org",
                "mobile": "919777785205",
                "identifiers": [
                    {"type": "mobile", "value": "919777785205"},
                    {"type": "email", "value": "tom.sawyer@example.org"},
                    {"type": "externalId", "value": "434547"},
                ],
                "joinedOn": "",
            },
            {
                "fleetUserId": 50002,
                "firstName": "Tom",
                "lastName": "Sawyer",
                "role": "SECONDARY",
                "primaryMember": False,
                "inActive": False,
                "permissions": ["block_points_redemption"],
                "pointsContributed": 0,
                "email": "",
                "mobile": "919000000002",
                "identifiers": [{"type": "mobile", "value": "919000000002"}],
                "joinedOn": "",
            },
        ],
        "warnings": [],
        "errors": [],
    }


def test_members_are_told_a_page_at_a_time(counter: HttpCounter) -> None:
    second = _ok(counter, MEMBERS, "identifierName=externalId&identifierValue=FG-1&offset=1&limit=1")
    assert "pagination" not in second
    assert [each["fleetUserId"] for each in second["data"]] == [50002]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 1635),
        ("identifierName=id", 1635),
        ("identifierValue=77", 1635),
        ("identifierName=id&identifierValue=seven", 1619),
        ("identifierName=id&identifierValue=79", 1632),
        ("identifierName=externalId&identifierValue=77", 1632),
        ("identifierName=mobile&identifierValue=77", 400),
        ("identifierName=id&identifierValue=77&source=MARS", 400),
    ],
)
def test_members_of_no_group_have_a_code(counter: HttpCounter, query: str, code: int) -> None:
    assert _code(counter, MEMBERS, query) == code


# --- Balances ------------------------------------------------------------------------------------------------------


def test_a_customers_balance_is_that_of_the_default_program(counter: HttpCounter) -> None:
    assert _ok(counter, _balance_path(50001)) == {
        "entityId": 50001,
        "entityType": "CUSTOMER",
        "programId": 973,
        "totalPoints": 500,
        "mainPoints": 500,
        "promisedPoints": 0,
        "promisedPointsBreakup": {"delayedAccrualPoints": 0, "externalTriggerBasedPoints": 0},
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("programId=974", (974, 40.125)),
        ("programId=975", (975, 0)),
        ("programId=974&fetchDataForAllPrograms=false", (974, 40.125)),
        ("fetchDataForAllPrograms=true", (None, 570.125)),
        ("programId=974&fetchDataForAllPrograms=true", (None, 570.125)),
    ],
)
def test_a_balance_may_be_that_of_another_program_or_of_all(counter: HttpCounter, query: str, told: Any) -> None:
    answer = _ok(counter, _balance_path(50001), query)
    assert (answer.get("programId"), answer["mainPoints"]) == told


def test_the_program_of_the_till_plays_no_part_in_a_balance(ledgers: Ledgers) -> None:
    lines = [*a_shop(), a_till(login="till.silver", program_id=SILVER)]
    with ledgers.counter(lines) as counter:
        assert _ok(replace(counter, login="till.silver"), _balance_path(TOMS))["programId"] == 973


def test_promised_points_are_told_apart_and_expired_ones_not_at_all(ledgers: Ledgers) -> None:
    expired = {"points": 11, "expires_on": "2026-11-21"}
    today = {"points": 3, "expires_on": "2026-11-22"}
    wallet = {"program_id": 973, "promised_points": "2.5", "lots": [expired, today]}
    with ledgers.counter([an_organisation(), a_program(), a_till(), a_customer(wallets=[wallet])]) as counter:
        answer = _ok(counter, _balance_path(TOMS))
    assert (answer["totalPoints"], answer["mainPoints"], answer["promisedPoints"]) == (5.5, 3, 2.5)
    assert answer["promisedPointsBreakup"]["delayedAccrualPoints"] == 2.5


@pytest.mark.parametrize(
    ("customer_id", "query", "code"),
    [
        (59999, "", 8015),
        ("tom", "", 8015),
        (0, "", 8015),
        (50001, "programId=99", 1101),
        (50001, "programId=gold", 1101),
        (50001, "fetchDataForAllPrograms=perhaps", 400),
    ],
)
def test_a_balance_that_cannot_be_told_has_a_code(
    counter: HttpCounter, customer_id: object, query: str, code: int
) -> None:
    assert _code(counter, _balance_path(customer_id), query) == code


def test_where_there_is_no_program_there_is_no_balance(ledgers: Ledgers) -> None:
    with ledgers.counter([an_organisation(), a_till(), a_customer(wallets=[])]) as counter:
        assert _code(counter, _balance_path(TOMS)) == 895
        assert _ok(counter, _balance_path(TOMS), "fetchDataForAllPrograms=true")["mainPoints"] == 0


@pytest.mark.parametrize("entity", ["FLEET", "USERGROUP2", "fleet"])
@pytest.mark.parametrize(
    "named",
    [
        "id=77",
        "entityId=77",
        "externalId=FG-1",
        "identifierName=id&identifierValue=77",
        "identifierName=externalId&identifierValue=FG-1",
        "identifierName=mobile&identifierValue=9777785205",
        "identifierName=cardnumber&identifierValue=6002",
    ],
)
def test_a_family_group_has_a_balance(counter: HttpCounter, entity: str, named: str) -> None:
    answer = _ok(counter, BY_ENTITY, f"entityType={entity}&{named}")
    told = [answer[name] for name in ("entityId", "entityType", "programId", "totalPoints", "mainPoints")]
    assert told == [77, entity.upper(), 973, 1000, 1000]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("entityType=FLEET", 1635),
        ("entityType=FLEET&id=x", 1619),
        ("entityType=FLEET&id=79", 1632),
        ("entityType=FLEET&identifierName=mobile&identifierValue=9000000006", 1632),
        ("entityType=MARS&id=77", 400),
        ("identifierName=mobile", 403),
        ("identifierName=shoe&identifierValue=42", 400),
        ("identifierName=mobile&identifierValue=9000000999", 8015),
    ],
)
def test_a_balance_of_nobody_has_a_code(counter: HttpCounter, query: str, code: int) -> None:
    assert _code(counter, BY_ENTITY, query) == code


def test_a_customer_may_be_named_by_an_identifier(counter: HttpCounter) -> None:
    answer = _ok(counter, BY_ENTITY, "identifierName=mobile&identifierValue=9777785205&programId=974")
    assert [answer[name] for name in ("entityId", "entityType", "mainPoints")] == [50001, "CUSTOMER", 40.125]


@pytest.fixture
def pooled(ledgers: Ledgers) -> Iterator[HttpCounter]:
    """A family group without points of its own: its active members' are drawn together."""
    lines = [
        an_organisation(family_group_pooling="members"),
        a_program(family_groups_enabled=True),
        a_program(id=SILVER, default=False),
        a_till(),
        a_customer(wallets=[lots(500), lots(9, SILVER)]),
        a_person(OTHER, 2, wallets=[{"program_id": 973, "lots": [{"points": 30, "expires_on": "2027-01-31"}]}]),
        a_person(50003, 3, wallets=[lots(1000)]),
        a_family(
            HOME,
            {"customer_id": TOMS, "primary": True},
            {"customer_id": OTHER},
            {"customer_id": 50003, "active": False},
            name="Pool",
        ),
    ]
    with ledgers.counter(lines) as found:
        yield found


def test_members_points_that_are_drawn_together_are_the_groups_balance(pooled: HttpCounter) -> None:
    assert _ok(pooled, BY_ENTITY, "entityType=USERGROUP2&id=77")["mainPoints"] == 530
    assert _ok(pooled, BY_ENTITY, "entityType=USERGROUP2&id=77&fetchDataForAllPrograms=true")["mainPoints"] == 539
    schedule = _ok(pooled, GROUP, "id=77&expirySchedules=true")["expirySchedules"]
    assert schedule == [
        {"points": 30, "expiryDate": "2027-01-31", "programId": 973},
        {"points": 500, "expiryDate": "2035-12-31", "programId": 973},
        {"points": 9, "expiryDate": "2035-12-31", "programId": 974},
    ]
    data = _ok(pooled, MEMBERS, "identifierName=id&identifierValue=77")["data"]
    assert [(each["fleetUserId"], each["pointsContributed"], each["inActive"]) for each in data] == [
        (50001, 500, False),
        (50002, 30, False),
        (50003, 0, True),
    ]


# --- Programs and the organisation ---------------------------------------------------------------------------------


def test_active_programs_are_told_the_default_one_first(counter: HttpCounter) -> None:
    plain = {"programDescription": "", "tierBased": False, "membershipPeriodValue": 0}
    assert _ok(counter, PROGRAMS) == [
        {"programId": 973, "programName": "Gold Rewards", "pointsToCurrencyRatio": 1, **plain},
        {"programId": 974, "programName": "Silver", "pointsToCurrencyRatio": 0.25, **plain},
        {"programId": 976, "programName": "Unset", "pointsToCurrencyRatio": 0, **plain},
    ]


def test_a_program_with_rules_for_tiers_says_so(ledgers: Ledgers) -> None:
    lines = [an_organisation(), a_program(tier_criteria={"Gold": {"minimum": 5}}), a_till()]
    with ledgers.counter(lines) as counter:
        assert [each["tierBased"] for each in _ok(counter, PROGRAMS)] == [True]


def test_the_organisation_tells_name_currencies_and_time_zone(ledgers: Ledgers) -> None:
    lines = [*a_shop(), *_second_organisation(), a_till(login="till.eur", currency="EUR", currency_rate="0.011")]
    with ledgers.counter(lines) as counter:
        status = {"success": "true", "code": 200, "message": "Success"}
        assert _ok(counter, ORGANISATION)["response"] == {
            "status": status,
            "organization": {
                "id": "1",
                "name": "Kalpana Stores",
                "base_currency": "INR",
                "supported_currencies": {"currency": ["INR", "EUR"]},
                "time_zone": "Asia/Kolkata",
            },
        }
        tree = ElementTree.fromstring(counter.send("GET", ORGANISATION, "format=xml").body)
        assert tree.findtext("organization/name") == "Kalpana Stores"
        assert [each.text for each in tree.iterfind("organization/supported_currencies/currency")] == ["INR", "EUR"]
        theirs = _ok(replace(counter, login=ELSEWHERE), ORGANISATION)["response"]["organization"]
        assert (theirs["name"], theirs["supported_currencies"]) == ("Elsewhere", {"currency": ["USD"]})


def test_the_fraud_status_is_told_as_it_was_imported(ledgers: Ledgers) -> None:
    with ledgers.counter([*a_moving_shop(), a_person(50010, 9, fraud_status="NOT_FRAUD")]) as counter:
        told = counter.send("GET", "/v1.1/customer/get", "id=50010,50005,50001").json["response"]["customers"]
    assert [each["fraud_details"]["status"] for each in told["customer"]] == ["NOT_FRAUD", "Confirmed", "NONE"]


def test_a_customers_groups_are_told_with_their_own_status(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop()) as counter:
        reply = counter.send("GET", "/v1.1/customer/get", "id=50001,50002&user_group=true")
    groups = [each["user_groups2"] for each in reply.json["response"]["customers"]["customer"]]
    assert [[(each["id"], each["groupStatus"]) for each in of_one] for of_one in groups] == [
        [(77, "ACTIVE")],
        [(77, "ACTIVE"), (78, "DELETED")],
    ]
    assert groups[1][0] == {
        "id": 77,
        "externalId": "FG-1",
        "groupName": "Sawyer",
        "groupStatus": "ACTIVE",
        "defaultGroup": False,
        "primaryMember": False,
        "permissions": ["block_points_redemption"],
    }


# --- Whose they are, and who may ask -------------------------------------------------------------------------------


def test_another_organisations_groups_are_never_found(counter: HttpCounter, elsewhere: HttpCounter) -> None:
    assert [_found(elsewhere, each) for each in ("sawyer", "FG-1", "9777785205", "81", "smith")] == [[]] * 5
    assert _found(counter, "theirs") == []
    assert _ok(elsewhere, SEARCH, "q=77")["data"][0]["groupName"] == "Theirs"
    assert _ok(elsewhere, GROUP, "id=77")["externalId"] == "FG-2"
    assert [_code(elsewhere, GROUP, query) for query in ("id=81", "externalId=FG-1")] == [1632, 1632]
    assert _code(elsewhere, MEMBERS, "identifierName=id&identifierValue=81") == 1632
    members = _ok(elsewhere, MEMBERS, "identifierName=id&identifierValue=77")["data"]
    assert [(each["fleetUserId"], each["firstName"]) for each in members] == [(50001, "Other")]


def test_another_organisations_points_are_never_told(counter: HttpCounter, elsewhere: HttpCounter) -> None:
    assert [_ok(each, _balance_path(50001))["mainPoints"] for each in (counter, elsewhere)] == [500, 7]
    assert _code(elsewhere, _balance_path(OTHER)) == 8015
    assert _code(elsewhere, _balance_path(50001), "programId=974") == 1101
    assert _code(elsewhere, BY_ENTITY, "entityType=FLEET&id=81") == 1632
    assert _ok(elsewhere, BY_ENTITY, "entityType=FLEET&id=77")["mainPoints"] == 0
    assert [each["programName"] for each in _ok(elsewhere, PROGRAMS)] == ["Theirs"]


@pytest.mark.parametrize("path", [SEARCH, GROUP, MEMBERS, BY_ENTITY, _balance_path(50001), PROGRAMS, ORGANISATION])
def test_who_is_not_signed_in_is_told_nothing(counter: HttpCounter, path: str) -> None:
    reply = counter.send("GET", path, "q=smith&id=77", headers={"Authorization": "Basic eDp5"})
    assert (reply.status, reply.json["response"]["status"]["code"]) == (401, 401)
    assert reply.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("path", [SEARCH, GROUP, MEMBERS, BY_ENTITY, _balance_path(50001), PROGRAMS, ORGANISATION])
def test_a_read_is_no_post(counter: HttpCounter, path: str) -> None:
    reply = counter.send("POST", path)
    assert (reply.status, reply.headers["allow"]) == (405, "GET")


def test_v2_is_answered_in_json_whatever_is_asked_for(counter: HttpCounter) -> None:
    reply = counter.send("GET", GROUP, "id=77&format=xml", headers={"Accept": "application/xml"})
    assert reply.json["id"] == 77
    assert counter.send("GET", "/v2/nothing", "format=xml").json["response"]["status"]["code"] == 404
    assert counter.send("GET", "/v2/usergroup2", "id=77").status == 404
