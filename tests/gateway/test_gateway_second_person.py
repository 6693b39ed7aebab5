"""Reversals, approvals and leases given back: what travels beside the documented calls (sync-api 2, contract 7)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.builders import A_KEY, a_request, by_mobile
from support.fake_ledger import an_extension
from support.fault_proxy import (
    CUT_AHEAD,
    CUT_BEHIND,
    Fault,
    FaultProxy,
    Seen,
    a_redirect,
    a_sign_in_page,
    garbage,
    said,
)
from support.gateway_kit import (
    NO_EXTENSION,
    OUR_CAPABILITIES,
    a_command,
    a_ledger,
    a_yes,
    check_body,
    knows_nobody,
    knows_us,
    named,
    redeem_body,
)

from pos_app.domain.answers import CancelAnswer, CancelOutcome, CodeAnswer, Identity, ReversalRefusal, ReverseAnswer
from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason, Cancel, Reverse, SendCode
from pos_app.domain.leases import GiveBack
from pos_app.domain.points import Points
from pos_app.domain.trouble import (
    ExtensionLostError,
    LineDownError,
    NotAcceptedError,
    NotUnderstoodError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
)
from pos_app.gateway.known import KnownService
from pos_app.wire.answers import write_code_answer, write_status
from pos_app.wire.formats import Format
from pos_app.wire.reversals import REVERSAL_CODES, write_reverse_answer
from pos_app.wire.sync import write_cancel_answer
from pos_app.wire.v2 import write_v2_error

TOLD = Approval(token="PT1.A.B", purpose=ApprovalPurpose.REVERSE, reason=ApprovalReason.OTHER, note="returned goods")
TOLD_TREE = {"token": "PT1.A.B", "purpose": "reverse", "reason": "other", "note": "returned goods"}
BACK = Reverse(redemption_id="k4Wq7Z", points=Points.of("60.5"), key=A_KEY, cashier=7, approval=TOLD)
GIVEN = (GiveBack("L01JD0Z6T7", Points.of(50)),)
GIVEN_TREE = [{"lease_id": "L01JD0Z6T7", "final_spent": "50"}]


def a_return(**changes: Any) -> ReverseAnswer:
    plain = ReverseAnswer(
        redemption_id="k4Wq7Z",
        asked=Points.of("60.5"),
        available=Points.of("50.5"),
        expired=Points.of(10),
        reversal_id="V1",
        customer_id=50001,
        organisation_id=1,
        extension=an_extension(key=A_KEY),
    )
    return replace(plain, **changes)


def told(answer: ReverseAnswer) -> Fault:
    status, body = write_reverse_answer(answer, {}, with_extension=answer.extension is not None)
    return said(status, body)


def header_of(seen: Seen) -> dict[str, Any]:
    text = seen.headers["X-Pos-Extension"]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A toy service."""
    with FaultProxy() as running:
        yield running


# --- Reversals -------------------------------------------------------------------------------------------------------


def test_a_reversal_goes_out_as_documented_and_key_and_approval_beside_it(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(told(a_return()))
    assert ledger.reverse(BACK) == a_return()
    seen = proxy.seen[-1]
    assert (seen.method, seen.target) == ("POST", "/v2/points/reverse")
    assert json.loads(seen.body) == {"redemptionId": "k4Wq7Z", "pointsToBeReversed": 60.5}
    assert header_of(seen) == {"v": 1, "key": A_KEY, "cashier": 7, "approval": TOLD_TREE}


def test_another_service_sees_no_header_and_is_told_the_customer_and_program(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(told(a_return(extension=None)))
    customer = by_mobile("+919812345678")
    answer = ledger.reverse(replace(BACK, points=None, customer=customer, program_id=973))
    assert (answer.reversal_id, answer.available) == ("V1", Points.of("50.5"))
    seen = proxy.seen[-1]
    assert "X-Pos-Extension" not in seen.headers
    assert json.loads(seen.body) == {
        "redemptionId": "k4Wq7Z",
        "identifier": {"type": "mobile", "value": "+919812345678"},
        "programId": 973,
    }


@pytest.mark.parametrize("refusal", ReversalRefusal)
def test_our_ledgers_no_is_told_apart_by_its_reason(proxy: FaultProxy, refusal: ReversalRefusal) -> None:
    ledger = knows_us(proxy)
    proxy.will(told(a_return(refusal=refusal, extension=an_extension(key=A_KEY, reason=refusal.value))))
    assert ledger.reverse(BACK).refusal is refusal


@pytest.mark.parametrize("code", sorted(set(REVERSAL_CODES.values())))
def test_another_services_no_is_read_by_its_number(proxy: FaultProxy, code: int) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(400, write_v2_error(code, "no")))
    refusal = ledger.reverse(BACK).refusal
    assert refusal is not None
    assert REVERSAL_CODES[refusal] == code


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (said(400, write_v2_error(400)), NotUnderstoodError),
        (said(400, write_v2_error(818, "another meaning")), NotUnderstoodError),
        (said(401, write_status(401, "", Format.JSON)), NotAcceptedError),
        (said(503, write_status(503, "", Format.JSON), retry_after="4"), SlowDownError),
        (a_sign_in_page(), UnclearAnswerError),
        (a_redirect(), UnclearAnswerError),
        (garbage(reaches=False), UnclearAnswerError),
        (said(500, write_status(500, "", Format.JSON)), UnclearAnswerError),
        (said(200, b"{}"), UnclearAnswerError),
        (CUT_AHEAD, UnclearAnswerError),
        (CUT_BEHIND, UnclearAnswerError),
        (told(a_return(extension=None)), UnclearAnswerError),
        (told(a_return(extension=an_extension(key="01J9ZQ4M7T8V2W3X5Y6A7B8C9X"))), UnclearAnswerError),
        (said(400, told(a_return()).body), UnclearAnswerError),
    ],
    ids=named,
)
def test_a_reversal_without_a_sure_answer(proxy: FaultProxy, reply: Fault, trouble: type[Trouble]) -> None:
    with FaultProxy(("127.0.0.1", proxy.port)) as line:
        ledger = knows_us(line)
        proxy.always(told(a_return()))
        line.will(reply)
        with pytest.raises(trouble) as met:
            ledger.reverse(BACK)
        assert type(met.value) is trouble


@pytest.mark.parametrize(
    "changes", [{"redemption_id": "another"}, {"reversal_id": None}, {"asked": Points.of(61)}], ids=str
)
def test_a_yes_without_an_echo_must_name_what_was_asked(proxy: FaultProxy, changes: dict[str, Any]) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(told(a_return(extension=None, **changes)))
    with pytest.raises(UnclearAnswerError):
        ledger.reverse(BACK)


def test_nothing_is_reversed_at_a_service_nobody_knows(proxy: FaultProxy) -> None:
    proxy.will(a_sign_in_page())
    with pytest.raises(LineDownError):
        a_ledger(proxy).reverse(BACK)
    assert proxy.requests_to("/reverse") == []


# --- Beside redeem, check and cancel ---------------------------------------------------------------------------------


def test_a_redemption_carries_its_approval_and_the_leases_it_gives_back(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, redeem_body(a_yes())))
    command = a_command(give_back=GIVEN)
    ledger.redeem(replace(command, approval=TOLD))
    assert header_of(proxy.seen[-1]) == {"v": 1, "cashier": 7, "approval": TOLD_TREE, "give_back": GIVEN_TREE}


def test_a_check_carries_the_leases_it_counts_as_free_and_who_asks(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    ledger.names_cashier(lambda: 12)
    proxy.will(said(200, check_body()))
    ledger.check(a_request(give_back=GIVEN))
    assert header_of(proxy.seen[-1]) == {"v": 1, "cashier": 12, "give_back": GIVEN_TREE}


def test_who_sends_a_code_is_named_to_our_ledger(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    ledger.names_cashier(lambda: 12)
    answer = CodeAnswer(identity=Identity(), points=Points(0), refusal=None, code=200, message="sent")
    proxy.will(said(200, write_code_answer(answer, Format.JSON, with_extension=False)))
    ledger.send_code(SendCode(customer=by_mobile()))
    assert header_of(proxy.seen[-1]) == {"v": 1, "cashier": 12}


def test_another_service_hears_of_neither_leases_nor_approvals(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    ledger.names_cashier(lambda: 12)
    proxy.will(said(200, check_body()))
    ledger.check(a_request(give_back=GIVEN))
    assert "X-Pos-Extension" not in proxy.seen[-1].headers


def test_a_cancel_carries_its_approval_in_its_body(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, write_cancel_answer(CancelAnswer(key=A_KEY, outcome=CancelOutcome.REVERSED))))
    ledger.cancel(Cancel(key=A_KEY, cashier=7, approval=replace(TOLD, purpose=ApprovalPurpose.CANCEL)))
    assert json.loads(proxy.seen[-1].body)["approval"] == {**TOLD_TREE, "purpose": "cancel"}


# --- A service that had the extension --------------------------------------------------------------------------------


def test_what_was_remembered_from_another_start_makes_a_404_a_fault(proxy: FaultProxy) -> None:
    remembering = a_ledger(proxy, known=KnownService(had_extension=True))
    proxy.will(NO_EXTENSION, path="/capabilities")
    with pytest.raises(ExtensionLostError):
        remembering.capabilities()
    proxy.will(NO_EXTENSION, path="/capabilities")
    assert not remembering.is_up(), "it is as good as gone"
    proxy.will(OUR_CAPABILITIES, path="/capabilities")
    assert remembering.is_up()
