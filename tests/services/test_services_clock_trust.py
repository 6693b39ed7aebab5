"""The rule of the clocks: a till never spends longer than the ledger holds (reliability 4.3, Clocks)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW

from pos_app.services.clock_trust import Distrust, Hands, Memory, spending_s, time_left, wall_distrust

TERM_S = 28_800
ASKED = Hands(wall=NOW, mono=1000.0, boot="run 1")
GOOD = Memory(high_water=NOW, offset_s=0.0)


def later(seconds: float, *, wall_s: float | None = None, boot: str = "run 1", mono_s: float | None = None) -> Hands:
    """The clocks so much later; the wall clock may have been set."""
    return Hands(
        wall=NOW + timedelta(seconds=seconds if wall_s is None else wall_s),
        mono=1000.0 + (seconds if mono_s is None else mono_s),
        boot=boot,
    )


def left(now: Hands, *, memory: Memory = GOOD, started: float = 500.0) -> tuple[bool, Distrust | None]:
    found = time_left(ASKED, now, term_s=TERM_S, program_started=started, memory=memory)
    return found.is_usable, found.distrust


def test_the_till_ends_a_thousandth_of_the_term_and_half_a_minute_early() -> None:
    assert spending_s(TERM_S) == pytest.approx(TERM_S - 28.8 - 30)


@pytest.mark.parametrize(
    ("now", "usable", "distrust"),
    [
        (later(0), True, None),
        (later(28_741), True, None),
        (later(28_742), False, None),
        (later(3600, wall_s=-86_400), True, None),  # Set back while it runs: the other clock went on.
        (later(30_000, wall_s=-86_400), False, None),
        (later(60, wall_s=400_000_000), False, Distrust.JUMPED),
        (later(28_742, wall_s=28_760), False, None),
        (later(100, wall_s=28_750), False, Distrust.JUMPED),
    ],
)
def test_a_program_that_went_on_running_takes_the_greater_of_two_clocks(
    now: Hands, usable: bool, distrust: Distrust | None
) -> None:
    assert left(now) == (usable, distrust)


@pytest.mark.parametrize("boot", ["run 1", "run 2"])
@pytest.mark.parametrize(
    ("wall_s", "memory", "usable", "distrust"),
    [
        (60, GOOD, True, None),
        (-4, GOOD, True, None),
        (-6, GOOD, False, Distrust.BEHIND),
        (60, replace(GOOD, high_water=NOW + timedelta(days=1)), False, Distrust.BEHIND),
        (60, replace(GOOD, offset_s=None), False, Distrust.NEVER_MET),
        (60, replace(GOOD, high_water=None), False, Distrust.NEVER_MET),
        (60, replace(GOOD, offset_s=120.0), True, None),
        (60, replace(GOOD, offset_s=-121.0), False, Distrust.OFF),
        (28_742, GOOD, False, None),
    ],
)
def test_a_program_that_was_started_anew_has_only_the_wall_clock(
    boot: str, wall_s: float, memory: Memory, usable: bool, distrust: Distrust | None
) -> None:
    now = later(max(wall_s, 0), wall_s=wall_s, boot=boot)
    assert left(now, memory=memory, started=2_000_000.0) == (usable, distrust)


def test_after_a_restart_of_the_program_alone_the_other_clock_still_counts() -> None:
    assert left(later(30_000, wall_s=60), started=20_000.0) == (False, None)


def test_a_till_that_never_met_a_ledger_is_told_apart_from_one_whose_clock_is_wrong() -> None:
    assert wall_distrust(NOW, Memory(high_water=None, offset_s=None)) is Distrust.NEVER_MET


@given(
    passed=st.floats(0, 10 * TERM_S),
    wall_jump=st.floats(-10 * TERM_S, 10 * TERM_S),
    drift=st.floats(0.999, 1.01),
    travel=st.floats(0, 60),
)
def test_whatever_is_done_to_the_wall_clock_a_running_till_ends_before_the_ledger(
    passed: float, wall_jump: float, drift: float, travel: float
) -> None:
    """`travel`: how long the request was under way before the ledger granted it and began to count."""
    now = later(passed, wall_s=passed + wall_jump, mono_s=passed * drift)
    usable, _ = left(now)
    if usable:
        assert passed < travel + TERM_S


@given(passed=st.floats(0, 10 * TERM_S), behind=st.floats(0, 120), seen=st.floats(0, 10 * TERM_S))
def test_a_till_that_was_started_anew_ends_before_the_ledger_unless_its_clock_was_set_back_unseen(
    passed: float, behind: float, seen: float
) -> None:
    """Its clock may have lost as much as the ledger allowed when they last met, and what the mark could not see."""
    wall_s = passed - behind
    memory = Memory(high_water=NOW + timedelta(seconds=min(seen, passed)), offset_s=-behind)
    usable, _ = left(later(passed, wall_s=wall_s, boot="run 2"), memory=memory)
    if usable:
        assert passed < TERM_S + 120
