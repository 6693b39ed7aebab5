"""`PT1.`: the form of sync-api 4.2, held to a token made here by hand, and every way to tamper with one."""

from __future__ import annotations

import base64
import json
import string
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pos_app.ledger.staff.signing import Signer
from pos_app.ledger.staff.tokens import BadTokenError, proved_now, read_token, unproved, write_token
from pos_app.ledger.tills import Till

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""The secret key of RFC 8032's first test."""

PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

PAYLOAD = (
    b'{"key_id":"k1","nonce":"6Q2P0V8RJX4M1TZC9WD3HKYB5E","not_after":"2026-11-22T22:00:00.000Z","operator":12,'
    b'"org":1,"proved_at":"2026-11-22T10:00:00.000Z","role":"supervisor","store":"014","till":"till.014.3",'
    b'"till_epoch":2,"v":1}'
)
"""A token's payload, written by hand as sync-api 15 says: sorted, no spaces."""

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TILL = Till(login="till.014.3", organisation_id=1, store="014", till_epoch=2)


def url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def by_hand(payload: bytes = PAYLOAD, seed: bytes = SEED) -> str:
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(payload)
    return "PT1." + url64(payload) + "." + url64(signature)


@pytest.fixture
def signer() -> Signer:
    return Signer(key_id="k1", key=Ed25519PrivateKey.from_private_bytes(SEED))


def test_the_key_of_these_tests_is_the_published_one(signer: Signer) -> None:
    assert signer.key.public_key().public_bytes_raw() == PUBLIC


def test_a_token_made_by_hand_is_read(signer: Signer) -> None:
    proved = read_token(by_hand(), signer)
    assert (proved.organisation_id, proved.store, proved.login, proved.till_epoch) == (1, "014", "till.014.3", 2)
    assert (proved.operator_id, proved.role) == (12, "supervisor")
    assert (proved.proved_at, proved.not_after) == (NOW, NOW + timedelta(hours=12))


def test_our_token_is_the_one_made_by_hand_but_for_its_nonce(signer: Signer) -> None:
    prefix, payload, signature = write_token(proved_now(TILL, 12, "supervisor", NOW), signer).split(".")
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    nonce = json.loads(raw)["nonce"]
    assert prefix == "PT1"
    assert len(nonce) == 26
    assert raw == PAYLOAD.replace(b"6Q2P0V8RJX4M1TZC9WD3HKYB5E", nonce.encode("ascii"))
    assert f"PT1.{payload}.{signature}" == by_hand(raw)


def test_no_two_tokens_are_alike(signer: Signer) -> None:
    proved = proved_now(TILL, 12, "supervisor", NOW)
    assert write_token(proved, signer) != write_token(proved, signer)


def test_a_token_with_any_one_character_changed_is_refused(signer: Signer) -> None:
    token = by_hand()
    for place in range(len(token)):
        for other in ("A", "b", "_", ".", "="):
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                with pytest.raises(BadTokenError):
                    read_token(changed, signer)


@pytest.mark.parametrize("end", [by_hand().rindex(".") - 1, len(by_hand()) - 1])
def test_a_token_has_one_spelling(signer: Signer, end: int) -> None:
    """The last letter of base64 has bits to spare: another letter may stand for the same bytes."""
    token = by_hand()
    for other in string.ascii_letters + string.digits + "-_":
        if other != token[end]:
            with pytest.raises(BadTokenError):
                read_token(token[:end] + other + token[end + 1 :], signer)


def test_a_token_with_any_one_bit_changed_is_refused(signer: Signer) -> None:
    payload, signature = PAYLOAD, Ed25519PrivateKey.from_private_bytes(SEED).sign(PAYLOAD)
    whole = payload + signature
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        token = "PT1." + url64(bytes(changed[: len(payload)])) + "." + url64(bytes(changed[len(payload) :]))
        with pytest.raises(BadTokenError):
            read_token(token, signer)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "PT1.",
        "PT1..",
        "PT2." + by_hand()[4:],
        by_hand()[4:],
        by_hand() + "=",
        by_hand() + ".more",
        by_hand() + "\n",
        "PT1." + url64(PAYLOAD),
        "PT1." + url64(b"[]") + "." + url64(bytes(64)),
        "PT1." + "A" * 3000 + "." + "A" * 86,
        by_hand(seed=bytes(32)),
        by_hand(b"[]"),
        by_hand(b"not json"),
        by_hand(PAYLOAD.replace(b'"k1"', b'"k2"')),
        by_hand(PAYLOAD.replace(b'"v":1', b'"v":2')),
        by_hand(PAYLOAD.replace(b'"operator":12', b'"operator":"12"')),
        by_hand(PAYLOAD.replace(b'"operator":12', b'"operator":true')),
        by_hand(PAYLOAD.replace(b'"store":"014",', b"")),
        by_hand(PAYLOAD.replace(b"2026-11-22T10:00:00.000Z", b"yesterday")),
    ],
)
def test_what_is_no_token_of_this_ledger_is_refused(signer: Signer, token: str) -> None:
    with pytest.raises(BadTokenError):
        read_token(token, signer)


def test_a_token_shows_itself_in_no_message(signer: Signer) -> None:
    token = by_hand(seed=bytes(32))
    with pytest.raises(BadTokenError) as refused:
        read_token(token, signer)
    assert token not in str(refused.value) + repr(refused.value)
    assert "PrivateKey" not in repr(signer)


def test_what_a_token_claims_can_be_read_without_the_key() -> None:
    assert unproved(by_hand(seed=bytes(32))).operator_id == 12
