"""The amounts nearest to a refused one that would pass: "use 120 or 130" (house decision 3)."""

from __future__ import annotations

from pos_app.domain.points import Points


def whole_step(decimals: int) -> Points:
    """The smallest amount a program shows: one point for 0 decimals, a thousandth for 3."""
    return Points(10 ** (3 - decimals))


def nearest(asked: Points, *, least: Points, most: Points, step: Points) -> tuple[Points, ...]:
    """The closest fitting amount below `asked` and the closest above it, the lower first; only those that exist.

    An amount fits when it is more than nothing, a multiple of `step` (which is more than zero), and from `least` to
    `most`, both included.
    """
    grain = step.thousandths
    floor = max(least.thousandths, 1)
    below = min(asked.thousandths - 1, most.thousandths) // grain * grain
    above = -(-max(asked.thousandths + 1, floor) // grain) * grain
    found = []
    if below >= floor:
        found.append(Points(below))
    if above <= most.thousandths:
        found.append(Points(above))
    return tuple(found)
