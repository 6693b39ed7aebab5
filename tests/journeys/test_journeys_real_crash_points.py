"""Real processes killed at each point of the table in reliability 4.2: what is left, what comes back, what is charged.

Receipts are counted from what the till printed, charges from the ledger's entries, by `support.counting`.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fault_proxy import CUT_BEHIND
from support.headless_till import HeadlessTill, TillEndedError
from support.ledger_server import PROGRAM
from support.real_shop import (
    ELSEWHERE,
    FIRST,
    POINTS,
    RealShop,
    a_real_shop,
    lease,
    mobile,
    redeem,
    sign_in,
    the_lines,
)

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealShop]:
    with a_real_shop(tmp_path_factory.mktemp("crash-points")) as opened:
        yield opened


@pytest.fixture(scope="module")
def one_till(shop: RealShop) -> HeadlessTill:
    return shop.opened(FIRST)


@pytest.fixture
def till(shop: RealShop, one_till: HeadlessTill) -> HeadlessTill:
    """The same till for all tests, running, its line healed; each test has a customer of its own."""
    one_till.end()
    shop.proxy_of(one_till).heal()
    one_till.start()
    sign_in(one_till)
    return one_till


@pytest.fixture
def number() -> int:
    """A customer nobody else uses."""
    return next(NUMBERS)


def dies(till: HeadlessTill, point: str, do: str, **parameters: object) -> str | None:
    """Start the till again with a failpoint, sign in and let it die at a command; returns the key it had started."""
    if till.quit() != 0:
        raise AssertionError(till.complaints)
    till.start(POS_FAILPOINT=f"{point}:kill:1")
    sign_in(till)
    with pytest.raises(TillEndedError):
        till.ask(do, **parameters)
    assert till.wait_end() == -signal.SIGKILL
    started = till.of("started")
    return str(started[-1]["key"]) if started else None


def asked(number: int, points: int = 100) -> dict[str, object]:
    return {"mobile": mobile(number), "points": str(points), "program_id": PROGRAM}


def new_rows(till: HeadlessTill, before: set[str]) -> list[dict[str, object]]:
    """The rows of the journal that were not there before."""
    return [each for each in till.ask("journal")["detail"]["rows"] if each["key"] not in before]


def keys_of(till: HeadlessTill) -> set[str]:
    """The keys of all rows."""
    return {each["key"] for each in till.ask("journal")["detail"]["rows"]}


def holds(shop: RealShop, till: HeadlessTill) -> None:
    """Nothing is left under way, and the paper agrees with the ledger."""
    shop.settle_all([till])
    assert shop.counted().complaints == []


def test_before_the_journals_commit_nothing_was_begun(shop: RealShop, till: HeadlessTill, number: int) -> None:
    before = keys_of(till)
    assert dies(till, "C0", "redeem", **asked(number)) is None
    till.start()
    assert new_rows(till, before) == []
    assert shop.balance(number) == POINTS
    holds(shop, till)


@pytest.mark.parametrize("point", ["C1", "C2", "C5", "C6"])
def test_what_was_begun_is_found_out_under_the_same_key(
    shop: RealShop, till: HeadlessTill, number: int, point: str
) -> None:
    before = keys_of(till)
    dies(till, point, "redeem", **asked(number))
    till.start()
    (row,) = new_rows(till, before)
    till.wait_row(row["key"], "CONFIRMED")
    told = till.wait_for(lambda event: event["event"] == "row" and event["state"] == "CONFIRMED", "the row")
    assert (told["outcome"], told["key"]) == ("done", row["key"])
    receipt = till.wait_for(lambda event: event["event"] == "receipt", "the receipt")
    assert (receipt["key"], receipt["duplicate"]) == (row["key"], False)
    assert shop.balance(number) == POINTS - 100
    holds(shop, till)


def test_confirmed_but_not_printed_is_printed_at_the_next_start(
    shop: RealShop, till: HeadlessTill, number: int
) -> None:
    key = dies_printing(till, "C7", number)
    till.start()
    receipt = till.wait_for(lambda event: event["event"] == "receipt", "the receipt")
    assert (receipt["key"], receipt["duplicate"]) == (key, False)
    holds(shop, till)


def test_printed_but_not_marked_is_printed_again_as_a_duplicate(
    shop: RealShop, till: HeadlessTill, number: int
) -> None:
    key = dies_printing(till, "C8", number)
    first = till.of("receipt")[-1]
    till.start()
    second = till.wait_for(lambda event: event["event"] == "receipt", "the receipt")
    assert (first["key"], first["duplicate"]) == (key, False)
    assert (second["key"], second["duplicate"]) == (key, True)
    assert second["redemption_id"] == first["redemption_id"]
    holds(shop, till)


def dies_printing(till: HeadlessTill, point: str, number: int) -> str:
    """Redeem, and die around the print that follows the answer."""
    assert till.quit() == 0
    till.start(POS_FAILPOINT=f"{point}:kill:1")
    sign_in(till)
    answer = redeem(till, number, 100)
    assert answer["outcome"] == "done"
    assert till.wait_end() == -signal.SIGKILL
    return str(answer["key"])


def test_a_printed_receipt_is_not_printed_again(shop: RealShop, till: HeadlessTill, number: int) -> None:
    answer = redeem(till, number, 100)
    till.wait_for(lambda event: event["event"] == "receipt", "the receipt")
    till.wait_for(lambda _event: till.row(answer["key"])["printed"], "the mark")
    till.kill()
    till.start()
    till.ask("sync")
    assert till.of("receipt") == []
    holds(shop, till)


def test_a_cancel_that_was_not_sent_is_sent_at_the_next_start(shop: RealShop, till: HeadlessTill, number: int) -> None:
    assert till.quit() == 0
    till.start(POS_FAILPOINT="C9:kill:1")
    sign_in(till)
    shop.proxy_of(till).always(CUT_BEHIND)
    answer = redeem(till, number, 100)
    assert answer["outcome"] == "unclear"
    with pytest.raises(TillEndedError):
        till.ask("cancel", key=answer["key"])
    assert till.wait_end() == -signal.SIGKILL
    shop.proxy_of(till).heal()
    till.start()
    till.wait_row(answer["key"], "REVERSED")
    assert till.of("receipt") == []
    assert shop.balance(number) == POINTS
    holds(shop, till)


def test_before_the_commit_of_a_spend_offline_nothing_is_spent(shop: RealShop, till: HeadlessTill, number: int) -> None:
    held, before = lease(till, number), keys_of(till)
    offline_death(till, "C10", number)
    till.start()
    assert new_rows(till, before) == []
    leases = {each["lease_id"]: each for each in till.ask("journal")["detail"]["leases"]}
    assert leases[held["lease_id"]]["spent"] == "0"
    holds(shop, till)
    assert shop.balance(number) == POINTS


def test_after_the_commit_of_a_spend_offline_it_is_done(shop: RealShop, till: HeadlessTill, number: int) -> None:
    lease(till, number)
    offline_death(till, "C11", number)
    till.start()
    receipt = till.wait_for(lambda event: event["event"] == "receipt", "the receipt")
    assert (receipt["offline"], receipt["duplicate"]) == (True, False)
    till.wait_row(receipt["key"], "SETTLED")
    holds(shop, till)
    assert shop.balance(number) == POINTS - 100


def offline_death(till: HeadlessTill, point: str, number: int) -> None:
    """Redeem under a lease without a line, and die there."""
    assert till.quit() == 0
    till.start(POS_FAILPOINT=f"{point}:kill:1")
    sign_in(till)
    assert till.ask("go_offline")["outcome"] == "ok"
    with pytest.raises(TillEndedError):
        till.ask("redeem", **asked(number))
    assert till.wait_end() == -signal.SIGKILL


def test_a_settlement_whose_answer_is_lost_is_repeated(shop: RealShop, till: HeadlessTill, number: int) -> None:
    lease(till, number)
    assert till.quit() == 0
    till.start(POS_FAILPOINT="C12:kill:1")
    sign_in(till)
    till.ask("go_offline")
    answer = redeem(till, number, 100)
    assert answer["outcome"] == "done_offline"
    till.ask("go_online")
    with pytest.raises(TillEndedError):
        till.ask("sync")
    assert till.wait_end() == -signal.SIGKILL
    till.start()
    row = till.wait_row(answer["key"], "SETTLED")
    assert (row["from_lease"], row["store_loss"]) == ("100", "0")
    holds(shop, till)


def test_the_cache_is_only_advice(shop: RealShop, till: HeadlessTill, number: int) -> None:
    till.ask("lookup", mobile=mobile(number))
    assert till.quit() == 0
    till.start(POS_FAILPOINT="C13:kill:1")
    sign_in(till)
    till.ask("lookup", mobile=mobile(number))
    with pytest.raises(TillEndedError):
        till.ask("redeem", **asked(number))
    assert till.wait_end() == -signal.SIGKILL
    till.start()
    receipt = till.wait_for(lambda event: event["event"] == "receipt", "the receipt")
    assert not receipt["duplicate"]
    holds(shop, till)


# --- The ledger dies -------------------------------------------------------------------------------------------------


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RealShop]:
    """A shop whose ledger may be killed."""
    with a_real_shop(tmp_path) as opened:
        yield opened


def let_die(shop: RealShop, till: HeadlessTill, point: str) -> None:
    """The ledger will die at this point, the first time it is reached; the till has met it again."""
    shop.ledger.environment = {"POS_FAILPOINT": f"{point}:kill:1"}
    shop.ledger.restart()
    till.ask("sync")


def is_dead(shop: RealShop) -> None:
    """The ledger died by itself; it is started again as it should be."""
    process = shop.ledger.process
    assert process is not None
    assert process.wait(30) == -signal.SIGKILL
    shop.ledger.kill()
    shop.ledger.environment = {}
    shop.ledger.start()


@pytest.mark.parametrize("point", ["C3", "C4"])
def test_a_ledger_that_dies_around_its_commit_charges_once(mortal: RealShop, point: str) -> None:
    till = mortal.opened(ELSEWHERE)
    let_die(mortal, till, point)
    answer = redeem(till, 1, 100)
    assert answer["outcome"] == "unclear"
    is_dead(mortal)
    till.wait_row(answer["key"], "CONFIRMED")
    assert mortal.balance(1) == POINTS - 100
    holds(mortal, till)
    mortal.verify()


def test_a_lease_whose_answer_is_lost_is_given_once(mortal: RealShop) -> None:
    till = mortal.opened(ELSEWHERE, more="lease.per_lookup = false\nretry.read_s = 2.0\nretry.base_s = 0.05")
    let_die(mortal, till, "L1")
    told = till.ask("lease", mobile=mobile(2), program_id=PROGRAM)
    assert told["outcome"] == "unclear"
    is_dead(mortal)
    (given,) = mortal.admin("GET", "leases")["leases"]
    till.ask("sync")
    (held,) = till.ask("journal")["detail"]["leases"]
    assert held["lease_id"] == given["lease_id"]
    (only,) = mortal.admin("GET", "leases")["leases"]
    assert only["state"] == "OPEN"


def test_a_try_that_was_counted_before_the_ledger_died_stays_counted(tmp_path: Path) -> None:
    with a_real_shop(tmp_path, lines=the_lines(validation_required=True)) as shop:
        till = shop.opened(ELSEWHERE)
        question = {"mobile": mobile(3), "points": "100", "program_id": PROGRAM}
        sent = till.ask("check", **question, issue_otp=True)
        tries = sent["detail"]["otp"]["tries_left"]
        code = shop.ledger.messages()[-1]["code"]
        let_die(shop, till, "L2")
        answer = till.ask("redeem", **question, validation_code=code)
        assert answer["outcome"] == "unclear"
        is_dead(shop)
        wrong = till.ask("check", **question, validation_code="AAAAAA")
        assert wrong["detail"]["otp"]["tries_left"] == tries - 2


# --- The disk is full at a commit ------------------------------------------------------------------------------------


def with_full_disk(till: HeadlessTill, point: str) -> None:
    """Start the till again; the first commit at this place meets a full disk."""
    assert till.quit() == 0
    till.start(POS_FAILPOINT=f"{point}:enospc:1")
    sign_in(till)


def test_a_full_disk_before_a_redemption_refuses_it_and_sends_nothing(
    shop: RealShop, till: HeadlessTill, number: int
) -> None:
    with_full_disk(till, "C0")
    sent = len(shop.proxy_of(till).requests_to("/redeem"))
    refused = redeem(till, number, 100)
    assert (refused["outcome"], refused["detail"]["reason"], refused["key"]) == ("refused", "storage", None)
    assert len(shop.proxy_of(till).requests_to("/redeem")) == sent
    till.ask("sync")
    assert redeem(till, number, 100)["outcome"] == "done"
    holds(shop, till)


def test_a_full_disk_at_a_cancel_leaves_the_redemption_as_it_was(
    shop: RealShop, till: HeadlessTill, number: int
) -> None:
    with_full_disk(till, "C9")
    shop.proxy_of(till).always(CUT_BEHIND)
    answer = redeem(till, number, 100)
    refused = till.ask("cancel", key=answer["key"])
    assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "storage")
    shop.proxy_of(till).heal()
    till.wait_row(answer["key"], "CONFIRMED")
    holds(shop, till)


def test_a_full_disk_at_a_spend_offline_spends_nothing(shop: RealShop, till: HeadlessTill, number: int) -> None:
    held = lease(till, number)
    with_full_disk(till, "C10")
    till.ask("go_offline")
    refused = redeem(till, number, 100)
    assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "storage")
    leases = {each["lease_id"]: each for each in till.ask("journal")["detail"]["leases"]}
    assert leases[held["lease_id"]]["spent"] == "0"
    till.ask("go_online")
    holds(shop, till)


def test_a_full_disk_for_the_cache_stops_nobody(shop: RealShop, till: HeadlessTill, number: int) -> None:
    till.ask("lookup", mobile=mobile(number))
    with_full_disk(till, "C13")
    till.ask("lookup", mobile=mobile(number))
    assert redeem(till, number, 100)["outcome"] == "done"
    assert redeem(till, number, 100)["outcome"] == "done"
    holds(shop, till)
