"""What can happen to a till's disk, files and clock, with real processes (reliability 4.1, 4.3, 4.8)."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.headless_till import HeadlessTill
from support.ledger_server import PROGRAM
from support.real_shop import FIRST, POINTS, RealShop, a_real_shop, lease, mobile, redeem, sign_in

DAY_S = 86_400
PAGE = 4_096


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RealShop]:
    with a_real_shop(tmp_path) as opened:
        yield opened


def status(till: HeadlessTill) -> dict[str, Any]:
    found: dict[str, Any] = till.ask("status")["detail"]
    return found


def served(till: HeadlessTill, count: int) -> list[str]:
    """So many customers redeem and get their receipts; returns the keys."""
    answers = [redeem(till, number, 20) for number in range(count)]
    assert {each["outcome"] for each in answers} == {"done"}
    keys = [each["key"] for each in answers]
    till.wait_for(lambda event: event["event"] == "receipt" and event["key"] == keys[-1], "the last receipt")
    till.wait_for(lambda _event: till.row(keys[-1])["printed"], "its mark")
    return keys


def without_line(shop: RealShop, till: HeadlessTill) -> None:
    """Start the till while nobody answers; the cashier has signed in here before."""
    shop.proxy_of(till).refuse()
    till.start()
    sign_in(till)


def holds(shop: RealShop) -> None:
    """Everything is settled, the paper agrees with the ledger, and the ledger with itself."""
    shop.settle_all()
    assert shop.counted().complaints == []
    assert shop.admin("GET", "invariants")["ok"]


# --- The disk --------------------------------------------------------------------------------------------------------


def test_on_a_full_disk_a_redemption_is_refused_before_anything_is_sent(shop: RealShop) -> None:
    till = shop.opened(FIRST)
    kept = served(till, 8)
    assert till.quit() == 0
    size = (till.folder / "journal.db").stat().st_size
    till.before = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    till.start()
    sign_in(till)
    sent = len(shop.proxy_of(till).requests_to("/redeem"))
    answers = []
    for number in range(8, 38):  # What fits into pages that are there is still taken.
        answers.append(redeem(till, number, 20))
        if answers[-1]["outcome"] != "done":
            break
    *done, refused = answers
    assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "storage")
    assert "cannot save its records, so nothing was sent" in refused["shown"]
    assert len(shop.proxy_of(till).requests_to("/redeem")) == sent + len(done)
    assert status(till)["journal"]["state"] == "full"
    till.kill()
    till.before = None
    till.start()
    sign_in(till)
    rows = {each["key"]: each["state"] for each in till.ask("journal")["detail"]["rows"]}
    assert {rows[key] for key in kept} == {"CONFIRMED"}
    assert status(till)["journal"]["state"] == "ok"
    assert redeem(till, 39, 20)["outcome"] == "done"
    holds(shop)


# --- Files -----------------------------------------------------------------------------------------------------------


def flip(file: Path, page: int) -> None:
    """Damage the middle of a page."""
    content = bytearray(file.read_bytes())
    start = page * PAGE + PAGE // 2
    content[start : start + 64] = bytes(each ^ 0x5A for each in content[start : start + 64])
    file.write_bytes(content)


def cut(file: Path) -> None:
    """Lose the second half."""
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2 // PAGE * PAGE + 100)


@pytest.mark.parametrize("how", ["a page is damaged", "it is truncated"])
def test_a_journal_that_cannot_be_read_is_set_aside_and_saved_row_by_row(shop: RealShop, how: str) -> None:
    till = shop.opened(FIRST)
    lease(till, 30)
    keys = served(till, 16)
    till.kill()
    file = till.folder / "journal.db"
    if how == "it is truncated":
        cut(file)
    else:
        flip(file, file.stat().st_size // PAGE // 2)
    ready = till.start()
    told = ready["journal"]
    assert told["state"] == "damaged"
    assert ready["enrol_again"]
    assert Path(told["set_aside"]).is_file()
    assert Path(told["export"]).is_file()
    sign_in(till)
    rows = {each["key"] for each in till.ask("journal")["detail"]["rows"]}
    assert rows <= set(keys)
    till.ask("go_offline")
    refused = redeem(till, 30, 10)
    assert refused["outcome"] == "refused"
    till.ask("go_online")
    assert redeem(till, 31, 10)["outcome"] == "done"  # With a line the ledger knows every key.
    code = shop.admin("POST", "till", login=FIRST, action="enrolment_code")["enrolment_code"]
    enrolled = till.ask("enrol", code=code)
    assert (enrolled["outcome"], enrolled["detail"]["till_epoch"]) == ("ok", 2)
    assert not status(till)["enrol_again"]
    lease(till, 32)
    till.ask("go_offline")
    assert redeem(till, 32, 10)["outcome"] == "done_offline"
    till.ask("go_online")
    holds(shop)


@pytest.mark.parametrize("how", ["it is damaged", "it is missing"])
def test_without_its_cache_a_till_spends_its_leases_and_makes_the_cache_anew(shop: RealShop, how: str) -> None:
    till = shop.opened(FIRST)
    lease(till, 1)
    assert till.ask("sync")["outcome"] == "ok"
    till.kill()
    for each in till.folder.glob("cache.db*"):
        if how == "it is missing":
            each.unlink()
    if how == "it is damaged":
        (till.folder / "cache.db").write_bytes(b"this is no database" * 1_000)
    without_line(shop, till)
    assert [each.name for each in till.folder.glob("cache.bad-*")] != [] or how == "it is missing"
    assert status(till)["journal"]["state"] == "ok"
    assert redeem(till, 1, 100)["outcome"] == "done_offline"
    shop.proxy_of(till).listen()
    holds(shop)
    assert status(till)["cache"]["state"] == "ok"
    assert status(till)["cache"]["cursor"]
    till.ask("lookup", mobile=mobile(2))
    till.ask("go_offline")
    assert till.ask("lookup", mobile=mobile(2))["detail"]["source"] == "cache"


# --- The clock -------------------------------------------------------------------------------------------------------


def set_clock(file: Path, **told: float) -> None:
    """Replace the clock's file whole."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(file)


def test_with_the_clock_set_back_a_day_no_lease_is_spent_until_it_is_right_again(
    shop: RealShop, tmp_path: Path
) -> None:
    clock = tmp_path / "clock.json"
    till = shop.opened(FIRST, POS_TEST_CLOCK=str(clock))
    lease(till, 1)
    till.kill()
    set_clock(clock, wall_offset=-DAY_S)
    without_line(shop, till)
    refused = redeem(till, 1, 100)
    assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "clock_not_trusted")
    assert "clock is not trusted" in refused["shown"]
    assert status(till)["clock"] == {"trusted": False, "reason": "clock_behind"}
    shop.proxy_of(till).listen()
    assert redeem(till, 2, 100)["outcome"] == "done"  # The ledger's clock decides while there is a line.
    set_clock(clock, wall_offset=0)
    assert till.ask("sync")["outcome"] == "ok"
    till.ask("lookup", mobile=mobile(1))
    lease(till, 1)
    till.ask("go_offline")
    assert status(till)["clock"]["trusted"]
    assert redeem(till, 1, 100)["outcome"] == "done_offline"
    till.ask("go_online")
    holds(shop)


def test_a_clock_that_was_in_2037_does_not_block_a_till_for_ever(shop: RealShop, tmp_path: Path) -> None:
    clock = tmp_path / "clock.json"
    till = shop.opened(FIRST, POS_TEST_CLOCK=str(clock))
    lease(till, 1)
    till.kill()
    set_clock(clock, wall_offset=11 * 366 * DAY_S)
    without_line(shop, till)
    refused = redeem(till, 1, 100)
    assert refused["outcome"] == "refused"
    assert refused["detail"]["reason"] in {"past_term", "clock_not_trusted"}
    till.kill()
    set_clock(clock, wall_offset=0)
    till.start()
    sign_in(till)
    assert redeem(till, 1, 100)["outcome"] == "refused"  # The mark stands in 2037, and nobody told otherwise yet.
    shop.proxy_of(till).listen()
    assert till.ask("sync")["outcome"] == "ok"
    assert status(till)["clock"]["trusted"]
    lease(till, 1)
    till.ask("go_offline")
    assert redeem(till, 1, 100)["outcome"] == "done_offline"
    till.ask("go_online")
    holds(shop)
    assert shop.balance(1) == POINTS - 100


# --- A clone ---------------------------------------------------------------------------------------------------------


def test_a_cloned_till_is_frozen_and_nothing_is_overdrawn(shop: RealShop, tmp_path: Path) -> None:
    till = shop.opened(FIRST)
    lease(till, 1)
    assert till.quit() == 0
    shutil.copytree(till.folder, tmp_path / "clone")
    clone = HeadlessTill(tmp_path / "clone", till.url, till.config)
    shop.tills.append(clone)
    shop.proxies.append(shop.proxy_of(till))
    for each in (till, clone):
        without_line(shop, each)
        answer = redeem(each, 1, 400)
        assert answer["outcome"] == "done_offline", answer
    shop.proxy_of(till).listen()
    shop.settle_all([till])
    shop.settle_all([clone])
    told = shop.counted()
    assert told.complaints == []
    assert told.lost_by_store == 2 * 400 - POINTS
    assert shop.balance(1) == 0
    (frozen,) = (each for each in shop.admin("GET", "tills")["tills"] if each["login"] == FIRST)
    assert frozen["state"] == "FROZEN"
    refused = clone.ask("lease", mobile=mobile(2), program_id=PROGRAM)
    assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "till_frozen")
    clone.ask("sync")
    assert status(clone)["till"]["state"] == "FROZEN"
    assert status(clone)["enrol_again"]
    clone.kill()
    code = shop.admin("POST", "till", login=FIRST, action="enrolment_code")["enrolment_code"]
    assert till.ask("enrol", code=code)["outcome"] == "ok"
    lease(till, 2)
    assert shop.admin("GET", "invariants")["ok"]
    shop.verify()
