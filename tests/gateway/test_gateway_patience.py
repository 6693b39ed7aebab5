"""A till leaves a service alone for as long as it asked (429, 503 and `Retry-After`)."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.builders import a_request
from support.clock import FakeClock
from support.fault_proxy import FaultProxy, said
from support.gateway_kit import a_command, a_yes, check_body, knows_us, redeem_body

from pos_app.domain.trouble import SlowDownError
from pos_app.gateway.patience import Patience
from pos_app.services.ports import Waits
from pos_app.wire.answers import write_status
from pos_app.wire.formats import Format

CHECKED = said(200, check_body())
YES = said(200, redeem_body(a_yes()))
TILL_TAKES_S = Waits().connect_s


def busy(status: int, retry_after: str) -> Any:
    return said(status, write_status(status, "Later", Format.JSON), retry_after=retry_after)


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with FaultProxy() as service:
        yield service


def test_nothing_is_waited_for_until_somebody_asks_for_it() -> None:
    clock = FakeClock()
    Patience(clock).wait(0)
    assert clock.mono() == FakeClock().mono()


def test_a_short_wait_is_waited_out() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    patience.asked_for(2)
    before = clock.mono()
    patience.wait(TILL_TAKES_S)
    assert clock.mono() == pytest.approx(before + 2)


def test_a_long_wait_is_told_with_what_is_left_of_it() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    patience.asked_for(30)
    clock.sleep(20)
    with pytest.raises(SlowDownError) as caught:
        patience.wait(TILL_TAKES_S)
    assert caught.value.retry_after_s == pytest.approx(10)
    clock.sleep(8)
    patience.wait(TILL_TAKES_S)
    assert clock.mono() == pytest.approx(FakeClock().mono() + 30)


def test_the_longest_wait_asked_for_counts() -> None:
    clock = FakeClock()
    patience = Patience(clock)
    patience.asked_for(30)
    patience.asked_for(1)
    with pytest.raises(SlowDownError):
        patience.wait(TILL_TAKES_S)


@pytest.mark.parametrize("status", [429, 503])
def test_after_a_long_wait_was_asked_for_no_call_reaches_the_service(proxy: FaultProxy, status: int) -> None:
    ledger = knows_us(proxy)
    proxy.will(busy(status, "60"))
    for _ in range(3):
        with pytest.raises(SlowDownError) as caught:
            ledger.check(a_request())
        assert 50 < caught.value.retry_after_s <= 60
    with pytest.raises(SlowDownError):
        ledger.redeem(a_command())
    assert len(proxy.requests_to("/isredeemable")) == 1
    assert proxy.requests_to("/redeem") == []


def test_after_a_short_wait_the_next_call_goes_out_by_itself(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(busy(503, "1"), CHECKED, YES)
    with pytest.raises(SlowDownError):
        ledger.check(a_request())
    assert ledger.check(a_request()).is_redeemable
    assert ledger.redeem(a_command()).code == 800


def test_a_refused_redemption_asks_for_patience_too(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(busy(429, "60"))
    with pytest.raises(SlowDownError):
        ledger.redeem(a_command())
    with pytest.raises(SlowDownError):
        ledger.check(a_request())
    assert len(proxy.requests_to("/redeem")) == 1
    assert proxy.requests_to("/isredeemable") == []


def test_the_line_is_probed_all_the_same(proxy: FaultProxy) -> None:
    ledger = knows_us(proxy)
    proxy.will(busy(429, "60"))
    with pytest.raises(SlowDownError):
        ledger.check(a_request())
    proxy.will(said(200, b'{"status": "ok"}'))
    assert ledger.is_up()
