"""The practice line fails as a cut cable does: nothing arrives, nothing comes back, and plugging in mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.builders import a_request, by_mobile
from support.sync_kit import BEAT

from pos_app.domain.commands import Cancel, Enrol, Redeem, Reverse, SendCode, SignIn
from pos_app.domain.feed import Scope
from pos_app.domain.trouble import LineDownError
from pos_app.training.line import SwitchedLine

CALLS: list[tuple[str, Callable[[Any], Any]]] = [
    ("capabilities", lambda line: line.capabilities()),
    ("find_customer", lambda line: line.find_customer(by_mobile())),
    ("program", lambda line: line.program(973)),
    ("organisation", lambda line: line.organisation()),
    ("check", lambda line: line.check(a_request())),
    ("send_code", lambda line: line.send_code(SendCode(customer=by_mobile()))),
    ("redeem", lambda line: line.redeem(Redeem(request=a_request()))),
    ("cancel", lambda line: line.cancel(Cancel(key="K"))),
    ("reverse", lambda line: line.reverse(Reverse(redemption_id="R"))),
    ("enrol", lambda line: line.sync.enrol(Enrol(public_key="K"))),
    ("sign_in", lambda line: line.sync.sign_in(SignIn(operator_id=1, pin="1234"))),
    ("snapshot", lambda line: line.sync.snapshot(Scope.STORE)),
    ("changes", lambda line: line.sync.changes("C")),
    ("customer_rows", lambda line: line.sync.customer_rows(by_mobile())),
    ("regulars", lambda line: line.sync.regulars()),
    ("lease", lambda line: line.sync.lease(1, [])),
    ("close_leases", lambda line: line.sync.close_leases(1, [])),
    ("settle", lambda line: line.sync.settle(1, [])),
    ("heartbeat", lambda line: line.sync.heartbeat(BEAT)),
]


class CountingLedger:
    """A ledger that only counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_up(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Callable[..., str]:
        def answer(*_arguments: object) -> str:
            self.asked.append(name)
            return f"answer of {name}"

        return answer


def a_line(ledger: Any) -> SwitchedLine:
    return SwitchedLine(ledger, ledger)


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_a_plugged_line_passes_every_call_through(name: str, call: Callable[[Any], Any]) -> None:
    ledger = CountingLedger()
    assert call(a_line(ledger)) == f"answer of {name}"
    assert ledger.asked == [name]


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_nothing_passes_a_pulled_line(name: str, call: Callable[[Any], Any]) -> None:
    ledger = CountingLedger()
    line = a_line(ledger)
    line.switch(False)
    with pytest.raises(LineDownError):
        call(line)
    assert not line.is_up()
    assert ledger.asked == []
    line.switch(True)
    assert line.is_up()
    assert call(line) == f"answer of {name}"
