"""Rows as square pictures: each column a cell in [-1, 1], line by line, zeros behind the last (Park et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganzoo_tables.columns import Column, Number


def bounds(column: Column) -> tuple[float, float]:
    """What -1 and 1 stand for: the range of a number, the first and the last value of a category."""
    low, high = (column.low, column.high) if isinstance(column, Number) else (0.0, len(column.values) - 1.0)
    return low, high if high > low else low + 1


def encode(columns: Sequence[Column], rows: Tensor, side: int) -> Tensor:
    """[N, C] -> [N, 1, side, side]"""
    cells = []
    for column, x in zip(columns, rows.unbind(1), strict=True):
        low, high = bounds(column)
        cells.append(2 * (x - low) / (high - low) - 1)
    return pad(torch.stack(cells, 1), (0, side * side - len(cells))).view(-1, 1, side, side)


def decode(columns: Sequence[Column], squares: Tensor) -> Tensor:
    """[N, 1, side, side] -> [N, C]: numbers in their range, the nearest category."""
    made = []
    for column, cell in zip(columns, squares.flatten(1).unbind(1), strict=False):
        low, high = bounds(column)
        x = low + (high - low) * (cell + 1) / 2
        made.append(
            x.clamp(max=column.high) if isinstance(column, Number) else x.round().clamp(0, len(column.values) - 1)
        )
    return torch.stack(made, 1)


def label(squares: Tensor, last: int) -> tuple[Tensor, Tensor]:
    """The last column in [0, 1], [N], and the squares without it."""
    cells = squares.flatten(1)
    rest = torch.cat([cells[:, :last], torch.zeros_like(cells[:, :1]), cells[:, last + 1 :]], 1)
    return (cells[:, last] + 1) / 2, rest.view_as(squares)
