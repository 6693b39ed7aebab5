"""Many tills at the same wallets at once: grants, redemptions, rows and closes, on both databases (reliability 4.3)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.a_ledger import redeeming
from support.at_once import at_once
from support.lease_kit import LeaseKit, TillSide, a_lease_kit, lease_lines, pts
from support.ledger_server import CUSTOMER, a_customer, a_till

from pos_app.domain.keys import key_from
from pos_app.domain.leases import GiveBack, Lease, LeaseRequest, LeaseResult, NoLease, Owner, OwnerKind
from pos_app.domain.settling import Settled
from pos_app.ledger import schema

SISTER = 50002
PROGRAM = 973


def many_tills(count: int) -> list[dict[str, Any]]:
    tills = [a_till(login=f"till.{number:03}", store=f"{number:03}", name="") for number in range(count)]
    *before, customer = lease_lines()
    sister = a_customer(id=SISTER, mobile="919777785299", email="", external_id="", points=500)
    return [*before, *tills, customer, sister]


def random_key() -> str:
    return key_from(random.randbytes(16))


def request(request_id: str | None = None, owner: int = CUSTOMER, back: tuple[GiveBack, ...] = ()) -> LeaseRequest:
    return LeaseRequest(
        request_id=request_id or random_key(),
        owner=Owner(OwnerKind.CUSTOMER, owner),
        program_id=PROGRAM,
        give_back=back,
    )


def test_one_request_sent_by_many_gets_one_lease(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, url=ledger_url) as kit:
        till, same = kit.till().till, request()
        results: list[LeaseResult] = at_once([lambda: kit.book.lease(till, 1, [same])[0]] * 6)
        assert len({each.lease.lease_id for each in results if each.lease is not None}) == 1
        assert all(each.lease is not None for each in results)
        assert kit.reserved() == pts(400)


def test_many_requests_of_one_till_get_one_open_lease(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, url=ledger_url) as kit:
        till = kit.till().till
        results: list[LeaseResult] = at_once([lambda: kit.book.lease(till, 1, [request()])[0] for _ in range(6)])
        assert [each.reason for each in results].count(NoLease.ALREADY_OPEN) == 5
        assert kit.reserved() == pts(400)


def test_grants_and_redemptions_never_take_the_same_points(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, many_tills(5), url=ledger_url) as kit:
        tills = [kit.till(f"till.{number:03}") for number in range(5)]
        works: list[Callable[[], Any]] = [
            lambda side=side: kit.book.lease(side.till, 1, [request()])[0]  # type: ignore[misc]
            for side in tills
        ]
        till = kit.till().till
        works += [lambda: kit.book.redeem(till, redeeming(CUSTOMER, 100, random_key())) for _ in range(5)]
        results = at_once(works)
        lent = sum(each.lease.amount.thousandths for each in results[:5] if each.lease is not None)
        redeemed = sum(100_000 for each in results[5:] if each.refusal is None)
        assert kit.reserved().thousandths == lent
        assert kit.balance().thousandths == 500_000 - redeemed
        assert lent <= 500_000 - redeemed


def test_one_row_sent_by_many_is_charged_once(tmp_path: Path, ledger_url: str) -> None:
    with a_lease_kit(tmp_path, url=ledger_url) as kit:
        side = kit.till()
        row = side.spend(120, side.lease())
        till = side.till
        results: list[Settled] = at_once([lambda: kit.book.settle(till, 1, [row]).results[0]] * 6)
        assert [each.from_lease for each in results] == [pts(120)] * 6
        assert sum(not each.is_replayed for each in results) == 1
        assert kit.balance() == pts(380)


def a_day(kit: LeaseKit, side: TillSide, seed: int, rounds: int) -> None:
    """What one till does all day, in an order of its own."""
    chance = random.Random(seed)
    till = side.till
    held: dict[int, tuple[Lease, int]] = {}
    for _ in range(rounds):
        customer = chance.choice([CUSTOMER, SISTER])
        lease, spent = held.get(customer, (None, 0))
        match chance.randrange(4):
            case 0:
                back = () if lease is None else (GiveBack(lease.lease_id, pts(spent)),)
                result = kit.book.lease(till, 1, [request(None, customer, back)])[0]
                held.pop(customer, None)
                if result.lease is not None:
                    held[customer] = (result.lease, 0)
            case 1 if lease is not None and lease.amount >= pts(spent + 10):
                held[customer] = (lease, spent + 10)
                row = side.spend(10, lease, key=random_key(), redemption_id=random_key())
                settled = kit.book.settle(till, 1, [row]).results[0]
                assert settled.from_lease == pts(10)
            case 2:
                kit.book.redeem(till, redeeming(customer, 10, random_key()))
            case 3 if lease is not None:
                kit.book.close_leases(till, 1, [GiveBack(lease.lease_id, pts(spent))])
                held.pop(customer)


def race(folder: Path, url: str, tills: int, rounds: int) -> None:
    with a_lease_kit(folder, many_tills(tills), url=url) as kit:
        sides = [kit.till(f"till.{number:03}") for number in range(tills)]
        at_once([lambda one=side, seed=seed: a_day(kit, one, seed, rounds) for seed, side in enumerate(sides)])  # type: ignore[misc]
        assert kit.losses() == []
        assert all(0 <= lot.res <= lot.rem for lot in kit.rows(schema.lot))


def test_tills_that_do_everything_at_once_lose_nothing(tmp_path: Path, ledger_url: str) -> None:
    race(tmp_path, ledger_url, tills=4, rounds=12)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_tills_that_do_everything_at_once_lose_nothing_all_day(tmp_path: Path, ledger_url: str) -> None:
    race(tmp_path, ledger_url, tills=8, rounds=300)
