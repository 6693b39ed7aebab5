"""A keystroke in the search, and a cached check, on caches of several sizes."""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

from bench_members import NOW, member, typed
from support.builders import an_organisation
from support.clock import FakeClock

from pos_app.cache import SqlCache
from pos_app.domain.facts import Program
from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind, RedemptionRequest
from pos_app.domain.trouble import LineDownError
from pos_app.services.line import Line
from pos_app.services.validation import ValidationService

Row = tuple[str, str, str, str, str]
Times = list[float]


class NoLedger:
    """Never asked: the line is down."""


def rows(caches: dict[int, Path], key: str, count: int) -> list[Row]:
    """The table's rows; `caches` are folders with a cache of so many members, the smallest first."""
    table: list[Row] = []
    smallest: float | None = None
    for members, folder in caches.items():
        cache = SqlCache.open(folder / "cache.db", key, FakeClock())
        cache.keep_organisation(an_organisation(), NOW)
        cache.keep_program(Program(program_id=973, name="Gold", is_default=True), NOW)
        keystrokes = _keystrokes(cache, members, count)
        p50, p99 = _percentiles(keystrokes)
        smallest = smallest or p99
        table.append(
            (
                f"keystroke, {members:,} members (p50 {p50:.2f} ms)",
                f"p99 {p99:.2f} ms",
                f"{smallest:.2f} ms at the smallest",
                f"{p99 / smallest:.2f}",
                "p99 under 16 ms, at most 3",
            )
        )
        if members == max(caches):
            table.append(_slip_row(cache, members, count // 10))
            table.append(_check_row(cache, members, count))
        cache.close()
    return table


def _keystrokes(cache: SqlCache, members: int, count: int) -> Times:
    dice = random.Random(11)
    took = []
    for _ in range(count):
        text = typed(dice, members)
        began = time.perf_counter()
        cache.search(text)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _slip_row(cache: SqlCache, members: int, count: int) -> Row:
    """The second step: a whole number with one digit wrong, each of them found."""
    dice, took = random.Random(12), []
    for _ in range(count):
        number = dice.randrange(members)
        mobile = member(number)["mobile"][2:]
        place = dice.randrange(len(mobile))
        wrong = mobile[:place] + dice.choice([each for each in "0123456789" if each != mobile[place]])
        text = wrong + mobile[place + 1 :]
        began = time.perf_counter()
        found = cache.search_near(text)
        took.append((time.perf_counter() - began) * 1000)
        assert any(hit.mobile.endswith(mobile[-4:]) or place >= len(mobile) - 4 for hit in found)
    p50, p99 = _percentiles(took)
    return (f"second step, {members:,} members (p50 {p50:.1f} ms)", f"p99 {p99:.1f} ms", "", "", "its own call")


def _check_row(cache: SqlCache, members: int, count: int) -> Row:
    clock = FakeClock()
    line = Line(NoLedger(), clock)  # type: ignore[arg-type]
    line.met(LineDownError("measured without a line"))
    service = ValidationService(NoLedger(), cache, line, clock)  # type: ignore[arg-type]
    dice, took = random.Random(13), []
    for _ in range(count):
        her = CustomerRef(IdentifierKind.MOBILE, member(dice.randrange(members))["mobile"])
        request = RedemptionRequest(customer=her, amount=AskedPoints(Points.of(100)), program_id=973)
        began = time.perf_counter()
        checked = service.check(request)
        took.append((time.perf_counter() - began) * 1000)
        assert checked.points == Points.of(100)
    p50, p99 = _percentiles(took)
    return (f"cached check, {members:,} members (p50 {p50:.2f} ms)", f"p99 {p99:.2f} ms", "", "", "")


def _percentiles(took: Times) -> tuple[float, float]:
    return statistics.median(took), statistics.quantiles(took, n=100)[98]
