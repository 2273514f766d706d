"""iGAN's brushes (Zhu et al. 2016, arXiv:1609.03552, Sec. 3.2 and 4): what a user draws holds in the picture found.

z* = argmin sum_g |f_g(G(z)) - v_g|^2 + lambda |z - z_0|^2 (Eq. 4), f_g colours or edges where the brush has been. A
warping brush says that what was here is now there: colours of the picture so far, moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from ganzoo_core.errors import GanzooError
from ganzoo_latent.painter import Painter, Report, silent
from ganzoo_latent.search import descend


class Constraint(Protocol):
    """How far pictures [n, C, H, W] are from what a brush asks for: n values."""

    def __call__(self, x: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Colour:
    """A colour [C] in [-1, 1] where the mask [H, W] is 1."""

    mask: Tensor
    colour: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return over(self.mask, (x - self.colour.view(1, -1, 1, 1)).square().mean(1))


@dataclass(frozen=True)
class Edges:
    """Edges like those of a sketch [H, W] (1: a line) where the mask is 1: where contrast is, and which way it runs."""

    mask: Tensor
    sketch: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        wanted = oriented(2 * self.sketch[None, None] - 1)
        return over(self.mask, (oriented(x) - wanted).square().sum(1))


@dataclass(frozen=True)
class Warp:
    """The square of side 2 r + 1 around `here` (x, y) of a picture [C, H, W] is to be found around `there`."""

    picture: Tensor
    here: tuple[int, int]
    there: tuple[int, int]
    r: int

    def __call__(self, x: Tensor) -> Tensor:
        moved = cut(x, self.there, self.r) - cut(self.picture[None], self.here, self.r)
        return moved.square().mean((1, 2, 3))


def over(mask: Tensor, values: Tensor) -> Tensor:
    """The mean of values [n, H, W] where the mask [H, W] is 1.  [n]"""
    return (values * mask).sum((1, 2)) / mask.sum().clamp(min=1)


def cut(x: Tensor, place: tuple[int, int], r: int) -> Tensor:
    """The square around a place, with what lies beyond the border as its nearest pixels.  [n, C, 2 r + 1, 2 r + 1]"""
    column, row = place
    if not (0 <= column < x.shape[3] and 0 <= row < x.shape[2]):
        raise GanzooError(f"{column},{row}: outside of {x.shape[3]} x {x.shape[2]} pixels", "Give a place inside.")
    return pad(x, (r, r, r, r), "replicate")[:, :, row : row + 2 * r + 1, column : column + 2 * r + 1]


def oriented(x: Tensor) -> Tensor:
    """Slopes of brightness in four directions, without their sign, over cells of 4 pixels: HOG's idea, differentiable.

    [n, C, H, W] -> [n, 4, H, W]
    """
    gray = x.mean(1, keepdim=True)
    across, down = torch.tensor([[[[-1.0, 0, 1]]]]).to(x), torch.tensor([[[[-1.0], [0], [1]]]]).to(x)
    dx = conv2d(pad(gray, (1, 1, 0, 0), "replicate"), across)
    dy = conv2d(pad(gray, (0, 0, 1, 1), "replicate"), down)
    slopes = torch.cat([dx, dy, (dx + dy) / 2**0.5, (dx - dy) / 2**0.5], 1).abs()
    return avg_pool2d(pad(slopes, (1, 2, 1, 2), "replicate"), 4, 1)


def brush(size: tuple[int, int], strokes: Sequence[tuple[int, int]], r: int) -> Tensor:
    """1 within r pixels of a place (x, y) of a stroke, elsewhere 0.  [H, W]"""
    rows, columns = torch.arange(size[0]).view(-1, 1), torch.arange(size[1])
    near = [(columns - x).square() + (rows - y).square() <= r * r for x, y in strokes]
    return torch.stack(near).any(0).float()


def edit(
    painter: Painter,
    start: Tensor,
    constraints: Sequence[Constraint],
    *,
    near: float = 0.01,
    steps: int = 200,
    report: Report = silent,
) -> Tensor:
    """The point near `start` [1, *shape] that satisfies what was asked for; `near` is lambda, in deviations."""
    if not constraints:
        raise GanzooError("edit: nothing is asked for", "Give a colour, edges or a warp.")
    deviation = painter.spread()[1]

    def loss(point: Tensor) -> Tensor:
        x = painter(point)
        away = ((point - start) / deviation).square().flatten(1).mean(1)
        return sum((asked(x) for asked in constraints), x.new_zeros(len(x))) + near * away

    return descend(painter, start, loss, steps, report=report)
