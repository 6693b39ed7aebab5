"""Rows that are settled, and passes, on the wire (sync-api 7 and 10), with vectors made outside our code (15)."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pos_app.domain.answers import Share, WalletView
from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.passes import NotAPassError, Pass
from pos_app.domain.points import Points
from pos_app.domain.settling import (
    FIRST_PREV_HASH,
    OfflineProof,
    OfflineProofKind,
    SettleAnswer,
    Settled,
    SettleOutcome,
    Spend,
    SpendKind,
)
from pos_app.wire.canonical import canonical_json
from pos_app.wire.faults import MalformedError, UnreadableAnswerError
from pos_app.wire.passes import pass_payload, read_pass, write_pass
from pos_app.wire.settling import (
    ReceivedSpend,
    hash_of,
    hashed_part,
    read_settle,
    read_settle_answer,
    read_spend_tree,
    signed_bytes,
    spend_tree,
    write_settle,
    write_settle_answer,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

# Made with sha256sum, base32 and `openssl pkeyutl -sign -rawin`, and the first key of RFC 8032, section 7.1.
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
ROW_TEXT = (
    '{"at":"2026-11-22T12:00:00.000Z","cashier":7,"confirmed_epoch":null,"customer_id":50001,'
    '"key":"6Q2P0V8RJX4M1TZC9WD3HKYB5E","kind":"LEASE","lease_id":"L01JD0Z6T7",'
    '"owner":{"id":50001,"kind":"customer"},"points":"12.5",'
    '"prev_hash":"0000000000000000000000000000000000000000000000000000000000000000","program_id":973,'
    '"proof":{"approval":null,"kind":"none","pass":null},"redemption_id":"Q014300001","seq":1,'
    '"transaction_number":"B-77 Caf\u00e9"}'
)
ROW_HASH = "c216b4d296049cce9982f87b298912a1b80df335420b8f477e6643b753acfb50"
ROW_SIGNATURE = "qi2sc1FIcaCK9Ja7buOIzUCUYtqjQ/wEoNZYz5kAfgypDXVdXT0O9IIugHHKHFYgH6hhzHbs4Mg5Ii1gKAkZDA=="
PASS_TEXT = (
    '{"h":"till.014.3","k":"k1","l":"L01JD0Z6T7","m":"120","n":"4T7Q2M","o":1,"v":1,"w":8801,'
    '"x":"2026-11-22T18:00:00.000Z"}'
)
PASS_SIGNATURE = "RMJKqyEtK/mIFBR9CPtAuGTQ1HZKQ0ZnQUOt3J38dhIKK9pgnjPS9hV4bnABNaAt6unmgckDWcNw49C/zj/tDQ=="
PASS = (
    "PD1FCH6G8HT49T6JV3C5RR32D1E6CH2R8KB48X24TSH48P24V1278H4RC1H99230PHPAGVJ4B12DMH3M8HH68R24B12DRH3M8HMAGVN2CJD48P24V"
    "S278RJR8KP48X32B12EWH3ME1R60RJR8KR48X24CHG68V2TC9H5MS34N1H70X30C1T60R2WC1G61D24ZA4R95AP89D5FWRG50MFM4FPG5RCK8D8XJ"
    "A8D36EGA3NQE9VZ3P2852QPK0KRSX5XGNF1Q7009NM0PYNTF6G74G6PE3E3HX1FYE7ZPGT"
)

ROW = Spend(
    seq=1,
    key="6Q2P0V8RJX4M1TZC9WD3HKYB5E",
    kind=SpendKind.LEASE,
    owner=Owner(OwnerKind.CUSTOMER, 50001),
    customer_id=50001,
    program_id=973,
    points=Points.of("12.5"),
    at=NOW,
    redemption_id="Q014300001",
    lease_id="L01JD0Z6T7",
    transaction_number="B-77 Caf\u00e9",
    cashier=7,
    hash=ROW_HASH,
    signature=ROW_SIGNATURE,
)
CONTENT = Pass(
    key_id="k1",
    organisation_id=1,
    wallet_id=8801,
    till="till.014.3",
    lease_id="L01JD0Z6T7",
    max_points=Points.of(120),
    not_after=NOW.replace(hour=18),
    nonce="4T7Q2M",
)


def key() -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(b64decode(PUBLIC_KEY))


# --- Rows ------------------------------------------------------------------------------------------------------------


def test_hash_and_signature_made_outside_our_code_are_those_of_our_row() -> None:
    assert canonical_json(hashed_part(ROW)) == ROW_TEXT
    assert hash_of(ROW) == ROW_HASH
    key().verify(b64decode(ROW_SIGNATURE), signed_bytes(ROW.hash))


def test_each_row_is_chained_to_the_one_before() -> None:
    assert hash_of(replace(ROW, prev_hash=ROW_HASH)) != ROW_HASH
    assert ROW.prev_hash == FIRST_PREV_HASH


def test_rows_come_back_as_they_were_written() -> None:
    approval = Approval(token="PT1.a.b", purpose=ApprovalPurpose.RISK, reason=ApprovalReason.OTHER, note="her son")
    risk = replace(
        ROW,
        seq=2,
        kind=SpendKind.RISK,
        lease_id=None,
        proof=OfflineProof(kind=OfflineProofKind.APPROVAL, approval=approval),
        prev_hash=ROW_HASH,
    )
    online = replace(ROW, seq=3, kind=SpendKind.ONLINE, lease_id=None, confirmed_epoch=4, cashier=None)
    rows = [replace(each, hash=hash_of(each)) for each in (ROW, risk, online)]
    till_epoch, received = read_settle(write_settle(5, rows))
    assert till_epoch == 5
    assert list(received) == [ReceivedSpend.of(each) for each in rows]
    assert [each.made_hash for each in received] == [each.hash for each in rows]
    assert read_spend_tree(spend_tree(risk)) == risk


def body(**changes: Any) -> bytes:
    row = {**spend_tree(ROW), **changes}
    return json.dumps({"till_epoch": 1, "spends": [row]}).encode()


def test_a_member_of_a_later_till_is_hashed_though_it_is_not_known() -> None:
    _, (received,) = read_settle(body(weather="rain"))
    assert received.spend == ROW
    assert received.made_hash != ROW_HASH


@pytest.mark.parametrize(
    "changes",
    [
        {"key": 7},
        {"kind": "GIFT"},
        {"lease_id": None},
        {"points": 12.5},
        {"points": "0"},
        {"points": "-5"},
        {"owner": {}},
        {"at": "yesterday"},
        {"proof": None},
        {"proof": {"kind": "word"}},
        {"hash": "C2" * 32},
        {"prev_hash": ""},
        {"signature": ""},
        {"redemption_id": None},
        {"weather": 1.5},
    ],
)
def test_a_row_that_cannot_be_read_comes_alone_and_without_a_spend(changes: dict[str, Any]) -> None:
    _, (received,) = read_settle(body(**changes))
    assert received.spend is None
    assert received.seq == 1


@pytest.mark.parametrize("changes", [{"seq": None}, {"seq": 0}, {"seq": "1"}])
def test_a_row_without_a_number_cannot_be_answered(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="seq"):
        read_settle(body(**changes))


def test_rows_come_in_the_order_of_their_numbers_however_they_were_sent() -> None:
    _, received = read_settle(write_settle(1, [replace(ROW, seq=2), replace(ROW, seq=1)]))
    assert [each.seq for each in received] == [1, 2]


def test_neither_key_nor_secrets_of_a_row_are_in_its_repr() -> None:
    assert ROW_SIGNATURE not in repr(ROW)


def test_results_come_back_as_they_were_written() -> None:
    answer = SettleAnswer(
        epoch=3,
        server_time=NOW,
        next_seq=3,
        results=(
            Settled(
                seq=1,
                key=ROW.key,
                outcome=SettleOutcome.SETTLED_SHORT,
                redemption_id="Q014300001",
                from_lease=Points.of(10),
                from_free=Points.of("2.25"),
                store_loss=Points.of("0.25"),
                is_late=True,
                is_replayed=True,
                wallet=WalletView(wallet_id=1, version=7, balance=Points.of(9), available=Points.of(9)),
                breakdown=(Share(wallet_id=1, lot_id=2, points=Points.of(12), expires_on=date(2027, 1, 1)),),
            ),
            Settled(seq=2, key="", outcome=SettleOutcome.REFUSED, reason="bad_row"),
        ),
    )
    assert read_settle_answer(write_settle_answer(answer)) == answer


@pytest.mark.parametrize(
    "text", [b"{}", b'{"epoch":1,"server_time":"2026-11-22T10:00:00.000Z","next_seq":1}', b"<html>", b"[]"]
)
def test_what_is_no_answer_of_settle_is_unreadable(text: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_settle_answer(text)


# --- Passes ----------------------------------------------------------------------------------------------------------


def test_the_pass_made_outside_our_code_is_ours() -> None:
    assert pass_payload(CONTENT) == PASS_TEXT.encode()
    assert write_pass(pass_payload(CONTENT), b64decode(PASS_SIGNATURE)) == PASS
    read = read_pass(PASS)
    assert read.content == CONTENT
    key().verify(read.signature, read.payload)


def test_a_pass_is_read_without_regard_to_case_and_spaces_around_it() -> None:
    assert read_pass(f"  {PASS.lower()}\n") == read_pass(PASS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PD1",
        "PD2" + PASS[3:],
        PASS[:-1] + "V",
        PASS + "0",
        PASS[:-2],
        PASS.replace("4", "U"),
        "PD1" + "0" * 200,
        "PD1\u0130",
    ],
)
def test_what_is_no_pass_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NotAPassError) as refused:
        read_pass(text)
    assert text == "" or text not in str(refused.value)


@pytest.mark.parametrize("changes", [{"v": 2}, {"m": 120}, {"x": "soon"}, {"m": "much"}, {"o": "1"}])
def test_a_pass_of_another_content_is_none(changes: dict[str, Any]) -> None:
    payload = canonical_json({**json.loads(PASS_TEXT), **changes}).encode()
    with pytest.raises(NotAPassError):
        read_pass(write_pass(payload, b64decode(PASS_SIGNATURE)))


def test_a_pass_that_was_read_keeps_its_secret_out_of_its_repr() -> None:
    assert CONTENT.nonce not in repr(read_pass(PASS))
