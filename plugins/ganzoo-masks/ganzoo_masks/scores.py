"""How well masks fit: intersection over union and Dice, beside what a threshold finds without any network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.metrics import EvalContext

Found = Iterator[tuple[str, float, dict[str, Any]]]
HALF = 0.5  # from here on a pixel belongs to the thing


def iou(context: EvalContext) -> Found:
    """|A and B| / |A or B| of each picture, averaged; 1 where both are empty."""
    yield from scored(context, "iou", each_iou)


def dice(context: EvalContext) -> Found:
    """2 |A and B| / (|A| + |B|) of each picture, averaged; 1 where both are empty."""
    yield from scored(context, "dice", each_dice)


def scored(context: EvalContext, name: str, measure: Callable[[Tensor, Tensor], Tensor]) -> Found:
    """Of the model's masks, and of Otsu's threshold."""
    made, true, otsu = context.cached(masks)
    how = {"n": len(made), "threshold": HALF}
    yield name, float(measure(made, true).mean()), how
    yield f"{name}[otsu]", float(measure(otsu, true).mean()), how


def masks(context: EvalContext) -> tuple[Tensor, Tensor, Tensor]:
    """Boolean masks [n, 1, H, W]: the model's, the true ones, and Otsu's."""
    found = [
        ((block["x"] >= HALF).cpu(), block["target"].cpu() >= HALF, by_threshold(block["photo"].cpu()))
        for block in context.generated()
    ]
    made, true, otsu = (torch.cat(part) for part in zip(*found, strict=True))
    return made, true, otsu


def each_iou(a: Tensor, b: Tensor) -> Tensor:
    both, either = (a & b).flatten(1).sum(1), (a | b).flatten(1).sum(1)
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def each_dice(a: Tensor, b: Tensor) -> Tensor:
    both, together = (a & b).flatten(1).sum(1), a.flatten(1).sum(1) + b.flatten(1).sum(1)
    return torch.where(together > 0, 2 * both / together.clamp(min=1), 1.0)


def by_threshold(x: Tensor) -> Tensor:
    """Otsu's threshold of pictures [n, C, H, W] in [-1, 1], the side that has less of the border; bool [n, 1, H, W]."""
    gray = x.mean(1, keepdim=True)
    dark = gray <= torch.stack([threshold(one) for one in gray])[:, None, None, None]
    border = torch.ones_like(dark[0, 0])
    border[1:-1, 1:-1] = False
    ground_is_dark = dark[:, :, border].float().mean(2) > HALF
    return dark ^ ground_is_dark[..., None, None]


def threshold(gray: Tensor) -> Tensor:
    """Otsu 1979: the level of 256 that parts a picture's values in [-1, 1] into two groups that differ most."""
    counts = torch.histc(gray.double(), 256, -1, 1)
    levels = torch.linspace(-1, 1, 257, dtype=torch.float64)
    middles = (levels[1:] + levels[:-1]) / 2
    below, sums = counts.cumsum(0), (counts * middles).cumsum(0)
    above = below[-1] - below
    apart = sums / below.clamp(min=1) - (sums[-1] - sums) / above.clamp(min=1)
    return levels[1:][(below * above * apart.square()).argmax()].float()
