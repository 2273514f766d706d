"""BLEU (Papineni et al. 2002) of many lines against the same many references, which are counted once.

Of one line, the geometric mean of how many of its n-grams, n = 1 ... N, a reference has, each no more often than in the
one that has it most often, times exp(1 - r / c) where it is shorter (c words) than the reference nearest in length (r).
An order of which nothing is found counts a tenth of an n-gram (Chen & Cherry 2014, method 1), as nltk does it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

Gram = tuple[int, ...]
Line = Sequence[int]
LEAST = 0.1  # n-grams that are found where none is


class Most(NamedTuple):
    """How often an n-gram comes in the reference that has it most often, which that is, and how often in all others."""

    times: int
    owner: int
    elsewhere: int


class References:
    """Lines that others are held against."""

    def __init__(self, lines: Sequence[Line], orders: int) -> None:
        self.orders, self.most = orders, dict[Gram, Most]()
        self.lengths = Counter(map(len, lines))
        for owner, line in enumerate(lines):
            for n in range(1, orders + 1):
                for gram, times in Counter(grams(line, n)).items():
                    self.add(gram, times, owner)

    def add(self, gram: Gram, times: int, owner: int) -> None:
        best, of, second = self.most.get(gram, Most(0, -1, 0))
        self.most[gram] = Most(times, owner, best) if times > best else Most(best, of, max(second, times))

    def bleu(self, line: Line, left_out: int = -1) -> list[float]:
        """BLEU-1 ... BLEU-N of a line; `left_out` is the reference that is the line itself."""
        short, logs = brevity(len(line), self.nearest(len(line), left_out >= 0)), list[float]()
        for n in range(1, self.orders + 1):
            counts = Counter(grams(line, n))
            kept = sum(min(times, self.times(gram, left_out)) for gram, times in counts.items())
            if n == 1 and not kept:
                return [0.0] * self.orders
            logs.append(math.log(max(kept, LEAST) / max(sum(counts.values()), 1)))
        return [short * math.exp(sum(logs[:n]) / n) for n in range(1, self.orders + 1)]

    def times(self, gram: Gram, left_out: int) -> int:
        most = self.most.get(gram, Most(0, -1, 0))
        return most.elsewhere if most.owner == left_out else most.times

    def nearest(self, length: int, itself: bool) -> int:
        """The length of a reference that is nearest, the shorter of two; without one that is the line itself."""
        others = (own for own, lines in self.lengths.items() if lines > (itself and own == length))
        return min(others, key=lambda own: (abs(own - length), own))


def grams(line: Line, n: int) -> list[Gram]:
    return [tuple(line[i : i + n]) for i in range(len(line) - n + 1)]


def brevity(length: int, wanted: int) -> float:
    if not length:
        return 0.0
    return 1.0 if length >= wanted else math.exp(1 - wanted / length)
