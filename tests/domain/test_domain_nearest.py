"""The closest amounts that fit, against brute force."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import AnyPoints, points

from pos_app.domain.nearest import nearest, whole_step
from pos_app.domain.points import Points


@pytest.mark.parametrize(
    ("asked", "least", "most", "step", "found"),
    [
        (125, 0, 500, 10, [120, 130]),
        (120, 0, 500, 10, [110, 130]),
        (5, 0, 500, 10, [10]),
        (600, 0, 500, 10, [500]),
        (3, 50, 500, 10, [50]),
        (3, 51, 500, 10, [60]),
        (125, 0, 129, 10, [120]),
        (125, 121, 129, 10, []),
        (1, 0, 0, 1, []),
        ("12.25", 0, 500, "0.5", [12, "12.5"]),
    ],
)
def test_the_closest_amounts_on_each_side(
    asked: AnyPoints, least: AnyPoints, most: AnyPoints, step: AnyPoints, found: list[AnyPoints]
) -> None:
    answer = nearest(points(asked), least=points(least), most=points(most), step=points(step))
    assert list(answer) == [points(each) for each in found]


@pytest.mark.parametrize(("decimals", "step"), [(0, "1"), (1, "0.1"), (2, "0.01"), (3, "0.001")])
def test_a_program_shows_amounts_of_a_whole_step(decimals: int, step: str) -> None:
    assert whole_step(decimals) == points(step)


small = st.integers(0, 60).map(Points)


@given(small, small, small, st.integers(1, 20).map(Points))
def test_brute_force_finds_the_same(asked: Points, least: Points, most: Points, step: Points) -> None:
    fitting = [Points(each) for each in range(1, 200) if each % step.thousandths == 0 and least <= Points(each) <= most]
    below = [each for each in fitting if each < asked][-1:]
    above = [each for each in fitting if each > asked][:1]
    assert list(nearest(asked, least=least, most=most, step=step)) == below + above
