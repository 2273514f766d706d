"""Symbols as bits and back, through the range coder of `constriction`, the extra `bits`.

A coder needs the same probabilities at both ends, to the last bit. They come from whole numbers (counts, entries of a
table) wherever they can, and are divided in float64, which all machines do alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo_core.errors import GanzooError

Ints = NDArray[np.int32]
Doubles = NDArray[np.float64]
WORD = np.dtype("<u4")  # what the coder writes


def constriction() -> ModuleType:
    """Errors: GanzooError that names the extra."""
    try:
        import constriction as found
    except ModuleNotFoundError:
        raise GanzooError("bits need an entropy coder", "`pip install 'ganzoo-compress[bits]'`.") from None
    module: ModuleType = found
    return module


class Writer:
    """Takes symbols, gives bytes."""

    def __init__(self) -> None:
        self.models = constriction().stream.model
        self.queue: Any = constriction().stream.queue.RangeEncoder()

    def table(self, symbols: Ints, probabilities: Doubles) -> None:
        """Whole numbers 0 ... K - 1 of one distribution.  [n], [K]"""
        self.queue.encode(symbols, self.models.Categorical(probabilities, perfect=False))

    def gaussian(self, symbols: Ints, scales: Doubles, bound: int) -> None:
        """Whole numbers in +-bound, each of its own N(0, scale), integrated over the steps around them.  [n], [n]"""
        self.queue.encode(symbols, self.models.QuantizedGaussian(-bound, bound), np.zeros_like(scales), scales)

    def adaptive(self, planes: Ints, levels: int, neighbours: bool) -> None:
        """Planes of whole numbers 0 ... levels - 1 by the frequencies of what has come before.  [P, h, w]"""
        model = self.models.Categorical(perfect=False)
        for counts, (p, y, x) in contexts(planes, levels, neighbours):
            symbol = int(planes[p, y, x])
            self.queue.encode(np.array([symbol], np.int32), model, shares(counts))
            counts[symbol] += 1

    def data(self) -> bytes:
        words: NDArray[np.uint32] = self.queue.get_compressed()
        return words.astype(WORD).tobytes()


class Reader:
    """The same backwards: takes bytes, gives the symbols in the order in which they were written."""

    def __init__(self, data: bytes) -> None:
        """Errors: GanzooError for a number of bytes that no coder has written."""
        if len(data) % WORD.itemsize:
            raise GanzooError(f"{len(data)} bytes of code: no whole words", "The file was cut, or is another.")
        self.models = constriction().stream.model
        words = np.frombuffer(data, WORD).astype(np.uint32)
        self.queue: Any = constriction().stream.queue.RangeDecoder(words)

    def table(self, n: int, probabilities: Doubles) -> Ints:
        """n symbols of one distribution.  [n]"""
        found: Ints = self.queue.decode(self.models.Categorical(probabilities, perfect=False), n)
        return found

    def gaussian(self, scales: Doubles, bound: int) -> Ints:
        """One symbol for each scale.  [n]"""
        model = self.models.QuantizedGaussian(-bound, bound)
        found: Ints = self.queue.decode(model, np.zeros_like(scales), scales)
        return found

    def adaptive(self, shape: tuple[int, int, int], levels: int, neighbours: bool) -> Ints:
        """[P, h, w]"""
        planes = np.zeros(shape, np.int32)
        model = self.models.Categorical(perfect=False)
        for counts, (p, y, x) in contexts(planes, levels, neighbours):
            (symbol,) = self.queue.decode(model, shares(counts))
            planes[p, y, x] = symbol
            counts[symbol] += 1
        return planes


def shares(counts: NDArray[np.int64]) -> Doubles:
    """Frequencies as rows of probabilities.  [K] -> [1, K]"""
    return (counts / counts.sum(dtype=np.float64))[None]


def contexts(planes: Ints, levels: int, neighbours: bool) -> Iterator[tuple[NDArray[np.int64], tuple[int, int, int]]]:
    """Every place, row by row, with the counts of what has been seen where it was alike; who takes them adds to them.

    Alike is a place of the same plane, and with `neighbours` one whose symbols to the left and above were the same,
    which suits maps of labels. Counts begin at 1. `planes` may be filled while this goes on.
    """
    depth, height, width = planes.shape
    beyond = levels  # what lies left of the first column and above the first row
    sides = (levels + 1) if neighbours else 1
    counts = np.ones((depth, sides, sides, levels), np.int64)
    for p, y, x in np.ndindex(depth, height, width):
        left = int(planes[p, y, x - 1]) if x else beyond
        above = int(planes[p, y - 1, x]) if y else beyond
        yield counts[(p, left, above) if neighbours else (p, 0, 0)], (p, y, x)
