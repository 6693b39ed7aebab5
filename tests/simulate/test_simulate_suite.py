"""Whole shops keep every promise and meet enough of what may go wrong (reliability 5.1 A).

Four hundred schedules take half a minute of both processors; `python -m tests.simulate --schedules 100000` plays all.
"""

import pytest
from simulate.coverage import shortfalls
from simulate.running import run

SCHEDULES = 400


@pytest.mark.timeout(400)
def test_no_promise_is_broken_and_enough_is_covered() -> None:
    total = run(range(SCHEDULES), processes=2)

    assert [f"seed {played.seed}: {played.broken}" for played in total.broken] == []
    assert shortfalls(total.counts, total.schedules) == []
