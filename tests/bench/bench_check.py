"""A cached check, end to end, against the one raw three-table select in the same encrypted file."""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

from sqlcipher3 import dbapi2
from support.cache_filler import fill, mobile_of
from support.clock import FakeClock

from pos_app.cache import SqlCache
from pos_app.cache.file import PAGE
from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, RedemptionRequest
from pos_app.domain.trouble import LineDownError
from pos_app.services.line import Line
from pos_app.services.validation import ValidationService

CUSTOMERS = 100_000
KEY = "5a" * 32
_RAW = (
    "SELECT c.customer_id, c.first_name, c.last_name, w.balance, w.lifetime_points"
    " FROM identifier i JOIN customer c ON c.customer_id = i.customer_id"
    " JOIN wallet w ON w.owner = c.customer_id WHERE i.kind = 1 AND i.value = ?"
)


class NoLedger:
    """Never asked: the line is down."""


def rows(folder: Path, checks: int) -> list[tuple[str, str, str, str, str]]:
    """The table's row."""
    file = folder / "cache.db"
    clock = FakeClock()
    cache = SqlCache.open(file, KEY, clock)
    fill(cache, CUSTOMERS)
    line = Line(NoLedger(), clock)  # type: ignore[arg-type]
    line.met(LineDownError("measured without a line"))
    service = ValidationService(NoLedger(), cache, line, clock)  # type: ignore[arg-type]
    raw = dbapi2.connect(str(file))
    for name, value in {"key": f"\"x'{KEY}'\"", **PAGE}.items():
        raw.execute(f"PRAGMA {name} = {value}")
    chosen = random.Random(7).sample(range(CUSTOMERS), checks)
    asked = [
        RedemptionRequest(customer=mobile_of(number), amount=AskedPoints(Points.of(100)), program_id=973)
        for number in chosen
    ]
    ours: list[float] = []
    floor: list[float] = []
    for request in asked:
        began = time.perf_counter()
        checked = service.check(request)
        ours.append(time.perf_counter() - began)
        assert checked.points == Points.of(100)
        began = time.perf_counter()
        found = raw.execute(_RAW, (request.customer.value,)).fetchone()
        floor.append(time.perf_counter() - began)
        assert found is not None
    cache.close()
    raw.close()
    mine, its = statistics.median(ours) * 1e6, statistics.median(floor) * 1e6
    p99 = statistics.quantiles(ours, n=100)[98] * 1e6
    what = f"cached check, {CUSTOMERS:,} customers (p99 {p99:.0f} us)"
    return [(what, f"{mine:.0f} us", f"{its:.0f} us", f"{mine / its:.1f}", "at most 6")]
