"""Schedules: from u in [0, 1], the fraction of a phase that is done, to a factor on an optimizer's option."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def linear(start: float, end: float) -> Schedule:
    """A straight line from `start` at u = 0 to `end` at u = 1."""
    return lambda u: start + (end - start) * u


def halfway_to_zero(u: float) -> float:
    """1 for the first half, then a straight line to 0 (CycleGAN, pix2pix)."""
    return min(1.0, 2 - 2 * u)


def exponential(end: float, *, floor: float = 0.0) -> Schedule:
    """end ** u, so 1 at u = 0 and `end` at u = 1, but never below `floor`."""
    return lambda u: max(end**u, floor)


def saturating(end: float, at: float) -> Schedule:
    """A straight line from 1 to `end` that is reached at u = `at` and kept."""
    return lambda u: 1 + (end - 1) * min(1.0, u / at)


def cosine(end: float, at: float) -> Schedule:
    """Half a cosine from 1 to `end`, flat at both, that is reached at u = `at` and kept."""
    return lambda u: end + (1 - end) * (1 + math.cos(math.pi * min(1.0, u / at))) / 2
