"""How far pictures are from the one that is looked for: in pixels, and in what an extractor sees."""

from __future__ import annotations

import torch
from ganzoo_metrics.extractors import load_extractor
from ganzoo_metrics.perceptual import Perceptual
from torch import Tensor


class Likeness:
    """pixel E |x - x'|^2 + feature d(x, x') of pictures [n, C, H, W] to one target [1, C, H, W]; n values.

    d is the unweighted distance of Zhang et al. 2018 (Eq. 1) through an extractor, by name; "" is none. With a mask
    [1, 1, H, W] only what is 1 in it counts: elsewhere, the extractor sees the target.
    """

    def __init__(
        self, target: Tensor, extractor: str = "", pixel: float = 1.0, feature: float = 0.1, mask: Tensor | None = None
    ) -> None:
        self.target, self.pixel, self.feature = target, pixel, feature
        self.mask = torch.ones_like(target[:, :1]) if mask is None else mask
        self.seen = Perceptual(load_extractor(extractor, target.device)) if extractor else None

    def __call__(self, x: Tensor) -> Tensor:
        total = self.pixel * self.pixels(x)
        if self.seen is not None:
            target = self.target.expand_as(x)
            total = total + self.feature * self.seen(torch.lerp(target, x, self.mask), target)
        return total

    def pixels(self, x: Tensor) -> Tensor:
        """The mean squared difference where it counts.  [n]"""
        weight = self.mask.expand_as(x)
        return ((x - self.target).square() * weight).flatten(1).sum(1) / weight.flatten(1).sum(1)
