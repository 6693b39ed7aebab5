"""The calls of sync-api 3, 11 and 12 at the HTTP face, literally."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from support.http_counter import FORMATS, HttpCounter
from support.row_ledgers import Ledgers
from support.row_shops import (
    a_moving_shop,
)


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_moving_shop()) as found:
        yield found


def test_sync_3_capabilities_member_by_member(counter: HttpCounter) -> None:
    told = counter.send("GET", "/sync/v1/capabilities").json
    version = told.pop("version")
    assert version
    (key,) = told.pop("ledger_keys")
    assert key["key_id"] == "k1"
    assert len(base64.b64decode(key["public_key"], validate=True)) == 32
    assert told == {
        "service": "pos-app-ledger",
        "api": 1,
        "schema": 1,
        "epoch": 1,
        "idempotent_redeem": True,
        "server_time": "2026-11-22T10:00:00.000Z",
        "features": ["cancel", "leases", "operators", "passes", "post_reads", "settle", "sync"],
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
