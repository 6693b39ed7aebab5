"""Everything tills may do with leases, in any order: the invariants of reliability 4.3 hold after every step.

The tills are honest: they spend what a lease holds for them, lot by lot until each expires, and close with what they
spent. Then whatever they tell before the ledger stops waiting is paid by their lease to the last point (I6). A liar is
among them, who spends more than it got: it costs its store, never a wallet.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from support.lease_kit import OTHER_LOGIN, LeaseKit, a_lease_kit, lease_lines, owner_of
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, a_customer

from pos_app.domain.leases import GiveBack, Lease
from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.settling import Spend
from pos_app.ledger import schema

SISTER = 50002
EARNED = Points.of(900)
COUNTS = st.sampled_from([10, 20, 50, 130, 300])
TILLS = st.sampled_from([LOGIN, OTHER_LOGIN])
CUSTOMERS = st.sampled_from([CUSTOMER, SISTER])


@dataclass
class Held:
    """A lease as an honest till keeps it."""

    lease: Lease
    left: list[Points] = field(default_factory=list)
    spent: Points = ZERO
    is_open: bool = True

    def __post_init__(self) -> None:
        self.left = [each.points for each in self.lease.allocations]

    def usable(self, now: Any) -> list[int]:
        allocations = self.lease.allocations
        return [place for place, each in enumerate(allocations) if each.usable_until is None or now < each.usable_until]


class Leases(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        lots = [{"points": 200, "expires_on": "2026-11-22"}, {"points": 300, "expires_on": "2035-12-31"}]
        sister = a_customer(id=SISTER, mobile="919777785299", email="", external_id="", points=400)
        lines = [*lease_lines(customer={"wallets": [{"program_id": PROGRAM, "lots": lots}]}), sister]
        self.kit: LeaseKit = self.stack.enter_context(a_lease_kit(folder, lines))
        self.held: dict[tuple[str, int], Held] = {}
        self.waiting: dict[str, list[tuple[Spend, Held | None]]] = {LOGIN: [], OTHER_LOGIN: []}
        for login in (LOGIN, OTHER_LOGIN):
            self.kit.till(login)

    def teardown(self) -> None:
        self.stack.close()

    # --- What tills do -----------------------------------------------------------------------------------------------

    @rule(login=TILLS, customer=CUSTOMERS, renews=st.booleans())
    def ask(self, login: str, customer: int, renews: bool) -> None:
        own = self.held.get((login, customer))
        back = [self.give_back(own)] if renews and own is not None else []
        result = self.kit.till(login).ask(customer, give_back=back)
        if result.lease is not None:
            self.held[login, customer] = Held(result.lease)

    @rule(login=TILLS, customer=CUSTOMERS, count=COUNTS)
    def spend(self, login: str, customer: int, count: int) -> None:
        own, now, wanted = self.held.get((login, customer)), self.kit.clock.wall(), Points.of(count)
        if own is None or not own.is_open or now >= own.lease.expires_at:
            return
        usable = own.usable(now)
        if total(own.left[place] for place in usable) < wanted:
            return
        missing = wanted
        for place in usable:
            taken = min(own.left[place], missing)
            own.left[place], missing = own.left[place] - taken, missing - taken
        own.spent = own.spent + wanted
        self.waiting[login].append((self.kit.till(login).spend(count, own.lease), own))

    @rule(customer=CUSTOMERS, count=COUNTS)
    def lie(self, customer: int, count: int) -> None:
        """The other till redeems at its shop's risk, whatever there is."""
        row = self.kit.other.spend(count, customer_id=customer, owner=owner_of(customer))
        self.waiting[OTHER_LOGIN].append((row, None))

    @rule(login=TILLS, most=st.integers(1, 5), again=st.booleans())
    def settle(self, login: str, most: int, again: bool) -> None:
        rows = self.waiting[login][:most]
        if not rows:
            return
        now = self.kit.clock.wall()
        results = self.kit.till(login).settle(*[row for row, _ in rows]).results
        for (row, own), settled in zip(rows, results, strict=True):
            assert settled.from_lease + settled.from_free + settled.store_loss == row.points
            if own is not None and now < own.lease.settle_until:
                assert settled.from_lease == row.points
        if again:
            repeated = self.kit.till(login).settle(*[row for row, _ in rows]).results
            assert [each.is_replayed for each in repeated] == [True] * len(rows)
        self.waiting[login] = self.waiting[login][most:]

    @rule(login=TILLS, customer=CUSTOMERS)
    def close(self, login: str, customer: int) -> None:
        own = self.held.get((login, customer))
        if own is not None:
            given = self.give_back(own)
            self.kit.till(login).close(given.lease_id, str(given.final_spent))

    @rule(login=TILLS, customer=CUSTOMERS, count=COUNTS, gives_back=st.booleans())
    def redeem(self, login: str, customer: int, count: int, gives_back: bool) -> None:
        own = self.held.get((login, customer))
        back = [self.give_back(own)] if gives_back and own is not None else []
        self.kit.till(login).redeem(count, back, customer_id=customer)

    @rule(hours=st.sampled_from([1, 2, 5, 20, 75]))
    def wait(self, hours: int) -> None:
        self.kit.pass_time(timedelta(hours=hours))

    @precondition(lambda self: len(self.waiting[LOGIN]) > 0)
    @rule()
    def forget_the_answer(self) -> None:
        """A row is settled, and the till does not hear of it."""
        row, _ = self.waiting[LOGIN][0]
        self.kit.till(LOGIN).settle(row)

    # --- What always holds -------------------------------------------------------------------------------------------

    @invariant()
    def the_sums_hold(self) -> None:
        assert self.kit.differences() == []

    @invariant()
    def no_wallet_is_overdrawn(self) -> None:
        for lot in self.kit.rows(schema.lot):
            assert 0 <= lot.res <= lot.rem

    @invariant()
    def what_was_earned_is_left_charged_or_expired(self) -> None:
        left = total(Points(lot.rem) for lot in self.kit.rows(schema.lot))
        moved = dict.fromkeys(("REDEEM", "EXPIRE"), ZERO)
        for entry in self.kit.rows(schema.entry, schema.entry.c.kind.in_(sorted(moved))):
            moved[entry.kind] = moved[entry.kind] - Points(entry.delta)
        assert left + moved["REDEEM"] + moved["EXPIRE"] == EARNED

    def give_back(self, own: Held) -> GiveBack:
        own.is_open = False
        return GiveBack(own.lease.lease_id, own.spent)


def _run(examples: int, steps: int) -> None:
    quick = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    run_state_machine_as_test(Leases, settings=quick)


def test_the_invariants_hold_whatever_tills_do_in_whatever_order() -> None:
    _run(examples=12, steps=25)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_invariants_hold_through_long_days() -> None:
    _run(examples=300, steps=80)
