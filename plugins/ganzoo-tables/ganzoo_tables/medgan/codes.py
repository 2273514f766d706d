"""Rows as vectors of codes in [0, 1]: medGAN's records are binary, and a table is written as such.

A category of two values is one bit, of more values a bit each; a number is where it lies in its range.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo_tables.columns import Column, Number


def width(column: Column) -> int:
    """Codes of a column."""
    return 1 if isinstance(column, Number) or len(column.values) == 2 else len(column.values)


def encode(columns: Sequence[Column], rows: Tensor) -> Tensor:
    """[N, C] -> [N, W]"""
    parts = []
    for column, x in zip(columns, rows.unbind(1), strict=True):
        if isinstance(column, Number):
            part = (x - column.low) / ((column.high - column.low) or 1.0)
            parts.append(part.clamp(0, 1)[:, None])  # the last bit of a float
        elif len(column.values) == 2:
            parts.append(x[:, None])
        else:
            parts.append(one_hot(x.long(), len(column.values)).to(x.dtype))
    return torch.cat(parts, 1)


def decode(columns: Sequence[Column], codes: Tensor) -> Tensor:
    """[N, W] -> [N, C]: the likelier bit, the likeliest of several."""
    made = []
    for column, part in zip(columns, torch.split(codes, [width(column) for column in columns], 1), strict=True):
        if isinstance(column, Number):
            made.append(column.low + (column.high - column.low) * part[:, 0])
        elif len(column.values) == 2:
            made.append((part[:, 0] > 0.5).to(codes.dtype))
        else:
            made.append(part.argmax(1).to(codes.dtype))
    return torch.stack(made, 1)
