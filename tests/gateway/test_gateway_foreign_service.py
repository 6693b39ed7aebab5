"""Our till at a service of another maker: our ledger without the extension, and one that answers as the old pages do.

Nothing of ours is spoken there: no header, no POST reads, no cancel. What is unclear is parked and never sent again.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from support.builders import a_request, points
from support.clock import FakeClock
from support.fault_proxy import CUT_AHEAD, CUT_BEHIND, CUT_WITHIN, FaultProxy, a_sign_in_page, garbage, said
from support.gateway_kit import QUICK, MachineClock
from support.ledger_server import LOGIN, LedgerServer, digest, running_ledger
from support.service_kit import Till

from pos_app.domain.commands import CancelReason, SendCode
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import NotAcceptedError, SlowDownError, Trouble
from pos_app.gateway import HttpLedger
from pos_app.services.ports import Waits
from pos_app.services.results import Checked

TOM = CustomerRef(IdentifierKind.MOBILE, "9777785205")
OURS = ("/sync/v1/cancel", "/healthz")
"""Addresses of ours that a service of another maker must never be asked for once it is known."""


_SEEDS = itertools.count(1, 10)
"""Tests share a server: no two tills of theirs may make the same keys."""


def a_till(url: str, waits: Waits = QUICK) -> Till:
    """A till over a line to `url`, with services as bootstrap wires them and a clock that moves by itself."""
    ledger = HttpLedger(url, LOGIN, digest(), waits=waits, clock=MachineClock(), software="1.0")
    return Till(ledger, clock=FakeClock(), waits=waits, seed=next(_SEEDS))


def asked(till: Till, count: int = 100, **changes: Any) -> Checked:
    """The service's answer to so many points of Tom's."""
    return till.validation.check(a_request(count, customer=TOM, **changes))


def started(till: Till, count: int = 100) -> Redemption:
    """A redemption of what the service said yes to."""
    return till.redemptions.start(asked(till, count), customer_id=50001, customer_label="Tom S.", bill_number="B-77")


# --- Our own ledger, `extension = false` ------------------------------------------------------------------------------


@dataclass
class Shop:
    """A till, a proxy and a ledger without the extension."""

    till: Till
    proxy: FaultProxy
    server: LedgerServer

    def balance(self) -> Points:
        """What the ledger says Tom has."""
        record = HttpLedger(
            self.server.url, LOGIN, digest(), waits=Waits(), clock=MachineClock(), software="1.0"
        ).find_customer(TOM)
        assert record is not None
        return record.wallets[0].balance


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerServer]:
    with running_ledger(tmp_path_factory.mktemp("foreign") / "ledger", settings="extension = false\n") as found:
        yield found


@pytest.fixture
def shop(server: LedgerServer) -> Iterator[Shop]:
    with FaultProxy(("127.0.0.1", server.port)) as proxy:
        yield Shop(a_till(proxy.url, Waits(read_s=20)), proxy, server)


def test_without_the_extension_a_till_looks_up_checks_confirms_and_redeems(shop: Shop) -> None:
    before = shop.balance()
    found = shop.till.lookup.find(TOM)
    assert found is not None
    assert (found.record.customer.first_name, found.record.wallets[0].balance) == ("Tom", before)
    no = asked(shop.till, 125)
    assert (no.is_redeemable, no.code, no.refusals) == (False, 807, (Refusal.NOT_A_MULTIPLE,))
    checked = asked(shop.till, 10, issue_otp=True)
    assert (checked.is_redeemable, checked.code, checked.worth, checked.is_code_out) == (True, 800, Decimal(10), True)
    code = shop.server.messages()[-1]["code"]
    shop.till.validation.send_code(SendCode(customer=TOM, points=points(10)))
    row = started(shop.till, 10)
    wrong = shop.till.redemptions.submit(row.key, "WRONG1")
    assert (wrong.state, wrong.refusal) == (State.READY, Refusal.CODE_WRONG)
    right = shop.till.redemptions.submit(row.key, code)
    assert (right.state, right.code, right.balance_after) == (State.CONFIRMED, 800, before - points(10))
    assert right.redemption_id
    assert shop.balance() == before - points(10)


def test_without_the_extension_nothing_of_ours_is_sent(shop: Shop) -> None:
    shop.till.lookup.find(TOM)
    shop.till.redemptions.submit(started(shop.till, 10).key)
    assert shop.till.line.probe()
    for seen in shop.proxy.seen:
        assert "X-Pos-Extension" not in seen.headers
        assert not seen.path.startswith(OURS)
        assert seen.method == ("POST" if seen.path == "/v1.1/points/redeem" else "GET")
    asked_capabilities = shop.proxy.requests_to("/sync/v1/capabilities")
    assert {seen.headers.get("Authorization", "")[:6] for seen in asked_capabilities} == {"Basic "}


@pytest.mark.parametrize(
    ("fault", "is_charged"),
    [
        (CUT_BEHIND, True),
        (CUT_WITHIN, True),
        (CUT_AHEAD, False),
        (garbage(), True),
        (a_sign_in_page(), False),
        (said(500, {"response": {"status": {"success": "false", "code": 500, "message": ""}}}), False),
        (said(502, "<html>Bad Gateway</html>", reaches=True), True),
        (said(408), False),
    ],
    ids=str,
)
def test_without_the_extension_an_unclear_answer_is_parked_and_never_sent_again(
    shop: Shop, fault: Any, is_charged: bool
) -> None:
    before = shop.balance()
    row = started(shop.till, 10)
    shop.proxy.will(fault, path="/redeem")
    parked = shop.till.redemptions.submit(row.key)
    assert (parked.state, parked.next_try_at) == (State.PARKED, None)
    shop.till.drain_all(5)
    again = shop.till.restarted()
    again.drain_all(5)
    assert again.redemptions.get(row.key).state is State.PARKED
    assert len(shop.proxy.requests_to("/redeem")) == 1
    assert shop.balance() == (before - points(10) if is_charged else before)


def test_without_the_extension_what_was_parked_cannot_be_cancelled_by_the_till(shop: Shop) -> None:
    row = started(shop.till, 10)
    shop.proxy.will(CUT_BEHIND, path="/redeem")
    shop.till.redemptions.submit(row.key)
    given_up = shop.till.redemptions.give_up(row.key, CancelReason.CUSTOMER_LEFT)
    assert given_up.state is State.PARKED
    shop.till.drain_all(5)
    assert shop.till.redemptions.get(row.key).state is State.PARKED
    assert not shop.proxy.requests_to("/cancel")


def test_without_the_extension_a_line_that_was_never_there_asks_no_supervisor(shop: Shop) -> None:
    row = started(shop.till, 10)
    shop.proxy.refuse()
    with pytest.raises(Trouble):
        shop.till.redemptions.submit(row.key)
    assert shop.till.redemptions.get(row.key).state is State.READY
    shop.proxy.listen()
    assert shop.till.redemptions.submit(row.key).state is State.CONFIRMED


# --- A service that answers as the old pages do -----------------------------------------------------------------------

NOT_FOUND = {"response": {"status": {"success": "false", "code": "404", "message": "Resource not found"}}}
OLD_STATUS = {"success": "true", "code": "200", "message": "SUCCESS"}
OLD_CUSTOMER = {
    # No outer `response`, one customer bare, numbers as text, lists that are empty texts.
    "status": OLD_STATUS,
    "customers": {
        "customer": {
            "firstname": "Tom",
            "lastname": "Sawyer",
            "mobile": "919777785205",
            "email": "",
            "external_id": None,
            "user_id": "50001",
            "lifetime_points": "900",
            "lifetime_purchases": "12000.50",
            "loyalty_points": "500",
            "current_slab": "",
            "registered_on": "2013-05-13 15:23:05",
            "type": "LOYALTY",
            "fraud_details": {"status": "NOT_FRAUD", "marked_by": []},
            "points_summaries": {"points_summary": [{"program_id": "973", "loyalty_points": "500.000"}]},
            "expiry_schedule": {"schedule": []},
            "user_groups2": "",
            "item_status": {"success": True, "code": "1000", "message": "Customer successfully retrieved"},
        }
    },
}


def old_check(**changes: Any) -> dict[str, Any]:
    """The older page: `responses.points`, numbers as text, no input type."""
    item = {
        "mobile": "919777785205",
        "email": "tom@example.org",
        "points": "100",
        "is_redeemable": "true",
        "points_redeem_value": "100.00",
        "points_redeem_local_value": "100",
        "points_currency_ratio": "1",
        "item_status": {"success": "true", "code": "800", "message": "Points can be redeemed"},
        **changes,
    }
    outer = {"points_redeemed": "0", "balance": "500", "redeemable": item}
    return {"response": {"status": OLD_STATUS, "responses": {"points": outer}}}


def old_redeem(**changes: Any) -> dict[str, Any]:
    """The older page: numbers as text, no details."""
    item = {
        "mobile": "919777785205",
        "email": None,
        "user_id": "50001",
        "redemption_id": "k4Wq7Z",
        "points_redeemed": "100",
        "redeemed_value": "100",
        "balance": "400.000",
        "item_status": {"success": "true", "code": "800", "message": "Points Redeemed"},
        **changes,
    }
    given = {name: value for name, value in item.items() if value is not ...}
    return {"response": {"status": OLD_STATUS, "responses": {"points": given}}}


@pytest.fixture
def service() -> Iterator[FaultProxy]:
    with FaultProxy() as proxy:
        proxy.will(said(404, NOT_FOUND), said(404, NOT_FOUND), path="/capabilities")
        proxy.always(said(404, NOT_FOUND))
        yield proxy


def test_an_old_customer_is_found(service: FaultProxy) -> None:
    service.will(said(200, OLD_CUSTOMER), path="/customer/get")
    found = a_till(service.url).lookup.find(TOM)
    assert found is not None
    customer, (wallet,) = found.record.customer, found.record.wallets
    assert (customer.customer_id, customer.first_name, customer.is_blocked, customer.is_registered) == (
        *(50001, "Tom", False, True),
    )
    assert (wallet.program_id, wallet.balance, wallet.lifetime_purchases) == (973, points(500), Decimal("12000.50"))
    assert found.record.family_groups == ()


@pytest.mark.parametrize("code", ["1012", 1012, "816", "1011"])
def test_nobody_is_found_in_old_words(service: FaultProxy, code: object) -> None:
    status = {"success": "false", "code": "500", "message": "All requests have failed due to errors"}
    item = {"mobile": "9777785205", "item_status": {"success": "false", "code": code, "message": "Not found"}}
    service.will(said(200, {"response": {"status": status, "customers": {"customer": [item]}}}), path="/customer/get")
    assert a_till(service.url).lookup.find(TOM) is None


@pytest.mark.parametrize(
    "body",
    [
        old_check(),
        old_check(is_redeemable=True, points=100, item_status={"success": True, "code": 800, "message": ""}),
        old_check(points_currency_ratio=""),
        old_check(points_currency_ratio=1, email=None, item_status={"code": "800"}),
        {"response": {"points": old_check()["response"]["responses"]["points"]}},
        old_check()["response"],
    ],
)
def test_an_old_check_is_a_yes_worth_what_it_says(service: FaultProxy, body: dict[str, Any]) -> None:
    service.will(said(200, body), path="/isredeemable")
    checked = asked(a_till(service.url))
    assert (checked.is_redeemable, checked.code, checked.points, checked.worth) == (
        *(True, 800, points(100), Decimal(100)),
    )
    assert (checked.wallet, checked.otp, checked.points_after) == (None, None, None)


@pytest.mark.parametrize("http", [200, 400, 404, 422, 500])
@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        *(("807", Refusal.NOT_A_MULTIPLE), (813, Refusal.BALANCE_TOO_LOW), ("889", Refusal.CUSTOMER_UNKNOWN)),
        *(("820", Refusal.NEEDS_SUPERVISOR), ("4711", Refusal.OTHER)),
    ],
)
def test_an_old_refusal_is_a_no_whatever_its_http_status(
    service: FaultProxy, http: int, code: object, refusal: Refusal
) -> None:
    no = {"success": False, "code": code, "message": "Not now"}
    body = old_check(is_redeemable=False, points_redeem_value="0", points_redeem_local_value=None, item_status=no)
    body["response"]["status"] = {"success": "false", "code": "500", "message": "FAIL"}
    service.will(said(http, body), path="/isredeemable")
    checked = asked(a_till(service.url))
    assert (checked.is_redeemable, checked.refusals, checked.code) == (False, (refusal,), int(str(code)))
    assert (checked.message, checked.worth) == ("Not now", None)


def test_an_old_warning_is_a_yes_without_a_code(service: FaultProxy) -> None:
    warning = {"success": "false", "code": "876", "message": "Points Redeemable but OTP Generation failed"}
    service.will(said(200, old_check(item_status=warning)), path="/isredeemable")
    checked = asked(a_till(service.url), issue_otp=True)
    assert (checked.is_redeemable, checked.is_code_out, checked.is_code_missing) == (True, False, True)


@pytest.mark.parametrize(("code", "refusal"), [("200", None), (200, None), ("816", Refusal.CUSTOMER_UNKNOWN)])
def test_an_old_code_is_sent_or_not(service: FaultProxy, code: object, refusal: Refusal | None) -> None:
    item = {"mobile": "919777785205", "points": "100", "item_status": {"code": code, "message": "Validation Code ..."}}
    service.will(
        said(200, {"response": {"status": OLD_STATUS, "validation_code": {"code": item}}}), path="/validationcode"
    )
    answer = a_till(service.url).validation.send_code(SendCode(customer=TOM, points=points(100)))
    assert (answer.refusal, answer.points) == (refusal, points(100))


@pytest.mark.parametrize(
    "body",
    [
        old_redeem(),
        old_redeem(item_status={"success": True, "code": 800, "message": ""}, is_group_redemption="false"),
        old_redeem(user_id=50001, redemption_id=778899, points_redeemed=100, balance=400),
        old_redeem(user_id=None, email="", side_effects={"effect": {"id": "9", "num_points": "100"}}),
        {"response": {"points": old_redeem()["response"]["responses"]["points"]}},
    ],
)
def test_an_old_yes_that_names_customer_points_and_number_is_believed(
    service: FaultProxy, body: dict[str, Any]
) -> None:
    service.will(said(200, old_check()), path="/isredeemable")
    service.will(said(200, body), path="/redeem")
    till = a_till(service.url)
    row = till.redemptions.submit(started(till).key)
    assert (row.state, row.balance_after) == (State.CONFIRMED, points(400))
    assert row.redemption_id in {"k4Wq7Z", "778899"}
    sent = json.loads(service.requests_to("/redeem")[0].body)["root"]["redeem"][0]
    assert (sent["external_reference_number"], sent["points_redeemed"], sent["transaction_number"]) == (
        *(row.key, "100", "B-77"),
    )


@pytest.mark.parametrize(
    "body",
    [
        old_redeem(redemption_id=...),
        old_redeem(redemption_id=""),
        old_redeem(mobile=...),
        old_redeem(mobile="919000000002"),
        old_redeem(points_redeemed=...),
        old_redeem(points_redeemed="90"),
        old_redeem(points_redeemed="a lot"),
        old_redeem(item_status=...),
        old_redeem(item_status={"success": "true", "code": "818", "message": ""}),
        {
            "response": {
                "status": {**OLD_STATUS, "success": "false"},
                "responses": old_redeem()["response"]["responses"],
            }
        },
        {"response": {"status": OLD_STATUS}},
        {},
    ],
)
def test_an_old_answer_that_is_not_sure_is_parked_and_sent_once(service: FaultProxy, body: dict[str, Any]) -> None:
    service.will(said(200, old_check()), path="/isredeemable")
    service.will(said(200, body), path="/redeem")
    till = a_till(service.url)
    row = till.redemptions.submit(started(till).key)
    assert (row.state, row.redemption_id) == (State.PARKED, None)
    till.drain_all(5)
    assert till.redemptions.give_up(row.key, CancelReason.UNKNOWN_RESULT).state is State.PARKED
    till.restarted().drain_all(5)
    assert len(service.requests_to("/redeem")) == 1
    assert not service.requests_to("/cancel")


@pytest.mark.parametrize("http", [200, 400])
@pytest.mark.parametrize(
    ("code", "state", "refusal"),
    [
        ("818", State.REFUSED, Refusal.BALANCE_TOO_LOW),
        (903, State.REFUSED, Refusal.POINTS_BLOCKED),
        ("808", State.READY, Refusal.CODE_WRONG),
        ("824", State.READY, Refusal.PROOF_MISSING),
    ],
)
def test_an_old_no_is_a_sure_no(service: FaultProxy, http: int, code: object, state: State, refusal: Refusal) -> None:
    no = {"success": "false", "code": code, "message": "No"}
    body = old_redeem(item_status=no, redemption_id=..., user_id=None, redeemed_value="0")
    body["response"]["status"] = {"success": "false", "code": "500", "message": "FAIL"}
    service.will(said(200, old_check()), path="/isredeemable")
    service.will(said(http, body), path="/redeem")
    till = a_till(service.url)
    row = till.redemptions.submit(started(till).key)
    assert (row.state, row.refusal) == (state, refusal)


def test_a_wrong_code_is_corrected_under_the_same_key_and_can_be_left(service: FaultProxy) -> None:
    no = {"success": "false", "code": "808", "message": "No"}
    service.will(said(200, old_check()), said(200, old_check()), path="/isredeemable")
    service.will(said(200, old_redeem(item_status=no)), said(200, old_redeem()), path="/redeem")
    service.will(said(200, old_redeem(item_status=no)), path="/redeem")
    till = a_till(service.url)
    row = till.redemptions.submit(started(till).key, "WRONG1")
    assert till.redemptions.submit(row.key, "Q7XK2M").state is State.CONFIRMED
    other = till.redemptions.submit(started(till).key, "WRONG1")
    assert till.redemptions.give_up(other.key, CancelReason.CUSTOMER_LEFT).state is State.CANCELLED
    assert not service.requests_to("/cancel")


@pytest.mark.parametrize("call", ["lookup", "check", "program"])
def test_a_service_that_tells_no_more_than_the_contract_is_enough(service: FaultProxy, call: str) -> None:
    service.will(said(200, OLD_CUSTOMER), path="/customer/get")
    service.will(said(200, old_check()), path="/isredeemable")
    till = a_till(service.url)
    calls: dict[str, Callable[[], object]] = {
        "lookup": lambda: till.lookup.find(TOM),
        "check": lambda: asked(till).is_redeemable or None,
        "program": till.lookup.refresh_rules,
    }
    assert (calls[call]() is None) == (call == "program")
    assert till.lookup.organisation() is None


@pytest.mark.parametrize("http", [401, 403, 429, 503])
def test_what_speaks_of_the_till_is_no_answer_about_a_customer(service: FaultProxy, http: int) -> None:
    no = {"success": "false", "code": "818"}
    service.will(said(http, old_check(is_redeemable=False, item_status=no)), path="/isredeemable")
    ledger = a_till(service.url).ledger
    with pytest.raises((NotAcceptedError, SlowDownError)):
        ledger.check(a_request(100, customer=TOM))
