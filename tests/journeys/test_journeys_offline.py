"""No line: a customer seen before is answered from the cache with the age of its data; nobody else is guessed."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.ledger_server import LOGIN, MOBILE, a_customer, a_program, a_till, an_organisation
from support.shop import Ran, Shop, a_shop, pos_app
from support.till_process import Screen, TillProcess

NEVER_SEEN = "919777785299"
BUSY_MACHINE_S = 2.0
"""What a busy machine may add; a till that waited for a second time-out would be later still."""
FIRST_ANSWER_S = 4.0 + BUSY_MACHINE_S
AT_ONCE_S = 2.0
AGE = r"from data of \d\d:\d\d, (\d+ min|less than a minute) old\."
NOT_FOUND = re.compile(r"not found|no customer|nobody matches|unknown customer", re.IGNORECASE)

SHIPPED = {"retry__connect_s": 3.0, "retry__read_s": 10.0, "retry__foreground_s": 20.0}
"""The waiting times a till has when nobody sets any: what is promised is promised with these."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose till waits as long as shipped; one more customer is there whom the till never sees."""
    lines = [an_organisation(), a_program(), a_till(), a_customer()]
    lines.append(a_customer(id=50002, mobile=NEVER_SEEN, email="new@example.org", external_id="N-1"))
    with a_shop(tmp_path, lines, code__ask_first=True, **SHIPPED) as opened:
        yield opened


@contextmanager
def a_silent_host(port: int) -> Iterator[None]:
    """A port where connections are neither taken nor refused, as behind a cable that was pulled."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    waiting = []
    try:
        for _ in range(8):  # The queue holds one or two; whoever comes later hears nothing.
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
            waiting.append(caller)
        yield
    finally:
        for caller in waiting:
            caller.close()
        listener.close()


def timed(what: Callable[[], Any]) -> tuple[Any, float]:
    """Something done, and how many seconds it took."""
    began = time.monotonic()
    return what(), time.monotonic() - began


def offline_answer(till: TillProcess, points: int) -> Screen:
    """Ask for points and wait for the answer worked out here."""
    till.ask_points(points)
    wanted = "Probably yes" if points <= 500 else "Probably no"
    return till.wait_for(lambda screen: screen.title.startswith(wanted), "the answer from the cache")


def forget(till: TillProcess) -> None:
    """Ctrl+N."""
    till.press("Ctrl+N")
    till.wait_for(lambda screen: not screen["customerName"], "an empty card")


# --- The window ------------------------------------------------------------------------------------------------------


def test_the_window_answers_from_the_cache_with_the_age_of_its_data(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        shop.proxy.refuse()
        shop.ledger.stop()
        forget(till)
        found, took_s = timed(lambda: till.look_up(MOBILE))
        assert took_s < FIRST_ANSWER_S
        assert re.fullmatch(r"Balance from \d\d:\d\d \(.+\)", found["cardAge"]), found
        yes, took_s = timed(lambda: offline_answer(till, 120))
        assert took_s < AT_ONCE_S
        assert yes.title == "Probably yes (offline)"
        assert re.search(AGE, yes.said), yes
        assert not yes.can_redeem, "offline is advice"
        till.press("F8")
        no, took_s = timed(lambda: offline_answer(till, 720))
        assert took_s < AT_ONCE_S
        assert "offline" in no.title
        assert re.search(r"\d\d:\d\d", no.said), no
        till.wait_for(lambda screen: screen["statusConnection"] == "Offline", "the header")
        assert till.close() == 0
    assert shop.charges() == []


def test_a_silent_line_costs_the_cashier_four_seconds_once(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        shop.proxy.refuse()
        with a_silent_host(shop.proxy.port):
            _, first_s = timed(lambda: offline_answer(till, 120))
            _, second_s = timed(lambda: offline_answer(till, 720))
            _, third_s = timed(lambda: offline_answer(till, 130))
    assert first_s < FIRST_ANSWER_S
    assert max(second_s, third_s) < AT_ONCE_S


def test_the_window_does_not_call_a_customer_unknown_because_it_is_offline(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        shop.proxy.refuse()
        shop.ledger.stop()
        forget(till)
        mark = till.mark
        till.ask_for(NEVER_SEEN)
        said = till.wait_for(lambda screen: screen.title == "Cannot look up while offline", "the honest answer")
        assert "has not been seen on this till" in said.said
        till.ask_points(100)
        till.wait_for(lambda screen: screen.title == "Cannot look up while offline", "the honest answer to a check")
        assert not any(NOT_FOUND.search(screen.said) for screen in till.shown_since(mark))


def test_the_window_is_back_by_itself_when_the_line_is(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        shop.proxy.refuse()
        offline_answer(till, 100)
        shop.proxy.listen()
        till.wait_for(lambda screen: screen["statusConnection"] == "Online", "the line")
        till.check(110)
        assert till.screen.can_redeem, [str(each) for each in till.screens[-4:]]


def test_a_till_that_starts_without_a_line_answers_from_what_it_knew(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        assert till.close() == 0
        shop.proxy.refuse()
        shop.ledger.stop()
        till.start()
        assert till.screen["statusConnection"] == "Offline"
        till.look_up(MOBILE)
        assert "from data of" in offline_answer(till, 120).said


# --- The command line ------------------------------------------------------------------------------------------------


def checked(shop: Shop, mobile: str, points: int, *more: str) -> tuple[Ran, float]:
    """`pos-app check` on the till's own machine."""
    asked = ("check", "--mobile", mobile, "--points", points, *more)
    return timed(lambda: pos_app("--data-dir", shop.till_folder(), *asked))


def test_the_command_line_answers_from_the_same_cache(shop: Shop) -> None:
    """Also while the window is open: it reads the cache beside it."""
    with shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        shop.proxy.refuse()
        shop.ledger.stop()
        yes, took_s = checked(shop, MOBILE, 120, "--json")
        assert yes.code == 0, yes
        assert took_s < FIRST_ANSWER_S
        told = yes.json
        assert (told["is_redeemable"], told["source"], told["code"]) == (True, "cache", 800)
        assert 0 <= told["age_s"] < 60
        assert told["as_of"]
        said, _ = checked(shop, MOBILE, 120)
        assert said.code == 0
        assert re.search(r"Probably yes \(offline\)\. Worked out .* " + AGE, said.out), said
        assert till.close() == 0
    no, _ = checked(shop, MOBILE, 720, "--json")
    assert (no.code, no.json["is_redeemable"], no.json["code"]) == (1, False, 818)
    said, _ = checked(shop, MOBILE, 720)
    assert said.code == 1
    assert "offline" in said.out
    assert "old" in said.out, "the age of the data is told with a no as well"


def test_the_command_line_can_be_told_to_ask_the_cache_alone(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        assert till.close() == 0
    before = len(shop.proxy.seen)
    asked, _ = checked(shop, MOBILE, 120, "--json", "--cached")
    assert (asked.code, asked.json["source"]) == (0, "cache")
    assert len(shop.proxy.seen) == before, "the ledger was not asked"


def test_the_command_line_does_not_call_a_customer_unknown_because_it_is_offline(shop: Shop) -> None:
    with shop.till() as till:
        till.look_up(MOBILE)
        assert till.close() == 0
    shop.proxy.refuse()
    for more in ((), ("--json",), ("--cached",)):
        asked, _ = checked(shop, NEVER_SEEN, 100, *more)
        assert asked.code == 2
        assert "Cannot look up while offline" in asked.err
        assert "has not been seen on this till" in asked.err
        assert not NOT_FOUND.search(asked.out + asked.err)


def test_a_machine_that_is_no_till_has_no_cache_to_answer_from(shop: Shop) -> None:
    shop.ledger.stop()
    at_ledger = ("--ledger", shop.ledger.url, "--login", LOGIN, "--password-file", shop.password_file)
    asked = pos_app("check", "--mobile", MOBILE, "--points", "100", *at_ledger)
    assert asked.code == 2
    assert not NOT_FOUND.search(asked.out + asked.err)
    assert asked.err.strip()
