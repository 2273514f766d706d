"""Rows as CTGAN's networks see them: mode-specific normalisation and one-hot vectors (Xu et al. 2019, Sec. 4.2).

Row r [C] becomes alpha_1 + beta_1 + ... + d_1 + ... [W]: of a number the mode beta that it belongs to, one-hot, and
alpha, where it lies in that mode, in [-1, 1]; of a category d, one-hot. A number that is missing is a mode of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, one_hot

from ganzoo_tables.columns import Column, Number

DEVIATIONS = 4  # that a mode reaches to either side of its mean
TAU = 0.2  # temperature of the Gumbel softmax


class Span(NamedTuple):
    """The part of a transformed row that one column has: [alpha if it is a number] and a one-hot vector."""

    start: int
    numbers: int  # 1 or 0
    options: int  # modes, or values

    @property
    def choice(self) -> slice:
        return slice(self.start + self.numbers, self.start + self.numbers + self.options)


class Transform(nn.Module):
    """Between rows [N, C] and what the networks see [N, W]; it has no weights."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns, self.spans, start = tuple(columns), list[Span](), 0
        for place, column in enumerate(columns):
            options = len(modes(column)) + bool(column.missing) if isinstance(column, Number) else len(column.values)
            self.spans.append(Span(start, int(isinstance(column, Number)), options))
            start += sum(self.spans[-1][1:])
            if isinstance(column, Number):
                of_modes = torch.tensor(modes(column)).T.contiguous()  # share, mean, deviation  [3, K]
                self.register_buffer(f"modes_{place}", of_modes, persistent=False)
        self.width = start

    @property
    def values(self) -> list[Span]:
        """Of the categories."""
        return [span for span in self.spans if not span.numbers]

    def encode(self, rows: Tensor) -> Tensor:
        """[N, C] -> [N, W]; a number's mode is drawn by how likely each of them is."""
        parts = []
        for place, (span, x) in enumerate(zip(self.spans, rows.unbind(1), strict=True)):
            if span.numbers:
                parts += self.normalised(place, span, x)
            else:
                parts.append(one_hot(x.long(), span.options).float())
        return torch.cat(parts, 1)

    def normalised(self, place: int, span: Span, x: Tensor) -> list[Tensor]:
        """alpha [N, 1] and beta [N, K] of a number x [N]."""
        share, mean, deviation = getattr(self, f"modes_{place}")
        missing = x.isnan()
        z = (x.nan_to_num()[:, None] - mean) / deviation  # [N, K]
        rho = share.log() - deviation.log() - z.square() / 2
        k = (rho + gumbel_like(rho)).argmax(1, keepdim=True)  # [N, 1]
        alpha = (z.gather(1, k) / DEVIATIONS).clamp(-1, 1).masked_fill(missing[:, None], 0)
        beta = one_hot(torch.where(missing, len(mean), k[:, 0]), len(mean) + 1).float()
        return [alpha, beta[:, : span.options]]

    def decode(self, t: Tensor) -> Tensor:
        """[N, W] -> [N, C]"""
        return torch.stack([self.decoded(place, span, t) for place, span in enumerate(self.spans)], 1)

    def decoded(self, place: int, span: Span, t: Tensor) -> Tensor:
        """The column [N] in its range."""
        k, column = t[:, span.choice].argmax(1), self.columns[place]
        if not isinstance(column, Number):
            return k.float()
        _, mean, deviation = getattr(self, f"modes_{place}")
        known = k.clamp(max=len(mean) - 1)
        x = mean[known] + DEVIATIONS * deviation[known] * t[:, span.start]
        return x.clamp(column.low, column.high).masked_fill(k == len(mean), math.nan)

    def activated(self, h: Tensor) -> Tensor:
        """tanh of each alpha, and the Gumbel softmax of each choice.  [N, W]"""
        parts = []
        for span in self.spans:
            if span.numbers:
                parts.append(h[:, span.start : span.start + 1].tanh())
            parts.append(softly(h[:, span.choice]))
        return torch.cat(parts, 1)

    def log_chances(self, h: Tensor) -> Tensor:
        """Of all values of all categories, as conditions number them, before any is drawn.  [N, c]"""
        return torch.cat([log_softmax(h[:, span.choice], 1) for span in self.values], 1)


def softly(logits: Tensor) -> Tensor:
    """A draw that is nearly one-hot, with a gradient (Jang et al. 2016)."""
    return ((logits + gumbel_like(logits)) / TAU).softmax(1)


def gumbel_like(logits: Tensor) -> Tensor:
    """Gumbel noise: the largest of logits with it is distributed as their softmax."""
    return -(-torch.rand_like(logits).clamp(1e-20, 1 - 1e-7).log()).log()


def modes(column: Number) -> tuple[tuple[float, float, float], ...]:
    """Those that were found; else one that reaches over the whole range."""
    middle, reach = (column.low + column.high) / 2, (column.high - column.low) / 2
    return column.modes or ((1.0, middle, (reach or 1.0) / DEVIATIONS),)
