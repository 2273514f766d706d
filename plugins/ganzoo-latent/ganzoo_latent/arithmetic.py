"""Arithmetic with pictures (Radford et al. 2015, arXiv:1511.06434, Sec. 6.3.2): means of groups, plus and minus."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import stream
from ganzoo_latent.painter import Painter

NEAR = 0.25  # half the width of the uniform noise around the answer, in deviations


def seeds(painter: Painter, numbers: Sequence[int]) -> Tensor:
    """The points of the first samples of these seeds.  [n, *shape]"""
    return torch.cat([painter.draw(1, seed) for seed in numbers])


def alike(painter: Painter, score: Tensor, points: Tensor, n: int) -> Tensor:
    """The n points with the highest scores.  [n, *shape]

    Errors: GanzooError for more than there are.
    """
    if n > len(points):
        raise GanzooError(f"a group of {n} among {len(points)} samples", "Draw more of them: --draws.")
    return points[score.argsort(descending=True)[:n]]


def answer(plus: Sequence[Tensor], minus: Sequence[Tensor]) -> Tensor:
    """The sum of the means of groups [n_i, *shape], less those of others.  [1, *shape]"""
    total = sum((group.mean(0, keepdim=True) for group in plus), torch.zeros(()))
    return total - sum((group.mean(0, keepdim=True) for group in minus), torch.zeros(()))


def neighbourhood(painter: Painter, point: Tensor, width: float = NEAR) -> Tensor:
    """Nine points: the answer in the middle, around it others with uniform noise on every coordinate.  [9, *shape]"""
    noise = torch.rand(9, *point.shape[1:], generator=stream(torch.device("cpu"), painter.seed, "neighbourhood"))
    noise = (2 * noise - 1).to(point) * width * painter.spread()[1]
    noise[4] = 0
    return painter.within(point + noise)
