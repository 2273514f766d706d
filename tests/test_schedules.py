"""Schedules at the points that define them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ganzoo_core.objectives import cosine, exponential, halfway_to_zero, linear, saturating

POINTS = {
    "linear": (linear(1, 0.2), {0: 1, 0.5: 0.6, 1: 0.2}),
    "linear up": (linear(0, 3), {0: 0, 0.25: 0.75, 1: 3}),
    "halfway_to_zero": (halfway_to_zero, {0: 1, 0.3: 1, 0.5: 1, 0.75: 0.5, 1: 0}),
    "exponential": (exponential(0.01), {0: 1, 0.5: 0.1, 1: 0.01}),
    "exponential with a floor": (exponential(0.01, floor=0.05), {0: 1, 0.5: 0.1, 1: 0.05}),
    "saturating": (saturating(1.4, at=0.5), {0: 1, 0.25: 1.2, 0.5: 1.4, 1: 1.4}),
    "cosine": (cosine(0.2, at=0.8), {0: 1, 0.4: 0.6, 0.8: 0.2, 1: 0.2}),
    "cosine up": (cosine(1.1, at=1.0), {0: 1, 1 / 3: 1.025, 0.5: 1.05, 1: 1.1}),
}


@pytest.mark.parametrize("name", POINTS)
def test_a_schedule_passes_through_its_points(name):
    schedule, points = POINTS[name]
    assert {u: schedule(u) for u in points} == pytest.approx(points)


@pytest.mark.parametrize("name", POINTS)
def test_a_schedule_is_monotone_and_has_no_jumps(name):
    values = [POINTS[name][0](i / 1000) for i in range(1001)]
    steps = [b - a for a, b in pairwise(values)]
    assert all(s >= 0 for s in steps) or all(s <= 0 for s in steps)
    assert max(map(abs, steps)) < 0.01
