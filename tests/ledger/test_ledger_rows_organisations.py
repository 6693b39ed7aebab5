"""Two retailers in one ledger who share every number there is: nothing of one is seen or moved by the other.

Both have customer 50001 with mobile 9777785205, program 973, family group 77, till names apart, the same references
and the same redemption ids. Tom of the first has 500 points at 1; Tom of the second has 70 at 0.25.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.http_counter import CUSTOMER, REVERSE, HttpCounter
from support.ledger_server import a_customer, a_program, a_till, an_organisation
from support.row_ledgers import Ledgers
from support.row_shops import GOLD, HOME, KEY, OTHER_KEY, TOM, TOMS, Line, a_family, a_person, lots

THEIR_TILL = "till.elsewhere"
ONLY_OURS, ONLY_THEIRS = 51001, 52001
OLD = "OLDREDEEMED"


def retailer(org: int, points: int, ratio: str, only: int, **till: Any) -> list[Line]:
    """One of the two. `only` is a customer, a program, a family group and a redemption the other one does not have."""
    mine: dict[str, Any] = {"organisation": org}
    history = {**mine, "kind": "redemption", "program_id": GOLD, "at": "2026-11-20T10:00:00+05:30"}
    return [
        an_organisation(id=org, name=f"Retailer {org}"),
        a_program(**mine, points_currency_ratio=ratio, criteria={}, family_groups_enabled=True, name=f"Program {org}"),
        a_program(**mine, id=only, default=False, criteria={}, name=f"Only {org}"),
        a_till(**mine, **till),
        a_customer(**mine, first_name=f"Tom{org}", wallets=[lots(points)], default_family_group_id=HOME),
        a_person(only, 9 if org == 1 else 8, **mine, external_id=f"only-{org}", wallets=[lots(points)]),
        a_family(HOME, {"customer_id": TOMS, "primary": True}, **mine, name=f"Home{org}", wallets=[lots(points * 2)]),
        a_family(
            only,
            {"customer_id": only, "primary": True},
            **mine,
            name=f"Only{org}",
            external_id=f"FG-{org}",
            wallets=[lots(points * 2)],
        ),
        {
            **history,
            "redemption_id": OLD,
            "customer_id": TOMS,
            "points": points // 10,
            "external_reference_number": OTHER_KEY,
            "lots": [{"points": points // 10, "expires_on": "2035-12-31"}],
        },
        {**history, "redemption_id": f"{OLD}{org}", "customer_id": TOMS, "points": 5, "lots": []},
    ]


def two_retailers() -> list[Line]:
    return [*retailer(1, 500, "1", ONLY_OURS), *retailer(2, 70, "0.25", ONLY_THEIRS, login=THEIR_TILL)]


@pytest.fixture
def ours(ledgers: Ledgers) -> Iterator[HttpCounter]:
    """The first retailer's till."""
    with ledgers.counter(two_retailers()) as found:
        yield found


@pytest.fixture
def theirs(ours: HttpCounter) -> HttpCounter:
    """The second retailer's till, at the same ledger."""
    return replace(ours, login=THEIR_TILL)


def standing(counter: HttpCounter) -> tuple[str, Any]:
    """What Tom holds, and his family group."""
    reply = counter.send(
        "GET", "/v2/customers/points/balance", f"entityType=FLEET&identifierName=id&identifierValue={HOME}"
    )
    return counter.balance(), reply.json["mainPoints"]


UNTOUCHED = ("500", 1000)
THEIRS_UNTOUCHED = ("70", 140)


def reverse(counter: HttpCounter, redemption_id: str, points: int | None = None) -> Any:
    body = {"redemptionId": redemption_id, "identifier": {"type": "ID", "value": str(TOMS)}}
    content = json.dumps(body if points is None else {**body, "pointsToBeReversed": points}).encode()
    return counter.send("POST", REVERSE, "", content, {"Content-Type": "application/json"}).json


def test_each_asks_about_its_own_customer(ours: HttpCounter, theirs: HttpCounter) -> None:
    for who in (TOM, "email=tom.sawyer@example.org", "external_id=434547", "id=50001"):
        mine, other = ours.check(f"{who}&points=100"), theirs.check(f"{who}&points=70")
        assert (mine.code, mine.item["points_redeem_value"]) == (800, 100)
        assert (other.code, other.item["points_redeem_value"]) == (800, 17.5)
        assert theirs.check(f"{who}&points=71").code == 818


@pytest.mark.parametrize("who", [f"id={ONLY_OURS}", "mobile=9000000009", "external_id=only-1"])
def test_the_others_customers_do_not_exist(ours: HttpCounter, theirs: HttpCounter, who: str) -> None:
    assert ours.check(f"{who}&points=10").code == 800
    assert theirs.check(f"{who}&points=10").code == 889
    assert theirs.send_code(who).code == 816
    assert theirs.send("GET", CUSTOMER, who).json["response"]["status"]["code"] == 500
    name, _, value = who.partition("=")
    assert theirs.redeem(customer={name: value}).code == 816
    # Named beside one's own customer she is nobody, and no reason to refuse.
    assert theirs.redeem(customer={"mobile": "9777785205", "id": ONLY_OURS}).code == 800


def test_the_others_programs_do_not_exist(ours: HttpCounter, theirs: HttpCounter) -> None:
    assert ours.check(f"{TOM}&points=10&program_id={ONLY_OURS}").code == 818
    assert theirs.check(f"{TOM}&points=10&program_id={ONLY_OURS}").code == 1101
    assert theirs.redeem(f"program_id={ONLY_OURS}").code == 1101
    assert theirs.get("/v1.1/program/criteria", f"program_id={ONLY_OURS}").code == 1101
    assert theirs.get("/v1.1/program/criteria", f"program_id={GOLD}").item["program_name"] == "Program 2"
    named = theirs.send("GET", "/v2/organization/programs").json
    assert [each["programName"] for each in named] == ["Program 2", "Only 2"]
    for path in (f"/v2/customers/{TOMS}/points/balance",):
        assert theirs.send("GET", path, f"programId={ONLY_OURS}").json["errors"][0]["code"] == 1101
        assert theirs.send("GET", path).json["mainPoints"] == 70


@pytest.mark.parametrize("group", [f"user_group2_id={ONLY_OURS}", "user_group2_external_id=FG-1"])
def test_the_others_family_groups_do_not_exist(ours: HttpCounter, theirs: HttpCounter, group: str) -> None:
    assert ours.check(f"id={ONLY_OURS}&points=1000&{group}").code == 800
    assert theirs.check(f"{TOM}&points=10&{group}").code == 1632
    assert theirs.redeem(group).code == 1632
    named = group.replace("user_group2_id", "id").replace("user_group2_external_id", "externalId")
    assert theirs.send("GET", "/v2/userGroup2", named).json["errors"][0]["code"] == 1632
    by = named.partition("=")
    members = f"source=INSTORE&identifierName={by[0]}&identifierValue={by[2]}"
    assert theirs.send("GET", "/v2/userGroup2/members", members).json["errors"][0]["code"] == 1632
    found = theirs.send("GET", "/v2/userGroup2/search", "q=Only").json["data"]
    assert [each["groupName"] for each in found] == ["Only2"]


def test_a_family_group_of_the_same_number_is_each_ones_own(ours: HttpCounter, theirs: HttpCounter) -> None:
    group = f"user_group2_id={HOME}"
    assert theirs.check(f"{TOM}&points=141&{group}").code == 818
    assert theirs.redeem(group, points_redeemed="140").code == 800
    assert (standing(ours), standing(theirs)) == (UNTOUCHED, ("70", 0))
    assert theirs.send("GET", "/v2/userGroup2", f"id={HOME}").json["groupName"] == "Home2"


def test_a_redemption_moves_only_its_own_side(ours: HttpCounter, theirs: HttpCounter) -> None:
    assert theirs.redeem(points_redeemed="20").code == 800
    assert (standing(ours), standing(theirs)) == (UNTOUCHED, ("50", 140))
    assert ours.redeem(points_redeemed="30").code == 800
    assert (standing(ours), standing(theirs)) == (("470", 1000), ("50", 140))


def test_a_reference_belongs_to_its_organisation(ours: HttpCounter, theirs: HttpCounter) -> None:
    mine = ours.redeem(points_redeemed="30", external_reference_number=KEY)
    other = theirs.redeem(points_redeemed="20", external_reference_number=KEY)
    assert (mine.code, other.code) == (800, 800)
    assert mine.item["redemption_id"] != other.item["redemption_id"]
    assert theirs.redeem(points_redeemed="20", external_reference_number=KEY).item == other.item
    # The same reference came with both imports too.
    assert ours.redeem(points_redeemed="50", external_reference_number=OTHER_KEY).item["redemption_id"] == OLD
    assert theirs.redeem(points_redeemed="7", external_reference_number=OTHER_KEY).item["redemption_id"] == OLD
    assert theirs.redeem(points_redeemed="50", external_reference_number=OTHER_KEY).code == 903
    assert (standing(ours), standing(theirs)) == (("470", 1000), ("50", 140))


def test_a_cancel_reaches_only_its_own_references(ours: HttpCounter, theirs: HttpCounter) -> None:
    assert ours.redeem(points_redeemed="30", external_reference_number=KEY).code == 800
    assert theirs.cancel(KEY).json["outcome"] == "cancelled"  # Theirs was never used.
    assert standing(ours) == ("470", 1000)
    assert theirs.redeem(external_reference_number=KEY).code == 903
    assert ours.cancel(KEY).json["outcome"] == "reversed"
    assert (standing(ours), standing(theirs)) == (UNTOUCHED, THEIRS_UNTOUCHED)


def test_a_reversal_reaches_only_its_own_redemptions(ours: HttpCounter, theirs: HttpCounter) -> None:
    made = str(ours.redeem(points_redeemed="30").item["redemption_id"])
    assert reverse(theirs, made)["errors"][0]["code"] == 902
    assert reverse(theirs, f"{OLD}1")["errors"][0]["code"] == 902
    # Of the same redemption id each reverses its own.
    told = reverse(theirs, OLD)
    assert (told["orgId"], told["pointsReversed"]) == (2, 7)
    assert (standing(ours), standing(theirs)) == (("470", 1000), ("77", 140))
    told = reverse(ours, OLD, 20)
    assert (told["orgId"], told["pointsReversed"]) == (1, 20)
    assert (standing(ours), standing(theirs)) == (("490", 1000), ("77", 140))


def test_a_code_serves_only_at_the_organisation_that_sent_it(ours: HttpCounter, theirs: HttpCounter) -> None:
    code = ours.code(f"{TOM}&points=10")
    assert theirs.check(f"{TOM}&points=10&validation_code={code}").code == 808
    assert theirs.redeem(validation_code=code).code == 808
    assert ours.redeem(validation_code=code).code == 800
    assert standing(theirs) == THEIRS_UNTOUCHED


def test_wrong_tries_and_sendings_count_for_ones_own_customer(ours: HttpCounter, theirs: HttpCounter) -> None:
    for _ in range(6):
        assert theirs.check(f"{TOM}&points=10&validation_code=WRONG1").code == 808
    for _ in range(11):
        theirs.send_code(f"{TOM}&points=10")
    assert theirs.send_code(f"{TOM}&points=10").code == 860
    code = ours.code(f"{TOM}&points=10")
    assert ours.check(f"{TOM}&points=10&validation_code={code}").code == 800


def test_a_customer_is_told_with_her_own_side_only(ours: HttpCounter, theirs: HttpCounter) -> None:
    everything = "user_id=true&points_summary=true&expiry_schedule=true&user_group=true&program_summary=true"
    body = theirs.send("GET", CUSTOMER, f"{TOM}&{everything}").body.decode()
    assert "Tom2" in body
    for foreign in ("Tom1", "Program 1", "Only 1", "Home1", "Only1"):
        assert foreign not in body
    told = json.loads(body)["response"]["customers"]["customer"][0]
    assert (told["loyalty_points"], [each["groupName"] for each in told["user_groups2"]]) == (70, ["Home2"])


def test_a_missed_call_confirms_only_at_the_organisation_it_was_told_to(ledgers: Ledgers) -> None:
    lines = [
        dict(line, missed_call_enabled=True) if line["kind"] == "organisation" else line for line in two_retailers()
    ]
    with ledgers.counter(lines) as ours:
        theirs = replace(ours, login=THEIR_TILL)
        told = ours.send(
            "POST",
            "/telephony/v1/missed-calls",
            "",
            b'{"from": "+919777785205"}',
            {"Content-Type": "application/json"},
        )
        assert told.status == 202
        assert theirs.check(f"{TOM}&points=10&validation_type=MISSED_CALL").code == 822
        assert theirs.redeem("validation_type=MISSED_CALL").code == 822
        assert ours.redeem("validation_type=MISSED_CALL").code == 800


def test_ceilings_and_switches_are_each_ones_own(ledgers: Ledgers) -> None:
    lines = two_retailers()
    for line in lines:
        if line["kind"] == "program" and line["organisation"] == 2 and line["id"] == GOLD:
            line["criteria"] = {"ceilings": [{"period": "day", "points": 20}], "multiple_of": 10}
    with ledgers.counter(lines) as ours:
        theirs = replace(ours, login=THEIR_TILL)
        assert ours.redeem(points_redeemed="333").code == 800
        assert theirs.check(f"{TOM}&points=20").code == 800
        assert theirs.check(f"{TOM}&points=30").code == 819
        assert theirs.check(f"{TOM}&points=15").code == 807
        assert ours.check(f"{TOM}&points=15").code == 800


def test_the_settings_told_are_ones_own(ours: HttpCounter, theirs: HttpCounter) -> None:
    for counter, name in ((ours, "Retailer 1"), (theirs, "Retailer 2")):
        body = counter.send("GET", "/v1.1/organization/get").body.decode()
        assert name in body
        assert {"Retailer 1": "Retailer 2", "Retailer 2": "Retailer 1"}[name] not in body
