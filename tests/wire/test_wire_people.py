"""Approvals, operators and enrolment on the wire (sync-api 3 and 4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pos_app.domain.answers import Capabilities, LedgerKey, SignedIn
from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason, Cancel, ChangePin, Enrol, SignIn
from pos_app.wire.approvals import approval_tree, read_approval
from pos_app.wire.canonical import canonical_bytes, canonical_json
from pos_app.wire.extension import ExtensionAsk, read_extension_header, write_extension_header
from pos_app.wire.faults import MalformedError
from pos_app.wire.operators import read_change_pin, read_enrol, read_sign_in, write_nothing, write_signed_in
from pos_app.wire.sync import (
    read_cancel,
    read_capabilities,
    read_sync_error,
    write_cancel,
    write_capabilities,
    write_sync_error,
)

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PUBLIC_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def approval() -> Approval:
    return Approval(
        token="PT1.AAAA.BBBB",
        purpose=ApprovalPurpose.SKIP_VALIDATION,
        reason=ApprovalReason.OTHER,
        note="Phone broken — see notes",
    )


def test_an_approval_comes_back_as_it_went_out(approval: Approval) -> None:
    assert read_approval(approval_tree(approval)) == approval
    assert read_approval(approval_tree(None)) is None
    ask = ExtensionAsk(cashier=7, approval=approval)
    assert read_extension_header(write_extension_header(ask)) == ask
    cancel = Cancel(key=KEY, cashier=7, approval=approval)
    assert read_cancel(write_cancel(cancel)) == cancel


def test_a_header_without_an_approval_says_nothing_of_one() -> None:
    assert read_extension_header(write_extension_header(ExtensionAsk(cashier=7))).approval is None


@pytest.mark.parametrize("purpose", ApprovalPurpose)
@pytest.mark.parametrize("reason", [each for each in ApprovalReason if each is not ApprovalReason.OTHER])
def test_every_purpose_and_reason_is_read_and_a_note_may_be_missing(
    purpose: ApprovalPurpose, reason: ApprovalReason
) -> None:
    read = read_approval({"token": "T", "purpose": purpose.value, "reason": reason.value})
    assert read == Approval(token="T", purpose=purpose, reason=reason)


def test_a_malformed_approval_names_its_member_and_never_what_stood_there() -> None:
    with pytest.raises(MalformedError) as refused:
        read_approval({"token": "T", "purpose": "Ada Lovelace", "reason": "no_phone"}, "X.approval")
    assert refused.value.field == "X.approval.purpose"
    assert "Ada" not in str(refused.value)


def test_secrets_of_people_show_in_no_repr(approval: Approval) -> None:
    shown = repr(
        [
            approval,
            SignIn(operator_id=12, pin="4821"),
            ChangePin(operator_id=12, pin="4821", new_pin="975310"),
            Enrol(public_key="K", enrolment_code="AAAABBBBCCCC"),
            SignedIn(operator_id=12, name="Mehta", role="cashier", token="PT1.A.B", proved_at=NOW, not_after=NOW),
        ]
    )
    for secret in ("PT1.", "4821", "975310", "AAAABBBBCCCC", "Mehta", "broken"):
        assert secret not in shown


def test_the_answer_of_a_sign_in_is_the_one_of_the_contract() -> None:
    signed_in = SignedIn(
        operator_id=12, name="R. Mehta", role="supervisor", token="PT1.A.B", proved_at=NOW, not_after=NOW
    )
    assert json.loads(write_signed_in(signed_in)) == {
        "operator": {"id": 12, "name": "R. Mehta", "role": "supervisor"},
        "token": "PT1.A.B",
        "proved_at": "2026-11-22T10:00:00.000Z",
        "not_after": "2026-11-22T10:00:00.000Z",
        "must_change_pin": False,
    }
    assert json.loads(write_nothing()) == {}


def test_what_operators_and_tills_send_is_read() -> None:
    assert read_sign_in(b'{"operator_id": 12, "pin": "4821", "more": 1}') == SignIn(operator_id=12, pin="4821")
    change = read_change_pin(b'{"operator_id": 12, "pin": "4821", "new_pin": "135790"}')
    assert change == ChangePin(operator_id=12, pin="4821", new_pin="135790")
    body = {"public_key": PUBLIC_KEY, "enrolment_code": None, "software": "1.4.0", "platform": "linux"}
    assert read_enrol(json.dumps(body).encode()) == Enrol(public_key=PUBLIC_KEY, software="1.4.0", platform="linux")


def test_two_spellings_of_one_key_are_one_key() -> None:
    spelled = PUBLIC_KEY.replace("Hh8=", "Hh9=")  # The last letter has two bits to spare.
    body = {"public_key": spelled, "enrolment_code": "", "software": "", "platform": ""}
    read = read_enrol(json.dumps(body).encode())
    assert read.public_key == PUBLIC_KEY
    assert read.enrolment_code is None


def test_the_ledgers_keys_are_told_with_what_it_can_do() -> None:
    key = LedgerKey(key_id="k1", public_key=PUBLIC_KEY)
    body = write_capabilities(Capabilities(service="pos-app-ledger", server_time=NOW, ledger_keys=(key,)))
    assert json.loads(body)["ledger_keys"] == [{"key_id": "k1", "public_key": PUBLIC_KEY}]
    assert read_capabilities(body).ledger_keys == (key,)


def test_an_error_carries_what_goes_with_its_reason() -> None:
    body = write_sync_error(403, "pin_wrong", "The PIN is wrong", more={"tries_left": 3})
    assert json.loads(body)["errors"] == [
        {"status": False, "code": 403, "reason": "pin_wrong", "message": "The PIN is wrong", "tries_left": 3}
    ]
    assert read_sync_error(body) == "pin_wrong"


def test_canonical_json_is_the_one_way_to_write_a_document() -> None:
    document = {"b": [1, True, None], "a": 'é\n"', "ä": {}, "B": "120.5"}
    assert canonical_json(document) == '{"B":"120.5","a":"é\\n\\"","b":[1,true,null],"ä":{}}'
    assert canonical_bytes({"a": "é"}) == b'{"a":"\xc3\xa9"}'
