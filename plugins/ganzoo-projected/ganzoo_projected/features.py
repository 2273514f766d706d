"""Frozen networks through which discriminators look: four maps each, at a quarter to a 32nd of the side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from ganzoo_fastgan.lite0 import Lite0
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu


class Taps(Lite0):
    """EfficientNet-Lite0's, of its stages of 24, 40, 112 and 320 channels; no part of any state or checkpoint."""

    widths = (24, 40, 112, 320)

    def look(self, net: nn.Module, x: Tensor) -> list[Tensor]:
        return super().look(net, x)[1:]


class Fixed(nn.Module):
    """A convolution whose weights are drawn once, with He's variance, and stay: a buffer, which no player moves."""

    weight: Tensor

    def __init__(self, f: int, f_next: int, kernel: int) -> None:
        super().__init__()
        spread = math.sqrt(2 / (f * kernel**2))
        self.register_buffer("weight", spread * torch.randn(f_next, f, kernel, kernel))

    def forward(self, x: Tensor) -> Tensor:  # strides as wide as the kernel: 1 for 1x1
        return conv2d(x, self.weight, stride=self.weight.shape[-1])


class RandomFeatures(nn.Module):
    """Convolutions that nobody has trained: a stand-in that needs nothing, for tests."""

    widths = (8, 12, 16, 24)

    def __init__(self) -> None:
        super().__init__()
        layers = [Fixed(f, f_next, 2) for f, f_next in pairwise(self.widths)]
        self.layers = nn.ModuleList([Fixed(3, self.widths[0], 4), *layers])

    def forward(self, x: Tensor) -> list[Tensor]:  # [N, 1 or 3, H, W] -> four maps
        maps, h = [], x.expand(-1, 3, -1, -1)
        for layer in self.layers:
            h = relu(layer(h))
            maps.append(h)
        return maps


FEATURES: Mapping[str, type[Taps] | type[RandomFeatures]] = {"lite0": Taps, "random": RandomFeatures}
