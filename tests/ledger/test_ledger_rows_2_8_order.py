"""Contract 2.8 at the HTTP face: the order of the checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from support.http_counter import CHECK
from support.ledger_server import a_customer, a_program, a_till, an_organisation, basic
from support.row_ledgers import Ledgers
from support.row_shops import (
    CLOSED,
    HOME,
    KEY,
    OTHER,
    SILVER,
    TOM,
    TOMS,
    Line,
    a_family,
    a_person,
    a_shop,
    lots,
    worst_shop,
)
from support.wsgi import wsgi_call

EVERYTHING = [686, 881, 809, 3316, 1620, 828, 903, 827, 821, 819, 807, 804, 805, 806, 818, 819, 824]
"""The order of contract 2.8 from step 5 on."""


def test_2_8_every_refusal_is_told_in_the_documented_order(ledgers: Ledgers) -> None:
    query = f"{TOM}&program_id=974&user_group2_id=77&skip_validation=true"
    with ledgers.counter(worst_shop()) as counter:
        counter.with_extension = True
        assert counter.check(f"{query}&points=255").refusals == EVERYTHING
        unreadable = counter.check(f"{query}&points=1.2345")
        assert (unreadable.code, unreadable.refusals[:2]) == (878, [878, 686])
        by_value = counter.check(f"{query}&currency_input=true&currency_value=abc")
        assert by_value.refusals[:3] == [801, 872, 686]
        unknown = counter.check("mobile=9000000001&program_id=999&user_group2_id=99&points=0")
        assert unknown.refusals == [801, 889, 1101, 3316, 1632]
        misshapen = counter.check("mobile=x&program_id=abc&user_group2_id=99&points=0")
        assert misshapen.refusals[:3] == [801, 802, 1101]


def test_2_8_redeem_has_the_same_order_with_its_own_steps(ledgers: Ledgers) -> None:
    query = "program_id=974&user_group2_id=77&skip_validation=true"
    customer = {"mobile": "9777785205", "email": "", "id": OTHER}
    members = {"customer": customer, "redemption_time": "2020-01-01 00:00:00"}
    with ledgers.counter(worst_shop()) as counter:
        counter.with_extension = True
        told = counter.redeem(query, points_redeemed="255", **members)
        after_customer = [3045 if code == 809 else code for code in EVERYTHING]
        assert told.refusals == [859, 904, *after_customer]
        assert counter.redeem(query, points_redeemed="0", **members).refusals[:3] == [801, 859, 904]
        unknown = {**members, "customer": {"mobile": "9000000001", "id": OTHER}}
        assert counter.redeem(query, points_redeemed="10", **unknown).refusals[:3] == [859, 816, 904]


def test_2_8_the_first_steps_come_before_any_rule(ledgers: Ledgers) -> None:
    bad = "points=abc&issue_otp=perhaps"
    with ledgers.counter(worst_shop(), rate_per_minute=2) as counter:
        assert wsgi_call(counter.app, "GET", CHECK, bad).status == 401
        assert counter.send("GET", CHECK, bad).status == 400
        assert counter.send("GET", CHECK, f"{TOM}&points=abc").status == 200
        assert counter.send("GET", CHECK, bad).status == 429
        assert wsgi_call(counter.app, "GET", CHECK, bad, headers={"Authorization": basic("x")}).status == 401


def test_2_8_proof_comes_last_and_in_its_order(ledgers: Ledgers) -> None:
    with ledgers.counter(a_shop(validation_required=True)) as counter:
        counter.with_extension = True
        asked = f"{TOM}&points=11&validation_type=MISSED_CALL&validation_code=WRONG1"
        assert counter.check(asked).refusals == [807, 823, 808]
        assert counter.redeem("validation_type=MISSED_CALL").refusals == [824, 823]


# --- Each step and the next -----------------------------------------------------------------------------------------

SICK = {"type": "NON_LOYALTY", "fraud_status": "MARKED"}
PLAIN = lots(500)
PAUSED = lots(500, state="PAUSED")
FAMILY = "user_group2_id=77"
MISSED = "validation_type=MISSED_CALL"


@dataclass(frozen=True)
class Step:
    """A shop and a question against which two neighbours of the order stand; the first one is the answer."""

    first: int
    second: int
    query: str = ""
    points: str = "points=10"
    who: str = TOM
    criteria: dict[str, Any] = field(default_factory=dict)
    program: dict[str, Any] = field(default_factory=dict)
    customer: dict[str, Any] = field(default_factory=dict)
    organisation: dict[str, Any] = field(default_factory=dict)
    has_programs: bool = True

    def lines(self) -> list[Line]:
        """The shop: program 973 has the rules, 974 none; family group 77 is without Tom, 78 blocks him."""
        others = [
            a_family(HOME, {"customer_id": OTHER, "primary": True}, name="Others"),
            a_family(
                CLOSED,
                {"customer_id": TOMS, "primary": True, "permissions": ["block_points_redemption"]},
                name="Tom's",
                wallets=[PLAIN] if self.has_programs else [],
            ),
        ]
        programs = [
            a_program(**{"criteria": self.criteria, "family_groups_enabled": True, **self.program}),
            a_program(id=SILVER, default=False, criteria={}),
        ]
        wallets: list[Any] = [PLAIN] if self.has_programs else []
        return [
            an_organisation(**self.organisation),
            *(programs if self.has_programs else []),
            a_till(),
            a_customer(**{"wallets": wallets, **self.customer}),
            a_person(OTHER, 2, wallets=[]),
            *others,
        ]


STEPS = [
    Step(801, 872, "currency_input=true&currency_value=x", points="", program={"points_currency_ratio": None}),
    Step(801, 802, points="points=0", who="mobile=x"),
    Step(878, 802, points="points=1.2345", who="mobile=x"),
    Step(872, 802, "currency_input=true&currency_value=5", "", "mobile=x", program={"points_currency_ratio": None}),
    Step(802, 895, who="email=nobody", has_programs=False),
    Step(802, 1101, "program_id=999", who="email=nobody"),
    Step(889, 1101, "program_id=999", who="mobile=9000000001"),
    Step(686, 881, customer={**SICK, "campaign_only": True}),
    Step(881, 809, customer=SICK),
    Step(809, 895, customer={"fraud_status": "FRAUD"}, has_programs=False),
    Step(809, 1101, "program_id=999", customer={"fraud_status": "FRAUD"}),
    Step(895, 888, "group_redemption=true", has_programs=False),
    Step(1101, 888, "program_id=999&group_redemption=true"),
    Step(1101, 3316, "program_id=999", organisation={"program_group_redemption": "required"}),
    Step(888, 827, "group_redemption=true", program={"redemption_enabled": False}),
    Step(3316, 1632, "user_group2_id=99", organisation={"program_group_redemption": "required"}),
    Step(1632, 828, "user_group2_id=99&program_id=974"),
    Step(1620, 828, f"{FAMILY}&program_id=974"),
    Step(828, 903, "user_group2_id=78&program_id=974"),
    Step(903, 827, "user_group2_id=78", program={"redemption_enabled": False}),
    Step(903, 827, customer={"wallets": [PAUSED]}, organisation={"redemptions_enabled": False}),
    Step(827, 821, program={"redemption_enabled": False}, criteria={"minimum": 20}),
    Step(821, 819, points="points=30", criteria={"minimum": 40, "maximum": 20}),
    Step(819, 807, points="points=25", criteria={"maximum": 20, "multiple_of": 10}),
    Step(807, 804, points="points=25", criteria={"multiple_of": 10, "balance_required": 600}),
    Step(804, 805, criteria={"balance_required": 600, "lifetime_points_required": 1}),
    Step(805, 806, criteria={"lifetime_points_required": 1, "lifetime_purchases_required": 1}),
    Step(806, 818, points="points=600", criteria={"lifetime_purchases_required": 1}),
    Step(818, 819, points="points=600", criteria={"ceilings": [{"period": "day", "points": 20}]}),
    Step(819, 824, "skip_validation=true", "points=25", criteria={"ceilings": [{"period": "day", "points": 20}]}),
    Step(819, 823, MISSED, "points=25", criteria={"ceilings": [{"period": "day", "points": 20}]}),
    Step(823, 808, f"{MISSED}&validation_code=WRONG1"),
    Step(822, 808, f"{MISSED}&validation_code=WRONG1", organisation={"missed_call_enabled": True}),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.first}_before_{step.second}")
def test_2_8_of_two_neighbours_the_first_is_the_answer(ledgers: Ledgers, step: Step) -> None:
    with ledgers.counter(step.lines()) as counter:
        counter.with_extension = True
        told = counter.check(f"{step.who}&{step.points}&{step.query}")
        assert told.row == (200, 500, "false", step.first)
        assert told.refusals[:2] == [step.first, step.second]


@pytest.mark.parametrize("fault", ["points=0", "mobile=x", "program_id=999", "user_group2_id=99", "points=1.2345"])
@pytest.mark.parametrize("malformed", ["issue_otp=maybe", "user_group2_id=x", "validation_type=EMAIL", "format=yaml"])
def test_2_8_what_cannot_be_understood_comes_before_what_is_refused(
    ledgers: Ledgers, fault: str, malformed: str
) -> None:
    reply = ledgers.reader(Step(0, 0).lines()).send("GET", CHECK, f"{TOM}&points=10&{fault}&{malformed}")
    assert (reply.status, reply.json["response"]["status"]["code"]) == (400, 400)


def test_2_8_a_wrong_code_comes_before_sending_one(ledgers: Ledgers) -> None:
    with ledgers.counter(Step(0, 0).lines()) as counter:
        counter.sender.is_broken = True
        assert counter.check(f"{TOM}&points=10&issue_otp=true&validation_code=WRONG1").code == 808
        assert counter.check(f"{TOM}&points=10&issue_otp=true").code == 876


OLD_TIME = "2020-01-01 00:00:00"
SOMEBODY_ELSE = {"mobile": "9777785205", "id": OTHER}


@pytest.mark.parametrize(
    ("first", "second", "members", "customer"),
    [
        (801, 859, {"points_redeemed": "0", "redemption_time": OLD_TIME}, {}),
        (878, 859, {"points_redeemed": "1.2345", "redemption_time": OLD_TIME}, {}),
        (859, 802, {"redemption_time": OLD_TIME, "customer": {"mobile": "x"}}, {}),
        (859, 816, {"redemption_time": OLD_TIME, "customer": {"mobile": "9000000001"}}, {}),
        (859, 904, {"redemption_time": OLD_TIME, "customer": SOMEBODY_ELSE}, {}),
        (816, 904, {"customer": {"mobile": "9000000001", "id": OTHER}}, {}),
        (904, 686, {"customer": SOMEBODY_ELSE}, {"campaign_only": True}),
        (904, 881, {"customer": SOMEBODY_ELSE}, {"type": "NON_LOYALTY"}),
        (881, 3045, {}, SICK),
        (3045, 1101, {"program_id": 999}, {"fraud_status": "FRAUD"}),
    ],
    ids=lambda part: str(part) if isinstance(part, int) else "",
)
def test_2_8_redeem_has_its_own_neighbours(
    ledgers: Ledgers, first: int, second: int, members: dict[str, Any], customer: dict[str, Any]
) -> None:
    counter = ledgers.reader(Step(first, second, customer=customer).lines()).extended()
    told = counter.redeem(**members)
    assert (told.row, told.refusals[:2]) == ((200, 500, "false", first), [first, second])


@pytest.mark.parametrize(
    ("first", "second", "query", "members"),
    [
        (818, 824, "", {"points_redeemed": "600"}),
        (824, 823, MISSED, {}),
    ],
)
def test_2_8_redeem_asks_for_a_proof_last(
    ledgers: Ledgers, first: int, second: int, query: str, members: dict[str, Any]
) -> None:
    counter = ledgers.reader(Step(first, second, organisation={"validation_required": True}).lines()).extended()
    assert counter.redeem(query, **members).refusals[:2] == [first, second]


def test_2_8_redeem_answers_a_known_reference_first_of_all(ledgers: Ledgers) -> None:
    with ledgers.counter(Step(0, 0).lines()) as counter:
        first = counter.redeem(external_reference_number=KEY)
        assert first.code == 800
        late = counter.redeem(external_reference_number=KEY, redemption_time=OLD_TIME, validation_code="WRONG1")
        assert late.item == first.item
        # Parsing comes before it.
        assert counter.redeem("skip_validation=maybe", external_reference_number=KEY).http == 400
