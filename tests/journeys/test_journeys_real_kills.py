"""A real till killed again and again, at every failpoint and at random times, over a real ledger and a bad line.

Whatever is killed: the journal opens whole, and when all is settled each receipt was charged once and nothing else was.
Receipts are counted from what the till printed, charges from the ledger's entries, by `support.counting`.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from support.fault_proxy import CUT_AHEAD, CUT_BEHIND, CUT_WITHIN, PASS, RESET, TWICE
from support.headless_till import HeadlessTill, TillEndedError
from support.real_shop import FIRST, RealShop, a_real_shop, customer_id, lease, redeem, sign_in, the_lines

TILL_POINTS = ("C0", "C1", "C2", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13")
BAD_LUCK = (CUT_AHEAD, CUT_BEHIND, CUT_WITHIN, RESET, TWICE, PASS, PASS, PASS)
CUSTOMERS = 5
LATEST_S = 1.2
"""A kill at random comes within so many seconds of the first command."""


def one_round(shop: RealShop, till: HeadlessTill, dice: random.Random, point: str | None) -> None:
    """Start, serve some customers, and die on the way: at a failpoint, or at any moment."""
    how = {} if point is None else {"POS_FAILPOINT": f"{point}:kill:{dice.randint(1, 2)}"}
    doom: threading.Timer | None = None
    with suppress(TillEndedError, BrokenPipeError):
        ready = till.start(**how)
        assert ready["journal"]["state"] == "ok", ready
        shop.proxy_of(till).will(*dice.choices(BAD_LUCK, k=2), path="/redeem")
        pid = till.pid
        if point is None:
            doom = threading.Timer(dice.uniform(0, LATEST_S), lambda: os.kill(pid, signal.SIGKILL))
            doom.start()
        sign_in(till)
        serve(till, dice)
    if doom is not None:
        doom.cancel()
        doom.join()
    till.kill()
    shop.proxy_of(till).heal()


def serve(till: HeadlessTill, dice: random.Random) -> None:
    """What a cashier does in a minute."""
    customer = dice.randrange(CUSTOMERS)
    answer = redeem(till, customer, 10)
    if answer["outcome"] == "unclear" and dice.random() < 0.5:
        till.ask("cancel", key=answer["key"])
    till.ask("lookup", customer_id=customer_id(customer))
    with suppress(AssertionError):  # It may be refused: the answer to the last request was lost.
        lease(till, customer)
    till.ask("go_offline")
    redeem(till, customer, 10)
    till.ask("go_online")
    till.ask("sync")


def rounds(folder: Path, count: int, seed: int) -> RealShop:
    """So many rounds; returns the shop when everything is settled, to be counted."""
    dice = random.Random(seed)
    points: list[str | None] = [*TILL_POINTS, *[None] * len(TILL_POINTS)]
    with a_real_shop(folder, lines=the_lines(customers=CUSTOMERS, points=1_000_000)) as shop:
        till = shop.opened(FIRST)
        till.kill()
        for number in range(count):
            if number % len(points) == 0:
                dice.shuffle(points)
            one_round(shop, till, dice, points[number % len(points)])
        till.start()
        sign_in(till)
        shop.settle_all()
        told = shop.counted()
        assert told.complaints == [], f"seed {seed}"
        assert told.receipts >= count / 4, f"only {told.receipts} receipts: this proves little"
        shop.verify()
        return shop


@pytest.mark.timeout(600)
def test_a_till_that_is_killed_at_every_point_and_at_random_charges_once_for_each_receipt(tmp_path: Path) -> None:
    rounds(tmp_path, 16, seed=4)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_kills_with_each_of_ten_seeds(tmp_path: Path, seed: int) -> None:
    rounds(tmp_path, 100, seed=seed)
