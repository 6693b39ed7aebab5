"""Missed calls: seen by a check, taken by one redemption, forgotten in time. On both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.a_ledger import BookKit, a_kit, asking, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, MOBILE, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.domain.answers import CheckAnswer
from pos_app.domain.points import Points
from pos_app.domain.request import ValidationType
from pos_app.ledger import calls, schema
from pos_app.ledger.call_reports import report
from pos_app.ledger.care.pruning import prune
from pos_app.wire.telephony import ReportedCall

OTHER = 50002
SILVER = 974
TILLS = 4
ROUNDS = 5


def lines(**organisation: Any) -> list[dict[str, Any]]:
    """Two programs, a few tills, two customers."""
    wallets = [{"program_id": each, "lots": [{"points": 5000}]} for each in (PROGRAM, SILVER)]
    return [
        an_organisation(**{"missed_call_enabled": True, "validation_required": True, **organisation}),
        a_program(criteria={}),
        a_program(id=SILVER, default=False, criteria={}),
        *(a_till(login=f"till.{number}") for number in range(TILLS)),
        a_till(),
        a_customer(wallets=wallets),
        a_customer(id=OTHER, mobile="919000000002", email=None, external_id=None),
    ]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str, clock: FakeClock) -> Iterator[BookKit]:
    with a_kit(tmp_path, lines(), url=ledger_url, clock=clock) as made:
        yield made


def ring(kit: BookKit, number: str = MOBILE, *, ago_s: float | None = None) -> None:
    """A call is reported; `ago_s` seconds old where it says when it came."""
    at = None if ago_s is None else kit.book.clock.wall() - timedelta(seconds=ago_s)
    report(kit.book.tools, 1, ReportedCall(number, at))


def check(kit: BookKit, customer: int = CUSTOMER, **changes: Any) -> CheckAnswer:
    changes.setdefault("validation_type", ValidationType.MISSED_CALL)
    return kit.ledger.check(asking(customer, 100, **changes))


def redeem(kit: BookKit, key: str | None, **changes: Any) -> int:
    changes.setdefault("validation_type", ValidationType.MISSED_CALL)
    return kit.ledger.redeem(redeeming(CUSTOMER, 100, key, **changes)).code


def kept(kit: BookKit) -> list[tuple[str, str | None]]:
    with kit.book.store.read() as connection:
        call = schema.missed_call
        return [
            (row[0], row[1])
            for row in connection.execute(select(call.c.number, call.c.used_by_key).order_by(call.c.id))
        ]


def proofs(kit: BookKit) -> list[str]:
    with kit.book.store.read() as connection:
        return list(connection.execute(select(schema.redemption.c.proof).order_by(schema.redemption.c.id)).scalars())


def test_a_call_is_seen_by_every_check_and_taken_by_one_redemption(kit: BookKit) -> None:
    assert check(kit).code == 822
    assert redeem(kit, "K1") == 824, "the organisation wants her confirmed, and nobody called"
    ring(kit)
    assert [check(kit).code for _ in range(3)] == [800] * 3
    assert redeem(kit, "K1") == 800, "a failed proof may be mended under the same key"
    assert redeem(kit, "K1") == 800, "the same answer again"
    assert check(kit).code == 822
    assert redeem(kit, "K2") == 824
    assert (kept(kit), proofs(kit)) == ([(MOBILE, "K1")], ["call"])
    assert kit.balance(CUSTOMER, PROGRAM) == Points.of(4900)


def test_without_the_organisations_wish_a_call_that_did_not_come_is_822(
    tmp_path: Path, ledger_url: str, clock: FakeClock
) -> None:
    with a_kit(tmp_path, lines(validation_required=False), url=ledger_url, clock=clock) as kit:
        assert redeem(kit, "K1") == 822
        ring(kit)
        assert redeem(kit, "K1") == 800


def test_where_calls_are_not_used_nothing_is_kept(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, lines(missed_call_enabled=False, validation_required=False), url=ledger_url) as kit:
        ring(kit)
        assert (check(kit).code, redeem(kit, "K1"), kept(kit)) == (823, 823, [])


def test_a_call_serves_within_the_validity_of_a_code(kit: BookKit, clock: FakeClock) -> None:
    ring(kit)
    clock.advance(599)
    assert check(kit).code == 800
    clock.advance(1)
    assert check(kit).code == 822
    ring(kit, ago_s=601)
    assert check(kit).code == 822
    ring(kit, ago_s=-299)
    assert check(kit).code == 800


def test_a_number_is_known_however_it_is_written(tmp_path: Path) -> None:
    written = (MOBILE, f"+{MOBILE}", MOBILE[2:], f"0{MOBILE[2:]}", f"00{MOBILE}", "+91 97777-85205")
    with a_kit(tmp_path, lines()) as kit:
        for place, number in enumerate(written):
            ring(kit, number, ago_s=place)
            assert (check(kit).code, check(kit, OTHER).code) == (800, 822), number
            assert redeem(kit, f"K{place}") == 800


def test_a_stranger_is_kept_as_an_import_would_and_found_once_she_has_joined(kit: BookKit) -> None:
    ring(kit, "98000 11111")
    assert kept(kit) == [("919800011111", None)]
    with kit.book.store.write() as connection:
        customer = schema.customer
        connection.execute(customer.update().where(customer.c.id == OTHER).values(mobile="919800011111"))
    assert check(kit, OTHER).code == 800


def test_the_same_report_again_is_the_same_call(kit: BookKit) -> None:
    for _ in range(3):
        ring(kit, ago_s=10)
        ring(kit, f"+{MOBILE}", ago_s=10)
    assert redeem(kit, "K1") == 800
    ring(kit, ago_s=10)
    assert redeem(kit, "K2") == 824
    assert len(kept(kit)) == 1


def test_copies_of_a_report_at_the_same_moment_are_one_call(kit: BookKit) -> None:
    call = ReportedCall(MOBILE, kit.book.clock.wall() - timedelta(seconds=10))
    with ThreadPoolExecutor(TILLS) as pool:
        list(pool.map(lambda _: report(kit.book.tools, 1, call), range(20)))
    assert kept(kit) == [(MOBILE, None)]


def test_the_oldest_call_goes_first_and_each_serves_once(kit: BookKit) -> None:
    ring(kit, ago_s=10)
    ring(kit, ago_s=300)
    assert [redeem(kit, key) for key in ("K1", "K2", "K3")] == [800, 800, 824]
    assert [key for _, key in kept(kit)] == ["K2", "K1"]


def test_a_redemption_without_a_key_takes_its_call_too(kit: BookKit) -> None:
    ring(kit)
    assert [redeem(kit, None), redeem(kit, None)] == [800, 824]


def test_a_call_stays_when_the_redemption_is_refused_for_another_reason(kit: BookKit) -> None:
    ring(kit)
    command = redeeming(CUSTOMER, 6000, "K1", validation_type=ValidationType.MISSED_CALL)
    assert kit.ledger.redeem(command).code == 818
    assert redeem(kit, "K2") == 800


def test_a_right_code_needs_no_call_and_skipping_uses_none(tmp_path: Path, ledger_url: str) -> None:
    with a_kit(tmp_path, lines(skip_validation_allowed=True), url=ledger_url) as kit:
        ring(kit)
        kit.ledger.check(asking(CUSTOMER, 100, issue_otp=True))
        assert redeem(kit, "K1", validation_code=kit.codes_sent[0]) == 800
        assert redeem(kit, "K2", skip_validation=True) == 800
        assert (proofs(kit), kept(kit)) == (["code", "skip"], [(MOBILE, None)])


def test_a_call_of_another_customer_confirms_nobody_else(kit: BookKit) -> None:
    ring(kit)
    assert check(kit, OTHER).code == 822


def test_of_two_redemptions_at_the_same_moment_one_call_serves_one(kit: BookKit) -> None:
    # Two programs: different wallets, so that nothing but the call itself stands between them.
    tills = [BookKit(kit.book, kit.sender, f"till.{number}") for number in range(TILLS)]
    for number in range(ROUNDS):
        ring(kit, ago_s=number)
        ready = threading.Barrier(TILLS)

        def run(place: int, ready: threading.Barrier = ready, number: int = number) -> int:
            ready.wait()
            return redeem(tills[place], f"K-{number}-{place}", program_id=(PROGRAM, SILVER)[place % 2])

        with ThreadPoolExecutor(TILLS) as pool:
            codes = sorted(pool.map(run, range(TILLS)))
        assert codes == [800] + [824] * (TILLS - 1)
    assert len({key for _, key in kept(kit)}) == ROUNDS
    assert kit.book.verify() == []


def test_old_calls_are_forgotten_used_or_not(kit: BookKit, clock: FakeClock) -> None:
    ring(kit)
    redeem(kit, "K1")
    ring(kit, "98000 11111", ago_s=1)
    clock.advance(86400 - 5)
    ring(kit, "98000 22222")
    with kit.book.store.write() as connection:
        assert calls.prune(connection, clock.wall() - timedelta(days=1)) == 0
    clock.advance(10)
    assert prune(kit.book.store, clock.wall(), lambda: None) == 2
    assert [number for number, _ in kept(kit)] == ["919800022222"]
