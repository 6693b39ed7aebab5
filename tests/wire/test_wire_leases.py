"""Leases and heartbeats on the wire (sync-api 6 and 9), and a fixed lease that was signed outside our code (15)."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pos_app.domain.feed import Countersigned, Heartbeat, HeartbeatAnswer
from pos_app.domain.leases import (
    Allocation,
    Freed,
    GiveBack,
    Lease,
    LeaseRequest,
    LeaseResult,
    NoLease,
    Owner,
    OwnerKind,
)
from pos_app.domain.points import Points
from pos_app.wire.canonical import canonical_bytes, canonical_json
from pos_app.wire.faults import MalformedError, UnreadableAnswerError
from pos_app.wire.heartbeats import (
    countersigned_part,
    read_heartbeat,
    read_heartbeat_answer,
    write_heartbeat,
    write_heartbeat_answer,
)
from pos_app.wire.leases import (
    lease_tree,
    read_close,
    read_freed,
    read_lease_requests,
    read_lease_results,
    read_lease_tree,
    signed_part,
    write_close,
    write_freed,
    write_lease_requests,
    write_lease_results,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
KEY_1, KEY_2 = "6Q2P0V8RJX4M1TZC9WD3HKYB5E", "7Q2P0V8RJX4M1TZC9WD3HKYB5E"

# Made with `openssl pkeyutl -sign -rawin` and the first key of RFC 8032, section 7.1, over this text.
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SIGNED_TEXT = (
    '{"allocations":[{"lot_id":31,"points":"150","usable_until":"2026-12-31T18:30:00.000Z","wallet_id":8801},'
    '{"lot_id":32,"points":"250.5","usable_until":null,"wallet_id":8801}],"amount":"400.5",'
    '"customer_ids":[50001,50002],"expires_at":"2026-11-22T18:00:00.000Z","granted_at":"2026-11-22T10:00:00.000Z",'
    '"lease_id":"L01JD0Z6T7","owner":{"id":77,"kind":"family_group"},"program_id":973,'
    '"settle_until":"2026-11-25T18:00:00.000Z","term_s":28800,"till":"till.014.3","till_epoch":1}'
)
SIGNATURE = "UFb89FzlSgbfB31j+wYb0ennoELol87/mQtkvkdyPdNcBUYj5MlKyIFLH/c6fksaVCos+DOV2+eeZ8E89gr0AQ=="

LEASE = Lease(
    lease_id="L01JD0Z6T7",
    till="till.014.3",
    till_epoch=1,
    owner=Owner(OwnerKind.FAMILY_GROUP, 77),
    customer_ids=(50001, 50002),
    program_id=973,
    amount=Points.of("400.5"),
    allocations=(
        Allocation(8801, 31, Points.of(150), datetime(2026, 12, 31, 18, 30, tzinfo=UTC)),
        Allocation(8801, 32, Points.of("250.5")),
    ),
    granted_at=NOW,
    expires_at=NOW.replace(hour=18),
    term_s=28800,
    settle_until=NOW.replace(day=25, hour=18),
    signature=SIGNATURE,
)


def test_the_signature_made_outside_our_code_covers_our_lease() -> None:
    assert canonical_json(signed_part(LEASE)) == SIGNED_TEXT
    key = Ed25519PublicKey.from_public_bytes(b64decode(PUBLIC_KEY))
    key.verify(b64decode(SIGNATURE), canonical_bytes(signed_part(LEASE)))


def test_a_lease_comes_back_as_it_was_written() -> None:
    assert read_lease_tree(json.loads(canonical_json(lease_tree(LEASE)))) == LEASE


@pytest.mark.parametrize("name", sorted(lease_tree(LEASE)))
def test_a_lease_that_lacks_a_member_is_none(name: str) -> None:
    tree = lease_tree(LEASE)
    del tree[name]
    with pytest.raises(UnreadableAnswerError, match=name):
        read_lease_tree(tree)


def test_requests_come_back_as_they_were_written() -> None:
    requests = (
        LeaseRequest(request_id=KEY_1, owner=Owner(OwnerKind.CUSTOMER, 50001), program_id=973),
        LeaseRequest(
            request_id=KEY_2,
            owner=LEASE.owner,
            program_id=973,
            wanted=Points.of("12.5"),
            give_back=(GiveBack("L1", Points.of(50)),),
        ),
    )
    assert read_lease_requests(write_lease_requests(3, requests)) == (3, requests)


def test_results_come_back_as_they_were_written() -> None:
    results = (
        LeaseResult(request_id=KEY_1, lease=LEASE),
        LeaseResult(request_id=KEY_2, reason=NoLease.CONTACT_CHANGED),
    )
    assert read_lease_results(write_lease_results(NOW, results)) == results


def test_a_reason_of_a_later_ledger_is_no_lease_all_the_same() -> None:
    body = json.dumps({"results": [{"request_id": KEY_1, "lease": None, "reason": "bad_weather"}]}).encode()
    assert read_lease_results(body) == (LeaseResult(request_id=KEY_1, reason=NoLease.NOTHING_AVAILABLE),)


@pytest.mark.parametrize("body", [b"{}", b'{"results": [1]}', b'{"results": [{"lease": {}}]}', b"<html>"])
def test_what_is_no_answer_about_leases_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_lease_results(body)


def asked(**changes: Any) -> bytes:
    request = {"request_id": KEY_1, "owner": {"kind": "customer", "id": 50001}, "program_id": 973, **changes}
    return json.dumps({"till_epoch": 1, "requests": [request]}).encode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"request_id": "short"}, "requests[0].request_id"),
        ({"owner": None}, "requests[0].owner"),
        ({"owner": {"kind": "store", "id": 1}}, "requests[0].owner.kind"),
        ({"owner": {"kind": "customer", "id": 0}}, "requests[0].owner.id"),
        ({"owner": {"kind": "customer", "id": True}}, "requests[0].owner.id"),
        ({"program_id": "973"}, "requests[0].program_id"),
        ({"wanted": 50}, "requests[0].wanted"),
        ({"wanted": "-1"}, "requests[0].wanted"),
        ({"wanted": "0.0001"}, "requests[0].wanted"),
        ({"give_back": {}}, "requests[0].give_back"),
        ({"give_back": [{"lease_id": "L1"}]}, "requests[0].give_back[0].final_spent"),
    ],
)
def test_a_request_that_cannot_be_read_names_the_member(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_lease_requests(asked(**changes))
    assert refused.value.field == field


@pytest.mark.parametrize("count", [0, 101])
def test_none_or_more_than_a_hundred_requests_are_malformed(count: int) -> None:
    body = json.dumps({"till_epoch": 1, "requests": [{}] * count}).encode()
    with pytest.raises(MalformedError, match="requests"):
        read_lease_requests(body)


def test_closing_and_its_answer_come_back_as_they_were_written() -> None:
    given = (GiveBack("L1", Points.of("0.5")), GiveBack("L2"))
    assert read_close(write_close(2, given)) == (2, given)
    freed = (Freed("L1", Points.of(3), Points.of("0.5")),)
    assert read_freed(write_freed(freed)) == freed
    with pytest.raises(MalformedError, match="give_back"):
        read_close(b'{"till_epoch": 1}')


# --- Heartbeats ------------------------------------------------------------------------------------------------------

BEAT = Heartbeat(
    till_epoch=1,
    version="1.4.0",
    wall_clock=NOW,
    outbox_count=2,
    oldest_s=90,
    audit_head="ab" * 32,
    audit_count=7,
    leases={"L1": Points.of("12.5")},
)


def test_a_heartbeat_comes_back_as_it_was_written() -> None:
    assert read_heartbeat(write_heartbeat(BEAT)) == BEAT


def test_its_answer_comes_back_as_it_was_written() -> None:
    answer = HeartbeatAnswer(
        server_time=NOW,
        epoch=3,
        redemptions_enabled=True,
        till_state="ACTIVE",
        give_back_wanted=("L1",),
        revoked=("L2", "L3"),
        has_changes=True,
        countersigned=Countersigned(head="ab" * 32, count=7, at=NOW, signature="c2ln"),
    )
    assert read_heartbeat_answer(write_heartbeat_answer(answer)) == answer
    alone = replace(answer, countersigned=None, revoked=(), give_back_wanted=())
    assert read_heartbeat_answer(write_heartbeat_answer(alone)) == alone


def test_what_the_ledger_countersigns_is_canonical() -> None:
    signed = Countersigned(head="ab", count=7, at=NOW, signature="")
    assert canonical_json(countersigned_part(signed)) == '{"at":"2026-11-22T10:00:00.000Z","count":7,"head":"ab"}'


@pytest.mark.parametrize("name", sorted(json.loads(write_heartbeat(BEAT))))
def test_a_heartbeat_that_lacks_a_member_is_malformed(name: str) -> None:
    tree = json.loads(write_heartbeat(BEAT))
    del tree[name]
    with pytest.raises(MalformedError, match=name):
        read_heartbeat(json.dumps(tree).encode())
