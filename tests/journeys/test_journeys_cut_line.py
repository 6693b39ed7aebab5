"""The line is cut, or the till killed, at every point of a redemption: one charge, and no word on screen was a lie.

The points are those of reliability 4.2: the request never reaches the ledger (C2), the ledger has committed and its
reply is lost (C5), the reply is cut in the middle (C5). The same again with the till killed there (C2, C4, C6) and
with *Cancel redemption* pressed while nobody knows (C9).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import pytest
from support.fault_proxy import CUT_AHEAD, CUT_BEHIND, CUT_WITHIN, DRIP, HOLD, LATE, RESET, SWALLOW, Fault, Seen, said
from support.ledger_server import MOBILE, a_customer, a_program, a_till, an_organisation
from support.shop import Shop, a_shop, call, journal_rows
from support.till_process import Screen, TillProcess, eventually

from pos_app.domain.redemption import State

DONE = re.compile(
    r"\bdone\b|\bredeemed\b|points? used|points? left|went through\b(?<!if it went through)", re.IGNORECASE
)
"""Words that say that the points were taken."""
NOT_DONE = re.compile(
    r"nothing was|not done|no points were|cancelled|given back|cannot (?!be charged twice)|not possible"
    r"|was not|did not",
    re.IGNORECASE,
)
"""Words that say that they were not."""
UNKNOWN = "We do not know if it went through"
CANCELLING = "Cancelling. Not answered yet"


@dataclass(frozen=True)
class Point:
    """A point of a redemption: how the line is cut there, how it is held there, and whether the ledger has acted."""

    name: str
    cut: Fault
    hold: Fault
    charges: int


POINTS = (
    Point("before the request arrives", CUT_AHEAD, SWALLOW, 0),
    Point("after the ledger committed", CUT_BEHIND, HOLD, 1),
    Point("in the middle of the answer", CUT_WITHIN, DRIP, 1),
)
each_point = pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Codes are not asked for here, and the till does not send any by itself."""
    with a_shop(tmp_path, code__ask_first=True) as opened:
        yield opened


def begin(shop: Shop, till: TillProcess, *faults: Fault) -> int:
    """Look up, check, and press F8 into these faults; returns the mark of the first screen after F8."""
    till.look_up(MOBILE)
    till.check(100)
    shop.proxy.will(*faults, path="/redeem")
    mark = till.mark
    till.press("F8")
    return mark


def redeem_into(shop: Shop, till: TillProcess, cut: Fault) -> int:
    """The same with a line that stays cut for redemptions; returns when the till has said that it does not know."""
    mark = begin(shop, till, cut, *[RESET] * 50)
    till.wait_for(lambda screen: screen.title == UNKNOWN, "the till to say that it does not know")
    assert_no_lie(till.shown_since(mark))
    return mark


def hold_at(shop: Shop, till: TillProcess, point: Point) -> int:
    """Redeem, and stop the world at a point: the till waits, and the ledger has acted or has not."""
    mark = begin(shop, till, point.hold)
    eventually("the request to arrive", lambda: shop.proxy.requests_to("/redeem"))
    if point.charges:
        eventually("the ledger to commit", shop.charges)
    return mark


def assert_no_lie(screens: Iterable[Screen]) -> None:
    """While nobody knows, nothing may say that it was done, that it was not, or invite to do it again.

    Between the mark and F8 the yes to the check may have been painted once more, when something else changed.
    """
    for screen in dropwhile(lambda screen: "can be used" in screen.title, screens):
        assert not DONE.search(screen.said), screen
        assert not NOT_DONE.search(screen.said), screen
        assert not screen.can_redeem, screen


def until_done(screens: list[Screen]) -> list[Screen]:
    """The screens before the one that says Done."""
    first = next(number for number, screen in enumerate(screens) if screen.title.startswith("Done"))
    return screens[:first]


def assert_one_charge(shop: Shop, done: Screen) -> None:
    """One charge of 100 in the ledger, the one the screen tells of, and the books are right."""
    (charge,) = shop.charges()
    assert (str(charge.points), str(charge.moved), str(charge.reversed)) == ("100", "100", "0")
    assert shop.balance(MOBILE) == "400"
    assert "400 points left" in done.said
    assert shop.differences() == []


def assert_no_charge(shop: Shop) -> None:
    """Whatever was taken was given back."""
    assert [str(charge.moved) for charge in shop.charges() if charge.moved] == []
    assert shop.balance(MOBILE) == "500"
    assert shop.differences() == []


def replay(shop: Shop, late: Seen) -> None:
    """A copy of the request arrives at the ledger, long after."""
    wanted = {"Content-Type", "X-Pos-Extension", "Authorization"}
    headers = {name: text for name, text in late.headers.items() if name in wanted}
    reply = call(shop.ledger.port, late.method, late.target, None, late.body, headers)
    assert reply.status == 200, reply.body


def state_in_journal(shop: Shop) -> State:
    """The state of the one row of the till's journal."""
    (row,) = journal_rows(shop.till_folder())
    return row.state


# --- The line is cut -------------------------------------------------------------------------------------------------


@each_point
def test_a_cut_line_costs_one_charge_and_no_lie(shop: Shop, point: Point) -> None:
    with shop.till() as till:
        mark = redeem_into(shop, till, point.cut)
        assert len(shop.charges()) == point.charges, "what the ledger knows and the till does not"
        shop.proxy.heal()
        till.choose("Find out now")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the answer")
        assert_no_lie(until_done(till.shown_since(mark)))
        assert till.close() == 0
    assert state_in_journal(shop) is State.CONFIRMED
    assert_one_charge(shop, done)
    keys = {key_in(each) for each in shop.proxy.requests_to("/redeem")}
    assert len(keys) == 1, "every copy carried the same key"


def key_in(request: Seen) -> str:
    """The key a redemption carried."""
    found = re.search(rb'"external_reference_number":\s*"(\w{26})"', request.body)
    assert found is not None
    return found[1].decode()


def test_the_outbox_finds_the_lost_answer_by_itself(shop: Shop) -> None:
    with shop.till() as till:
        mark = begin(shop, till, CUT_BEHIND, RESET)
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the outbox")
        assert_no_lie(until_done(till.shown_since(mark)))
        till.wait_for(lambda screen: screen["statusOutbox"] == "Outbox 0", "an empty outbox")
        assert till.close() == 0
    assert_one_charge(shop, done)


def test_f8_pressed_again_while_nobody_knows_does_nothing(shop: Shop) -> None:
    with shop.till() as till:
        mark = redeem_into(shop, till, CUT_BEHIND)
        for _ in range(3):
            till.press("F8")
        till.ask_points(100)  # A check of the same customer shows what is open instead.
        till.wait_for(lambda screen: screen.title == UNKNOWN, "the open redemption")
        shop.proxy.heal()
        till.press("Ctrl+Shift+U")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the answer")
        assert_no_lie(until_done(till.shown_since(mark)))
    assert_one_charge(shop, done)


# --- The till is killed -----------------------------------------------------------------------------------------------


@each_point
def test_a_killed_till_finds_its_redemption_again_and_charges_once(shop: Shop, point: Point) -> None:
    with shop.till() as till:
        mark = hold_at(shop, till, point)
        assert len(shop.charges()) == point.charges
        till.kill()
        assert_no_lie(till.shown_since(mark))
        assert state_in_journal(shop) is State.SENT, "the intention was committed before the first byte left"
        shop.proxy.release()
        mark = till.mark
        till.open()
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the answer after the restart")
        before = until_done(till.shown_since(mark))
        assert_no_lie(before)
        assert till.close() == 0
    assert state_in_journal(shop) is State.CONFIRMED
    assert_one_charge(shop, done)
    assert len({key_in(each) for each in shop.proxy.requests_to("/redeem")}) == 1


@each_point
def test_when_the_screen_says_done_the_journal_has_said_so_before(shop: Shop, point: Point) -> None:
    """The till dies in the very moment in which it would paint the word."""
    with shop.till() as till:
        redeem_into(shop, till, point.cut)
        till.do("kill_at", text="Done.")
        shop.proxy.heal()
        till.press("Ctrl+Shift+U")
        till.wait_end()
        assert till.screen.title == "Done. 100 points used"
        (row,) = journal_rows(shop.till_folder())
        assert row.state is State.CONFIRMED
        assert f"Redemption {row.redemption_id}." in till.screen.said
        done = till.screen
        till.start()  # Nothing is sent again: the row is final.
        assert till.screen["statusOutbox"] == "Outbox 0"
    assert_one_charge(shop, done)


def test_what_was_said_to_be_not_done_is_not_done_after_a_restart_either(shop: Shop) -> None:
    """The cashier redeems anew, under a new key: the old row must never be sent beside it."""
    not_accepted = said(401, {"response": {"status": {"success": "false", "code": 401, "message": "no"}}})
    with shop.till() as till:
        begin(shop, till, not_accepted)
        till.wait_for(lambda screen: screen.title == "Sign-in for this till failed", "the trouble")
        till.kill()
        assert state_in_journal(shop) is State.READY
        till.start()
        till.look_up(MOBILE)
        till.check(100)
        till.press("F8")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the new redemption")
        till.press("Ctrl+Shift+U")
        till.wait_for(lambda screen: screen["statusOutbox"] == "Outbox 0", "the old row to be given up")
        assert till.close() == 0
    assert_one_charge(shop, done)
    assert sorted(row.state for row in journal_rows(shop.till_folder())) == [State.CANCELLED, State.CONFIRMED]


def test_redeeming_into_no_line_at_all_is_sent_once_when_the_line_is_back(shop: Shop) -> None:
    """C1, C2: not even a connection; the till is killed, starts without a line, and the line comes back.

    A first redemption makes sure that the till knows a service that repeats keys: else it would have said "no line".
    """
    with shop.till() as till:
        begin(shop, till)
        till.wait_for(lambda screen: screen.title.startswith("Done"), "a redemption on a good day")
        till.check(110)
        shop.proxy.refuse()
        mark = till.mark
        till.press("F8")
        till.wait_for(lambda screen: screen.title == UNKNOWN, "the till to say that it does not know")
        till.kill()
        till.start()
        till.wait_for(lambda screen: screen.title == UNKNOWN and screen["statusOutbox"] == "Outbox 1", "the open row")
        assert_no_lie(till.shown_since(mark))
        assert len(shop.charges()) == 1, "the one of the good day"
        shop.proxy.listen()
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the line to be back")
        assert till.close() == 0
    assert done.title == "Done. 110 points used"
    assert [str(charge.moved) for charge in shop.charges()] == ["100", "110"]
    assert [row.state for row in journal_rows(shop.till_folder())] == [State.CONFIRMED, State.CONFIRMED]
    assert shop.differences() == []


def test_an_unknown_result_is_the_first_thing_a_restarted_till_says(shop: Shop) -> None:
    with shop.till() as till:
        redeem_into(shop, till, CUT_BEHIND)
        till.kill()
        assert state_in_journal(shop) in {State.UNKNOWN, State.SENT}
        mark = till.mark
        till.start()
        till.wait_for(lambda screen: screen.title == UNKNOWN and screen["statusOutbox"] == "Outbox 1", "the open row")
        assert_no_lie(till.shown_since(mark))
        shop.proxy.heal()
        till.choose("Find out now")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the answer")
    assert_one_charge(shop, done)


def test_a_killed_till_asks_for_the_code_again_when_the_ledger_never_saw_it(tmp_path: Path) -> None:
    """The code is never kept: what the ledger has not seen cannot be sent without the customer (reliability 4.6)."""
    lines = [an_organisation(validation_required=True), a_program(), a_till(), a_customer()]
    with a_shop(tmp_path, lines) as shop, shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        till.enter_code(shop.code())
        till.wait_for(lambda screen: screen.can_redeem and not screen["codeDialog"], "the confirmation")
        shop.proxy.will(SWALLOW, path="/redeem")
        till.press("F8")
        eventually("the request to arrive", lambda: shop.proxy.requests_to("/redeem"))
        till.kill()
        shop.proxy.release()
        mark = till.mark
        till.start()
        till.wait_for(lambda screen: screen.title == "Confirm the customer first", "824 after the restart")
        assert not any(DONE.search(screen.said) for screen in till.shown_since(mark))
        assert shop.charges() == []
        till.look_up(MOBILE)
        till.check(100)
        till.enter_code(shop.code())
        till.wait_for(lambda screen: screen.can_redeem and not screen["codeDialog"], "the confirmation")
        till.press("F8")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption")
        assert_one_charge(shop, done)


def test_a_used_code_does_not_stand_in_the_way_of_a_lost_answer(tmp_path: Path) -> None:
    """The key is looked for before the code: the repeat carries none, and is answered yes (contract section 4)."""
    lines = [an_organisation(validation_required=True), a_program(), a_till(), a_customer()]
    with a_shop(tmp_path, lines) as shop, shop.till() as till:
        till.look_up(MOBILE)
        till.check(100)
        till.enter_code(shop.code())
        till.wait_for(lambda screen: screen.can_redeem and not screen["codeDialog"], "the confirmation")
        shop.proxy.will(HOLD, path="/redeem")
        till.press("F8")
        eventually("the ledger to commit", shop.charges)
        till.kill()
        shop.proxy.release()
        till.open()
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the answer after the restart")
        assert_one_charge(shop, done)


# --- The cashier gives up --------------------------------------------------------------------------------------------


@each_point
def test_cancelled_while_nobody_knows_leaves_no_charge_and_no_late_one(shop: Shop, point: Point) -> None:
    with shop.till() as till:
        redeem_into(shop, till, LATE if point.cut is CUT_AHEAD else point.cut)
        assert len(shop.charges()) == point.charges
        till.choose("Cancel redemption")
        end = till.wait_for(lambda screen: screen.title.startswith("Cancelled."), "the end of it")
        assert end.title == ("Cancelled. Points were given back" if point.charges else "Cancelled. Nothing was used")
        assert till.close() == 0
    assert state_in_journal(shop) is (State.REVERSED if point.charges else State.CANCELLED)
    assert_no_charge(shop)
    shop.proxy.deliver_late()
    replay(shop, shop.proxy.requests_to("/redeem")[0])
    assert_no_charge(shop)


@each_point
def test_killed_while_cancelling_without_a_line_leaves_no_charge(shop: Shop, point: Point) -> None:
    """C9: the wish to cancel is committed, nothing was sent. Only the ledger's answer may be called "cancelled"."""
    with shop.till() as till:
        mark = redeem_into(shop, till, point.cut)
        shop.proxy.refuse()
        till.choose("Cancel redemption")
        till.wait_for(lambda screen: screen.title == CANCELLING, "the till to say that it is cancelling")
        assert_no_lie(till.shown_since(mark))
        till.kill()
        assert state_in_journal(shop) is State.CANCELLING
        assert len(shop.charges()) == point.charges
        mark = till.mark
        till.start()
        assert till.screen["statusOutbox"] == "Outbox 1"
        assert_no_lie(till.shown_since(mark))
        shop.proxy.heal()
        shop.proxy.listen()
        till.wait_for(lambda screen: screen["statusOutbox"] == "Outbox 0", "the cancel to be answered")
        assert till.close() == 0
    assert state_in_journal(shop) is (State.REVERSED if point.charges else State.CANCELLED)
    assert_no_charge(shop)
    replay(shop, shop.proxy.requests_to("/redeem")[0])
    assert_no_charge(shop)
