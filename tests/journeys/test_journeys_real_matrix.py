"""Twelve faults of a line, each at nine calls, between a real till and a real ledger (reliability 5.1 E).

Whatever the line does to a call: the till says what it knows, nobody is charged twice or for nothing, and when the line
is whole again everything ends. Receipts and charges are held against each other by `support.counting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from support.fault_proxy import (
    CUT_AHEAD,
    CUT_BEHIND,
    CUT_WITHIN,
    DRIP,
    LATE,
    RESET,
    TWICE,
    WRONG_ECHO,
    Fault,
    a_redirect,
    a_sign_in_page,
    garbage,
    said,
)
from support.headless_till import HeadlessTill
from support.ledger_server import PROGRAM
from support.real_shop import PIN, SUPERVISOR, RealShop, a_real_shop, lease, mobile, redeem, the_lines

FAULTS = (
    RESET,
    CUT_AHEAD,
    CUT_BEHIND,
    CUT_WITHIN,
    DRIP,
    LATE,
    TWICE,
    WRONG_ECHO,
    a_sign_in_page(reaches=True),
    a_redirect(reaches=True),
    garbage(),
    said(502, b"<html>bad gateway</html>", reaches=True),
)
QUICK = "\n".join(
    (
        "retry.connect_s = 1.0",
        "retry.read_s = 2.5",
        "retry.foreground_s = 8.0",
        "retry.base_s = 0.02",
        "retry.cap_s = 0.2",
        "lease.per_lookup = false",
    )
)
NUMBERS = count()
CUSTOMERS = 130


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealShop]:
    with a_real_shop(tmp_path_factory.mktemp("matrix"), lines=the_lines(customers=CUSTOMERS)) as opened:
        yield opened


@pytest.fixture(scope="module")
def till(shop: RealShop) -> HeadlessTill:
    return shop.opened(more=QUICK)


class Counter:
    """One case: a customer nobody else uses, and the fault that comes to one call."""

    def __init__(self, shop: RealShop, till: HeadlessTill, fault: Fault) -> None:
        self.shop = shop
        self.till = till
        self.fault = fault
        self.number = next(NUMBERS)
        self.proxy = shop.proxy_of(till)
        self.paths: list[str] = []
        self.began = len(self.proxy.seen)

    def strikes(self, path: str) -> None:
        """The fault comes to the next call of this path."""
        self.paths.append(path)
        self.proxy.will(self.fault, path=path)

    def has_struck(self) -> bool:
        """Whether it came to each of them."""
        seen = [(each.path, each.fault) for each in self.proxy.seen[self.began :]]
        return all(any(path in at and kind is self.fault.kind for at, kind in seen) for path in self.paths)

    def approval(self, purpose: str) -> str:
        told = self.till.ask("approve", operator_id=SUPERVISOR, pin=PIN, purpose=purpose, reason="no_phone", note="")
        assert told["outcome"] == "ok", told
        return str(told["detail"]["approval"])


def looking_up(case: Counter) -> None:
    case.strikes("/customer")
    answer = case.till.ask("lookup", mobile=mobile(case.number))
    assert answer["outcome"] in {"ok", "refused"}, answer


def checking(case: Counter) -> None:
    case.strikes("/isredeemable")
    answer = case.till.ask("check", mobile=mobile(case.number), points="50", program_id=PROGRAM)
    assert answer["outcome"] in {"ok", "refused"}, answer


def sending_a_code(case: Counter) -> None:
    sent = len(case.shop.ledger.messages())
    case.strikes("/isredeemable")
    case.till.ask("check", mobile=mobile(case.number), points="50", program_id=PROGRAM, issue_otp=True)
    assert len(case.shop.ledger.messages()) <= sent + 2  # Never repeated by the till; TWICE is the line's doing.


def redeeming(case: Counter) -> None:
    case.strikes("/redeem")
    answer = redeem(case.till, case.number, 50)
    assert answer["outcome"] == "done", answer
    assert case.shop.balance(case.number) == 450


def cancelling(case: Counter) -> None:
    case.proxy.will(*[CUT_BEHIND] * 12, path="/redeem")
    answer = redeem(case.till, case.number, 50)
    assert answer["outcome"] == "unclear", answer
    case.strikes("/cancel")
    told = case.till.ask("cancel", key=answer["key"], reason="unknown_result")
    assert told["outcome"] in {"cancelled", "cancelling"}, told
    case.till.wait_row(answer["key"], "REVERSED")


def reversing(case: Counter) -> None:
    answer = redeem(case.till, case.number, 50)
    case.strikes("/reverse")
    told = case.till.ask("reverse", key=answer["key"], approval=case.approval("reverse"))
    assert told["outcome"] == "done", told
    assert case.shop.balance(case.number) == 500


def leasing(case: Counter) -> None:
    case.strikes("/sync/v1/leases")
    told = case.till.ask("lease", mobile=mobile(case.number), program_id=PROGRAM)
    assert told["outcome"] in {"ok", "unclear"}, told
    case.proxy.heal()
    assert lease(case.till, case.number)["amount"] == "400"


def settling(case: Counter) -> None:
    lease(case.till, case.number)
    case.till.ask("go_offline")
    answer = redeem(case.till, case.number, 50)
    assert answer["outcome"] == "done_offline", answer
    case.strikes("/settle")
    case.till.ask("go_online")
    case.till.ask("sync")
    case.proxy.heal()
    row = case.till.wait_row(answer["key"], "SETTLED")
    assert (row["from_lease"], row["from_free"], row["store_loss"]) == ("50", "0", "0")


def beating(case: Counter) -> None:
    for path in ("/heartbeat", "/changes"):
        case.strikes(path)
        case.till.ask("sync")
        case.proxy.heal()
        assert case.till.ask("sync")["outcome"] == "ok"


CALLS: tuple[Callable[[Counter], None], ...] = (
    looking_up,
    checking,
    sending_a_code,
    redeeming,
    cancelling,
    reversing,
    leasing,
    settling,
    beating,
)


LONG = frozenset({cancelling, settling, reversing, beating})
"""They wait out what a cashier would wait: together over two minutes, so they are run apart (`-m slow`)."""


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "call", [pytest.param(each, marks=pytest.mark.slow if each in LONG else (), id=each.__name__) for each in CALLS]
)
def test_no_fault_of_the_line_charges_twice_or_for_nothing(
    shop: RealShop, till: HeadlessTill, call: Callable[[Counter], None]
) -> None:
    for fault in FAULTS:
        case = Counter(shop, till, fault)
        call(case)
        assert case.has_struck(), str(fault)
        case.proxy.heal()
        case.proxy.deliver_late()
        assert till.ask("sync")["outcome"] == "ok", str(fault)
    shop.settle_all()
    told = shop.counted()
    assert told.complaints == []
    assert told.lost_by_store == 0
    assert shop.admin("GET", "invariants")["ok"]
