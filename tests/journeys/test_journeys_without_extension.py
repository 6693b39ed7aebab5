"""The same till at a service that offers the documented calls only: our server with the extension switched off.

Online works, offline gives advice, nothing is redeemed offline, and a lost answer is never sent again by itself
(house 3, reliability 4.2, sync-api 1 and 3).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fault_proxy import CUT_BEHIND, Seen
from support.gateway_kit import NO_EXTENSION
from support.ledger_server import LOGIN, MOBILE, a_customer, a_program, a_till, an_organisation
from support.shop import Shop, a_shop, journal_rows, pos_app
from support.till_process import TillProcess, eventually

from pos_app.domain.redemption import Kind, State

OFF = "extension = false\n"
LINES = [an_organisation(), a_program(offline_redemption=True), a_till(), a_customer()]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Its program may be redeemed offline, and its ledger has no extension to say so."""
    with a_shop(tmp_path, LINES, ledger_settings=OFF, code__ask_first=True) as opened:
        yield opened


def extension_calls(shop: Shop) -> set[str]:
    """What the till asked of the extension."""
    return {each.path for each in shop.proxy.requests_to("/sync/")}


def redeem(till: TillProcess) -> None:
    till.look_up(MOBILE)
    till.check(100)
    till.press("F8")


def test_online_works_and_says_what_happened(shop: Shop) -> None:
    with shop.till() as till:
        redeem(till)
        till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption")
        assert till.close() == 0
    (charge,) = shop.charges()
    assert str(charge.points) == "100"
    (row,) = journal_rows(shop.till_folder())
    assert (row.kind, row.state) == (Kind.ONLINE, State.CONFIRMED)


def test_of_the_extension_only_what_the_service_can_do_is_asked_and_no_header_of_ours_is_sent(shop: Shop) -> None:
    with shop.till() as till:
        redeem(till)
        till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption")

        def probes() -> list[Seen]:
            return shop.proxy.requests_to("/healthz") + shop.proxy.requests_to("/configs")

        asked = len(probes())
        eventually("another look at the line", lambda: len(probes()) > asked)
        till.close()
    assert extension_calls(shop) == {"/sync/v1/capabilities"}
    assert not [each for each in shop.proxy.seen if "X-Pos-Extension" in each.headers]


def test_offline_there_is_advice_and_nothing_is_redeemed(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        shop.proxy.refuse()
        till.ask_points(100)
        advice = till.wait_for(lambda screen: screen.title.startswith("Probably yes"), "the advice")
        assert "may not redeem without a line" in advice.said
        assert not advice.can_redeem
        till.press("F8")
        till.ask_points(600)
        no = till.wait_for(lambda screen: screen.title.startswith("Probably no"), "the advice against too many")
        assert not no.can_redeem
        till.close()
    assert journal_rows(shop.till_folder()) == []
    assert shop.charges() == []


def test_a_lost_answer_is_never_sent_again_by_itself_also_not_after_a_restart(shop: Shop) -> None:
    with shop.till() as till:
        shop.proxy.will(CUT_BEHIND, path="/redeem")
        redeem(till)
        eventually("the redemption to arrive", shop.charges)
        eventually("the till to ask a supervisor", lambda: "supervisor" in till.screen.said.lower())
        assert not till.screen.can_redeem
        till.close()
    (row,) = journal_rows(shop.till_folder())
    assert row.state is State.PARKED
    with shop.till() as till:
        till.look_up(MOBILE)
        till.close()
    (row,) = journal_rows(shop.till_folder())
    assert row.state is State.PARKED
    assert len(shop.proxy.requests_to("/redeem")) == 1
    (charge,) = shop.charges()
    assert charge.key == row.key


def test_the_setting_alone_lets_a_lost_answer_be_sent_again(tmp_path: Path) -> None:
    with (
        a_shop(tmp_path, LINES, ledger_settings=OFF, code__ask_first=True, service__idempotent_redeem=True) as shop,
        shop.till() as till,
    ):
        shop.proxy.will(CUT_BEHIND, path="/redeem")
        redeem(till)
        till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption, found with the same key")
        till.close()
        keys = {json.dumps(json.loads(each.body)) for each in shop.proxy.requests_to("/redeem")}
        assert len(shop.proxy.requests_to("/redeem")) > 1
        assert len(keys) == 1
        assert len(shop.charges()) == 1


def test_there_is_nothing_to_enrol_at_and_that_is_said(shop: Shop) -> None:
    ran = pos_app("--data-dir", shop.till_folder(), "enrol")
    assert ran.code == 0, ran
    assert f"{LOGIN} is set up. This service keeps no tills: without a line this till only gives advice." in ran.out
    assert extension_calls(shop) == {"/sync/v1/capabilities"}


def test_a_service_that_had_the_extension_and_lost_it_is_no_silent_step_down(tmp_path: Path) -> None:
    with a_shop(tmp_path, LINES, code__ask_first=True) as shop:
        with shop.till() as till:
            till.look_up(MOBILE)
            eventually("the enrolment", lambda: shop.proxy.requests_to("/sync/v1/enrol"))
            till.close()
        shop.proxy.will(*[NO_EXTENSION] * 1000, path="/sync/")
        with shop.till() as till:
            till.wait_for(lambda screen: screen["statusConnection"] == "Offline", "the till to work as without a line")
            till.look_up(MOBILE)
            till.ask_points(100)
            till.wait_for(
                lambda screen: "Probably" in screen.title or "offline" in screen.said.lower(), "no live answer"
            )
            shop.proxy.heal()
            till.wait_for(lambda screen: screen["statusConnection"] == "Online", "the extension to be back")
            till.close()
        assert shop.charges() == []
