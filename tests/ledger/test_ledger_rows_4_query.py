"""Contract 4 at the HTTP face, row by row: the query of a redemption, and what it must prove."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.http_counter import CUSTOMER, REDEEM, HttpCounter, read
from support.row_ledgers import Ledgers
from support.row_shops import (
    TOM,
    a_moving_shop,
)


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found


ITEM = {"points_redeemed": "10", "customer": {"mobile": "9777785205"}}
XML_ITEM = "<points_redeemed>10</points_redeemed><customer><mobile>9777785205</mobile></customer>"


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
    ledgers: Ledgers, organisation: dict[str, Any], query: str, members: dict[str, Any], code: int
) -> None:
    with ledgers.counter(a_moving_shop(**organisation)) as counter:
        assert counter.redeem(query, **members).code == code
