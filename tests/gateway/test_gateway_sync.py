"""The extension's calls over HTTP: what goes out, and what an answer means (sync-api 1, reliability 4.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from support.builders import by_mobile
from support.fault_proxy import (
    CUT_AHEAD,
    CUT_BEHIND,
    CUT_WITHIN,
    DRIP,
    DRIP_HEAD,
    ENDLESS,
    HOLD,
    LATE,
    RESET,
    SIGN_IN_PAGE,
    SWALLOW,
    Fault,
    FaultProxy,
    a_redirect,
    a_sign_in_page,
    garbage,
    said,
)
from support.gateway_kit import NO_EXTENSION, a_ledger, knows_us, named, sync_error
from support.sync_kit import A_PAGE, BY_NAME, CALLS, ENROLLED, LEASE, REQUEST, RESULT, SETTLED, SyncCall

from pos_app.domain.feed import Scope
from pos_app.domain.leases import LeaseResult, NoLease, Owner, OwnerKind
from pos_app.domain.trouble import (
    ExtensionLostError,
    LineDownError,
    NotAcceptedError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    SyncRefusedError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.services.ports import Waits
from pos_app.wire.answers import write_status
from pos_app.wire.feed import write_snapshot
from pos_app.wire.formats import Format
from pos_app.wire.leases import write_lease_results
from pos_app.wire.settling import write_settle_answer

HASTY = Waits(connect_s=2.0, read_s=0.3)
every_call = pytest.mark.parametrize("call", CALLS, ids=str)


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A toy service."""
    with FaultProxy(drip_s=0.2) as running:
        yield running


def own_words(status: int, **headers: str) -> Fault:
    return said(status, write_status(status, "", Format.JSON), **headers)


def sent(proxy: FaultProxy) -> Any:
    return json.loads(proxy.seen[-1].body)


# --- What goes out, and a good answer --------------------------------------------------------------------------------


@every_call
def test_a_call_goes_where_it_belongs_and_its_answer_is_read(proxy: FaultProxy, call: SyncCall) -> None:
    proxy.will(said(200, call.body, content_type="application/json"))
    assert call.ask(a_ledger(proxy).sync) == call.answer
    (seen,) = proxy.seen
    assert seen.path == call.path
    assert seen.headers["Authorization"].startswith("Basic ")
    assert seen.method == ("POST" if seen.body else "GET")
    if seen.body:
        assert seen.headers["Content-Type"] == "application/json"


def test_who_is_asked_for_stands_in_the_body_and_never_in_the_address(proxy: FaultProxy) -> None:
    proxy.will(said(200, BY_NAME["customer_rows"].body))
    a_ledger(proxy).sync.customer_rows(by_mobile("+919812345678"))
    assert proxy.seen[-1].target == "/sync/v1/customer"
    assert sent(proxy) == {"mobile": "+919812345678"}


def test_a_page_of_the_snapshot_is_asked_for_by_its_token(proxy: FaultProxy) -> None:
    proxy.will(said(200, write_snapshot(replace(A_PAGE, scope=Scope.ALL))))
    a_ledger(proxy).sync.snapshot(Scope.ALL, "P2", limit=7)
    assert parse_qs(proxy.seen[-1].target.partition("?")[2]) == {"scope": ["all"], "limit": ["7"], "page": ["P2"]}


def test_a_lease_is_asked_for_as_the_contract_writes_it(proxy: FaultProxy) -> None:
    proxy.will(said(200, BY_NAME["lease"].body))
    a_ledger(proxy).sync.lease(1, [REQUEST])
    assert sent(proxy) == {
        "till_epoch": 1,
        "requests": [
            {
                "request_id": REQUEST.request_id,
                "owner": {"kind": "customer", "id": 50001},
                "program_id": 973,
                "wanted": None,
                "give_back": [{"lease_id": "L1", "final_spent": "50"}],
            }
        ],
    }


def test_enrolment_tells_what_the_ledger_can_do_from_now_on(proxy: FaultProxy) -> None:
    proxy.will(said(200, BY_NAME["enrol"].body))
    ledger = a_ledger(proxy)
    BY_NAME["enrol"].ask(ledger.sync)
    assert ledger.service.capabilities == ENROLLED


# --- A sure no -------------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    ("status", "reason"), [(403, "till_frozen"), (409, "gap"), (410, "epoch_changed"), (403, "pin_wrong")]
)
def test_a_word_of_the_ledger_is_a_sure_no(proxy: FaultProxy, call: SyncCall, status: int, reason: str) -> None:
    proxy.will(said(status, sync_error(status, reason)))
    with pytest.raises(SyncRefusedError) as refused:
        call.ask(a_ledger(proxy).sync)
    assert refused.value.reason == reason


def test_what_is_told_beside_a_no_is_kept_in_our_own_types(proxy: FaultProxy) -> None:
    error = {
        "reason": "operator_locked",
        "tries_left": 0,
        "until": "2026-11-22T10:15:00.000Z",
        "next_seq": "many",
        "message": "R. Mehta is locked",
    }
    proxy.will(said(403, {"errors": [error]}))
    with pytest.raises(SyncRefusedError) as refused:
        BY_NAME["sign_in"].ask(a_ledger(proxy).sync)
    assert refused.value.told == {"tries_left": 0, "until": datetime(2026, 11, 22, 10, 15, tzinfo=UTC)}


def test_a_gap_says_where_to_go_on(proxy: FaultProxy) -> None:
    proxy.will(said(409, {"errors": [{"reason": "gap", "next_seq": 41}]}))
    with pytest.raises(SyncRefusedError) as refused:
        BY_NAME["settle"].ask(a_ledger(proxy).sync)
    assert refused.value.told == {"next_seq": 41}


def test_nobody_has_this_identifier(proxy: FaultProxy) -> None:
    proxy.will(said(404, sync_error(404, "unknown")))
    assert a_ledger(proxy).sync.customer_rows(by_mobile()) is None


# --- The till, or the way to the ledger ------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (said(400, sync_error(400, "malformed")), NotUnderstoodError),
        (said(401, sync_error(401, "not_authenticated")), NotAcceptedError),
        (own_words(401), NotAcceptedError),
        (said(413, sync_error(413, "too_large")), NotUnderstoodError),
        (said(429, sync_error(429, "too_many"), retry_after="7"), SlowDownError),
        (said(503, sync_error(503, "busy"), retry_after="7"), SlowDownError),
        (NO_EXTENSION, WrongAddressError),
    ],
    ids=named,
)
def test_the_ledgers_own_words_about_the_till_are_understood(
    proxy: FaultProxy, call: SyncCall, reply: Fault, trouble: type[Trouble]
) -> None:
    proxy.will(reply)
    with pytest.raises(trouble) as met:
        call.ask(a_ledger(proxy).sync)
    if isinstance(met.value, SlowDownError):
        assert met.value.retry_after_s == 7


@every_call
def test_a_ledger_that_lost_its_extension_is_a_fault(proxy: FaultProxy, call: SyncCall) -> None:
    ledger = knows_us(proxy)
    proxy.will(NO_EXTENSION)
    with pytest.raises(ExtensionLostError):
        call.ask(ledger.sync)
    assert not ledger.is_up()


# --- Everything else -------------------------------------------------------------------------------------------------

ODD = [
    a_sign_in_page(),
    said(200, b"<?xml version='1.0'?><html><head/><body>Sign in</body></html>"),
    a_redirect(),
    garbage(reaches=False),
    said(200, b""),
    said(200, b"[]"),
    said(200, b'{"server_time": 5}'),
    said(200, write_status(200, "", Format.JSON)),
    said(500, b"oops"),
    said(502, SIGN_IN_PAGE),
    own_words(500),
    said(403, SIGN_IN_PAGE),
    said(404, SIGN_IN_PAGE),
    said(409, b"{}"),
    said(410, b'{"errors": [{"code": 410}]}'),
    said(204),
    said(400, b"{"),
    said(503, b"later"),
]


def says_nothing(call: SyncCall, reply: Fault) -> bool:
    """The answer of a change of PIN is an object in which there is nothing to say: any object is one."""
    return call.name == "change_pin" and reply.status == 200 and reply.body.startswith(b'{"se')


@pytest.mark.parametrize(
    ("call", "reply"), [(call, reply) for call in CALLS for reply in ODD if not says_nothing(call, reply)], ids=named
)
def test_any_other_answer_is_unclear_to_what_acts_and_no_answer_to_a_question(
    proxy: FaultProxy, call: SyncCall, reply: Fault
) -> None:
    proxy.will(reply)
    with pytest.raises(Trouble) as met:
        call.ask(a_ledger(proxy).sync)
    if call.acts:
        assert type(met.value) is UnclearAnswerError
    else:
        assert type(met.value) in {NotTheServiceError, ServiceTroubleError}


@every_call
@pytest.mark.parametrize(
    "fault",
    [RESET, CUT_AHEAD, CUT_BEHIND, CUT_WITHIN, HOLD, SWALLOW, LATE, DRIP, DRIP_HEAD, ENDLESS],
    ids=named,
)
def test_a_line_that_fails_leaves_unclear_what_acts_and_a_question_unanswered(
    proxy: FaultProxy, call: SyncCall, fault: Fault
) -> None:
    with FaultProxy(("127.0.0.1", proxy.port), drip_s=0.2) as line:
        proxy.always(said(200, call.body))
        line.will(fault)
        with pytest.raises(Trouble) as met:
            call.ask(a_ledger(line, waits=HASTY).sync)
        assert type(met.value) is (UnclearAnswerError if call.acts else LineDownError)
        line.release()
        assert call.ask(a_ledger(line).sync) == call.answer, "the same again is harmless"


@every_call
def test_where_nobody_listens_nothing_was_sent(proxy: FaultProxy, call: SyncCall) -> None:
    proxy.refuse()
    with pytest.raises(LineDownError):
        call.ask(a_ledger(proxy).sync)


# --- The answer to another question ----------------------------------------------------------------------------------

OTHER_LEASES = [
    LeaseResult(request_id="6Q2P0V8RJX4M1TZC9WD3HKYB5E", lease=LEASE),
    replace(RESULT, lease=replace(LEASE, till="till.014.4")),
    replace(RESULT, lease=replace(LEASE, till_epoch=2)),
    replace(RESULT, lease=replace(LEASE, owner=Owner(OwnerKind.FAMILY_GROUP, 50001))),
    replace(RESULT, lease=replace(LEASE, program_id=974)),
]


@pytest.mark.parametrize("result", OTHER_LEASES)
def test_a_lease_of_another_request_till_or_wallet_is_no_answer(proxy: FaultProxy, result: LeaseResult) -> None:
    proxy.will(said(200, write_lease_results(A_PAGE.server_time, [result])))
    with pytest.raises(UnclearAnswerError):
        BY_NAME["lease"].ask(a_ledger(proxy).sync)


@pytest.mark.parametrize("count", [0, 2])
def test_every_request_for_a_lease_has_one_result(proxy: FaultProxy, count: int) -> None:
    proxy.will(said(200, write_lease_results(A_PAGE.server_time, [RESULT] * count)))
    with pytest.raises(UnclearAnswerError):
        BY_NAME["lease"].ask(a_ledger(proxy).sync)


def test_no_lease_with_a_reason_is_an_answer(proxy: FaultProxy) -> None:
    none = LeaseResult(request_id=REQUEST.request_id, reason=NoLease.NOTHING_AVAILABLE)
    proxy.will(said(200, write_lease_results(A_PAGE.server_time, [none])))
    assert BY_NAME["lease"].ask(a_ledger(proxy).sync) == (none,)


@pytest.mark.parametrize(
    "changes", [{"key": "6Q2P0V8RJX4M1TZC9WD3HKYB5E"}, {"seq": 2}], ids=["another key", "another number"]
)
def test_the_result_of_another_row_is_no_answer(proxy: FaultProxy, changes: dict[str, Any]) -> None:
    wrong = replace(SETTLED, results=(replace(SETTLED.results[0], **changes),))
    proxy.will(said(200, write_settle_answer(wrong)))
    with pytest.raises(UnclearAnswerError):
        BY_NAME["settle"].ask(a_ledger(proxy).sync)


def test_rows_without_a_result_are_not_answered(proxy: FaultProxy) -> None:
    proxy.will(said(200, write_settle_answer(replace(SETTLED, results=()))))
    with pytest.raises(UnclearAnswerError):
        BY_NAME["settle"].ask(a_ledger(proxy).sync)


def test_a_page_of_another_scope_is_no_answer(proxy: FaultProxy) -> None:
    proxy.will(said(200, BY_NAME["snapshot"].body))
    with pytest.raises(NotTheServiceError):
        a_ledger(proxy).sync.snapshot(Scope.ALL)


@pytest.mark.parametrize(
    ("name", "was", "becomes"),
    [
        ("sign_in", b'"id":12', b'"id":13'),
        ("enrol", b'"login":"till.014.3"', b'"login":"till.014.4"'),
        ("enrol", b'"till_epoch":1', b'"till_epoch":0'),
        ("close_leases", b'"lease_id":"L1"', b'"lease_id":"L9"'),
    ],
)
def test_an_answer_about_somebody_else_is_none(proxy: FaultProxy, name: str, was: bytes, becomes: bytes) -> None:
    call = BY_NAME[name]
    assert was in call.body
    proxy.will(said(200, call.body.replace(was, becomes)))
    with pytest.raises((UnclearAnswerError, NotTheServiceError)):
        call.ask(a_ledger(proxy).sync)


def test_a_till_told_to_wait_leaves_the_ledger_alone_with_every_call(proxy: FaultProxy) -> None:
    proxy.will(said(429, sync_error(429, "too_many"), retry_after="60"))
    ledger = a_ledger(proxy)
    with pytest.raises(SlowDownError):
        ledger.sync.changes("C1")
    with pytest.raises(SlowDownError):
        ledger.sync.regulars()
    assert len(proxy.seen) == 1
