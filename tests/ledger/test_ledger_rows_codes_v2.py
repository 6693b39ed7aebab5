"""Each code that contract 5 to 8 name for the calls of v2, and sync-api 11 for the rules of a program, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.http_counter import REVERSE, HttpCounter
from support.ledger_server import a_customer, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import HOME, TOM, TOMS, a_moving_shop
from support.wsgi import Reply


@pytest.fixture
def shop(ledgers: Ledgers) -> HttpCounter:
    """A shop with one family group; nothing here moves points."""
    return ledgers.reader(a_moving_shop())


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found


def refused(reply: Reply) -> int:
    """The code of a v2 error, which has the shape of contract 6 and HTTP 400."""
    assert reply.status == 400
    (error,) = reply.json["errors"]
    assert (error["status"], bool(error["message"])) == (False, True)
    assert set(error) == {"status", "code", "message"}
    code = error["code"]
    assert isinstance(code, int)
    return code


# --- Family groups --------------------------------------------------------------------------------------------------


def test_group_search_gives_91015_for_51_characters(shop: HttpCounter) -> None:
    assert shop.send("GET", "/v2/userGroup2/search", "q=" + "x" * 50).status == 200
    assert refused(shop.send("GET", "/v2/userGroup2/search", "q=" + "x" * 51)) == 91015


def test_group_search_gives_403_for_a_missing_field(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", "/v2/userGroup2/search", "")) == 403


def test_group_gives_1632_for_a_group_nobody_has(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", "/v2/userGroup2", "id=99")) == 1632


def test_group_gives_1619_for_a_number_that_is_none(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", "/v2/userGroup2", "id=seven")) == 1619


def test_group_gives_1635_when_none_is_named(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", "/v2/userGroup2", "")) == 1635


def test_group_members_gives_1632_for_a_group_nobody_has(shop: HttpCounter) -> None:
    asked = "source=INSTORE&identifierName=externalId&identifierValue=FG-9"
    assert refused(shop.send("GET", "/v2/userGroup2/members", asked)) == 1632


def test_group_members_gives_1635_when_none_is_named(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", "/v2/userGroup2/members", "source=INSTORE")) == 1635


# --- Balances -------------------------------------------------------------------------------------------------------


def test_balance_gives_8015_for_an_identifier_nobody_has(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", "/v2/customers/50009/points/balance")) == 8015


def test_balance_gives_1101_for_a_program_nobody_has(shop: HttpCounter) -> None:
    assert refused(shop.send("GET", f"/v2/customers/{TOMS}/points/balance", "programId=999")) == 1101


def test_balance_gives_895_where_there_is_no_program(ledgers: Ledgers) -> None:
    shop = ledgers.reader([an_organisation(), a_till(), a_customer(wallets=[])])
    assert refused(shop.send("GET", f"/v2/customers/{TOMS}/points/balance")) == 895


def test_balance_gives_1632_for_a_group_nobody_has(shop: HttpCounter) -> None:
    asked = "entityType=FLEET&identifierName=id&identifierValue=99"
    assert refused(shop.send("GET", "/v2/customers/points/balance", asked)) == 1632


# --- Reversal -------------------------------------------------------------------------------------------------------


def reverse(counter: HttpCounter, redemption_id: object, points: object = None, **members: Any) -> Reply:
    body = {"redemptionId": redemption_id, "identifier": {"type": "ID", "value": str(TOMS)}, **members}
    if points is not None:
        body["pointsToBeReversed"] = points
    content = json.dumps(body).encode()
    return counter.send("POST", REVERSE, "", content, {"Content-Type": "application/json"})


def redeemed(counter: HttpCounter, points: int = 100) -> str:
    told = counter.redeem(points_redeemed=str(points))
    assert told.code == 800
    return str(told.item["redemption_id"])


def test_reverse_gives_902_for_a_redemption_nobody_has(shop: HttpCounter) -> None:
    assert refused(reverse(shop, "NOSUCHONE1")) == 902


def test_reverse_gives_3802_for_a_second_full_reversal(counter: HttpCounter) -> None:
    redemption_id = redeemed(counter)
    assert reverse(counter, redemption_id).status == 200
    assert refused(reverse(counter, redemption_id)) == 3802
    assert counter.balance() == "500"


def test_reverse_gives_3802_once_the_parts_reach_the_total(counter: HttpCounter) -> None:
    redemption_id = redeemed(counter)
    assert [reverse(counter, redemption_id, 50).status for _ in range(2)] == [200, 200]
    assert refused(reverse(counter, redemption_id, "0.001")) == 3802


def test_reverse_gives_903_above_what_is_left(counter: HttpCounter) -> None:
    redemption_id = redeemed(counter)
    assert reverse(counter, redemption_id, 50).status == 200
    assert refused(reverse(counter, redemption_id, "50.001")) == 903
    assert counter.balance() == "450"


def test_reverse_gives_905_where_it_is_not_enabled(ledgers: Ledgers) -> None:
    with ledgers.counter(a_moving_shop(reversal_enabled=False)) as counter:
        assert refused(reverse(counter, redeemed(counter))) == 905
        assert counter.balance() == "400"


@pytest.mark.parametrize("points", [0, -5, "ten", "1.2345"])
def test_reverse_gives_901_for_points_that_cannot_be(counter: HttpCounter, points: object) -> None:
    assert refused(reverse(counter, redeemed(counter), points)) == 901


def test_reverse_gives_901_for_another_customer(counter: HttpCounter) -> None:
    somebody = {"type": "PHONE", "value": "9000000002"}
    assert refused(reverse(counter, redeemed(counter), identifier=somebody)) == 901


def test_reverse_gives_8015_for_an_identifier_nobody_has(counter: HttpCounter) -> None:
    nobody = {"type": "email", "value": "nobody@example.org"}
    assert refused(reverse(counter, redeemed(counter), identifier=nobody)) == 8015


def test_reverse_gives_802_for_an_identifier_that_cannot_be_one(counter: HttpCounter) -> None:
    misshapen = {"type": "mobile", "value": "letters"}
    assert refused(reverse(counter, redeemed(counter), identifier=misshapen)) == 802


def test_reverse_gives_885_for_another_program(counter: HttpCounter) -> None:
    assert refused(reverse(counter, redeemed(counter), programId=974)) == 885


def test_reverse_gives_904_while_the_redemption_is_locked(ledgers: Ledgers) -> None:
    with ledgers.counter(a_moving_shop(), wait_s=0.02) as counter:
        redemption_id = redeemed(counter)
        with ledgers.holding(counter.book):
            assert refused(reverse(counter, redemption_id)) == 904
        assert reverse(counter, redemption_id).status == 200


def test_reverse_gives_403_without_a_redemption(shop: HttpCounter) -> None:
    assert refused(reverse(shop, None)) == 403


def test_reverse_gives_400_for_an_identifier_of_no_known_type(shop: HttpCounter) -> None:
    assert refused(reverse(shop, "NOSUCHONE1", identifier={"type": "shoe", "value": "44"})) == 400


# --- Section 7, sentence by sentence --------------------------------------------------------------------------------


def test_7_half_is_reversed_member_by_member(counter: HttpCounter) -> None:
    redemption_id = redeemed(counter)
    told = reverse(counter, redemption_id, 50).json
    assert isinstance(told.pop("reversalId"), str)
    assert told == {
        "redemptionId": redemption_id,
        "pointsToBeReversed": 50,
        "pointsReversed": 50,
        "pointsReversedDetails": {"available": 50, "expired": 0},
        "customerId": TOMS,
        "orgId": 1,
        "identifier": {"type": "ID", "value": "50001"},
        "warnings": [],
        "errors": [],
    }
    assert counter.balance() == "450"


def test_7_without_points_all_of_it_goes_back(counter: HttpCounter) -> None:
    redemption_id = redeemed(counter)
    assert reverse(counter, redemption_id, 30).json["pointsReversed"] == 30
    assert reverse(counter, redemption_id).json["pointsReversed"] == 70
    assert counter.balance() == "500"


@pytest.mark.parametrize(
    "identifier",
    [
        *({"type": name, "value": "9777785205"} for name in ("mobile", "PHONE", "Phone", "MOBILE")),
        *({"type": name, "value": "tom.sawyer@example.org"} for name in ("email", "EMAIL")),
        *({"type": name, "value": "434547"} for name in ("externalId", "EXTERNALID")),
        *({"type": name, "value": "50001"} for name in ("ID", "id")),
        None,
    ],
    ids=lambda each: each["type"] if each else "none",
)
def test_7_identifiers_of_both_pages_are_taken_and_none(counter: HttpCounter, identifier: object) -> None:
    assert reverse(counter, redeemed(counter), identifier=identifier).json["pointsReversed"] == 100


def test_7_points_past_their_day_count_as_expired(ledgers: Ledgers) -> None:
    lines = a_moving_shop()
    tom = next(line for line in lines if line.get("id") == TOMS)
    tom["wallets"] = [
        {
            "program_id": 973,
            "lots": [{"points": 60, "expires_on": "2026-11-22"}, {"points": 100, "expires_on": "2026-11-23"}],
        }
    ]
    with ledgers.counter(lines) as counter:
        redemption_id = redeemed(counter)
        counter.clock.advance(24 * 3600)
        told = reverse(counter, redemption_id).json
        assert told["pointsReversedDetails"] == {"available": 40, "expired": 60}
        assert (told["pointsReversed"], counter.balance()) == (100, "100")
        counter.clock.advance(24 * 3600)  # They have kept their own day: now the others are gone too.
        assert counter.balance() == "0"


def test_7_points_of_a_family_group_go_back_to_it(counter: HttpCounter) -> None:
    redemption_id = str(counter.redeem(f"user_group2_id={HOME}", points_redeemed="600").item["redemption_id"])
    assert counter.check(f"{TOM}&points=410&user_group2_id={HOME}").code == 818
    assert reverse(counter, redemption_id, 10).status == 200
    assert counter.check(f"{TOM}&points=410&user_group2_id={HOME}").code == 800
    assert counter.balance() == "500"


# --- The rules of a program -----------------------------------------------------------------------------------------


def test_criteria_gives_1101_for_a_program_nobody_has(shop: HttpCounter) -> None:
    assert shop.get("/v1.1/program/criteria", "program_id=999").row == (200, 500, "false", 1101)


def test_criteria_gives_800_for_a_program_it_knows(shop: HttpCounter) -> None:
    assert shop.get("/v1.1/program/criteria", "program_id=973").row == (200, 200, "true", 800)
