"""What a till says to a service, and how it takes the answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from support.builders import A_KEY, MOBILE, PROGRAM_ID, a_program, a_record, a_request, an_organisation, by_mobile
from support.fake_ledger import a_redeem_answer, an_extension
from support.fault_proxy import CUT_AHEAD, FaultProxy, Seen, a_redirect, a_sign_in_page, garbage, said
from support.gateway_kit import (
    NO_EXTENSION,
    OUR_CAPABILITIES,
    OURS,
    a_command,
    a_ledger,
    a_yes,
    check_body,
    knows_nobody,
    knows_us,
    named,
    redeem_body,
    sync_error,
)

from pos_app.domain.answers import CancelAnswer, CancelOutcome, Capabilities, Identity
from pos_app.domain.commands import Cancel, CancelReason, SendCode
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.wire.answers import write_status
from pos_app.wire.configs import write_configs
from pos_app.wire.criteria import write_program
from pos_app.wire.customers import write_customers
from pos_app.wire.formats import Format
from pos_app.wire.requests import CustomerQuery
from pos_app.wire.sync import write_cancel_answer, write_capabilities

YES = said(200, redeem_body(a_yes()))
CHECKED = said(200, check_body())
LEFT = Cancel(key=A_KEY, reason=CancelReason.CUSTOMER_LEFT, cashier=7)


def own_words(status: int, **headers: str) -> Any:
    return said(status, write_status(status, "", Format.JSON), **headers)


def header_of(seen: Seen) -> dict[str, Any]:
    text = seen.headers["X-Pos-Extension"]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A toy service."""
    with FaultProxy() as running:
        yield running


# --- What the service can do -----------------------------------------------------------------------------------------


def test_our_ledger_says_what_it_can_do(proxy: FaultProxy) -> None:
    proxy.will(OUR_CAPABILITIES)
    assert a_ledger(proxy).capabilities() == OURS
    (seen,) = proxy.seen
    assert (seen.method, seen.target) == ("GET", "/sync/v1/capabilities")
    assert seen.headers["Authorization"].startswith("Basic ")
    assert seen.headers["User-Agent"] == "pos-app/1.0"


def test_a_404_in_the_words_of_v11_means_no_extension(proxy: FaultProxy) -> None:
    proxy.will(NO_EXTENSION)
    assert a_ledger(proxy).capabilities() == Capabilities()


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (a_sign_in_page(), NotTheServiceError),
        (a_redirect(), NotTheServiceError),
        (garbage(reaches=False), NotTheServiceError),
        (said(404, b"<html>not here</html>"), NotTheServiceError),
        (said(404, sync_error(404, "unknown")), WrongAddressError),
        (said(200, b'{"service": "another"}'), NotTheServiceError),
        (own_words(401), NotAcceptedError),
        (own_words(503, retry_after="9"), SlowDownError),
        (own_words(500), ServiceTroubleError),
    ],
    ids=named,
)
def test_anything_odd_leaves_it_unknown_what_the_service_can_do(
    proxy: FaultProxy, reply: Any, trouble: type[Trouble]
) -> None:
    proxy.will(reply)
    with pytest.raises(trouble):
        a_ledger(proxy).capabilities()


def test_a_service_that_loses_its_extension_is_a_fault_and_no_silent_step_down(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(NO_EXTENSION)
    with pytest.raises(NotTheServiceError):
        ledger.capabilities()


def test_the_first_question_asks_what_the_service_can_do_and_only_the_first(proxy: FaultProxy) -> None:
    proxy.will(OUR_CAPABILITIES, CHECKED, CHECKED)
    ledger = a_ledger(proxy)
    ledger.check(a_request())
    ledger.check(a_request())
    assert [seen.path.rsplit("/", 1)[1] for seen in proxy.seen] == ["capabilities", "isredeemable", "isredeemable"]


@pytest.mark.parametrize("reply", [a_sign_in_page(), own_words(500), CUT_AHEAD], ids=named)
def test_nothing_is_redeemed_at_a_service_nobody_knows(proxy: FaultProxy, reply: Any) -> None:
    proxy.will(reply)
    with pytest.raises(LineDownError):
        a_ledger(proxy).redeem(a_command())
    assert proxy.requests_to("/redeem") == []


# --- Questions -------------------------------------------------------------------------------------------------------


def test_our_ledger_is_asked_by_post_so_that_no_address_holds_a_customer(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(CHECKED)
    request = a_request(customer=by_mobile("+919812345678"), validation_code="Q7XK2M")
    assert ledger.check(request).is_redeemable
    seen = proxy.seen[-1]
    assert (seen.method, seen.target) == ("POST", "/v1.1/points/isredeemable?format=json")
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    params = parse_qs(seen.body.decode())
    assert params["mobile"] == ["+919812345678"]
    assert params["validation_code"] == ["Q7XK2M"]
    assert header_of(seen) == {"v": 1}


def test_another_service_is_asked_by_get_without_a_header_of_ours(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(CHECKED)
    ledger.check(a_request(customer=by_mobile("+919812345678")))
    seen = proxy.seen[-1]
    assert (seen.method, seen.path) == ("GET", "/v1.1/points/isredeemable")
    params = parse_qs(seen.target.partition("?")[2])
    assert (params["mobile"], params["points"], params["format"]) == (["+919812345678"], ["100"], ["json"])
    assert "%2B91" in seen.target
    assert "X-Pos-Extension" not in seen.headers


def test_a_refusal_sent_as_400_is_still_a_refusal(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(400, check_body(125, refusal=Refusal.NOT_A_MULTIPLE, code=807)))
    assert ledger.check(a_request(125)).refusal is Refusal.NOT_A_MULTIPLE


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (own_words(400), NotUnderstoodError),
        (said(400, b"{"), NotTheServiceError),
        (own_words(401), NotAcceptedError),
        (own_words(403), NotAcceptedError),
        (own_words(404), WrongAddressError),
        (own_words(405), NotUnderstoodError),
        (own_words(429, retry_after="3"), SlowDownError),
        (own_words(500), ServiceTroubleError),
        (said(200, b"{}"), NotTheServiceError),
        (own_words(200), ServiceTroubleError),
        (a_sign_in_page(), NotTheServiceError),
    ],
    ids=named,
)
def test_a_question_without_an_answer_says_why(proxy: FaultProxy, reply: Any, trouble: type[Trouble]) -> None:
    ledger = knows_us(proxy)
    proxy.will(reply)
    with pytest.raises(trouble) as caught:
        ledger.check(a_request())
    if isinstance(caught.value, SlowDownError):
        assert caught.value.retry_after_s == 3


def test_a_service_that_lacks_a_call_is_asked_anew_what_it_can_do(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(own_words(405))
    with pytest.raises(NotUnderstoodError):
        ledger.check(a_request())
    proxy.will(replace(OUR_CAPABILITIES, body=write_capabilities(replace(OURS, features=frozenset()))), CHECKED)
    assert ledger.check(a_request()).is_redeemable
    assert proxy.seen[-1].method == "GET"


def test_a_customer_is_looked_up_with_all_a_till_uses(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    query = CustomerQuery(refs=(by_mobile(),), with_user_id=True, with_points_summary=True, with_programs=True)
    proxy.will(said(200, write_customers([(by_mobile(), a_record())], query, Format.JSON)))
    record = ledger.find_customer(by_mobile())
    assert record is not None
    assert record.customer.first_name == "Ada"
    assert record.wallets[0].balance == Points.of(500)
    assert "points_summary=true" in proxy.seen[-1].target


def test_nobody_has_this_identifier(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    nobody = write_customers([(by_mobile(), None)], CustomerQuery(refs=(by_mobile(),)), Format.JSON)
    proxy.will(said(200, nobody))
    assert ledger.find_customer(by_mobile()) is None


def test_rules_and_switches_are_read_where_the_service_tells_them(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, write_program(a_program(multiple_of=10), Format.JSON)))
    proxy.will(said(200, write_configs(an_organisation(validation_required=True), Format.JSON)))
    program, organisation = ledger.program(PROGRAM_ID), ledger.organisation()
    assert program is not None
    assert program.criteria.multiple_of == Points.of(10)
    assert organisation is not None
    assert organisation.validation_required


def test_a_service_without_rules_and_switches_tells_none(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.always(own_words(404))
    assert ledger.program(PROGRAM_ID) is None
    assert knows_nobody(proxy).organisation() is None


def test_a_code_is_sent(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    code = {"mobile": MOBILE, "points": 100, "item_status": {"success": "true", "code": 200, "message": "Issued"}}
    proxy.will(said(200, {"response": {"status": {"success": "true", "code": 200}, "validation_code": {"code": code}}}))
    answer = ledger.send_code(SendCode(customer=by_mobile(), points=Points.of(100)))
    assert answer.refusal is None
    assert parse_qs(proxy.seen[-1].body.decode())["points"] == ["100"]


# --- Redeeming -------------------------------------------------------------------------------------------------------


def test_a_redemption_carries_its_key_its_code_and_its_cashier(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(YES)
    answer = ledger.redeem(a_command())
    assert (answer.redemption_id, answer.refusal) == ("k4Wq7Z", None)
    seen = proxy.seen[-1]
    assert (seen.method, seen.path) == ("POST", "/v1.1/points/redeem")
    assert f"program_id={PROGRAM_ID}" in seen.target
    (item,) = json.loads(seen.body)["root"]["redeem"]
    assert (item["external_reference_number"], item["validation_code"]) == (A_KEY, "Q7XK2M")
    assert item["transaction_number"] == "B-77"
    assert header_of(seen) == {"v": 1, "cashier": 7}


@pytest.mark.parametrize("key", [None, "7" * 26])
def test_an_answer_of_our_ledger_without_the_right_echo_is_unclear(proxy: FaultProxy, key: str | None) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, redeem_body(a_yes(extension=an_extension(key=key)))))
    with pytest.raises(UnclearAnswerError):
        ledger.redeem(a_command())


def test_an_answer_of_our_ledger_without_the_extension_is_unclear(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, redeem_body(a_yes(extension=None))))
    with pytest.raises(UnclearAnswerError):
        ledger.redeem(a_command())


def test_a_refusal_of_our_ledger_is_a_sure_no(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    no = a_redeem_answer(100, refusal=Refusal.BALANCE_TOO_LOW, code=818, extension=an_extension(key=A_KEY))
    proxy.will(said(200, redeem_body(no)))
    assert ledger.redeem(a_command()).refusal is Refusal.BALANCE_TOO_LOW


def test_another_service_is_believed_when_it_names_the_customer_the_points_and_an_id(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(200, redeem_body(a_yes(extension=None))))
    assert ledger.redeem(a_command()).redemption_id == "k4Wq7Z"
    assert "X-Pos-Extension" not in proxy.seen[-1].headers


@pytest.mark.parametrize(
    "changes",
    [{"identity": Identity(mobile="919999999999")}, {"points": Points.of(10)}, {"redemption_id": None}],
    ids=named,
)
def test_another_services_yes_to_something_else_is_unclear(proxy: FaultProxy, changes: dict[str, Any]) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(200, redeem_body(replace(a_yes(extension=None), **changes))))
    with pytest.raises(UnclearAnswerError):
        ledger.redeem(a_command())


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (own_words(400), NotUnderstoodError),
        (own_words(401), NotAcceptedError),
        (own_words(403), NotAcceptedError),
        (own_words(404), WrongAddressError),
        (own_words(429), SlowDownError),
        (own_words(503, retry_after="2"), SlowDownError),
    ],
    ids=named,
)
def test_what_the_service_says_it_did_not_take_was_surely_not_done(
    proxy: FaultProxy, reply: Any, trouble: type[Trouble]
) -> None:
    ledger = knows_us(proxy)
    proxy.will(reply)
    with pytest.raises(trouble):
        ledger.redeem(a_command())


def test_a_refusal_by_another_service_sent_as_400_is_a_sure_no(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(400, redeem_body(a_yes(extension=None, refusal=Refusal.BALANCE_TOO_LOW, code=818))))
    assert ledger.redeem(a_command()).refusal is Refusal.BALANCE_TOO_LOW


def test_a_customer_may_be_named_by_a_card(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(200, redeem_body(a_yes(extension=None))))
    command = a_command(customer=CustomerRef(IdentifierKind.CARD_NUMBER, "4411"))
    assert ledger.redeem(command).refusal is None


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_a_cancel_is_told_and_answered_under_its_key(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    told = CancelAnswer(key=A_KEY, outcome=CancelOutcome.REVERSED, redemption_id="k4Wq7Z", server_time=OURS.server_time)
    proxy.will(said(200, write_cancel_answer(told)))
    assert ledger.cancel(LEFT) == told
    seen = proxy.seen[-1]
    assert (seen.method, seen.target) == ("POST", "/sync/v1/cancel")
    assert json.loads(seen.body) == {"key": A_KEY, "cashier": 7, "reason": "customer_left", "approval": None}


def test_a_service_without_the_extension_cannot_cancel_and_is_not_asked(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    asked = len(proxy.seen)
    assert ledger.cancel(LEFT) is None
    assert len(proxy.seen) == asked


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (
            said(200, write_cancel_answer(CancelAnswer(key="7" * 26, outcome=CancelOutcome.CANCELLED))),
            UnclearAnswerError,
        ),
        (said(200, b"{}"), UnclearAnswerError),
        (a_sign_in_page(), UnclearAnswerError),
        (own_words(500), UnclearAnswerError),
        (CUT_AHEAD, UnclearAnswerError),
        (said(400, sync_error(400, "malformed")), NotUnderstoodError),
        (said(403, sync_error(403, "till_lost")), NotAcceptedError),
        (said(404, sync_error(404, "unknown")), WrongAddressError),
        (said(503, sync_error(503, "busy")), SlowDownError),
    ],
    ids=named,
)
def test_a_cancel_without_a_sure_answer_says_why(proxy: FaultProxy, reply: Any, trouble: type[Trouble]) -> None:
    ledger = knows_us(proxy)
    proxy.will(reply)
    with pytest.raises(trouble):
        ledger.cancel(LEFT)


# --- The line --------------------------------------------------------------------------------------------------------


def test_our_ledger_is_probed_without_a_login(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(said(200, b'{"status": "ok"}'))
    assert ledger.is_up()
    assert proxy.seen[-1].target == "/healthz"
    assert "Authorization" not in proxy.seen[-1].headers


def test_another_service_is_probed_by_its_configuration(proxy: FaultProxy) -> None:
    ledger = knows_nobody(proxy)
    proxy.will(said(200, write_configs(an_organisation(), Format.JSON)))
    assert ledger.is_up()
    assert proxy.seen[-1].path == "/v1.1/organization/configs"


def test_a_service_nobody_knows_yet_is_probed_both_ways(proxy: FaultProxy) -> None:
    proxy.will(own_words(404), path="/healthz")
    proxy.will(own_words(401), path="/configs")
    assert a_ledger(proxy).is_up()
    assert [seen.path for seen in proxy.seen] == ["/healthz", "/v1.1/organization/configs"]


@pytest.mark.parametrize("fault", [a_sign_in_page(), a_redirect(), CUT_AHEAD, said(502, b"<html>")], ids=named)
@pytest.mark.parametrize("knows", [knows_us, knows_nobody, a_ledger])
def test_nobody_is_there_when_somebody_else_answers(proxy: FaultProxy, knows: Any, fault: Any) -> None:
    ledger = knows(proxy)
    proxy.always(fault)
    assert not ledger.is_up()


def test_idle_connections_may_be_closed_at_any_time(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    ledger.close()
    proxy.will(CHECKED)
    assert ledger.check(a_request()).is_redeemable


def test_a_line_that_is_cut_is_down_and_comes_back(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.refuse()
    assert not ledger.is_up()
    proxy.listen()
    proxy.will(said(200, b'{"status": "ok"}'))
    assert ledger.is_up()
